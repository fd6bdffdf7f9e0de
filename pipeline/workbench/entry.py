"""Reads what a person typed or selected, and turns it into decisions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError
from pipeline.report.plain import visible
from pipeline.review.decide import Writer, add_row, comment, decide, finish, undo
from pipeline.review.paths import ROWS, Path, Slot, parse, slot_of, slots
from pipeline.review.resolve import same
from pipeline.review.states import FieldState
from pipeline.schema import SCREENING, WHOLE, Decision, Event, Quote, Record
from pipeline.workbench.desk import Desk, own_last
from pipeline.workbench.sheet import hides, states_of

#: A number as people type it: no thousands separators, which may be decimal commas.
_NUMBER = re.compile(r"[-−+]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})")
_PAIR = re.compile(r"\s+to\s+|\s*[;–]\s*")
#: What may be said of a study as a whole.
ON_WHOLE = ("finished", "undone", "comment")
#: What is typed: a text, or the words of a row by name.
Typed = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """What the page sends of a decision: how it was typed, why, and the phrase selected for it."""

    verdict: str
    typed: Typed | None = None
    reason: str = ""
    evidence: Quote | None = None


def evidence_at(record: Record, start: int, end: int, text: str) -> Quote:
    """Return the phrase that a person selected.

    Raises
    ------
    InputError
        If the text does not stand there: the page shows another version of the record.
    """
    stands = record.text[start:end]
    if not stands or visible(stands) != text:
        raise InputError("the selected words do not stand there; reload the page.")
    return record.quote(start, end)


def entered(path: Path, typed: Typed) -> Any:
    """Return what was typed for a field as JSON has it.

    Raises
    ------
    InputError
        If a number is wanted and it is none.
    """
    if isinstance(typed, str):
        return _plain(slot_of(path), typed)
    known = slots(ROWS[path.rows]) if path.rows in ROWS else {}
    return {n: _plain(known.get(n), text) for n, text in typed.items() if text.strip()}


def _plain(slot: Slot | None, typed: str) -> Any:
    """A typed value: a number, a list of two, or a text."""
    text = typed.strip()
    if slot is None or slot.kind != "number":
        return text
    parts = _PAIR.split(text) if slot.pair else [text]
    numbers = [_number(part) for part in parts]
    return numbers if len(numbers) > 1 else numbers[0]


def _number(text: str) -> float | int:
    """A typed number."""
    found = text.strip()
    if not _NUMBER.fullmatch(found):
        raise InputError(f"{quoted(text)} is no number; write it as 12.5.")
    number = float(found.replace("−", "-"))
    return number if "." in found else int(number)


def quoted(text: str) -> str:
    """Return a text as a message repeats it: quoted, and short."""
    return repr(visible(text)[:40])


def field_decision(desk: Desk, who: str, record: Record, field: str, said: Said) -> Decision:
    """Return the decision of a reviewer on a field of a study.

    Raises
    ------
    InputError
        If there is no such field, nothing to accept or undo, or the value does not fit.
    """
    path, writer = parse(field), desk.writer(who)
    fits = said.verdict in ON_WHOLE if field == WHOLE else said.verdict != "finished"
    if path is None or field == SCREENING or not fits:
        raise InputError(f"{quoted(field)} is no field on which one may say {said.verdict!r}.")
    events = desk.events(who, record.record_id)
    if said.verdict == "undone":
        own = [e for e in events if e.decision.field == field]
        return undo(undoable(own, who), writer)
    if said.verdict == "comment":
        return comment(record, field, said.reason, writer)
    if said.verdict == "finished":
        return finish(writer, record, said.reason)
    if said.verdict == "accepted" and hides(desk, who, record.record_id, events):
        raise InputError("there is nothing to accept: the readings are not shown.")
    return _value_decision(_state(desk, record, events, field), path, said, writer, record)


def _value_decision(
    state: FieldState, path: Path, said: Said, writer: Writer, record: Record
) -> Decision:
    """A decision on a value; who types what the extractor reads accepts it."""
    verdict, value = said.verdict, None
    if verdict == "corrected":
        if not said.typed:
            raise InputError("write a value, or say “not reported”.")
        value = entered(path, said.typed)
        if said.evidence is None and same(value, state.field.suggestion) and not state.reviewed:
            verdict = "accepted"
    return decide(
        state, verdict, writer, record, value=value, evidence=said.evidence, reason=said.reason
    )


def new_row(
    record: Record, kind: str, words: Mapping[str, str], evidence: Quote, writer: Writer
) -> Decision:
    """Return the decision that adds a row which the extractor did not read.

    Raises
    ------
    InputError
        If it lacks a word, or a word does not fit.
    """
    path = Path("", kind, "0" * 10)
    return add_row(kind, entered(path, words), evidence, writer, record)


def undoable(events: Sequence[Event], who: str) -> Event:
    """Return a reviewer's latest event among those on a field.

    Raises
    ------
    InputError
        If there is none.
    """
    last = own_last(events, who)
    if last is None:
        raise InputError("there is nothing of yours to undo here.")
    return last


def _state(desk: Desk, record: Record, events: Sequence[Event], field: str) -> FieldState:
    """The state of a field."""
    for state in states_of(desk, record.record_id, events):
        if state.field.path == field:
            return state
    raise InputError(f"this study has no field {quoted(field)}.")
