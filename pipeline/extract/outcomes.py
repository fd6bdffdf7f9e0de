"""Reads the outcomes of a text, sentence by sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.design import SECONDARY
from pipeline.extract.extensions import need
from pipeline.extract.lexicon import Lexicon, Term, merged, rules
from pipeline.extract.naming import Name
from pipeline.extract.outcome_span import Carried, OutcomeSpan
from pipeline.extract.quantities import within
from pipeline.extract.rows import Page

#: A longer stretch without a full stop is a table or a list: which number belongs to what is not
#: said by where they stand.
LONGEST_SENTENCE = 3000
_ABBREVIATION = re.compile(r"\s*\((?P<short>[A-Z][A-Za-z-]{1,7})\)")
#: Parts of an abstract that hold no results of the study.
NO_RESULTS = ("title", "objective", "background", "methods", "conclusions", "other")


@Language.factory(
    "evipool_outcomes",
    default_config={"outcomes": []},
    requires=[
        "doc._.source",
        "doc._.sentences",
        "doc._.quantities",
        "doc._.population",
        "doc._.design",
        "doc._.arms",
    ],
    assigns=["doc._.outcomes"],
)
class Outcomes:
    """Reads outcomes by the shipped instruments and events, and by the protocol's own names."""

    def __init__(self, nlp: Language, name: str, outcomes: list[dict[str, Any]]) -> None:
        shipped = rules("instruments")
        known = {t.lower() for e in (*shipped, *rules("events")) for t in e["terms"]}
        own = ({"name": o["name"], "terms": [*o["synonyms"], o["name"]]} for o in outcomes)
        new = [{**o, "terms": [t for t in o["terms"] if t.lower() not in known]} for o in own]
        self.instruments = Lexicon([*shipped, *(o for o in new if o["terms"])])

    def __call__(self, doc: Doc) -> Doc:
        """Set `doc._.outcomes`."""
        need(doc, "evipool_outcomes")
        secondary = doc._.design.design in SECONDARY
        doc._.outcomes = () if secondary else tuple(self._read(doc))
        return doc

    def _read(self, doc: Doc) -> Iterator[OutcomeSpan]:
        """Yield the rows of each sentence that may hold results."""
        text, quantities = doc._.source, doc._.quantities
        short = self._abbreviations(text)
        carried = Carried()
        for sentence in doc._.sentences:
            if sentence.part in NO_RESULTS and sentence.part != "methods":
                continue
            if sentence.end - sentence.start > LONGEST_SENTENCE:
                continue
            named = self._named(text, sentence.start, sentence.end, short)
            if not any(within(quantities, sentence.start, sentence.end)):
                carried = _carry(carried, named, [], carried.order)
                continue
            page = Page(doc, sentence, named, carried)
            rows = [] if sentence.part == "methods" else page.rows()
            yield from rows
            told = named if sentence.part != "methods" else []
            carried = _carry(carried, told, rows, page.order(rows))

    def _named(self, text: str, start: int, end: int, short: Lexicon | None) -> list[Term]:
        """The instruments that ``text[start:end]`` names, in full or by what `short` holds."""
        found = self.instruments.find(text, start, end)
        return merged(found, short.find(text, start, end)) if short else found

    def _abbreviations(self, text: str) -> Lexicon | None:
        """The abbreviations that a text defines: "grip strength (GS)"; None without any."""
        found = {}
        for match in _ABBREVIATION.finditer(text):
            before = self.instruments.find(text, max(0, match.start() - 70), match.start())
            if before and match.start() - before[-1].end <= 8:
                found[match["short"]] = before[-1].entry
        named = [{**entry, "terms": [short]} for short, entry in found.items()]
        return Lexicon(named) if named else None


def _carry(
    carried: Carried, named: list[Term], rows: list[OutcomeSpan], order: tuple[int, int] | None
) -> Carried:
    """What the next sentence may speak of without naming it."""
    value = Name(named[0].name, (named[0].start, named[0].end)) if named else carried.value
    effects = [Name(r.measure, r.named) for r in rows if r.main is None and r.effect is not None]
    return Carried(value, effects[-1] if effects else carried.effect or value, order)
