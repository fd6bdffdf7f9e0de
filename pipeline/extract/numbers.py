"""Reads single numbers: digits with any decimal mark or thousands separator, and number words."""

from __future__ import annotations

import re

from pipeline.extract.lexicon import any_of

_UNITS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_VALUES = {w: i for i, w in enumerate(_UNITS)} | {w: (i + 2) * 10 for i, w in enumerate(_TENS)}
_SCALES = {"hundred": 100, "thousand": 1000}

#: The words that numbers are spelled with.
NUMBER_WORDS = frozenset((*_VALUES, *_SCALES))
#: Longer strings of digits, and longer strings of number words, print no quantity.
LONGEST, MOST_WORDS = 15, 12
#: Spaces that separate thousands; an ordinary space separates two numbers.
THIN = "\u2009\u202f\u00a0"
#: Every dash that is printed as a minus.
MINUS = "-\u2212\u2010\u2011\u2012\u2013"
#: Every dash, or the word, that joins the ends of a range.
TO = rf"(?:\s*[{MINUS}\u2014~]\s*|\s+to\s+)"

#: An unsigned number in digits: 1,234 · 1 234 (thin space) · 33·5 · .05
DIGITS = (
    rf"(?<!\d)(?:\d{{1,3}}(?:[,{THIN}]\d{{3}}){{1,4}}(?!\d)|\d++)(?:[.·∙]\d++)?|(?<![\d.·])[.·]\d++"
)
#: A number in digits with a sign, where the dash cannot join it to a number before it.
SIGNED = rf"(?:(?<![\w.·%)\]])[{MINUS}+]\s?)?(?:{DIGITS})"
_WORD = any_of([*_VALUES, *_SCALES])
#: A number in words: five · twenty-two · one hundred and nine
WORDS = rf"\b{_WORD}\b(?:[\s-]+(?:and\s+)?{_WORD}\b){{0,{2 * MOST_WORDS}}}+"
#: A whole count, in digits or words.
COUNT = (
    rf"(?:(?<![\w.·,/])\d{{1,3}}(?:[,{THIN}]\d{{3}}){{1,4}}(?![\d])"
    rf"|(?<![\w.·,/])\d++(?![.·,]?\d)|(?i:{WORDS}))"
)


def parse_number(text: str) -> float | None:
    """Return the number that `text` prints, or None if it prints none.

    Parameters
    ----------
    text : str
        A number in digits (a sign, thousands by comma or thin space, a point or middle dot) or in
        English words up to thousands.
    """
    text = text.strip()
    if text.isdecimal() and len(text) <= LONGEST:  # most are: this is quicker
        return float(text)
    negative = text[:1] in MINUS
    digits = re.sub(rf"[,{THIN}\s]", "", text.lstrip(MINUS + "+ ")).translate({183: ".", 8729: "."})
    if len(digits) <= LONGEST and re.fullmatch(r"\d*\.?\d+", digits):
        return -float(digits) if negative else float(digits)
    return parse_words(text)


def parse_words(text: str) -> float | None:
    """Return the number that English number words spell, or None.

    >>> parse_words("two hundred and seven")
    207.0
    """
    total = current = 0
    words = [w for w in re.findall(r"[a-z]+", text.lower()) if w != "and"]
    if len(words) > MOST_WORDS:
        return None
    for word in words:
        if word in _VALUES:
            current += _VALUES[word]
        elif word == "hundred":
            current = (current or 1) * 100
        elif word == "thousand":
            total, current = total + (current or 1) * 1000, 0
        else:
            return None
    return float(total + current) if words else None


def parse_count(text: str) -> int | None:
    """Return the whole number that `text` prints in digits or words, or None."""
    number = parse_number(text)
    return int(number) if number is not None and number == int(number) else None
