"""Events in the store: versions, undo, blindness, the chain of hashes, and two laptops."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from pipeline.errors import StaleError, StoreError
from pipeline.review import effective
from pipeline.schema import Decision, Event, Quote, in_order
from pipeline.store import Store
from tests.store.samples import NOON, OLD, study

N = Decision("pmid1", "n_total", "accepted", "Li", NOON, "30", old="30", snapshot=None)
WHOLE = replace(N, field="study", verdict="finished", value=None, old=None)
SCREEN = replace(WHOLE, field="screening", verdict="included")


def by(who: str, decision: Decision = N, **more: str | None) -> Decision:
    """The decision of another person."""
    return replace(decision, who=who, **more)  # type: ignore[arg-type]


# Versions


def test_a_decision_keeps_all_that_it_says(store: Store) -> None:
    full = replace(
        N,
        evidence=Quote("pmid1", 3, 5, "30"),
        snapshot="{}",
        content_hash="c",
        software="evipool 1",
    )
    store.add_decision(full)
    assert store.decisions() == [full]


def test_a_write_on_a_stale_version_is_refused_and_saves_nothing(store: Store) -> None:
    store.add_decision(N, expected=0)
    assert store.field_versions("pmid1") == {"n_total": 1}
    with pytest.raises(StaleError, match=r"n_total of pmid1 .* 1, not 0; nothing was saved"):
        store.add_decision(by("Ng"), expected=0)
    assert len(store.events()) == 1
    store.add_decision(by("Ng"), expected=1)
    assert [e.turn for e in store.events()] == [1, 2]


def test_of_many_writers_at_once_one_wins(store: Store, tmp_path: Path, url: str | None) -> None:
    stale: list[StaleError] = []

    def write(who: str) -> None:
        with Store.open(tmp_path, url) as own:
            try:
                own.add_decision(by(who), expected=0)
            except StaleError as error:
                stale.append(error)

    threads = [threading.Thread(target=write, args=(f"P{i}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(store.events()), len(stale)) == (1, 5)
    assert store.check() == []


def test_several_decisions_are_kept_all_or_none(store: Store) -> None:
    with pytest.raises(StoreError, match="could be undone"):
        store.add_decisions([N, by("Li", verdict="undone", undoes="nothing")])
    assert store.events() == []
    assert len(store.add_decisions([N, by("Ng")])) == 2


def test_several_decisions_may_name_their_versions(store: Store) -> None:
    design = replace(N, field="design", value='"other"')
    store.add_decisions([N, design], expected={"n_total": 0, "design": 0})
    with pytest.raises(StaleError, match="design of pmid1"):
        store.add_decisions([by("Ng"), by("Ng", design)], expected={"n_total": 1, "design": 0})
    assert len(store.events()) == 2


def test_an_own_decision_is_undone_once(store: Store) -> None:
    name = store.add_decision(N)
    back = by("Li", verdict="undone", value=None, undoes=name)
    with pytest.raises(StoreError, match="Ng has no decision"):
        store.add_decision(replace(back, who="Ng"))
    again = store.add_decision(back)
    with pytest.raises(StoreError, match="was undone before"):
        store.add_decision(back)
    with pytest.raises(StoreError, match="could be undone"):
        store.add_decision(replace(back, undoes=again))
    assert len(store.events()) == 2


# Blindness


def seen(store: Store, who: str) -> list[str]:
    """Whose words a person may see."""
    return sorted({e.decision.who for e in store.visible_events(who, "pmid1")})


def test_nobody_sees_anothers_words_before_both_have_finished(store: Store) -> None:
    store.add_decisions([N, by("Ng")])
    assert (seen(store, "Li"), seen(store, "Ng"), seen(store, "Oz")) == (["Li"], ["Ng"], [])
    store.add_decision(WHOLE)
    assert (seen(store, "Li"), seen(store, "Ng"), seen(store, "Oz")) == (["Li"], ["Ng"], [])
    store.add_decision(by("Ng", WHOLE))
    assert seen(store, "Li") == seen(store, "Ng") == seen(store, "Oz") == ["Li", "Ng"]
    assert store.finished("pmid1") == ["Li", "Ng"]


def test_who_takes_the_end_back_is_at_work_again(store: Store) -> None:
    store.add_decisions([N, by("Ng")])
    name = store.add_decision(WHOLE)
    store.add_decision(replace(WHOLE, verdict="undone", undoes=name))
    store.add_decision(by("Ng", WHOLE))
    assert (seen(store, "Ng"), seen(store, "Oz")) == (["Ng"], [])
    store.add_decision(WHOLE)
    assert seen(store, "Ng") == ["Li", "Ng"]


def test_a_third_who_has_begun_sees_nothing_until_they_finish(store: Store) -> None:
    store.add_decisions([N, WHOLE, by("Ng"), by("Ng", WHOLE), by("Oz")])
    assert seen(store, "Oz") == ["Oz"]
    store.add_decision(by("Oz", WHOLE))
    assert seen(store, "Oz") == ["Li", "Ng", "Oz"]


def test_screening_and_reading_are_blind_each_for_itself(store: Store) -> None:
    store.add_decisions([SCREEN, by("Ng", SCREEN), N])
    shown = store.visible_events("Ng", "pmid1")
    assert sorted(e.decision.field for e in shown) == ["screening", "screening"]
    assert store.finished("pmid1", "screening") == ["Li", "Ng"]


def test_another_record_gives_nothing_away(store: Store) -> None:
    both = [replace(d, record_id="pmid2") for d in (N, WHOLE, by("Ng"), by("Ng", WHOLE))]
    store.add_decisions([*both, N])
    assert seen(store, "Ng") == []
    assert len(store.visible_events("Ng")) == 4


def test_a_blind_writers_version_counts_only_what_they_see(store: Store) -> None:
    store.add_decision(N)
    assert store.field_versions("pmid1", "Ng") == {}
    store.add_decision(by("Ng"), expected=0, blind=True)
    with pytest.raises(StaleError):
        store.add_decision(by("Ng", verdict="rejected", value=None), expected=0, blind=True)


# The chain


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decisions SET who = 'Oz' WHERE event_id = 'e-2'",
        "UPDATE decisions SET value = NULL WHERE event_id = 'e-1'",
        "UPDATE decisions SET turn = 9 WHERE event_id = 'e-3'",
        "UPDATE decisions SET hash = '' WHERE event_id = 'e-2'",
        "DELETE FROM decisions WHERE event_id = 'e-1'",
        "DELETE FROM decisions WHERE event_id = 'e-2'",
    ],
)
def test_check_finds_what_was_changed_behind_the_triggers(store: Store, statement: str) -> None:
    for i, who in enumerate(("Li", "Ng", "Oz"), 1):
        store.add_decision(by(who), event_id=f"e-{i}")
    assert store.check() == []
    off = {
        "sqlite": ["DROP TRIGGER decisions_keep_update", "DROP TRIGGER decisions_keep_delete"],
        "postgresql": ["ALTER TABLE decisions DISABLE TRIGGER USER"],
    }
    with store._engine.begin() as connection:
        for command in (*off[store._engine.dialect.name], statement):
            connection.execute(text(command))
    assert any("was changed, moved or removed" in fault for fault in store.check())


# Two laptops


def test_merging_twice_is_merging_once_and_each_store_has_its_own_chain(
    store: Store, tmp_path: Path
) -> None:
    store.add_decisions([N, by("Ng")])
    with Store.open(tmp_path / "other") as other:
        other.add_decision(by("Oz"))
        assert len(other.merge_events(store.events())) == 2
        assert other.merge_events(store.events()) == []
        store.merge_events(other.events())
        assert in_order(store.events()) == in_order(other.events())
        assert [e.decision.who for e in store.events()] == ["Li", "Ng", "Oz"]
        assert [e.decision.who for e in other.events()] == ["Oz", "Li", "Ng"]
        assert store.check() == other.check() == []


def test_an_id_that_says_something_else_is_refused_whole(store: Store) -> None:
    store.add_decision(N, event_id="e-1")
    fresh = Event("e-2", by("Ng"))
    with pytest.raises(StoreError, match="Another decision has the event id 'e-1'"):
        store.merge_events([fresh, Event("e-1", by("Ng"))])
    assert len(store.events()) == 1


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Event], list[int], list[int]]:
    """Events of three people on one study, and two orders of some of them that hold them all."""
    people, verdicts = st.sampled_from(["Li", "Ng", "Oz"]), ("accepted", "corrected", "rejected")
    events: list[Event] = []
    for i in range(draw(st.integers(0, 10))):
        verdict = draw(st.sampled_from((*verdicts, "not_reported", "adjudicated", "undone")))
        who, field = draw(people), draw(st.sampled_from(["n_total", "design"]))
        own = [e.event_id for e in events if (e.decision.who, e.decision.field) == (who, field)]
        if verdict == "undone" and not own:
            continue
        values = ["29", "30"] if field == "n_total" else ['"rct_parallel"', '"other"']
        valued = verdict in ("accepted", "corrected", "adjudicated")
        decision = Decision(
            "pmid1",
            field,
            verdict,
            who,
            f"2026-11-22T12:00:{draw(st.integers(0, 3)):02d}.000000Z",
            draw(st.sampled_from(values)) if valued else None,
            undoes=draw(st.sampled_from(own)) if verdict == "undone" else "",
        )
        events.append(Event(f"e{i}", decision, draw(st.integers(1, 3))))
    numbers = range(len(events))
    one = draw(st.permutations(numbers))
    split = draw(st.integers(0, len(events)))
    other = draw(st.permutations([*one[split:], *draw(st.permutations(one[:split]))[:2]]))
    return events, list(one[:split]), list(other)


@pytest.fixture(scope="module")
def numbered() -> Iterator[list[int]]:
    """How many pairs of stores were made."""
    yield [0]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories(), mode=st.sampled_from(["single", "verify", "dual"]))
def test_two_stores_that_merge_come_to_the_same_study(
    tmp_path: Path,
    numbered: list[int],
    history: tuple[list[Event], list[int], list[int]],
    mode: str,
) -> None:
    """Whatever was split between them, and in whatever order it came."""
    events, first, second = history
    numbered[0] += 1
    place = tmp_path / str(numbered[0])
    with Store.open(place / "a") as a, Store.open(place / "b") as b:
        a.merge_events([events[i] for i in first])
        b.merge_events([events[i] for i in second])
        a.merge_events(b.events())
        b.merge_events(list(reversed(a.events())))
        read = study(OLD)
        one, other = (effective(read, s.events(), mode, text=OLD.text) for s in (a, b))
        assert one == other == effective(read, events, mode, text=OLD.text)
        assert a.check() == b.check() == []


# Blindness, said again in other words


@st.composite
def sessions(draw: st.DrawFn) -> list[Decision]:
    """What three people do to two records, in an order."""
    made = []
    for _ in range(draw(st.integers(0, 14))):
        field, verdict = draw(
            st.sampled_from(
                [
                    ("n_total", "accepted"),
                    ("n_total", "adjudicated"),
                    ("n_total", "comment"),
                    ("study", "finished"),
                    ("study", "undone"),
                    ("screening", "included"),
                    ("screening", "unsure"),
                    ("screening", "undone"),
                ]
            )
        )
        who, record = draw(st.sampled_from(["Li", "Ng", "Oz"])), draw(st.sampled_from("ab"))
        made.append(Decision(record, field, verdict, who, NOON))
    return made


def may_see(events: list[Event], who: str) -> set[str]:
    """The ids of the events that a person may see, one record and stage after the other."""
    undone = {e.decision.undoes for e in events if e.decision.verdict == "undone"}
    shown = {e.event_id for e in events if e.decision.who == who}
    for record in ("a", "b"):
        for stage, ends in (("screening", ("included", "unsure")), ("study", ("finished",))):
            of_stage = [
                e
                for e in events
                if e.decision.record_id == record
                and (e.decision.field == "screening") == (stage == "screening")
            ]
            done = {
                e.decision.who
                for e in of_stage
                if e.decision.field == stage
                and e.decision.verdict in ends
                and e.event_id not in undone
            }
            at_work = any(
                e.decision.who == who
                and e.decision.verdict not in ("undone", "comment", "adjudicated")
                for e in of_stage
            )
            if len(done) >= 2 and (who in done or not at_work):
                shown |= {e.event_id for e in of_stage}
    return shown


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(session=sessions())
def test_a_person_sees_what_the_rule_says_and_nothing_else(
    tmp_path: Path, numbered: list[int], session: list[Decision]
) -> None:
    numbered[0] += 1
    with Store.open(tmp_path / f"blind{numbered[0]}") as store:
        for decision in session:
            own = [
                e.event_id
                for e in store.events(decision.record_id)
                if (e.decision.who, e.decision.field) == (decision.who, decision.field)
                and e.decision.verdict != "undone"
            ]
            taken = {e.decision.undoes for e in store.events()}
            free = [name for name in own if name not in taken]
            if decision.verdict != "undone":
                store.add_decision(decision)
            elif free:
                store.add_decision(replace(decision, undoes=free[-1]))
        for who in ("Li", "Ng", "Oz", "Xu"):
            seen_ids = {e.event_id for e in store.visible_events(who)}
            assert seen_ids == may_see(store.events(), who)
            by_record = [e for r in "ab" for e in store.visible_events(who, r)]
            assert {e.event_id for e in by_record} == seen_ids
            versions = store.field_versions("a", who)
            assert sum(versions.values()) == len(store.visible_events(who, "a"))


# Power cuts

WRITER = """
import sys
from pathlib import Path
from pipeline.schema import Decision
from pipeline.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for i in range(100_000):
        decision = Decision("pmid1", "n_total", "accepted", "Li", "2026-11-23T10:00:00Z", str(i))
        print(store.add_decision(decision), flush=True)
"""


@pytest.mark.parametrize("lines", [1, 7, 20, 45])
def test_no_decision_that_was_acknowledged_is_lost_to_a_kill(tmp_path: Path, lines: int) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(lines)]
        process.kill()
        told += process.stdout.read().split("\n")
    whole = {name for name in told if len(name) == 36}
    assert len(whole) >= lines
    with Store.open(tmp_path) as store:
        assert whole <= {e.event_id for e in store.events()}
        assert store.check() == []
        store.add_decision(N)
        assert store.check() == []
