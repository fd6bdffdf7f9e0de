"""EPost, ELink and EInfo."""

from __future__ import annotations

from collections.abc import Callable

import requests
from lxml import etree

from pipeline.eutils_server import Server
from pipeline.eutils_server.fields import FIELDS

Ask = Callable[..., requests.Response]


def linked(ask: Ask, **params: object) -> list[dict[str, object]]:
    """The sets of links of an ELink in JSON."""
    answer = ask("elink", dbfrom="pubmed", retmode="json", **params)
    return list(answer.json()["linksets"])


def test_posted_ids_can_be_fetched(ask: Ask) -> None:
    root = etree.fromstring(ask("epost", id="103,101").content)
    kept = {"query_key": root.findtext("QueryKey"), "WebEnv": root.findtext("WebEnv")}
    answer = ask("efetch", rettype="uilist", retmode="text", **kept)
    assert answer.text == "103\n101\n"
    second = etree.fromstring(ask("epost", id="105", WebEnv=kept["WebEnv"]).content)
    assert second.findtext("QueryKey") == "2"
    assert second.findtext("WebEnv") == kept["WebEnv"]


def test_invalid_ids_are_not_kept(ask: Ask) -> None:
    root = etree.fromstring(ask("epost", id="abc").content)
    assert root.findtext("ERROR") == "Empty ID list; Nothing to store"
    assert root.find("WebEnv") is None
    mixed = etree.fromstring(ask("epost", id="abc,101").content)
    assert (mixed.find("WebEnv") is not None, mixed.find("ERROR") is not None) == (True, True)
    wrong = etree.fromstring(ask("epost", id="1", db="nothing").content)
    assert wrong.findtext("ERROR") == "Invalid db name specified: nothing"


def test_links_follow_references_and_comments_both_ways(ask: Ask) -> None:
    # 101 refers to 102 and 103, 102 to 103; 104 is a comment on 101.
    (found,) = linked(ask, id="101")
    assert {link["linkname"]: link["links"] for link in found["linksetdbs"]} == {  # type: ignore[attr-defined, index]
        "pubmed_pubmed_refs": ["103", "102"],
        "pubmed_pubmed_citedin": ["104"],
    }
    (found,) = linked(ask, id="103", linkname="pubmed_pubmed_citedin")
    assert found["linksetdbs"][0]["links"] == ["102", "101"]  # type: ignore[index]
    (found,) = linked(ask, id="106")
    assert found["linksetdbs"] == []


def test_what_came_later_is_no_reference(server: Server, ask: Ask) -> None:
    # From day 2 on 102 names its retraction, 109, which comes on day 3 and names 102.
    server.set_day(3)
    assert [server.index.references(pmid, 3) for pmid in (102, 109)] == [[103], [102]]
    (found,) = linked(ask, id="102", linkname="pubmed_pubmed_citedin")
    assert found["linksetdbs"][0]["links"] == ["109", "101"]  # type: ignore[index]


def test_several_id_fields_are_linked_one_by_one(ask: Ask) -> None:
    joint = linked(ask, id="101,102")
    single = linked(ask, id=["101", "102"])
    assert [one["ids"] for one in joint] == [["101", "102"]]
    assert [one["ids"] for one in single] == [["101"], ["102"]]


def test_links_come_as_xml_and_into_the_history(ask: Ask) -> None:
    params = {"dbfrom": "pubmed", "id": "103", "linkname": "pubmed_pubmed_citedin"}
    root = etree.fromstring(ask("elink", **params).content)
    assert [i.text for i in root.iterfind("LinkSet/LinkSetDb/Link/Id")] == ["102", "101"]
    kept = etree.fromstring(ask("elink", cmd="neighbor_history", **params).content).find("LinkSet")
    assert kept is not None
    place = {"WebEnv": kept.findtext("WebEnv")}
    place["query_key"] = kept.findtext("LinkSetDbHistory/QueryKey")
    assert ask("efetch", rettype="uilist", retmode="text", **place).text == "102\n101\n"


def test_other_links_are_refused(ask: Ask) -> None:
    assert "<ERROR>" in ask("elink", dbfrom="pubmed", db="gene", id="101").text
    assert "<ERROR>" in ask("elink", dbfrom="pubmed", cmd="llinks", id="101").text


def test_einfo_names_the_database_and_every_field(ask: Ask) -> None:
    assert ask("einfo", db="", retmode="json").json()["einforesult"]["dblist"] == ["pubmed"]
    root = etree.fromstring(ask("einfo").content)
    assert root.findtext("DbInfo/Count") == "7"
    names = [f.findtext("Name") for f in root.iterfind("DbInfo/FieldList/Field")]
    assert names == [field.code for field in FIELDS]
    info = ask("einfo", retmode="json").json()["einforesult"]["dbinfo"][0]
    assert [f["name"] for f in info["fieldlist"]] == names
    assert "Invalid db name" in ask("einfo", db="gene").text
