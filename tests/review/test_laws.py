"""What holds for any decisions: no order, no hostile value and no new reading breaks a study."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.extract.reader import Reader
from pipeline.fetch.files import read_records
from pipeline.review import Writer, decide, effective, fields_of, lay
from pipeline.review.paths import parse
from pipeline.schema import VERDICTS, Decision, Event, Outcome, Quote, Record, Section, Study
from pipeline.store.checks import quotes
from tests.conftest import REPO
from tests.review.samples import RECORD, TEXT, at, read, study

PATHS = [
    *(f.path for f in fields_of(study())),
    "outcomes@00000000ff",
    "outcomes@00000000ff.events",
    "outcomes[1].events",
    "screening",
    "study",
    "rob2.d1",
]
VALUES = [
    None,
    "1",
    "12",
    "40",
    "1e400",
    "NaN",
    "no json",
    '"text"',
    '"rct_crossover"',
    "[1, 2]",
    "[2, 1]",
    "{}",
    '{"measure": "pain", "type": "count", "events": 30, "n": 20}',
    '{"measure": "pain", "type": "no type"}',
    '{"drug": "Ig", "unit": "g"}',
    '{"label": "Ig", "role": "intervention", "treatment": ""}',
    "[" * 100,
]
SNAPSHOTS = [None, "{}", "[]", "no json", '{"measure": "pain", "type": "count"}', "null"]


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Anything that a file could hold."""
    made: list[Event] = []
    for i in range(draw(st.integers(0, 14))):
        start = draw(st.integers(0, 60))
        quote = Quote("pmid1", start, start + 6, (RECORD.text + " " * 60)[start : start + 6])
        decision = Decision(
            "pmid1",
            draw(st.sampled_from(PATHS)),
            draw(st.sampled_from(VERDICTS)),
            draw(st.sampled_from(["Li", "Ng", "Oz"])),
            f"2026-11-23T10:00:0{draw(st.integers(0, 9))}Z",
            draw(st.sampled_from(VALUES)),
            old=draw(st.sampled_from(VALUES)),
            evidence=draw(st.sampled_from([None, quote, replace(quote, record_id="pmid2")])),
            snapshot=draw(st.sampled_from(SNAPSHOTS)),
            undoes=draw(st.sampled_from([e.event_id for e in made] or [""])),
        )
        made.append(Event(f"e{i}", decision, draw(st.integers(1, 3))))
    return made


@given(said=events(), mode=st.sampled_from(["single", "verify", "dual"]), order=st.randoms())
def test_any_decisions_in_any_order_give_one_study(
    said: list[Event], mode: str, order: random.Random
) -> None:
    shuffled = list(said)
    order.shuffle(shuffled)
    one = lay(study(), said, mode, text=RECORD.text)
    other = lay(study(), shuffled, mode, text=RECORD.text)
    assert one == other
    assert all(parse(s.field.path) is not None for s in one.states)
    assert len({s.field.path for s in one.states}) == len(one.states)
    for quote in quotes(one.study):
        assert RECORD.text[quote.start : quote.end] == quote.text


@given(said=events(), mode=st.sampled_from(["single", "verify", "dual"]))
def test_what_is_reviewed_is_what_somebody_said(said: list[Event], mode: str) -> None:
    for state in lay(study(), said, mode, text=RECORD.text).states:
        decided = [e for e in said if e.decision.field in (state.field.path, state.field.row)]
        assert not state.reviewed or decided
        if not decided:
            assert state.value == (None if state.field.gone else state.field.suggestion)


@given(seed=st.integers(0, 10_000))
def test_a_new_reading_never_moves_a_decision_to_another_row(seed: int) -> None:
    """Rows come, go, change places and are read otherwise: what was decided stays on its row."""
    chance = random.Random(seed)  # noqa: S311
    text = " ".join(f"In group {c}, {n} of 40 had relief." for n, c in enumerate("ABCDEFGH", 11))
    record = Record("pmid1", "", (Section(text),))
    rows = [row(record, n, c) for n, c in enumerate("ABCDEFGH", 11)]
    first = replace(study(), arms=(), doses=(), outcomes=tuple(rows), registry_ids=())
    writer = Writer("Li", "2026-11-23T10:00:00.000000Z")
    states = [s for s in lay(first, []).states if s.field.label == "events"]
    chosen = chance.sample(states, 3)
    said = [Event(f"e{i}", decide(s, "accepted", writer, record)) for i, s in enumerate(chosen)]
    shown = [changed(r, record, chance) for r in chance.sample(rows, 6)]
    new = effective(replace(first, outcomes=tuple(shown)), said, text=record.text)
    found = [o for o in new.outcomes if o.events is not None and o.events.reviewed]
    wanted = {(s.field.heading.split(", ")[-1], s.value) for s in chosen}
    assert {(o.arm, o.events.value) for o in found if o.events} == wanted
    assert len(found) == 3


def row(record: Record, n: int, group: str) -> Outcome:
    """A result of a group."""
    phrase = f"In group {group}, {n} of 40 had relief."
    return Outcome(
        "relief",
        "count",
        group,
        events=read(str(n), n, record),
        n=read(f"{n} of 40", 40, record),
        quote=at(phrase, record),
    )


def changed(was: Outcome, record: Record, chance: random.Random) -> Outcome:
    """The row as a newer version may read it."""
    how = chance.choice(["same", "longer quote", "other measure", "other value"])
    if how == "longer quote" and was.quote is not None:
        return replace(was, quote=record.quote(was.quote.start, was.quote.end - 1))
    if how == "other measure":
        return replace(was, measure="pain relief")
    if how == "other value" and was.events is not None:
        return replace(was, events=replace(was.events, value=3))
    return was


@pytest.fixture(scope="module")
def corpus(config: Config) -> list[tuple[Record, Study]]:
    """The shipped corpus as it is read."""
    found, _ = read_records(REPO / "corpus" / "demo" / "evipool-demo.xml")
    reader = Reader(config.eligibility, config.outcomes)
    return [(record, reader.read(record)) for record in found]


def test_every_value_of_the_corpus_can_be_accepted_and_none_changes(
    corpus: list[tuple[Record, Study]],
) -> None:
    """Accepting all that is read gives the same study, but for the mark that it was."""
    writer = Writer("Li", "2026-11-23T10:00:00.000000Z")
    for record, was in corpus:
        states = lay(was, [], text=record.text).waiting
        said = [Event(f"e{i}", decide(s, "accepted", writer, record)) for i, s in enumerate(states)]
        result = lay(was, said, text=record.text)
        assert unmarked(result.study) == unmarked(was), record.record_id
        assert not result.waiting
        assert not result.problems


def unmarked(value: Any) -> Any:
    """A study without the marks of review."""
    if isinstance(value, tuple):
        return tuple(map(unmarked, value))
    names = getattr(value, "__dataclass_fields__", {})
    if not names:
        return value
    held = {name: unmarked(getattr(value, name)) for name in names}
    if "reviewed" in held:
        held["reviewed"] = type(held["reviewed"])()
    return replace(value, **held)


def test_a_study_of_hundreds_of_fields_is_laid_out_quickly() -> None:
    text = " ".join(f"In group G{n}, {n} of 400 had relief." for n in range(100, 200))
    record = Record("pmid1", RECORD.title, (Section(TEXT), Section(text)))
    rows = tuple(row_of(record, n) for n in range(100, 200))
    large = replace(study(record), outcomes=rows)
    writer = Writer("Li", "2026-11-23T10:00:00.000000Z")
    states = lay(large, []).waiting
    said = [Event(f"e{i}", decide(s, "accepted", writer, record)) for i, s in enumerate(states)]
    started = time.perf_counter()
    assert not lay(large, said, text=record.text).waiting
    assert time.perf_counter() - started < 1


def row_of(record: Record, n: int) -> Outcome:
    """A result of many."""
    phrase = f"In group G{n}, {n} of 400 had relief."
    size = read(f"{n} of 400", 400, record)
    return Outcome(
        "relief",
        "count",
        f"G{n}",
        events=read(f"{n} of", n, record),
        n=size,
        quote=at(phrase, record),
    )
