"""Reads the lists and groups of a PubMed entry: authors, MeSH headings, dates, links ..."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from pipeline.fetch.build import new_author, new_chemical, new_mesh_heading, new_section
from pipeline.fetch.fields import NOT_REGISTRIES, clean, find_orcid, is_pmid, iso_date
from pipeline.fetch.markup import plain_text
from pipeline.schema import (
    Author,
    Chemical,
    Correction,
    Grant,
    MeshHeading,
    OtherAbstract,
    Section,
)

#: NLM's own word for a part without a heading; it is not printed in the paper.
NOT_A_LABEL = "UNLABELLED"
#: Where a part of a name stands among the fields of `Author`.
_AUTHOR = {
    "LastName": 0,
    "ForeName": 1,
    "FirstName": 1,  # until 2001
    "Initials": 2,
    "Suffix": 3,
    "CollectiveName": 4,
    "Identifier": 5,
}
_CORRECTION = {"PMID": "pmid", "RefSource": "source", "Note": "note"}
_GRANT = {"GrantID": "number", "Agency": "agency", "Country": "country", "Acronym": "acronym"}
_MESH = frozenset({"DescriptorName", "QualifierName"})
_PAGES = {"MedlinePgn": "printed", "StartPage": "first", "EndPage": "last"}
#: The events of a record's history that date it in PubMed.
_EVENTS = frozenset({"entrez", "pubmed", "medline"})


def _named(node: etree._Element, tag: str) -> list[etree._Element]:
    """The children of an element with a tag; quicker than `iterchildren(tag)` for a few."""
    return [child for child in node if child.tag == tag]


def _parts(node: etree._Element, names: Mapping[str, str]) -> dict[str, str]:
    """The texts of an element's children, by the names that their tags have."""
    found = {}
    for child in node:
        if name := names.get(child.tag):
            found[name] = plain_text(child)
    return found


def versioned(node: etree._Element) -> tuple[str, int]:
    """Return a PMID and its version, 1 where none is given."""
    version = node.get("Version", "")
    return plain_text(node), int(version) if is_pmid(version) else 1


def sections(node: etree._Element) -> tuple[Section, ...]:
    """Return the parts of an abstract that have text; the copyright line is not one of them."""
    return tuple(
        [s for child in node if child.tag == "AbstractText" and (s := _section(child)).text]
    )


def _section(node: etree._Element) -> Section:
    """One part of an abstract."""
    label = node.get("Label")
    return new_section(
        plain_text(node), _label(label) if label else "", node.get("NlmCategory", "")
    )


def _label(printed: str) -> str:
    """A section's printed label, without the colon that some publishers send with it."""
    label = printed if printed.isalnum() else clean(printed).rstrip(": ")
    return "" if label == NOT_A_LABEL else label


def other_abstract(node: etree._Element) -> OtherAbstract:
    """Return an abstract beside the main one."""
    return OtherAbstract(node.get("Type", ""), node.get("Language", "eng"), sections(node))


def byline(node: etree._Element) -> tuple[Author, ...]:
    """Return the valid authors in order; none of a list of editors."""
    if node.get("Type") == "editors":
        return ()
    valid = [c for c in node if c.tag == "Author" and c.get("ValidYN") != "N"]
    return tuple([author for author in map(_author, valid) if author.last_name or author.name])


def _author(node: etree._Element) -> Author:
    """One author; a name's parts are put at their places among the fields."""
    found = ["", "", "", "", "", ""]
    for child in node:
        place = _AUTHOR.get(child.tag)
        if place is not None:
            found[place] = plain_text(child)
    found[5] = find_orcid(found[5]) if found[5] else ""
    return new_author(*found)


def mesh(node: etree._Element) -> tuple[MeshHeading, ...]:
    """Return the MeSH headings; major if the descriptor or one of its qualifiers is."""
    return tuple([_heading(child) for child in _named(node, "MeshHeading")])


def _heading(node: etree._Element) -> MeshHeading:
    """One MeSH heading: a descriptor, then its qualifiers."""
    names, uis, starred, automatic = [], [], [], False
    for child in node:
        if child.tag in _MESH:
            names.append(name := plain_text(child))
            uis.append(child.get("UI", ""))
            if child.get("MajorTopicYN") == "Y":
                starred.append(name)
            automatic = automatic or child.get("AutoHM") == "Y"
    if not names:
        return MeshHeading("")
    given = tuple(uis[1:]) if any(uis) else ()
    major = tuple(starred)
    return new_mesh_heading(
        names[0], uis[0], bool(major), tuple(names[1:]), given, major, automatic
    )


def keywords(node: etree._Element) -> tuple[str, ...]:
    """Return the key words of one list."""
    return tuple([text for child in _named(node, "Keyword") if (text := plain_text(child))])


def publication_type(node: etree._Element) -> tuple[str, str]:
    """Return a publication type's name and UI."""
    return plain_text(node), node.get("UI", "")


def publication_types(node: etree._Element) -> list[tuple[str, str]]:
    """Return the publication types of a list."""
    types = [publication_type(child) for child in _named(node, "PublicationType")]
    return [pair for pair in types if pair[0]]


def chemicals(node: etree._Element) -> tuple[Chemical, ...]:
    """Return the substances that NLM indexed."""
    return tuple([_chemical(child) for child in _named(node, "Chemical")])


def _chemical(node: etree._Element) -> Chemical:
    """One substance."""
    name = ui = number = ""
    for child in node:
        if child.tag == "NameOfSubstance":
            name, ui = plain_text(child), child.get("UI", "")
        elif child.tag == "RegistryNumber":
            number = plain_text(child)
    return new_chemical(name, ui, number)


def grants(node: etree._Element) -> tuple[Grant, ...]:
    """Return the grants."""
    return tuple([Grant(**_parts(child, _GRANT)) for child in _named(node, "Grant")])


def registry_ids(node: etree._Element) -> tuple[str, ...]:
    """Return the numbers of trial registries among the data banks, each once, in order."""
    found: dict[str, None] = {}
    for bank in _named(node, "DataBank"):
        if plain_text(bank.find("DataBankName")).lower() not in NOT_REGISTRIES:
            numbers = bank.iterfind("AccessionNumberList/AccessionNumber")
            found.update({text: None for number in numbers if (text := plain_text(number))})
    return tuple(found)


def corrections(node: etree._Element) -> tuple[Correction, ...]:
    """Return the retractions, errata, comments ... that PubMed links to the record."""
    links = _named(node, "CommentsCorrections")
    return tuple([_correction(link.get("RefType", ""), link) for link in links])


def old_corrections(node: etree._Element) -> tuple[Correction, ...]:
    """Return the links of a MEDLINE file from before 2009, where each type was a tag."""
    return tuple([_correction(str(link.tag), link) for link in node.iterchildren("*")])


def _correction(kind: str, node: etree._Element) -> Correction:
    """One link to another publication; its PMID may be absent."""
    found = _parts(node, _CORRECTION)
    return Correction(
        kind, found.get("pmid") or None, found.get("source", ""), found.get("note", "")
    )


def access_ids(node: etree._Element) -> dict[str, str]:
    """Return the article's own ids by type (doi, pmc ...), the first of each."""
    ids: dict[str, str] = {}
    for child in _named(node, "ArticleId"):
        if text := plain_text(child):
            ids.setdefault(child.get("IdType", ""), text)
    return ids


def location_doi(node: etree._Element) -> str:
    """Return the DOI of an electronic location, "" if it holds another id or one not valid."""
    valid = node.get("EIdType") == "doi" and node.get("ValidYN") != "N"
    return plain_text(node) if valid else ""


def pages(node: etree._Element) -> str:
    """Return the pages as MEDLINE prints them, else first and last."""
    found = _parts(node, _PAGES)
    ends = (found.get("first", ""), found.get("last", ""))
    return found.get("printed") or "-".join([end for end in ends if end])


def iso(node: etree._Element) -> str:
    """Return a date as YYYY-MM-DD, as far as it is given; a DTD orders year, month, day."""
    text = etree.tostring(node, method="text", encoding="unicode", with_tail=False)
    parts = text.split()  # quicker than asking each child, where blanks stand between them
    if len(parts) < len(node):
        parts = [(child.text or "").strip() for child in node]
    return iso_date(*parts[:3])


def printed_date(node: etree._Element) -> str:
    """Return a publication's date as MEDLINE prints it: "2019 Mar 5", "1978 Dec-1979 Jan"."""
    return " ".join([text for child in node.iterchildren("*") if (text := plain_text(child))])


def history(node: etree._Element) -> dict[str, str]:
    """Return the days on which the record entered PubMed and got its search date and MeSH."""
    events = [(child.get("PubStatus", ""), child) for child in node]
    return {status: iso(child) for status, child in events if status in _EVENTS}
