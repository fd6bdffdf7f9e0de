"""Writes a database to one file and reads it back: SQLite by its backup, PostgreSQL by pg_dump."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, Engine, inspect

from pipeline.errors import ConfigError, OutputError, StoreError

#: Seconds after which pg_dump or pg_restore is given up.
LONGEST_S = 3600


def dump(engine: Engine, target: Path) -> None:
    """Write a database to a file, as it is at this moment, also while others read and write it.

    Raises
    ------
    StoreError
        If the database cannot be read.
    OutputError
        If the file cannot be written.
    ConfigError
        If the database is PostgreSQL's and pg_dump is not installed.
    """
    if engine.dialect.name == "postgresql":
        _call("pg_dump", engine.url, ["--format=custom", "--no-owner", f"--file={target}"])
        return
    copy_sqlite(Path(str(engine.url.database)), target)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite database with its backup API; the copy has no write-ahead log.

    Raises
    ------
    OutputError
        If it cannot be copied.
    """
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise OutputError(f"Cannot copy {source} to {target}: {error}.") from error


def load(engine: Engine, source: Path) -> None:
    """Read a dump into an empty PostgreSQL database, all of it or nothing.

    Raises
    ------
    StoreError
        If the database holds tables, or the dump cannot be read.
    ConfigError
        If pg_restore is not installed.
    """
    tables = inspect(engine).get_table_names()
    if tables:
        raise StoreError(f"The database holds the table {tables[0]!r}; restore into an empty one.")
    options = ["--no-owner", "--exit-on-error", "--single-transaction"]
    _call("pg_restore", engine.url, options, [str(source)])


def _call(tool: str, url: URL, options: Sequence[str], files: Sequence[str] = ()) -> None:
    """Run one of PostgreSQL's tools on a database; the password goes by the environment."""
    path = shutil.which(tool)
    if path is None:
        raise ConfigError(f"{tool} is not installed; a PostgreSQL database is saved with it.")
    query = {k: v if isinstance(v, str) else v[0] for k, v in url.query.items()}
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, query
    ).render_as_string(hide_password=False)
    env = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    command = [path, *options, f"--dbname={plain}", *files]
    done = subprocess.run(  # noqa: S603
        command, env=env, capture_output=True, text=True, check=False, timeout=LONGEST_S
    )
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0].rstrip(".")
        raise StoreError(f"{tool} failed: {said}.")
