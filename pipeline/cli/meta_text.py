"""What `evipool meta` prints: studies, estimate, heterogeneity and tables as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from math import isnan
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.meta import MetaAnalysis
    from pipeline.schema import PooledEstimate, Regression


def lines_of(result: MetaAnalysis) -> list[str]:
    """Return the summary that is printed, a line an item."""
    lines = [*_studies(result), ""]
    for row in result.left_out:
        lines.append(f"Left out: {row.slab} (row {row.row + 1}): {row.reason}.")
    lines += [f"Recovered: {said}" for said in result.recovered]
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


def _table(name: str, table: Any) -> list[str]:
    """A table beside the estimate: rows with their columns, or names with their numbers."""
    if isinstance(table, list) and "slab" not in table[0]:
        return _subsets(name, table)
    if isinstance(table, list):
        columns = [c for c in table[0] if c not in ("slab", "row", "test", "dfbs")]
        lines = [f"{name}:", "  ".join(f"{c:>9}" for c in columns) + "  study"]
        for row in table:
            lines.append("  ".join(f"{_cell(row[c]):>9}" for c in columns) + f"  {row['slab']}")
        return lines
    if name in _SHOWN:
        return _SHOWN[name](table)
    lines = [f"  {key}: {_said(value)}" for key, value in table.items() if key != "notes"]
    return [f"{name}:", *lines, *(f"  {note}" for note in dict.fromkeys(_notes(table)))]


def _subsets(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """A table of many results without names: least, median and largest of each number."""
    lines = [f"{name}: {len(rows)} subsets", "              least     median    largest"]
    for column in ("estimate", "tau2", "i2"):
        values = sorted(row[column] for row in rows)
        shown = "  ".join(f"{values[i]:9.4f}" for i in (0, len(values) // 2, -1))
        lines.append(f"{column:>9}  {shown}")
    return lines


def _curve(table: dict[str, Any]) -> list[str]:
    """A curve at some of its points, its knots and the test of a straight line."""
    points = table["points"]
    lines = [f"curve over {table['over']}:", "        x  estimate            interval"]
    for p in points[:: (len(points) - 1) // 5]:
        interval = f"{p['ci_lb']:.4f} to {p['ci_ub']:.4f}"
        lines.append(f"{_cell(p['x']):>9}  {p['estimate']:8.4f}  {interval:>18}")
    if table["nonlinearity"] is None:
        return lines
    bent = table["nonlinearity"]
    knots = " ".join(f"{knot:.4g}" for knot in table["knots"])
    return [*lines, f"Knots at {knots}; test of a straight line: p = {bent['pval']:.4g}"]


def _sequential(table: dict[str, Any]) -> list[str]:
    """Required patients, looks with their boundaries, and what they say."""
    lines = [
        f"sequential: {table['required']} patients in one trial; diversity "
        f"{100 * table['diversity']:.1f} %: {table['adjusted']:.0f} in this pool",
        "  Assumed: " + "; ".join(table["assumptions"]) + ".",
        "        n  information        z  boundary  study",
    ]
    for look in table["looks"]:
        share, boundary = f"{100 * look['timing']:.1f} %", _cell(look["boundary"])
        lines.append(
            f"{look['n']:>9.0f}  {share:>11}  {look['z']:7.3f}  {boundary:>8}  {look['slab']}"
        )
    crossed = "The boundary was crossed." if table["crossed"] else "No boundary was crossed."
    reached = "has been" if table["reached"] else "has not been"
    return [*lines, f"{crossed} The required size {reached} reached."]


#: Tables with a print of their own.
_SHOWN = {"curve": _curve, "sequential": _sequential}


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
        f"H2 = {p.h2:.2f} (from Q: {p.h2_q:.2f}), Q = {p.q:.3f}, df = {p.q_df}, p = {p.q_pval:.4g}"
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
