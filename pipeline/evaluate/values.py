"""Says when two values of a published record agree: numbers, doses, slots of outcomes, words."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]
Number = float | tuple[float, ...]
DoseKey = tuple[tuple[float, ...], str, str]

#: The numbers of an outcome, in the order in which they are reported; a spread is an SD, an SE
#: or one without a label, since abstracts often leave open which it is.
SLOTS = (
    "value",
    "spread",
    "ci_low",
    "ci_high",
    "iqr",
    "range",
    "n",
    "events",
    "baseline_value",
    "baseline_spread",
    "comparator_value",
    "comparator_spread",
    "comparator_n",
    "comparator_events",
    "comparator_ci_low",
    "comparator_ci_high",
    "effect",
    "effect_ci_low",
    "effect_ci_high",
    "p_value",
)
#: Later ones win, where a row has several.
SPREADS = ("sd", "se", "spread_unlabelled")
#: Sizes alone make no result.
SIZES = frozenset({"n", "comparator_n"})
#: What a measure is about, by stems of its name: the first family with a stem in it; a stem that
#: begins with "^" begins a word, one that ends with "$" ends it.
FAMILIES: dict[str, str] = {
    "responder": "respon improv better remission relapse recover clear deteriorat worse stable "
    "discontinu completion switch repeat adverse walking_unaided",
    "pain": "^pain ^vas$ ^nrs$ analog",
    "disability": "incat onls odss disabil rankin ^mrs$ ^f-score ^fscore grade rods r-ods raynaud",
    "strength": "strength grip mrc mmt isokinetic isometric ^nds$ ^nis$ ^ams$ neuropathy_impair",
    "quality of life": "sf36 sf-36 eq5d eq-5d quality wellbeing well-being fatigue",
    "time": "time duration days",
    "electrophysiology": "conduction amplitude ienfd fiber fibre biops sweat aft block velocity",
}
#: A course's total is a product of printed numbers, which are rounded.
COURSE_TOLERANCE = 0.02
_PRINTED = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE]-?\d+)?")


def plain(value: Any) -> Any:
    """Return the value itself where it stands with its quote: {"value", "quote"}."""
    return value.get("value") if isinstance(value, Mapping) and "value" in value else value


def number(value: Any) -> Number | None:
    """Return the number (or numbers, of a list) that a value holds or prints; None for none."""
    value = plain(value)
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, list | tuple):
        numbers = [number(v) for v in value]
        return tuple(n for n in numbers if isinstance(n, float)) or None
    printed = _PRINTED.search(str(value).replace("·", "."))
    return float(printed.group()) if printed else None


def same(a: Number | None, b: Number | None, tolerance: float = 1e-6) -> bool:
    """Return whether two numbers, or all of two ranges, are equal but for rounding."""
    if a is None or b is None:
        return False
    if isinstance(a, tuple) or isinstance(b, tuple):
        left, right = (x if isinstance(x, tuple) else (x,) for x in (a, b))
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(same(x, y, tolerance) for x, y in pairs)
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=1e-9)


def same_slot(slot: str, a: Number, b: Number) -> bool:
    """Return whether two numbers of a slot agree; the sign of a change is a convention."""
    if slot in ("value", "comparator_value") and isinstance(a, float) and isinstance(b, float):
        return same(abs(a), abs(b))
    return same(a, b)


def same_word(a: Any, b: Any) -> bool:
    """Return whether two words agree, whatever their case."""
    return str(plain(a)).casefold() == str(plain(b)).casefold()


def places(outcome: Json) -> dict[str, Any]:
    """Return the values of an outcome's slots as they stand, without those that hold no number."""
    found: dict[str, Any] = {}
    for side in ("", "baseline_", "comparator_"):
        for name in SPREADS:
            if number(outcome.get(side + name)) is not None:
                found[side + "spread"] = outcome[side + name]
    named = (s for s in SLOTS if not s.endswith("spread"))
    return found | {s: outcome[s] for s in named if number(outcome.get(s)) is not None}


def slots(outcome: Json) -> dict[str, Number]:
    """Return the numbers of an outcome by slot."""
    numbers = {slot: number(value) for slot, value in places(outcome).items()}
    return {slot: n for slot, n in numbers.items() if n is not None}


def agreeing(gold: Mapping[str, Number], predicted: Mapping[str, Number]) -> set[str]:
    """Return the slots in which two outcomes agree."""
    return {s for s, n in gold.items() if s in predicted and same_slot(s, n, predicted[s])}


def is_result(outcome: Json) -> bool:
    """Return whether an outcome holds more than sizes."""
    return bool(set(slots(outcome)) - SIZES)


def family(measure: Any) -> str:
    """Return the family of a measure's name, "other" for none."""
    text = str(plain(measure) or "").lower()
    return next((name for name, rx in _FAMILIES.items() if rx.search(text)), "other")


def dose_key(dose: Json) -> DoseKey | None:
    """Return amounts in g or g/kg, the unit and "per"; None without an amount."""
    amount = number(dose.get("amount"))
    if amount is None:
        return None
    unit = str(plain(dose.get("unit")) or "").lower().replace("gm", "g")
    scale = 0.001 if unit.startswith("mg") else 1.0
    amounts = amount if isinstance(amount, tuple) else (amount,)
    scaled = tuple(round(a * scale, 6) for a in amounts)
    return scaled, unit.removeprefix("m") if unit.startswith("mg") else unit, _per(dose)


def _per(dose: Json) -> str:
    """Per what a dose is given, "" where that is open."""
    return str(plain(dose.get("per")) or "")


def _stem(stem: str) -> str:
    """The regex of a stem."""
    body = re.escape(stem.strip("^$").replace("_", " "))
    return (r"\b" if stem.startswith("^") else "") + body + (r"\b" if stem.endswith("$") else "")


_FAMILIES = {name: re.compile("|".join(map(_stem, s.split()))) for name, s in FAMILIES.items()}
