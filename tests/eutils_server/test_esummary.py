"""ESummary: its values, unknown ids, the limit of 500 in JSON."""

from __future__ import annotations

from collections.abc import Callable

import requests
from lxml import etree

Ask = Callable[..., requests.Response]


def test_json_sums_a_record_up(ask: Ask) -> None:
    result = ask("esummary", id="101,999", retmode="json").json()["result"]
    assert result["uids"] == ["101", "999"]
    assert result["999"] == {"uid": "999", "error": "cannot get document summary"}
    summary = result["101"]
    assert summary["title"] == "Immune globulin for invented neuropathy: a trial."
    assert [a["name"] for a in summary["authors"]] == ["Adams AB", "van der Berg C"]
    assert summary["lastauthor"] == "van der Berg C"
    assert (summary["pubdate"], summary["source"]) == ("2019 Feb", "J Invent Trials")
    assert (summary["volume"], summary["issue"], summary["pages"]) == ("7", "2", "136-44")
    assert summary["pubtype"] == ["Journal Article", "Randomized Controlled Trial"]
    assert {"idtype": "doi", "idtypen": 1, "value": "10.5555/x101"} in summary["articleids"]
    assert {"pubstatus": "entrez", "date": "2019/02/03 00:00"} in summary["history"]
    assert summary["attributes"] == ["Has Abstract"]


def test_xml_sums_a_record_up(ask: Ask) -> None:
    root = etree.fromstring(ask("esummary", id="101,999").content)
    (summary,) = root.iterfind("DocSum")
    items = {i.get("Name"): i for i in summary.iterfind("Item")}
    assert summary.findtext("Id") == "101"
    assert items["SO"].text == "2019 Feb;7(2):136-44"
    assert [i.text for i in items["AuthorList"]] == ["Adams AB", "van der Berg C"]
    assert items["History"].find("Item[@Name='entrez']").text == "2019/02/03 00:00"
    assert root.findtext("ERROR") == "UID=999: cannot get document summary"


def test_a_book_is_summed_up(ask: Ask) -> None:
    book = ask("esummary", id="107", retmode="json").json()["result"]["107"]
    assert (book["title"], book["pubdate"]) == ("Invented neuropathy: a chapter", "2017")


def test_json_sums_up_no_more_than_500(ask: Ask) -> None:
    ids = [str(i) for i in range(1, 502)]
    said = ask("esummary", id=",".join(ids), retmode="json").json()
    assert said["error"].startswith("Too many UIDs in request. Maximum number of UIDs is 500")
    assert "result" in ask("esummary", id=",".join(ids[:500]), retmode="json").json()
    assert "DocSum" in ask("esummary", id=",".join(ids)).text


def test_nothing_to_sum_up_is_refused(ask: Ask) -> None:
    root = etree.fromstring(ask("esummary").content)
    assert root.findtext("ERROR") == "Neither query_key nor id specified"
