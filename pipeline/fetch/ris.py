"""Reads RIS, as reference managers and most databases export it, into records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import rispy

from pipeline.fetch.fields import is_pmid
from pipeline.fetch.reference import reference
from pipeline.schema import Problem, Record

#: Where a reference begins; the start of a file by which its kind is known.
RECORD_START = re.compile(r"^TY {1,2}- ?", re.MULTILINE)
_END = re.compile(r"^ER {1,2}-", re.MULTILINE)
_TAGGED = re.compile(r"[A-Z][A-Z0-9] {1,2}-(?: |$)")
_PMID = re.compile(r"\bPMID:? ?(\d{1,8})\b")
_MEDLINE = re.compile(r"medline|pubmed", re.IGNORECASE)

#: Our name -> rispy's names of the tags that may hold it, the first that does is taken.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "title": ("title", "primary_title", "short_title"),
    "abstract": ("abstract", "notes_abstract"),
    "authors": ("authors", "first_authors"),
    "year": ("year", "publication_year", "date"),
    "journal": (
        "journal_name",
        "alternate_title3",
        "secondary_title",
        "alternate_title2",
        "alternate_title1",
    ),
    "volume": ("volume",),
    "issue": ("number",),
    "doi": ("doi", "urls"),
    "pmcid": ("custom2",),
    "language": ("language",),
    "keywords": ("keywords",),
}


def read_ris(text: str, name: str) -> Iterator[Record | Problem]:
    """Yield the references of RIS text; a Problem with its line for what belongs to none.

    Each reference is read alone: rispy drops one without an end (ER), and runs it into the next.
    """
    starts = [m.start() for m in RECORD_START.finditer(text)]
    if text[: starts[0] if starts else None].strip():
        yield Problem("unread_lines", f"{name}, line 1: text before the first TY was not read.")
    line, read = 1, 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line, read = line + text.count("\n", read, start), start
        place, entry = f"{name}, line {line}", text[start:end]
        if not (ended := _END.search(entry)):
            yield Problem("no_end", f"{place}: a reference without its end (ER); it was read.")
        elif entry[ended.end() :].strip(" \r\n-"):
            yield Problem("unread_lines", f"{place}: text after the reference's end was not read.")
        for tags in rispy.loads(_whole(entry), enforce_list_tags=False):
            yield from reference("ris", _values(tags), place)


def _whole(entry: str) -> str:
    """One reference with each tag on one line and with its end, as rispy wants it."""
    lines: list[str] = []
    for line in entry.splitlines():
        if _TAGGED.match(line):
            tag, _, value = line.partition("-")
            lines.append(f"{tag.strip()}  - {value.strip()}")
        elif line.strip() and lines:
            # a key word a line is usual; any other tag's text is folded
            lines[-1:] = (
                [lines[-1], f"KW  - {line.strip()}"]
                if lines[-1].startswith("KW")
                else [f"{lines[-1]} {line.strip()}"]
            )
    return "\n".join([line for line in lines if line[:2] != "ER"] + ["ER  - "])


def _values(tags: Mapping[str, object]) -> dict[str, list[str]]:
    """The texts of a reference by the names of `reference.FIELDS`."""
    found = {
        field: next((texts for name in names if (texts := _texts(tags, name))), [])
        for field, names in _NAMES.items()
    }
    ends = [*_texts(tags, "start_page")[:1], *_texts(tags, "end_page")[:1]]
    return {**found, "pages": ["-".join(ends)], "pmid": _pmid(tags)}


def _texts(tags: Mapping[str, object], name: str) -> list[str]:
    """The texts of a tag, of which rispy makes a str or a list."""
    value = tags.get(name)
    texts = value if isinstance(value, list) else [value]
    return [text for text in texts if isinstance(text, str) and text]


def _pmid(tags: Mapping[str, object]) -> list[str]:
    """The PMID: the accession number where the database is MEDLINE, or what a note calls PMID."""
    databases = _texts(tags, "name_of_database") + _texts(tags, "database_provider")
    numbers = _texts(tags, "accession_number")
    if numbers and is_pmid(numbers[0]) and any(map(_MEDLINE.search, databases)):
        return numbers[:1]
    notes = _texts(tags, "notes") + numbers
    return [m.group(1) for note in notes if (m := _PMID.search(note))][:1]
