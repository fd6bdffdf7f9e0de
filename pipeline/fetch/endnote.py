"""Reads EndNote's XML, as EndNote and Zotero export it, into records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import BinaryIO

from lxml import etree

from pipeline.errors import InputError
from pipeline.fetch.fields import is_pmid
from pipeline.fetch.markup import plain_text
from pipeline.fetch.reference import reference
from pipeline.fetch.stream import elements, root_tag
from pipeline.fetch.unzip import pieces
from pipeline.schema import Problem, Record

ROOT = "xml"
_MEDLINE = re.compile(r"medline|pubmed|^nlm$", re.IGNORECASE)

#: Our name -> the paths that may hold it; the first that does is taken.
_PATHS: Mapping[str, tuple[str, ...]] = {
    "title": ("titles/title",),
    "abstract": ("abstract",),
    "authors": ("contributors/authors/author",),
    "year": ("dates/year",),
    "journal": ("periodical/full-title", "titles/secondary-title", "periodical/abbr-1"),
    "volume": ("volume",),
    "issue": ("number",),
    "pages": ("pages",),
    "doi": ("electronic-resource-num", "urls/related-urls/url"),
    "pmcid": ("custom2",),
    "language": ("language",),
    "keywords": ("keywords/keyword",),
}


def read_endnote(data: bytes | BinaryIO, name: str) -> Iterator[Record | Problem]:
    """Yield the references of EndNote XML; a Problem with its line for one that is none.

    Raises
    ------
    InputError
        As `xml.read_pubmed_xml`, and if it is other XML.
    """
    content = pieces(data, name)
    head = next(content, b"")
    if (root := root_tag(head, name)) != ROOT:
        raise InputError(f"{name} is not EndNote XML: its root is <{root}>.")
    for node in elements(chain([head], content), ("record",), name):
        if node.tag == "record":
            yield from reference("endnote", _values(node), f"{name}, line {node.sourceline}")


def _values(node: etree._Element) -> dict[str, list[str]]:
    """The texts of a record by the names of `reference.FIELDS`."""
    found = {
        field: next((texts for path in paths if (texts := _texts(node, path))), [])
        for field, paths in _PATHS.items()
    }
    return {**found, "pmid": _pmid(node)}


def _texts(node: etree._Element, path: str) -> list[str]:
    """The texts at a path."""
    return [text for child in node.iterfind(path) if (text := plain_text(child))]


def _pmid(node: etree._Element) -> list[str]:
    """The accession number, where the database is MEDLINE or PubMed."""
    named = _texts(node, "remote-database-name") + _texts(node, "remote-database-provider")
    numbers = _texts(node, "accession-num")
    return numbers[:1] if any(map(_MEDLINE.search, named)) and is_pmid(*numbers[:1]) else []
