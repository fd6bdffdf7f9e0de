"""Prepares the part of a question: its estimate in words, and its tables."""

from __future__ import annotations

from markupsafe import Markup

from pipeline.report.data import MeasureView, ReportData
from pipeline.report.forest_rows import data_headers, split_header
from pipeline.report.html_table import HtmlTable, make_table, quote_cell, solid, study_link
from pipeline.report.wording import (
    count,
    effect_test_text,
    estimate_text,
    heterogeneity_text,
    i2_of,
    level_text,
    minus,
    number,
    p_text,
    study_interval,
    subgroup_test_text,
    unreviewed_text,
)
from pipeline.schema import PooledEstimate, QuestionResult, SmallStudyTest


def estimate_words(result: QuestionResult, measure: MeasureView, style: str) -> list[str]:
    """Return the estimate of a question in sentences that hold its numbers and nothing more."""
    pooled = result.pooled
    if pooled is None:
        reason = f": {result.reason.rstrip('.')}" if result.reason else ""
        return [f"Not pooled (k = {len(result.effects)}){reason}."]
    text = estimate_text(measure, pooled.estimate, pooled.ci_lb, pooled.ci_ub, style=style)
    unit = " %" if measure.percent else ""
    n = "" if pooled.n is None else f", n = {count(pooled.n)}"
    words = [
        f"Pooled {measure.name.lower()}: {text}{unit} "
        f"({level_text(pooled.level)} CI; k = {pooled.k}{n})."
    ]
    if pooled.pi_lb is not None and pooled.pi_ub is not None:
        interval = estimate_text(measure, None, pooled.pi_lb, pooled.pi_ub, style=style)
        words.append(f"{level_text(pooled.level)} prediction interval: {interval}{unit}.")
    words.append(f"{heterogeneity_text(pooled, style=style)}.")
    if measure.null is not None:
        words.append(f"{effect_test_text(pooled, style=style)}.")
    if result.subgroup_test is not None:
        words.append(f"{subgroup_test_text(result.subgroup_test, style=style)}.")
    return words


def alt_text(result: QuestionResult, measure: MeasureView, style: str) -> str:
    """Return the text that stands for a forest plot; the table under it holds its rows."""
    words = " ".join(estimate_words(result, measure, style))
    return (
        f"Forest plot: {result.title}. {words} {unreviewed_text(result.effects)}. "
        "The table of studies below holds the same numbers."
    )


def overview_table(data: ReportData) -> HtmlTable:
    """Return one row a question."""
    rows = []
    for result in data.results:
        measure, pooled = data.measures[result.measure], result.pooled
        link = Markup('<a href="#q-{}">{}</a>').format(result.question_id, result.title)
        flag = unreviewed_text(result.effects) if result.effects else ""
        rows.append(
            (
                link,
                measure.name,
                str(len(result.effects)),
                *_pooled_cells(pooled, measure, data),
                flag,
            )
        )
    header = (
        "Question",
        "Measure",
        "Studies",
        "n",
        "Estimate and CI",
        "Prediction interval",
        "I²",
        "Review",
    )
    return make_table("Questions and their estimates", header, tuple(rows), flag=_flag(data))


def _flag(data: ReportData) -> str:
    """How many of all pooled studies nobody has reviewed, each study counted once."""
    effects = [e for r in data.results for e in r.effects]
    every = {e.record_id for e in effects}
    n = len({e.record_id for e in effects if not e.reviewed})
    return f"{n} of {len(every)} studies unreviewed (machine-read values)" if n else ""


def _pooled_cells(
    pooled: PooledEstimate | None, measure: MeasureView, data: ReportData
) -> tuple[str, ...]:
    """n, estimate, prediction interval and I2 of an estimate."""
    if pooled is None:
        return ("", "not pooled", "", "")
    est = estimate_text(measure, pooled.estimate, pooled.ci_lb, pooled.ci_ub, style=data.style)
    lo, hi = pooled.pi_lb, pooled.pi_ub
    pi = "" if lo is None or hi is None else estimate_text(measure, None, lo, hi, style=data.style)
    n = "" if pooled.n is None else count(pooled.n)
    unit = " %" if measure.percent else ""
    return (n, solid(est + unit), solid(pi + unit) if pi else "", f"{i2_of(pooled):.0f}%")


def effects_table(data: ReportData, result: QuestionResult) -> HtmlTable:
    """Return the studies of a question with their printed data, effect and weight."""
    measure, pooled, headers = data.measures[result.measure], result.pooled, data_headers(result)
    level = pooled.level if pooled else 0.95
    rows = []
    for i, effect in enumerate(result.effects):
        cells = dict(effect.columns)
        lo, hi = study_interval(effect, level)
        rows.append(
            (
                study_link(data, effect.record_id, effect.slab),
                effect.subgroup,
                *(minus(cells.get(h, "")) for h in headers),
                solid(estimate_text(measure, effect.yi, lo, hi, style=data.style)),
                _weight(pooled, i),
                "reviewed" if effect.reviewed else "unreviewed",
                "; ".join(effect.recovered),
                quote_cell(effect.quotes),
            )
        )
    name = f"{measure.name}{', %' if measure.percent else ''} ({level_text(level)} CI)"
    header = (
        "Study",
        "Subgroup",
        *(_header(h, measure) for h in headers),
        name,
        "Weight",
        "Review",
        "Not printed, assumed",
        "Read from",
    )
    flag = unreviewed_text(result.effects)
    return make_table(f"Studies: {result.title}", header, tuple(rows), flag)


def _weight(pooled: PooledEstimate | None, i: int) -> str:
    """A study's weight, "" where the model gives none."""
    weight = pooled.weight(i) if pooled else None
    return "" if weight is None else f"{weight:.1f}%"


def _header(header: str, measure: MeasureView) -> str:
    """A data column's header with its arm in words: "Experimental events"."""
    name, arm = split_header(header)
    return f"{measure.groups[arm - 1]} {name.lower()}" if arm and measure.groups else header


def heterogeneity_table(
    result: QuestionResult, measure: MeasureView, style: str
) -> HtmlTable | None:
    """Return heterogeneity and intervals of a pooled estimate."""
    p = result.pooled
    if p is None:
        return None
    level, random = level_text(p.level), p.random
    wider = random and p.method != "GLMM"
    adhoc = estimate_text(measure, p.estimate, p.ci_adhoc_lb, p.ci_adhoc_ub, style=style)
    rows = [
        ("Tau² (scale of analysis)", number(p.tau2, 4) if random else ""),
        (f"Tau², {level} CI", _bounds(p.tau2_ci_lb, p.tau2_ci_ub)),
        ("Q", f"{number(p.q)}, df = {p.q_df}, {p_text(p.q_pval, style=style)}"),
        ("I² from tau²", f"{p.i2:.1f}%" if random else ""),
        ("I² from Q (Higgins and Thompson 2002)", f"{p.i2_q:.1f}%"),
        ("H²", number(p.h2) if random else ""),
        (f"Estimate, {level} CI never narrower than the normal one", adhoc if wider else ""),
    ]
    shown = tuple(row for row in rows if row[1])
    flag = unreviewed_text(result.effects)
    return make_table(f"Heterogeneity: {result.title}", ("Quantity", "Value"), shown, flag)


def _bounds(lo: float | None, hi: float | None) -> str:
    """An interval of tau2, "" where there is none."""
    return "" if lo is None or hi is None else f"{number(lo, 4)} to {number(hi, 4)}"


_ANALYSIS = ("k", "n", "Estimate and CI", "Prediction interval", "I²", "Note")


def subgroup_table(data: ReportData, result: QuestionResult) -> HtmlTable:
    """Return one row a subgroup."""
    measure = data.measures[result.measure]
    rows = tuple(
        (
            g.label,
            str(len(g.members)),
            *_pooled_cells(g.pooled, measure, data),
            " ".join(g.pooled.notes) if g.pooled else g.reason or "shown, not pooled",
        )
        for g in result.subgroups
    )
    flag = unreviewed_text(result.effects)
    return make_table(f"Subgroups: {result.title}", ("Subgroup", *_ANALYSIS), rows, flag)


def sensitivity_table(data: ReportData, result: QuestionResult) -> HtmlTable:
    """Return the main analysis and one row a variation of it."""
    measure = data.measures[result.measure]
    analyses = [("Main analysis", result.pooled, result.reason)]
    analyses += [(s.label, s.pooled, s.reason) for s in result.sensitivity]
    rows = tuple(
        (
            label,
            str(pooled.k) if pooled else "",
            *_pooled_cells(pooled, measure, data),
            reason or (" ".join(pooled.notes) if pooled else ""),
        )
        for label, pooled, reason in analyses
    )
    flag = unreviewed_text(result.effects) if result.effects else ""
    return make_table(f"Sensitivity analyses: {result.title}", ("Analysis", *_ANALYSIS), rows, flag)


def small_studies_table(data: ReportData, result: QuestionResult) -> HtmlTable:
    """Return one row a test of small-study effects, or a correction for them."""
    measure, style = data.measures[result.measure], data.style
    rows = tuple(
        (
            test.name,
            "" if test.stat is None else number(test.stat),
            "" if test.df is None else f"{test.df:g}",
            "" if test.pval is None else solid(p_text(test.pval, style=style)),
            _what_is_left(test, measure, style),
            test.note,
        )
        for test in result.small_studies
    )
    header = ("Test", "Statistic", "df", "P", "Effect without small-study effects", "Note")
    flag = unreviewed_text(result.effects)
    return make_table(f"Small-study effects: {result.title}", header, rows, flag)


def _what_is_left(test: SmallStudyTest, measure: MeasureView, style: str) -> str:
    """The effect that a correction leaves, "" where it gives none."""
    if test.estimate is None or test.ci_lb is None or test.ci_ub is None:
        return ""
    text = estimate_text(measure, test.estimate, test.ci_lb, test.ci_ub, style=style)
    return solid(text + (" %" if measure.percent else ""))


def influence_table(result: QuestionResult) -> HtmlTable:
    """Return what each study does to the estimate."""
    names = ("rstudent", "dffits", "cook_d", "cov_r", "hat", "dfbs")
    rows = tuple(
        (one.slab, *(number(getattr(one, n)) for n in names), "influential" if one.is_infl else "")
        for one in result.influence
    )
    header = (
        *("Study", "Studentised residual", "DFFITS", "Cook's distance", "Covariance ratio"),
        *("Hat", "DFBETAS", "Flag"),
    )
    flag = unreviewed_text(result.effects)
    return make_table(f"Influence of single studies: {result.title}", header, rows, flag)


def not_pooled_table(data: ReportData, result: QuestionResult) -> HtmlTable:
    """Return the studies that speak to a question and stayed out, and why."""
    rows = tuple(
        (
            study_link(data, n.record_id, n.slab),
            n.outcome,
            n.reason,
            n.printed,
            quote_cell([n.quote] if n.quote else []),
            "reviewed" if n.record_id in data.reviewed else "unreviewed",
        )
        for n in result.not_pooled
    )
    unread = any(n.record_id not in data.reviewed for n in result.not_pooled)
    flag = "unreviewed (machine-read values)" if unread else ""
    header = ("Study", "Outcome", "Why it is not pooled", "Printed value", "Quote", "Review")
    return make_table(f"Not pooled: {result.title}", header, rows, flag)
