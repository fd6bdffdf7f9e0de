"""Writes decisions as JSON Lines and reads them from another laptop, distrusting every line.

A line is one event: its id, its turn, what was decided, and the SHA-256 of that, by which a change
on its way shows. Lines may come in any order and more than once; a store takes each event once
(`Store.merge_events`) and appends it to its own chain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from pipeline.errors import InputError
from pipeline.review.decide import VALUE_VERDICTS, Writer
from pipeline.review.paths import parse, value_of
from pipeline.schema import Decision, Event, Quote, event_plain, in_order
from pipeline.schema.codec import from_plain

#: Longest line in bytes, longest text of a field, longest name, and the highest turn.
MAX_LINE, MAX_TEXT, MAX_NAME, MAX_TURN = 1_000_000, 200_000, 300, 1_000_000
_TEXTS = frozenset({"value", "reason", "old", "snapshot"})
_KEYS = frozenset({"event_id", "turn", "sha256", *(f.name for f in fields(Decision))})
_NEEDED = ("event_id", "turn", "sha256", "record_id", "field", "verdict", "who", "when")


def write_events(events: Iterable[Event]) -> Iterator[str]:
    """Yield each event as a line, in the order that every store gives them."""
    for event in in_order(events):
        plain = {**event_plain(event), "sha256": event.digest}
        yield json.dumps(plain, ensure_ascii=True, sort_keys=True) + "\n"


def read_events(lines: Iterable[bytes], name: str) -> list[Event]:
    """Read the events of a file.

    Parameters
    ----------
    lines : iterable of bytes
        Its lines; empty ones are passed over.
    name : str
        The file's, for messages.

    Raises
    ------
    InputError
        Naming the first line that is no event: it is too long, no JSON, lacks a key or has one too
        many, holds a value that its field cannot have, was changed on the way, or says something
        else than another line of the same id.
    """
    found: dict[str, Event] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            event = _event(line)
        except (InputError, ValueError, TypeError, RecursionError) as error:
            raise InputError(f"{name}, line {number}: {_sentence(error)}") from error
        if found.setdefault(event.event_id, event) != event:
            raise InputError(
                f"{name}, line {number}: another line has the event id {event.event_id!r}."
            )
    return list(found.values())


def _sentence(error: Exception) -> str:
    """An error's words, of bounded length."""
    said = "the line is nested too deeply." if isinstance(error, RecursionError) else str(error)
    return said if len(said) <= MAX_NAME else said[:MAX_NAME] + " ..."


def _event(line: bytes) -> Event:
    """The event of a line."""
    if len(line) > MAX_LINE:
        raise InputError(f"it has more than {MAX_LINE} bytes.")
    plain = json.loads(line.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    if not isinstance(plain, dict):
        raise InputError("it must be a JSON object.")
    if unknown := sorted(plain.keys() - _KEYS):
        raise InputError(f"unknown key {unknown[0]!r:.80}.")
    if missing := [key for key in _NEEDED if key not in plain]:
        raise InputError(f"the key {missing[0]!r} is missing.")
    digest, event_id, turn = plain.pop("sha256"), plain.pop("event_id"), plain.pop("turn")
    if not isinstance(turn, int) or isinstance(turn, bool) or not 1 <= turn <= MAX_TURN:
        raise InputError(f"Invalid turn {turn!r:.80}; must lie in [1, {MAX_TURN}].")
    decision = from_plain(Decision, plain)
    _check_texts("event_id", event_id)
    _check(decision)
    event = Event(event_id, decision, turn)
    if event.digest != digest:
        raise InputError(f"the event {event_id!r} is not what its sha256 says: it was changed.")
    return event


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object that names each key once."""
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise InputError("a key stands twice.")
    return plain


def _no_number(name: str) -> None:
    """Refuse NaN and the infinities, which are no JSON."""
    raise InputError(f"{name} is no number.")


def _check(decision: Decision) -> None:
    """Refuse a decision that no workbench could have made."""
    for field in fields(Decision):
        value = getattr(decision, field.name)
        if isinstance(value, str):
            _check_texts(field.name, value, optional=field.default == "")
    Writer(decision.who, decision.when)
    _check_time(decision.when)
    if isinstance(decision.evidence, Quote):
        _check_texts("evidence", decision.evidence.text, longest=MAX_TEXT)
        _check_texts("evidence", decision.evidence.record_id)
    if (decision.verdict == "undone") != bool(decision.undoes):
        raise InputError("an undone decision, and only that, names the event that it undoes.")
    path = parse(decision.field)
    if path is not None and decision.verdict in VALUE_VERDICTS:
        value_of(path, decision.value)


def _check_texts(
    name: str, value: Any, *, optional: bool = False, longest: int | None = None
) -> None:
    """Refuse a text that is too long, empty, or holds what a database cannot keep."""
    limit = longest or (MAX_TEXT if name in _TEXTS else MAX_NAME)
    if not isinstance(value, str) or len(value) > limit or not (value or optional):
        raise InputError(f"Invalid {name}; must be a text of 1 to {limit} characters.")
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise InputError(f"Invalid {name}; it holds a NUL or half a character.")


def _check_time(when: str) -> None:
    """Refuse a time that is no ISO 8601 UTC time."""
    try:
        time = datetime.fromisoformat(when)
    except ValueError as error:
        raise InputError(f"Invalid time {when!r:.80}; must be ISO 8601.") from error
    if time.utcoffset() != timedelta(0):
        raise InputError(f"Invalid time {when!r:.80}; must be UTC.")
