"""The journal: what it keeps, what it hides; and the limiter."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from pipeline.eutils_server import Journal, Request, Server, Synthetic, serving
from pipeline.eutils_server.limiter import Limiter

Ask = Callable[..., requests.Response]
KEY = "0123456789abcdef"


def test_a_request_is_kept_with_its_time_and_answer(server: Server, ask: Ask) -> None:
    before = time.monotonic()
    answer = ask("efetch", id="101,102", retmode="xml", email="a@example.org", tool="t")
    (request,) = server.journal.requests
    assert before <= request.time <= time.monotonic()
    assert (request.number, request.utility, request.method) == (1, "efetch", "POST")
    assert request.ids == ("101", "102")
    assert (request.params["email"], request.params["tool"]) == ("a@example.org", "t")
    assert (request.status, request.in_url, request.fault) == (200, (), "")
    wait_for(lambda: server.journal.requests[0].bytes_out == len(answer.content))


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until the server has noted what the client already knows."""
    for _ in range(200):
        if true():
            return
        time.sleep(0.01)
    pytest.fail("The journal did not note it.")


def test_a_key_is_kept_as_its_hash_only(server: Server, ask: Ask) -> None:
    ask("esearch", term="pain", api_key=KEY)
    params = {"db": "pubmed", "term": "pain", "api_key": KEY}
    requests.get(f"{server.base_url}esearch.fcgi", params, timeout=5)
    posted, got = server.journal.requests
    assert posted.params["api_key"] == hashlib.sha256(KEY.encode()).hexdigest()[:12]
    assert (posted.in_url, "api_key" in got.in_url) == ((), True)
    shown = requests.get(f"{server.home}/control/journal", timeout=5).text
    assert posted.params["api_key"] in shown
    assert KEY not in shown
    assert KEY not in repr(server.journal.requests)


def test_the_journal_is_shown_and_control_calls_are_not_in_it(server: Server, ask: Ask) -> None:
    ask("esearch", term="pain")
    ask("einfo")
    shown = requests.get(f"{server.home}/control/journal", timeout=5).json()
    assert [(r["number"], r["utility"]) for r in shown] == [(1, "esearch"), (2, "einfo")]
    assert [r.number for r in server.journal.of("einfo")] == [2]
    server.journal.clear()
    assert server.journal.requests == ()


def test_a_request_under_way_is_already_in_the_journal() -> None:
    journal = Journal()
    request = journal.open(Request(0, 1.0, "efetch", "POST", {}))
    assert [r.status for r in journal.requests] == [0]
    journal.clear()
    journal.close(request)
    assert journal.requests == ()


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 10))
def test_the_busiest_window_is_the_most_that_any_window_holds(
    tenths: list[int], window: int
) -> None:
    journal = Journal()
    for tenth in tenths:
        journal.open(Request(0, float(tenth), "efetch", "POST", {}))
    counts = [sum(start <= t < start + window for t in tenths) for start in tenths]
    assert journal.busiest(window) == max(counts, default=0)


@pytest.mark.parametrize(("key", "limit"), [("", 3), (KEY, 10)])
def test_no_more_than_the_rate_pass_in_a_second(key: str, limit: int) -> None:
    limiter = Limiter()
    times = [10.0 + n / 100 for n in range(limit + 2)]
    refused = [limiter.check(key, t) for t in times]
    assert [r is None for r in refused] == [True] * limit + [False] * 2
    assert f'"count":"{limit + 2}","limit":"{limit}"'.encode() in refused[-1].body  # type: ignore[union-attr]
    # The first of them left the window one second after it came.
    assert limiter.check(key, times[-1] + 1.0) is None


def test_keys_are_counted_one_by_one_and_refused_requests_count() -> None:
    limiter = Limiter()
    assert [limiter.check("", 1.0 + n / 10) is None for n in range(4)] == [True] * 3 + [False]
    assert limiter.check("a", 1.4) is None
    # At 2.05 s, 1.1, 1.2 and the refused 1.3 are still in the window.
    assert limiter.check("", 2.05) is not None


def test_the_server_refuses_what_comes_too_fast() -> None:
    with serving(Synthetic(5, "dense")) as server:
        form = {"db": "pubmed", "term": "all[sb]"}
        address = f"{server.base_url}esearch.fcgi"
        statuses: list[int] = []

        def send() -> None:
            statuses.append(requests.post(address, form, timeout=5).status_code)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        journal = server.journal
        assert sorted(r.status for r in journal.requests) == sorted(statuses)
        # The limiter's own decisions on these times, whatever else the machine was doing.
        again, times = Limiter(), sorted(r.time for r in journal.requests)
        assert sum(again.check("", t) is not None for t in times) == statuses.count(429) > 0
