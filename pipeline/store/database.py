"""Opens the database of a review, brings its tables up to date, and words its errors."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipeline.errors import ConfigError, OutputError, PipelineError, StoreError

#: Seconds to wait for another process that writes.
BUSY_S = 10.0
#: Seconds between two tries to turn the write-ahead log on.
PAUSE_S = 0.005
#: Any number, the same in every process: PostgreSQL's lock while the tables are made.
MIGRATION_LOCK = 20_260_001
#: URL scheme -> SQLAlchemy's driver.
DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


def connect(url: URL) -> Engine:
    """Return an engine; no connection is made yet.

    Raises
    ------
    ConfigError
        If the driver for PostgreSQL is not installed.
    """
    try:
        engine = create_engine(url)
    except ImportError as error:
        raise ConfigError(
            f"database.url needs a driver that is not installed ({error}); "
            "`pip install 'evipool[postgres]'` brings it."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def database_url(corpus: Path, url: str | None) -> URL:
    """Return the URL of the configuration, by default that of corpus/evidence.sqlite.

    Raises
    ------
    ConfigError
        If it is neither SQLite's nor PostgreSQL's. The message does not repeat it: it may hold a
        password.
    """
    if url is None:
        return URL.create("sqlite", database=str(corpus / "evidence.sqlite"))
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError("database.url is not a database URL.") from None
    scheme = parsed.drivername.partition("+")[0]
    if scheme not in DRIVERS:
        raise ConfigError(f"database.url is for {scheme!r}; must be sqlite:// or postgresql://.")
    return parsed.set(drivername=DRIVERS[scheme])


def place(url: URL) -> str:
    """Name a database in a message, without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def writing(engine: Engine) -> Engine:
    """The engine, with transactions that take SQLite's write lock when they begin."""
    return engine.execution_options(immediate=True)


@contextmanager
def guarded(name: str) -> Iterator[None]:
    """Turn a database's errors into one sentence about the database `name`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise _worded(name, error) from error


def _worded(name: str, error: Exception) -> PipelineError:
    """A database error as the house words it."""
    said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(".")
    if "locked" in said:
        return StoreError(f"The database {name} is locked by another process.")
    if "readonly" in said or "unable to open" in said:
        return OutputError(f"Cannot write the database {name}: {said}.")
    if "disk is full" in said or "disk I/O" in said:
        return OutputError(f"Cannot write the database {name}: {said}; is the disk full?")
    if "not a database" in said or "malformed" in said:
        return StoreError(f"{name} is no SQLite database, or is damaged: {said}.")
    return StoreError(f"The database {name} failed: {said}.")


def migrate(engine: Engine, name: str) -> None:
    """Make the tables, or bring them to this version's schema.

    Raises
    ------
    StoreError
        If the schema is newer than this version's, or the file is another program's.
    """
    config = AlembicConfig()
    scripts = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", scripts.replace("%", "%%"))
    script = ScriptDirectory.from_config(config)
    with engine.connect() as connection:
        current = _revision(connection, script, name)
    if current == script.get_current_head():
        return
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(connection: Connection, script: ScriptDirectory, name: str) -> str | None:
    """The schema's revision, None for a new database."""
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and connection.dialect.name == "sqlite":
        tables = [t for t in inspect(connection).get_table_names() if t != "alembic_version"]
        if tables:
            raise StoreError(f"{name} is another program's: it holds the table {tables[0]!r}.")
    known = {r.revision for r in script.walk_revisions()}
    if revision is not None and revision not in known:
        raise StoreError(
            f"{name} has schema {revision!r}, which this version (schema "
            f"{script.get_current_head()!r}) does not know; use the newer Evipool that made it."
        )
    return revision


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Set what SQLite needs on each connection; transactions are begun by `_begin_sqlite`."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
    _use_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")


def _use_wal(connection: Any) -> None:
    """Turn the write-ahead log on; for that, SQLite waits for no other process, so it is asked."""
    end = monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > end:
                raise
        sleep(PAUSE_S)


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction; one that will write takes the lock at once, so none deadlocks."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
