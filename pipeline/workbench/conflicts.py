"""Prepares adjudication: the fields on which two reviewers differ, side by side."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.errors import InputError
from pipeline.report.plain import one_line, visible
from pipeline.review.decide import decide, screen_by_hand
from pipeline.review.paths import parse
from pipeline.review.resolve import live
from pipeline.review.screening import screening_state
from pipeline.review.states import FieldState
from pipeline.schema import SCREENING, Decision, Event, Quote, Record
from pipeline.workbench.desk import Desk, address, grouped
from pipeline.workbench.entry import entered
from pipeline.workbench.marks import Span, mark_text
from pipeline.workbench.sheet import states_of
from pipeline.workbench.show import banners, field_id, links, shown, stands_in, typed


@dataclass(frozen=True, slots=True)
class Side:
    """What one says of a field: a reviewer, or the extractor."""

    who: str
    said: str
    edit: str
    verdict: str
    quote: str
    evidence: Quote | None = None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A field in conflict."""

    id: str
    path: str
    label: str
    version: int
    sides: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """A study with conflicts."""

    slab: str
    address: str
    n: int


@dataclass(frozen=True, slots=True)
class ConflictSheet:
    """A study's conflicts."""

    record_id: str
    slab: str
    title: str
    links: tuple[tuple[str, str], ...]
    banners: tuple[str, ...]
    text: Markup
    conflicts: tuple[Dispute, ...]
    may: bool
    rule: str
    before: str = ""
    after: str = ""


def conflict_lines(desk: Desk, who: str) -> list[ConflictLine]:
    """Return the studies with conflicts that a reviewer may see."""
    lines = []
    for record_id, events in grouped(desk.events(who)).items():
        record = desk.holdings.records.get(record_id)
        n = len(_disputes(desk, record, events)) if record else 0
        if record and n:
            lines.append(ConflictLine(one_line(record.slab, 50), address("conflict", record_id), n))
    return lines


def conflict_sheet(desk: Desk, who: str, record_id: str) -> ConflictSheet | None:
    """Return the conflicts of a study; None where no such record was read."""
    record = desk.holdings.records.get(record_id)
    if record is None:
        return None
    events = desk.events(who, record_id)
    disputes = _disputes(desk, record, events)
    may = desk.consensus or not _is_party(events, who)
    spans = [
        Span(s.evidence.start, s.evidence.end, d.id, f"{d.label}, {s.who}", i)
        for d in disputes
        for i, s in enumerate(d.sides)
        if s.evidence is not None and stands_in(record, s.evidence)
    ]
    return ConflictSheet(
        record_id,
        one_line(record.slab, 60),
        one_line(record.title, 300),
        links(record),
        banners(record),
        mark_text(record.text, spans),
        tuple(disputes),
        may,
        "" if may else "You are one of those who differ: a third person settles it.",
    )


def _is_party(events: Sequence[Event], who: str) -> bool:
    """Whether a reviewer decided on the record, adjudications apart."""
    words = ("accepted", "corrected", "rejected", "not_reported", "included", "excluded")
    return any(
        e.decision.who == who and e.decision.verdict in words
        for e in live(events)
        if not e.decision.field.startswith("rob:")
    )


def _disputes(desk: Desk, record: Record, events: Sequence[Event]) -> list[Dispute]:
    """The fields in conflict, the screening first."""
    found = [
        _dispute(state)
        for state in states_of(desk, record.record_id, events)
        if state.state == "conflict"
    ]
    screening = _screening(desk, record, events)
    return [*([screening] if screening else []), *found]


def _screening(desk: Desk, record: Record, events: Sequence[Event]) -> Dispute | None:
    """The screening, where reviewers differ on it."""
    own = [e for e in events if e.decision.field == SCREENING]
    rule = desk.holdings.rules[record.record_id]
    state = screening_state(rule, own, desk.mode_for(own), consensus=desk.consensus)
    if state.state != "conflict":
        return None
    sides = tuple(
        Side(visible(s.who), s.value, s.value, "value", one_line(s.event.decision.reason, 200))
        for s in state.said
    )
    return Dispute(field_id(SCREENING), SCREENING, "Screening", len(own), sides)


def _dispute(state: FieldState) -> Dispute:
    """A field in conflict, with what each said and the extractor's reading."""
    field = state.field
    sides = [
        _side(s.who, s.value, s.event.decision.evidence or _read(state, s.value))
        for s in state.resolution.said
    ]
    if field.present:
        sides.append(_side("the extractor", field.suggestion, field.quote))
    row = field.heading.partition(":")[0]
    label = f"{row}: {field.label}" if row and field.kind != "row" else field.heading or field.label
    return Dispute(field_id(field.path), field.path, visible(label), state.version, tuple(sides))


def _read(state: FieldState, value: object) -> Quote | None:
    """The extractor's phrase, where a reviewer says what it reads."""
    return state.field.quote if value == state.field.suggestion else None


def _side(who: str, value: object, evidence: Quote | None) -> Side:
    """What one says of a field."""
    return Side(
        visible(who),
        "no value" if value is None else shown(value),
        typed(value),
        "none" if value is None else "value",
        one_line(evidence.text, 200) if evidence else "",
        evidence,
    )


def adjudication(
    desk: Desk, who: str, record: Record, field: str, value: str, reason: str
) -> Decision:
    """Return the word of an adjudicator on a field; an empty value settles that there is none.

    Raises
    ------
    InputError
        If the field is in no conflict, the value does not fit, or `who` is one of the parties.
    """
    events = desk.events(who, record.record_id)
    if _is_party(events, who) and not desk.consensus:
        raise InputError("you are one of those who differ: a third person settles it.")
    dispute = next((d for d in _disputes(desk, record, events) if d.path == field), None)
    if dispute is None:
        raise InputError("this field is in no conflict.")
    writer = desk.writer(who)
    if field == SCREENING:
        return screen_by_hand("adjudicated", writer, record, code=value, reason=reason)
    path = parse(field)
    state = next(s for s in states_of(desk, record.record_id, events) if s.field.path == field)
    side = next((s for s in dispute.sides if s.edit == value and value), None)
    assert path is not None  # noqa: S101 - `_disputes` names fields alone
    plain = entered(path, _typed(state, value)) if value else None
    evidence = side.evidence if side else None
    stands = evidence if evidence and stands_in(record, evidence) else None
    return decide(state, "adjudicated", writer, record, value=plain, evidence=stands, reason=reason)


def _typed(state: FieldState, value: str) -> str | dict[str, str]:
    """A typed value; of a row's head, its words, which come as JSON."""
    if state.field.kind != "row":
        return value
    return _words(value)


def _words(value: str) -> dict[str, str]:
    """The words of a row from JSON."""
    try:
        plain = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InputError("a row is settled by taking one of its readings.") from error
    if not isinstance(plain, dict):
        raise InputError("a row is settled by taking one of its readings.")
    return {str(k): str(v) for k, v in plain.items() if v is not None}
