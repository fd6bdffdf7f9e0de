"""The grammar of an amount: numbers, alone or in a list, with a unit and what it is relative to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import DIGITS, MINUS, TO, parse_number
from pipeline.extract.starts import Starts

Span = tuple[int, int]
Amount = float | tuple[float, float]

#: A number of a dose; "0. 4" is a damaged 0.4, and "0,4" can be no list.
NUMBER = rf"(?:0[.·]\s\d++|0,\d{{1,2}}(?!\d)|{DIGITS})"
_ENDS = rf"(?:{TO}|\s*--\s*)"
#: A range, or one number with the hyphen of "10-, 20- and 40-mg".
_ONE_OF = rf"{NUMBER}(?:{_ENDS}{NUMBER}|(?:\s?[-‐‑](?=\s*(?:,|or\b|and\b|to\b|/)))?)"
_LAST = r"(?:\s*,?\s+(?:and|or|and/or|versus|vs\.?)\s+)"
_LIST = (
    rf"{_ONE_OF}(?:(?:\s*,\s*{_ONE_OF}){{1,6}}{_LAST}{_ONE_OF}|{_LAST}{_ONE_OF}"
    rf"|(?:\s?/\s?{NUMBER}){{1,4}})?"
)
#: "x 10(6)", "× 10^6", "million": what the number is to be multiplied by.
_POWER = (
    r"(?:\s*[x×]\s*10\s?(?:\((?P<p1>\d)\)|\^(?P<p2>\d)|<sup>(?P<p3>\d)</sup>)"
    r"|\s+(?P<million>million)(?=\s+(?:I\.?U|U)))"
)
#: What may stand between a mean or median and its unit: "243 ± 26 mg", "27.0 (9-54) mg".
_SPREAD = (
    rf"(?P<spread>\s*(?:±|\+\s?/\s?[{MINUS}]|\+{MINUS[0]})\s*{NUMBER}"
    rf"|\s*\([a-z\s]{{0,12}}{NUMBER}(?:{_ENDS}{NUMBER})?\))"
)
_DASH = r"[\s\-‐‑–]"
#: "-1" as an exponent, and what joins a factor to the one before it: "mg.kg-1", "mg x kg(-1)".
_MINUS_1 = r"(?:<sup>)?\(?[-−–‐]\s?1\)?(?:</sup>)?"
_TIMES = r"[\s.·⋅•∙×*x]{1,3}"
_PER = r"(?:\s?/\s?|\s+per\s+)"
_WEIGHT = (
    rf"(?:{_PER}|{_TIMES}(?=kg\s?{_MINUS_1}))(?P<weight>(?:kg|kilogramm?e?|kilo)\b(?:\s?{_MINUS_1})?)"
    r"(?:[\s-]*(?:of\s+)?(?:body[\s-]?weight|BW\b|b\.\s?w\.))?"
)
_AREA = (
    rf"{_PER}(?P<area>m\s?(?:2|²|\^\s?\{{?2\}}?|\(\s?2\s?\)|<sup>\s?2\s?</sup>)|sqm\b"
    rf"|square\s+met(?:er|re)|sq\.?\s?m\b)"
    rf"|{_TIMES}(?P<area1>m\s?(?:<sup>)?\(?[-−–‐]\s?2\)?(?:</sup>)?)"
)
_BODY = rf"(?:{_WEIGHT}|{_AREA}|\s?/\s?(?:body|puff|inhalation|actuation|tablet|capsule|dose)\b)"
_RATE = (
    rf"(?:(?:{_PER}|\s+an?\s+)(?:(?P<hour>h|hr|hour)|(?P<minute>min|minute))\b"
    rf"|{_TIMES}(?:(?P<hour1>h|hr)|(?P<minute1>min))\s?{_MINUS_1})"
)
#: What makes an amount a concentration or a ratio: per volume, per gram, percent.
_PER_VOLUME = (
    r"(?:\s?%|\s?(?:/|\bper\b)\s?(?:100\s?)?(?:(?:d|m|c|µ|μ|u|n)?l\b"
    r"|(?:deci|milli|micro)?lit(?:er|re)s?\b|(?:g|mg|ng|gram|mmol|mol|cm|mm|cc)\b|[cm]m[23²³]"
    r"|m[3³]|cell|10\W?\d|1000\b|million\b|serving)"
    r"|[\s.·⋅•∙×*x]{0,3}(?:d|m|µ|μ)?l\s?(?:<sup>)?\(?[-−–‐]\s?1|[\s.·]{1,2}dL\b)"
)
_ROWS = rules("dose_units")
_TERMS = {t.casefold(): row for row in _ROWS if not row.get("exact") for t in row["terms"]}
#: Terms whose case decides: "mU" are thousandths, "MU" are millions.
_EXACT = {t: row for row in _ROWS if row.get("exact") for t in row["terms"]}
_UNIT = "|".join(
    re.escape(t).replace(r"\ ", r"\s?") for t in sorted(_TERMS, key=lambda t: (-len(t), t))
)

#: Where an amount may begin: not inside a number or word, nor behind a sign; "a mg/200 mg" may.
_START = rf"(?:(?<=[a-z]/)|(?<![\w.·,/%<^\-{MINUS[1:]}]))(?<!\s\+)(?<!\(\+)"
#: An amount with its unit: "0.5, 1.0 or 2.0 g/kg", "10-, 20- and 40-mg", "1.8 x 10(6) IU".
HEAD = Starts(
    re.compile(
        rf"{_START}(?P<amounts>{_LIST}){_POWER}?{_SPREAD}?{_DASH}?(?P<unit>{_UNIT})(?![A-Za-zµμ])"
        rf"{_BODY}?(?!{_PER_VOLUME}){_RATE}?(?![\w%])(?!{_PER_VOLUME})",
        re.IGNORECASE,
    )
)
_ONE = re.compile(rf"(?P<low>{NUMBER})(?:{_ENDS}(?P<high>{NUMBER}))?")
#: What a number is of that stands before "and 20 mg": "weeks 4 and 20 mg".
_FIRST_IS_OTHER = re.compile(
    r"(?:[=<>≤≥]|\b(?:days?|weeks?|months?|years?|ages?|aged|n|no|phase|group|grade|stage|type|at|in"
    r"|visits?))\s*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Head:
    """An amount as found, with its unit: what a dose is read from."""

    start: int
    end: int
    amounts: tuple[tuple[Amount, Span], ...]
    unit: str
    beside_drug: bool
    spread: bool


def heads(text: str, start: int, end: int) -> Iterator[Head]:
    """Yield the amounts with units of ``text[start:end]``, doses or not."""
    for match in HEAD.finditer(text, start, end):
        amounts = tuple(_amounts(text, match))
        printed = re.sub(r"\s+", " ", match["unit"])
        row = _EXACT.get(printed) or _TERMS.get(printed.casefold())
        row = row or _TERMS.get(printed.replace(" ", "").casefold())
        if not amounts or row is None:
            continue
        unit = _unit(row["unit"], match)
        if row.get("volume") and (text[match.start() - 1 : match.start()] == "/" or _rate(match)):
            continue
        beside = row.get("rank") == "beside a drug" and not match["weight"]
        yield Head(
            amounts[0][1][0],
            match.end(),
            amounts,
            unit,
            beside,
            match["spread"] is not None,
        )


def _unit(name: str, match: re.Match[str]) -> str:
    """A unit in one spelling: g/kg, mg/m2, mcg/kg/min, mg ..."""
    if match["million"] and name in ("IU", "U"):
        return f"M{name}"
    if match["weight"]:
        name += "/kg"
    elif match["area"] or match["area1"]:
        name += "/m2"
    return name + _rate(match)


def _rate(match: re.Match[str]) -> str:
    """ "/h" or "/min" where an amount is printed as a rate."""
    if match["hour"] or match["hour1"]:
        return "/h"
    return "/min" if match["minute"] or match["minute1"] else ""


def _amounts(text: str, match: re.Match[str]) -> Iterator[tuple[Amount, Span]]:
    """ "0.5, 1.0 or 2.0" are three amounts, "7 to 48" is one range; each with its place."""
    start, end = match.span("amounts")
    found = list(_ONE.finditer(text, start, end))
    if len(found) > 1 and _FIRST_IS_OTHER.search(text[max(0, start - 10) : start]):
        found = found[-1:]
    power = next((int(match[p]) for p in ("p1", "p2", "p3") if match[p]), 0)
    for one in found:
        low, high = _value(one["low"]), _value(one["high"]) if one["high"] else None
        if not low and high is None:  # "0, 75 or 150 mg": nothing was given
            continue
        low = low or 0.0
        low *= 10**power
        if high is None:
            yield low, one.span()
        elif low < high * 10**power:
            yield (low, high * 10**power), one.span()
        else:
            yield low, one.span("low")
            yield high * 10**power, one.span("high")


def _value(text: str) -> float | None:
    """A number, where "0,4" is 0.4."""
    return parse_number(re.sub(r"^0,(?=\d)", "0.", re.sub(r"\s", "", text)))
