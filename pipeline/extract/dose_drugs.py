"""Names the drug that a dose is of: one that the rules know, or as it is printed beside it."""

from __future__ import annotations

import re
from functools import cache

from spacy.tokens import Doc

from pipeline.extract.lexicon import Term, lexicon, rules

_WORD = r"[A-Za-z][\w'/+-]*[A-Za-z0-9]"
#: "20 mg of prasugrel", "a 20 mg dose of prasugrel", "20 mg oral prasugrel".
_AFTER = re.compile(
    rf"[\s-]*(?:(?:single|once|twice|daily|oral|doses?|intravenous|i\.?v\.?|inhaled|nebuli[sz]ed|of"
    rf"|tablets?|capsules?|subcutaneous|orally|the|a|total)[\s-]+){{0,5}}(?P<name>{_WORD})",
    re.IGNORECASE,
)
_BEFORE_WINDOW = 60
_SPLIT = re.compile(r"[^\s(\[,:;=]+")
_CLAUSE = re.compile(r"[;.](?=\s)")


def named(doc: Doc, start: int, end: int) -> list[Term]:
    """Return the drugs named in ``text[start:end]``, in order, none that lies in another."""
    text: str = doc._.source
    own = [t for t in doc._.interventions if start <= t.start < end]
    listed = [_as_printed(text, t) for t in lexicon("treatments").find(text, start, end)]
    other = [t for t in listed if t.entry["class"] == "active"]
    stems = [Term(m.group(), *m.span(), {}) for m in _stems().finditer(text, start, end)]
    found: list[Term] = []
    for term in sorted([*own, *other, *stems], key=lambda t: (t.start, -t.end)):
        if not found or term.start >= found[-1].end:
            found.append(term)
    return found


def _as_printed(text: str, term: Term) -> Term:
    """A treatment by its printed name: "prednisone", not the class it is listed under."""
    return Term(text[term.start : term.end], term.start, term.end, term.entry)


@cache
def _stems() -> re.Pattern[str]:
    """Words that end like a drug's international name, and listed names without such an end."""
    ends, words = rules("drug_stems")
    ends_rx = "|".join(sorted((re.escape(e) for e in ends["ends"]), key=len, reverse=True))
    words_rx = "|".join(sorted((re.escape(w) for w in words["words"]), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w-])(?:(?:{words_rx})|[A-Za-z]{{2,24}}?(?:{ends_rx}))(?![\w])", re.IGNORECASE
    )


def adjacent(text: str, start: int, end: int, sentence: tuple[int, int]) -> Term | None:
    """Return an unlisted drug's name as printed beside an amount, before it or after."""
    return _after(text, end, sentence[1]) or _before(text, start, sentence[0])


def _before(text: str, start: int, floor: int) -> Term | None:
    """The last word before an amount that is no filler; it ends the look-up if it is no name."""
    low = max(floor, start - _BEFORE_WINDOW)
    for match in reversed(list(_SPLIT.finditer(text, low, start))):
        word = match.group().rstrip(")].,;:")
        if word.casefold() in _fillers() or not word:
            continue
        if match.start() == low > floor and not text[low - 1].isspace():
            return None
        if not _is_name(word):
            return None
        return Term(word, match.start(), match.start() + len(word), {})
    return None


def _after(text: str, end: int, stop: int) -> Term | None:
    """The word that an amount stands before: "20 mg of prasugrel"."""
    match = _AFTER.match(text, end, min(stop, end + 60))
    if match is None or not _is_name(match["name"]):
        return None
    return Term(match["name"], *match.span("name"), {})


def _is_name(word: str) -> bool:
    """Whether a word may be a drug's name: letters, not a listed common word."""
    key = word.casefold()
    if key in _fillers() or key in _common() or not re.fullmatch(_WORD, word):
        return False
    return len(word) >= 5 or (len(word) >= 2 and word.isupper())


@cache
def _fillers() -> frozenset[str]:
    """Words between a name and its amount."""
    return frozenset(rules("no_drugs")[0]["words"])


@cache
def _common() -> frozenset[str]:
    """Words that name no drug."""
    words = [w for row in rules("common_words") for w in row["terms"]]
    return frozenset([*words, *rules("no_drugs")[1]["words"]])
