"""Names the drug that a dose is of: one that the rules know, or as it is printed beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from pipeline.extract.lexicon import Lexicon, Term, any_of, lexicon, rules

_WORD = r"[A-Za-z][\w'/+-]*[A-Za-z0-9]"


def _words(row: int) -> str:
    """The words of a row of patterns/no_drugs.jsonl, as a regex."""
    return any_of(rules("no_drugs")[row]["words"])


#: "20 mg of prasugrel", "a 20 mg dose of prasugrel", "20 mg oral prasugrel".
_AFTER = re.compile(rf"[\s-]*(?:(?:{_words(2)})[\s-]+){{0,5}}(?P<name>{_WORD})", re.IGNORECASE)
_BEFORE_WINDOW, _AFTER_WINDOW = 60, 60
#: Up to so many characters may stand between a drug's name and an amount beside it.
_BESIDE = 14
#: What may stand between an amount and the drug it is of: "of", "oral", "once daily" ...
_OF = re.compile(rf"[\s)-]*(?:(?:{_words(2)})[\s-]+){{0,5}}", re.IGNORECASE)
_TIGHT = re.compile(r"[\s(\[:-]*")
#: Ends of English words that names of drugs do not have.
_ENGLISH = re.compile(
    r"(?:ed|ing|ly|[ts]ion|ment|ity|[st]ive|ous|ness|[ae]nce|[ae]ry|ory|ical|less|ful|[ai]ble|[^i]s|ant"
    r"|ent|ial|ist|ure|age|ism|ward|ial|tic|ther|eous|ia|[io]sis|itis|oma|pathy|logy|graphy|est|ow|ough)$"
)
_ROMAN = re.compile(r"[IVX]+")
_LETTERS = re.compile(r"(?<![\w-])[A-Za-z]{5,40}+(?!\w)")
_SPLIT = re.compile(r"[^\s(\[,:;=]+")


def named(text: str, interventions: Iterable[Term], start: int, end: int) -> list[Term]:
    """Return the drugs named in ``text[start:end]``, in order, none that lies in another."""
    own = [t for t in interventions if start <= t.start < end]
    listed = [_as_printed(text, t) for t in lexicon("treatments").find(text, start, end)]
    other = [t for t in listed if t.entry["class"] == "active"]
    stems = _by_name(text, start, end)
    found: list[Term] = []
    for term in sorted([*own, *other, *stems], key=lambda t: (t.start, -t.end)):
        if not found or term.start >= found[-1].end:
            found.append(term)
    return found


def _as_printed(text: str, term: Term) -> Term:
    """A treatment by its printed name: "prednisone", not its class nor "oral prednisone"."""
    name = re.sub(r"^oral\s+", "", text[term.start : term.end], flags=re.IGNORECASE)
    return Term(name, term.end - len(name), term.end, term.entry)


def _by_name(text: str, start: int, end: int) -> Iterator[Term]:
    """Words that end like a drug's international name, and listed names without such an end."""
    ends = _stems()
    for word in _LETTERS.finditer(text, start, end):
        if word.group().lower().endswith(ends):
            yield Term(word.group(), *word.span(), {})
    for term in _listed().find(text, start, end):
        if text[term.start - 1 : term.start] != "-":
            yield Term(text[term.start : term.end], term.start, term.end, {})


@cache
def _stems() -> tuple[str, ...]:
    """The ends of drugs' international names."""
    return tuple(rules("drug_stems")[0]["ends"])


@cache
def _listed() -> Lexicon:
    """Drugs whose names have no such end."""
    return Lexicon({"name": name, "terms": [name]} for name in rules("drug_stems")[1]["words"])


def nearest(text: str, drugs: list[Term], start: int, end: int) -> Term | None:
    """The drug an amount belongs to: the one that ends last before it, else the first after."""
    before = [d for d in drugs if d.end <= start]
    after = [d for d in drugs if end <= d.start <= end + _AFTER_WINDOW]
    close = [d for d in after if _OF.fullmatch(text, end, d.start)]
    if close and not (before and _TIGHT.fullmatch(text, before[-1].end, start)):
        return close[0]
    return before[-1] if before else after[0] if after else drugs[0] if drugs else None


def beside(text: str, drug: Term, start: int, end: int) -> bool:
    """Whether a drug's name stands beside an amount, what is in brackets not counted."""
    if drug.start >= end:
        return _OF.fullmatch(text, end, drug.start) is not None
    return len(re.sub(r"\([^()]{0,60}\)", "", text[drug.end : start])) <= _BESIDE


def adjacent(text: str, start: int, end: int, sentence: tuple[int, int]) -> Term | None:
    """Return an unlisted drug's name as printed beside an amount, before it or after."""
    return _before(text, start, sentence[0]) or _after(text, end, sentence[1])


def _before(text: str, start: int, floor: int) -> Term | None:
    """The last word before an amount that is no filler; it ends the look-up if it is no name."""
    low = max(floor, start - _BEFORE_WINDOW)
    for match in reversed(list(_SPLIT.finditer(text, low, start))):
        word = match.group().rstrip(")].,;:")
        if word.casefold() in _fillers() or not word:
            continue
        cut = match.start() == low > floor and not text[low - 1].isspace()
        if cut or not _is_name(word):
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
    if re.search(r"\d|[A-Z]", word[1:]):  # "NS-398", "AMPC"
        return "/" not in word and not _ROMAN.fullmatch(word)
    return len(word) >= 6 and "-" not in word and "/" not in word and not _ENGLISH.search(word)


@cache
def _fillers() -> frozenset[str]:
    """Words between a name and its amount."""
    return frozenset(rules("no_drugs")[0]["words"])


@cache
def _common() -> frozenset[str]:
    """Words that name no drug."""
    words = [w for row in rules("common_words") for w in row["terms"]]
    return frozenset([*words, *rules("no_drugs")[1]["words"]])
