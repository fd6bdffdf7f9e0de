"""Reads nbib (MEDLINE) text, as PubMed exports it, into records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from Bio import Medline

from pipeline.fetch.fields import NOT_REGISTRIES, clean, first_year, mesh_heading
from pipeline.schema import Correction, Problem, Record, Section

#: Where a record begins; the start of a file by which its kind is known.
RECORD_START = re.compile(r"^PMID- *\d", re.MULTILINE)
_DOI = re.compile(r"(\S+) \[doi\]")
_PMID = re.compile(r"PMID: *(\d+)")

#: MEDLINE's tags for linked publications -> PubMed's RefType.
LINKS = {
    "CIN": "CommentIn",
    "CON": "CommentOn",
    "CRF": "CorrectedandRepublishedFrom",
    "CRI": "CorrectedandRepublishedIn",
    "ECF": "ExpressionOfConcernFor",
    "ECI": "ExpressionOfConcernIn",
    "EFR": "ErratumFor",
    "EIN": "ErratumIn",
    "ORI": "OriginalReportIn",
    "PRIN": "PartialRetractionIn",
    "PROF": "PartialRetractionOf",
    "RIN": "RetractionIn",
    "ROF": "RetractionOf",
    "RPF": "RepublishedFrom",
    "RPI": "RepublishedIn",
    "RRF": "RetractedandRepublishedFrom",
    "RRI": "RetractedandRepublishedIn",
    "SPIN": "SummaryForPatientsIn",
    "UIN": "UpdateIn",
    "UOF": "UpdateOf",
}


def read_medline(text: str, name: str) -> Iterator[Record | Problem]:
    """Yield the records of nbib text; a Problem with its line for what belongs to none.

    The abstract is one section: nbib folds its headings ("METHODS: ") into the running text.
    """
    starts = [m.start() for m in RECORD_START.finditer(text)]
    if text[: starts[0] if starts else None].strip():
        yield Problem("unread_lines", f"{name}, line 1: text before the first PMID was not read.")
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        line = text.count("\n", 0, start) + 1
        tags = Medline.read(_unfolded(text[start:end]))
        pmid = clean(tags["PMID"])
        if pmid.isdecimal():
            yield _record(pmid, tags)
        else:
            yield Problem(
                "unread_record", f"{name}, line {line}: Invalid PMID {pmid!r}; must be digits."
            )


def _unfolded(text: str) -> list[str]:
    """The lines of one record, each tag on one line: Bio.Medline cuts folded lists otherwise."""
    joined = re.sub(r"\r?\n {2,}(?=\S)", " ", text)
    return [line for line in joined.split("\n") if line.strip()]


def _record(pmid: str, tags: dict[str, Any]) -> Record:
    """One record from its tags."""
    abstract = clean(tags.get("AB", ""))
    return Record(
        record_id=f"pmid{pmid}",
        title=clean(tags.get("TI", "") or tags.get("TT", "") or tags.get("BTI", [""])[0]),
        sections=(Section(abstract),) if abstract else (),
        pmid=pmid,
        doi=_doi(tags),
        pmcid=clean(tags.get("PMC", "")) or None,
        year=first_year(tags.get("DP", "")),
        journal=clean(tags.get("TA", "") or tags.get("JT", "")),
        volume=_volume(tags),
        pages=clean(tags.get("PG", "")),
        language=",".join(tags.get("LA", [])),
        authors=_authors(tags),
        mesh=tuple(mesh_heading(heading) for heading in tags.get("MH", [])),
        publication_types=tuple(clean(t) for t in tags.get("PT", [])),
        registry_ids=_registry_ids(tags),
        corrections=_corrections(tags),
    )


def _doi(tags: dict[str, Any]) -> str | None:
    """The DOI of the AID or LID tag."""
    found = _DOI.search(" ".join([*tags.get("AID", []), tags.get("LID", "")]))
    return found.group(1) if found else None


def _volume(tags: dict[str, Any]) -> str:
    """Volume and issue as printed in a citation: "7(2)"."""
    volume, issue = clean(tags.get("VI", "")), clean(tags.get("IP", ""))
    return f"{volume}({issue})" if issue else volume


def _authors(tags: dict[str, Any]) -> tuple[str, ...]:
    """The authors as "Surname, Initials", then the groups; nbib lists them apart."""
    people = [_surname_first(clean(name)) for name in tags.get("AU", [])]
    return tuple(people or map(clean, tags.get("FAU", []))) + tuple(map(clean, tags.get("CN", [])))


def _surname_first(name: str) -> str:
    """ "van Doorn PA" -> "van Doorn, PA"; a name without initials is kept."""
    surname, _, initials = name.rpartition(" ")
    return f"{surname}, {initials}" if surname and initials.isupper() else name


def _registry_ids(tags: dict[str, Any]) -> tuple[str, ...]:
    """The trial numbers among the secondary sources ("ClinicalTrials.gov/NCT00220740")."""
    pairs = (clean(source).partition("/") for source in tags.get("SI", []))
    named = (number for bank, _, number in pairs if bank.lower() not in NOT_REGISTRIES)
    return tuple(dict.fromkeys(number for number in named if number))


def _corrections(tags: dict[str, Any]) -> tuple[Correction, ...]:
    """The linked publications, in the order of `LINKS`."""
    return tuple(
        Correction(kind, _linked_pmid(source), clean(source))
        for tag, kind in LINKS.items()
        for source in tags.get(tag, [])
    )


def _linked_pmid(source: str) -> str | None:
    """The PMID at the end of a link, if it has one."""
    found = _PMID.search(source)
    return found.group(1) if found else None
