"""Opening a database: what is made, what is refused and in which words."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, select

from pipeline.errors import ConfigError, OutputError, StoreError
from pipeline.store import Store, database
from pipeline.store.tables import metadata
from tests.store.samples import BATCH, NOON, SEARCH


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the default database is."""
    (tmp_path / "corpus").mkdir()
    return tmp_path / "corpus" / "evidence.sqlite"


def test_the_migrations_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_store_of_the_first_version_keeps_all_that_it_holds(
    tmp_path: Path, url: str | None
) -> None:
    """Every row of every table outlives the migrations; what they add is empty."""
    with Store.open(tmp_path, url) as store:
        store.save_search(SEARCH)
        store.save_batch(SEARCH.search_id, BATCH, fetched_at=NOON)
        store.start_run("r1", started=NOON, argv=("run",), config_sha256="c")
        with store._engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE runs DROP COLUMN search_id")  # as 0001 made it
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
        old = rows(store)
    with Store.open(tmp_path, url) as store:
        new = rows(store)
        assert store.runs()[0].run_id == "r1"
        assert len(store.records(SEARCH.search_id)) == len(BATCH.records)
        assert store.check() == []
    assert new.pop("alembic_version") == [{"version_num": "0002"}]
    assert new["runs"] == [{**run, "search_id": None} for run in old["runs"]]
    for name in new.keys() - {"runs"}:
        assert new[name] == old[name], name


def rows(store: Store) -> dict[str, list[dict[str, object]]]:
    """Every row of every table of a store."""
    found = MetaData()
    found.reflect(store._engine)
    with store._engine.connect() as connection:
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
