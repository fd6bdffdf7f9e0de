"""The source `pubmed` against answers in the shapes that NCBI sends; no network."""

from __future__ import annotations

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
import responses
from pydantic import SecretStr

from pipeline.config import Config
from pipeline.errors import ConfigError, FetchError, NothingFoundError
from pipeline.fetch import eutils
from pipeline.fetch.throttle import Throttle
from pipeline.fetch.transport import ATTEMPTS, Transport, connect
from pipeline.fetch.wire import Wire
from pipeline.schema import Batch, Search

BASE = "https://eutils.test/entrez/eutils/"
KEY = "0123456789abcdefSECRET"
EMAIL = "reviewer@example.org"
TODAY = "2026-11-22"

Answer = tuple[int, dict[str, str], str | bytes | Exception]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self.now += seconds


class Ncbi:
    """Scripted answers: faults first, one a request, then what a PubMed of these PMIDs says."""

    def __init__(self, mock: responses.RequestsMock) -> None:
        self.pmids: list[str] = []
        self.withheld: set[str] = set()
        self.extra: dict[str, Any] = {}
        self.faults: list[Answer] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.urls: list[str] = []
        for utility in ("esearch", "efetch"):
            mock.add_callback("POST", f"{BASE}{utility}.fcgi", self._answer)

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        form = {k: v[0] for k, v in parse_qs(str(request.body)).items()}
        utility = str(request.url).rpartition("/")[2]
        self.requests.append((utility, form))
        self.urls.append(str(request.url))
        if self.faults:
            return self.faults.pop(0)
        return self._esearch(form) if utility == "esearch.fcgi" else self._efetch(form)

    def _esearch(self, form: dict[str, str]) -> Answer:
        start, size = int(form["retstart"]), int(form["retmax"])
        result = {
            "count": str(len(self.pmids)),
            "retstart": form["retstart"],
            "idlist": self.pmids[start : start + size],
            "querytranslation": f"{form['term']}[All Fields]",
            **self.extra,
        }
        return 200, {}, json.dumps({"header": {"type": "esearch"}, "esearchresult": result})

    def _efetch(self, form: dict[str, str]) -> Answer:
        return 200, {}, articles(*(i for i in form["id"].split(",") if i not in self.withheld))


def articles(*pmids: str) -> str:
    """An EFetch answer with these articles."""
    body = "".join(
        f"<PubmedArticle><MedlineCitation><PMID>{i}</PMID><Article><ArticleTitle>Study {i}"
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>"
        for i in pmids
    )
    return f'<?xml version="1.0" ?><PubmedArticleSet>{body}</PubmedArticleSet>'


@pytest.fixture
def ncbi() -> Iterator[Ncbi]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield Ncbi(mock)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def transport(clock: Clock) -> Transport:
    throttle = Throttle(0.0, clock=clock, sleep=clock.sleep)
    return Transport(BASE, EMAIL, throttle, SecretStr(KEY), sleep=clock.sleep, jitter=lambda: 1.0)


@pytest.fixture
def config(make_config: Callable[..., Config]) -> Config:
    return make_config(
        source="pubmed", query="ivig", ncbi__email=EMAIL, ncbi__base_url=BASE, ncbi__batch_size=2
    )


def search(config: Config, transport: Transport) -> Search:
    return eutils.search(config, today=TODAY, transport=transport)


def fetch(config: Config, transport: Transport, **kwargs: Any) -> list[Batch]:
    return list(eutils.fetch(search(config, transport), config, transport=transport, **kwargs))


class TestSearch:
    """ESearch: everything it lists, in order, or an error in words."""

    def test_a_search_keeps_order_translation_and_warnings(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["30", "10", "20"]
        ncbi.extra = {
            "errorlist": {"phrasesnotfound": ["ivigg"], "fieldsnotfound": []},
            "warninglist": {"outputmessages": ["No items found for ivigg."]},
        }
        found = search(config, transport)
        assert found.record_ids == ("pmid30", "pmid10", "pmid20")
        assert (found.source, found.query, found.date, found.count) == ("pubmed", "ivig", TODAY, 3)
        assert found.translation == "ivig[All Fields]"
        assert found.warnings == (
            "phrasesnotfound: ivigg",
            "outputmessages: No items found for ivigg.",
        )

    def test_every_request_says_who_asks_and_is_posted(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1"]
        fetch(config, transport)
        assert [utility for utility, _ in ncbi.requests] == ["esearch.fcgi", "efetch.fcgi"]
        for _, form in ncbi.requests:
            assert (form["tool"], form["email"], form["api_key"]) == ("evipool", EMAIL, KEY)
            assert form["db"] == "pubmed"

    def test_the_largest_search_is_listed_whole(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """9,999 is PubMed's limit (NBK25499)."""
        ncbi.pmids = [str(i) for i in range(1, 10_000)]
        found = search(config, transport)
        assert found.record_ids == tuple(f"pmid{i}" for i in range(1, 10_000))
        asked = [(int(f["retstart"]), int(f["retmax"])) for _, f in ncbi.requests]
        assert asked == [(0, 9999)]

    def test_no_hit_says_how_pubmed_read_the_query(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.extra = {"errorlist": {"phrasesnotfound": ["ivig"]}}
        with pytest.raises(NothingFoundError) as caught:
            search(config, transport)
        assert "'ivig'" in str(caught.value)
        assert "'ivig[All Fields]' (phrasesnotfound: ivig)" in str(caught.value)

    @pytest.mark.parametrize("query", ["", "  \n"])
    def test_a_blank_query_is_refused(
        self, query: str, config: Config, transport: Transport
    ) -> None:
        blank = config.model_copy(update={"query": query})
        with pytest.raises(ConfigError, match="query is empty"):
            search(blank, transport)

    @pytest.mark.parametrize("email", [None, " "])
    def test_no_email_is_refused(self, email: str | None, config: Config) -> None:
        nobody = config.model_copy(update={"ncbi": config.ncbi.model_copy(update={"email": email})})
        with pytest.raises(ConfigError, match=r"ncbi\.email"):
            eutils.search(nobody, today=TODAY)
        any_search = Search("s", "pubmed", "q", TODAY, 1, ("pmid1",))
        with pytest.raises(ConfigError, match=r"ncbi\.email"):
            next(eutils.fetch(any_search, nobody))

    def test_a_list_shorter_than_its_count_is_an_error(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1", "2"]
        ncbi.extra = {"count": "3"}
        with pytest.raises(FetchError, match="counts 3 records but listed 2"):
            search(config, transport)

    def test_a_list_with_a_record_twice_is_an_error(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1", "2", "1"]
        with pytest.raises(FetchError, match="counts 3 records but listed 2"):
            search(config, transport)

    def test_the_same_search_of_a_day_has_the_same_name(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1", "2"]
        first = search(config, transport)
        ncbi.pmids = ["2", "1"]
        assert search(config, transport).search_id == first.search_id
        ncbi.pmids = ["2", "1", "3"]
        assert search(config, transport).search_id != first.search_id


#: What EFetch says of ids that it does not know.
UNKNOWN = [
    (400, '{"error":"ID list is empty! Possibly it has no correct IDs."}'),
    (
        200,
        "<eFetchResult><ErrorList><CannotRetrievePMID>1</CannotRetrievePMID></ErrorList>"
        "</eFetchResult>",
    ),
    (200, "<PubmedArticleSet></PubmedArticleSet>"),
]


class TestFetch:
    """EFetch: asked = returned + missing, always."""

    def test_records_come_in_batches_in_the_order_of_the_search(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["5", "4", "3", "2", "1"]
        steps: list[tuple[int, int]] = []
        batches = fetch(config, transport, progress=lambda *step: steps.append(step))
        ids = [r.record_id for b in batches for r in b.records]
        assert ids == ["pmid5", "pmid4", "pmid3", "pmid2", "pmid1"]
        assert [f["id"] for u, f in ncbi.requests if u == "efetch.fcgi"] == ["5,4", "3,2", "1"]
        assert steps == [(2, 5), (4, 5), (5, 5)]
        assert len({b.name for b in batches}) == 3
        assert all(b.raw.startswith(b"<?xml") and not b.problems for b in batches)

    def test_stored_records_are_not_asked_for(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1", "2", "3", "4", "5"]
        fetch(config, transport, skip={"pmid1", "pmid2", "pmid4"})
        assert [f["id"] for u, f in ncbi.requests if u == "efetch.fcgi"] == ["3", "5"]

    def test_a_plan_says_what_a_fetch_would_take(self, config: Config) -> None:
        """3 requests a second without a key, a tenth further apart; batches of 2."""
        five = Search("s", "pubmed", "q", TODAY, 5, tuple(f"pmid{i}" for i in range(5)))
        assert eutils.plan(five, config) == eutils.Plan(5, 3, pytest.approx(1.1))
        left = eutils.plan(five, config, skip={"pmid0", "pmid1", "pmid2"})
        assert left == eutils.Plan(2, 2, pytest.approx(2 * 1.1 / 3))

    def test_a_missing_record_is_asked_for_again_and_then_a_problem(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids, ncbi.withheld = ["1", "2"], {"2"}
        first, *again = fetch(config, transport)
        assert [r.record_id for r in first.records] == ["pmid1"]
        assert [b.records for b in again] == [()] * eutils.ASKED
        names = {b.name for b in (first, *again)}
        assert len(names) == 1 + eutils.ASKED  # the store keeps one answer a name
        (problem,) = [p for b in (first, *again) for p in b.problems]
        assert problem.code == "missing_record"
        assert "pmid2" in problem.message
        assert [f["id"] for u, f in ncbi.requests if u == "efetch.fcgi"] == [
            "1,2",
            *["2"] * eutils.ASKED,
        ]

    def test_a_record_lost_once_is_found_the_second_time(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """An answer cut at a record boundary and closed neatly is well-formed."""
        ncbi.pmids = ["1", "2"]
        found = search(config, transport)
        ncbi.faults = [(200, {}, articles("1"))]
        first, again = eutils.fetch(found, config, transport=transport)
        assert [r.record_id for r in (*first.records, *again.records)] == ["pmid1", "pmid2"]
        assert (first.problems, again.problems) == ((), ())

    @pytest.mark.parametrize(("status", "said"), UNKNOWN)
    def test_pubmed_refusing_an_unknown_id_is_a_missing_record(
        self, *, status: int, said: str, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1"]
        found = search(config, transport)
        ncbi.faults = [(status, {}, said)] * eutils.ASKED
        *_, last = eutils.fetch(found, config, transport=transport)
        assert [p.code for p in last.problems] == ["missing_record"]
        assert len(ncbi.requests) == 1 + eutils.ASKED

    def test_a_record_that_was_not_asked_for_is_left_out_and_named(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1"]
        found = search(config, transport)
        ncbi.faults = [(200, {}, articles("1", "77"))]
        (batch,) = eutils.fetch(found, config, transport=transport)
        assert [r.record_id for r in batch.records] == ["pmid1"]
        assert [p.code for p in batch.problems] == ["unasked_record"]
        assert "pmid77" in batch.problems[0].message


HTML = "<!DOCTYPE html><html><body>Service unavailable</body></html>"
VIEWER = (
    "<eFetchResult><ERROR> Error: External viewer error: Status: Timeout</ERROR></eFetchResult>"
)
CUT = articles("1")[:-30]

PASSING: list[Answer] = [
    (429, {}, '{"error":"API rate limit exceeded","api-key":"0123","count":"4","limit":"3"}'),
    (500, {}, ""),
    (502, {}, HTML),
    (503, {}, "try later"),
    (200, {}, ""),
    (200, {}, " \n"),
    (200, {}, HTML),
    (200, {}, '{"error":"API rate limit exceeded","count":"4","limit":"3"}'),
    (200, {}, VIEWER),
    (400, {}, VIEWER),
    (200, {}, CUT),
    (408, {}, ""),
    (302, {"Location": "https://maintenance.test/"}, ""),
    (200, {"Content-Length": "99999"}, articles("1")),
    (200, {}, requests.ConnectionError("reset by peer")),
    (200, {}, requests.ReadTimeout("no answer")),
    (200, {}, requests.exceptions.ChunkedEncodingError("IncompleteRead(3 bytes read)")),
]


class TestFaults:
    """Passing faults are sent again, others end in one sentence."""

    @pytest.mark.parametrize("fault", PASSING, ids=lambda f: f"{f[0]} {str(f[2])[:30]!r}")
    def test_a_passing_fault_loses_nothing(
        self, fault: Answer, ncbi: Ncbi, config: Config, transport: Transport, clock: Clock
    ) -> None:
        ncbi.pmids = ["1"]
        found = search(config, transport)
        ncbi.faults = [fault, fault]
        (batch,) = eutils.fetch(found, config, transport=transport)
        assert [r.record_id for r in batch.records] == ["pmid1"]
        assert clock.slept == [1.0, 2.0]  # doubled; jitter is 1.0, which leaves it whole

    @pytest.mark.parametrize("fault", PASSING, ids=lambda f: f"{f[0]} {str(f[2])[:30]!r}")
    def test_a_lasting_fault_ends_in_a_fetch_error(
        self, fault: Answer, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1"]
        found = search(config, transport)
        ncbi.faults = [fault] * ATTEMPTS
        with pytest.raises(FetchError, match=rf"efetch\.fcgi failed after {ATTEMPTS} attempts: .+"):
            list(eutils.fetch(found, config, transport=transport))
        assert ncbi.faults == []

    @pytest.mark.parametrize(("jitter", "pause"), [(0.0, 0.5), (0.5, 0.75)])
    def test_pauses_are_spread_so_that_clients_do_not_march_in_step(
        self, *, jitter: float, pause: float, ncbi: Ncbi, config: Config, clock: Clock
    ) -> None:
        throttle = Throttle(0.0, clock=clock, sleep=clock.sleep)
        transport = Transport(BASE, EMAIL, throttle, sleep=clock.sleep, jitter=lambda: jitter)
        ncbi.pmids, ncbi.faults = ["1"], [(500, {}, "")] * 2
        search(config, transport)
        assert clock.slept == [pause, 2 * pause]

    def test_a_page_for_people_is_named_as_such(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.faults = [(200, {}, HTML)] * ATTEMPTS
        with pytest.raises(FetchError, match="an HTML page instead of data"):
            search(config, transport)

    def test_an_error_inside_an_esearch_answer_is_shown(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """The ERROR text of PubMed's cap holds a raw newline, which strict JSON refuses."""
        said = '{"esearchresult":{"ERROR":"Search Backend failed: no\n such database: pubmed"}}'
        ncbi.faults = [(200, {}, said)] * ATTEMPTS
        with pytest.raises(FetchError, match="Search Backend failed: no such database: pubmed"):
            search(config, transport)
        assert ncbi.faults == []

    def test_json_with_raw_newlines_is_read(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        said = '{"esearchresult":{"count":"1","idlist":["7"],"querytranslation":"a\nb"}}'
        ncbi.faults = [(200, {}, said)]
        assert search(config, transport).record_ids == ("pmid7",)

    @pytest.mark.parametrize("body", ['{"esearchresult":{"count"', '{"esearchresult":{}}', "[1]"])
    def test_an_answer_without_a_list_is_asked_again(
        self, body: str, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids, ncbi.faults = ["1"], [(200, {}, body)]
        assert search(config, transport).count == 1
        assert len(ncbi.requests) == 2

    @pytest.mark.parametrize(
        "said",
        [
            "Unable to obtain query #1",
            "Search Backend failed: Exception: out of acceptable\n range [9999,9998]",
            "Too many UIDs in request. Maximum number of UIDs is 500 for JSON format output.",
        ],
    )
    def test_what_will_fail_again_is_not_asked_again(
        self, said: str, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """A dropped WebEnv and the cap come with HTTP 200."""
        ncbi.faults = [(200, {}, f'{{"esearchresult":{{"ERROR":"{said}"}}}}')]
        with pytest.raises(FetchError, match="after one attempt"):
            search(config, transport)

    @pytest.mark.parametrize("query", ["((", "(ivig[tiab]", "ivig)(", 'a) "("'])
    def test_a_query_whose_parentheses_do_not_pair_is_refused_at_once(
        self, query: str, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """PubMed answers `((` with HTTP 200 and the words of a passing fault (pubmed.md, 2)."""
        ncbi.faults = [(200, {}, '{"esearchresult":{"ERROR":"Search Backend failed: none"}}')]
        with pytest.raises(FetchError, match="after one attempt: Search Backend failed: none"):
            search(config.model_copy(update={"query": query}), transport)

    def test_parentheses_in_a_quoted_phrase_need_no_other_one(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1"]
        ncbi.faults = [(200, {}, '{"esearchresult":{"ERROR":"Search Backend failed: none"}}')]
        query = '("a :( b" OR ivig)'
        assert search(config.model_copy(update={"query": query}), transport).count == 1

    def test_a_request_that_is_sent_again_is_told_with_reason_and_pause(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        told: list[object] = []
        ncbi.pmids, ncbi.faults = ["1"], [(503, {"Retry-After": "7"}, ""), (500, {}, "")]
        hearing = replace(transport, tell=lambda event, /, **said: told.append((event, said)))
        search(config, hearing)
        common = {"level": "warning", "step": "fetch", "utility": "esearch"}
        assert told == [
            ("retried", {**common, "attempt": 2, "reason": "HTTP 503", "pause_s": 7.0}),
            ("retried", {**common, "attempt": 3, "reason": "HTTP 500", "pause_s": 2.0}),
        ]

    @pytest.mark.parametrize("status", [400, 401, 404, 414])
    def test_a_refusal_is_final(
        self, status: int, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.faults = [(status, {}, '{"error":"API key invalid"}')]
        with pytest.raises(FetchError, match=rf"one attempt: HTTP {status} .*API key invalid"):
            search(config, transport)
        assert len(ncbi.requests) == 1

    @pytest.mark.parametrize(("status", "attempts"), [(301, 1), (302, 6), (307, 6), (308, 1)])
    def test_a_redirect_is_not_followed(
        self, *, status: int, attempts: int, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        """The body holds the key; a redirect could carry it elsewhere."""
        ncbi.faults = [(status, {"Location": "https://elsewhere.test/"}, "")] * attempts
        with pytest.raises(FetchError, match=f"HTTP {status}: redirects are not followed"):
            search(config, transport)
        assert len(ncbi.requests) == attempts

    @pytest.mark.parametrize(
        ("headers", "pauses"),
        [
            ({"Retry-After": "7"}, [7.0]),
            (
                {
                    "Date": "Sun, 22 Nov 2026 10:00:00 GMT",
                    "Retry-After": "Sun, 22 Nov 2026 10:00:09 GMT",
                },
                [9.0],
            ),
            ({"Retry-After": "soon"}, [1.0]),
            ({}, [1.0]),
        ],
    )
    def test_the_pause_the_server_asks_for_is_kept(
        self,
        *,
        headers: dict[str, str],
        pauses: list[float],
        ncbi: Ncbi,
        config: Config,
        transport: Transport,
        clock: Clock,
    ) -> None:
        ncbi.pmids, ncbi.faults = ["1"], [(429, headers, "")]
        search(config, transport)
        assert clock.slept == pauses

    def test_a_server_that_asks_for_an_hour_is_left(
        self, ncbi: Ncbi, config: Config, transport: Transport, clock: Clock
    ) -> None:
        ncbi.faults = [(503, {"Retry-After": "3600"}, "")]
        with pytest.raises(FetchError, match="HTTP 503"):
            search(config, transport)
        assert clock.slept == []

    def test_batches_before_the_fault_stand(
        self, ncbi: Ncbi, config: Config, transport: Transport
    ) -> None:
        ncbi.pmids = ["1", "2", "3"]
        batches = eutils.fetch(search(config, transport), config, transport=transport)
        assert len(next(batches).records) == 2
        ncbi.faults = [(500, {}, "")] * ATTEMPTS
        with pytest.raises(FetchError):
            next(batches)


class TestSecrets:
    """The key stays in the body of requests."""

    @pytest.mark.parametrize(
        "fault",
        [
            (400, {}, f'{{"error":"API key invalid","api-key":"{KEY}"}}'),
            (500, {}, f"key {KEY} of {EMAIL} is wrong"),
            (200, {}, f'{{"error":"no such key {KEY}"}}'),
            (200, {}, requests.ConnectionError(f"api_key={KEY}")),
            (400, {}, "x" * 190 + KEY),
            (500, {}, f"key {KEY} of {EMAIL.replace('@', '%40')} is wrong"),
            (307, {"Location": f"https://elsewhere.test/?api_key={KEY}"}, KEY),
        ],
        ids=["400", "500", "200", "connection", "cut", "quoted", "redirect"],
    )
    def test_the_key_is_in_no_error_log_or_address(
        self,
        fault: Answer,
        ncbi: Ncbi,
        config: Config,
        transport: Transport,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        told: list[object] = []
        ncbi.faults = [fault] * ATTEMPTS
        hearing = replace(transport, tell=lambda event, /, **said: told.append((event, said)))
        with pytest.raises(FetchError) as caught:
            search(config, hearing)
        shown = "".join(traceback.format_exception(caught.value)) + caplog.text + repr(told)
        assert KEY[:8] not in shown
        assert EMAIL.partition("@")[2] not in shown.replace(BASE, "")
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None
        assert KEY not in repr(transport)
        assert ncbi.urls == [f"{BASE}esearch.fcgi"] * len(ncbi.requests)

    def test_the_key_of_the_configuration_is_used(self, make_config: Callable[..., Config]) -> None:
        config = make_config(ncbi__email=EMAIL)
        keyed = config.ncbi.model_copy(update={"api_key": SecretStr(KEY)})
        transport = connect(config.model_copy(update={"ncbi": keyed}))
        assert transport.key == SecretStr(KEY)
        assert isinstance(transport.send, Wire)
        assert transport.send.timeout_s == config.ncbi.timeout_s
        assert transport.base_url.startswith("https://eutils.ncbi.nlm.nih.gov/")


def test_requests_are_throttled(ncbi: Ncbi, config: Config, clock: Clock) -> None:
    ncbi.pmids = ["1", "2", "3"]
    throttle = Throttle(0.5, clock=clock, sleep=clock.sleep)
    fetch(config, Transport(BASE, EMAIL, throttle))
    assert clock.slept == [0.5, 0.5]
    assert "api_key" not in ncbi.requests[0][1]
