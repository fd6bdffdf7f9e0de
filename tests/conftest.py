"""What all tests share: the fixtures, the network guard and the rule on skips."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from pipeline.config import Config, load

REPO = Path(__file__).parents[1]
SHARED = REPO.parent / "shared"
#: The one reason for which a test may skip where EVIPOOL_REQUIRE_ALL=1: the folder is not shipped.
NEEDS_SHARED = "needs ../shared"
LOOPBACK = {"localhost", "127.0.0.1", "::1", "0.0.0.0", "::", "", None}  # noqa: S104

# Examples are derived from the test itself, so two runs try the same; a loaded machine fails none.
settings.register_profile(
    "evipool", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("evipool")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what a test caches (whose turn it is to ask NCBI) out of the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def repo() -> Path:
    """The checkout's folder."""
    return REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder ../shared with data at hand; skips where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(NEEDS_SHARED)
    return SHARED


@pytest.fixture(scope="session")
def config() -> Config:
    """The shipped protocol."""
    return load(REPO / "config.yaml").config


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Fail every test that looks up or connects to another machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded_connect(getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _guarded_lookup(socket.getaddrinfo))
        yield


def _guarded_connect(connect: Any) -> Any:
    """`connect` or `connect_ex`, for loopback addresses and Unix sockets (a str or bytes) only."""

    def guarded(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple):
            _refuse_remote(address[0])
        return connect(self, address)

    return guarded


def _guarded_lookup(lookup: Any) -> Any:
    """`getaddrinfo` for loopback names only: offline, a connection fails here already."""

    def guarded(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_remote(host)
        return lookup(host, *args, **kwargs)

    return guarded


def _refuse_remote(host: Any) -> None:
    """Fail the test if `host` is another machine; no `except Exception` can hide that."""
    name = host.decode() if isinstance(host, bytes) else host
    if name not in LOOPBACK:
        pytest.fail(f"A test must not use the network; it asked for {name}.")


def skip_is_failure(reason: str) -> bool:
    """Whether a skip for that reason counts as a failure in this run."""
    return os.environ.get("EVIPOOL_REQUIRE_ALL") == "1" and "../shared" not in reason


def _skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The reason of a skip; pytest keeps it as (file, line, "Skipped: reason")."""
    longrepr = report.longrepr
    return str(longrepr[2] if isinstance(longrepr, tuple) else longrepr)


def _fail_skip(report: Any) -> Any:
    """Turn a report of a skip into a failure, if skips count as such; an xfail is no skip."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = _skip_reason(report)
        if skip_is_failure(reason):
            report.outcome = "failed"
            report.longrepr = f"EVIPOOL_REQUIRE_ALL=1 allows no skip. {reason}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """Judge skips of a test and of its fixtures."""
    return _fail_skip((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Iterator[None]:
    """Judge skips of whole files."""
    return _fail_skip((yield))


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
