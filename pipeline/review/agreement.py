"""How far two or more people agree, before anybody settled what they differed on."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.review.paths import Path, parse, slot_of
from pipeline.review.resolve import latest, normal
from pipeline.schema import SCREENING, WHOLE, Event, in_order

#: The category of a field without a value.
NOTHING = "no value"
METRICS = ("nominal", "interval")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement on one field ("outcomes.events") over all records, or on a kind of fields.

    `n` counts what two people or more decided on, `equal` the share on which all said the same.
    `kappa` is there for two people and categories, `alpha` is nominal; `alpha_interval` is of the
    numbers alone, where all said one. None where a figure is not defined.
    """

    field: str
    kind: str
    n: int
    people: tuple[str, ...]
    equal: float | None
    kappa: float | None
    alpha: float | None
    alpha_interval: float | None


def percent_agreement(units: Sequence[Sequence[Hashable]]) -> float | None:
    """Return the share of units on which all ratings are the same; None without a unit of two."""
    rated = [unit for unit in units if len(unit) > 1]
    return sum(len(set(unit)) == 1 for unit in rated) / len(rated) if rated else None


def cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Return Cohen's kappa of two people.

    Parameters
    ----------
    pairs : sequence of (category, category)
        What the first and what the second said of each unit.

    Returns
    -------
    float or None
        None where it is not defined: no unit, or both always said one and the same.

    References
    ----------
    Cohen (1960), *Educational and Psychological Measurement* 20: 37-46, eq. 1:
    (p_o - p_c) / (1 - p_c).
    """
    n = len(pairs)
    if n == 0:
        return None
    first, second = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    observed = sum(a == b for a, b in pairs) / n
    chance = sum(first[c] * second[c] for c in first) / n**2
    return None if chance == 1 else (observed - chance) / (1 - chance)


def krippendorff_alpha(units: Sequence[Sequence[Any]], *, metric: str = "nominal") -> float | None:
    """Return Krippendorff's alpha of any number of people, some of whom may be silent.

    Parameters
    ----------
    units : sequence of sequences
        The ratings of each unit; who gave which does not matter. Units of one rating are left out.
    metric : str
        "nominal" for categories, "interval" for numbers.

    Returns
    -------
    float or None
        None where it is not defined: no two ratings of a unit, or no two that differ at all.

    References
    ----------
    Krippendorff (2011), *Computing Krippendorff's Alpha-Reliability*, section C:
    1 - D_o / D_e over the coincidences of the pairable values, each unit's pairs weighted by
    1 / (m_u - 1).
    """
    if metric not in METRICS:
        raise ValueError(f"Invalid metric {metric!r}; must be one of {', '.join(METRICS)}.")
    paired = [unit for unit in units if len(unit) > 1]
    values = Counter(value for unit in paired for value in unit)
    n = sum(values.values())
    within = sum(_differences(Counter(unit), metric) / (len(unit) - 1) for unit in paired)
    between = _differences(values, metric)
    return 1 - (n - 1) * within / between if between else None


def _differences(counts: Counter[Any], metric: str) -> float:
    """The sum of the differences of all ordered pairs of values."""
    n = sum(counts.values())
    if metric == "nominal":
        return float(n * n - sum(m * m for m in counts.values()))
    mean = sum(float(v) * m for v, m in counts.items()) / n if n else 0.0
    return 2 * n * sum(m * (float(v) - mean) ** 2 for v, m in counts.items())


def agreement(events: Iterable[Event], *, by_kind: bool = False) -> list[Agreement]:
    """Return the agreement on each field, by the name of the field, or on each kind of fields.

    Of each person counts the last word before they had finished the record, and before the field
    was adjudicated: what they said without knowing the other's. (In mode "verify" the second sees
    what the first said, and the figures are no independent agreement.)

    Parameters
    ----------
    events : iterable of Event
        Of all records, in any order.
    by_kind : bool
        Whether all numbers, choices, texts, heads of rows and screenings are taken together; they
        have no interval alpha then, which the largest numbers alone would make.
    """
    by_field: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in _independent(list(events)):
        by_field[event.decision.record_id, event.decision.field].append(event)
    rated: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for (_, field), said in sorted(by_field.items()):
        path = parse(field)
        if path is None or path.name == WHOLE:
            continue
        words = {w.who: w.value for w in latest(path, said, _old(said))}
        if len(words) > 1:
            name, kind = _named(path)
            rated["" if by_kind else name, kind].append(words)
    return [_figures(*named, units) for named, units in sorted(rated.items())]


def _independent(events: Sequence[Event]) -> list[Event]:
    """The events that people made before they finished, and before an adjudication."""
    ends: dict[tuple[str, str], str] = {}
    for event in events:
        decision = event.decision
        key = decision.record_id, decision.who
        if decision.verdict == "finished":
            ends[key] = min(decision.when, ends.get(key, decision.when))
    kept, settled = [], set()
    for event in in_order(events):
        decision = event.decision
        place = decision.record_id, decision.field
        end = ends.get((decision.record_id, decision.who))
        if decision.verdict == "adjudicated":
            settled.add(place)
        late = end is not None and decision.when > end and decision.field != SCREENING
        if place not in settled and not late:
            kept.append(event)
    return kept


def _old(events: Sequence[Event]) -> Any:
    """What was suggested, for an acceptance that does not say of what."""
    text = next((e.decision.old for e in events if e.decision.old is not None), None)
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


def _named(path: Path) -> tuple[str, str]:
    """A field's name, the same in all records, and its kind."""
    slot = slot_of(path)
    kind = SCREENING if path.name == SCREENING else slot.kind if slot else "row"
    return f"{path.rows}.{path.name}".strip("."), kind


def _figures(name: str, kind: str, units: Sequence[dict[str, Any]]) -> Agreement:
    """The figures on one field."""
    people = tuple(sorted({who for unit in units for who in unit}))
    categories = [[_category(value) for value in unit.values()] for unit in units]
    numbers = [
        [v for v in unit.values() if isinstance(v, int | float) and not isinstance(v, bool)]
        for unit in units
    ]
    whole = [
        ratings for ratings, unit in zip(numbers, units, strict=True) if len(ratings) == len(unit)
    ]
    both = len(people) == 2 and kind != "number"
    pairs = [(_category(unit[people[0]]), _category(unit[people[1]])) for unit in units if both]
    return Agreement(
        name,
        kind,
        len(units),
        people,
        percent_agreement(categories),
        cohen_kappa(pairs),
        krippendorff_alpha(categories),
        krippendorff_alpha(whole, metric="interval") if name and kind == "number" else None,
    )


def _category(value: Any) -> str:
    """A value as a category: what only looks different is the same."""
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return f"text {normal(value)}"
    if isinstance(value, tuple | list):
        return " to ".join(map(_category, value))
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_category(v)}" for k, v in sorted(value.items()))
    return f"{float(value):.12g}"
