"""Reads every numeric expression of a text into a typed quantity with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.extensions import need
from pipeline.extract.grammar import GRAMMAR
from pipeline.extract.lexicon import any_of
from pipeline.extract.numbers import NUMBER_WORDS, parse_count, parse_number
from pipeline.extract.starts import Starts


@dataclass(frozen=True, slots=True)
class Quantity:
    """A numeric expression.

    `kind`: p_value, ci, fraction, mean_spread, spread, interval, n, percent, timepoint, number,
    or one that is no result: registry, age, date, ratio, threshold, concentration, level, dose.
    `value` is the number (events of a fraction, lower end of an interval), `high` the other end
    (denominator, upper end, spread); `label` says what is printed with it: SD, SE, IQR, range,
    the unit of time, the noun of a fraction, the sign of a p value. `percent` is a percentage
    printed inside a fraction, with its place: "9 (47%) of the 19".
    """

    kind: str
    start: int
    end: int
    value: float | None = None
    high: float | None = None
    label: str = ""
    percent: tuple[float, int, int] | None = None


#: What every quantity holds: a digit or a number word.
_ANCHOR = Starts(
    re.compile(rf"\d+|\b{any_of(('all', 'both', 'none', *NUMBER_WORDS))}\b", re.IGNORECASE)
)
#: How far the words of a quantity may stand before its first number, and behind its last.
BEFORE, BEHIND = 80, 80
_LISTED_P = re.compile(r"\s*(?:,\s*(?:and\s+)?|;\s*|and\s+|or\s+)(?:[pP]\s*)?[=<]?\s*")

Builder = Callable[[re.Match[str]], Quantity | None]


def scan(text: str, taken: tuple[tuple[int, int], ...] = ()) -> tuple[Quantity, ...]:
    """Return the quantities of `text` in order; `taken` spans (doses) are passed over.

    Each character belongs to one quantity at most: the grammar's rows are tried in order.
    """
    claimed = bytearray(len(text))
    for start, end in taken:
        claimed[start:end] = b"\1" * (end - start)
    found: list[Quantity] = []
    windows = tuple(_windows(text))
    for pattern, build in _rows():
        for match in (m for window in windows for m in pattern.finditer(text, *window)):
            if any(claimed[match.start() : match.end()]):
                continue
            quantity = build(match)
            if quantity is not None:
                claimed[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
                found.append(quantity)
    return tuple(_p_lists(text, sorted(found, key=lambda q: q.start)))


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """The stretches of a text that stand near a number: elsewhere are at most Roman stages."""
    start = end = 0
    for match in _ANCHOR.finditer(text):
        if match.start() - BEFORE > end:
            if end:
                yield start, end
            start = match.start() - BEFORE
        end = match.end() + BEHIND
    if end:
        yield max(start, 0), min(end, len(text))


def _p_lists(text: str, found: list[Quantity]) -> Iterator[Quantity]:
    """The quantities with numbers listed behind a p value made p values: "P = .01, .02 and .3"."""
    last: Quantity | None = None
    for q in found:
        listed = last is not None and last.kind == "p_value" and _is_listed_p(text, last, q)
        last = replace(q, kind="p_value", label=f"{q.value:g}") if listed else q
        yield last


def _is_listed_p(text: str, last: Quantity, q: Quantity) -> bool:
    """Whether a number follows a p value in its list."""
    if q.kind != "number" or q.value is None or q.value >= 1:
        return False
    small = text[q.start : q.start + 2].strip("0")[:1] in (".", "·")
    return small and _LISTED_P.fullmatch(text, last.end, q.start) is not None


@Language.component(
    "evipool_quantities",
    requires=["doc._.source", "doc._.doses"],
    assigns=["doc._.quantities"],
)
def quantities(doc: Doc) -> Doc:
    """Set `doc._.quantities`; the numbers inside doses are not read twice."""
    need(doc, "evipool_quantities")
    doc._.quantities = scan(doc._.source, tuple((d.start, d.end) for d in doc._.doses))
    return doc


def _plain(kind: str) -> Builder:
    """A builder for what is recognised only to be passed over."""
    return lambda m: Quantity(kind, m.start(), m.end(), label=m.group())


def _p_value(match: re.Match[str]) -> Quantity:
    """p < 0.001 as printed, blanks removed."""
    sign = match["op"].translate({0x2A7D: "≤", 0x2A7E: "≥"})
    sign = {"=": "", "≤": "<=", "≥": ">="}.get(sign, sign)
    digits = re.sub(r"\s", "", match["v"]).replace("·", ".")
    digits = "0" + digits if digits.startswith(".") else digits
    return Quantity("p_value", match.start(), match.end(), float(digits), label=sign + digits)


def _interval(kind: str) -> Builder:
    """A builder for two ends; a lower end above the upper one is not an interval."""

    def build(match: re.Match[str]) -> Quantity | None:
        low, high = parse_number(match["lo"]), parse_number(match["hi"])
        if low is None or high is None or low > high:
            return None
        groups = match.groupdict()
        return Quantity(kind, match.start(), match.end(), low, high, _label(groups.get("label")))

    return build


def _fraction(match: re.Match[str]) -> Quantity | None:
    """x of y: events and denominator; "all" and "both" are as many as the denominator."""
    whole = parse_count(match["b"])
    word = match["a"].lower()
    part = whole if word in ("all", "both") else 0 if word == "none" else parse_count(word)
    if part is None or whole is None or not 0 <= part <= whole or whole == 0:
        return None
    groups = match.groupdict()
    inside = parse_number(groups["pct"]) if groups.get("pct") else None
    percent = None if inside is None else (inside, *match.span("pct"))
    noun = (groups.get("noun") or "").lower()
    return Quantity("fraction", match.start(), match.end(), part, whole, noun, percent)


def _spread(kind: str) -> Builder:
    """A builder for "4.8 ± 2.0" and "(SD 2.0)"."""

    def build(match: re.Match[str]) -> Quantity | None:
        groups = match.groupdict()
        value = parse_number(groups["v"]) if groups.get("v") else None
        high = parse_number(match["s"])
        return Quantity(kind, match.start(), match.end(), value, high, _label(groups.get("label")))

    return build


def _number(kind: str, group: str = "v") -> Builder:
    """A builder for one number with its unit or noun."""

    def build(match: re.Match[str]) -> Quantity | None:
        value = parse_number(match[group])
        if value is None:
            return None
        groups = match.groupdict()
        high = parse_number(groups["hi"]) if groups.get("hi") else None
        label = (groups.get("label") or "").lower()
        start = match.start() if not label else min(match.start("label"), match.start(group))
        return Quantity(kind, start, match.end(), value, high, label)

    return build


def _label(text: str | None) -> str:
    """SD, SE, IQR or range, however it is printed."""
    word = (text or "").lower().replace(".", "").strip()
    if not word:
        return ""
    if word.startswith(("standard dev", "sd", "±sd")):
        return "SD"
    if word.startswith(("standard err", "se")):
        return "SE"
    return "IQR" if word.startswith(("iqr", "interq")) else "range"


def _count_or_number(match: re.Match[str]) -> Quantity | None:
    """A bare number; "both" is two, "none" is no one."""
    word = match.group().strip().lower()
    value = {"both": 2.0, "none": 0.0}.get(word, parse_number(word))
    if value is None:
        return None
    return Quantity("number", match.start(), match.end(), value, label=word)


#: How the kinds with content are built; any other is recognised only to be passed over.
BUILDERS: dict[str, Builder] = {
    "p_value": _p_value,
    "ci": _interval("ci"),
    "fraction": _fraction,
    "mean_spread": _spread("mean_spread"),
    "spread": _spread("spread"),
    "interval": _interval("interval"),
    "n": _number("n"),
    "timepoint": _number("timepoint"),
    "percent": _number("percent"),
    "number": _count_or_number,
}


@cache
def _rows() -> tuple[tuple[Starts, Builder], ...]:
    """The grammar, compiled, each row with its builder."""
    flags = re.IGNORECASE | re.VERBOSE
    return tuple(
        (Starts(re.compile(p, flags)), BUILDERS.get(kind, _plain(kind))) for kind, p in GRAMMAR
    )


def within(found: tuple[Quantity, ...], start: int, end: int) -> Iterator[Quantity]:
    """Yield the quantities that lie in ``[start, end)``."""
    return (q for q in found if start <= q.start and q.end <= end)
