"""Lists the decisions with who, when, what was and what is: the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.csv_table import CsvTable
from pipeline.report.plain import one_line, visible
from pipeline.review.fields import fields_of
from pipeline.review.resolve import live
from pipeline.schema import SCREENING, WHOLE, Decision, Event
from pipeline.workbench.desk import Desk, address, grouped
from pipeline.workbench.show import shown

#: Lines on a page.
PAGE = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """Which decisions are wanted; an empty part lets all through."""

    who: str = ""
    study: str = ""
    field: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log."""

    event_id: str
    when: str
    who: str
    slab: str
    address: str
    label: str
    verdict: str
    change: str
    reason: str
    quote: str
    undo: bool


def wanted(desk: Desk, events: Iterable[Event], by: Filter) -> list[Event]:
    """Return the events that a filter lets through, the latest first."""
    found = [e for e in events if _fits(desk, e.decision, by)]
    return found[::-1]


def _fits(desk: Desk, decision: Decision, by: Filter) -> bool:
    """Whether a decision is wanted."""
    record = desk.holdings.records.get(decision.record_id)
    study = f"{decision.record_id} {record.slab if record else ''}"
    return (
        by.who.casefold() in decision.who.casefold()
        and by.study.casefold() in study.casefold()
        and by.field.casefold() in decision.field.casefold()
        and by.verdict in ("", decision.verdict)
    )


def entries(desk: Desk, who: str, events: Sequence[Event], seen: Sequence[Event]) -> list[Entry]:
    """Return lines for some of the events that a reviewer may see."""
    by_record = grouped(seen)
    alive = {e.event_id for e in live(seen)}
    names = {r: _labels(desk, r, by_record[r]) for r in {e.decision.record_id for e in events}}
    return [_entry(desk, who, e, names[e.decision.record_id], alive) for e in events]


def _labels(desk: Desk, record_id: str, events: Sequence[Event]) -> dict[str, str]:
    """The names of a record's fields, in words."""
    study = desk.holdings.studies.get(record_id)
    found = {SCREENING: "screening", WHOLE: "the study"}
    for field in fields_of(study, events) if study is not None else ():
        row = field.heading.partition(":")[0]
        found[field.path] = f"{row}: {field.label}" if row and field.kind != "row" else field.label
    return found


def _entry(desk: Desk, who: str, event: Event, names: dict[str, str], alive: set[str]) -> Entry:
    """A line."""
    said = event.decision
    record = desk.holdings.records.get(said.record_id)
    own = said.who == who and said.verdict != "undone" and event.event_id in alive
    return Entry(
        event.event_id,
        said.when[:19].replace("T", " "),
        visible(said.who),
        one_line(record.slab if record else said.record_id, 50),
        address("study", said.record_id) if record else "/audit",
        visible(names.get(said.field, said.field)),
        said.verdict.replace("_", " "),
        _change(said),
        one_line(said.reason, 300),
        one_line(said.evidence.text, 120) if said.evidence else "",
        own,
    )


def _change(said: Decision) -> str:
    """What was, and what is."""
    if said.verdict in ("undone", "comment", "finished", "included", "excluded", "unsure"):
        return ""
    old, new = (shown(_plain(text)) for text in (said.old, said.value))
    return new if old == new else f"{old} → {new}"


def _plain(text: str | None) -> Any:
    """A decision's JSON text as data; what is none as it is."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text


def audit_table(events: Sequence[Event]) -> CsvTable:
    """Return the log as a table."""
    header = (
        "event_id",
        "when",
        "who",
        "record_id",
        "field",
        "verdict",
        "old",
        "value",
        "reason",
        "evidence",
        "undoes",
        "software",
    )
    rows = tuple(_row(e) for e in events)
    return CsvTable("audit", header, rows)


def _row(event: Event) -> tuple[str, ...]:
    """A line of the table."""
    d = event.decision
    quote = d.evidence.text if d.evidence else ""
    head = (event.event_id, d.when, d.who, d.record_id, d.field, d.verdict)
    return (*head, d.old or "", d.value or "", d.reason, quote, d.undoes, d.software)
