"""Renders the report as one HTML file that opens from disk, without network and scripts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.report import html_question, html_study
from pipeline.report.data import ReportData
from pipeline.report.dose import dose_table, dose_words
from pipeline.report.html_table import HtmlTable, links, study_anchor
from pipeline.report.inline import inline_svg
from pipeline.report.marks import mark_record
from pipeline.report.plain import visible
from pipeline.report.readings import quotes_of
from pipeline.report.wording import method_note, recovered_text, unreviewed_text
from pipeline.schema import QuestionResult, Record, Study

TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class QuestionPart:
    """The part of a question: figure, sentences, tables."""

    result: QuestionResult
    figure: Markup | None
    words: list[str]
    unreviewed: str
    recovered: str
    method: str
    tables: list[HtmlTable]
    dose: Markup | None
    dose_words: list[str]


@dataclass(frozen=True, slots=True)
class StudyPart:
    """The part of a study: its values, and its texts with the quotes marked."""

    study: Study
    anchor: str
    review: str
    values: HtmlTable
    texts: list[tuple[Record, Markup, Markup]]


def render_html(data: ReportData, figures: Mapping[str, bytes]) -> str:
    """Return the page.

    Parameters
    ----------
    data : ReportData
        What it shows.
    figures : mapping
        SVGs by their names, "forest_" or "dose_" and the question's id.
    """
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            overview=html_question.overview_table(data),
            questions=[_question(data, r, figures) for r in data.results],
            studies_table=html_study.studies_table(data),
            studies=[_study(data, s) for s in data.studies],
            excluded=html_study.excluded_table(data),
            narrative=data.flow.included - data.flow.in_meta_analysis,
        )
    )


def environment() -> Environment:
    """Return what renders our templates: everything escaped, nothing left undefined."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(value: Any) -> Any:
    """What a template prints: text with its control characters visible, escaped or not yet."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - adds brackets and letters only
    return visible(value) if isinstance(value, str) else value


def _question(
    data: ReportData, result: QuestionResult, figures: Mapping[str, bytes]
) -> QuestionPart:
    """Everything of one question."""
    measure = data.measures[result.measure]
    alt = html_question.alt_text(result, measure, data.style)
    curve = "Dose-response curve; the table below holds its numbers."
    tables = [
        html_question.effects_table(data, result) if result.effects else None,
        html_question.heterogeneity_table(result, measure, data.style),
        html_question.subgroup_table(data, result) if result.subgroups else None,
        html_question.sensitivity_table(data, result) if result.sensitivity else None,
        html_question.small_studies_table(data, result) if result.small_studies else None,
        html_question.influence_table(result) if result.influence else None,
        dose_table(data, result),
        html_question.not_pooled_table(data, result) if result.not_pooled else None,
    ]
    return QuestionPart(
        result,
        _inline(figures, f"forest_{result.question_id}", alt),
        html_question.estimate_words(result, measure, data.style),
        unreviewed_text(result.effects) if result.effects else "",
        recovered_text(result),
        method_note(result, measure),
        [t for t in tables if t is not None],
        _inline(figures, f"dose_{result.question_id}", curve),
        dose_words(result, data.style),
    )


def _inline(figures: Mapping[str, bytes], name: str, alt: str) -> Markup | None:
    """A figure as part of the page, None where there is none."""
    kind, _, question = name.partition("_")
    key = f"fig-{question}" if kind == "forest" else f"{kind}-{question}"
    return inline_svg(figures[name], key, alt) if name in figures else None


def _study(data: ReportData, study: Study) -> StudyPart:
    """Everything of one study; its texts are those of its own record and of its quotes'."""
    quotes = quotes_of(study)
    labelled = [(html_study.field_label(path), quote) for path, quote in quotes]
    ids = dict.fromkeys([study.record_id, *(q.record_id for _, q in quotes)])
    records = [r for r in map(data.record, ids) if r is not None]
    return StudyPart(
        study,
        study_anchor(study.record_id),
        html_study.review_text(data, study),
        html_study.values_table(data, study),
        [(r, links(r), mark_record(r, labelled)) for r in records],
    )
