"""Writes what moved for readers: update.html, update.json and update.atom."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from pipeline.report.data import MeasureView, ReportData
from pipeline.report.figures.forest import Refitted, cumulative_forest
from pipeline.report.files import write_file
from pipeline.report.html import environment
from pipeline.report.html_table import HtmlTable, make_table
from pipeline.report.inline import inline_svg
from pipeline.report.update_atom import atom_feed
from pipeline.report.update_data import pooled_text, pull_text, update_facts
from pipeline.report.wording import estimate_text, i2_of, number
from pipeline.schema import Monitoring, Movement, PooledEstimate, QuestionMove

#: How the kinds of change of records and studies are told.
KINDS = {
    "new": "new",
    "came": "new in the pool",
    "changed": "changed",
    "left": "left the pool",
    "retracted": "retracted",
    "deleted": "deleted",
    "gone": "gone",
}
RULES = {
    "direction": "Side of the estimate",
    "no_effect": "Interval and no effect",
    "mid": "Interval and the smallest effect that matters",
}


@dataclass(frozen=True, slots=True)
class MovePart:
    """The part of a question: figure, sentences, tables."""

    move: QuestionMove
    figure: Markup | None
    tables: list[HtmlTable]
    monitored: list[str]


def write_update(moved: Movement, data: ReportData, folder: Path, *, now: str) -> list[Path]:
    """Write update.html, update.json and update.atom.

    Parameters
    ----------
    moved : Movement
    data : ReportData
        Of the later run: title, version, and how each measure is shown.
    folder : Path
    now : str
        ISO 8601 UTC, the feed's date.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    facts = json.dumps(
        update_facts(moved, data.measures), ensure_ascii=False, indent=1, allow_nan=False
    )
    contents = {
        "update.html": render_update(moved, data),
        "update.json": facts + "\n",
        "update.atom": atom_feed(moved, data, now=now),
    }
    return [
        write_file(folder / name, text.encode("utf-8", errors="replace"))
        for name, text in contents.items()
    ]


def render_update(moved: Movement, data: ReportData) -> str:
    """Return the page."""
    return (
        environment()
        .get_template("update.html.j2")
        .render(
            data=data,
            moved=moved,
            overview=overview_table(moved, data),
            records=_records_table(moved),
            values=_values_table(moved),
            parts=[_part(q, data) for q in moved.questions if q.moved],
            still=[q for q in moved.questions if not q.moved],
        )
    )


def overview_table(moved: Movement, data: ReportData) -> HtmlTable:
    """Return each question before and after."""
    rows = [
        (
            q.title,
            f"{q.k_before} → {q.k_after}",
            f"{q.n_before} → {q.n_after}",
            pooled_text(q.before, data.measures[q.measure]),
            pooled_text(q.after, data.measures[q.measure]),
            "changed" if q.raised else "unchanged" if q.flags else "no rule",
        )
        for q in moved.questions
    ]
    header = ("Question", "k", "n", "Before [CI]", "After [CI]", "Conclusion")
    return make_table("Each question before and after", header, rows)


def _records_table(moved: Movement) -> HtmlTable:
    """The records that are not as they were."""
    rows = [(c.slab, c.record_id, KINDS[c.kind], "; ".join(c.causes)) for c in moved.records]
    return make_table("Records", ("Record", "Id", "What", "Why"), rows)


def _values_table(moved: Movement) -> HtmlTable:
    """The values that are not as they were."""
    rows = [
        (c.slab, v.path, v.before or "none", v.after or "none")
        for c in moved.records
        for v in c.values
    ]
    return make_table("Values", ("Record", "Value", "Before", "After"), rows)


def _part(move: QuestionMove, data: ReportData) -> MovePart:
    """Everything of one question."""
    view = data.measures[move.measure]
    tables = [_sides_table(move, view)]
    if move.studies:
        tables.append(_studies_table(move, view))
    if move.flags:
        rows = [
            (RULES[f.rule], f.before, f.after, "changed" if f.raised else "unchanged")
            for f in move.flags
        ]
        tables.append(make_table("Conclusion", ("Rule", "Before", "After", "Flag"), rows))
    if move.monitoring and move.monitoring.looks:
        tables.append(_looks_table(move.monitoring))
    return MovePart(move, _figure(move, data), tables, monitored_words(move.monitoring))


def _sides_table(move: QuestionMove, view: MeasureView) -> HtmlTable:
    """Estimate, intervals and heterogeneity before and after."""
    rows = [
        ("Estimate [CI]", pooled_text(move.before, view), pooled_text(move.after, view)),
        ("Interval never narrower than normal", *_both(move, view, "ci_adhoc")),
        ("Prediction interval", *_both(move, view, "pi")),
        ("Tau²", *(number(p.tau2) if p else "" for p in (move.before, move.after))),
        ("I²", *(f"{i2_of(p):.0f}%" if p else "" for p in (move.before, move.after))),
        ("Studies (k)", str(move.k_before), str(move.k_after)),
        ("Patients (n)", str(move.n_before), str(move.n_after)),
    ]
    told = [row for row in rows if row[1] or row[2]]
    return make_table("Before and after", ("", "Before", "After"), told)


def _both(move: QuestionMove, view: MeasureView, name: str) -> tuple[str, str]:
    """An interval before and after, "" where there is none."""
    return _interval(move.before, view, name), _interval(move.after, view, name)


def _interval(pooled: PooledEstimate | None, view: MeasureView, name: str) -> str:
    """An interval of an estimate as text."""
    if pooled is None or getattr(pooled, f"{name}_lb") is None:
        return ""
    lo, hi = getattr(pooled, f"{name}_lb"), getattr(pooled, f"{name}_ub")
    return estimate_text(view, None, lo, hi, style="revman")


def _studies_table(move: QuestionMove, view: MeasureView) -> HtmlTable:
    """The studies that came, changed or left, each with its pull."""
    digits = 1 if view.percent else 2
    rows = [
        (
            s.slab,
            KINDS[s.kind],
            s.reason,
            "" if s.before is None else number(view.natural(s.before[0]), digits),
            "" if s.after is None else number(view.natural(s.after[0]), digits),
            pull_text(s, view, move.after),
        )
        for s in move.studies
    ]
    header = ("Study", "What", "Why", "Effect before", "Effect after", "Pull on the estimate")
    return make_table("Studies that moved it", header, rows)


def _looks_table(found: Monitoring) -> HtmlTable:
    """The looks of a sequential analysis."""
    rows = [
        (
            look.slab,
            str(look.k),
            f"{100 * look.timing:.0f}%",
            number(look.z),
            "none yet" if look.boundary is None else f"±{number(look.boundary)}",
            "crossed" if look.crossed else "",
        )
        for look in found.looks
    ]
    header = ("Study added", "k", "Information", "Z", "Boundary", "")
    return make_table("Repeated looks", header, rows)


def monitored_words(found: Monitoring | None) -> list[str]:
    """Return what sequential monitoring says, in sentences."""
    if found is None:
        return []
    if found.reason:
        return [f"Repeated looks are not monitored: {found.reason}"]
    crossed = "was crossed" if found.crossed else "was not crossed"
    reached = "has been reached" if found.reached else "has not been reached"
    return [
        f"A pool with this heterogeneity needs {found.adjusted:.0f} patients (one trial "
        f"{found.required}, diversity {100 * found.diversity:.0f}%); that {reached}.",
        f"The boundary for repeated looks {crossed}.",
        f"It rests on: {'; '.join(found.assumptions)}.",
    ]


def _figure(move: QuestionMove, data: ReportData) -> Markup | None:
    """The cumulative forest plot by publication date, where there is a pool."""
    if move.after is None or len(move.cumulative) < 2:
        return None
    steps = [
        Refitted(f"{s.slab}", s.k, s.estimate, s.ci_lb, s.ci_ub, s.tau2, s.i2)
        for s in move.cumulative
    ]
    drawn = cumulative_forest(
        steps,
        move.after,
        data.measures[move.measure],
        title="Cumulative meta-analysis by publication date",
        favours=data.favours.get(move.question_id),
    )
    return inline_svg(drawn.svg().encode(), f"fig-{move.question_id}", drawn.desc)
