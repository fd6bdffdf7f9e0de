"""Reads PubMed XML into the rows that the server searches, each with its own XML."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from lxml import etree

from pipeline.errors import InputError

#: The words of each column that is searched; several values where a column is a list.
Words = Mapping[str, tuple[str, ...]]
GZIP = b"\x1f\x8b"
#: PubMedPubDate's PubStatus -> column.
_HISTORY = {"entrez": "crdt", "pubmed": "edat", "medline": "mhda"}
#: RefTypes that end so point from a later publication to an earlier one, as a reference does.
_BACKWARDS = ("Cites", "On", "Of", "For", "From")
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record as the server keeps it.

    Dates are whole numbers (20190228), None where the record has none; `xml` is the record's
    element, None for a record that is made up when it is asked for.
    """

    pmid: int
    version: int = 1
    dates: Mapping[str, int | None] = field(default_factory=dict)
    words: Words = field(default_factory=dict)
    cites: tuple[int, ...] = ()
    book: bool = False
    xml: bytes | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """A PMID that PubMed has taken back."""

    pmid: int


def read_articles(path: Path) -> Iterator[Entry | Deleted]:
    """Yield the records and deletions of a PubMed XML file, plain or gzipped.

    Raises
    ------
    InputError
        If the file cannot be read to its end, or a record has no PMID.
    """
    with path.open("rb") as file:
        zipped = file.read(len(GZIP)) == GZIP
        file.seek(0)
        source = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if zipped else file
        try:
            for node in _elements(source):
                yield from _READERS[str(node.tag)](node, path)
        except (etree.XMLSyntaxError, OSError, EOFError) as error:
            raise InputError(f"{path} cannot be read as PubMed XML: {error}.") from error


def _elements(source: BinaryIO) -> Iterator[etree._Element]:
    """Yield each entry's element and free it afterwards."""
    for _, node in etree.iterparse(
        source,
        events=("end",),
        tag=tuple(_READERS),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
    ):
        yield node
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]


def _article(node: etree._Element, path: Path) -> Iterator[Entry]:
    """A PubmedArticle."""
    citation = node.find("MedlineCitation")
    version, pmid = _pmid(citation, path)
    yield Entry(
        pmid,
        version,
        {
            **_history(node),
            "lr": _date(node.find("MedlineCitation/DateRevised")),
            "pdat": _printed(node.find("MedlineCitation/Article/Journal/JournalIssue/PubDate")),
        },
        {column: _texts(node, paths) for column, paths in _ARTICLE.items()}
        | {"mh": _headings(node), "au": authors(node)},
        tuple(_cites(node)),
        xml=etree.tostring(node, encoding="utf-8", with_tail=False),
    )


def _book(node: etree._Element, path: Path) -> Iterator[Entry]:
    """A PubmedBookArticle."""
    version, pmid = _pmid(node.find("BookDocument"), path)
    yield Entry(
        pmid,
        version,
        {**_history(node), "pdat": _printed(node.find("BookDocument/Book/PubDate"))},
        {column: _texts(node, paths) for column, paths in _BOOK.items()} | {"au": authors(node)},
        book=True,
        xml=etree.tostring(node, encoding="utf-8", with_tail=False),
    )


def _deleted(node: etree._Element, path: Path) -> Iterator[Deleted]:
    """The PMIDs of a DeleteCitation."""
    for child in node.iterchildren("PMID"):
        yield Deleted(_number(child, path))


_READERS: Mapping[str, Callable[[etree._Element, Path], Iterable[Entry | Deleted]]] = {
    "PubmedArticle": _article,
    "PubmedBookArticle": _book,
    "DeleteCitation": _deleted,
}
#: Column -> where an article holds its values.
_ARTICLE: Mapping[str, tuple[str, ...]] = {
    "ti": ("MedlineCitation/Article/ArticleTitle", "MedlineCitation/Article/VernacularTitle"),
    "ab": ("MedlineCitation/Article/Abstract/AbstractText", "MedlineCitation/OtherAbstract/*"),
    "pt": ("MedlineCitation/Article/PublicationTypeList/PublicationType",),
    "ta": (
        "MedlineCitation/MedlineJournalInfo/MedlineTA",
        "MedlineCitation/Article/Journal/ISOAbbreviation",
        "MedlineCitation/Article/Journal/Title",
        "MedlineCitation/Article/Journal/ISSN",
    ),
    "la": ("MedlineCitation/Article/Language",),
    "ot": (
        "MedlineCitation/KeywordList/Keyword",
        "MedlineCitation/ChemicalList/Chemical/NameOfSubstance",
        "MedlineCitation/Article/DataBankList/DataBank/AccessionNumberList/AccessionNumber",
    ),
}
#: The same for a book or its chapter.
_BOOK: Mapping[str, tuple[str, ...]] = {
    "ti": ("BookDocument/ArticleTitle", "BookDocument/Book/BookTitle"),
    "ab": ("BookDocument/Abstract/AbstractText",),
    "pt": ("BookDocument/PublicationType",),
    "ta": ("BookDocument/Book/BookTitle",),
    "la": ("BookDocument/Language",),
}


def plain_text(node: etree._Element | None) -> str:
    """Return the text of an element on one line, its markup dropped; "" for None.

    Good enough to be searched; nothing of the client's own reading is used in its test peer.
    """
    return "" if node is None else " ".join("".join(map(str, node.itertext())).split())


def _pmid(node: etree._Element | None, path: Path) -> tuple[int, int]:
    """Version and PMID of a citation or book."""
    pmid = None if node is None else node.find("PMID")
    if pmid is None:
        raise InputError(f"{path} holds a record without a PMID.")
    return int(pmid.get("Version", "1")), _number(pmid, path)


def _number(pmid: etree._Element, path: Path) -> int:
    """A PMID as a number."""
    text = plain_text(pmid)
    if not text.isdecimal():
        raise InputError(f"{path}, line {pmid.sourceline}: PMID {text!r} is not a number.")
    return int(text)


def _texts(node: etree._Element, paths: Iterable[str]) -> tuple[str, ...]:
    """The texts at these places, empty ones left out."""
    found = (plain_text(child) for path in paths for child in node.iterfind(path))
    return tuple(dict.fromkeys(text for text in found if text))


def _headings(node: etree._Element) -> tuple[str, ...]:
    """MeSH descriptors, and each with its qualifiers ("Pain/drug therapy")."""
    found: dict[str, None] = {}
    for heading in node.iterfind("MedlineCitation/MeshHeadingList/MeshHeading"):
        name = plain_text(heading.find("DescriptorName"))
        found[name] = None
        for qualifier in heading.iterfind("QualifierName"):
            found[f"{name}/{plain_text(qualifier)}"] = None
    return tuple(found)


def authors(node: etree._Element) -> tuple[str, ...]:
    """Return the authors, as "Dyck PJ", and groups by their whole name."""
    names = []
    for author in node.iter("Author"):
        parts = [plain_text(author.find(tag)) for tag in ("LastName", "Initials")]
        names.append(" ".join(filter(None, parts)) or plain_text(author.find("CollectiveName")))
    return tuple(name for name in names if name)


def _cites(node: etree._Element) -> Iterator[int]:
    """The PMIDs that the article refers to."""
    for link in node.iterfind("MedlineCitation/CommentsCorrectionsList/CommentsCorrections"):
        if link.get("RefType", "").endswith(_BACKWARDS):
            yield from _linked(link.iterfind("PMID"))
    yield from _linked(node.iterfind(".//Reference/ArticleIdList/ArticleId[@IdType='pubmed']"))


def _linked(nodes: Iterable[etree._Element]) -> Iterator[int]:
    """The PMIDs among these texts."""
    return (int(text) for node in nodes if (text := plain_text(node)).isdecimal())


def _history(node: etree._Element) -> dict[str, int | None]:
    """The dates of PubMed's own history."""
    dates = node.iterfind(".//History/PubMedPubDate")
    return {_HISTORY[s]: _date(d) for d in dates if (s := d.get("PubStatus", "")) in _HISTORY}


def _date(node: etree._Element | None) -> int | None:
    """Year, month and day as a number; a missing month or day is the first."""
    year, month, day = (
        plain_text(node.find(tag)) if node is not None else "" for tag in ("Year", "Month", "Day")
    )
    if not year.isdecimal():
        return None
    named = _MONTHS.get(month[:3].lower(), 1)
    number = int(month) if month.isdecimal() else named
    return int(year) * 10_000 + number * 100 + (int(day) if day.isdecimal() else 1)


def _printed(node: etree._Element | None) -> int | None:
    """The publication date; of a MedlineDate ("1978 Dec-1979 Jan") its year and month."""
    text = plain_text(node.find("MedlineDate")) if node is not None else ""
    if not text:
        return _date(node)
    year, _, rest = text.partition(" ")
    month = _MONTHS.get(rest[:3].lower(), 1)
    return int(year[:4]) * 10_000 + month * 100 + 1 if year[:4].isdecimal() else None
