"""Makes a phrase of a text into the name of an arm, or says that it is none."""

from __future__ import annotations

import re
from functools import cache

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import DIGITS
from pipeline.extract.places import matches, places
from pipeline.extract.starts import Starts

Span = tuple[int, int]

#: A name has no more words, nor characters, than this.
MOST_WORDS, LONGEST = 9, 80
_UNIT = (
    r"(?:mg|g|gm|µg|μg|mcg|ug|kg|ml|mL|l|L|Gy|cGy|IU|U|units?|MU|mmol|nm|J|%)"
    r"(?:\s?(?:/\s?|per\s)(?:kg|m\s?\(2\)|m2|m²|m|d|day|week|wk|ml|mL|h|min|dose|"
    r"body weight)(?!\w))*"
)
_COUNTED = (
    r"(?:cycles?|courses?|weeks?|months?|years?|days?|hours?|minutes?|min|sessions?|doses|fractions|"
    r"times|h|d|wk|y|yr)"
)
_AMOUNT = (
    r"(?:\d[\d.,·]{0,11}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|a|each|single)"
)
_DOSE = re.compile(
    rf"(?<![\w-])\d[\d.,·]{{0,11}}(?:\s?(?:-|–|to|or|,)\s?\d[\d.,·]{{0,11}})?\s?{_UNIT}(?![\w])"
    r"(?:\s?(?:bid|tid|qd|q3w|q\.?d\.?|b\.?i\.?d\.?|(?:once|twice)(?:[\s-]+(?:daily|a\s+day|weekly))?"
    r"|daily|per\s+day|a\s+day|/day|/d)\b)?"
    rf"|\b(?:for|over|every|at|within|up\s+to)\s+(?:the\s+first\s+)?(?:at\s+least\s+|up\s+to\s+)?{_AMOUNT}"
    rf"(?:(?:-|–|\s+to\s+|\s+or\s+){_AMOUNT})?[\s-]+(?:consecutive\s+|additional\s+|more\s+)?{_COUNTED}\b"
    r"|\bevery\s+(?:other\s+)?(?:day|week|month)\b|\bq\d+\s?[wdh]\b"
    rf"|\bon\s+days?\s+\d+(?:\s?(?:,|and|-|–|to)\s?(?:and\s+)?\d+){{0,5}}|\bof\s+a\s+{_AMOUNT}-day\s+cycle"
    r"|\b(?:once|twice|three\s+times)\s+(?:daily|weekly|a\s+(?:day|week)|per\s+(?:day|week))\b"
    r"|\b(?:bid|tid|qd|b\.i\.d\.|t\.i\.d\.)(?!\w)|\d+\s?:\s?\d+(?:\s?:\s?\d+)?",
    re.IGNORECASE,
)
#: The words that a dose or a length of time begins with, besides numbers.
_DOSE_STARTS = frozenset(
    ("for", "over", "every", "at", "within", "up", "on", "of", "once", "twice", "three", "bid",
     "tid", "qd", "b", "t")
)  # fmt: skip
_DIGITS_OR_Q = frozenset("0123456789q")
#: A title in square brackets is one translated into English.
_BRACKET = re.compile(r"[(\[](?<=[^\n].)[^()\[\]]{0,300}[)\]]")
#: The endings of diseases.
_DISEASE = re.compile(r"\w{3}(?:itis|oma|osis|[^d]emia|aemia|opathy|omas)$")
_VS = re.compile(r"\bvs\.")
_WORD = re.compile(r"[A-Za-z0-9αβγµ®™/+'’&.·-]+")
_CUT_AT = re.compile(r"[;:()\[\]=<>≥≤%?\"“”]|--|[.](?!\w)")
#: What those compared with had, though each word alone names nothing.
_USUAL = re.compile(
    r"(?:no|(?:the\s+)?(?:standard|usual|routine|regular|conventional))\s+(?:(?:further|active|additional|specific|"
    r"clinical|medical)\s+)?(?:treatment|therapy|regimen|care|follow[\s-]?up|management|intervention|schedule|"
    r"prophylaxis|chemotherapy|radiotherapy|dose)\b(?![\s-]+(?!or\b|and\b|arm|group|n\b|in\b|for\b|after\b|with\b|\W)\w)"
    r"|(?:treatment|care|therapy)\s+as\s+usual\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(rf"(?:{DIGITS})[%,]?$")
_GAP = re.compile(r"\s{4,}+(?!(?:plus|with|and|in\s+combination|followed\s+by)\s)|,(?=\s)")
_TAIL = re.compile(r"(?:\s+(?:and|or|of|with|plus|the|a|an|their|either|in|for))+$")
_BLANKS = re.compile(r"[\s,•'’®-]+")
_BARE_NUMBER = re.compile(r"\d+(?![\w-])")
_LETTERS = re.compile(r"[A-Za-z]{2}")


@cache
def words(name: str) -> frozenset[str]:
    """Return a row's terms of patterns/arm_words.jsonl."""
    return frozenset(t for r in rules("arm_words") if r["name"] == name for t in r["terms"])


@cache
def _starts(name: str) -> re.Pattern[str]:
    """A pattern for the terms of a row, as whole words."""
    body = "|".join(sorted(map(re.escape, words(name)), key=len, reverse=True))
    return re.compile(rf"(?<![\w-])(?:{body})(?![\w-])", re.IGNORECASE)


@cache
def _cuts() -> Starts:
    """The pattern for the words that end a name."""
    return Starts(_starts("cut"))


def mask_brackets(text: str) -> str:
    """Blank out brackets, at the same offsets; "vs." loses its point."""
    for _ in range(2):
        text = _BRACKET.sub(_blank, text)
    return _VS.sub("vs ", text) if "vs." in text else text


def mask_doses(text: str) -> str:
    """Blank out doses and lengths of time, at the same offsets."""
    listed = places(text).words
    starts = [at for at, word in listed if word in _DOSE_STARTS or word[0] in _DIGITS_OR_Q]
    pieces, last = [], 0
    for match in matches(_DOSE, text, starts, len(text)):
        pieces += [text[last : match.start()], _blank(match)]
        last = match.end()
    return "".join((*pieces, text[last:]))


def _blank(match: re.Match[str]) -> str:
    """As many blanks as the match has characters."""
    return " " * len(match.group())


def trim(masked: str, start: int, end: int) -> Span | None:
    """Return the name of a treatment that a phrase holds, or None.

    Leading words that name nothing are left out; the name ends where a dose, a time or a clause
    begins.
    """
    stop = _CUT_AT.search(masked, start, end)
    end = stop.start() if stop else end
    start = _after_lead(masked, start, end)
    usual = _USUAL.match(masked, start, end)
    if usual:
        return usual.span()
    cut = next((m for m in _cuts().finditer(masked, start, end) if m.start() > start), None)
    end = cut.start() if cut else end
    gap = _GAP.search(masked, start, end)
    end = gap.start() if gap else end
    piece = masked[start:end]
    end = start + len(piece.rstrip(" ,-–/&+"))
    tail = _TAIL.search(masked, start, end)
    end = tail.start() if tail else end
    return (start, end) if is_name(masked[start:end]) else None


def _after_lead(masked: str, start: int, end: int) -> int:
    """The place behind the words that a name does not start with."""
    lead = _starts("lead")
    while start < end:
        blank = _BLANKS.match(masked, start, end)
        if blank:
            start = blank.end()
            continue
        word = lead.match(masked, start, end) or _BARE_NUMBER.match(masked, start, end)
        if word is None:
            break
        start = word.end()
    return start


def is_name(phrase: str) -> bool:
    """Whether a phrase may name an arm: short, and without the words of outcomes and results."""
    listed = phrase.split()
    if not listed or len(listed) > MOST_WORDS or len(" ".join(listed)) > LONGEST:
        return False
    if _starts("never").search(phrase) or not _LETTERS.search(phrase):
        return False
    if any(_NUMBER.match(w) for w in listed):
        return False
    plain = {w.strip(",.-®™").lower() for w in listed}
    last = listed[-1].strip(",.-®™").lower()
    if last in words("never_last") or _DISEASE.search(last):
        return False
    return not plain <= words("alone_no_name") | {"", "and", "or", "of", "the", "in", "to", "with"}


def is_comparator(name: str) -> bool:
    """Whether a name says that its arm is compared with: placebo, usual care, X alone."""
    return bool(_starts("comparator").search(name))


def is_generic(name: str) -> bool:
    """Whether a name says only which part of the trial an arm is: intervention, control."""
    plain = re.sub(r"\W+", " ", name).strip().lower()
    return plain in words("generic") | words("generic_control")


def listed(name: str) -> list[str]:
    """Return the words of a name as printed."""
    return [w.strip(".,-'’®™/+&") for w in _WORD.findall(name) if w.strip(".,-'’®™/+&")]
