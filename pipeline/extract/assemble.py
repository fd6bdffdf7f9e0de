"""Turns a read Doc into a Study: here spaCy ends, and every value takes its quote along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from spacy.tokens import Doc

from pipeline.extract.abstain import abstain
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.combined import combined, mixed
from pipeline.extract.conditions import Named
from pipeline.extract.confidence import Table, with_confidence
from pipeline.extract.dose_checks import implausible
from pipeline.extract.doses import DoseSpan
from pipeline.extract.no_results import is_result
from pipeline.extract.outcome_span import OutcomeSpan
from pipeline.extract.page import Page
from pipeline.extract.results import Result
from pipeline.extract.study_kinds import compared_groups, cross_sectional, mixed_cohort
from pipeline.schema import Arm, Dose, Extractor, Outcome, Reading, Study


def assemble(
    doc: Doc, extractor: Extractor, table: Table | None = None, *, abstains: bool = True
) -> Study:
    """Return the study that a Doc, gone through the pipeline, speaks of.

    `table` gives each reading its confidence, by default as shipped; `abstains` says whether
    readings of doubtful kinds are left out.
    """
    page = Page(doc)
    rows = list(_outcomes(page))
    study = _study(page, tuple(outcome for _, outcome in rows), extractor)
    spans = [row for row, _ in rows]
    whole = with_confidence(study, page, spans, table)
    return abstain(whole, page, spans) if abstains else whole


def _study(page: Page, outcomes: tuple[Outcome, ...], extractor: Extractor) -> Study:
    """The study; its problems are known when all else has been made."""
    doc = page.doc
    record, design, condition = page.record, doc._.design, doc._.condition
    population = doc._.population
    if span := combined(doc):
        page.problem("combined_treatment", "given with another treatment", span)
    if span := mixed(doc):
        page.problem("mixed_series", "own patients are counted with published ones", span)
    _tell_left_out(page)
    return Study(
        record_id=record.record_id,
        pmids=(record.pmid,) if record.pmid else (),
        doi=record.doi,
        slab=record.slab,
        year=record.year,
        design=page.reading(design.design, design.span, "" if design.span else design.where),
        comparison_class=_named(page, doc._.comparison),
        condition=_named(page, condition),
        condition_mesh=condition.mesh if condition else None,
        n_total=page.count(population.total),
        n_enrolled=page.count(population.enrolled),
        n_completed=page.count(population.completed),
        arms=tuple(_arm(page, arm) for arm in doc._.arms),
        doses=tuple(_dose(page, dose) for dose in doc._.doses),
        outcomes=outcomes,
        registry_ids=tuple(_registry_ids(page)),
        problems=tuple(page.problems),
        extractor=extractor,
    )


def _tell_left_out(page: Page) -> None:
    """Say what kind of study it is where that leaves its condition or its class unread."""
    doc = page.doc
    if span := cross_sectional(doc):
        page.problem("cross_sectional", "looks at one time: no effect of a treatment", span)
    elif doc._.comparison is None and len(doc._.arms) == 1 and (span := compared_groups(doc)):
        page.problem("abstained", "abstained: the class: groups by treatment are compared", span)
    if doc._.condition is None and (span := mixed_cohort(doc)):
        page.problem("abstained", "abstained: the condition: a class of diseases is named", span)


def _named(page: Page, item: Named | None) -> Reading[str] | None:
    """A name from a closed list."""
    if item is None:
        return None
    return page.reading(item.name, item.span, "" if item.span else "by rule")


def _arm(page: Page, arm: ArmSpan) -> Arm:
    """An arm."""
    return Arm(arm.label, arm.role, arm.treatment, page.count(arm.n), page.quote(arm.span))


def _dose(page: Page, dose: DoseSpan) -> Dose:
    """A dose; the course's total says by which rule it follows, an implausible one is a problem."""
    whole, frequency, total = (dose.start, dose.end), dose.frequency, dose.total
    if message := implausible(dose):
        page.problem("implausible_dose", message, whole)
    rule = "days x amount" if dose.per == "day" else f"one {dose.per}"
    return Dose(
        drug=dose.drug,
        amount=page.reading(dose.amount, dose.amount_span),
        unit=dose.unit,
        per=dose.per,
        duration_days=None if dose.days is None else page.reading(dose.days, dose.days_span),
        frequency=page.reading(page.text[slice(*frequency)].strip(), frequency)
        if frequency
        else None,
        total_per_course_g_per_kg=None if total is None else page.reading(total, whole, rule),
        phase=dose.phase,
        route=dose.route,
        quote=page.quote(whole),
    )


def _outcomes(page: Page) -> Iterator[tuple[OutcomeSpan, Outcome]]:
    """The rows of results, found and made; one that contradicts itself becomes a problem."""
    for row in page.doc._.outcomes:
        if not is_result(page, row):
            continue
        try:
            yield row, Result(page, row).outcome()
        except ValueError as error:
            page.problem("impossible_outcome", str(error), row.span)


def _registry_ids(page: Page) -> Iterator[Reading[str]]:
    """Trial registrations in the text, then those that the record lists."""
    seen = set()
    for q in page.doc._.quantities:
        if q.kind == "registry":
            seen.add(re.sub(r"\s", "", q.label))
            yield page.reading(re.sub(r"(?<=NCT|RCT)\s", "", q.label), (q.start, q.end))
    for name in page.record.registry_ids:
        if name not in seen:
            yield page.reading(name, None, "the record's databank list")
