"""Names the condition a record is about and the class of its comparison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.design import SECONDARY
from pipeline.extract.extensions import need
from pipeline.extract.lexicon import Lexicon, Term, lexicon

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Named:
    """A name from a closed list and where the text shows it (None: by rule or MeSH)."""

    name: str
    span: Span | None
    mesh: str | None = None
    eligible: bool = False


@Language.factory(
    "evipool_interventions",
    default_config={"intervention": {"name": "Intervention", "terms": []}},
    requires=["doc._.source"],
    assigns=["doc._.interventions"],
)
class Interventions:
    """Finds the mentions of the protocol's intervention."""

    def __init__(self, nlp: Language, name: str, intervention: dict[str, Any]) -> None:
        terms = sorted(
            {*intervention["terms"], *(f"intravenous {t}" for t in intervention["terms"])}
        )
        self.lexicon = Lexicon([{"name": intervention["name"], "terms": terms}])

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.interventions`."""
        need(doc, "evipool_interventions")
        doc._.interventions = tuple(self.lexicon.find(doc._.source))
        return doc


@Language.factory(
    "evipool_condition",
    default_config={"population": []},
    requires=["doc._.record", "doc._.source"],
    assigns=["doc._.condition"],
)
class Condition:
    """Finds the condition: the protocol's population first, other diseases beside it."""

    def __init__(self, nlp: Language, name: str, population: list[dict[str, Any]]) -> None:
        self.own = Lexicon(
            {**c, "terms": list(c["terms"]) or [c["name"]], "rank": i}
            for i, c in enumerate(population)
        )

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.condition`."""
        need(doc, "evipool_condition")
        title_end = len(doc._.record.title)
        doc._.condition = (
            self._choose(doc._.source, 0, title_end)
            or self._choose(doc._.source, title_end, len(doc._.source))
            or self._by_mesh(doc)
        )
        return doc

    def _choose(self, text: str, start: int, end: int) -> Named | None:
        """The population's condition ranked first (the protocol lists the specific ones first)."""
        own = self.own.find(text, start, end)
        other = [t for t in lexicon("diseases").find(text, start, end) if not _inside(t, own)]
        if own and not (
            other and other[0].end <= own[0].start and _foreign(text, other[0], own[0])
        ):
            best = min(own, key=lambda t: (int(t.entry["rank"]), t.start))
            return Named(best.name, (best.start, best.end), best.entry.get("mesh"), True)
        if other:
            return Named(other[0].name, (other[0].start, other[0].end), other[0].entry.get("mesh"))
        return None

    def _by_mesh(self, doc: Doc) -> Named | None:
        """The condition whose descriptor stands among the record's MeSH headings."""
        headings = {h.descriptor for h in doc._.record.mesh}
        for entry in self.own.entries:
            if entry.get("mesh") in headings:
                return Named(entry["name"], None, entry["mesh"], True)
        return None


def _inside(term: Term, others: list[Term]) -> bool:
    """Whether a term overlaps one of the others."""
    return any(o.start < term.end and term.start < o.end for o in others)


def _foreign(text: str, other: Term, own: Term) -> bool:
    """Whether a disease named first makes the later condition a side remark."""
    return not re.search(
        r"\b(?:with|and|or|polyneuropathy|neuropathy)\b", text[other.end : own.start]
    ) and (own.start - other.end > 60)


@Language.factory(
    "evipool_comparison",
    default_config={"short": "Intervention"},
    requires=["doc._.record", "doc._.source", "doc._.arms", "doc._.design"],
    assigns=["doc._.comparison"],
)
class Comparison:
    """Names the comparison class from the arms."""

    def __init__(self, nlp: Language, name: str, short: str) -> None:
        self.short = short

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.comparison`."""
        need(doc, "evipool_comparison")
        doc._.comparison = self._classify(doc)
        return doc

    def _classify(self, doc: Doc) -> Named | None:
        """ "Ig vs placebo", "none (single-arm)" ...; None for what is no comparison or series."""
        found: tuple[ArmSpan, ...] = doc._.arms
        if not found or doc._.design.design in SECONDARY:
            return None
        kinds = {a.kind for a in found}
        if len(found) == 1:
            switched = found[0].kind == "intervention" and _switch(doc)
            return (
                Named(f"{self.short} route", None) if switched else Named("none (single-arm)", None)
            )
        for kind, name in (
            ("withdrawal", "withdrawal"),
            ("route", "route"),
            ("brand", "brand"),
            ("dose", "dose regimen"),
        ):
            if kind in kinds:
                return Named(f"{self.short} {name}", found[0].span)
        if "intervention" not in kinds:
            return Named(" vs ".join(a.treatment for a in found[:2]), found[0].span)
        if doc._.design.design in ("retrospective_cohort", "case_series", "single_arm_prospective"):
            return None
        against = next(a for a in found if a.kind != "intervention")
        return Named(f"{self.short} vs {against.kind}", against.span)


def _switch(doc: Doc) -> bool:
    """Whether an uncontrolled study moves patients from one route to another."""
    title = lexicon("routes").find(doc._.record.title)
    text = {t.name for t in lexicon("routes").find(doc._.source)}
    return bool(title) and title[0].name == "SC" and {"SC", "IV"} <= text
