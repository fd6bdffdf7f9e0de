"""Measures the fetcher against the loopback server: its rate, large searches, bombs, and kill -9.

    python tests/benchmarks/fetch.py [rate] [ranges] [bounds] [killed]

Prints the figures of docs/fetching.md; all four by default, which takes about ten minutes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

REPO = Path(__file__).parents[2]
sys.path.insert(0, str(REPO / "tests" / "fetch"))

import test_faults as client  # noqa: E402 - the processes and checks that the tests use

from pipeline.config import load  # noqa: E402
from pipeline.eutils_server import Fault, Scenario, Server, Synthetic, serving  # noqa: E402
from pipeline.fetch import eutils  # noqa: E402
from pipeline.fetch.wire import LARGEST  # noqa: E402

KILLS, RECORDS = 20, 5_000
#: What a crowd of processes and threads sends, and whether with a key.
CROWDS = ((1, 1, False), (12, 1, False), (4, 3, False), (1, 1, True), (12, 1, True), (4, 3, True))
#: A process that fetches once, then says how much memory it took at most, in MB.
BOMBED = """
import re, sys
from pathlib import Path
from pipeline.config import load
from pipeline.errors import FetchError
from pipeline.fetch import esearch, transport
flags = {"ncbi.email": "a@example.org", "ncbi.base_url": sys.argv[1]}
by = transport.connect(load(Path("config.yaml"), flags=flags).config)
status = Path("/proc/self/status")  # ru_maxrss would begin with the parent's
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) / 1024
before, transport.ATTEMPTS = peak(), 1
try:
    esearch.first_page(by, "trial[tiab]")
except FetchError as error:
    print(f"{error} {peak() - before:.0f} MB above {before:.0f} MB")
"""


def main(parts: list[str]) -> None:
    """Run the named parts."""
    for name in parts or PARTS:
        PARTS[name]()


def rate() -> None:
    """The busiest second at the server, and the time against the rate's own limit."""
    print("| processes | threads | key | requests | busiest second | s | of the limit |")
    print("|---|---|---|---|---|---|---|")
    for threads, processes, keyed in CROWDS:
        with serving(Synthetic(50)) as server:
            script = client.CROWD.replace("range(12)", "range(20)")
            if not keyed:
                script = script.replace("EVIPOOL_NCBI__API_KEY", "EVIPOOL_NCBI__TIMEOUT_S")
                script = script.replace(repr(client.KEY), "'60'")
            command = [sys.executable, "-c", script, server.base_url, str(threads)]
            crowd = [subprocess.Popen(command) for _ in range(processes)]
            ended = [p.wait() for p in crowd]
            times = [r.time for r in server.journal.requests]
            span, limit = max(times) - min(times), (len(times) - 1) / (10 if keyed else 3)
            refused = sum(r.status != 200 for r in server.journal.requests) + sum(ended)
        print(
            f"| {processes} | {threads} | {'yes' if keyed else 'no'} | {len(times)} "
            f"| {server.journal.busiest()} | {span:.1f} | {span / limit:.2f} |",
            f"{refused} refused" if refused else "",
            flush=True,
        )

    fetch_whole()


def fetch_whole() -> None:
    """A search and all its records, batch by batch, in one thread."""
    with serving(Synthetic(RECORDS)) as server:
        flags = {"query": "trial[tiab]", "ncbi.email": client.EMAIL}
        flags["ncbi.base_url"] = server.base_url
        keyed = {"EVIPOOL_NCBI__API_KEY": client.KEY}
        config = load(REPO / "config.yaml", flags=flags, environ=keyed).config
        start = time.monotonic()
        found = eutils.search(config, today=client.TODAY)
        read = sum(len(batch.records) for batch in eutils.fetch(found, config))
        span, calls = time.monotonic() - start, len(server.journal.requests)
        print(f"{read} records: {calls} requests in {span:.2f} s,", end=" ")
        print(f"{span / ((calls - 1) / 10):.2f} of the limit, busiest {server.journal.busiest()}")


def ranges() -> None:
    """Searches of 320,000 hits."""
    for spread in ("even", "clustered", "dense"):
        corpus = Synthetic(320_000, spread=spread)
        with serving(corpus, rate_limit=False) as server:
            flags = {"query": "trial[tiab]", "ncbi.base_url": server.base_url}
            config = load(REPO / "config.yaml", flags=flags).config
            by = client.transport(server, timeout_s=60, size=LARGEST)
            found = eutils.search(config, today=client.TODAY, transport=by)
            wanted = {f"pmid{pmid}" for pmid in corpus.pmids()}
            print(
                f"{spread}: {len(found.record_ids)} listed, {len(wanted - set(found.record_ids))} "
                f"lost, {len(found.record_ids) - len(set(found.record_ids))} twice, "
                f"{len(server.journal.of('esearch'))} calls",
                flush=True,
            )


def bounds() -> None:
    """What 2 GB, plain and zipped, do to the memory of a process."""
    for kind in ("flood", "gzip_bomb"):
        scenario = Scenario((Fault(kind, chance=1),), bomb_mb=2_000)
        with serving(Synthetic(50), scenario=scenario) as server:
            command = [sys.executable, "-c", BOMBED, server.base_url]
            done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
        print(f"{kind}: {done.stdout.strip()}", flush=True)


def killed() -> None:
    """Fetches that are killed at random moments, then left to end."""
    pick, again = random.Random(1), 0  # noqa: S311
    with tempfile.TemporaryDirectory() as place, serving(Synthetic(RECORDS)) as server:
        undisturbed = Path(place) / "undisturbed"
        command, variables = client.review(undisturbed, server)
        start = time.monotonic()
        subprocess.run(command, cwd=undisturbed, env=variables, check=True, capture_output=True)
        print(f"undisturbed: {time.monotonic() - start:.1f} s, {served(server)}")
        wanted, equal, kills = client.contents(undisturbed), 0, 0
        for number in range(KILLS):
            folder = Path(place) / f"killed{number}"
            command, variables = client.review(folder, server)
            server.journal.clear()
            after = pick.randint(1, 24)
            later_s = pick.random() / 10  # a batch is read and committed within a tenth
            client.kill_after(after, command, folder, variables, server, later_s)
            committed = client.stored(folder)
            kills += 1
            server.journal.clear()
            subprocess.run(command, cwd=folder, env=variables, check=True, capture_output=True)
            again += len(committed & client.asked(server))
            equal += client.contents(folder) == wanted
            print(
                f"killed at EFetch {after}: {len(committed)} committed, then {served(server)}",
                flush=True,
            )
    print(f"{kills} kills of {RECORDS} records: {equal} ended equal, {again} records asked again")


def served(server: Server) -> str:
    """What the server was asked."""
    return f"{len(server.journal.of('efetch'))} EFetch calls"


PARTS: Mapping[str, Callable[[], None]] = {
    "rate": rate,
    "ranges": ranges,
    "bounds": bounds,
    "killed": killed,
}

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        main(sys.argv[1:])
