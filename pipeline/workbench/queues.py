"""Counts what is done and what waits: the dashboard, and the ways from one study to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.answer.pooling import select
from pipeline.report.plain import one_line, visible
from pipeline.review.agreement import agreement
from pipeline.review.resolve import live
from pipeline.schema import SCREENING, Event, Record
from pipeline.screen import reasons
from pipeline.workbench.desk import Desk, address, finished_by, grouped
from pipeline.workbench.preview import studies_as_counted
from pipeline.workbench.sheet import OPEN, state_name, states_of

#: Studies on one page of the dashboard; a search narrows them.
MOST_LISTED = 300
VALUES = ("accepted", "corrected", "rejected", "not_reported", "adjudicated")


@dataclass(frozen=True, slots=True)
class Bar:
    """A queue: how many of `most` are done, and where the next one is."""

    label: str
    done: int
    most: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A study in the list."""

    slab: str
    title: str
    address: str
    screen: str
    eligible: str
    check: str
    rob: str
    bias: str


@dataclass(frozen=True, slots=True)
class Person:
    """What a reviewer has done."""

    who: str
    screened: int
    decided: int
    finished: int


@dataclass(frozen=True, slots=True)
class PoolLine:
    """What a question's estimate would rest on."""

    id: str
    said: str


@dataclass(frozen=True, slots=True)
class AgreementLine:
    """How far reviewers agreed on one field before anybody settled it."""

    label: str
    n: int
    percent: str
    kappa: str
    alpha: str


@dataclass(frozen=True, slots=True)
class Board:
    """The dashboard."""

    title: str
    search: str
    bars: tuple[Bar, ...]
    pools: tuple[PoolLine, ...]
    flow: tuple[tuple[str, int], ...]
    people: tuple[Person, ...]
    agreement: tuple[AgreementLine, ...]
    studies: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands: its eligibility, by whom, and how far its check has come."""

    record_id: str
    include: bool
    by_person: bool
    checked: bool
    open: int
    conflicts: int
    said: str


def standings(desk: Desk, events: Mapping[str, Sequence[Event]]) -> list[Standing]:
    """Return where each record stands, in the order of the search."""
    return [
        _standing(desk, record_id, events.get(record_id, ())) for record_id in desk.holdings.ids
    ]


def _standing(desk: Desk, record_id: str, events: Sequence[Event]) -> Standing:
    """Where a record stands; one that nobody spoke of needs no reading of its fields."""
    screening = desk.screened(record_id, events)
    said = [e.decision for e in live(events)]
    by_person = any(d.field == SCREENING for d in said)
    finished = finished_by(events)
    if not any(d.verdict in VALUES for d in said) and not finished:
        return Standing(record_id, screening.include, by_person, False, -1, 0, "not begun")
    states = [s for s in states_of(desk, record_id, events) if state_name(s) != "empty"]
    open_ = sum(s.state in OPEN for s in states)
    conflicts = sum(s.state == "conflict" for s in states)
    words = f"{len(states) - open_} of {len(states)}"
    words += f", {conflicts} in conflict" if conflicts else ""
    changed = sum(bool(s.difference) for s in states)
    words += f", {changed} read otherwise now" if changed else ""
    words += ", finished" if finished else ""
    checked = bool(finished) or not open_
    return Standing(record_id, screening.include, by_person, checked, open_, conflicts, words)


def board(desk: Desk, who: str, query: str = "") -> Board:
    """Return the dashboard of a reviewer: what they may see."""
    seen = desk.events(who)
    by_record = grouped(seen)
    stand = standings(desk, by_record)
    return Board(
        desk.config.title,
        _search(desk),
        _bars(desk, who, stand, by_record),
        tuple(_pools(desk, seen)),
        _flow(desk, by_record),
        tuple(_people(seen)),
        tuple(_agreements(seen)),
        tuple(_lines(desk, stand, by_record, query)),
    )


def _search(desk: Desk) -> str:
    """What was searched, and what is new."""
    search, new = desk.holdings.search, desk.newcomers()
    if search is None:
        return ""
    said = f"Search of {search.date} in {search.source}: {search.count} found"
    return f"{said}, {new} of them new since the run before." if new is not None else f"{said}."


def _bars(
    desk: Desk, who: str, stand: Sequence[Standing], events: Mapping[str, Sequence[Event]]
) -> tuple[Bar, ...]:
    """The queues."""
    eligible = [s for s in stand if s.include]
    conflicts = sum(s.conflicts > 0 for s in stand)
    screened = sum(s.by_person for s in stand)
    checked = sum(s.checked for s in eligible)
    mine = sum(who in finished_by(events.get(s.record_id, ())) for s in eligible)
    return (
        Bar("Screened", screened, len(stand), "/screen/"),
        Bar("Checked", checked, len(eligible), "/study/"),
        Bar("Finished by you", mine, len(eligible), "/study/"),
        Bar("Conflicts left", conflicts, max(len(eligible), conflicts, 1), "/conflicts"),
    )


def _pools(desk: Desk, events: Sequence[Event]) -> list[PoolLine]:
    """What each question's estimate rests on."""
    studies = studies_as_counted(desk, events)
    lines = []
    for question in desk.config.questions:
        effects = select(question, desk.config, studies).effects
        n, known = len(effects), sum(e.reviewed for e in effects)
        said = f"{known} of {n} reviewed" if n else "none poolable"
        lines.append(PoolLine(question.id, f"{question.measure}: {said}"))
    return lines


def _flow(desk: Desk, events: Mapping[str, Sequence[Event]]) -> tuple[tuple[str, int], ...]:
    """The counts of PRISMA's boxes."""
    held = desk.holdings
    counted = [desk.screened(r, events.get(r, ())) for r in held.ids]
    known = reasons(counted)
    duplicates = held.search.duplicates if held.search else 0
    out = sum(not s.include for s in counted)
    by_hand = out - sum(n for _, n in known)
    return (
        ("records found", len(counted) + duplicates),
        ("duplicates", duplicates),
        ("screened", len(counted)),
        *((f"excluded: {code.replace('_', ' ')}", n) for code, n in known),
        *([("excluded: other reasons", by_hand)] if by_hand else []),
        ("eligible", len(counted) - out),
    )


def _people(events: Sequence[Event]) -> list[Person]:
    """What each reviewer has done."""
    said = [e.decision for e in live(events)]
    names = sorted({d.who for d in said})
    return [
        Person(
            visible(name),
            len({d.record_id for d in said if d.who == name and d.field == SCREENING}),
            len({(d.record_id, d.field) for d in said if d.who == name and d.verdict in VALUES}),
            len({d.record_id for d in said if d.who == name and d.verdict == "finished"}),
        )
        for name in names
    ]


def _agreements(events: Sequence[Event]) -> list[AgreementLine]:
    """The agreement on each field; of numbers, alpha is the interval one where it is defined."""
    return [
        AgreementLine(
            a.field.replace(".", ": ").replace("_", " "),
            a.n,
            "–" if a.equal is None else f"{a.equal:.0%}",
            _figure(a.kappa),
            _figure(a.alpha if a.alpha_interval is None else a.alpha_interval),
        )
        for a in agreement(events)
    ]


def _figure(value: float | None) -> str:
    """A coefficient of agreement; a dash where it is not defined."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")


def _lines(
    desk: Desk, stand: Sequence[Standing], events: Mapping[str, Sequence[Event]], query: str
) -> list[Line]:
    """The studies that a search names, the eligible ones first."""
    wanted = query.casefold().split()
    found = []
    for one in sorted(stand, key=lambda s: not s.include):
        record = desk.holdings.records[one.record_id]
        text = f"{record.record_id} {record.slab} {record.title} {record.doi}".casefold()
        if all(word in text for word in wanted):
            said = [e.decision for e in live(events.get(one.record_id, ()))]
            found.append(_line(one, record, any(d.field.startswith("rob:") for d in said)))
    return found[:MOST_LISTED]


def _line(one: Standing, record: Record, assessed: bool) -> Line:
    """A study in the list."""
    eligible = "eligible" if one.include else "excluded"
    return Line(
        one_line(record.slab, 50),
        one_line(record.title, 110),
        address("study", one.record_id),
        address("screen", one.record_id),
        f"{eligible} by {'a person' if one.by_person else 'rule'}",
        one.said,
        address("rob", one.record_id),
        "begun" if assessed else "not begun",
    )


def neighbours(ids: Sequence[str], record_id: str) -> tuple[str | None, str | None]:
    """Return the records before and after one."""
    if record_id not in ids:
        return None, ids[0] if ids else None
    at = ids.index(record_id)
    before = ids[at - 1] if at else None
    return before, ids[at + 1] if at + 1 < len(ids) else None
