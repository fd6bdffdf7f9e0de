"""Lays what people decided over what was read: the study as it counts, and each field's state.

Nothing is stored here and nothing is lost: the reading, the decisions and the protocol's mode give
the same study whatever the order in which the decisions came.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.review.anchor import anchored
from pipeline.review.build import build
from pipeline.review.fields import Field, fields_of
from pipeline.review.paths import parse
from pipeline.review.resolve import Resolution, resolve, same
from pipeline.review.rows import rows_of
from pipeline.review.states import FieldState
from pipeline.schema import SCREENING, Event, Problem, Quote, Study, in_order

#: Paths of values, today's or an old version's ("outcomes[1].events").
_POSITION = re.compile(r"(?:arms|doses|outcomes|registry_ids)[@\[]")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A study with the decisions laid over it, and the state of each of its fields."""

    study: Study
    states: tuple[FieldState, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def waiting(self) -> tuple[FieldState, ...]:
        """The fields with something to check that nobody's word holds for."""
        return tuple(s for s in self.states if s.field.present and not s.reviewed)

    @property
    def conflicts(self) -> tuple[FieldState, ...]:
        """The fields on which people differ."""
        return tuple(s for s in self.states if s.state == "conflict")


def effective(
    study: Study,
    events: Iterable[Event],
    mode: str = "verify",
    *,
    text: str | None = None,
    consensus: bool = False,
) -> Study:
    """Return the study as it counts: what was read, with the decisions laid over it.

    See `lay`; without a decision it is the study itself.
    """
    said = list(events)
    return lay(study, said, mode, text=text, consensus=consensus).study if said else study


def seen_by(
    who: str,
    study: Study,
    visible: Iterable[Event],
    mode: str = "verify",
    *,
    text: str | None = None,
    consensus: bool = False,
) -> Reviewed:
    """Lay over a study what a person may see of it: their own work while they are blind.

    Parameters
    ----------
    who : str
        The person.
    visible : iterable of Event
        What `Store.visible_events` gives them in mode "dual"; all events in another mode.

    The rest is as for `lay`. In mode "dual", their own words count alone as long as no word of
    another is visible.
    """
    shown = [e for e in visible if e.decision.field != SCREENING]
    blind = mode == "dual" and all(e.decision.who == who for e in shown)
    return lay(study, shown, "single" if blind else mode, text=text, consensus=consensus)


def lay(
    study: Study,
    events: Iterable[Event],
    mode: str = "verify",
    *,
    text: str | None = None,
    consensus: bool = False,
) -> Reviewed:
    """Lay decisions over a study.

    Parameters
    ----------
    study : Study
        As an extractor reads it now.
    events : iterable of Event
        The decisions on its record, in any order.
    mode : str
        "single", "verify" or "dual": see `pipeline.review.resolve`.
    text : str, optional
        The record's text, to find evidence again that moved; by default evidence is taken as is.
    consensus : bool
        Whether those who disagreed may adjudicate.

    Returns
    -------
    Reviewed
        A value that was rejected or is not reported has left the study. In a conflict the reading
        stays only if one of the reviewers stands by it. A row that is read no more holds what
        people decided on it, and nothing else.
    """
    ordered = in_order(events)
    by_field: dict[str, list[Event]] = defaultdict(list)
    for event in ordered:
        by_field[event.decision.field].append(event)
    rule = _Rule(mode, consensus, study.record_id, text)
    states: list[FieldState] = []
    head: FieldState | None = None
    rows = rows_of(study, ordered)
    for field in fields_of(study, ordered, rows):
        head = head if field.row and field.path != field.row else None
        states.append(_state(field, by_field.get(field.path, []), rule, head))
        head = states[-1] if field.path == field.row else head
    unplaced = _unplaced(by_field, {s.field.path for s in states})
    if not any(s.resolution.said or s.reviewed for s in states):
        return Reviewed(study, tuple(states), unplaced)
    built, contradictions = build(study, rows, states)
    problems = (*_problems(states, study.record_id), *contradictions, *unplaced)
    return Reviewed(replace(built, problems=(*study.problems, *problems)), tuple(states), problems)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the words of a record's reviewers are weighed by."""

    mode: str
    consensus: bool
    record_id: str
    text: str | None


def _state(
    field: Field, events: Sequence[Event], rule: _Rule, head: FieldState | None
) -> FieldState:
    """The state of a field; `head` is that of its row."""
    path = parse(field.path)
    assert path is not None, field.path  # noqa: S101
    suggestion = None if field.gone else field.suggestion
    found = resolve(path, events, rule.mode, suggestion=suggestion, consensus=rule.consensus)
    given = head.value.get(path.name) if head and isinstance(head.value, dict) else None
    if head is not None and head.reviewed and given is not None and not found.said:
        found = Resolution(head.state, given, head.resolution.event)
    evidence, moved = _evidence(found, rule)
    return FieldState(
        field,
        found,
        _value(field, found),
        len(events),
        evidence,
        _difference(field, found) if events else "",
        moved,
    )


def _value(field: Field, found: Resolution) -> Any:
    """What counts for a field."""
    if found.reviewed:
        return found.value
    if field.gone or field.added:
        return None
    if found.state == "conflict" and not any(same(s.value, field.suggestion) for s in found.said):
        return None
    return field.suggestion


def _evidence(found: Resolution, rule: _Rule) -> tuple[Quote | None, bool]:
    """The evidence of the word that holds, where it stands now, and whether it is lost."""
    if not found.reviewed or found.event is None or found.value is None:
        return None, False
    alike = (one.event for one in found.said if same(one.value, found.value))
    chosen = (event.decision.evidence for event in (found.event, *alike))
    quote = next((evidence for evidence in chosen if evidence is not None), None)
    if quote is None:
        return None, False
    if quote.record_id != rule.record_id:
        return None, True
    at = quote if rule.text is None else anchored(quote, rule.text)
    return at, at is None


def _difference(field: Field, found: Resolution) -> str:
    """That a decision was made on another reading than today's; "" where it was not."""
    event = found.event
    if not found.reviewed or event is None:
        return ""
    if field.gone:
        return f"{field.heading or field.label} is read no more"
    old = _plain(event.decision.old)
    if same(field.suggestion, old) or same(field.suggestion, found.value):
        return ""
    return f"{_name(field)} is read as {_shown(field.suggestion)} now, not as {_shown(old)}"


def _plain(text: str | None) -> Any:
    """JSON text as data; text that is none as it is."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text


def _shown(value: Any) -> str:
    """A value in a sentence."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return repr(", ".join(str(v) for v in value.values()))
    return " to ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _name(field: Field) -> str:
    """A field in a sentence."""
    return (
        field.label
        if field.path in ("", field.row) or not field.heading
        else (f"{field.label} of {field.heading}")
    )


def _problems(states: Sequence[FieldState], record_id: str) -> list[Problem]:
    """What a reader must know of the decisions."""
    found = []
    for state in states:
        name, who = _name(state.field), " and ".join(state.resolution.by)
        if state.state == "conflict":
            found.append(("review_conflict", f"{who} differ on {name}."))
        if state.difference and (not state.field.gone or state.field.path == state.field.row):
            found.append(("review_difference", f"{state.difference}; the decision holds."))
        if state.moved:
            found.append(("evidence_moved", f"The evidence of {name} is not in the text."))
    return [Problem(code, message, record_id=record_id) for code, message in found]


def _unplaced(by_field: Mapping[str, Sequence[Event]], known: set[str]) -> tuple[Problem, ...]:
    """Decisions on fields that no version of this record has; another form's are left alone."""
    values = ("accepted", "corrected", "rejected", "not_reported", "adjudicated")
    return tuple(
        Problem(
            "decision_unplaced",
            f"{events[-1].decision.who} decided on {name}, which this version does not know.",
            record_id=events[-1].decision.record_id,
        )
        for name, events in by_field.items()
        if name not in known
        and _POSITION.match(name)
        and any(e.decision.verdict in values for e in events)
    )
