"""`evipool meta`: a table of studies -> effect sizes and a pooled estimate."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import AsJson
from pipeline.cli.output import print_json

if TYPE_CHECKING:
    from pipeline.meta import MetaAnalysis
    from pipeline.schema import PooledEstimate, Regression

_EXAMPLES = """Examples:

  evipool meta trials.csv --measure RR

  evipool meta trials.csv --measure SMD --method DL --test z --subgroup condition

  evipool meta trials.csv --measure OR --method MH --json

  evipool meta trials.csv --measure OR --loo --cumulative --order year --bias

  evipool meta effects.csv --mods "dose,factor(design)"

Columns are metafor's: ai bi ci di (or n1i n2i); m1i sd1i n1i m2i sd2i n2i; m1i m2i sd1i sd2i ni ri;
xi ni; xi ti; x1i t1i x2i t2i; mi sdi ni; ri ni; yi vi (or sei); slab names the studies.
`evipool measures` lists the measures.
"""


def meta(
    data: Annotated[Path, typer.Argument(help="CSV or TSV, a row a study.")],
    measure: Annotated[
        str | None, typer.Option("--measure", "-m", help="metafor's code; GEN where yi is given.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="REML ML DL HE HS HSk SJ EB PM EE, or MH, PETO, GLMM.")
    ] = "REML",
    test: Annotated[str, typer.Option(help="knha (Hartung-Knapp), adhoc, t or z.")] = "knha",
    level: Annotated[float, typer.Option(help="Of the intervals: 0.95 or 95.")] = 0.95,
    mods: Annotated[
        str, typer.Option(help='Moderators, e.g. "dose,factor(design)": a meta-regression.')
    ] = "",
    subgroup: Annotated[str | None, typer.Option(help="Column: pool its values apart.")] = None,
    bias: Annotated[
        bool, typer.Option("--bias", help="Egger, Begg, trim and fill, PET-PEESE and others.")
    ] = False,
    loo: Annotated[bool, typer.Option("--loo", help="Without each study in turn.")] = False,
    cumulative: Annotated[
        bool, typer.Option("--cumulative", help="As studies were added; see --order.")
    ] = False,
    influence: Annotated[
        bool, typer.Option("--influence", help="What each study does to the estimate.")
    ] = False,
    also: Annotated[
        str, typer.Option(help="More tables: blup, gosh, permutation, heterogeneity.")
    ] = "",
    order: Annotated[str | None, typer.Option(help="Column that orders --cumulative.")] = None,
    cluster: Annotated[
        str | None, typer.Option(help="Column: effects of one study or centre share its value.")
    ] = None,
    prior: Annotated[
        str | None, typer.Option(help='Bayesian model; prior of tau: "half-normal(0.5)".')
    ] = None,
    model: Annotated[
        str, typer.Option(help="Of a GLMM of two groups: UM.FS, UM.RS, CM.EL or CM.AL.")
    ] = "UM.FS",
    vtype: Annotated[str, typer.Option(help="Kind of variance: LS, UB or LS2.")] = "LS",
    add: Annotated[float, typer.Option(help="What zero cells get.")] = 0.5,
    to: Annotated[str, typer.Option(help="Which studies: only0, if0all, all, none.")] = "only0",
    drop00: Annotated[
        bool, typer.Option("--drop00", help="Leave out studies without events in both arms.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pool a table of studies: effect sizes, estimate, intervals, heterogeneity."""
    from pipeline import meta as analysis
    from pipeline.effects.formulas import Rules
    from pipeline.meta import read_table

    table = read_table(data)
    tables = {"bias": bias, "loo": loo, "cumulative": cumulative, "influence": influence}
    result = analysis.meta(
        table,
        measure=measure or analysis.default_measure(table),
        method=method,
        test=test,
        level=level / 100 if level >= 1 else level,
        mods=_listed(mods),
        subgroup=subgroup,
        cluster=cluster,
        prior=prior,
        checks=[*(name for name, asked in tables.items() if asked), *_listed(also)],
        order=order,
        glmm_model=model,
        rules=Rules(add, to, drop00, vtype),
    )
    if as_json:
        print_json(result.as_dict())
    else:
        for line in _lines(result):
            typer.echo(line)
    if result.pooled is None and result.regression is None:
        raise typer.Exit(5)


meta.__doc__ = f"{meta.__doc__}\n\n{_EXAMPLES}"


def _listed(text: str) -> list[str]:
    """The names in "a, b"."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _table(name: str, table: Any) -> list[str]:
    """A table beside the estimate: rows with their columns, or names with their numbers."""
    if isinstance(table, list):
        columns = [c for c in table[0] if c not in ("slab", "row", "test", "dfbs")]
        lines = [f"{name}:", "  ".join(f"{c:>9}" for c in columns) + "  study"]
        for row in table:
            lines.append("  ".join(f"{_cell(row[c]):>9}" for c in columns) + f"  {row['slab']}")
        return lines
    lines = [f"  {key}: {_said(value)}" for key, value in table.items() if key != "notes"]
    return [f"{name}:", *lines, *(f"  {note}" for note in dict.fromkeys(_notes(table)))]


def _said(value: Any) -> str:
    """A result in a line: its numbers by name; long lists are for --json."""
    if isinstance(value, dict):
        shown = {k: v for k, v in value.items() if k != "notes" and v not in (None, (), [])}
        return ", ".join(f"{k} {_said(v)}" for k, v in shown.items())
    if isinstance(value, list | tuple) and any(isinstance(one, dict) for one in value):
        return f"{len(value)} values" if len(value) > 1 else _said(value[0])
    return _cell(value)


def _notes(table: dict[str, Any]) -> Iterator[str]:
    """What the results of a table, or their parts, warn of."""
    for key, value in table.items():
        if key == "notes":
            yield from value
        elif isinstance(value, dict):
            yield from _notes(value)


def _cell(value: Any) -> str:
    """A value in a few digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return " ".join(_cell(one) for one in value) if len(value) < 5 else f"{len(value)} values"
    return "-" if value is None else str(value)


def _lines(result: MetaAnalysis) -> list[str]:
    """The summary that is printed."""
    lines = [*_studies(result), ""]
    for row in result.left_out:
        lines.append(f"Left out: {row.slab} (row {row.row + 1}): {row.reason}.")
    if result.pooled is not None:
        lines += _estimate(result, result.pooled)
    if result.regression is not None:
        lines += _regression(result.regression)
    if result.reason:
        lines.append(f"Not pooled: {result.reason}.")
    for group in result.subgroups:
        said = "one study" if group.pooled is None else _short(group.pooled)
        lines.append(f"{group.label}: k = {len(group.members)}; {said}")
    if result.subgroup_test is not None:
        q = result.subgroup_test
        lines.append(f"Subgroups differ: Q = {q.q:.3f}, df = {q.df}, p = {q.pval:.4f}")
    for name, table in result.tables.items():
        lines += ["", *_table(name, table)]
    return lines


def _studies(result: MetaAnalysis) -> list[str]:
    """A line a study: name, effect, interval, weight."""
    frame = result.frame()
    width = max(len(str(name)) for name in frame["slab"])
    lines = [f"{'':{width}}  {result.measure:>9}  {'95 % interval':>19}  weight"]
    for row in frame.to_dict("records"):
        if isnan(row["yi"]):
            lines.append(f"{row['slab']:{width}}  {'-':>9}")
            continue
        interval = f"{row['ci_lb']:.4f} to {row['ci_ub']:.4f}"
        weight = "" if isnan(row["weight"]) else f"{row['weight']:5.1f} %"
        lines.append(f"{row['slab']:{width}}  {row['yi']:9.4f}  {interval:>19}  {weight}".rstrip())
    return lines


def _estimate(result: MetaAnalysis, p: PooledEstimate) -> list[str]:
    """The pooled estimate, its heterogeneity and what must be known of it."""
    from pipeline.effects.formulas import FORMULAS
    from pipeline.effects.formulas.scales import BACK

    percent = f"{100 * p.level:g} %"
    lines = [
        f"{p.method}, k = {p.k}, test {p.test}: {p.measure} {p.estimate:.4f} (SE {p.se:.4f}), "
        f"{percent} interval {p.ci_lb:.4f} to {p.ci_ub:.4f}, p = {p.pval:.4g}"
    ]
    formula = FORMULAS[p.measure]
    if formula.scale != "identity":
        shown = (BACK[formula.scale](x) for x in (p.estimate, p.ci_lb, p.ci_ub))
        name = formula.name[0].upper() + formula.name[1:]
        lines.append("{}: {:.4f} ({:.4f} to {:.4f})".format(name, *shown))
    if p.test == "knha":
        lines.append(f"Ad hoc interval: {p.ci_adhoc_lb:.4f} to {p.ci_adhoc_ub:.4f}")
    limits = "" if p.tau2_ci_lb is None else f" ({p.tau2_ci_lb:.4f} to {p.tau2_ci_ub:.4f})"
    lines.append(
        f"tau2 = {p.tau2:.4f}{limits}, I2 = {p.i2:.1f} % (from Q: {p.i2_q:.1f} %), "
        f"H2 = {p.h2:.2f}, Q = {p.q:.3f}, df = {p.q_df}, p = {p.q_pval:.4g}"
    )
    if p.pi_lb is not None:
        more = "" if p.pi_k2_lb is None else f"; t with k - 2: {p.pi_k2_lb:.4f} to {p.pi_k2_ub:.4f}"
        lines.append(f"Prediction interval: {p.pi_lb:.4f} to {p.pi_ub:.4f}{more}")
    return [*lines, *p.notes]


def _short(p: PooledEstimate) -> str:
    """A subgroup's estimate in a line."""
    return f"{p.estimate:.4f} ({p.ci_lb:.4f} to {p.ci_ub:.4f}), tau2 = {p.tau2:.4f}"


def _regression(fit: Regression) -> list[str]:
    """The coefficients and tests of a meta-regression."""
    width = max(len(c.name) for c in fit.coefficients)
    lines = [f"{fit.method}, k = {fit.k}, test {fit.test}"]
    for c in fit.coefficients:
        lines.append(
            f"{c.name:{width}}  {c.estimate:9.4f}  SE {c.se:.4f}  "
            f"{c.ci_lb:.4f} to {c.ci_ub:.4f}  p = {c.pval:.4g}"
        )
    df = f"{fit.qm_df}" if fit.qm_df2 is None else f"{fit.qm_df} and {fit.qm_df2}"
    lines.append(
        f"Moderators: {'QM' if fit.qm_df2 is None else 'F'} = {fit.qm:.3f}, df = {df}, "
        f"p = {fit.qm_pval:.4g}; residual tau2 = {fit.tau2:.4f}, I2 = {fit.i2:.1f} %, "
        f"QE = {fit.q:.3f}, df = {fit.q_df}, p = {fit.q_pval:.4g}"
    )
    if fit.r2 is not None:
        lines.append(f"R2 = {fit.r2:.1f} %")
    return lines
