"""Opening a database: what is made, what is refused and in which words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, select
from sqlalchemy.exc import DBAPIError

from pipeline.errors import ConfigError, OutputError, StoreError
from pipeline.schema import Decision
from pipeline.store import Store, database
from pipeline.store.tables import metadata
from tests.store.samples import NOON, SEARCH


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the default database is."""
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus" / "evidence.sqlite"


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


KEY = {"search_id": "s1", "record_id": "pmid1", "content_hash": "c1"}
#: A row for each table that is no decision, as both old versions know them.
OLD_ROWS: dict[str, dict[str, Any]] = {
    "searches": {
        "search_id": "s1",
        "ordinal": 1,
        "source": "pubmed",
        "query": "ivig",
        "date": "2026-11-22",
        "count": 1,
        "translation": "",
        "warnings": "[]",
    },
    "raw_documents": {
        "search_id": "s1",
        "name": "a.xml",
        "ordinal": 1,
        "sha256": "0",
        "media_type": "application/xml",
        "path": "raw/a.xml.gz",
        "fetched_at": NOON,
        "problems": "[]",
    },
    "records": {**KEY, "json": "{}", "raw_sha256": "0", "first_seen": NOON},
    "newest_records": {"record_id": "pmid1", "content_hash": "c1", "fetched_at": NOON},
    "search_records": {**KEY, "position": 0},
    "extractions": {
        "record_id": "pmid1",
        "content_hash": "c1",
        "extractor": "rules",
        "version": "1",
        "rules_hash": "0",
        "json": "{}",
    },
    "runs": {
        "run_id": "r1",
        "started": NOON,
        "status": "complete",
        "argv": "[]",
        "config_sha256": "0",
    },
}
DECIDED = [
    {"event_id": "e-2", "record_id": "pmid1", "field": "n_total", "verdict": "accepted"},
    {"event_id": "e-1", "record_id": "pmid1", "field": "n_total", "verdict": "corrected"},
    {"event_id": "e-3", "record_id": "pmid2", "field": "outcomes[1].n", "verdict": "rejected"},
]


def old_store(folder: Path, url: str | None, revision: str) -> Engine:
    """The database of a released version, with a row in every table."""
    place = folder / "corpus"
    place.mkdir()
    engine = database.connect(database.database_url(place, url))
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with database.writing(engine).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    filled = MetaData()
    filled.reflect(engine)
    with engine.begin() as connection:
        for table in filled.sorted_tables:
            if table.name not in ("decisions", "alembic_version"):
                connection.execute(table.insert(), [OLD_ROWS[table.name]])
        said = {"who": "Li", "when": NOON, "value": "12", "reason": ""}
        connection.execute(filled.tables["decisions"].insert(), [row | said for row in DECIDED])
    return engine


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_an_old_store_keeps_all_that_it_holds(
    tmp_path: Path, url: str | None, revision: str
) -> None:
    """Every row of every table outlives the migrations; the decisions become a chain."""
    engine = old_store(tmp_path, url, revision)
    old = rows(engine)
    engine.dispose()
    with Store.open(tmp_path, url) as store:
        new = rows(store._engine)
        assert [e.event_id for e in store.events()] == ["e-2", "e-1", "e-3"]
        assert [e.turn for e in store.events()] == [1, 2, 1]
        assert store.events("pmid1")[1].decision == Decision(
            "pmid1", "n_total", "corrected", "Li", NOON, "12"
        )
        assert [fault for fault in store.check() if "decision" in fault] == []
        store.add_decision(Decision("pmid1", "n_total", "accepted", "Li", NOON, "12"))
        assert [fault for fault in store.check() if "decision" in fault] == []
        with pytest.raises(DBAPIError, match="append-only"), store._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE decisions SET who = 'Ng'")
    assert new.pop("alembic_version") == [{"version_num": "0004"}]
    old.pop("alembic_version")
    assert all(old.values())
    for name, kept in old.items():
        assert [{k: row[k] for k in kept[0]} for row in new[name]] == kept, name


def test_the_store_before_answers_keeps_all_that_it_holds(tmp_path: Path, url: str | None) -> None:
    engine = old_store(tmp_path, url, "0003")
    old = rows(engine)
    engine.dispose()
    with Store.open(tmp_path, url) as store:
        new = rows(store._engine)
        assert store.latest_answered() is None
    assert new.pop("alembic_version") == [{"version_num": "0004"}]
    old.pop("alembic_version")
    for name, kept in old.items():
        assert [{k: row[k] for k in kept[0]} for row in new[name]] == kept, name


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of a database."""
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in found.sorted_tables
        }


def test_an_empty_file_becomes_a_store(tmp_path: Path, file: Path) -> None:
    file.touch()
    with Store.open(tmp_path) as store:
        store.save_search(SEARCH)
        assert store.latest_search() == SEARCH


def test_sqlite_keeps_a_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, store._engine.connect() as connection:
        read = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout")
        ]
    assert read == ["wal", 1, database.BUSY_S * 1000]


@pytest.mark.parametrize("content", [b"This is no database.", os.urandom(8192), b"\x00" * 4096])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(StoreError, match=r"evidence\.sqlite is no SQLite database"):
        Store.open(tmp_path)
    assert file.read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path, file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(StoreError, match="another program's: it holds the table 'bookmarks'"):
        Store.open(tmp_path)


def test_a_locked_database_is_said_to_be_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.01)
    with Store.open(tmp_path) as store:
        other = sqlite3.connect(tmp_path / "corpus" / "evidence.sqlite", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreError, match=r"evidence\.sqlite is locked by another process"):
            store.save_search(SEARCH)
        other.execute("ROLLBACK")
        store.save_search(SEARCH)
        other.close()


def test_a_fresh_database_that_is_locked_is_said_to_be_locked(
    tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_S", 0.01)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked by another process"):
        Store.open(tmp_path)
    other.close()


def test_a_corpus_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "corpus").write_text("not a folder", encoding="utf-8")
    with pytest.raises(OutputError, match=r"Cannot make .*corpus"):
        Store.open(tmp_path)


def test_a_database_that_is_a_folder_cannot_be_written(file: Path, tmp_path: Path) -> None:
    file.mkdir()
    with pytest.raises(OutputError, match="Cannot write the database"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me:hunter2@db/review", "is for 'mysql'; must be sqlite:// or postgresql://"),
        ("nonsense hunter2", "is not a database URL"),
    ],
)
def test_another_kind_of_url_is_a_configuration_error(tmp_path: Path, url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        Store.open(tmp_path, url)
    assert "hunter2" not in str(caught.value)


def test_a_postgresql_that_is_not_there_is_a_store_error(tmp_path: Path) -> None:
    url = f"postgresql://me:hunter2@/review?host={tmp_path}"
    with pytest.raises(StoreError, match="database postgresql") as caught:
        Store.open(tmp_path, url)
    assert "hunter2" not in str(caught.value)


def test_a_named_sqlite_file_is_used(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.sqlite"
    with Store.open(tmp_path, f"sqlite:///{elsewhere}") as store:
        store.save_search(SEARCH)
    assert elsewhere.exists()
    assert not (tmp_path / "corpus" / "evidence.sqlite").exists()


def test_the_package_may_stand_in_a_folder_with_a_percent_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alembic's options are read by configparser, to which % is a sign."""
    package = tmp_path / "100% mine"
    shutil.copytree(Path(database.__file__).parent / "migrations", package / "migrations")
    monkeypatch.setattr(database, "__file__", str(package / "database.py"))
    with Store.open(tmp_path) as store:
        assert store.latest_search() is None


def test_those_who_open_a_new_store_at_once_all_find_it(tmp_path: Path, url: str | None) -> None:
    """Only one makes the tables; the others wait for it and find them."""
    failed: list[BaseException] = []

    def work() -> None:
        try:
            with Store.open(tmp_path, url) as store:
                store.save_search(SEARCH)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    with Store.open(tmp_path, url) as store:
        assert store.latest_search() == SEARCH
