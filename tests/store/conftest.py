"""What the tests of `pipeline.store` share: a store on SQLite and on a throw-away PostgreSQL."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipeline.store import Store


def postgres_binaries() -> Path | None:
    """Debian's folder of initdb and pg_ctl, the newest version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    return next((f for f in reversed(folders) if (f / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The socket folder of a PostgreSQL cluster that lives as long as the tests."""
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL is installed (/usr/lib/postgresql/*/bin/initdb)")
    root = os.geteuid() == 0
    if root and not shutil.which("runuser"):
        pytest.skip("PostgreSQL does not run as root, and runuser is not installed")
    folder = Path(tempfile.mkdtemp(prefix="evipool-pg-"))  # short: a socket's path has 107 bytes
    as_postgres = ["runuser", "-u", "postgres", "--"] if root else []

    def run(tool: str, *arguments: str) -> None:
        command = [*as_postgres, str(binaries / tool), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)

    if root:
        shutil.chown(folder, "postgres", "postgres")
    try:
        run("initdb", "-A", "trust", "-U", "evipool", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -k {folder} -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        yield str(folder)
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A new database of the cluster."""
    name = f"test_{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(host=postgres, user="evipool", dbname="postgres", autocommit=True) as db:
        db.execute(f"CREATE DATABASE {name}")
        yield f"postgresql://evipool@/{name}?host={postgres}"
        db.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str | None:
    """Each kind of database: None is the default, SQLite in the review's folder."""
    return None if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(tmp_path: Path, url: str | None) -> Iterator[Store]:
    with Store.open(tmp_path, url) as opened:
        yield opened
