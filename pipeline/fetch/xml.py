"""Reads PubMed XML of every age as a stream of records, in one pass and in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import BinaryIO

from lxml import etree

from pipeline.errors import InputError
from pipeline.fetch.batches import entries
from pipeline.fetch.citation import ARTICLE, BOOK, CITATION, Table, Values, read_values, to_record
from pipeline.fetch.cuts import without
from pipeline.fetch.fields import is_pmid
from pipeline.fetch.markup import plain_text
from pipeline.fetch.stream import LARGEST_ENTRY, root_tag, strangers
from pipeline.fetch.unzip import pieces
from pipeline.schema import Problem, Record

#: What a set may hold, by the tag of its root; an entry may also stand alone.
_ARTICLES = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")
ROOTS: Mapping[str, tuple[str, ...]] = {
    "PubmedArticleSet": _ARTICLES,
    "PubmedBookArticleSet": _ARTICLES,
    "PubMedArticleSet": ("PubMedArticle",),  # 2001 and 2002
    "MedlineCitationSet": ("MedlineCitation", "DeleteCitation"),  # MEDLINE's files until 2015
    "BookDocumentSet": ("BookDocument", "DeleteDocument"),
    "PubmedArticle": ("PubmedArticle",),
    "PubmedBookArticle": ("PubmedBookArticle",),
    "MedlineCitation": ("MedlineCitation",),
}


def read_pubmed_xml(data: bytes | BinaryIO, *, name: str = "the PubMed XML") -> Iterator[Record]:
    """Yield the records of PubMed XML, plain or gzipped, one at a time.

    Parameters
    ----------
    data : bytes or seekable binary file
        A set of articles, book articles or MEDLINE citations, or one of them; any DOCTYPE.
    name : str
        What to call it in a message: a file's path, or the answer it is.

    Raises
    ------
    InputError
        Naming `name` and the line, if the XML is not well-formed, is cut off, or is not
        PubMed's, and if it or an entry in it is larger than any of PubMed's. The records before
        the fault have been yielded by then: they are not the whole.

    See Also
    --------
    read_entries : also yields what stands there without being a record.
    """
    return (e for e in read_entries(data, name=name) if isinstance(e, Record))


def read_entries(
    data: bytes | BinaryIO, *, name: str = "the PubMed XML"
) -> Iterator[Record | Problem]:
    """Yield records as `read_pubmed_xml`, and a Problem for each thing there that gives none.

    A Problem "delete_citation" is a record that PubMed has deleted; its `record_id` says which.
    """
    content = without(pieces(data, name), b"ReferenceList", longest=LARGEST_ENTRY)
    head = next(filter(None, content), b"")
    root = root_tag(head, name)
    if root not in ROOTS:
        raise InputError(f"{name} is not PubMed XML: its root is <{root}>.")
    for node, line in entries(chain([head], content), ROOTS[root], name):
        for stranger in strangers(node, ROOTS[root]):
            message = f"{name}: the element <{stranger.tag}> beside the records was not read."
            yield Problem("unread_element", message)
        if node.tag in ROOTS[root]:
            yield from _ENTRIES[str(node.tag)](node, name, line)


def _reader(table: Table) -> Callable[[etree._Element, str, int], Iterator[Record | Problem]]:
    """The function that reads an entry by a table of `citation`."""

    def read(node: etree._Element, name: str, line: int) -> Iterator[Record | Problem]:
        values: Values = {}
        read_values(node, table, values)
        pmid, version = values.get("pmid", ("", 1))
        if is_pmid(pmid):
            yield to_record(pmid, version, values)
        else:
            what = f"Invalid PMID {pmid!r}; must be digits" if pmid else "an entry without a PMID"
            yield Problem("invalid_pmid" if pmid else "no_pmid", f"{name}, line {line}: {what}.")

    return read


def _deleted(node: etree._Element, name: str, _: int) -> Iterable[Problem]:
    """A problem for each citation that PubMed has deleted."""
    for child in node.iterchildren("PMID"):
        pmid, version = plain_text(child), child.get("Version", "1")
        which = f"version {version} of {pmid}" if version != "1" else pmid
        message = f"{name}: PubMed has deleted {which}."
        yield Problem("delete_citation", message, record_id=f"pmid{pmid}" if is_pmid(pmid) else "")


_ENTRIES: Mapping[str, Callable[[etree._Element, str, int], Iterable[Record | Problem]]] = {
    "PubmedArticle": _reader(ARTICLE),
    "PubMedArticle": _reader(ARTICLE),
    "MedlineCitation": _reader(CITATION),
    "PubmedBookArticle": _reader(BOOK),
    "BookDocument": _reader(BOOK["BookDocument"]),
    "DeleteCitation": _deleted,
    "DeleteDocument": _deleted,
}
