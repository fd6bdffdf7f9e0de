"""Names the condition a record is about and the class of its comparison."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.arm_sizes import COMPARATIVE, ArmSpan
from pipeline.extract.design import RANDOMISED, SECONDARY
from pipeline.extract.extensions import need
from pipeline.extract.lexicon import Lexicon, Term, lexicon, rules
from pipeline.extract.study_kinds import compared_groups, cross_sectional, kept_on, mixed_cohort

Span = tuple[int, int]

#: "assigned to methylprednisolone (500 mg) or placebo": what is set against placebo.
_TO_OR_PLACEBO = re.compile(
    r"\b(?:assigned|allocated|randomi[sz]ed|randomly)\b[^.;]{0,60}?\b(?:to|receiv\w+)\s"
    r"(?P<drug>(?:(?!\bplacebo\b)(?:[^.;()]|\.(?=\d)|\([^()]{0,60}\))){3,90}?)\s(?:or|versus|vs)\.?\s+(?:matching\s+)?placebo\b",
    re.IGNORECASE,
)
#: What another drug is given with: "alongside standard immunoglobulin".
_BESIDE = re.compile(
    r"\b(?:alongside|in addition to|on top of|added to|together with|given with)\s"
    r"(?:(?:the|standard|usual|routine|background|treatment|therapy|with)\s){0,4}",
    re.IGNORECASE,
)
_MOVED = re.compile(
    r"\b(?:switch\w*|chang(?:e|ed|ing|eover)|transition\w*|conver(?:ted|sion)|transfer\w*)\b"
    r"|\bpreviously (?:treated|on|receiving)\b|\b(?:went|moved) from\b"
    r"|\b1\.\d\d?\s?:\s?1\b|\bequivalent (?:weekly |monthly )?(?:doses?|dosages?)\b",
    re.IGNORECASE,
)
_WITHDRAWAL = re.compile(
    r"(?<!after )\b(?:taper(?:ing|ed)?(?: off)?|withdraw(?:al|ing)(?: of| from)|stopping"
    r"|discontinu(?:ing|ation of))\b",
    re.IGNORECASE,
)
_REGIMENS = re.compile(
    r"\b(?:treatment|maintenance|dos(?:e|age|ing)|infusion|different|two|three) regimens\b"
    r"|\b(?:different|two|three) (?:doses|dos(?:e|ing) intervals)\b|\bdos(?:e|ing) frequenc",
    re.IGNORECASE,
)

#: What says that a treatment is given in a study: "randomised to", "treated with", "alongside".
_GIVEN = re.compile(
    r"\b(?:alongside|in\s+addition\s+to|added\s+to|combin\w+|together\s+with|plus|with\s+either|randomi[sz]ed|assigned|allocated"
    r"|(?:were|was|then)\s+(?:treated|given)|received|receive|versus|vs\.?|comparing|compared)\b[^.;]{0,50}$",
    re.IGNORECASE,
)
_TOO = re.compile(r"[^.;]{0,30}\b(?:groups?|arms?|alone|plus|versus|vs)\b", re.IGNORECASE)
#: One of the patients: "one patient with neuropathy had a stroke".
_ONE_WITH = re.compile(
    r"\b(?:one|1|two|2|three|3|another)\s+(?:patient|case|man|woman|child|subject)s?\s+with\s+(?:an?\s+)?$",
    re.IGNORECASE,
)
#: What a disease is compared with, and is not: "features like those of CIDP".
_LIKE = re.compile(
    r"\b(?:(?:like|similar\s+to)(?:\s+(?:those|that)\s+(?:of|in))?|resembl\w{1,4}|mimic\w{0,5}"
    r"|(?:distinct|differ\w{0,5}|apart)\s+from)\s+(?:the\s+|chronic\s+|typical\s+){0,2}$",
    re.IGNORECASE,
)
#: What a treatment did harm with: "major complications included heart failure".
_HARM = re.compile(
    r"\b(?:complications?|adverse|side[\s-]effects?|reactions?|toxicit\w+)\b(?:[^.;]|\.(?=\d)){0,80}$",
    re.IGNORECASE,
)


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
    requires=["doc._.record", "doc._.source"],
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
        text: str = doc._.source
        found = self.lexicon.find(text)
        own = [t for t in found if not _no_treatment().match(text, t.end)]
        doc._.interventions = () if _is_of_another(doc, own) else tuple(own)
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
        in_title = self._choose(doc._.source, 0, title_end)
        if in_title is None and mixed_cohort(doc):
            doc._.condition = None
            return doc
        doc._.condition = (
            in_title
            if in_title and not self._is_general(in_title)
            else self._in_text(doc._.source, title_end, in_title) or self._by_mesh(doc)
        )
        return doc

    def _is_general(self, named: Named) -> bool:
        """Whether a condition of the protocol is the one it ranks last, which takes in the rest."""
        return bool(self.own.entries) and named.name == self.own.entries[-1]["name"]

    def _in_text(self, text: str, start: int, in_title: Named | None) -> Named | None:
        """What the text names; where the title names it in general, the one it may be."""
        if in_title is None:
            return self._choose(text, start, len(text))
        found = [t for t in self.own.find(text, start) if t.name != in_title.name]
        alike = any(_LIKE.search(text[max(start, t.start - 40) : t.start]) for t in found)
        if alike or len({t.name for t in found}) != 1:
            return in_title
        return Named(
            found[0].name, (found[0].start, found[0].end), found[0].entry.get("mesh"), True
        )

    def _choose(self, text: str, start: int, end: int) -> Named | None:
        """The population's condition ranked first (the protocol lists the specific ones first)."""
        own = self.own.find(text, start, end)
        if start:
            own = [t for t in own if not _ONE_WITH.search(text[max(start, t.start - 40) : t.start])]
        other = [
            t
            for t in lexicon("diseases").find(text, start, end)
            if not (_inside(t, own) or _is_aside(text, start, t))
        ]
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


def _is_of_another(doc: Doc, own: list[Term]) -> bool:
    """Whether a title names another treatment alone, and the text gives the protocol's to nobody.

    "Methotrexate in CIDP": that its patients had immunoglobulin is their story.
    """
    title, text = len(doc._.record.title), doc._.source
    if not own or own[0].start < title:
        return False
    listed = lexicon("treatments").find(text, 0, title)
    if not any(t.entry["class"] == "active" and not t.entry.get("general") for t in listed):
        return False
    return not any(
        _GIVEN.search(text[max(title, t.start - 60) : t.start]) or _TOO.match(text, t.end)
        for t in own
    )


def _is_aside(text: str, start: int, term: Term) -> bool:
    """Whether a disease is a harm of the treatment, or what a few of the patients had."""
    before = text[max(start, term.start - 90) : term.start]
    return bool(_HARM.search(before) or (start and _ONE_WITH.search(before)))


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

    def _by_title(self, doc: Doc, kinds: set[str]) -> Named | None:
        """The class that a title names, where the arms are none or one and placebo."""
        title: str = doc._.record.title
        if kinds == {"intervention"} and (found := _WITHDRAWAL.search(title)):
            return Named(f"{self.short} withdrawal", found.span())
        if kinds == {"intervention", "placebo"} and (found := _REGIMENS.search(title)):
            return Named(f"{self.short} dose regimen", found.span())
        return None

    def _classify(self, doc: Doc) -> Named | None:
        """ "Ig vs placebo", "none (single-arm)" ...; None for what is no comparison or series."""
        found: tuple[ArmSpan, ...] = doc._.arms
        if not found or doc._.design.design in (*SECONDARY, "other"):
            return None
        kinds = {a.kind for a in found}
        if span := _add_on(doc, kinds):
            return Named(f"add-on ({self.short} in both arms)", span)
        if named := self._by_title(doc, kinds):
            return named
        if len(found) == 1 and doc._.design.design in COMPARATIVE:
            return None  # what it is compared with was not found
        if len(found) == 1 and (compared_groups(doc) or cross_sectional(doc)):
            return None
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


def _add_on(doc: Doc, kinds: set[str]) -> Span | None:
    """Where another drug is set against placebo and all patients have the intervention."""
    if not kinds <= {"intervention", "placebo"} or doc._.design.design not in RANDOMISED:
        return None
    text: str = doc._.source
    own = [t.start for t in doc._.interventions]
    title_end = len(doc._.record.title)
    if title_end and "placebo" in kinds and _is_of_title(doc, own) and (span := kept_on(doc)):
        return span
    if title_end and not any(place < title_end for place in own):
        beside = (m.span() for m in _BESIDE.finditer(text) if m.end() in own)
        if span := next(beside, None):
            return span
    for match in _TO_OR_PLACEBO.finditer(text):
        listed = lexicon("treatments").find(text, *match.span("drug"))
        other = any(t.entry["class"] == "active" for t in listed)
        if other and not any(match.start("drug") <= place < match.end("drug") for place in own):
            return match.span()
    return None


def _is_of_title(doc: Doc, own: list[int]) -> bool:
    """Whether the title names another active treatment alone."""
    title_end = len(doc._.record.title)
    listed = lexicon("treatments").find(doc._.source, 0, title_end)
    return any(t.entry["class"] == "active" for t in listed) and min(own, default=0) >= title_end


def _switch(doc: Doc) -> bool:
    """Whether an uncontrolled study moves patients from one route to another."""
    if not _MOVED.search(doc._.source):
        return False
    title = lexicon("routes").find(doc._.record.title)
    text = {t.name for t in lexicon("routes").find(doc._.source)}
    return bool(title) and title[0].name == "SC" and {"SC", "IV"} <= text


@cache
def _no_treatment() -> re.Pattern[str]:
    """What stands behind a treatment's name where it is none: patterns/no_treatments.jsonl."""
    return re.compile("|".join(r["pattern"] for r in rules("no_treatments")))
