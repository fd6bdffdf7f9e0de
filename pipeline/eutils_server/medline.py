"""Writes a record's XML as MEDLINE text, the fields that a review needs."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence

from lxml import etree

from pipeline.eutils_server.articles import plain_text
from pipeline.eutils_server.esummary import printed_date, source

WIDTH = 88

Read = Callable[[etree._Element], Iterator[str]]


def medline(xml: bytes) -> str:
    """Return the MEDLINE text of a record, its fields in MEDLINE's order."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    node = etree.fromstring(xml, parser)
    lines = (
        line for tag, read in FIELDS for text in read(node) if text for line in _lines(tag, text)
    )
    return "".join(f"{line}\n" for line in lines)


def _lines(tag: str, text: str) -> Sequence[str]:
    """A field on lines of MEDLINE's width."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{tag:<4}- ",
        subsequent_indent=" " * 6,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _at(*paths: str) -> Read:
    """Reads the texts of all elements at these paths."""
    return lambda node: (plain_text(child) for path in paths for child in node.iterfind(path))


def _dates(path: str, form: str) -> Read:
    """Reads the dates at a path in a form with the places year, month, day, hour and minute."""
    tags = ("Year", "Month", "Day", "Hour", "Minute")

    def read(node: etree._Element) -> Iterator[str]:
        for date in node.iterfind(path):
            parts = {tag.lower(): plain_text(date.find(tag)).zfill(2) for tag in tags}
            yield form.format(**parts)

    return read


def _abstract(node: etree._Element) -> Iterator[str]:
    """The abstract as one text, each part after its label."""
    parts = node.iterfind("*/Abstract/AbstractText")
    parts = (
        parts
        if node.tag == "PubmedBookArticle"
        else node.iterfind("*/Article/Abstract/AbstractText")
    )
    yield " ".join(f"{p.get('Label', '')}: {plain_text(p)}".removeprefix(": ") for p in parts)


def _authors(tag: str) -> Read:
    """Reads the authors with their initials or their forename."""

    def read(node: etree._Element) -> Iterator[str]:
        for author in node.iterfind(".//AuthorList/Author"):
            name, given = (plain_text(author.find(t)) for t in ("LastName", tag))
            joint = ", " if tag == "ForeName" else " "
            yield joint.join(filter(None, (name, given))) if name else ""

    return read


def _headings(node: etree._Element) -> Iterator[str]:
    """MeSH headings, major topics with a star: "Pain/*drug therapy"."""
    for heading in node.iterfind("*/MeshHeadingList/MeshHeading"):
        yield "/".join(
            ("*" if n.get("MajorTopicYN") == "Y" else "") + plain_text(n) for n in heading
        )


def _links(ref_type: str) -> Read:
    """Reads the links of this type: where, and the PMID."""

    def read(node: etree._Element) -> Iterator[str]:
        for link in node.iterfind("*/CommentsCorrectionsList/CommentsCorrections"):
            if link.get("RefType") == ref_type:
                pmid = plain_text(link.find("PMID"))
                yield plain_text(link.find("RefSource")) + (f" PMID: {pmid}" if pmid else "")

    return read


def _registries(node: etree._Element) -> Iterator[str]:
    """Data banks and their numbers: "ClinicalTrials.gov/NCT01234567"."""
    for bank in node.iterfind("*/Article/DataBankList/DataBank"):
        name = plain_text(bank.find("DataBankName"))
        yield from (f"{name}/{plain_text(n)}" for n in bank.iterfind(".//AccessionNumber"))


def _ids(node: etree._Element) -> Iterator[str]:
    """The article's own ids: "10.1000/x [doi]"."""
    for i in node.iterfind("*/ArticleIdList/ArticleId"):
        yield f"{plain_text(i)} [{i.get('IdType', '')}]"


def _source(node: etree._Element) -> Iterator[str]:
    """Journal, date, volume and pages."""
    journal = plain_text(node.find(".//ISOAbbreviation"))
    yield f"{journal}. {source(node)}."


def _owner(name: str) -> Read:
    """Reads an attribute of the citation."""

    def read(node: etree._Element) -> Iterator[str]:
        citation = node.find("MedlineCitation")
        yield "" if citation is None else citation.get(name, "")

    return read


#: RefType -> its MEDLINE tag.
LINKS: Mapping[str, str] = {
    "CommentOn": "CON",
    "CommentIn": "CIN",
    "ErratumFor": "EFR",
    "ErratumIn": "EIN",
    "ExpressionOfConcernIn": "ECI",
    "RepublishedIn": "RPI",
    "RetractionIn": "RIN",
    "RetractionOf": "ROF",
    "UpdateIn": "UIN",
    "UpdateOf": "UOF",
}
_ARTICLE = "MedlineCitation/Article"
_DAY, _MINUTE = "{year}{month}{day}", "{year}/{month}/{day} {hour}:{minute}"
#: Tag and how its texts are read, in MEDLINE's order.
FIELDS: Sequence[tuple[str, Read]] = (
    ("PMID", _at("*/PMID")),
    ("OWN", _owner("Owner")),
    ("STAT", _owner("Status")),
    ("DCOM", _dates("*/DateCompleted", _DAY)),
    ("LR", _dates("*/DateRevised", _DAY)),
    ("IS", _at(f"{_ARTICLE}/Journal/ISSN")),
    ("VI", _at(f"{_ARTICLE}/Journal/JournalIssue/Volume")),
    ("IP", _at(f"{_ARTICLE}/Journal/JournalIssue/Issue")),
    ("DP", lambda node: iter((printed_date(node),))),
    ("TI", _at(".//ArticleTitle")),
    ("PG", _at(f"{_ARTICLE}/Pagination/MedlinePgn")),
    ("AB", _abstract),
    ("FAU", _authors("ForeName")),
    ("AU", _authors("Initials")),
    ("CN", _at(".//AuthorList/Author/CollectiveName")),
    ("LA", _at("*/Article/Language", "BookDocument/Language")),
    ("SI", _registries),
    ("PT", _at(".//PublicationType")),
    ("DEP", _dates(f"{_ARTICLE}/ArticleDate", _DAY)),
    ("PL", _at("*/MedlineJournalInfo/Country")),
    ("TA", _at("*/MedlineJournalInfo/MedlineTA")),
    ("JT", _at(f"{_ARTICLE}/Journal/Title")),
    ("JID", _at("*/MedlineJournalInfo/NlmUniqueID")),
    *((tag, _links(ref_type)) for ref_type, tag in LINKS.items()),
    ("MH", _headings),
    ("OT", _at("*/KeywordList/Keyword")),
    ("EDAT", _dates("*/History/PubMedPubDate[@PubStatus='pubmed']", _MINUTE)),
    ("MHDA", _dates("*/History/PubMedPubDate[@PubStatus='medline']", _MINUTE)),
    ("CRDT", _dates("*/History/PubMedPubDate[@PubStatus='entrez']", _MINUTE)),
    ("AID", _ids),
    ("PST", _at("PubmedData/PublicationStatus")),
    ("SO", _source),
)
