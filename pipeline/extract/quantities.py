"""Reads every numeric expression of a text into a typed quantity with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import COUNT, DIGITS, SIGNED, TO, parse_count, parse_number

#: What a count may be counted in, for "x of the y patients".
PEOPLE = "|".join(
    sorted((re.escape(t) for r in rules("people") for t in r["terms"]), key=len, reverse=True)
)
_SIGN_TO = rf"(?:{TO}|\s*[,;]\s*|\s+and\s+)"
_UNIT_TIME = r"(?:days?|weeks?|wks?|months?|mo|years?|yrs?|hours?|h|minutes?)"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)


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


Builder = Callable[[re.Match[str]], Quantity | None]


def scan(text: str, taken: tuple[tuple[int, int], ...] = ()) -> tuple[Quantity, ...]:
    """Return the quantities of `text` in order; `taken` spans (doses) are passed over.

    Each character belongs to one quantity at most: the grammar's rows are tried in order.
    """
    claimed = bytearray(len(text))
    for start, end in taken:
        claimed[start:end] = b"\1" * (end - start)
    found: list[Quantity] = []
    for pattern, build in GRAMMAR:
        for match in pattern.finditer(text):
            if any(claimed[match.start() : match.end()]):
                continue
            quantity = build(match)
            if quantity is not None:
                claimed[quantity.start : quantity.end] = b"\1" * (quantity.end - quantity.start)
                found.append(quantity)
    return tuple(sorted(found, key=lambda q: q.start))


@Language.component("evipool_quantities", requires=["doc._.doses"], assigns=["doc._.quantities"])
def quantities(doc: Doc) -> Doc:
    """Set `doc._.quantities`; the numbers inside doses are not read twice."""
    doc._.quantities = scan(doc.text, tuple((d.start, d.end) for d in doc._.doses))
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
        return Quantity(kind, match.start(), match.end(), value, high, label)

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


_SPREAD_WORD = (
    r"(?P<label>s\.?d\.?|standard deviation|s\.?e\.?m?\.?|standard errors?(?: of the mean)?)"
)
_RANGE_WORD = r"(?P<label>IQR|interquartile range|inter-quartile range|range|min(?:imum)?)"


def _row(
    pattern: str, build: Builder, flags: int = re.IGNORECASE
) -> tuple[re.Pattern[str], Builder]:
    """A row of the grammar."""
    return re.compile(pattern, flags), build


GRAMMAR: tuple[tuple[re.Pattern[str], Builder], ...] = (
    _row(
        r"\b(?:NCT\s?\d{8}|ISRCTN\s?\d{8}|EudraCT(?:\s*(?:number|no\.?))?[:\s]*\d{4}-\d{6}-\d{2}|"
        r"ACTRN\s?\d{14}|UMIN\s?\d{9}|DRKS\s?\d{8}|ChiCTR[-\w]*\d{6,}|jRCT\w?\d{9,})\b",
        _plain("registry"),
    ),
    _row(
        r"(?<![a-z])p(?:[\s-]*values?)?\s*(?:was\s*|of\s*|were\s*)?(?P<op>=|<|>|≤|≥|⩽|⩾)\s*"
        r"(?P<v>0?\s?[.·](?:\s?\d(?!\d))+(?=\s*[;,.)\]])|(?:\d\s?)?[.·]\s?\d+|\d(?![\d.·]))",
        _p_value,
    ),
    _row(
        rf"(?:(?:9\d(?:\.\d)?)\s*(?:%|percent|per cent)\s*)?"
        rf"(?:confidence\s+intervals?|confidence\s+limits?|credible\s+intervals?|\bCIs?\b|\bCrI\b)"
        rf"(?:\s*9\d\s*%)?(?:\s*[\[(]\s*(?:9\d\s*%\s*)?CI\s*[\])])?\s*[:=,]?\s*(?:of\s+|was\s+|from\s+)?"
        rf"[\[(]?\s*(?P<lo>{SIGNED})\s*%?{_SIGN_TO}(?P<hi>{SIGNED})(?:\s*%)?",
        _interval("ci"),
    ),
    _row(
        r"\b(?:\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)[\s-]?(?:year|yr|month|week|day)s?[\s-]old\b"
        r"|\bage[ds]?\b(?:\s+(?:of|was|between|from|range|ranged|over|under|above|below))*[\s:,(]*"
        rf"(?:{DIGITS})(?:{TO}(?:{DIGITS}))?(?:\s*(?:±|\+/-)\s*(?:{DIGITS}))?(?:\s*years?)?"
        rf"(?:\s*[\[(][^)\]]{{0,30}}[)\]])?"
        rf"|\bage\s+(?:of\s+\w+\s+)?(?:was\s+)?(?:{DIGITS})\s+years?(?:\s*[\[(][^)\]]{{0,30}}[)\]])?"
        rf"|\b(?:younger|older)\s+than\s+(?:{DIGITS})\s+years?|(?:{DIGITS})\s+years\s+(?:of age|old)",
        _plain("age"),
    ),
    _row(
        rf"\b{_MONTH}\.?\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?(?:19|20)\d\d\b"
        rf"|\b(?:in|from|since|until|between|during|and|to|of|by)\s+(?:19|20)\d\d(?![\d.·]|\s*(?:{PEOPLE}|mg|g|ml)\b)"
        rf"|\b\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}\b|(?:19|20)\d\d\s*[-–]\s*(?:19|20)\d\d",
        _plain("date"),
    ),
    _row(
        rf"(?<![\d.])(?:{DIGITS})\s?:\s?(?:{DIGITS})(?:\s?:\s?(?:{DIGITS}))?(?!\s*\d)",
        _plain("ratio"),
    ),
    _row(
        r"\b(?:class|grade|stage|level|phase|type|study|group|part|step)\s+(?:[IVX]+|\d)\b(?!\s*[/%(])",
        _plain("level"),
    ),
    _row(
        rf"(?:[≥≤⩾⩽>]|\bat least|\bmore than|\bless than|\bgreater than|\bat most|\bup to|\bover(?=\s+\d)|\bno more than|<(?=\s*\d))"
        rf"\s*(?:an?\s+)?(?P<v>{DIGITS}|one|two|three|four|five|six)[\s-]*(?P<label>%|{_UNIT_TIME}|points?|grades?|mm|cm|kg)?"
        rf"|\b(?P<v2>{DIGITS}|one|two|three)\s+(?:%|points?\s+)?or\s+(?:more|less|greater)(?:\s+points?)?"
        rf"|\b(?P<v3>{DIGITS}|one|two|three)[\s-]points?\s+(?:or more|fall|drop|decrease|increase|improvement)",
        lambda m: Quantity("threshold", m.start(), m.end(), label=m.group()),
    ),
    _row(
        rf"(?:{DIGITS})\s*%\s*(?:(?:liquid|human|freeze-dried|intravenous|topical)\s+)?"
        r"(?=(?:IVIG|IV\s?Ig|IGIV|SCIG|immune|immuno|saline|albumin|caprylate|dextrose|glucose|"
        r"solution|lidocaine|capsaicin|pilocarpine|cream|gel|patch|sucrose)\w*)"
        rf"|(?<=IVIg )(?:{DIGITS})\s*%|(?<=immunoglobulin )(?:{DIGITS})\s*%"
        rf"|\b(?:pilocarpine|liquid)\s+(?:{DIGITS})\s*%",
        _plain("concentration"),
    ),
    _row(
        rf"(?:\bn\s*=\s*)?(?<![\d/.·])(?P<a>\d{{1,5}})\s?/\s?(?P<b>\d{{1,5}})(?![\d/]|[.·,]\d|\s?(?:kg|m2|d\b|day|week|mo|min|h\b|mm))"
        rf"(?:\s+(?P<noun>{PEOPLE})\b)?",
        _fraction,
    ),
    _row(
        rf"\b(?P<a>all|both)\s+(?:of\s+)?(?:the\s+|our\s+|these\s+)?(?P<b>{COUNT})\s+(?:[\w-]+\s+)?(?:{PEOPLE})\b",
        _fraction,
    ),
    _row(
        rf"(?<!of )(?<!for )(?<!but )\b(?P<label>all)(?:\s+of)?(?:\s+the|\s+our|\s+these)?\s+(?:{PEOPLE})\b"
        r"|(?<!of )\b(?P<label2>all)(?=\s+(?:were|had|walked|improved|responded|recovered|showed)\b)"
        r"|(?<=\bin )all\b(?=\s*[,.;)(])",
        lambda m: Quantity("all", m.start(), m.end()),
    ),
    _row(
        rf"(?<![\w.·,/%-])(?P<a>{COUNT}|\ball\b|\bnone\b)(?:\s+(?:{PEOPLE}))?(?:\s*[\[(]\s*(?P<pct>{DIGITS})\s*%\s*[\])])?"
        rf"\s+(?:out\s+of|of|from)\s+(?:the\s+|these\s+|those\s+|all\s+|our\s+)?(?P<b>{COUNT})"
        rf"(?!\s*(?:%|{_UNIT_TIME}\b))(?:\s+(?:[\w-]+\s+){{0,2}}?(?P<noun>{PEOPLE}|muscle groups|nerves|segments|eyes|centres|centers|responders|scales|trials|studies|infusions|points)\b)?",
        _fraction,
    ),
    _row(
        rf"(?P<v>{SIGNED})\s*%?\s*(?:±|\+\s?/\s?[-–−]|\+-)\s*(?P<s>{DIGITS})(?:\s*%)?(?:\s*\(?(?P<label>SD|SEM?)\b\)?)?",
        _spread("mean_spread"),
    ),
    _row(
        rf"[\[(]\s*{_SPREAD_WORD}\s*[:=,]?\s*(?:±\s*)?(?P<s>{DIGITS})\s*%?\s*[\])]",
        _spread("spread"),
    ),
    _row(
        rf"[\[(]?\s*\b{_RANGE_WORD}\s*[:=,]?\s*(?:of\s+|from\s+|was\s+)?(?P<lo>{SIGNED})\s*%?{_SIGN_TO}(?:max(?:imum)?\s*)?(?P<hi>{SIGNED})(?:\s*%)?(?:\s*(?:{_UNIT_TIME}|points?|mm|cm))?\s*[\])]?",
        _interval("interval"),
    ),
    _row(
        rf"[\[(]\s*(?P<lo>{SIGNED})\s*%?(?:{TO}|\s*[,;]\s*)(?P<hi>{SIGNED})\s*%?(?:\s*(?:{_UNIT_TIME}))?\s*[\])]",
        _interval("interval"),
    ),
    _row(r"\bn\s*=\s*(?P<v>\d{1,3}(?:,\d{3})+|\d+)(?![\d.]|\s*/)", _number("n")),
    _row(
        rf"\b(?:at|by|to|on|after|until|within|over|through|for|during|before|from|between|in)?\s*(?:the\s+)?(?:end of\s+)?"
        rf"(?P<label>days?|weeks?|months?|years?)\s+(?P<v>\d+(?:\.\d+)?)(?:\s*(?:[-–]|to|and)\s*(?P<hi>\d+))?\b(?!\s*[%(]|[./]\d)",
        _number("timepoint"),
    ),
    _row(
        rf"(?P<v>{COUNT})(?:th|st|nd|rd)?[\s-]+(?:consecutive\s+)?(?P<label>day|week|month|year)\b(?!s)",
        _number("timepoint"),
    ),
    _row(rf"(?P<v>{SIGNED})\s*(?:%|per\s?cent\b)", _number("percent")),
    _row(
        rf"(?<![\d.·])(?P<v>{DIGITS}){TO}(?P<hi>{DIGITS})\s*(?P<label>{_UNIT_TIME})\b",
        _number("timepoint"),
    ),
    _row(rf"(?P<v>{COUNT}|{DIGITS})\s+(?P<label>{_UNIT_TIME})\b", _number("timepoint")),
    _row(rf"(?<![\w.·,/])(?P<lo>{DIGITS}){TO}(?P<hi>{DIGITS})(?![\w/])", _interval("interval")),
    _row(
        rf"(?<![\w/]){SIGNED}(?![\w/]|[.·,]\d)|\b(?i:both|none)\b|{COUNT}",
        lambda m: _count_or_number(m),
    ),
)


def _count_or_number(match: re.Match[str]) -> Quantity | None:
    """A bare number; "both" is two, "none" is no one."""
    word = match.group().strip().lower()
    value = {"both": 2.0, "none": 0.0}.get(word, parse_number(word))
    if value is None:
        return None
    return Quantity("number", match.start(), match.end(), value, label=word)


def within(found: tuple[Quantity, ...], start: int, end: int) -> Iterator[Quantity]:
    """Yield the quantities that lie in ``[start, end)``."""
    return (q for q in found if start <= q.start and q.end <= end)
