"""Builds the demo corpus: `python corpus/demo/build.py RECORDS.jsonl [FOLDER]`.

RECORDS.jsonl holds one object a line (see `pipeline.fetch.jsonl.parse_json_line`); those with a
PMID go into FOLDER/evipool-demo.xml, beside a manifest.json with its SHA-256. What is not known of
a record is left out. The same input gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

from lxml import etree

from pipeline.fetch.fields import mesh_parts
from pipeline.fetch.jsonl import parse_json_line

NAME = "evipool-demo.xml"
DATE = "2026-11-22"
QUERY = (
    "Evipool's demo corpus: studies of intravenous immunoglobulin in neuropathies, and near-misses"
)
DOCTYPE = (
    '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    '"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">'
)
#: "7(2)" or "121(Pt 3)": the volume, and its issue in brackets.
VOLUME = re.compile(r"(?P<volume>[^(]*?)\s*(?:\((?P<issue>.*)\))?")


def main(source: Path, folder: Path) -> None:
    """Write the corpus and its manifest into `folder`."""
    objects = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    articles = etree.Element("PubmedArticleSet")
    for data in sorted((o for o in objects if o.get("pmid")), key=lambda o: int(o["pmid"])):
        parse_json_line(json.dumps(data))  # refuses what a record cannot hold
        articles.append(_article(data))
    etree.indent(articles)
    xml = etree.tostring(articles, encoding="utf-8", xml_declaration=True, doctype=DOCTYPE) + b"\n"
    manifest = {"date": DATE, "query": QUERY, "files": {NAME: hashlib.sha256(xml).hexdigest()}}
    (folder / NAME).write_bytes(xml)
    text = json.dumps(manifest, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8", newline="\n")


def _article(data: dict) -> etree._Element:
    """A record as a PubmedArticle, its elements in the order of NLM's DTD."""
    article = etree.Element("PubmedArticle")
    citation = _add(article, "MedlineCitation", Status="Publisher", Owner="NOTNLM")
    _add(citation, "PMID", data["pmid"], Version="1")
    _body(_add(citation, "Article", PubModel="Print"), data)
    info = _add(citation, "MedlineJournalInfo")
    _add(info, "MedlineTA", data.get("journal") or "")
    if data.get("mesh"):
        _mesh(_add(citation, "MeshHeadingList"), data["mesh"])
    ids = _add(_add(article, "PubmedData"), "ArticleIdList")
    _add(ids, "ArticleId", data["pmid"], IdType="pubmed")
    if data.get("doi"):
        _add(ids, "ArticleId", data["doi"], IdType="doi")
    return article


def _body(node: etree._Element, data: dict) -> None:
    """The journal, title, pages, abstract, authors and types of a record."""
    journal = _add(node, "Journal")
    issue = _add(journal, "JournalIssue", CitedMedium="Print")
    volume = VOLUME.fullmatch(data.get("volume") or "")
    for tag, name in (("Volume", "volume"), ("Issue", "issue")):
        if volume and volume[name]:
            _add(issue, tag, volume[name])
    date = _add(issue, "PubDate")
    if data.get("year"):
        _add(date, "Year", str(data["year"]))
    if data.get("journal"):
        _add(journal, "ISOAbbreviation", data["journal"])
    _add(node, "ArticleTitle", data["title"])
    if data.get("pages"):
        _add(_add(node, "Pagination"), "MedlinePgn", data["pages"])
    if data.get("doi"):
        _add(node, "ELocationID", data["doi"], EIdType="doi", ValidYN="Y")
    _add(_add(node, "Abstract"), "AbstractText", data["abstract"])
    if data.get("authors"):
        people = _add(node, "AuthorList", CompleteYN="N")
        for name in data["authors"]:
            _add(_add(people, "Author", ValidYN="Y"), "LastName", name)
    if data.get("publication_types"):
        types = _add(node, "PublicationTypeList")
        for name in data["publication_types"]:
            _add(types, "PublicationType", name, UI="")


def _mesh(node: etree._Element, headings: list[str]) -> None:
    """The MeSH headings, each name with its own major mark."""
    for heading in headings:
        (descriptor, *qualifiers), parent = mesh_parts(heading), _add(node, "MeshHeading")
        _named(parent, "DescriptorName", descriptor)
        for qualifier in qualifiers:
            _named(parent, "QualifierName", qualifier)


def _named(node: etree._Element, tag: str, part: tuple[str, bool]) -> None:
    """One name of a MeSH heading; its UI is not known here."""
    _add(node, tag, part[0], UI="", MajorTopicYN="Y" if part[1] else "N")


def _add(parent: etree._Element, tag: str, text: str = "", **attributes: str) -> etree._Element:
    """Append an element."""
    node = etree.SubElement(parent, tag, attributes)
    node.text = text or None
    return node


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent))
