"""What the workbench works on: a review's records, readings and decisions, as one may see them."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import quote

from pipeline import __version__
from pipeline.config import Config
from pipeline.review.decide import Writer
from pipeline.review.effective import Reviewed, lay
from pipeline.review.resolve import live
from pipeline.review.screening import screened
from pipeline.schema import (
    WHOLE,
    Decision,
    Event,
    Extractor,
    Record,
    Screening,
    Search,
    Study,
)
from pipeline.screen import screen
from pipeline.store import Store

#: Seconds for which nobody asks whether another run came.
FRESH_S = 1.0
#: How many studies with their decisions laid over them are kept.
MOST_LAID = 500


@dataclass(frozen=True)
class Holdings:
    """A search with its records, what was read in them and what the rules say of them, by id.

    A record that nothing was read from yet is left out.
    """

    search: Search | None
    records: Mapping[str, Record]
    studies: Mapping[str, Study]

    rules: Mapping[str, Screening]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The record ids in their order."""
        return tuple(self.records)


@dataclass
class Desk:
    """A review as the workbench holds it: the protocol, the store, and the clock."""

    config: Config
    store: Store
    extractor: Extractor
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _held: tuple[float, object, Holdings] | None = field(default=None, repr=False)
    _laid: dict[object, Reviewed] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def mode(self) -> str:
        """The protocol's `review.mode`."""
        return self.config.review.mode

    @property
    def blind(self) -> bool:
        """Whether a reviewer sees the others' decisions only when both have finished."""
        return self.mode == "dual"

    @property
    def holdings(self) -> Holdings:
        """The latest search's records and readings; looked at anew where another run came."""
        with self._lock:
            if self._held is None or time.monotonic() > self._held[0] + FRESH_S:
                self._look()
            assert self._held is not None  # noqa: S101 - `_look` sets it
            return self._held[2]

    def _look(self) -> None:
        """Read the holdings, unless search and runs are those of the last time."""
        search = self.store.latest_search()
        state = (search and search.search_id, self.store.runs()[-1:])
        if self._held is not None and self._held[1] == state:
            self._held = (time.monotonic(), state, self._held[2])
            return
        self._laid.clear()
        self._held = (time.monotonic(), state, self._load(search))

    def _load(self, search: Search | None) -> Holdings:
        """Read the records of a search and what was read in them."""
        if search is None:
            return Holdings(None, {}, {}, {})
        studies = self.store.extractions(search.search_id, self.extractor)
        records = {r.record_id: r for r in self.store.records(search.search_id)}
        both = {k: r for k, r in records.items() if k in studies}
        rules = {k: screen(r, studies[k], self.config.eligibility) for k, r in both.items()}
        return Holdings(search, both, {k: studies[k] for k in both}, rules)

    def first_on(self, record_id: str) -> str | None:
        """Return who was the first to decide on a record; None where nobody has."""
        events = self.store.events(record_id)
        return events[0].decision.who if events else None

    def newcomers(self) -> int | None:
        """Return how many records no run before the latest search had; None without such a run."""
        search = self.holdings.search
        runs = [r.search_id for r in self.store.runs() if r.search_id]
        before = [s for s in runs if search is None or s != search.search_id]
        if search is None or not before:
            return None
        return len(self.store.known_ids(search.search_id) - self.store.known_ids(before[-1]))

    def events(self, who: str, record_id: str | None = None) -> list[Event]:
        """Return the events that a reviewer may see; in mode "dual" the store hides others'."""
        if self.blind:
            return self.store.visible_events(who, record_id)
        return self.store.events(record_id)

    def version(self, who: str, record_id: str, path: str) -> int:
        """Return how many events on a field a reviewer may see."""
        return self.store.field_versions(record_id, who if self.blind else None).get(path, 0)

    def by_field(self, events: Sequence[Event]) -> dict[str, list[Event]]:
        """Return events by their field."""
        found: dict[str, list[Event]] = {}
        for event in events:
            found.setdefault(event.decision.field, []).append(event)
        return found

    def mode_for(self, events: Sequence[Event]) -> str:
        """Return how a record's events are weighed for who may see them.

        Whoever works blind sees the own word alone, which does not count yet, as it is.
        """
        alone = len({e.decision.who for e in events}) < 2
        return "single" if self.blind and alone else self.mode

    @property
    def consensus(self) -> bool:
        """Whether those who disagreed may settle a conflict themselves."""
        return self.config.review.consensus

    def screened(self, record_id: str, events: Sequence[Event]) -> Screening:
        """Return the screening of a record that counts: people's word over the rule's."""
        held = self.holdings
        rule = held.rules[record_id]
        if events:
            study = self.counted(record_id, events)
            rule = screen(held.records[record_id], study, self.config.eligibility)
        return screened(rule, events, self.mode_for(events), consensus=self.consensus)

    def counted(self, record_id: str, events: Sequence[Event]) -> Study:
        """Return a study with the decisions laid over it, as far as events tell."""
        return self.laid(record_id, events).study if events else self.holdings.studies[record_id]

    def laid(self, record_id: str, events: Sequence[Event]) -> Reviewed:
        """Return a study and its fields' states, as far as events tell.

        The latest are kept: a page asks for the same several times, the dashboard for all.
        """
        held = self.holdings
        key = (id(held), record_id, tuple(e.event_id for e in events))
        found = self._laid.get(key)
        if found is None:
            found = lay(
                held.studies[record_id],
                events,
                self.mode_for(events),
                text=held.records[record_id].text,
                consensus=self.consensus,
            )
            if len(self._laid) >= MOST_LAID:
                self._laid.clear()
            self._laid[key] = found
        return found

    def write(
        self, decision: Decision, *, expected: int | None, event_id: str | None = None
    ) -> str:
        """Append a decision.

        Raises
        ------
        StaleError
            If its field changed since it was shown.
        """
        return self.store.add_decision(
            decision, event_id=event_id, expected=expected, blind=self.blind
        )

    def writer(self, who: str) -> Writer:
        """Return who decides at this moment, with this software."""
        when = self.now().astimezone(UTC).isoformat(timespec="microseconds")
        made = f"{self.extractor.name} {self.extractor.version} {self.extractor.rules_hash[:12]}"
        return Writer(who, when, f"evipool {__version__}; {made}".strip())


def own_last(events: Sequence[Event], who: str) -> Event | None:
    """Return a reviewer's latest event among those on a field, comments apart; it can be undone."""
    mine = [e for e in live(events) if e.decision.who == who and e.decision.verdict != "comment"]
    return mine[-1] if mine else None


def finished_by(events: Sequence[Event]) -> set[str]:
    """Return who has finished checking a record, by the events on it."""
    said = (e.decision for e in live(events))
    return {d.who for d in said if d.field == WHOLE and d.verdict == "finished"}


def grouped(events: Sequence[Event]) -> dict[str, list[Event]]:
    """Return events by record."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.decision.record_id].append(event)
    return found


def address(screen: str, record_id: str) -> str:
    """Return the address of a record's screen."""
    return f"/{screen}/{quote(record_id, safe='')}"
