"""Builds a record of what a reference manager or a table says: title, authors, year, ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from pipeline.fetch.fields import clean, find_doi, first_year, is_pmid, made_id
from pipeline.schema import Author, Problem, Record, Section

#: What a source may say of a reference, by the name its value is given under.
FIELDS = (
    "title",
    "abstract",
    "authors",
    "year",
    "journal",
    "volume",
    "issue",
    "pages",
    "doi",
    "pmid",
    "pmcid",
    "language",
    "keywords",
    "publication_types",
    "registry_ids",
)
_PMCID = re.compile(r"\bPMC\d{2,9}\b")
_SPLIT_NAMES = re.compile(r"[\s.]+")
_SHORT = re.compile(r"[A-Z][A-Z-]{0,3}")


def reference(
    kind: str, values: Mapping[str, Iterable[str]], place: str
) -> Iterator[Record | Problem]:
    """Yield the record of a reference, and a Problem for what in it could not be read.

    Parameters
    ----------
    kind : str
        Where it comes from ("ris", "csv", "endnote"): the beginning of its id if it has no PMID.
    values : mapping
        Texts by the names of `FIELDS`, any number of each.
    place : str
        File and line, for the Problem.
    """
    texts = {name: [t for v in values.get(name, ()) if (t := clean(v))] for name in FIELDS}
    first = {name: found[0] if found else "" for name, found in texts.items()}
    if not first["title"] and not first["abstract"]:
        yield Problem("unread_record", f"{place}: a reference with neither title nor abstract.")
        return
    pmid = first["pmid"] or None
    if pmid is not None and not is_pmid(pmid):
        yield Problem("invalid_pmid", f"{place}: Invalid PMID {pmid!r}; must be digits.")
        pmid = None
    yield _record(kind, pmid, texts, first)


def _record(
    kind: str, pmid: str | None, texts: Mapping[str, list[str]], first: Mapping[str, str]
) -> Record:
    """The record of a reference's texts; `first` are the first of each."""
    people = tuple(author(name) for name in texts["authors"])
    pmcid = _PMCID.search(first["pmcid"])
    volume, issue = first["volume"], first["issue"]
    return Record(
        record_id=f"pmid{pmid}" if pmid else made_id(kind, repr(texts)),
        title=first["title"],
        sections=tuple(Section(text) for text in texts["abstract"]),
        pmid=pmid,
        doi=next((doi for text in texts["doi"] if (doi := find_doi(text))), None),
        pmcid=pmcid.group() if pmcid else None,
        year=next((year for text in texts["year"] if (year := first_year(text))), None),
        journal=first["journal"],
        volume=f"{volume}({issue})" if issue else volume,
        pages=first["pages"],
        language=",".join(texts["language"]),
        authors=tuple(person.name for person in people),
        publication_types=tuple(texts["publication_types"]),
        registry_ids=tuple(texts["registry_ids"]),
        byline=people,
        keywords=tuple(texts["keywords"]),
    )


def author(name: str) -> Author:
    """Return a person ("Doorn, Pieter A. van", "Doorn PA"), else a group by that name."""
    last, comma, fore = (part.strip() for part in name.partition(","))
    if comma:
        return Author(last, fore, initials(fore))
    last, _, short = name.rpartition(" ")
    if last and _SHORT.fullmatch(short):
        return Author(last, initials=short)
    return Author(collective=name)


def initials(fore: str) -> str:
    """Return the initials of fore names: "Pieter A." and "P.A." -> "PA"; "PA" is kept."""
    if _SHORT.fullmatch(fore):
        return fore
    return "".join(word[0] for word in _SPLIT_NAMES.split(fore) if word and word[0].isupper())
