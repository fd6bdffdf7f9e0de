"""ESearch: its two forms, pages, the cap, dates, the history."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest
import requests
from lxml import etree

from pipeline.eutils_server import Server, Synthetic, serving

Ask = Callable[..., requests.Response]
Search = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def large() -> Iterator[Server]:
    """A server of more records than PubMed lists."""
    with serving(Synthetic(12_000), rate_limit=False) as server:
        yield server


def test_json_has_the_fields_of_pubmed_and_numbers_as_texts(search: Search) -> None:
    assert search("pain", retmax=1) == {
        "count": "2",
        "retmax": "1",
        "retstart": "0",
        "idlist": ["106"],
        "translationset": [],
        "querytranslation": '"pain"[All Fields]',
    }


def test_xml_says_the_same_as_json(ask: Ask, search: Search) -> None:
    root = etree.fromstring(ask("esearch", term="zzz OR pain", retmax=1).content)
    said = search("zzz OR pain", retmax=1)
    assert root.tag == "eSearchResult"
    assert root.findtext("Count") == said["count"]
    assert root.findtext("RetMax") == said["retmax"]
    assert [i.text for i in root.iterfind("IdList/Id")] == said["idlist"]
    assert root.findtext("QueryTranslation") == said["querytranslation"]
    assert root.findtext("ErrorList/PhraseNotFound") == said["errorlist"]["phrasesnotfound"][0]


def test_a_get_is_answered_like_a_post(server: Server, ask: Ask) -> None:
    params = {"db": "pubmed", "term": "pain AND trial*", "retmode": "json"}
    got = requests.get(f"{server.base_url}esearch.fcgi", params=params, timeout=10)
    assert got.content == ask("esearch", **params).content


def test_pages_follow_each_other_and_make_up_the_whole(search: Search) -> None:
    pages = [search("all[sb]", retstart=start, retmax=3)["idlist"] for start in (0, 3, 6)]
    assert list(chain(*pages)) == search("all[sb]")["idlist"]
    assert [len(page) for page in pages] == [3, 3, 1]


def test_twenty_records_are_listed_unless_more_are_asked_for(large: Server) -> None:
    form = {"db": "pubmed", "term": "all[sb]", "retmode": "json"}
    answer = requests.post(f"{large.base_url}esearch.fcgi", form, timeout=10).json()
    assert len(answer["esearchresult"]["idlist"]) == 20


@pytest.mark.parametrize(
    ("start", "size", "listed"), [(0, 20_000, 9_999), (9_998, 1_000, 1), (9_990, 9, 9)]
)
def test_no_record_beyond_the_first_9999_is_listed(
    large: Server, start: int, size: int, listed: int
) -> None:
    form = {"db": "pubmed", "term": "all[sb]", "retmode": "json"}
    form |= {"retstart": str(start), "retmax": str(size)}
    result = requests.post(f"{large.base_url}esearch.fcgi", form, timeout=10).json()
    result = result["esearchresult"]
    assert (result["count"], len(result["idlist"])) == ("12000", listed)
    # biopython #4189: the page is cut with a mere warning.
    cut = "Restrictions achieved. start and count adjusted to" in str(result.get("warninglist"))
    assert cut == (start + size > 9_999)


def test_the_error_beyond_9998_holds_a_raw_line_break(large: Server) -> None:
    form = {"db": "pubmed", "term": "all[sb]", "retmode": "json", "retstart": "9999"}
    answer = requests.post(f"{large.base_url}esearch.fcgi", form, timeout=10)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    said = json.loads(answer.content, strict=False)["esearchresult"]["ERROR"]
    assert said.startswith("Search Backend failed: Exception:\n'retstart' cannot be larger")


def test_a_page_after_the_last_record_is_empty(search: Search) -> None:
    result = search("pain", retstart=5)
    assert (result["count"], result["idlist"]) == ("2", [])


def test_dates_beside_the_query_limit_it(search: Search) -> None:
    found = search("all[sb]", mindate="2019", maxdate="2020", datetype="crdt")
    assert found["idlist"] == ["105", "104", "101"]


def test_what_is_not_served_is_said(search: Search) -> None:
    messages = search("pain", reldate=30, sort="relevance")["warninglist"]["outputmessages"]
    assert messages == [
        "This server does not serve reldate; it was ignored.",
        "This server does not serve sort; it was ignored.",
    ]


def test_the_count_comes_alone_if_it_is_asked_for_alone(ask: Ask, search: Search) -> None:
    assert search("pain", rettype="count") == {"count": "2"}
    root = etree.fromstring(ask("esearch", term="pain", rettype="count").content)
    assert [(e.tag, e.text) for e in root] == [("Count", "2")]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"term": " "}, "Empty term and query_key - nothing todo"),
        ({"term": "x", "db": "nothing"}, "Invalid db name specified: nothing"),
    ],
)
def test_a_search_without_term_or_database_is_refused(
    ask: Ask, params: dict[str, str], text: str
) -> None:
    root = etree.fromstring(ask("esearch", **params).content)
    assert root.findtext("ERROR") == text


def test_the_history_keeps_a_result_and_joins_results(search: Search) -> None:
    first = search("neuropathy", usehistory="y")
    second = search("plasma", usehistory="y", WebEnv=first["webenv"])
    assert (first["querykey"], second["querykey"]) == ("1", "2")
    assert second["webenv"] == first["webenv"]
    assert search("#1 AND #2", WebEnv=first["webenv"])["idlist"] == ["102"]
    assert search("trial", query_key=1, WebEnv=first["webenv"])["idlist"] == ["101"]
    assert search("", query_key=2, WebEnv=first["webenv"])["idlist"] == ["102"]


def test_an_unknown_history_is_an_error_inside_200(search: Search) -> None:
    assert search("#1", WebEnv="MCID_none")["ERROR"] == "Unable to obtain query #1"
    known = search("pain", usehistory="y")["webenv"]
    assert search("#2", WebEnv=known)["ERROR"] == "Unable to obtain query #2"
