"""`evipool meta`: a table of studies -> effect sizes and a pooled estimate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.meta_text import lines_of
from pipeline.cli.options import AsJson
from pipeline.cli.output import print_json

if TYPE_CHECKING:
    from pipeline.meta import MetaAnalysis

_EXAMPLES = """Examples:

  evipool meta trials.csv --measure RR

  evipool meta trials.csv --measure SMD --method DL --test z --subgroup condition

  evipool meta trials.csv --measure OR --method MH --json

  evipool meta trials.csv --measure OR --loo --cumulative --order year --bias

  evipool meta trials.csv --measure RR --order year --mid 0.8

  evipool meta trials.csv --measure OR --influence --bias --plots figures

  evipool meta effects.csv --mods "dose,factor(design)"

  evipool meta effects.csv --dose "rcs(g_per_kg,3)"

  evipool meta arms.csv --measure OR --arms study --dose g_per_kg

Columns are metafor's: ai bi ci di (or n1i n2i); m1i sd1i n1i m2i sd2i n2i; m1i m2i sd1i sd2i ni ri;
xi ni; xi ti; x1i t1i x2i t2i; mi sdi ni; ri ni; yi vi (or sei); slab names the studies.
`evipool measures` lists the measures.
"""


Data = Annotated[Path, typer.Argument(help="CSV or TSV, a row a study.")]
Measure = Annotated[
    str | None, typer.Option("--measure", "-m", help="metafor's code; GEN where yi is given.")
]
Method = Annotated[str, typer.Option(help="REML ML DL HE HS HSk SJ EB PM EE, or MH, PETO, GLMM.")]
Test = Annotated[str, typer.Option(help="knha (Hartung-Knapp), adhoc, t or z.")]
Level = Annotated[float, typer.Option(help="Of the intervals: 0.95 or 95.")]
Mods = Annotated[
    str,
    typer.Option(help='Moderators of a meta-regression: "dose,factor(design),rcs(age,3)".'),
]
Dose = Annotated[
    str | None,
    typer.Option(
        help="Dose-response: a line (COLUMN) or a spline (rcs(COLUMN,3)), with its curve."
    ),
]
Arms = Annotated[
    str | None,
    typer.Option(help="Rows are arms; COLUMN tells the studies. Pools slopes over --dose."),
]
Ri = Annotated[
    float | None,
    typer.Option(help="Assumed correlation of two measurements of a patient, where ri is missing."),
]
Group = Annotated[str | None, typer.Option("--subgroup", help="Column: pool its values apart.")]
CommonTau2 = Annotated[bool, typer.Option("--common-tau2", help="The subgroups share one tau2.")]
Bias = Annotated[bool, typer.Option("--bias", help="Egger, Begg, trim and fill and others.")]
LeaveOut = Annotated[bool, typer.Option("--loo", help="Without each study in turn.")]
Cumulative = Annotated[
    bool, typer.Option("--cumulative", help="As studies were added; see --order.")
]
Influence = Annotated[bool, typer.Option("--influence", help="What each study does to it.")]
Also = Annotated[str, typer.Option(help="More tables: blup, gosh, permutation, heterogeneity.")]
Order = Annotated[str | None, typer.Option(help="Column that orders --cumulative.")]
Mid = Annotated[
    float | None,
    typer.Option(help="Smallest effect that matters, as printed: a trial sequential analysis."),
]
Risk = Annotated[float | None, typer.Option(help="Control arms' risk for --mid; that of the data.")]
Sd = Annotated[float | None, typer.Option(help="SD of a patient for --mid; that of the data.")]
Power = Annotated[float, typer.Option(help="Power for --mid.")]
Plots = Annotated[
    Path | None,
    typer.Option("--plots", help="Folder for figures: of the model, and of each table asked for."),
]
Png = Annotated[bool, typer.Option("--png", help="Figures as PNG; SVG else.")]
Cluster = Annotated[
    str | None, typer.Option(help="Column: effects of one study or centre share its value.")
]
Prior = Annotated[
    str | None, typer.Option(help='Bayesian model; prior of tau: "half-normal(0.5)".')
]
Model = Annotated[
    str, typer.Option("--model", help="Of a GLMM of two groups: UM.FS, UM.RS, CM.EL or CM.AL.")
]
Vtype = Annotated[str, typer.Option(help="Kind of variance: LS, UB or LS2.")]
Add = Annotated[float, typer.Option(help="What zero cells get.")]
To = Annotated[str, typer.Option(help="Which studies: only0, if0all, all, none.")]
Drop = Annotated[
    bool, typer.Option("--drop00", help="Leave out studies without events in both arms.")
]


def meta(
    data: Data,
    measure: Measure = None,
    method: Method = "REML",
    test: Test = "knha",
    level: Level = 0.95,
    mods: Mods = "",
    dose: Dose = None,
    arms: Arms = None,
    ri: Ri = None,
    subgroup: Group = None,
    common_tau2: CommonTau2 = False,
    bias: Bias = False,
    loo: LeaveOut = False,
    cumulative: Cumulative = False,
    influence: Influence = False,
    also: Also = "",
    order: Order = None,
    mid: Mid = None,
    risk: Risk = None,
    sd: Sd = None,
    power: Power = 0.9,
    cluster: Cluster = None,
    prior: Prior = None,
    glmm_model: Model = "UM.FS",
    vtype: Vtype = "LS",
    add: Add = 0.5,
    to: To = "only0",
    drop00: Drop = False,
    plots: Plots = None,
    png: Png = False,
    as_json: AsJson = False,
) -> None:
    """Pool a table of studies: effect sizes, estimate, intervals, heterogeneity."""
    from pipeline import meta as analysis
    from pipeline.effects.formulas import Rules

    table = analysis.read_table(data)
    tables = {"bias": bias, "loo": loo, "cumulative": cumulative, "influence": influence}
    result = analysis.meta(
        table,
        measure=measure or analysis.default_measure(table),
        method=method,
        test=test,
        level=level / 100 if level >= 1 else level,
        mods=_listed(mods),
        dose=dose,
        arms=arms,
        ri=ri,
        subgroup=subgroup,
        common_tau2=common_tau2,
        cluster=cluster,
        prior=prior,
        checks=[*(name for name, asked in tables.items() if asked), *_listed(also)],
        order=order,
        target=None if mid is None else analysis.Target(mid, risk, sd, power),
        glmm_model=glmm_model,
        rules=Rules(add, to, drop00, vtype),
    )
    if as_json:
        print_json(result.as_dict())
    else:
        typer.echo("\n".join(lines_of(result)))
    if plots is not None:
        _draw(result, plots, "png" if png else "svg")
    if result.pooled is None and result.regression is None:
        raise typer.Exit(5)


def _draw(result: MetaAnalysis, folder: Path, kind: str) -> None:
    """Write the figures, and say where they lie."""
    from pipeline.meta.plots import drawings

    for name, drawing in drawings(result):
        path = drawing.save(folder / f"{name}.{kind}")
        typer.echo(f"Wrote {path}", err=True)


meta.__doc__ = f"{meta.__doc__}\n\n{_EXAMPLES}"


def _listed(text: str) -> list[str]:
    """The names in "a, rcs(b, 3)": commas in brackets are part of a name."""
    return [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]
