"""Appends and reads what people decided, within a transaction; nothing is ever changed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    distinct,
    func,
    insert,
    or_,
    select,
    text,
)

from pipeline.errors import StaleError, StoreError
from pipeline.schema import SCREENING, WHOLE, Decision, Event, Link, Quote, link_hash
from pipeline.store.rows import dump
from pipeline.store.stored import stored
from pipeline.store.tables import decisions

#: Any number, the same in every process: PostgreSQL's lock while events are appended.
APPEND_LOCK = 20_260_002
_NAMES = tuple(f.name for f in fields(Decision))
#: By which verdict a person has finished a stage: its screening, or the check of its readings.
_ENDS = {SCREENING: ("included", "excluded", "unsure"), WHOLE: ("finished",)}
#: By which verdict a person has begun a stage; an adjudicator or who comments has not.
_OWN = (*_ENDS[SCREENING], *_ENDS[WHOLE], "accepted", "corrected", "rejected", "not_reported")


def append(connection: Connection, events: Sequence[Event]) -> list[Event]:
    """Append events that are not stored yet; return those that were new.

    Raises
    ------
    StoreError
        If another event has the id of one of them; the caller's transaction keeps nothing.
    """
    new = []
    previous = _last_hash(connection)
    for event in events:
        known = _by_id(connection, event.event_id)
        if known is not None and known != event:
            raise StoreError(f"Another decision has the event id {event.event_id!r}.")
        if known is None:
            previous = _insert(connection, event, previous)
            new.append(event)
    return new


def decide(
    connection: Connection,
    named: Sequence[tuple[str, Decision]],
    expected: Mapping[str, int],
    blind: bool,
) -> list[Event]:
    """Append decisions, each under its id, as the latest on their fields.

    Raises
    ------
    StaleError
        If a field has not the `expected` number of events; with `blind`, of those that the
        decision's writer may see.
    StoreError
        If another decision has one of the ids, or an event is undone that cannot be.
    """
    _alone(connection)
    made = []
    for event_id, decision in named:
        known = _by_id(connection, event_id)
        if known is not None and known.decision == decision:
            made.append(known)  # sent twice
            continue
        if decision.field in expected:
            _refuse_stale(connection, decision, expected[decision.field], blind)
        if decision.verdict == "undone":
            _refuse_undo(connection, decision)
        made.append(Event(event_id, decision, _turn(connection, decision)))
        append(connection, made[-1:])
    return made


def merge(connection: Connection, events: Sequence[Event]) -> list[Event]:
    """Append the events of another store that are not stored yet; return those."""
    _alone(connection)
    return append(connection, events)


def links(connection: Connection) -> list[Link]:
    """Return the chain: every event in the order it came, with its hashes."""
    rows = connection.execute(select(decisions).order_by(decisions.c.ordinal))
    return [Link(_event(row._mapping), row.previous, row.hash) for row in rows]


def events(connection: Connection, record_id: str | None) -> list[Event]:
    """Return all events, or those on a record, in the order they came."""
    query = select(decisions).order_by(decisions.c.ordinal)
    if record_id is not None:
        query = query.where(decisions.c.record_id == record_id)
    return [_event(row._mapping) for row in connection.execute(query)]


def visible(connection: Connection, who: str, record_id: str | None) -> list[Event]:
    """Return the events that a blind reviewer may see, in the order they came.

    They are the own ones, and those of the others on what two people, and `who` if they have begun,
    have finished. The condition is part of the query: what may not be seen is never read.
    """
    query = select(decisions).where(_is_visible(who)).order_by(decisions.c.ordinal)
    if record_id is not None:
        query = query.where(decisions.c.record_id == record_id)
    return [_event(row._mapping) for row in connection.execute(query)]


def versions(connection: Connection, record_id: str, who: str | None) -> dict[str, int]:
    """Return the number of events on each field of a record; with `who`, of those they may see."""
    query = (
        select(decisions.c.field, func.count().label("number"))
        .where(decisions.c.record_id == record_id)
        .group_by(decisions.c.field)
    )
    if who is not None:
        query = query.where(_is_visible(who))
    return {row.field: row.number for row in connection.execute(query)}


def finished(connection: Connection, record_id: str, stage: str) -> list[str]:
    """Return who has finished a stage of a record, in the order of their names."""
    ends = decisions.alias()
    done = select(ends.c.who).where(_ends(ends, stage), ends.c.record_id == record_id)
    return sorted(set(connection.scalars(done)))


def _is_visible(who: str) -> ColumnElement[bool]:
    """The condition that `who` may see a row of the decisions."""
    shown = (
        and_(_of(decisions, stage), decisions.c.record_id.in_(_revealed(stage, who)))
        for stage in _ENDS
    )
    return or_(decisions.c.who == who, *shown)


def _revealed(stage: str, who: str) -> Select[tuple[str]]:
    """The records of which two have finished a stage, and `who` too if they have begun it."""
    ends, own, done = decisions.alias(), decisions.alias(), decisions.alias()
    begun = select(own.c.record_id).where(
        own.c.who == who, _of(own, stage), own.c.verdict.in_(_OWN)
    )
    ended = select(done.c.record_id).where(done.c.who == who, _ends(done, stage))
    of_two = select(ends.c.record_id).where(
        _ends(ends, stage),
        or_(ends.c.record_id.not_in(begun), ends.c.record_id.in_(ended)),
    )
    return of_two.group_by(ends.c.record_id).having(func.count(distinct(ends.c.who)) >= 2)


def _ends(ends: Any, stage: str) -> ColumnElement[bool]:
    """The condition that a row ends a stage of its record and was not taken back."""
    undo = decisions.alias()
    undone = select(undo.c.event_id).where(
        undo.c.undoes == ends.c.event_id, undo.c.verdict == "undone", undo.c.who == ends.c.who
    )
    return and_(
        ends.c.field == stage,
        ends.c.verdict.in_(_ENDS[stage]),
        ~undone.correlate(ends).exists(),
    )


def _of(table: Any, stage: str) -> ColumnElement[bool]:
    """The condition that a row is of a stage."""
    screening: ColumnElement[bool] = table.c.field == SCREENING
    return screening if stage == SCREENING else ~screening


def _alone(connection: Connection) -> None:
    """Let no other process append until this transaction ends; SQLite has begun immediately."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": APPEND_LOCK})


def _refuse_stale(connection: Connection, decision: Decision, expected: int, blind: bool) -> None:
    """Refuse a decision whose writer saw another number of events on its field."""
    who = decision.who if blind else None
    found = versions(connection, decision.record_id, who).get(decision.field, 0)
    if found != expected:
        raise StaleError(
            f"{decision.field} of {decision.record_id} has changed since it was shown: "
            f"version {found}, not {expected}; nothing was saved."
        )


def _refuse_undo(connection: Connection, decision: Decision) -> None:
    """Refuse to undo what is not an own decision on this field, or was undone before."""
    known = _by_id(connection, decision.undoes)
    own = known is not None and all(
        getattr(known.decision, name) == getattr(decision, name)
        for name in ("record_id", "field", "who")
    )
    if not own or known is None or known.decision.verdict == "undone":
        raise StoreError(
            f"{decision.who} has no decision {decision.undoes!r} on {decision.field} of "
            f"{decision.record_id} that could be undone."
        )
    again = select(decisions.c.event_id).where(
        decisions.c.undoes == decision.undoes, decisions.c.who == decision.who
    )
    if connection.scalar(again) is not None:
        raise StoreError(f"The decision {decision.undoes!r} was undone before.")


def _turn(connection: Connection, decision: Decision) -> int:
    """The turn of the next event on a field."""
    highest = select(func.coalesce(func.max(decisions.c.turn), 0)).where(
        decisions.c.record_id == decision.record_id, decisions.c.field == decision.field
    )
    return int(connection.scalar(highest) or 0) + 1


def _last_hash(connection: Connection) -> str:
    """The hash of the latest link, "" where there is none."""
    query = select(decisions.c.hash).order_by(decisions.c.ordinal.desc()).limit(1)
    return connection.scalar(query) or ""


def _insert(connection: Connection, event: Event, previous: str) -> str:
    """Append an event to the chain; return its hash."""
    hashed = link_hash(previous, event.digest)
    row = {name: getattr(event.decision, name) for name in _NAMES}
    quote = event.decision.evidence
    row |= {"evidence": dump(quote) if quote else None, "event_id": event.event_id}
    row |= {"turn": event.turn, "previous": previous, "hash": hashed}
    connection.execute(insert(decisions), row)
    return hashed


def _by_id(connection: Connection, event_id: str) -> Event | None:
    """The event of that id."""
    row = connection.execute(
        select(decisions).where(decisions.c.event_id == event_id)
    ).one_or_none()
    return _event(row._mapping) if row else None


def _event(row: Any) -> Event:
    """A row of the decisions."""
    said = {name: row[name] for name in _NAMES}
    if row["evidence"] is not None:
        said["evidence"] = stored(Quote, json.loads(row["evidence"]))
    return Event(row["event_id"], Decision(**said), row["turn"])
