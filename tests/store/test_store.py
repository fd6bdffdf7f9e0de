"""The store, the same on SQLite and PostgreSQL: what is written is read back, nothing is lost."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import OutputError, StoreError
from pipeline.schema import Batch, Decision, Extractor, Record
from pipeline.store import Run, Store, corpus, database, raw
from pipeline.store.stored import stored
from tests.store.samples import (
    AGAIN,
    BATCH,
    EXTRACTOR,
    LATER,
    NEW,
    NOON,
    OLD,
    OTHER,
    PROBLEM,
    REVISED,
    SEARCH,
    study,
)

DECISION = Decision(
    "pmid1", "outcomes[1].events", "corrected", "AB", NOON, value="12", reason="Table 2: “12”"
)


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with one search and its batch."""
    store.save_search(SEARCH)
    store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
    return store


def execute(store: Store, statement: str) -> None:
    """Run SQL behind the store's back."""
    with store._engine.begin() as connection:
        connection.execute(text(statement))


class TestSearches:
    def test_a_new_store_is_empty(self, store: Store) -> None:
        assert store.latest_search() is None
        assert store.record("pmid1") is None
        assert store.records("none") == []
        assert store.decisions() == []
        assert store.runs() == []
        assert store.check() == []

    def test_a_search_is_read_back_as_it_was_saved(self, store: Store) -> None:
        store.save_search(SEARCH)
        assert store.latest_search() == SEARCH
        assert store.known_ids(SEARCH.search_id) == set()

    def test_the_search_saved_last_is_the_latest(self, store: Store) -> None:
        for search in (SEARCH, AGAIN, SEARCH):
            store.save_search(search)
            assert store.latest_search() == search

    def test_saving_a_search_again_keeps_what_it_fetched(self, filled: Store) -> None:
        filled.save_search(SEARCH)
        assert filled.known_ids(SEARCH.search_id) == {"pmid1", "pmid2"}


class TestRecords:
    def test_records_come_in_the_order_of_the_search(self, filled: Store) -> None:
        assert filled.records(SEARCH.search_id) == [OTHER, OLD]
        assert filled.record("pmid1") == OLD
        assert filled.known_ids(SEARCH.search_id) == {"pmid1", "pmid2"}
        assert filled.problems(SEARCH.search_id) == [PROBLEM]

    def test_saving_a_batch_twice_is_saving_it_once(self, filled: Store, tmp_path: Path) -> None:
        before = {p: p.read_bytes() for p in (tmp_path / "corpus" / "raw").rglob("*.gz")}
        filled.save_batch(SEARCH.search_id, BATCH, fetched_at=LATER)
        assert filled.records(SEARCH.search_id) == [OTHER, OLD]
        assert filled.problems(SEARCH.search_id) == [PROBLEM]
        after = {p: p.read_bytes() for p in (tmp_path / "corpus" / "raw").rglob("*.gz")}
        assert after == before
        assert filled.check() == []

    def test_a_revision_is_newest_and_the_old_version_stays(self, filled: Store) -> None:
        filled.save_search(AGAIN)
        filled.save_batch(AGAIN.search_id, REVISED, fetched_at=LATER)
        assert filled.record("pmid1") == NEW
        assert filled.records(SEARCH.search_id) == [OTHER, NEW]
        with filled._engine.connect() as connection:
            kept = connection.execute(text("SELECT content_hash FROM records ORDER BY record_id"))
            hashes = set(kept.scalars())
        assert hashes == {r.content_hash for r in (OLD, NEW, OTHER)}

    def test_an_older_answer_saved_late_is_not_the_newest(self, store: Store) -> None:
        """A resumed run may save an answer after a newer one."""
        store.save_search(SEARCH)
        store.save_search(AGAIN)
        store.save_batch(AGAIN.search_id, REVISED, fetched_at=LATER)
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert store.record("pmid1") == NEW

    def test_a_version_that_returns_is_newest_again(self, filled: Store) -> None:
        filled.save_search(AGAIN)
        filled.save_batch(AGAIN.search_id, REVISED, fetched_at=LATER)
        back = dataclasses.replace(BATCH, name="efetch-0002.xml")
        filled.save_batch(SEARCH.search_id, back, fetched_at="2026-11-24T12:00:00Z")
        assert filled.record("pmid1") == OLD

    def test_a_new_search_fetches_what_an_old_one_has(self, filled: Store) -> None:
        """Otherwise a revised record would never be seen."""
        filled.save_search(AGAIN)
        assert filled.known_ids(AGAIN.search_id) == set()
        assert filled.records(AGAIN.search_id) == [OLD]

    def test_what_one_search_fetches_another_still_has_to(self, store: Store) -> None:
        store.save_search(SEARCH)
        store.save_search(AGAIN)
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert store.known_ids(AGAIN.search_id) == set()

    def test_a_batch_of_problems_alone_is_kept(self, filled: Store) -> None:
        empty = Batch("efetch-0002.xml", "application/xml", b"", (), (PROBLEM,))
        filled.save_batch(SEARCH.search_id, empty, fetched_at=LATER)
        assert filled.problems(SEARCH.search_id) == [PROBLEM]
        assert filled.check() == []

    @given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(1500, 2099))
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_any_record_is_read_back(self, store: Store, title: str, year: int) -> None:
        record = Record("pmid9", title, year=year)
        raw_bytes = title.encode()
        name = hashlib.sha256(f"{title}{year}".encode()).hexdigest()
        store.save_search(SEARCH)
        batch = Batch(name, "text/plain", raw_bytes, (record,))
        store.save_batch(SEARCH.search_id, batch, fetched_at=NOON)
        assert store.record("pmid9") == record


class TestRawFiles:
    def test_the_bytes_are_kept_gzipped_without_a_time(self, filled: Store, tmp_path: Path) -> None:
        path = tmp_path / "corpus" / "raw" / SEARCH.search_id / "efetch-0001.xml.gz"
        assert gzip.decompress(path.read_bytes()) == b"<a/>"
        assert path.read_bytes()[4:8] == bytes(4)  # MTIME of RFC 1952

    def test_other_bytes_under_a_kept_name_are_refused(self, filled: Store) -> None:
        with pytest.raises(StoreError, match=r"Other bytes are kept as 'efetch-0001\.xml'"):
            filled.save_batch(SEARCH.search_id, REVISED, fetched_at=LATER)
        assert filled.record("pmid1") == OLD
        assert filled.check() == []

    def test_a_batch_of_an_unknown_search_is_refused(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match="'nowhere' is not in"):
            store.save_batch("nowhere", BATCH, fetched_at=NOON)
        assert not (tmp_path / "corpus" / "raw").exists()

    @pytest.mark.parametrize("name", ["../evil", "a/b", ".hidden", "", "a\x00b"])
    def test_a_name_cannot_lead_out_of_the_folder(self, store: Store, name: str) -> None:
        store.save_search(SEARCH)
        with pytest.raises(StoreError, match="Invalid name"):
            store.save_batch(
                SEARCH.search_id, dataclasses.replace(BATCH, name=name), fetched_at=NOON
            )

    def test_a_crash_between_file_and_rows_leaves_the_store_whole(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.save_search(SEARCH)
        with monkeypatch.context() as crash:

            def fail(*_: object) -> None:
                raise RuntimeError("power cut")

            crash.setattr(corpus, "_note_fetched", fail)  # after the first rows, before the last
            with pytest.raises(RuntimeError):
                store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert list((tmp_path / "corpus" / "raw").rglob("*.gz"))
        assert store.records(SEARCH.search_id) == []
        assert store.problems(SEARCH.search_id) == []
        assert store.check() == []
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert store.records(SEARCH.search_id) == [OTHER, OLD]

    def test_a_crash_while_the_file_is_written_leaves_no_half(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store.save_search(SEARCH)
        with monkeypatch.context() as crash:

            def fail(_: int) -> None:
                raise OSError(28, "No space left on device")

            crash.setattr(raw.os, "fsync", fail)
            with pytest.raises(OutputError, match="No space left on device"):
                store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert [p for p in (tmp_path / "corpus" / "raw").rglob("*") if p.is_file()] == []
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert store.check() == []

    def test_what_a_killed_run_left_half_written_is_removed(
        self, filled: Store, tmp_path: Path
    ) -> None:
        folder = tmp_path / "corpus" / "raw" / SEARCH.search_id
        left = folder / ".efetch-0002.xml.gz.4242.part"
        left.write_bytes(b"half")
        before = {p for p in folder.iterdir() if p != left}
        filled.remove_leftovers()
        assert set(folder.iterdir()) == before
        assert filled.check() == []


class TestExtractions:
    def test_studies_are_read_back_by_version_and_extractor(self, filled: Store) -> None:
        filled.save_extractions(
            [(study(OLD), OLD.content_hash), (study(OTHER), OTHER.content_hash)]
        )
        assert filled.extraction("pmid1", OLD.content_hash, EXTRACTOR) == study(OLD)
        assert filled.extraction("pmid1", NEW.content_hash, EXTRACTOR) is None
        other = Extractor("rules", "1.0", "changed")
        assert filled.extraction("pmid1", OLD.content_hash, other) is None
        assert filled.extractions(SEARCH.search_id, EXTRACTOR) == {
            "pmid2": study(OTHER),
            "pmid1": study(OLD),
        }
        assert list(filled.extractions(SEARCH.search_id, EXTRACTOR)) == ["pmid2", "pmid1"]
        assert filled.extractions(SEARCH.search_id, other) == {}

    def test_a_revised_record_has_no_reading_yet(self, filled: Store) -> None:
        filled.save_extractions([(study(OLD), OLD.content_hash)])
        filled.save_search(AGAIN)
        filled.save_batch(AGAIN.search_id, REVISED, fetched_at=LATER)
        assert filled.extractions(AGAIN.search_id, EXTRACTOR) == {}
        assert filled.extraction("pmid1", OLD.content_hash, EXTRACTOR) == study(OLD)

    def test_reading_again_replaces_the_reading(self, filled: Store) -> None:
        for n in (30, 31):
            filled.save_extractions([(study(OLD, n=n), OLD.content_hash)])
        assert filled.extraction("pmid1", OLD.content_hash, EXTRACTOR) == study(OLD, n=31)

    def test_a_reading_of_an_unknown_version_is_refused_whole(self, filled: Store) -> None:
        pair = [(study(OLD), OLD.content_hash), (study(NEW), NEW.content_hash)]
        with pytest.raises(StoreError, match=r"(?i)foreign key"):
            filled.save_extractions(pair)
        assert filled.extractions(SEARCH.search_id, EXTRACTOR) == {}

    def test_nothing_read_is_nothing_saved(self, filled: Store) -> None:
        filled.save_extractions([])
        assert filled.extractions(SEARCH.search_id, EXTRACTOR) == {}


class TestDecisions:
    def test_decisions_are_kept_in_order(self, store: Store) -> None:
        other = dataclasses.replace(DECISION, record_id="pmid2", value=None)
        names = [store.add_decision(d) for d in (DECISION, other, DECISION)]
        assert store.decisions() == [DECISION, other, DECISION]
        assert store.decisions("pmid2") == [other]
        assert store.decisions("pmid3") == []
        assert len({uuid.UUID(name) for name in names}) == 3

    def test_sending_a_decision_twice_adds_it_once(self, store: Store) -> None:
        for _ in range(2):
            assert store.add_decision(DECISION, event_id="e-1") == "e-1"
        assert store.decisions() == [DECISION]

    def test_another_decision_under_an_event_id_is_refused(self, store: Store) -> None:
        store.add_decision(DECISION, event_id="e-1")
        with pytest.raises(StoreError, match="Another decision has the event id 'e-1'"):
            store.add_decision(dataclasses.replace(DECISION, value="13"), event_id="e-1")
        assert store.decisions() == [DECISION]

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE decisions SET value = '13'",
            "DELETE FROM decisions",
            "DELETE FROM decisions WHERE event_id = 'e-1'",
        ],
    )
    def test_decisions_cannot_be_changed_or_deleted(self, store: Store, statement: str) -> None:
        store.add_decision(DECISION, event_id="e-1")
        with pytest.raises(DBAPIError, match="decisions are append-only"):
            execute(store, statement)
        assert store.decisions() == [DECISION]

    def test_decisions_cannot_be_replaced_wholesale(self, store: Store) -> None:
        """Each dialect has one more way to lose rows, which row triggers do not see."""
        store.add_decision(DECISION, event_id="e-1")
        statement = {
            "sqlite": (
                "INSERT OR REPLACE INTO decisions (event_id, record_id, field, verdict, who, "
                "\"when\", reason) VALUES ('e-1', 'x', 'x', 'x', 'x', 'x', 'x')"
            ),
            "postgresql": "TRUNCATE decisions",
        }[store._engine.dialect.name]
        with pytest.raises(DBAPIError, match="decisions are append-only"):
            execute(store, statement)
        assert store.decisions() == [DECISION]


class TestRuns:
    def test_a_run_is_noted_when_it_starts_and_ends(self, store: Store) -> None:
        argv = ("run", "--query", "ivig “x”")
        store.start_run("r2", started=LATER, argv=argv, config_sha256="c")
        store.start_run("r1", started=NOON, argv=(), config_sha256="c")
        store.finish_run("r2", finished=LATER, status="done", manifest="outputs/r2/manifest.json")
        assert store.runs() == [
            Run("r1", NOON, "running", (), "c"),
            Run("r2", LATER, "done", argv, "c", LATER, "outputs/r2/manifest.json"),
        ]

    def test_a_run_that_never_began_cannot_end(self, store: Store) -> None:
        with pytest.raises(StoreError, match="No run 'r9' was started"):
            store.finish_run("r9", finished=NOON, status="done")

    def test_a_run_cannot_begin_twice(self, store: Store) -> None:
        store.start_run("r1", started=NOON, argv=(), config_sha256="c")
        with pytest.raises(StoreError, match=r"(?i)unique"):
            store.start_run("r1", started=LATER, argv=(), config_sha256="c")


class TestWatermark:
    def ended(self, store: Store, run_id: str, status: str, search_id: str | None) -> str | None:
        """What the watermark is after such a run."""
        store.start_run(run_id, started=NOON, argv=(), config_sha256="c")
        store.finish_run(run_id, finished=LATER, status=status, search_id=search_id)
        return store.watermark("pubmed", "ivig")

    def test_only_a_run_that_is_complete_moves_it(self, filled: Store) -> None:
        assert filled.watermark("pubmed", "ivig") is None
        assert self.ended(filled, "r1", "failed", None) is None
        assert self.ended(filled, "r2", "incomplete", SEARCH.search_id) is None
        assert self.ended(filled, "r3", "complete", SEARCH.search_id) == SEARCH.date

    def test_it_never_moves_back(self, filled: Store) -> None:
        filled.save_search(AGAIN)
        assert self.ended(filled, "r1", "complete", AGAIN.search_id) == AGAIN.date
        assert self.ended(filled, "r2", "complete", SEARCH.search_id) == AGAIN.date

    def test_each_query_has_its_own(self, filled: Store) -> None:
        self.ended(filled, "r1", "complete", SEARCH.search_id)
        assert filled.watermark("pubmed", "scig") is None
        assert filled.watermark("files", "ivig") is None


class TestCheck:
    """Each kind of damage is found and named."""

    @pytest.fixture
    def raw_file(self, filled: Store, tmp_path: Path) -> Path:
        filled.save_extractions([(study(OLD), OLD.content_hash)])
        assert filled.check() == []
        return tmp_path / "corpus" / "raw" / SEARCH.search_id / "efetch-0001.xml.gz"

    def test_a_missing_raw_file(self, filled: Store, raw_file: Path) -> None:
        raw_file.unlink()
        (said,) = filled.check()
        assert said == f"The raw file {raw_file} is missing."

    def test_a_changed_raw_file(self, filled: Store, raw_file: Path) -> None:
        raw_file.write_bytes(gzip.compress(b"<changed/>", mtime=0))
        (said,) = filled.check()
        assert said.startswith(f"The raw file {raw_file} has SHA-256 ")

    def test_a_broken_raw_file(self, filled: Store, raw_file: Path) -> None:
        raw_file.write_bytes(b"no gzip")
        (said,) = filled.check()
        assert "cannot be read" in said

    def test_saving_the_batch_again_mends_a_lost_raw_file(
        self, filled: Store, raw_file: Path
    ) -> None:
        raw_file.unlink()
        filled.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        assert filled.check() == []

    def test_a_changed_record(self, filled: Store, raw_file: Path) -> None:
        execute(filled, "UPDATE records SET json = replace(json, '2019', '2018')")
        assert filled.check() == [
            "The stored record pmid1 does not have the content hash it is kept under."
        ]

    def test_a_record_that_is_no_json(self, filled: Store, raw_file: Path) -> None:
        execute(filled, "UPDATE records SET json = '{' WHERE record_id = 'pmid2'")
        (said,) = filled.check()
        assert said.startswith("The stored record pmid2 cannot be read: ")

    def test_a_quote_that_is_not_in_the_text(self, filled: Store, raw_file: Path) -> None:
        statement = "UPDATE extractions SET json = replace(json, '\"30\"', '\"31\"')"
        execute(filled, statement)
        said = filled.check()
        assert said
        assert all("The quote '31' does not stand at" in sentence for sentence in said)

    def test_a_study_that_is_none(self, filled: Store, raw_file: Path) -> None:
        execute(filled, "UPDATE extractions SET json = '{}'")
        (said,) = filled.check()
        assert said.startswith("The stored study of pmid1 cannot be read: ")


def test_a_store_keeps_its_content_when_it_is_opened_again(tmp_path: Path, url: str | None) -> None:
    with Store.open(tmp_path, url) as store:
        store.save_search(SEARCH)
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        store.add_decision(DECISION)
    with Store.open(tmp_path, url) as store:
        assert store.latest_search() == SEARCH
        assert store.records(SEARCH.search_id) == [OTHER, OLD]
        assert store.decisions() == [DECISION]


def test_a_newer_schema_is_refused(tmp_path: Path, url: str | None) -> None:
    with Store.open(tmp_path, url) as store:
        execute(store, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"has schema '9999', which this version .* not know"):
        Store.open(tmp_path, url)


def test_two_stores_share_one_database(tmp_path: Path, url: str | None) -> None:
    with Store.open(tmp_path, url) as one, Store.open(tmp_path, url) as two:
        one.save_search(SEARCH)
        two.save_search(AGAIN)
        assert one.latest_search() == AGAIN
        one.add_decision(DECISION)
        assert two.decisions() == [DECISION]


def test_a_write_that_fails_half_way_leaves_nothing(store: Store) -> None:
    """Readings of a known and an unknown version are one transaction; so is any write."""
    assert event.contains(store._engine, "begin", database._begin_sqlite) == (
        store._engine.dialect.name == "sqlite"
    )
    with pytest.raises(ZeroDivisionError), store._writing() as connection:
        corpus.save_search(connection, SEARCH)
        raise ZeroDivisionError
    assert store.latest_search() is None


def test_the_engine_of_a_url_with_a_password_is_named_without_it() -> None:
    where = database.database_url(Path("corpus"), "postgresql://me:hunter2@db.example/review")
    assert "hunter2" not in database.place(where)
    assert where.drivername == "postgresql+psycopg"
    assert create_engine(where).url == where


def test_a_value_of_another_version_is_named() -> None:
    """What a newer Evipool stored is refused in a sentence, not with a traceback."""
    with pytest.raises(StoreError, match="holds a Record that this version of Evipool cannot"):
        stored(Record, {"record_id": "pmid1", "title": "T", "sound": "loud"})
