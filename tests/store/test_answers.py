"""What runs answered: kept once, read back whole, and which of them stands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from pipeline.config import ModelSpec
from pipeline.errors import ConfigError, OutputError, StoreError
from pipeline.pool import pool
from pipeline.schema import (
    Answered,
    Correction,
    Counted,
    EffectSize,
    QuestionResult,
    Screening,
)
from pipeline.store import Store, dump
from pipeline.store.tables import kept_values
from tests.store.samples import AGAIN, BATCH, LATER, NEW, NOON, OLD, REVISED, SEARCH, study

EFFECTS = tuple(
    EffectSize(f"pmid{i}", f"S{i}", "RR", 0.1 * i, 0.2, 30, quotes=(OLD.quote(0, 2),))
    for i in (1, 2, 3)
)
POOLED = QuestionResult("q", "Q", "RR", EFFECTS, (), pool(EFFECTS, ModelSpec()))
ALONE = QuestionResult("p", "P", "RR", EFFECTS[:1], (), None, "One study is poolable.")
COUNTED = Counted(
    "pmid1",
    "Müller 2019",
    OLD.content_hash,
    study(OLD),
    Screening("pmid1", True, "eligible", "primary study"),
    "2019",
    (Correction("ErratumIn", "9"),),
    ("e-1",),
)


def answer(store: Store, run_id: str, *, as_of: str | None = None, **ended: Any) -> None:
    """A run from its beginning to its end."""
    store.start_run(run_id, started=NOON, argv=["run"], config_sha256="0", as_of=as_of)
    kept = {"results": (POOLED, ALONE), "counted": (COUNTED,)}
    given = {"finished": run_id, "status": "complete", "search_id": SEARCH.search_id} | kept
    store.finish_run(run_id, **{**given, **ended})


@pytest.fixture
def searched(store: Store) -> Iterator[Store]:
    """A store with a search and its records."""
    store.save_search(SEARCH)
    store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
    yield store


def test_what_a_run_answered_is_read_back_as_it_was(searched: Store) -> None:
    answer(searched, "r1")
    expected = Answered("r1", SEARCH.date, (POOLED, ALONE), (COUNTED,))
    assert searched.answered("r1") == expected
    assert searched.latest_answered() == expected
    assert searched.answered("r2") is None


def test_an_answer_that_is_given_again_takes_no_room(searched: Store) -> None:
    for run_id in ("r1", "r2"):
        answer(searched, run_id)
    with searched._engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(kept_values)) == 3


def test_only_a_whole_run_over_all_evidence_stands(searched: Store) -> None:
    assert searched.latest_answered() is None
    answer(searched, "r1")
    answer(searched, "r2", status="failed")
    answer(searched, "r3", as_of="2015-01-01")
    assert searched.latest_answered() == searched.answered("r1")
    assert searched.watermark("pubmed", "ivig") == SEARCH.date
    days = [(run_id, day) for run_id, day, _ in searched.history("q")]
    assert days == [("r3", "2015-01-01"), ("r1", SEARCH.date), ("r2", SEARCH.date)]


def test_a_run_as_of_a_day_moves_no_watermark(searched: Store) -> None:
    answer(searched, "r1", as_of="2015-01-01")
    assert searched.watermark("pubmed", "ivig") is None


def test_a_killed_run_is_noted_as_failed(searched: Store) -> None:
    searched.start_run("r1", started=NOON, argv=["run"], config_sha256="0")
    searched.end_killed_runs()
    assert [r.status for r in searched.runs()] == ["failed"]


def test_a_new_search_takes_over_what_is_stored(searched: Store) -> None:
    searched.save_search(AGAIN)
    assert searched.known_ids(AGAIN.search_id) == set()
    searched.carry(AGAIN.search_id)
    assert searched.known_ids(AGAIN.search_id) == {"pmid1"}
    assert searched.ages() == {"pmid1": NOON, "pmid2": NOON}
    assert searched.latest_search_of("pubmed", "ivig") == AGAIN
    assert searched.latest_search_of("pubmed", "other") is None


def test_each_version_counts_by_its_day(searched: Store) -> None:
    searched.save_search(AGAIN)
    searched.save_batch(AGAIN.search_id, REVISED, fetched_at=LATER)
    by = {day: searched.versions_by(AGAIN.search_id, day)["pmid1"] for day in DAYS}
    assert [by[day] for day in DAYS] == [OLD, OLD, NEW]


#: Before the first version was seen, on its day, and on that of the second.
DAYS = ("2001-01-01", NOON[:10], LATER[:10])


def test_records_that_a_search_finds_no_more_are_kept_or_not(searched: Store) -> None:
    searched.save_search(AGAIN)
    searched.mark_ended(AGAIN.search_id, {"pmid2": "left_query"})
    assert [r.record_id for r in searched.kept(AGAIN.search_id)] == ["pmid2"]
    searched.mark_ended(AGAIN.search_id, {"pmid2": "deleted"})
    assert searched.kept(AGAIN.search_id) == []
    assert searched.ended(AGAIN.search_id) == {"pmid2": "deleted"}


def test_a_dump_brings_the_answers_back(
    searched: Store, url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer(searched, "r1")
    target = tmp_path / "dump"
    searched.dump(target)
    if searched.kind == "sqlite":
        (tmp_path / "new" / "corpus").mkdir(parents=True)
        target.rename(tmp_path / "new" / "corpus" / "evidence.sqlite")
        with Store.open(tmp_path / "new") as again:
            assert again.answered("r1") == searched.answered("r1")
            assert again.events() == searched.events()
        with pytest.raises(ConfigError, match="backup is of a PostgreSQL database"):
            Store.load(tmp_path, None, target)
        return
    with pytest.raises(StoreError, match="restore into an empty one"):
        Store.load(tmp_path, url, target)
    with searched._engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    Store.load(tmp_path, url, target)
    assert searched.answered("r1") is not None
    monkeypatch.setattr(dump.shutil, "which", lambda _: None)
    with pytest.raises(ConfigError, match="pg_dump is not installed"):
        searched.dump(target)


def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(OutputError, match="Cannot copy"):
        store.dump(tmp_path / "nowhere" / "dump")
