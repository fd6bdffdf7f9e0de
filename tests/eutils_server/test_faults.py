"""Each fault does what it says, and no other thing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from lxml import etree

from pipeline.errors import ConfigError
from pipeline.eutils_server import KINDS, Fault, Scenario, Server, Synthetic, serving
from pipeline.eutils_server.faults import _packed
from pipeline.eutils_server.index import load

IDS = [str(n) for n in range(1, 31)]
FORM = {"db": "pubmed", "id": ",".join(IDS), "retmode": "xml"}
SEARCH = {"db": "pubmed", "term": "all[sb]", "retmode": "json", "retmax": "50"}
Post = Callable[..., requests.Response]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of thirty records."""
    index = load(Synthetic(30, "dense"))
    with serving(index, rate_limit=False) as server:
        yield server
    index.close()


@pytest.fixture
def befallen(running: Server) -> Callable[..., Post]:
    """Returns a way to ask a server whose every call goes wrong in one way."""

    def befallen(kind: str, **settings: Any) -> Post:
        running.journal.clear()
        running.use(Scenario((Fault(kind, chance=1.0),), **settings))

        def post(utility: str = "efetch", **params: str) -> requests.Response:
            form = {**(FORM if utility == "efetch" else SEARCH), **params}
            address = f"{running.base_url}{utility}.fcgi"
            return requests.post(address, form, timeout=5, allow_redirects=False)

        return post

    return befallen


def pmids(answer: requests.Response) -> list[str]:
    """The PMIDs of a PubmedArticleSet."""
    return [str(p.text) for p in etree.fromstring(answer.content).iterfind("*/*/PMID")]


def whole(running: Server) -> bytes:
    """The answer without a fault."""
    running.use(Scenario())
    return requests.post(f"{running.base_url}efetch.fcgi", FORM, timeout=5).content


def test_429_has_ncbis_body_and_a_pause(befallen: Callable[..., Post]) -> None:
    answer = befallen("429")()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    said = {"error": "API rate limit exceeded", "api-key": "127.0.0.1", "count": "4", "limit": "3"}
    assert answer.json() == said
    assert befallen("429")(api_key="abc").json()["api-key"] == "abc"


@pytest.mark.parametrize(
    ("kind", "status"), [("500", 500), ("502", 502), ("503", 503), ("html", 200)]
)
def test_pages_come_as_html(befallen: Callable[..., Post], kind: str, status: int) -> None:
    answer = befallen(kind)()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.content.startswith(b"<!DOCTYPE html>")


def test_a_bad_key_is_repeated_to_the_client(befallen: Callable[..., Post]) -> None:
    answer = befallen("bad_key")(api_key="abc")
    assert (answer.status_code, answer.json()["api-key"]) == (400, "abc")


def test_json_errors_come_with_status_200(befallen: Callable[..., Post]) -> None:
    answer = befallen("json_error")()
    assert (answer.status_code, answer.json()["error"]) == (200, "API rate limit exceeded")


def test_errors_of_a_utility_come_with_status_200(befallen: Callable[..., Post]) -> None:
    post = befallen("error")
    text = etree.fromstring(post().content).findtext("ERROR") or ""
    assert "External viewer error: Empty Response. Bytes read: 0 Status: Timeout" in text
    assert post().status_code == 200
    said = post("esearch").json()["esearchresult"]["ERROR"]
    assert said == "Search Backend failed: Database is not supported: pubmed"


def test_a_passing_timeout_comes_with_status_400(befallen: Callable[..., Post]) -> None:
    answer = befallen("viewer_timeout")()
    assert (answer.status_code, "Status: Timeout" in answer.text) == (400, True)


def test_an_empty_answer_has_status_200_and_no_body(befallen: Callable[..., Post]) -> None:
    answer = befallen("empty")()
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("http_doctype", '"http://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_190101.dtd">'),
        ("unknown_doctype", '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_270101.dtd">'),
    ],
)
def test_another_doctype_stands_before_the_same_records(
    befallen: Callable[..., Post], kind: str, address: str
) -> None:
    answer = befallen(kind)()
    assert address in answer.text.splitlines()[1]
    assert pmids(answer) == IDS


def test_missing_records_are_missing_without_a_word(befallen: Callable[..., Post]) -> None:
    answer = befallen("missing")()
    assert 20 <= len(pmids(answer)) < 30
    assert pmids(answer) == sorted(set(pmids(answer)), key=int)
    result = befallen("missing")("esearch").json()["esearchresult"]
    assert (result["count"], len(result["idlist"]) < 30) == ("30", True)


def test_a_duplicate_is_one_record_twice(befallen: Callable[..., Post]) -> None:
    found = pmids(befallen("duplicate")())
    assert (len(found), set(found)) == (31, set(IDS))


def test_an_answer_cut_at_a_record_is_well_formed(befallen: Callable[..., Post]) -> None:
    found = pmids(befallen("cut_at_record")())
    assert len(found) < 30
    assert found == IDS[: len(found)]


def test_a_reset_is_a_reset(befallen: Callable[..., Post]) -> None:
    with pytest.raises(requests.ConnectionError, match="reset"):
        befallen("reset")()


def test_a_hang_says_nothing_and_closes(befallen: Callable[..., Post]) -> None:
    started = time.monotonic()
    with pytest.raises(requests.ConnectionError, match="closed connection without response"):
        befallen("hang", hang_s=0.3)()
    assert time.monotonic() - started >= 0.3


def test_a_drip_comes_whole_if_it_has_the_time(
    running: Server, befallen: Callable[..., Post]
) -> None:
    expected = whole(running)
    assert befallen("drip", drip_s=0.0001)().content == expected
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        befallen("drip", drip_s=0.02, hang_s=0.1)()


def test_a_short_answer_promises_more_than_it_sends(
    running: Server, befallen: Callable[..., Post]
) -> None:
    size = len(whole(running))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match=rf"IncompleteRead\({size} "):
        befallen("short")()


def test_chunks_break_off_without_an_end(befallen: Callable[..., Post]) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="prematurely"):
        befallen("chunked_cut")()


def test_a_redirect_points_to_this_server(running: Server, befallen: Callable[..., Post]) -> None:
    answer = befallen("redirect")()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{running.home}/moved")


def test_a_bomb_is_small_on_the_wire_and_large_unpacked(
    running: Server, befallen: Callable[..., Post]
) -> None:
    start = whole(running)
    answer = befallen("gzip_bomb", bomb_mb=20)()
    # Length and checksum are right: a client that reads on to the end is not warned.
    assert answer.content[: len(start)] == start
    assert answer.content[len(start) :] == b" " * (20 << 20)
    assert len(b"".join(_packed(start, 20))) < 100_000


def test_a_flood_is_large_on_the_wire(running: Server, befallen: Callable[..., Post]) -> None:
    assert len(befallen("flood", bomb_mb=3)().content) > 3 << 20


def test_every_fault_is_tried_here_and_says_what_it_does() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        assert f'"{name}"' in text
        assert kind.says
        assert sum(part is not None for part in (kind.pmids, kind.answer, kind.send)) == 1


def test_an_unknown_fault_and_an_impossible_chance_are_refused(running: Server) -> None:
    with pytest.raises(ConfigError, match="Unknown fault 'typo'; known are 429, 500"):
        running.use(Scenario((Fault("typo", calls=(1,)),)))
    with pytest.raises(ConfigError, match=r"Invalid chance 1\.5 of '429'"):
        Fault("429", chance=1.5)


def test_a_request_is_the_same_whoever_asks(running: Server) -> None:
    running.use(Scenario((Fault("500", chance=1.0, tries=1),)))
    address = f"{running.base_url}efetch.fcgi"
    forms = [{**FORM, "api_key": "a"}, {**FORM, "api_key": "b", "tool": "t"}, {**FORM, "id": "1"}]
    statuses = [requests.post(address, form, timeout=5).status_code for form in forms]
    assert statuses == [500, 200, 500]


@pytest.mark.parametrize("kind", ["reset", "hang", "chunked_cut", "short"])
def test_the_journal_names_the_fault_by_which_a_connection_broke(
    running: Server, befallen: Callable[..., Post], kind: str
) -> None:
    with pytest.raises(requests.RequestException):
        befallen(kind, hang_s=0.05)()
    assert [r.fault for r in running.journal.requests] == [kind]


def test_the_journal_names_the_fault_of_each_call(running: Server) -> None:
    running.journal.clear()
    running.use(
        Scenario((Fault("500", "efetch", calls=(2,)), Fault("empty", "esearch", calls=(1,))))
    )
    for utility in ("efetch", "esearch", "efetch", "efetch", "esearch"):
        form = FORM if utility == "efetch" else SEARCH
        requests.post(f"{running.base_url}{utility}.fcgi", form, timeout=5)
    assert [r.fault for r in running.journal.requests] == ["", "empty", "500", "", ""]
    assert [r.status for r in running.journal.requests] == [200, 200, 500, 200, 200]
    assert json.dumps(running.journal.as_json())
