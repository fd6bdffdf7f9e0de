"""EFetch: XML as it was, MEDLINE text that Bio.Medline reads, lists, unknown and invalid ids."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from Bio import Medline
from lxml import etree

from pipeline.eutils_server import Scenario, Server, Synthetic, serving

Ask = Callable[..., requests.Response]
Search = Callable[..., dict[str, Any]]


def pmids(answer: requests.Response) -> list[str]:
    """The PMIDs of a PubmedArticleSet."""
    root = etree.fromstring(answer.content)
    assert root.tag == "PubmedArticleSet"
    return [str(pmid.text) for pmid in root.iterfind("*/*/PMID")]


def test_the_records_come_as_they_stand_in_the_corpus(ask: Ask, days: Path) -> None:
    root = etree.fromstring(ask("efetch", id="101,107", retmode="xml").content)
    file = etree.parse(days / "day1" / "articles.xml").getroot()
    of_file = [file[0], file[6]]
    for got, kept in zip(root, of_file, strict=True):
        assert etree.tostring(got, method="c14n", with_tail=False) == etree.tostring(
            kept, method="c14n", with_tail=False
        )


def test_records_come_once_and_in_the_order_in_which_they_are_asked_for(ask: Ask) -> None:
    assert pmids(ask("efetch", id="103,101,103", rettype="full", retmode="xml")) == ["103", "101"]


def test_unknown_ids_are_left_out_without_a_word(ask: Ask) -> None:
    answer = ask("efetch", id="999,101", retmode="xml")
    assert (answer.status_code, pmids(answer)) == (200, ["101"])
    answer = ask("efetch", id="999", retmode="xml")
    assert (answer.status_code, pmids(answer)) == (200, [])


@pytest.mark.parametrize("ids", ["0", "abc,x1", "9" * 30])
def test_a_list_of_invalid_ids_only_is_status_400(ask: Ask, ids: str) -> None:
    answer = ask("efetch", id=ids, retmode="xml")
    assert answer.status_code == 400
    said = etree.fromstring(answer.content).findtext("ERROR")
    assert said == "ID list is empty! Possibly it has no correct IDs."


def test_a_fetch_of_nothing_is_refused(ask: Ask) -> None:
    assert "Neither query_key nor id specified" in ask("efetch", retmode="xml").text
    assert ask("efetch", id="101", rettype="gb").status_code == 400


def test_lists_of_pmids_are_text_or_xml(ask: Ask) -> None:
    text = ask("efetch", id="103 101,999", rettype="uilist", retmode="text")
    assert text.text == "103\n101\n"
    root = etree.fromstring(ask("efetch", id="103", rettype="uilist", retmode="xml").content)
    assert [i.text for i in root.iter("Id")] == ["103"]


def test_a_part_of_the_history_is_fetched(ask: Ask, search: Search) -> None:
    kept = search("all[sb]", usehistory="y")
    part = {"query_key": kept["querykey"], "WebEnv": kept["webenv"], "retstart": 1, "retmax": 2}
    assert pmids(ask("efetch", retmode="xml", **part)) == ["106", "105"]


def test_an_expired_history_is_an_error_inside_200(ask: Ask) -> None:
    answer = ask("efetch", retmode="xml", query_key="1", WebEnv="MCID_gone")
    assert answer.status_code == 200
    assert etree.fromstring(answer.content).findtext("ERROR") == "Unable to obtain query #1"


def test_a_history_expires_after_as_many_calls_as_the_scenario_says(
    server: Server, ask: Ask, search: Search
) -> None:
    server.use(Scenario(history_calls=1))
    kept = search("pain", usehistory="y")
    part = {"query_key": kept["querykey"], "WebEnv": kept["webenv"], "retmode": "xml"}
    assert pmids(ask("efetch", **part)) == ["106", "102"]
    assert "Unable to obtain query #1" in ask("efetch", **part).text
    assert search("#1", WebEnv=kept["webenv"])["ERROR"] == "Unable to obtain query #1"


def test_the_history_ends_at_record_9999() -> None:
    with serving(Synthetic(10_500), rate_limit=False) as server:
        search = {"db": "pubmed", "term": "all[sb]", "usehistory": "y", "retmode": "json"}
        kept = requests.post(f"{server.base_url}esearch.fcgi", search, timeout=10).json()
        kept = kept["esearchresult"]
        form = {"db": "pubmed", "query_key": kept["querykey"], "WebEnv": kept["webenv"]}
        form |= {"rettype": "uilist", "retmode": "text"}
        address = f"{server.base_url}efetch.fcgi"
        last = requests.post(address, {**form, "retstart": "9990", "retmax": "50"}, timeout=10)
        beyond = requests.post(address, {**form, "retstart": "9999"}, timeout=10)
    assert len(last.text.split()) == 9
    assert (beyond.status_code, "cannot be larger than 9998" in beyond.text) == (400, True)


def test_bio_medline_reads_the_medline_text(ask: Ask) -> None:
    text = ask("efetch", id="101,104,107", rettype="medline", retmode="text").text
    first, letter, book = Medline.parse(io.StringIO(text))
    assert first["PMID"] == "101"
    assert first["TI"] == "Immune globulin for invented neuropathy: a trial."
    assert first["AB"].startswith("METHODS: Ten people were randomly assigned. RESULTS: Strength")
    assert first["AU"] == ["Adams AB", "van der Berg C"]
    assert first["FAU"] == ["Adams, Anna Beth", "van der Berg, Carl"]
    assert first["MH"] == [
        "*Immunoglobulins, Intravenous/therapeutic use",
        "Polyneuropathies/drug therapy",
    ]
    assert first["SI"] == ["ClinicalTrials.gov/NCT09999991"]
    assert first["PT"] == ["Journal Article", "Randomized Controlled Trial"]
    assert (first["DP"], first["VI"], first["IP"], first["PG"]) == ("2019 Feb", "7", "2", "136-44")
    assert (first["CRDT"], first["LR"]) == (["2019/02/03 00:00"], "20200102")
    assert first["AID"] == ["101 [pubmed]", "10.5555/x101 [doi]"]
    assert first["SO"] == "J Invent Trials. 2019 Feb;7(2):136-44."
    assert letter["CON"] == ["J Invent Trials. 2019 PMID: 101"]
    assert letter["OT"] == ["neuropathies"]
    assert (book["PMID"], book["TI"]) == ("107", "Invented neuropathy: a chapter")
    assert max(map(len, text.splitlines())) <= 88


def test_a_made_up_record_has_the_same_bytes_each_time() -> None:
    with serving(Synthetic(20, "dense"), rate_limit=False) as server:
        form = {"db": "pubmed", "id": "20,1,21", "retmode": "xml"}
        answers = [
            requests.post(f"{server.base_url}efetch.fcgi", form, timeout=10) for _ in range(2)
        ]
    assert answers[0].content == answers[1].content
    assert pmids(answers[0]) == ["20", "1"]
    assert "Synthetic trial 20<" in answers[0].text
