"""Builds the study that counts from the states of its fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.review.paths import HEAD, PLAIN_ROWS, ROWS, STUDY_FIELDS, row_slots
from pipeline.review.resolve import same
from pipeline.review.rows import Row
from pipeline.review.states import FieldState
from pipeline.schema import Outcome, Problem, Reading, Study, Timepoint

#: The rule of a value that a person entered without a phrase of the text.
ENTERED = "entered by a reviewer"
#: That of a value whose phrase is not in the text any more.
MOVED = "decided by a reviewer; its evidence moved"
#: The design where people took the one read out, or differ on it.
NO_DESIGN = Reading("other", derived="rejected by a reviewer")
#: Which count cannot exceed which.
WITHIN = (("events", "n"), ("comparator_events", "comparator_n"))


def build(
    study: Study, rows: Sequence[Row], states: Sequence[FieldState]
) -> tuple[Study, list[Problem]]:
    """Return the study that counts.

    Parameters
    ----------
    study : Study
        As read.
    rows : sequence of Row
        Its rows, those that only decisions know among them.
    states : sequence of FieldState
        The states of all its fields.

    Returns
    -------
    study : Study
    problems : list of Problem
        Counts that contradict each other: what nobody has checked is left out, and both if people
        entered both.
    """
    by_path = {state.field.path: state for state in states}
    changes: dict[str, Any] = {n: _reading(getattr(study, n), by_path[n]) for n in STUDY_FIELDS}
    design = by_path["design"]
    mark = design.state if design.reviewed else ""
    changes["design"] = changes["design"] or replace(NO_DESIGN, reviewed=mark)
    if not same(changes["condition"] and changes["condition"].value, _value(study.condition)):
        changes["condition_mesh"] = None  # the heading of another condition
    problems: list[Problem] = []
    for kind in (*ROWS, PLAIN_ROWS):
        built = (_row(row, by_path, problems) for row in rows if row.kind == kind)
        changes[kind] = tuple(item for item in built if item is not None)
    named = [replace(p, record_id=study.record_id) for p in problems]
    return replace(study, **changes), named


def _value(reading: Reading[str] | None) -> str | None:
    """A reading's value."""
    return reading.value if reading else None


def _row(row: Row, by_path: Mapping[str, FieldState], problems: list[Problem]) -> Any:
    """A row as it counts; None for one that has left the study."""
    head = by_path[row.path]
    if row.kind == PLAIN_ROWS:
        return _reading(row.item, head)
    own = {name: by_path[f"{row.path}.{name}"] for name in row_slots(row.kind)}
    words = _words(row, head, own)
    if words is None:
        return None
    values: dict[str, Any] = {
        name: _reading(getattr(row.item, name, None), state)
        for name, state in own.items()
        if not name.startswith("timepoint.")
    }
    checked = [name for name in HEAD[row.kind] if head.reviewed and words.get(name)]
    if row.kind == "outcomes":
        values["timepoint"] = _timepoint(row, own)
        checked += ["timepoint"] if own["timepoint.text"].reviewed and values["timepoint"] else []
    _refuse_contradictions(row, values, problems)
    quote = None if row.gone else row.quote
    quote = quote or head.evidence or _first_quote(values)
    return ROWS[row.kind](**words, **values, quote=quote, reviewed=tuple(checked))


def _words(row: Row, head: FieldState, own: Mapping[str, FieldState]) -> dict[str, Any] | None:
    """The words of a row's head; None where the row does not count."""
    if head.reviewed:
        words = head.value
        if not isinstance(words, dict):
            return None
    elif row.item is None or (head.value is None and not row.gone):
        return None
    else:
        if row.gone and not any(s.reviewed and s.value is not None for s in own.values()):
            return None
        words = {name: getattr(row.item, name) for name in HEAD[row.kind]}
    made = {name: words[name] for name in HEAD[row.kind] if words.get(name) is not None}
    return {"measure": "", **made} if row.kind == "outcomes" else made


def _reading(was: Any, state: FieldState) -> Any:
    """A field's reading as it counts."""
    value = tuple(state.value) if isinstance(state.value, list) else state.value
    if value is None:
        return None
    if not state.reviewed:
        return was
    mark = state.state
    if isinstance(was, Reading) and not state.field.gone and same(was.value, value):
        chosen = state.resolution.event and state.resolution.event.decision.verdict == "corrected"
        quote = state.evidence if chosen and state.evidence else was.quote
        return replace(was, quote=quote, reviewed=mark)
    derived = "" if state.evidence else MOVED if state.moved else ENTERED
    return Reading(value, state.evidence, derived, reviewed=mark)


def _timepoint(row: Row, own: Mapping[str, FieldState]) -> Timepoint | None:
    """When an outcome was measured, as it counts."""
    text, days = own["timepoint.text"], own["timepoint.days"]
    if text.value is None and days.value is None:
        return None
    was = getattr(row.item, "timepoint", None)
    number = tuple(days.value) if isinstance(days.value, list) else days.value
    kept = was.quote if was is not None and not row.gone else None
    return Timepoint(text.value or "", number, text.evidence or kept or days.evidence)


def _first_quote(values: Mapping[str, Any]) -> Any:
    """The quote of a row that has none of its own: its first reading's."""
    quotes = (value.quote for value in values.values() if isinstance(value, Reading))
    return next((quote for quote in quotes if quote is not None), None)


def _refuse_contradictions(row: Row, values: dict[str, Any], problems: list[Problem]) -> None:
    """Take out events that exceed their n, and n: what nobody checked, else both."""
    if row.kind != "outcomes":
        return
    for pair in WITHIN:
        events, n = (values[name] for name in pair)
        if events is None or n is None or events.value <= n.value:
            continue
        checked = [name for name in pair if values[name].reviewed]
        for name in pair:
            if len(checked) != 1 or name not in checked:
                values[name] = None
        problems.append(
            Problem(
                "review_contradiction",
                f"{events.value} events exceed n = {n.value}: "
                + ("both are left out." if len(checked) != 1 else "what was checked stays."),
            )
        )


def checked(study: Study) -> bool:
    """Return whether a person's word stands behind every value of a study, and nobody differs."""
    if any(problem.code == "review_conflict" for problem in study.problems):
        return False
    own = [getattr(study, name) for name in STUDY_FIELDS]
    readings = [r for r in (*own, *study.registry_ids) if r is not None]
    rows = (*study.arms, *study.doses, *study.outcomes)
    return all(r.reviewed for r in readings) and all(row_checked(row) for row in rows)


def row_checked(row: Any) -> bool:
    """Return whether a person's word stands behind every value of an arm, dose or outcome."""
    kind = next(name for name, cls in ROWS.items() if isinstance(row, cls))
    words = [name for name in HEAD[kind] if getattr(row, name)]
    if isinstance(row, Outcome) and row.timepoint is not None:
        words.append("timepoint")
    held = (getattr(row, name, None) for name in row_slots(kind))
    readings = [value for value in held if isinstance(value, Reading)]
    return set(words) <= set(row.reviewed) and all(r.reviewed for r in readings)
