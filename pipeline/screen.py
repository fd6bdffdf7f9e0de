"""Screens a record by the protocol's eligibility: the first rule that it breaks says why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pipeline.config import Eligibility
from pipeline.schema import Quote, Record, Screening, Study

#: Designs that report no patients of their own.
_NO_PRIMARY = {
    "protocol": "a protocol: it has no results",
    "guideline": "a guideline: it has no primary results",
    "systematic_review": "a systematic review: its studies are counted by their own reports",
    "narrative_review": "a review: it has no primary results",
    "animal": "an animal or laboratory study",
    "other": "no primary study of patients can be recognised",
}
_SECONDARY_REPORT = re.compile(
    r"(?<!\bin a )(?<!\bin the )(?<!\bin an )"
    r"\b(?:(?:post[- ]hoc|secondary|further|additional|subgroup)[- ]?\s?(?:\w+ )?|sub-?|re-?)"
    r"analys[ei]s\b"
    r"|\bquality-of-life report\b|\bsub-?study of\b",
    re.IGNORECASE,
)
#: Problems that the extractor found in a study of one arm, and what they mean for a pool.
_MIXED = {
    "combined_treatment": "combined with another treatment: its effect is not separable",
    "mixed_series": "own patients counted with published ones: not separable",
}


@dataclass(frozen=True, slots=True)
class _Case:
    """What a rule looks at."""

    record: Record
    study: Study
    eligibility: Eligibility

    def quote(self, match: re.Match[str] | None) -> Quote | None:
        """The quote of a match in the record's text."""
        return self.record.quote(*match.span()) if match else None


Finding = tuple[str, Quote | None] | None


def screen(record: Record, study: Study, eligibility: Eligibility) -> Screening:
    """Say whether a record may enter the pools.

    Parameters
    ----------
    record : Record
        As fetched: types and links tell of a retraction.
    study : Study
        What was read from it.
    eligibility : Eligibility
        The protocol's population, intervention, designs and smallest n.

    Returns
    -------
    Screening
        With the code of the first rule that the record breaks, or "eligible".
    """
    case = _Case(record, study, eligibility)
    for code, rule in RULES:
        finding = rule(case)
        if finding is not None:
            return Screening(record.record_id, False, code, finding[0], finding[1])
    kind = study.comparison_class.value if study.comparison_class else study.design.value
    reason = f"primary study ({study.design.value.replace('_', ' ')}; {kind})"
    return Screening(record.record_id, True, "eligible", reason, study.design.quote)


def reasons(screenings: Iterable[Screening]) -> tuple[tuple[str, int], ...]:
    """Count the exclusions by code, in the order of the rules; then those that people named."""
    codes = [s.code for s in screenings if not s.include]
    known = [code for code, _ in RULES if code in codes]
    return tuple((code, codes.count(code)) for code in (*known, *sorted({*codes} - {*known})))


def _retracted(case: _Case) -> Finding:
    """The publication was retracted."""
    record = case.record
    linked = any(
        c.ref_type in ("RetractionIn", "RetractedandRepublishedIn") for c in record.corrections
    )
    typed = "Retracted Publication" in record.publication_types
    if linked or typed or record.title.startswith("RETRACTED"):
        return "retracted", None
    return None


def _not_primary(case: _Case) -> Finding:
    """Reviews, guidelines, protocols, animal studies and what is no study."""
    design = case.study.design
    reason = _NO_PRIMARY.get(design.value)
    return (reason, design.quote) if reason else None


def _other_population(case: _Case) -> Finding:
    """The condition is not the protocol's."""
    condition = case.study.condition
    names = {c.name for c in case.eligibility.population}
    if condition is None:
        return "no condition of the protocol's population is named", None
    if condition.value not in names:
        return f"not the protocol's population ({condition.value})", condition.quote
    return None


def _other_intervention(case: _Case) -> Finding:
    """No arm had the intervention."""
    treatment = case.eligibility.intervention
    given = any(a.treatment == treatment.name for a in case.study.arms)
    compared = case.study.comparison_class
    if given or (compared is not None and compared.value.startswith(f"{treatment.short} ")):
        return None
    return f"no arm with {treatment.name.lower()}", None


def _other_design(case: _Case) -> Finding:
    """The design is not among those the protocol pools."""
    design = case.study.design
    if design.value in case.eligibility.designs:
        return None
    return f"design {design.value.replace('_', ' ')}: narrative only", design.quote


def _too_small(case: _Case) -> Finding:
    """Fewer patients than the protocol's minimum."""
    n = case.study.n_total
    if n is None or n.value >= case.eligibility.min_n:
        return None
    return (
        f"n = {n.value}, below the protocol's minimum of {case.eligibility.min_n}: narrative only",
        n.quote,
    )


def _secondary_report(case: _Case) -> Finding:
    """Another report of patients that the main report counts."""
    match = _SECONDARY_REPORT.search(case.record.text)
    if match is None:
        return None
    return "a secondary report: its patients are counted in the main one", case.quote(match)


def _not_separable(case: _Case) -> Finding:
    """Without a comparison, the intervention was given with or among other treatments."""
    study, compared = case.study, case.study.comparison_class
    if compared is not None and compared.value.startswith("add-on"):
        return "the intervention in both arms: its effect is not compared", compared.quote
    if study.comparison_class is None and len(study.arms) > 1:
        return "several treatments without an outcome for the intervention alone", None
    if len(study.arms) != 1 or not study.comparison_class:
        return None
    found = next((p for p in study.problems if p.code in _MIXED), None)
    return (_MIXED[found.code], found.quote) if found else None


def _cross_sectional(case: _Case) -> Finding:
    """A look at one time, or at how measures go together: no effect of a treatment."""
    found = next((p for p in case.study.problems if p.code == "cross_sectional"), None)
    compared = case.study.comparison_class
    if found is None or compared is not None:
        return None
    return "a cross-sectional study: no effect of a treatment", found.quote


#: The rules in the order they are tried; a new one is a row.
RULES: tuple[tuple[str, Callable[[_Case], Finding]], ...] = (
    ("retracted", _retracted),
    ("not_primary", _not_primary),
    ("population", _other_population),
    ("design", _other_design),
    ("intervention", _other_intervention),
    ("too_small", _too_small),
    ("secondary_report", _secondary_report),
    ("not_separable", _not_separable),
    ("cross_sectional", _cross_sectional),
)
