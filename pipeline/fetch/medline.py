"""Reads nbib (MEDLINE) text, as PubMed exports it, into records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from Bio import Medline

from pipeline.fetch.fields import (
    NOT_REGISTRIES,
    clean,
    find_orcid,
    first_year,
    is_pmid,
    iso_date,
    mesh_heading,
)
from pipeline.schema import (
    Author,
    Chemical,
    Correction,
    Dates,
    Grant,
    OtherAbstract,
    Problem,
    Record,
    Section,
)

#: Where a record begins; the start of a file by which its kind is known.
RECORD_START = re.compile(r"^PMID- *\d", re.MULTILINE)
_DOI = re.compile(r"(\S+) \[doi\]")
_PMID = re.compile(r"PMID: *(\d+)")
_DATE = re.compile(r"(\d{4})[/ -]?(\d\d)?[/ -]?(\d\d)?")
_CHEMICAL = re.compile(r"(\S+) \((.+)\)")
_ACRONYM = re.compile(r"[A-Z]{2}")
_ORCID_OF = "ORCID:"
_TAG = re.compile(r"([A-Z]{2,4}) *- (.*)")

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
        if is_pmid(pmid):
            yield _record(pmid, tags, _byline(text[start:end]))
        else:
            yield Problem(
                "unread_record", f"{name}, line {line}: Invalid PMID {pmid!r}; must be digits."
            )


def _unfolded(text: str) -> list[str]:
    """The lines of one record, each tag on one line: Bio.Medline cuts folded lists otherwise."""
    joined = re.sub(r"\r?\n {2,}(?=\S)", " ", text)
    return [line for line in joined.split("\n") if line.strip()]


def _record(pmid: str, tags: dict[str, Any], byline: tuple[Author, ...]) -> Record:
    """One record from its tags."""
    abstract = clean(tags.get("AB", ""))
    vernacular = _first(tags, "TT")
    return Record(
        record_id=f"pmid{pmid}",
        title=clean(tags.get("TI", "")) or vernacular or _first(tags, "BTI"),
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
        vernacular_title=vernacular,
        other_abstracts=_other_abstracts(tags),
        byline=byline,
        chemicals=tuple(map(_chemical, tags.get("RN", []))),
        keywords=tuple(clean(word).strip("*") for word in tags.get("OT", [])),
        dates=_dates(tags),
        grants=tuple(map(_grant, tags.get("GR", []))),
    )


def _all(tags: dict[str, Any], tag: str) -> list[str]:
    """The texts of a tag, of which Bio.Medline makes a str or a list."""
    value = tags.get(tag, [])
    return [clean(text) for text in ([value] if isinstance(value, str) else value)]


def _first(tags: dict[str, Any], tag: str) -> str:
    """The first text of a tag, "" for none."""
    return next(iter(_all(tags, tag)), "")


def _other_abstracts(tags: dict[str, Any]) -> tuple[OtherAbstract, ...]:
    """The abstracts of another agency or language; nbib writes the agency into the text."""
    pairs = zip_longest(_all(tags, "OAB"), _all(tags, "OABL"), fillvalue="")
    return tuple(OtherAbstract("", lang, (Section(text),)) for text, lang in pairs if text)


def _chemical(text: str) -> Chemical:
    """A substance: "0 (Immunoglobulins, Intravenous)"."""
    found = _CHEMICAL.fullmatch(clean(text))
    return Chemical(found.group(2), number=found.group(1)) if found else Chemical(clean(text))


def _grant(text: str) -> Grant:
    """A grant: "R01 NS1/NS/NINDS NIH HHS/United States"; the number may hold slashes too."""
    *rest, agency, country = ["", "", *clean(text).split("/")]
    acronym = rest.pop() if _ACRONYM.fullmatch(rest[-1]) and len(rest) > 3 else ""
    return Grant("/".join(filter(None, rest)), agency, country, acronym)


def _dates(tags: dict[str, Any]) -> Dates:
    """The record's dates; nbib writes 2009/04/15 09:00 and 20090415."""
    return Dates(
        entrez=_day(tags, "CRDT"),
        pubmed=_day(tags, "EDAT"),
        medline=_day(tags, "MHDA"),
        created=_day(tags, "DA"),
        completed=_day(tags, "DCOM"),
        revised=_day(tags, "LR"),
        published=_first(tags, "DP"),
        electronic=_day(tags, "DEP"),
    )


def _day(tags: dict[str, Any], tag: str) -> str:
    """A tag's day as YYYY-MM-DD."""
    found = _DATE.match(_first(tags, tag))
    return iso_date(*[part or "" for part in found.groups()]) if found else ""


def _byline(text: str) -> tuple[Author, ...]:
    """The people and groups in order: FAU, then AU and AUID, which belong to it; CN."""
    people: list[dict[str, str]] = []
    for line in _unfolded(text):
        found = _TAG.match(line)
        tag, value = (found.group(1), clean(found.group(2))) if found else ("", "")
        if tag == "CN":
            people.append({"collective": value})
        elif tag == "FAU":
            people.append(_full_name(value))
        elif tag == "AU":
            people = _with_initials(people, value)
        elif tag == "AUID" and people and value.startswith(_ORCID_OF):
            people[-1] |= {"orcid": find_orcid(value)}
    return tuple(Author(**person) for person in people)


def _full_name(name: str) -> dict[str, str]:
    """ "van Doorn, Pieter A" as the parts of an author."""
    last, _, fore = name.partition(", ")
    return {"last_name": last, "fore_name": fore}


def _with_initials(people: list[dict[str, str]], name: str) -> list[dict[str, str]]:
    """Add an AU line's initials to the person before, or the person if no FAU line did."""
    last, _, initials = _surname_first(name).partition(", ")
    if people and people[-1].get("last_name") == last and "initials" not in people[-1]:
        return [*people[:-1], people[-1] | {"initials": initials}]
    return [*people, {"last_name": last, "initials": initials}]


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
