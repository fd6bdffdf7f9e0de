"""Decisions as lines of a file: written, read back, refused where not what they say."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from pipeline.errors import InputError
from pipeline.review import undo
from pipeline.review.exchange import read_events, write_events
from pipeline.schema import Event, in_order
from tests.review.samples import Desk, at


def some() -> list[Event]:
    """Events of every shape."""
    desk = Desk()
    desk.says("Li", "corrected", "n_total", value=41, evidence=at("Forty"), reason="Tab. 1 ≥ 🧪")
    desk.says("Ng", "rejected", "outcomes/0")
    first = desk.says("Li", "accepted", "outcomes/1.events")
    desk.add(undo(first, desk.writer("Li")))
    return desk.events


def lines(events: list[Event]) -> list[bytes]:
    """The lines of a file."""
    return [line.encode() for line in write_events(events)]


def signed(change: dict[str, Any], number: int = 0) -> bytes:
    """A line with some keys changed, and a SHA-256 that fits where it can."""
    plain = {**json.loads(lines(some())[number]), **change}
    return json.dumps(plain).encode()


def test_what_is_written_is_read_back_once_in_any_order() -> None:
    events = some()
    assert read_events([*reversed(lines(events)), b"\n", *lines(events)], "f") != []
    found = read_events([*reversed(lines(events)), b"\n", *lines(events)], "f")
    assert in_order(found) == in_order(events)


def test_a_line_that_was_changed_is_refused_by_its_number() -> None:
    good, bad = lines(some())[1], lines(some())[0].replace(b'"41"', b'"42"')
    with pytest.raises(InputError, match=r"^f, line 3: .* was changed"):
        read_events([good, b"", bad], "f")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"no json", "Expecting value"),
        (b"\xff", "utf-8"),
        (b"[]", "must be a JSON object"),
        (b"[" * 100_000, "nested|Expecting|recursion"),
        (b"1" * 5000, "integer|object"),
        (b'{"turn": NaN}', "NaN is no number"),
        (b'{"turn": 1, "turn": 2}', "stands twice"),
        (b"{}", "'event_id' is missing"),
        (signed({"colour": "red"}), "unknown key 'colour'"),
        (signed({"turn": 10**12}), "Invalid turn"),
        (signed({"turn": True}), "Invalid turn"),
        (signed({"event_id": ""}), "Invalid event_id"),
        (signed({"event_id": 7}), "Invalid event_id"),
        (signed({"who": "Li\nNg"}), "Invalid reviewer"),
        (signed({"who": 5}), "must be of type str"),
        (signed({"record_id": "\0"}), "NUL"),
        (signed({"reason": "\ud800"}), "half a character"),
        (signed({"reason": "a" * 300_000}), "Invalid reason"),
        (signed({"verdict": "perhaps"}), "Invalid verdict"),
        (signed({"when": "yesterday"}), "Invalid time"),
        (signed({"when": "2026-11-23T12:00:00+05:00"}), "must be UTC"),
        (signed({"value": '"forty"'}), "must be a number"),
        (signed({"value": "["}), "no JSON"),
        (signed({"evidence": {"record_id": "p", "start": 0, "end": 9, "text": "a"}}), "length"),
        (signed({"evidence": "Forty"}), "must be one of"),
        (signed({"undoes": "e0"}), "undone decision"),
        (b'{"reason": "' + b"a" * 2_000_000 + b'"}', "more than 1000000 bytes"),
    ],
)
def test_a_line_that_is_no_event_is_refused_quickly(line: bytes, said: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InputError, match=rf"(?s)^f, line 1: .*({said})") as caught:
        read_events([line], "f")
    assert time.perf_counter() - started < 1
    assert len(str(caught.value)) < 500


def test_one_id_cannot_say_two_things() -> None:
    event = some()[0]
    other = replace(event, decision=replace(event.decision, reason="another"))
    with pytest.raises(InputError, match=r"line 2: another line has the event id"):
        read_events(lines([event]) + lines([other]), "f")
