"""Says what kind of study a record reports, by cues in its title, text, types and MeSH."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.schema import Record

#: Designs that report no patients of their own.
SECONDARY = ("protocol", "guideline", "systematic_review", "narrative_review", "animal")
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
#: A design is believed from this score on.
THRESHOLD = 6


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue for a design; `span` is None where it stands in types or MeSH, not in the text."""

    design: str
    score: int
    where: str
    span: tuple[int, int] | None


@Language.component(
    "evipool_design", requires=["doc._.record", "doc._.sentences"], assigns=["doc._.design"]
)
def design(doc: Doc) -> Doc:
    """Set `doc._.design` to the winning `Cue`."""
    doc._.design = decide(tuple(cues(doc._.record, doc.text)))
    return doc


def cues(record: Record, text: str) -> Iterator[Cue]:
    """Yield every cue of patterns/designs.jsonl that the record shows."""
    title_end = len(record.title)
    for design_name, where, score, pattern in _patterns():
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
            match = pattern.search(text, start, end)
            if match and not _negated(text, match.start()):
                yield Cue(design_name, score, where, match.span())


def decide(found: tuple[Cue, ...]) -> Cue:
    """Return the cue of the design that the cues speak for; "other" without any.

    Secondary literature must outweigh the signs of a trial, which its abstract also shows; a
    publication type alone decides nothing (a protocol typed RCT is a protocol).
    """
    totals: dict[str, int] = defaultdict(int)
    for cue in found:
        totals[cue.design] += cue.score
    trial = max(totals["rct_parallel"], totals["rct_crossover"])
    for name in ORDER:
        if totals[name] < THRESHOLD:
            continue
        if name in SECONDARY and totals[name] <= _rivals(name, totals, trial):
            continue
        if name == "other" and trial >= 2 * THRESHOLD:
            continue
        if name == "case_report" and totals["case_series"] and totals[name] <= THRESHOLD:
            continue
        if name == "rct_crossover" and not _is_trial(found, trial):
            continue
        return max(
            (c for c in found if c.design == name), key=lambda c: (c.span is not None, c.score)
        )
    return Cue("other", 0, "", None)


def _rivals(name: str, totals: dict[str, int], trial: int) -> int:
    """The score that a secondary design has to beat."""
    if name == "protocol":
        return 7
    own_patients = totals["case_report"] + totals["retrospective_cohort"]
    return max(trial - 6, own_patients - 4 if name == "narrative_review" else 0)


def _is_trial(found: tuple[Cue, ...], trial: int) -> bool:
    """A crossover needs another sign of an experiment than the word."""
    return (
        any(c.design == "rct_parallel" for c in found)
        or sum(c.design == "rct_crossover" for c in found) > 0
        and trial >= 11
    )


def _negated(text: str, start: int) -> bool:
    """Whether a cue is denied or quoted: "not randomised", "non-randomised"."""
    return bool(
        re.search(
            r"\b(?:not|non|were not|without|no)[\s-]$", text[max(0, start - 12) : start], re.I
        )
    )


@cache
def _patterns() -> tuple[tuple[str, str, int, re.Pattern[str]], ...]:
    """The compiled rows of patterns/designs.jsonl."""
    return tuple(
        (r["design"], r["where"], r["score"], re.compile(r["pattern"], re.I | re.S))
        for r in rules("designs")
    )
