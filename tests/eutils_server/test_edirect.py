"""NCBI's own EDirect works against the server; Debian packs it as ncbi-entrez-direct."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree

from pipeline.eutils_server import Fault, Scenario, Server, Synthetic, serving
from pipeline.eutils_server.index import Condition

pytestmark = pytest.mark.skipif(
    shutil.which("esearch") is None, reason="needs EDirect: apt-get install ncbi-entrez-direct"
)
DEMO = Path(__file__).parents[2] / "corpus" / "demo"
#: Nothing listens there: what EDirect would ask of another machine fails on this one.
NOWHERE = "http://127.0.0.1:9"
Shell = Callable[[Server, str], str]


@pytest.fixture(scope="module")
def demo() -> Iterator[Server]:
    """A server of the shipped corpus."""
    with serving(DEMO) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Runs a pipe of EDirect's commands; BASE stands for -base and the server's address."""

    def shell(server: Server, line: str) -> str:
        command = line.replace("BASE", f"-base {server.base_url} -db pubmed")
        proxies = {"http_proxy": NOWHERE, "https_proxy": NOWHERE, "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],  # noqa: S607
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **proxies},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr, done.stderr
        return done.stdout

    return shell


def test_a_search_piped_into_a_fetch_lists_what_the_server_finds(
    demo: Server, shell: Shell
) -> None:
    query = '"immunoglobulin[tiab] AND trial[ti]"'
    out = shell(demo, f"esearch BASE -query {query} | efetch BASE -format uid")
    listed = sorted(map(int, out.split()))
    (request,) = demo.journal.of("esearch")
    assert request.params["term"] == query.strip('"')
    assert len(listed) > 3
    words = Condition(
        "id IN (SELECT rowid FROM words WHERE words MATCH '{ti ab}: immunoglobulin AND ti: trial')"
    )
    assert listed == sorted(demo.index.find(words, 1))


def test_all_records_come_as_xml(demo: Server, shell: Shell) -> None:
    out = shell(demo, "esearch BASE -query 'all[sb]' | efetch BASE -format xml")
    pmids = [int(str(p.text)) for p in etree.fromstring(out.encode()).iterfind("*/*/PMID")]
    assert sorted(pmids, reverse=True) == demo.index.find(Condition("1"), 1)


def test_medline_text_and_summaries_come(demo: Server, shell: Shell) -> None:
    assert "PMID- 7998769\n" in shell(demo, "efetch BASE -id 7998769 -format medline")
    assert "<Id>7998769</Id>" in shell(demo, "esummary BASE -id 7998769")


def test_posted_ids_and_filters_go_through_the_history(demo: Server, shell: Shell) -> None:
    out = shell(demo, "epost BASE -id 7998769,9549518 | efetch BASE -format uid")
    assert out.split() == ["7998769", "9549518"]
    line = "esearch BASE -query 'immunoglobulin[tiab]' | efilter BASE -query 'plasma[tiab]'"
    both = shell(demo, f"{line} | efetch BASE -format uid").split()
    out = shell(
        demo,
        "esearch BASE -query 'immunoglobulin[tiab] AND plasma[tiab]' | efetch BASE -format uid",
    )
    assert sorted(both) == sorted(out.split()) != []


def test_9999_records_are_listed_whole(shell: Shell) -> None:
    with serving(Synthetic(9_999)) as server:
        out = shell(server, "esearch BASE -query 'trial[tiab]' | efetch BASE -format uid")
        assert sorted(map(int, out.split())) == Synthetic(9_999).pmids()


def test_it_asks_again_after_an_error_inside_200(shell: Shell) -> None:
    scenario = Scenario((Fault("error", "efetch", calls=(1,)),))
    with serving(DEMO, scenario=scenario) as server:
        line = "efetch BASE -id 7998769 -format xml 2>/dev/null"
        assert "7998769</PMID>" in shell(server, line)
        assert [r.fault for r in server.journal.of("efetch")] == ["error", ""]
