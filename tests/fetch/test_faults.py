"""The client against a server that goes wrong in every way of pubmed.md, section 7, by seed."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pipeline.config import Config
from pipeline.errors import FetchError
from pipeline.eutils_server import KINDS, Fault, Scenario, Server, Synthetic, load, serving
from pipeline.eutils_server.index import Index
from pipeline.fetch import eutils
from pipeline.fetch.biopython import Biopython
from pipeline.fetch.throttle import Throttle
from pipeline.fetch.transport import ATTEMPTS, SENDERS, Transport
from pipeline.fetch.wire import LARGEST, Wire
from pipeline.schema import Batch, Search

EMAIL, KEY, TODAY = "reviewer@example.org", "0123456789abcdef" * 2, "2026-11-22"
RECORDS, BATCH = 40, 10
#: Without faults: a search and four batches.
REQUESTS = 5
SEEDS = range(20)
#: A request goes wrong with this chance, but no more often than the client asks again.
CHANCE, TRIES = 0.35, ATTEMPTS - 1
#: The server's refusal of a key is the one fault that does not pass.
PASSING = sorted(set(KINDS) - {"bad_key"})
#: Each of these costs a time-out, so they befall fewer requests.
SLOW = {"hang": 0.1, "drip": 0.1}
TIMEOUT_S = 0.2
#: The bound on an answer, and what goes beyond it; `TestBounds` takes the client's own.
SIZE, BOMB_MB = 1_000_000, 2
MAKERS = {"requests": Wire, "biopython": Biopython}
REPO = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """These tests talk to a server on this machine; the turns they take are their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def index() -> Iterator[Index]:
    with closing(load(Synthetic(RECORDS))) as loaded:
        yield loaded


@pytest.fixture
def server(index: Index) -> Iterator[Server]:
    with serving(index, rate_limit=False) as serving_now:
        yield serving_now


@pytest.fixture
def config(make_config: Callable[..., Config], server: Server) -> Config:
    return configured(make_config, server)


def configured(make_config: Callable[..., Config], server: Server, size: int = BATCH) -> Config:
    return make_config(
        source="pubmed",
        query="trial[tiab]",
        ncbi__email=EMAIL,
        ncbi__base_url=server.base_url,
        ncbi__batch_size=size,
    )


def transport(
    server: Server,
    via: str = "requests",
    timeout_s: float = TIMEOUT_S,
    size: int = SIZE,
) -> Transport:
    """A transport that neither waits for a turn nor before it asks again."""
    throttle = Throttle(0.0, clock=time.monotonic, sleep=time.sleep)
    send = MAKERS[via](timeout_s, size)
    return Transport(server.base_url, EMAIL, throttle, SecretStr(KEY), send, sleep=lambda _: None)


def scenario(kind: str, seed: int, tries: int = TRIES) -> Scenario:
    fault = Fault(kind, chance=SLOW.get(kind, CHANCE), tries=tries)
    return Scenario((fault,), seed=seed, hang_s=1.0, drip_s=0.02, bomb_mb=BOMB_MB)


#: A process that sends 12 searches from so many threads.
CROWD = f"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pipeline.config import load
from pipeline.fetch.esearch import first_page
from pipeline.fetch.transport import connect

base_url, threads = sys.argv[1], int(sys.argv[2])
config = load(
    Path({str(REPO / "config.yaml")!r}),
    flags={{"ncbi.email": {EMAIL!r}, "ncbi.base_url": base_url}},
    environ={{"EVIPOOL_NCBI__API_KEY": {KEY!r}}},
).config
transport = connect(config)
with ThreadPoolExecutor(threads) as pool:
    list(pool.map(lambda _: first_page(transport, "trial[tiab]"), range(12)))
"""


def everything(config: Config, by: Transport) -> tuple[Search, list[Batch]]:
    """A search and all its batches."""
    found = eutils.search(config, today=TODAY, transport=by)
    return found, list(eutils.fetch(found, config, transport=by))


def ids(batches: list[Batch]) -> list[str]:
    return [r.record_id for b in batches for r in b.records]


EXPECTED = sorted(f"pmid{pmid}" for pmid in Synthetic(RECORDS).pmids())


class TestEveryFault:
    """Zero records lost, zero twice."""

    @pytest.mark.parametrize("kind", PASSING)
    def test_no_record_is_lost_or_doubled(self, kind: str, server: Server, config: Config) -> None:
        befallen = 0
        for seed in SEEDS:
            server.journal.clear()
            server.use(scenario(kind, seed))
            found, batches = everything(config, transport(server))
            assert sorted(found.record_ids) == sorted(ids(batches)) == EXPECTED, seed
            assert [p for b in batches for p in b.problems] == [], seed
            noted = sum(r.fault == kind for r in server.journal.requests)
            befallen += max(noted, len(server.journal.requests) - REQUESTS)
        assert befallen >= 5

    @pytest.mark.parametrize("kind", PASSING)
    def test_nor_by_biopython(self, kind: str, server: Server, config: Config) -> None:
        """Bio.Entrez has no time-out: it sits out the silence of a server that hangs."""
        server.use(scenario(kind, 1))
        _, batches = everything(config, transport(server, "biopython"))
        assert sorted(ids(batches)) == EXPECTED
        assert {r.method for r in server.journal.requests} == {"POST"}
        assert {r.in_url for r in server.journal.requests} == {()}

    def test_all_faults_at_once(self, server: Server, config: Config) -> None:
        """Each request goes wrong four times in five, each time in another way, up to 5 times."""
        chance = 0.25 / len(PASSING)
        faults = tuple(Fault(k, chance=chance) for k in PASSING if k not in SLOW)
        for seed in SEEDS:
            server.use(Scenario(faults, seed=seed, bomb_mb=BOMB_MB))
            _, batches = everything(config, transport(server))
            assert sorted(ids(batches)) == EXPECTED

    @pytest.mark.parametrize("via", SENDERS)
    def test_a_fault_that_lasts_ends_in_an_error_and_keeps_what_came(
        self, via: str, server: Server, config: Config
    ) -> None:
        server.use(Scenario((Fault("500", "efetch", calls=tuple(range(3, 99))),)))
        by = transport(server, via)
        found = eutils.search(config, today=TODAY, transport=by)
        kept: list[Batch] = []
        with pytest.raises(FetchError, match=f"after {ATTEMPTS} attempts: HTTP 500"):
            kept.extend(eutils.fetch(found, config, transport=by))
        batches = eutils.fetch(found, config, transport=by)
        server.use(Scenario((Fault("500", "efetch", calls=tuple(range(3, 99))),)))
        assert ids([next(batches), next(batches)]) == list(found.record_ids[: 2 * BATCH])
        with pytest.raises(FetchError):
            next(batches)

    @pytest.mark.parametrize("via", SENDERS)
    def test_a_refused_key_is_final_and_not_shown(
        self, via: str, server: Server, config: Config
    ) -> None:
        server.use(Scenario((Fault("bad_key", chance=1),)))
        with pytest.raises(FetchError, match=r"after one attempt: HTTP 400 API key invalid") as why:
            everything(config, transport(server, via))
        assert KEY not in str(why.value)

    def test_what_never_comes_is_listed(self, server: Server, config: Config) -> None:
        """Each answer lacks a record, also the one for the last record alone."""
        server.use(Scenario((Fault("missing", "efetch", chance=1),)))
        found, batches = everything(config, transport(server))
        missing = [p.message.split()[2] for b in batches for p in b.problems]
        assert len(missing) >= 4
        assert sorted([*ids(batches), *missing]) == sorted(found.record_ids)


class TestPoliteness:
    """What NCBI asks of a client."""

    @pytest.mark.parametrize("via", SENDERS)
    def test_each_request_is_a_post_that_says_who_asks(
        self, via: str, server: Server, config: Config
    ) -> None:
        everything(config, transport(server, via))
        assert len(server.journal.requests) == REQUESTS
        for request in server.journal.requests:
            assert (request.method, request.in_url) == ("POST", ())
            assert (request.params["tool"], request.params["email"]) == ("evipool", EMAIL)
            assert request.params["api_key"] not in ("", KEY)  # the journal keeps its hash

    def test_the_pause_that_is_asked_for_is_kept(self, server: Server, config: Config) -> None:
        server.use(Scenario((Fault("429", "esearch", calls=(1, 2)),)))
        slept: list[float] = []
        by = transport(server)
        waiting = Transport(by.base_url, EMAIL, by.throttle, None, by.send, sleep=slept.append)
        eutils.search(config, today=TODAY, transport=waiting)
        assert slept == [1.0, 1.0]

    def test_one_connection_serves_many_requests(
        self, server: Server, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = []
        connect_to = socket.socket.connect
        monkeypatch.setattr(
            socket.socket, "connect", lambda *a: opened.append(a[1]) or connect_to(*a)
        )
        everything(config, transport(server, timeout_s=5))
        assert len(opened) == 1

    @pytest.mark.parametrize(("threads", "processes"), [(1, 1), (12, 1), (4, 3)])
    def test_all_threads_and_processes_share_one_rate(
        self, threads: int, processes: int, index: Index
    ) -> None:
        """With a key 10 requests in any second, as they came in at the server."""
        with serving(index) as server:
            command = [sys.executable, "-c", CROWD, server.base_url, str(threads)]
            crowd = [subprocess.Popen(command) for _ in range(processes)]
            assert [p.wait() for p in crowd] == [0] * processes
            assert {r.status for r in server.journal.requests} == {200}
            assert len(server.journal.requests) == 12 * processes
            assert server.journal.busiest() <= 10


class TestBounds:
    """What a server may do to the client's memory and time."""

    @pytest.mark.parametrize("via", SENDERS)
    @pytest.mark.parametrize("kind", ["gzip_bomb", "flood"])
    def test_a_bomb_is_not_unpacked(
        self, *, kind: str, via: str, server: Server, config: Config
    ) -> None:
        """130 MB against a bound of 128; the answer never stands whole in memory."""
        server.use(Scenario((Fault(kind, chance=1),), bomb_mb=130))
        with pytest.raises(FetchError, match=r"more than 128 MB; lower ncbi\.batch_size"):
            everything(config, transport(server, via, timeout_s=30, size=LARGEST))

    @pytest.mark.parametrize("via", SENDERS)
    def test_a_trickle_is_given_up(self, via: str, server: Server, config: Config) -> None:
        """Each piece comes in time, the whole would take hours."""
        server.use(Scenario((Fault("drip", chance=1),), hang_s=3600, drip_s=0.02))
        with pytest.raises(FetchError, match=r"took more than 0\.25 s"):
            everything(config, transport(server, via, timeout_s=0.05))


def review(folder: Path, server: Server) -> tuple[list[str], dict[str, str]]:
    """The command line that fetches into a review's folder, and its variables."""
    shipped = (REPO / "config.yaml").read_text(encoding="utf-8")
    folder.mkdir()
    (folder / "config.yaml").write_text(shipped, encoding="utf-8")
    command = [sys.executable, "-m", "pipeline", "fetch", "--json", "--source", "pubmed"]
    own = {
        "EVIPOOL_QUERY": "trial[tiab]",
        "EVIPOOL_NCBI__EMAIL": EMAIL,
        "EVIPOOL_NCBI__API_KEY": KEY,
        "EVIPOOL_NCBI__BASE_URL": server.base_url,
        "PYTHONPATH": str(REPO),
    }
    return command, {**os.environ, **own}


class TestKilled:
    """kill -9 in the middle: the next run goes on, without a flag."""

    def test_a_killed_fetch_ends_as_an_undisturbed_one(self, tmp_path: Path) -> None:
        """tests/benchmarks/fetch.py does it with 5,000 records and twenty times."""
        with serving(Synthetic(2_000)) as server:
            undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
            command, variables = review(undisturbed, server)
            subprocess.run(command, cwd=undisturbed, env=variables, check=True, capture_output=True)
            command, variables = review(killed, server)
            server.journal.clear()
            kill_after(5, command, killed, variables, server)
            committed = stored(killed)
            server.journal.clear()
            done = subprocess.run(
                command, cwd=killed, env=variables, check=True, capture_output=True
            )
            assert 0 < len(committed) < 2_000
            assert not committed & asked(server)
            assert json.loads(done.stdout)["stored"] == 2_000
            assert contents(killed) == contents(undisturbed)


def kill_after(
    calls: int,
    command: list[str],
    folder: Path,
    variables: dict[str, str],
    server: Server,
    later_s: float = 0.0,
) -> None:
    """Start a fetch and kill it when its nth EFetch has come, or so many seconds later."""
    with subprocess.Popen(
        command, cwd=folder, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        while len(server.journal.of("efetch")) < calls and process.poll() is None:
            time.sleep(0.002)
        time.sleep(later_s)
        process.kill()
        assert process.wait() == -9, process.stderr and process.stderr.read()


def asked(server: Server) -> set[str]:
    """The records that were asked for."""
    return {f"pmid{i}" for r in server.journal.of("efetch") for i in r.ids}


def stored(folder: Path) -> set[str]:
    """The records that are committed."""
    file = folder / "corpus" / "evidence.sqlite"
    if not file.exists():
        return set()
    with closing(sqlite3.connect(file)) as database:
        return {row[0] for row in database.execute("SELECT record_id FROM records")}


def contents(folder: Path) -> dict[str, Any]:
    """The end state: the records as they were read, and each raw answer's bytes."""
    corpus = folder / "corpus"
    with closing(sqlite3.connect(corpus / "evidence.sqlite")) as database:
        rows = sorted(database.execute("SELECT record_id, content_hash FROM records"))
        hits = sorted(database.execute("SELECT * FROM search_records"))
    raw = {
        str(p.relative_to(corpus)): p.read_bytes() for p in sorted((corpus / "raw").rglob("*.gz"))
    }
    return {"records": rows, "hits": hits, "raw": raw}
