"""Settles what holds for one field, given all that people said of it: pure, whatever the order."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

from pipeline.errors import InputError
from pipeline.review.paths import Path, value_of
from pipeline.schema import Event, in_order

#: How reviewers work together, the protocol's `review.mode`.
MODES = ("single", "verify", "dual")
#: What a field may be: nobody's yet, one person's word, or that of several.
STATES = (
    "suggested",
    "accepted",
    "corrected",
    "rejected",
    "not_reported",
    "included",
    "excluded",
    "unsure",
    "agreed",
    "conflict",
    "adjudicated",
)
#: Verdicts that say what a field holds; "unsure" says that its writer cannot tell.
WORDS = ("accepted", "corrected", "rejected", "not_reported", "included", "excluded")
#: States in which a person's word holds and the extractor's does not.
REVIEWED = frozenset({*WORDS, "agreed", "adjudicated"})
#: Relative difference up to which two numbers are the same.
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Said:
    """What one person says of a field: a value, or None for none (rejected, not reported)."""

    event: Event
    value: Any

    @property
    def who(self) -> str:
        """The person."""
        return self.event.decision.who


@dataclass(frozen=True, slots=True)
class Resolution:
    """What holds for a field.

    `value` counts only if `reviewed`; `event` is the one it comes from; `said` is the latest word
    of each person who decided, in order.
    """

    state: str
    value: Any = None
    event: Event | None = None
    said: tuple[Said, ...] = ()

    @property
    def reviewed(self) -> bool:
        """Whether a person's word holds."""
        return self.state in REVIEWED

    @property
    def by(self) -> tuple[str, ...]:
        """Who decided."""
        return tuple(said.who for said in self.said)


def live(events: Iterable[Event]) -> list[Event]:
    """Return the events in order, without those that were undone, and without the undoing."""
    ordered = in_order(events)
    taken_back = (e.decision for e in ordered if e.decision.verdict == "undone")
    undone = {(decision.undoes, decision.who) for decision in taken_back}
    return [
        e
        for e in ordered
        if e.decision.verdict != "undone" and (e.event_id, e.decision.who) not in undone
    ]


def latest(path: Path, events: Iterable[Event], suggestion: Any) -> list[Said]:
    """Return the latest word of each person on a field, in order; adjudications are none."""
    by_person: dict[str, Event] = {}
    for event in live(events):
        if event.decision.verdict in (*WORDS, "unsure"):
            by_person.pop(event.decision.who, None)
            by_person[event.decision.who] = event
    unsure = {who for who, e in by_person.items() if e.decision.verdict == "unsure"}
    words = (_said(path, e, suggestion) for who, e in by_person.items() if who not in unsure)
    return [said for said in words if said is not None]


def resolve(
    path: Path, events: Sequence[Event], mode: str, *, suggestion: Any, consensus: bool = False
) -> Resolution:
    """Return what holds for a field.

    Parameters
    ----------
    path : Path
        The field.
    events : sequence of Event
        All events on it.
    mode : str
        "single": the latest word holds. "verify": one word holds; a second person's that is equal
        makes it agreed, one that differs a conflict. "dual": two equal words make it agreed, one
        alone changes nothing.
    suggestion : object
        What the extractor reads now; an acceptance that does not say of what means this.
    consensus : bool
        Whether those who disagreed may settle a conflict themselves; else only a third person.

    Returns
    -------
    Resolution
        An adjudication holds over all words, before and after it, until it is undone.
    """
    said = tuple(latest(path, events, suggestion))
    judge = _judgement(path, events, said, suggestion, consensus)
    if judge is not None:
        return Resolution("adjudicated", judge.value, judge.event, said)
    if not said or (mode == "dual" and len(said) == 1):
        doubt = any(e.decision.verdict == "unsure" for e in live(events))
        return Resolution("unsure" if doubt and not said else "suggested", None, None, said)
    last = said[-1]
    if mode == "single" or len(said) == 1:
        return Resolution(last.event.decision.verdict, last.value, last.event, said)
    if all(same(one.value, last.value) for one in said):
        return Resolution("agreed", said[0].value, said[0].event, said)
    return Resolution("conflict", None, None, said)


def same(one: Any, other: Any) -> bool:
    """Return whether two values are the same: numbers within rounding, texts but for their look."""
    if isinstance(one, str) and isinstance(other, str):
        return normal(one) == normal(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, tuple | list) and isinstance(other, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (one, other))
    return isclose(one, other, rel_tol=TOLERANCE) if numbers else bool(one == other)


def normal(text: str) -> str:
    """Return a text without what is only its look: case, spaces, kinds of dashes and quotes."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = "".join("-" if unicodedata.category(c) == "Pd" or c == "−" else c for c in plain)
    return " ".join(plain.replace("’", "'").split()).rstrip(".")


def _said(path: Path, event: Event, suggestion: Any) -> Said | None:
    """An event with its value; None for an event whose value the field cannot have."""
    decision = event.decision
    if decision.verdict in ("included", "excluded"):
        return Said(event, decision.verdict)
    if decision.verdict in ("rejected", "not_reported"):
        return Said(event, None)
    if decision.verdict == "accepted" and decision.value is None:
        return Said(event, suggestion)
    try:
        return Said(event, value_of(path, decision.value))
    except InputError:
        return None


def _judgement(
    path: Path, events: Sequence[Event], said: Sequence[Said], suggestion: Any, consensus: bool
) -> Said | None:
    """The latest adjudication by who may adjudicate."""
    parties = set() if consensus else {one.who for one in said}
    made = [e for e in live(events) if e.decision.verdict == "adjudicated"]
    allowed = [e for e in made if e.decision.who not in parties]
    words = (_said(path, e, suggestion) for e in reversed(allowed))
    return next((word for word in words if word is not None), None)
