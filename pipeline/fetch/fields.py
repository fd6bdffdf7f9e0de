"""Reads the small fields that every source writes in its own way: text, year, MeSH heading."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

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
_BLANK = re.compile("[\x00-\x20\x7f\x85\u2028\u2029]+")
_YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")


def clean(text: str) -> str:
    """Return `text` on one line, each run of blanks as one space, none at its ends."""
    return _BLANK.sub(" ", text).strip(" ")


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
    major = any(starred for _, starred in parts)
    names = tuple(name for name, _ in qualifiers if name)
    return MeshHeading(descriptor, major=major, qualifiers=names)


def search_id(source: str, query: str, ids: Iterable[str], date: str) -> str:
    """Return a search's name: its date, its source and a hash of what was asked and found.

    The hash is the first 12 digits of the SHA-256 over source, query and sorted ids, so the same
    search of one day that finds the same records has the same name, and can be resumed.
    """
    content = json.dumps([source, query, sorted(ids)], ensure_ascii=False)
    return f"{date}-{source}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"
