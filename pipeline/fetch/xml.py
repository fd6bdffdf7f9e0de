"""Reads PubMed XML as a stream of records, without ever opening a file or address it names."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, cast

from lxml import etree

from pipeline.errors import InputError
from pipeline.fetch.fields import NOT_REGISTRIES, clean, first_year
from pipeline.fetch.markup import plain_text
from pipeline.schema import Correction, MeshHeading, Problem, Record, Section

ROOTS = frozenset({"PubmedArticleSet", "PubmedArticle", "PubmedBookArticleSet"})
GZIP = b"\x1f\x8b"
#: NLM's own word for a part without a heading; it is not printed in the paper.
NOT_A_LABEL = "UNLABELLED"

_Parts = dict[object, etree._Element]


def read_pubmed_xml(data: bytes | BinaryIO, *, name: str = "the PubMed XML") -> Iterator[Record]:
    """Yield the records of PubMed XML, plain or gzipped, one at a time.

    Parameters
    ----------
    data : bytes or seekable binary file
        A PubmedArticleSet with articles and book articles; any DOCTYPE.
    name : str
        What to call it in a message: a file's path, or the answer it is.

    Raises
    ------
    InputError
        Naming `name` and the line, if the XML is not well-formed, is cut off, or is not
        PubMed's. The records before the fault have been yielded by then: they are not the whole.

    See Also
    --------
    read_entries : also yields what stands there without being a record.
    """
    return (e for e in read_entries(data, name=name) if isinstance(e, Record))


def read_entries(
    data: bytes | BinaryIO, *, name: str = "the PubMed XML"
) -> Iterator[Record | Problem]:
    """Yield records as `read_pubmed_xml`, and a Problem for each entry that gives none."""
    for node in _elements(data, name):
        yield _ENTRIES[str(node.tag)](node, name)


def _elements(data: bytes | BinaryIO, name: str) -> Iterator[etree._Element]:
    """Yield each entry's element and free it afterwards."""
    context = etree.iterparse(
        _unzipped(data),
        events=("end",),
        tag=tuple(_ENTRIES),
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
    )
    while (node := _next(context, name)) is not None:
        yield node
        node.clear()
        while node.getprevious() is not None:
            del node.getparent()[0]  # type: ignore[union-attr]
    root = context.root
    if root is not None and root.tag not in ROOTS:
        raise InputError(f"{name} is not PubMed XML: its root is <{root.tag}>.")


def _unzipped(data: bytes | BinaryIO) -> BinaryIO:
    """The XML as a file, through gzip where its first bytes say so."""
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    head = file.read(len(GZIP))
    file.seek(-len(head), io.SEEK_CUR)
    return cast(BinaryIO, gzip.GzipFile(fileobj=file)) if head == GZIP else file


def _next(context: etree.iterparse, name: str) -> etree._Element | None:
    """The next entry's element, None at the end."""
    try:
        _, node = next(context)
    except StopIteration:
        return None
    except etree.XMLSyntaxError as error:
        raise InputError(
            f"{name}, line {error.lineno}: not well-formed XML: {error.msg}."
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{name} cannot be unzipped: {error}.") from error
    return cast(etree._Element, node)


def _children(node: etree._Element | None) -> _Parts:
    """An element's children by tag; of several with one tag, the last."""
    return {} if node is None else {child.tag: child for child in node}


def _article(node: etree._Element, name: str) -> Record | Problem:
    """A PubmedArticle as a record."""
    citation = _children(node.find("MedlineCitation"))
    article = _children(citation.get("Article"))
    pmid = plain_text(citation.get("PMID"))
    if not pmid:
        return Problem("no_pmid", f"{name}, line {node.sourceline}: an article without a PMID.")
    journal = _children(article.get("Journal"))
    issue = _children(journal.get("JournalIssue"))
    ids = _article_ids(node.find("PubmedData/ArticleIdList"))
    return Record(
        record_id=f"pmid{pmid}",
        title=_first_text(article, "ArticleTitle", "VernacularTitle"),
        sections=_sections(article.get("Abstract")),
        pmid=pmid,
        doi=ids.get("doi") or _location_doi(citation.get("Article")),
        pmcid=ids.get("pmc"),
        year=_year(issue.get("PubDate")) or _year(article.get("ArticleDate")),
        journal=_first_text(journal, "ISOAbbreviation", "Title"),
        volume=_volume(issue),
        pages=_pages(article.get("Pagination")),
        language=_languages(citation.get("Article")),
        authors=_authors(article.get("AuthorList")),
        mesh=_mesh(citation.get("MeshHeadingList")),
        publication_types=_texts(article.get("PublicationTypeList")),
        registry_ids=_registry_ids(article.get("DataBankList")),
        corrections=_corrections(citation.get("CommentsCorrectionsList")),
    )


def _book(node: etree._Element, name: str) -> Record | Problem:
    """A PubmedBookArticle, a book or its chapter, as a record."""
    document = node.find("BookDocument")
    parts = _children(document)
    book = _children(parts.get("Book"))
    pmid = plain_text(parts.get("PMID"))
    if document is None or not pmid:
        return Problem("no_pmid", f"{name}, line {node.sourceline}: a book without a PMID.")
    ids = _article_ids(parts.get("ArticleIdList"))
    return Record(
        record_id=f"pmid{pmid}",
        title=_first_text(parts, "ArticleTitle", "VernacularTitle")
        or plain_text(book.get("BookTitle")),
        sections=_sections(parts.get("Abstract")),
        pmid=pmid,
        doi=ids.get("doi"),
        pmcid=ids.get("pmc"),
        year=_year(book.get("PubDate")),
        journal=plain_text(book.get("BookTitle")),
        volume=plain_text(book.get("Volume")),
        pages=_pages(parts.get("Pagination")),
        language=_languages(document),
        authors=_authors(parts.get("AuthorList")),
        publication_types=tuple(plain_text(t) for t in document.findall("PublicationType")),
    )


def _deleted(node: etree._Element, name: str) -> Problem:
    """A DeleteCitation as a problem that names its PMIDs."""
    pmids = ", ".join(_texts(node))
    return Problem("delete_citation", f"{name}: PubMed has deleted the records {pmids}.")


_ENTRIES: Mapping[str, Callable[[etree._Element, str], Record | Problem]] = {
    "PubmedArticle": _article,
    "PubmedBookArticle": _book,
    "DeleteCitation": _deleted,
}


def _texts(node: etree._Element | None) -> tuple[str, ...]:
    """The texts of an element's children, empty ones left out."""
    return () if node is None else tuple(text for c in node if (text := plain_text(c)))


def _first_text(parts: _Parts, *tags: str) -> str:
    """The text of the first of these tags that has one."""
    return next((text for tag in tags if (text := plain_text(parts.get(tag)))), "")


def _sections(abstract: etree._Element | None) -> tuple[Section, ...]:
    """The parts of the abstract that have text; the copyright line is not one of them."""
    if abstract is None:
        return ()
    parts = ((plain_text(node), node) for node in abstract.iterchildren("AbstractText"))
    return tuple(
        Section(text, _label(node), node.get("NlmCategory", "")) for text, node in parts if text
    )


def _label(node: etree._Element) -> str:
    """A section's printed label, without the colon that some publishers send with it."""
    label = clean(node.get("Label", "")).rstrip(": ")
    return "" if label == NOT_A_LABEL else label


def _article_ids(node: etree._Element | None) -> dict[str, str]:
    """The article's own ids by type (doi, pmc ...), the first of each."""
    ids: dict[str, str] = {}
    for child in () if node is None else node.iterchildren("ArticleId"):
        if text := plain_text(child):
            ids.setdefault(child.get("IdType", ""), text)
    return ids


def _location_doi(article: etree._Element | None) -> str | None:
    """The DOI among the article's electronic locations."""
    for node in () if article is None else article.iterchildren("ELocationID"):
        if node.get("EIdType") == "doi" and node.get("ValidYN") != "N":
            return plain_text(node) or None
    return None


def _year(date: etree._Element | None) -> int | None:
    """The year of a date, or the first one in its MedlineDate ("1978 Dec-1979 Jan")."""
    return first_year(_first_text(_children(date), "Year", "MedlineDate"))


def _volume(issue: _Parts) -> str:
    """Volume and issue as printed in a citation: "7(2)"."""
    volume, number = plain_text(issue.get("Volume")), plain_text(issue.get("Issue"))
    return f"{volume}({number})" if number else volume


def _pages(pagination: etree._Element | None) -> str:
    """The pages as MEDLINE prints them, else first and last."""
    parts = _children(pagination)
    ends = [plain_text(parts.get(tag)) for tag in ("StartPage", "EndPage")]
    return plain_text(parts.get("MedlinePgn")) or "-".join(end for end in ends if end)


def _languages(article: etree._Element | None) -> str:
    """NLM's language codes, comma-separated."""
    nodes = () if article is None else article.iterchildren("Language")
    return ",".join(plain_text(node) for node in nodes)


def _authors(people: etree._Element | None) -> tuple[str, ...]:
    """The valid authors in order."""
    nodes = () if people is None else people.iterchildren("Author")
    named = (_author(node) for node in nodes if node.get("ValidYN") != "N")
    return tuple(name for name in named if name)


def _author(node: etree._Element) -> str:
    """ "Surname, Initials", or a group's name whole."""
    parts = _children(node)
    surname = plain_text(parts.get("LastName"))
    given = _first_text(parts, "Initials", "ForeName")
    if not surname:
        return _first_text(parts, "CollectiveName", "ForeName")
    return f"{surname}, {given}" if given else surname


def _mesh(headings: etree._Element | None) -> tuple[MeshHeading, ...]:
    """The MeSH headings; major if the descriptor or one of its qualifiers is."""
    return () if headings is None else tuple(_heading(node) for node in headings)


def _heading(node: etree._Element) -> MeshHeading:
    """One MeSH heading."""
    descriptor = _children(node).get("DescriptorName")
    return MeshHeading(
        plain_text(descriptor),
        ui="" if descriptor is None else descriptor.get("UI", ""),
        major=any(name.get("MajorTopicYN") == "Y" for name in node),
        qualifiers=tuple(plain_text(name) for name in node.iterchildren("QualifierName")),
    )


def _registry_ids(banks: etree._Element | None) -> tuple[str, ...]:
    """The numbers of trial registries among the data banks, each once, in order."""
    found: dict[str, None] = {}
    for bank in () if banks is None else banks:
        if plain_text(bank.find("DataBankName")).lower() not in NOT_REGISTRIES:
            found.update(dict.fromkeys(_texts(bank.find("AccessionNumberList"))))
    return tuple(found)


def _corrections(links: etree._Element | None) -> tuple[Correction, ...]:
    """The retractions, errata, comments ... that PubMed links to the record."""
    return () if links is None else tuple(_correction(node) for node in links)


def _correction(node: etree._Element) -> Correction:
    """One link to another publication; its PMID may be absent."""
    parts = _children(node)
    pmid = plain_text(parts.get("PMID")) or None
    return Correction(node.get("RefType", ""), pmid, plain_text(parts.get("RefSource")))
