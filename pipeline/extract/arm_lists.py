"""Finds the phrases of a text that list the arms of a trial: "assigned to X or Y", "X versus Y"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extract.arm_groups import groups, in_brackets, lettered, one_sided, parts, sized
from pipeline.extract.arm_names import trim
from pipeline.extract.arm_text import (
    INTO,
    MOST,
    Listed,
    Span,
    Spans,
    Text,
    clause_end,
    names_in,
    split,
)
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT
from pipeline.extract.starts import Starts

#: How many lists a finder may offer.
KEPT = 4
#: How far behind "randomised" the names of the arms are looked for.
REACH = 330
_RANDOMISED = Starts(
    re.compile(
        r"\b(?:randomi[sz]ed|randomi[sz]ation|randomly|assigned|allocated|divided|categori[sz]ed|"
        r"assigning|received|receiving|treated\s+with|underwent)\b",
        re.IGNORECASE,
    )
)
_EITHER = re.compile(
    r"\b(?:either|one\s+of\s+(?:two|three|four|2|3|4)\s+\w+\s*:)\s+", re.IGNORECASE
)
_OR = re.compile(r"(?<!\s)\s*,?\s+(?:or|versus|vs|v)\s+(?:to\s+(?:receive\s+)?)?", re.IGNORECASE)
_AND = re.compile(r"(?<!\s)\s*,?\s+and\s+(?:to\s+(?:receive\s+)?)?|(?<!\s)\s*,\s+", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\s)\s*,\s+(?:(?:or|and)\s+)?(?:to\s+(?:receive\s+)?)?")
_COMBINES = re.compile(r"\b(?:and|plus|with|followed)\b|\+", re.IGNORECASE)
_VERSUS = Starts(
    re.compile(
        r"\s(?:versus|vs|v|(?:(?:was|were|is|are|as)\s+)?compared\s+(?:with|to|against)"
        r"|in\s+comparison\s+(?:with|to)|against|(?:or|and)(?=\s+(?:matching\s+)?placebo\b))\s",
        re.IGNORECASE,
    )
)
_LEFT = re.compile(
    r"(?:[.:;,?]|\b(?:of|comparing|comparison|between|evaluating|evaluated|evaluates|that|assess|testing|"
    r"whether|is|are|was|were|compared|compares|compare|investigating|receiving|given|for|in|on|adding|to|after|"
    r"following|(?<!\bcases )(?<!patients )(?<!women )(?<!subjects )(?<!those )(?<!participants )"
    r"(?<!children )(?<!adults )(?<!people )with)\b)\s*",
    re.IGNORECASE,
)
_COMPARE = Starts(
    re.compile(
        r"\b(?:compar(?:e|ed|es|ing|isons?\s+(?:of|between))|differences?\s+between|between)\s+"
        r"(?!(?:with|to|against)\b)",
        re.IGNORECASE,
    )
)
_OF_BOTH = re.compile(
    r"[^.;:]{0,90}?\b(?:efficacy|safety|effects?|effectiveness|tolerability|toxicity|activity|outcomes?|"
    r"survival|quality|impact|use|results?|rates?|costs?|incidence|benefits?|influence|profiles?)\b[^.;:]{0,50}?"
    r"\b(?:of|between|with|for)\s+",
    re.IGNORECASE,
)
_AGAINST = re.compile(r"(?<!\s)\s+(?:with|to|versus|vs|against)\s+(?:that\s+of\s+)?", re.IGNORECASE)
_OF_PEOPLE = re.compile(rf"\b(?:{PEOPLE}|those|mice|rats)\s+$", re.IGNORECASE)
_COUNTED = Starts(
    re.compile(
        rf"(?<![\w.·,/=-])(?P<n>{COUNT})\s+(?:(?:[\w-]+\s+)?(?:{PEOPLE})\s+)?(?:(?:were|was|to|had)\s+)?(?:randomly\s+)?"
        r"(?:(?:assigned|allocated|randomi[sz]ed)\s+to(?:\s+receive)?|received|receiving|given|treated\s+with|underwent|"
        r"to(?:\s+receive)?)\s+",
        re.IGNORECASE,
    )
)
_WERE_COMPARED = re.compile(
    r"\b(?:of|effects|between)\s+(?P<x>[A-Za-z][^.;:]{2,70}?)\s+and\s+(?P<y>[A-Za-z][^.;:]{2,70}?)\s+(?:were|was)\s+"
    r"(?:then\s+)?compared\b",
    re.IGNORECASE,
)
_COMPARED_WORD = Starts(re.compile(r"compared\b", re.IGNORECASE))
_PLACEBO = Starts(re.compile(r"\bplacebo\b", re.IGNORECASE))
_GIVEN = Starts(
    re.compile(
        r"\b(?:assigned|allocated|randomi[sz]ed|received|receiving|given|treated|underwent)\b",
        re.IGNORECASE,
    )
)
_OR_PLACEBO = re.compile(
    r"(?P<x>[A-Za-z][\w-]{2,30}(?:\s+[\w-]{3,30})?)\s+(?:or|and|versus|vs\.?|than(?:\s+with)?)\s+(?:with\s+)?"
    r"(?:an?\s+|the\s+)?(?:matching\s+|identical\s+)?(?P<y>placebo)\b"
    r"|\b(?P<b>placebo)\s+(?:or|and|versus|vs\.?)\s+(?P<a>[A-Za-z][\w-]{3,30})",
    re.IGNORECASE,
)
_WITHOUT = Starts(
    re.compile(
        r"\bwith\s+(?:or|and|versus|vs)\s+(?P<y>without)\s+(?P<name>[A-Za-z][^.;:,]{2,90})",
        re.IGNORECASE,
    )
)


def find(page: Text) -> Iterator[Listed]:
    """Yield the lists of names, of each finder the first few."""
    for finder in FINDERS:
        kept = 0
        for found in finder(page):
            if 2 <= len(found.names) <= MOST and _differ(page.text, found.names):
                yield found
                kept += 1
            if kept == KEPT:
                break


def _differ(text: str, spans: tuple[Span, ...]) -> bool:
    """Whether the names of a list are not the same."""
    names = [re.sub(r"\W+", " ", text[a:b]).strip().lower() for a, b in spans]
    return len(set(names)) == len(names)


def _assigned(page: Text) -> Iterator[Listed]:
    """ "randomised to X or Y", "randomly divided into two groups: X and Y"."""
    masked = page.masked
    for match in _RANDOMISED.finditer(masked):
        sure = match.group().lower()[:4] not in ("rece", "trea", "unde")
        start = match.end() if sure else match.start()
        end = clause_end(masked, start, start + REACH)
        for into in INTO.finditer(masked, start, end):
            names, pieces = _coordinated(masked, into.end(), end, both=sure)
            if len(names) > 1:
                yield Listed(tuple(names), tuple(pieces), 3.0 if sure else 0.5)
                break


def _coordinated(masked: str, start: int, end: int, *, both: bool) -> tuple[Spans, Spans]:
    """The names that stand side by side: "X or Y", "X, Y, or Z"; "X and Y" without an "or"."""
    pieces = split(masked, start, end, _OR)
    if len(pieces) > 1:
        head = _after_either(masked, pieces[0])
        parts = split(masked, *head, _COMMA) if _plain_list(masked, head) else [head]
        return names_in(masked, [*parts, *pieces[1:]])
    parts = split(masked, start, end, _AND) if both else []
    return names_in(masked, parts[:MOST]) if len(parts) > 1 else ([], [])


def _after_either(masked: str, piece: Span) -> Span:
    """What stands behind "either", which begins the alternatives."""
    either = list(_EITHER.finditer(masked, *piece))
    return (either[-1].end(), piece[1]) if either else piece


def _plain_list(masked: str, span: Span) -> bool:
    """Whether commas separate arms here, not the drugs of one: "A, B" before "or C"."""
    return not _COMBINES.search(masked, *span)


def _versus(page: Text) -> Iterator[Listed]:
    """ "X versus Y", in the title first."""
    masked, sentences = page.masked, page.sentences
    for order, sentence in enumerate(sentences[:9]):
        for match in _VERSUS.finditer(masked, sentence.start, sentence.end):
            low = max(sentence.start, match.start() - 130)
            left = [m.end() for m in _LEFT.finditer(masked, low, match.start())]
            end = clause_end(masked, match.end(), min(sentence.end, match.end() + 150))
            two = trim(masked, match.end(), end)
            for start in sorted({*([low] if low == sentence.start else []), *left}):
                one = trim(masked, start, match.start()) if two else None
                if one and two and not masked[one[1] : match.start()].strip(" ,"):
                    pieces = ((start, match.start()), (match.end(), end))
                    yield Listed((one, two), pieces, 3.0 if order < 3 else 1.0, True)
                    break


def _compared(page: Text) -> Iterator[Listed]:
    """ "comparing X with Y", "compare the efficacy and safety of X and Y"."""
    masked, sentences = page.masked, page.sentences
    for order, sentence in enumerate(sentences):
        for match in _COMPARE.finditer(masked, sentence.start, sentence.end):
            end = clause_end(masked, match.end(), min(sentence.end, match.end() + 220))
            prefix = _OF_BOTH.match(masked, match.end(), end)
            start = prefix.end() if prefix else match.end()
            for at in (_AGAINST, _AND):
                pieces = split(masked, start, end, at)[:2]
                names, kept = names_in(masked, pieces) if len(pieces) > 1 else ([], [])
                if len(names) == 2:
                    trust = 2.5 if not order else 1.5 if order < 4 else 1.0
                    yield Listed(tuple(names), tuple(kept), trust, at is _AGAINST)
                    break


def _with_or_without(page: Text) -> Iterator[Listed]:
    """ "chemotherapy with or without X"."""
    masked = page.masked
    for match in _WITHOUT.finditer(masked):
        name = trim(masked, *match.span("name"))
        if name and not _OF_PEOPLE.search(masked, max(0, match.start() - 25), match.start()):
            spans = (name, (match.start("y"), name[1]))
            yield Listed(spans, spans, 1.5, True)


def _counted(page: Text) -> Iterator[Listed]:
    """ "20 received X and 17 received Y", "214 to X and 217 to Y"."""
    masked, sentences = page.masked, page.sentences
    for sentence in sentences:
        if not _GIVEN.search(masked, sentence.start, sentence.end):
            continue
        found = list(_COUNTED.finditer(masked, sentence.start, sentence.end))[:MOST]
        nexts = [*(m.start() for m in found[1:]), sentence.end]
        pieces = [(m.end(), stop) for m, stop in zip(found, nexts, strict=False)]
        names = [n for piece in pieces if (n := trim(masked, *piece)) is not None]
        if len(names) == len(pieces) > 1:
            yield Listed(tuple(names), tuple(names), 2.5)


def _were_compared(page: Text) -> Iterator[Listed]:
    """ "The effects of X and Y were compared"."""
    compared = (m.start() for m in _COMPARED_WORD.finditer(page.masked))
    near = (_WERE_COMPARED.search(page.masked, max(0, at - 170), at + 8) for at in compared)
    for match in filter(None, near):
        names = [trim(page.masked, *match.span(g)) for g in ("x", "y")]
        spans = tuple(n for n in names if n is not None)
        if len(spans) == 2:
            yield Listed(spans, spans, 2.0)


def _or_placebo(page: Text) -> Iterator[Listed]:
    """ "X or placebo" anywhere, in brackets too."""
    near = (m.start() for m in _PLACEBO.finditer(page.plain))
    found = (m for at in near for m in _OR_PLACEBO.finditer(page.plain, max(0, at - 90), at + 60))
    for match in found:
        x, y = ("x", "y") if match["x"] else ("a", "b")
        name = trim(page.plain, *match.span(x))
        if name:
            spans = (name, match.span(y))
            yield Listed(spans, spans, 0.5, True)


FINDERS = (
    _assigned,
    _versus,
    _with_or_without,
    sized,
    in_brackets,
    _counted,
    _were_compared,
    lettered,
    groups,
    parts,
    _compared,
    _or_placebo,
    one_sided,
)
