"""Pairs the values of a predicted record with those of its gold record, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluate import values
from pipeline.evaluate.values import COURSE_TOLERANCE, Json, agreeing, dose_key, number, plain

#: Every field that is judged, in the order of the record.
FIELDS = (
    "design",
    "include_in_pool",
    "comparison_class",
    "condition_mesh",
    "n_total",
    "n_enrolled",
    "n_completed",
    "arms.n",
    "arms.role",
    "doses",
    "doses.duration_days",
    "doses.phase",
    "doses.route",
    "doses.total_per_course_g_per_kg",
    "outcomes",
    "outcomes.measure",
    "outcomes.type",
    "outcomes.direction",
    "outcomes.timepoint",
    "outcomes.effect_measure",
    *(f"outcomes.{slot}" for slot in values.SLOTS),
    "registry_ids",
)


@dataclass(frozen=True, slots=True)
class Match:
    """One value that gold, the prediction or both hold; None for the side that lacks it.

    The values stand as in the records, a prediction's with its quote; `told` is what gold says
    about the place ("0.4 g/kg/day for 5 days"). A field whose matches are right, of all that gold
    holds, is its recall; of all that is predicted, its precision.
    """

    record_id: str
    field: str
    gold: Any
    predicted: Any
    right: bool
    told: str = ""


#: What stands for the name of an outcome that the reader left without one.
NAMELESS = "(no name)"

#: (field, gold, predicted, right, told): a match that does not know its record yet.
_Found = tuple[str, Any, Any, bool, str]


def match(record_id: str, gold: Json, predicted: Json) -> list[Match]:
    """Return the matches of a record.

    Parameters
    ----------
    record_id : str
    gold, predicted : mapping
        Published records (docs/record.md), the gold one with or without quotes; {} where nothing
        was predicted.
    """
    found: list[_Found] = [
        *_words(gold, predicted),
        *_numbers(gold, predicted),
        *_arms(gold, predicted),
        *_doses(gold, predicted),
        *_outcomes(gold, predicted),
        *_registrations(gold, predicted),
    ]
    return [Match(record_id, *parts) for parts in found]


def pair_outcomes(gold: Sequence[Json], predicted: Sequence[Json]) -> dict[int, int]:
    """Pair outcomes, most agreeing numbers first; one of a family counts half a number more.

    A pair agrees in a number beside sizes, where gold has one.
    """
    weighed = []
    for i, g in enumerate(gold):
        wanted = values.slots(g)
        core = set(wanted) - values.SIZES
        for j, p in enumerate(predicted):
            hits = agreeing(wanted, values.slots(p))
            if hits and (not core or hits & core):
                alike = values.family(g.get("measure")) == values.family(p.get("measure"))
                weighed.append((-(len(hits) + 0.5 * alike), i, j))
    pairs: dict[int, int] = {}
    for _, i, j in sorted(weighed):
        if i not in pairs and j not in pairs.values():
            pairs[i] = j
    return pairs


def _words(gold: Json, predicted: Json) -> Iterator[_Found]:
    """Design, eligibility, comparison and condition."""
    yield from _one("design", gold, predicted, values.same_word)
    eligible, said = (bool(plain(r.get("include_in_pool"))) for r in (gold, predicted))
    if eligible or said:
        yield "include_in_pool", eligible or None, said or None, eligible and said, ""
    yield from _one("comparison_class", gold, predicted, _one_of)
    g, p = ({"condition_mesh": _mesh(r)} for r in (gold, predicted))
    yield from _one("condition_mesh", g, p, values.same_word)


def _mesh(record: Json) -> Any:
    """The condition's descriptor, with the quote of the condition where it has one."""
    mesh, condition = record.get("condition_mesh"), record.get("condition")
    return {**condition, "value": mesh} if mesh and isinstance(condition, Mapping) else mesh


def _one_of(gold: Any, predicted: Any) -> bool:
    """Whether a word is one that gold allows: "Ig vs no treatment / Ig dose regimen"."""
    return any(values.same_word(g, predicted) for g in str(plain(gold)).split(" / "))


def _numbers(gold: Json, predicted: Json) -> Iterator[_Found]:
    """The numbers of patients."""
    for name in ("n_total", "n_enrolled", "n_completed"):
        yield from _one(name, gold, predicted, _same_number)


def _same_number(gold: Any, predicted: Any) -> bool:
    """Whether two values hold the same number."""
    return values.same(number(gold), number(predicted))


def _one(
    name: str,
    gold: Json,
    predicted: Json,
    agree: Callable[[Any, Any], bool],
    *,
    prefix: str = "",
    told: str = "",
) -> Iterator[_Found]:
    """The match of one scalar, where either side has it."""
    g, p = (
        r.get(name) if plain(r.get(name)) not in (None, "", []) else None for r in (gold, predicted)
    )
    if g is not None or p is not None:
        right = g is not None and p is not None and agree(g, p)
        yield prefix + name, plain(g), p, right, told


def _arms(gold: Json, predicted: Json) -> Iterator[_Found]:
    """Arm sizes as multisets, the same role first among equal ones; the roles of those matched."""
    wanted, free = _sized(gold), _sized(predicted)
    left = []
    for g in wanted:
        alike = [p for p in free if number(p["n"]) == number(g["n"])]
        if not alike:
            left.append(g)
            continue
        hit = next((p for p in alike if plain(p.get("role")) == plain(g.get("role"))), alike[0])
        free.remove(hit)
        yield "arms.n", plain(g["n"]), hit["n"], True, _told(g)
        yield from _one("role", g, hit, values.same_word, prefix="arms.", told=_told(g))
    yield from (("arms.n", plain(g["n"]), None, False, _told(g)) for g in left)
    yield from (("arms.n", None, p["n"], False, "") for p in free)


def _sized(record: Json) -> list[Json]:
    """The arms whose size is known."""
    return [a for a in record.get("arms") or [] if number(a.get("n")) is not None]


def _told(part: Json) -> str:
    """What gold says about the place of an arm, a dose or an outcome."""
    return str(part.get("text") or part.get("label") or "")


def _doses(gold: Json, predicted: Json) -> Iterator[_Found]:
    """Doses by amount, unit and per; of those matched their days, phase and route."""
    wanted = [d for d in gold.get("doses") or [] if dose_key(d)]
    all_of = [d for d in predicted.get("doses") or [] if dose_key(d)]
    free = list(all_of)
    for g in wanted:
        hit = next((d for d in free if dose_key(d) == dose_key(g)), None)
        yield "doses", _dose_words(g), hit and hit["amount"], hit is not None, _told(g)
        if hit is not None:
            free.remove(hit)
            told = _told(g)
            yield from _one("duration_days", g, hit, _same_number, prefix="doses.", told=told)
            for name in ("phase", "route"):
                yield from _one(name, g, hit, values.same_word, prefix="doses.", told=told)
    yield from (("doses", None, d["amount"], False, "") for d in free)
    yield from _totals(wanted, all_of)


def _dose_words(dose: Json) -> str:
    """A dose in a word for a table of misses: "0.4 g/kg/day"."""
    amount, unit, per = (plain(dose.get(k)) for k in ("amount", "unit", "per"))
    shown = "-".join(map(str, amount)) if isinstance(amount, list) else str(amount)
    return f"{shown} {unit or ''}{f'/{per}' if per else ''}"


def _totals(gold: Sequence[Json], predicted: Sequence[Json]) -> Iterator[_Found]:
    """Totals of a course: any predicted one may answer, also several gold ones."""
    name = "total_per_course_g_per_kg"
    said = [d[name] for d in predicted if number(d.get(name)) is not None]
    used: list[Any] = []
    for g in gold:
        total = number(g.get(name))
        if total is not None:
            hit = next((t for t in said if values.same(total, number(t), COURSE_TOLERANCE)), None)
            used.append(hit)
            yield f"doses.{name}", plain(g[name]), hit, hit is not None, _told(g)
    extra = (t for t in said if not any(t is u for u in used))
    yield from ((f"doses.{name}", None, t, False, "") for t in extra)


def _outcomes(gold: Json, predicted: Json) -> Iterator[_Found]:
    """Outcomes whole ("every number right, the same family") and number by number.

    Numbers are judged in matched outcomes, and missed in those that have no match. A predicted
    outcome that gold lacks counts against `outcomes` alone: gold lists the main ones.
    """
    wanted = [o for o in gold.get("outcomes") or [] if values.is_result(o)]
    said = list(predicted.get("outcomes") or [])
    pairs = pair_outcomes(wanted, said)
    for i, g in enumerate(wanted):
        yield from _row(g, said[pairs[i]] if i in pairs else None)
    for j, p in enumerate(said):
        if j not in pairs.values() and values.is_result(p):
            yield "outcomes", None, p.get("measure") or NAMELESS, False, ""


def _row(gold: Json, predicted: Json | None) -> Iterator[_Found]:
    """An outcome of gold with its match."""
    told, g = _told(gold), values.places(gold)
    p = values.places(predicted) if predicted is not None else {}
    wanted, said = values.slots(gold), values.slots(predicted or {})
    hits = agreeing(wanted, said)
    alike = predicted is not None and _alike(gold.get("measure"), predicted.get("measure"))
    strict = alike and len(hits) == len(wanted)
    yield "outcomes", gold.get("measure"), (predicted or {}).get("measure"), strict, told
    for slot in (s for s in values.SLOTS if s in g or s in p):
        yield f"outcomes.{slot}", plain(g.get(slot)), p.get(slot), slot in hits, told
    if predicted is not None:
        yield from _row_words(gold, predicted, told)


def _alike(gold: Any, predicted: Any) -> bool:
    """Whether two names of a measure are of one family."""
    return values.family(gold) == values.family(predicted)


def _row_words(gold: Json, predicted: Json, told: str) -> Iterator[_Found]:
    """The words of a matched outcome, and when it was measured."""
    yield from _one("measure", gold, predicted, _alike, prefix="outcomes.", told=told)
    for name in ("type", "direction", "effect_measure"):
        yield from _one(name, gold, predicted, values.same_word, prefix="outcomes.", told=told)
    g, p = ({"timepoint": _days(o)} for o in (gold, predicted))
    yield from _one("timepoint", g, p, _same_number, prefix="outcomes.", told=told)


def _days(outcome: Json) -> Any:
    """When an outcome was measured, in days, with its quote where it has one."""
    time = outcome.get("timepoint")
    if not isinstance(time, Mapping):
        return time
    days = time.get("days")
    return None if days is None else {"value": days, "quote": time.get("quote")}


def _registrations(gold: Json, predicted: Json) -> Iterator[_Found]:
    """Trial registrations as sets, white space apart."""
    wanted, said = (_folded(r.get("registry_ids") or []) for r in (gold, predicted))
    yield from (("registry_ids", k, said.get(k), k in said, "") for k in wanted)
    yield from (("registry_ids", None, said[k], False, "") for k in said if k not in wanted)


def _folded(names: Iterable[Any]) -> dict[str, Any]:
    """Registrations by their name without white space, in capitals."""
    return {"".join(str(plain(n)).split()).upper(): n for n in names}
