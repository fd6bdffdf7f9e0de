"""What was decided: eligibility by rule, and a person's word over a reading."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from pipeline.schema.record import Quote

#: What a person may say of a value, of a record's eligibility ("included" ... "unsure"), of an own
#: event ("undone"), of a study as a whole ("finished"), or beside all that ("comment").
VERDICTS = (
    "accepted",
    "corrected",
    "rejected",
    "not_reported",
    "undone",
    "adjudicated",
    "included",
    "excluded",
    "unsure",
    "finished",
    "comment",
)
#: The field of a record's eligibility, and that of a study as a whole.
SCREENING, WHOLE = "screening", "study"


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether a record enters the pools, by which rule, and why in a sentence."""

    record_id: str
    include: bool
    code: str
    reason: str
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's word on one field of a study; it outranks the extractor's, both are kept.

    `field` is a path like "outcomes@1f0c9a77d2.events" (`pipeline.review.paths`); `when` an ISO
    8601 UTC time; `value` and `old` (what stood there before) are JSON text. `snapshot` is the JSON
    text of the field's row as it was read, `content_hash` names the version of the record that was
    looked at, `software` what suggested the value, `undoes` the event that an "undone" takes back.
    """

    record_id: str
    field: str
    verdict: str
    who: str
    when: str
    value: str | None = None
    reason: str = ""
    old: str | None = None
    evidence: Quote | None = None
    snapshot: str | None = None
    undoes: str = ""
    content_hash: str = ""
    software: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(
                f"Invalid verdict {self.verdict!r}; must be one of {', '.join(VERDICTS)}."
            )


@dataclass(frozen=True, slots=True)
class Event:
    """A decision under a name that no other has (a UUID), and its turn among those on its field.

    `turn` is one more than the highest turn of the field that the writer's store held: of two
    events, the one that was made in sight of the other has the higher turn, whatever the clocks
    say.
    """

    event_id: str
    decision: Decision
    turn: int = 1

    @property
    def digest(self) -> str:
        """The SHA-256 of what the event says; it goes with the event from store to store."""
        text = json.dumps(event_plain(self), ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Link:
    """An event as a store keeps it: with the hash of the link before it, and its own.

    The chain is each store's own, in the order in which the events came there.
    """

    event: Event
    previous: str
    hash: str


def link_hash(previous: str, digest: str) -> str:
    """Return the hash of a link: SHA-256 over that of the link before and the event's digest."""
    return hashlib.sha256(f"{previous}\n{digest}".encode()).hexdigest()


def event_plain(event: Event) -> dict[str, Any]:
    """Return an event as one flat JSON object, fields at their default left out."""
    pairs = ((f, getattr(event.decision, f.name)) for f in fields(Decision))
    said = {f.name: value for f, value in pairs if value != f.default}
    if event.decision.evidence is not None:
        quote = event.decision.evidence
        said["evidence"] = {f.name: getattr(quote, f.name) for f in fields(Quote)}
    return {"event_id": event.event_id, "turn": event.turn, **said}


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return events in the one order that every store gives them: by turn, time and id."""
    return sorted(events, key=lambda e: (e.turn, e.decision.when, e.event_id))
