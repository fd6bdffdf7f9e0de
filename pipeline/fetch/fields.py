"""Reads the small fields that every source writes in its own way: text, dates, ids, MeSH."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from functools import lru_cache

from pipeline.schema import MeshHeading

#: Data banks that hold sequences, compounds and data sets; every other one is a trial registry
#: (NLM, *MEDLINE Databank Sources*, second table).
NOT_REGISTRIES = frozenset(
    (
        "bioproject",
        "dbgap",
        "dbsnp",
        "dbvar",
        "dryad",
        "figshare",
        "gdb",
        "genbank",
        "geo",
        "omim",
        "pdb",
        "pir",
        "pubchem-bioassay",
        "pubchem-compound",
        "pubchem-substance",
        "refseq",
        "sra",
        "swissprot",
        "unimes",
        "uniparc",
        "uniprotkb",
        "uniref",
    )
)
#: Line ends, indents and control characters; a no-break or thin space is part of the text.
_CONTROL = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029]")
_BLANK = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
#: A day or month in digits, with a zero before it or not.
_NUMBERS = frozenset(f"{n:0{width}}" for n in range(32) for width in (1, 2))
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+")
_ORCID = re.compile(r"(\d{4})-?(\d{4})-?(\d{4})-?(\d{3}[\dXx])(?!\d)")


def clean(text: str) -> str:
    """Return `text` on one line, each run of blanks as one space, none at its ends."""
    if "  " in text or (not text.isprintable() and _CONTROL.search(text)):
        text = _BLANK.sub(" ", text)
    return text.strip(" ")


def is_pmid(text: str) -> bool:
    """Whether `text` can be a PMID: digits of ASCII, so that no name or path hides in it."""
    return text.isascii() and text.isdecimal() and len(text) <= 12


@lru_cache(maxsize=4096)
def iso_date(year: str = "", month: str = "", day: str = "") -> str:
    """Return "2009-04-05", "2009-04" or "2009", as far as the parts are a date; "" for none.

    The month may be a number or a name ("Apr", "April").
    """
    if not (len(year) == 4 and year.isascii() and year.isdecimal()):
        return ""
    number = int(month) if month in _NUMBERS else _month(month)
    if not 1 <= number <= 12:
        return year
    if day not in _NUMBERS or int(day) == 0:
        return f"{year}-{number:02}"
    return f"{year}-{number:02}-{int(day):02}"


def _month(name: str) -> int:
    """The number of a month by its name, 0 for none."""
    short = name[:3].lower()
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


def find_doi(text: str) -> str | None:
    """Return the DOI in a text, an address or a "doi:" line; None for none."""
    found = _DOI.search(text)
    if not found:
        return None
    doi = found.group().rstrip(".,;")
    return doi if doi.count("(") >= doi.count(")") else doi.rstrip(").,;")


def find_orcid(text: str) -> str:
    """Return an ORCID as 0000-0002-1825-0097, of an address or bare digits; "" for none."""
    found = _ORCID.search(text)
    return "-".join(found.groups()).upper() if found else ""


def made_id(kind: str, content: str) -> str:
    """Return the id of a record that has no PMID: its source's kind and a hash of its content.

    The hash is the first 12 digits of the SHA-256, so an entry of the same words has the same id
    in every file.
    """
    return f"{kind}-{hashlib.sha256(content.encode(errors='replace')).hexdigest()[:12]}"


def first_year(text: str) -> int | None:
    """Return the first four-digit year (1500-2099): "1978 Dec-1979 Jan" -> 1978."""
    found = _YEAR.search(text)
    return int(found.group()) if found else None


def mesh_parts(text: str) -> list[tuple[str, bool]]:
    """Split a printed heading into (name, major): first the descriptor, then its qualifiers.

    PubMed's page prints ``Pain / drug therapy*``, MEDLINE ``Pain/*drug therapy``.
    """
    parts = [part.strip() for part in clean(text).split("/")]
    return [(part.strip("*").strip(), part[:1] == "*" or part[-1:] == "*") for part in parts]


def mesh_heading(text: str) -> MeshHeading:
    """Build a MeSH heading from its printed form; see `mesh_parts`."""
    (descriptor, _), *qualifiers = parts = mesh_parts(text)
    names = tuple(name for name, _ in qualifiers if name)
    starred = tuple(name for name, major in parts if major)
    return MeshHeading(descriptor, major=bool(starred), qualifiers=names, major_names=starred)


def search_id(source: str, query: str, ids: Iterable[str], date: str) -> str:
    """Return a search's name: its date, its source and a hash of what was asked and found.

    The hash is the first 12 digits of the SHA-256 over source, query and sorted ids, so the same
    search of one day that finds the same records has the same name, and can be resumed.
    """
    content = json.dumps([source, query, sorted(ids)], ensure_ascii=False)
    return f"{date}-{source}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
