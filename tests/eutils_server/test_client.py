"""The project's own client searches and fetches this server's corpus, whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import Config, load
from pipeline.eutils_server import Fault, Scenario, Server, serving
from pipeline.eutils_server.index import Condition
from pipeline.fetch import SOURCES

REPO = Path(__file__).parents[2]
DEMO = REPO / "corpus" / "demo"
TODAY = "2026-01-31"


@pytest.fixture
def demo() -> Iterator[Server]:
    """A server of the shipped corpus, rate limit and all."""
    with serving(DEMO) as server:
        yield server


def config_for(server: Server, **flags: Any) -> Config:
    """The shipped protocol, asking this server."""
    ncbi = {"ncbi.base_url": server.base_url, "ncbi.email": "test@example.org"}
    flags = {name.replace("__", "."): value for name, value in flags.items()}
    return load(REPO / "config.yaml", flags={"source": "pubmed", **ncbi, **flags}).config


def fetched(config: Config) -> tuple[list[str], list[str]]:
    """The ids that a search lists and those of the records that come."""
    found = SOURCES["pubmed"].search(config, today=TODAY)
    batches = SOURCES["pubmed"].fetch(found, config)
    return sorted(found.record_ids), sorted(r.record_id for b in batches for r in b.records)


def all_of(server: Server) -> list[str]:
    """The ids of all records of the corpus."""
    return sorted(f"pmid{pmid}" for pmid in server.index.find(Condition("1"), server.day))


def test_the_client_fetches_the_demo_corpus_whole_and_politely(demo: Server) -> None:
    listed, came = fetched(config_for(demo, query="all[sb]", ncbi__batch_size=10))
    assert listed == came == all_of(demo)
    journal = demo.journal
    assert journal.busiest() <= 3
    assert {r.status for r in journal.requests} == {200}
    assert {(r.method, r.in_url) for r in journal.requests} == {("POST", ())}
    assert {r.params["email"] for r in journal.requests} == {"test@example.org"}
    fetches = journal.of("efetch")
    assert sorted(i for r in fetches for i in r.ids) == sorted(i.removeprefix("pmid") for i in came)


def test_a_query_with_tags_finds_what_the_server_finds(demo: Server) -> None:
    listed, came = fetched(config_for(demo, query="immunoglobulin[tiab] AND trial[ti]"))
    assert listed == came != []
    assert len(listed) < len(all_of(demo))


def test_the_client_gets_all_records_through_one_fault_of_each_request(demo: Server) -> None:
    demo.use(Scenario((Fault("503", chance=1.0, tries=1),)))
    listed, came = fetched(config_for(demo, query="all[sb]"))
    assert listed == came == all_of(demo)
    assert {r.fault for r in demo.journal.requests} == {"503", ""}


def test_a_run_over_the_server_gives_the_estimates_of_the_demo(
    demo: Server, tmp_path: Path
) -> None:
    ncbi = {"EVIPOOL_NCBI__BASE_URL": demo.base_url, "EVIPOOL_NCBI__EMAIL": "a@example.org"}
    sources: dict[str, dict[str, str]] = {"demo": {}, "pubmed": ncbi}
    printed = [run_review(tmp_path / name, name, more) for name, more in sources.items()]
    assert printed[0] == printed[1]
    assert printed[0][0].startswith("36 records")
    assert demo.journal.of("efetch")


def run_review(folder: Path, source: str, variables: dict[str, str]) -> list[str]:
    """Run a fresh review on a source; return the lines it prints, the report's path left out."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("EVIPOOL_")}
    environ |= {"PYTHONPATH": str(REPO), **variables}
    folder.mkdir()
    for arguments in (["init", "."], ["run", "--source", source, "--query", "all[sb]"]):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *arguments],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("Report: ")]
