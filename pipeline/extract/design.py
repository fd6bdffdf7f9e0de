"""Says what kind of study a record reports, by cues in its title, text, types and MeSH."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.extensions import need
from pipeline.extract.lexicon import rules
from pipeline.extract.population import Count, Population
from pipeline.extract.starts import Starts
from pipeline.schema import Record

#: Designs that report no patients of their own.
SECONDARY = ("protocol", "guideline", "systematic_review", "narrative_review", "animal")
#: Designs that compare at random.
RANDOMISED = ("rct_parallel", "rct_crossover")
#: Designs whose patients were found, not enrolled.
LOOKED_BACK = ("retrospective_cohort", "case_series")
#: Where several designs have a cue, the first of these that reaches its score wins.
ORDER = (
    "protocol",
    "guideline",
    "systematic_review",
    "narrative_review",
    "animal",
    "other",
    "rct_crossover",
    "rct_parallel",
    "nonrandomised_controlled",
    "case_report",
    "retrospective_cohort",
    "single_arm_prospective",
    "case_series",
)
#: A study said to be the extension of a trial, or the phase before its randomisation, is no trial.
EXTENSION = 20
#: A design is believed from this score on.
THRESHOLD = 6
#: Fewer patients than this, looked back on, are a series; more than `SERIES_TO` without a plan are
#: a cohort. There is no agreed limit; the design is a reviewer's to correct.
COHORT_FROM, SERIES_TO = 10, 20
#: What denies or quotes a cue: "not randomised", "nonrandomized", "pre-randomisation".
_DENIED = re.compile(
    r"\b(?:(?:not|were not|without|no|pre|before|prior to|case)[\s-]|non[\s-]?)$", re.IGNORECASE
)
#: What says that a trial is an earlier one, which the text cites: "as an earlier crossover trial".
_CITED = re.compile(
    r"\b(?:earlier|previous|prior|former|past)\s(?:(?!and\b|or\b)[\w-]+,?\s){0,3}$", re.IGNORECASE
)
#: What says that it is another study's: "who had taken part in a randomised trial".
_OF_ANOTHER = re.compile(
    r"\b(?:participat(?:ed|ing)|took part|taken part|enrol+ed|treated) in "
    r"(?:an?|the|our|one|two|\d+)\s"
    r"(?:(?:previous|earlier|prior|recent|short-term|multicent(?:er|re))\s){0,2}$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue for a design; `span` is None where it stands in types or MeSH, not in the text."""

    design: str
    score: int
    where: str
    span: tuple[int, int] | None


@Language.component(
    "evipool_design",
    requires=["doc._.record", "doc._.source", "doc._.population"],
    assigns=["doc._.design", "doc._.population"],
)
def design(doc: Doc) -> Doc:
    """Set `doc._.design` to the winning `Cue`; what has no patients of its own has no n."""
    need(doc, "evipool_design")
    total = doc._.population.total
    doc._.design = _by_size(
        decide(tuple(cues(doc._.record, doc._.source))), total.n if total else None
    )
    if doc._.design.design in SECONDARY:
        doc._.population = Population()
    elif doc._.design.design == "case_report":
        span = doc._.design.span
        one = Count(1, span, "a case report") if span else None
        doc._.population = Population(total=one)
    elif doc._.design.design in LOOKED_BACK:
        doc._.population = replace(doc._.population, enrolled=None)
    return doc


def _by_size(cue: Cue, n: int | None) -> Cue:
    """A handful looked back on is a series; a "series" of many, without a plan, is a cohort."""
    if n is None:
        return cue
    if cue.design == "retrospective_cohort" and n < COHORT_FROM:
        return replace(cue, design="case_series")
    if cue.design == "case_series" and cue.score < 2 * THRESHOLD and n > SERIES_TO:
        return replace(cue, design="retrospective_cohort")
    return cue


def cues(record: Record, text: str) -> Iterator[Cue]:
    """Yield every cue of patterns/designs.jsonl that the record shows."""
    title_end = len(record.title)
    for design_name, where, score, pattern, starts in _patterns():
        if where == "types":
            if any(pattern.search(t) for t in record.publication_types):
                yield Cue(design_name, score, where, None)
        elif where == "mesh":
            if any(pattern.search(h.descriptor) for h in record.mesh):
                yield Cue(design_name, score, where, None)
        else:
            start, end = {"title": (0, title_end), "text": (title_end + 1, len(text))}.get(
                where, (0, len(text))
            )
            found = starts.finditer(text, start, end)
            match = next((m for m in found if not _negated(text, m.start())), None)
            if match:
                yield Cue(design_name, score, where, match.span())


def decide(found: tuple[Cue, ...]) -> Cue:
    """Return the cue of the design that the cues speak for; "other" without any.

    Secondary literature must outweigh the signs of a trial, which its abstract also shows; a
    publication type alone decides nothing (a protocol typed RCT is a protocol).
    """
    totals: dict[str, int] = defaultdict(int)
    for cue in found:
        totals[cue.design] += cue.score
    told = {c.design for c in found if c.span is not None}
    for name in ORDER:
        if totals[name] >= THRESHOLD and _stands(name, totals, told):
            best = (c for c in found if c.design == name)
            return max(best, key=lambda c: (c.span is not None, c.score))
    return Cue("other", 0, "", None)


def _stands(name: str, totals: dict[str, int], told: set[str]) -> bool:
    """Whether a design holds against the other cues; `told` designs have a cue in the text."""
    trial = max(totals["rct_parallel"], totals["rct_crossover"])
    if name in RANDOMISED and totals["single_arm_prospective"] >= EXTENSION:
        return False
    if name in SECONDARY and totals[name] <= _rivals(name, totals, trial):
        return False
    if name == "narrative_review" and name not in told:
        return not told & {"case_series", "rct_parallel", "rct_crossover"}
    if name == "animal":
        return totals["other"] <= totals[name]
    if name == "other":
        return trial < 2 * THRESHOLD
    if name == "case_report":
        return "case_series" not in told or totals[name] >= 2 * THRESHOLD
    return name != "rct_crossover" or "rct_parallel" in told or trial >= 11


def _rivals(name: str, totals: dict[str, int], trial: int) -> int:
    """The score that a secondary design has to beat."""
    if name == "protocol":
        return 7
    own_patients = totals["case_report"] + totals["retrospective_cohort"] // 2
    return max(trial - 6, own_patients if name == "narrative_review" else 0)


def _negated(text: str, start: int) -> bool:
    """Whether a cue is denied or quoted: "not randomised", "pre-randomisation"."""
    before = text[max(0, start - 60) : start]
    found = (pattern.search(before) for pattern in (_DENIED, _OF_ANOTHER, _CITED))
    return any(found)


@cache
def _patterns() -> tuple[tuple[str, str, int, re.Pattern[str], Starts], ...]:
    """The compiled rows of patterns/designs.jsonl, each with its starts."""
    compiled = ((r, re.compile(r["pattern"], re.I | re.S | re.M)) for r in rules("designs"))
    return tuple((r["design"], r["where"], r["score"], p, Starts(p)) for r, p in compiled)
