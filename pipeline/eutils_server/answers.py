"""The forms that all utilities share: a call, an answer, NCBI's envelopes and its error texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from xml.sax.saxutils import escape

from pipeline.eutils_server.history import ExpiredError, History
from pipeline.eutils_server.index import Index

#: PubMed lists and sends no more than the first 9,999 records of a query.
LIMIT = 9_999
#: More digits than an id may have make no number that SQLite holds.
MOST_DIGITS = 18
XML, JSON, TEXT, HTML = (
    f"{kind}; charset=UTF-8" for kind in ("text/xml", "application/json", "text/plain", "text/html")
)
#: Utility -> the root of its XML, that of its DOCTYPE ("eEfetchResult" is NCBI's own slip), its
#: DTD's public name and address.
_ROOTS = {
    "esearch": ("eSearchResult", "eSearchResult", "esearch 20060628", "20060628/esearch"),
    "efetch": ("eFetchResult", "eEfetchResult", "efetch 20131226", "20131226/efetch"),
    "esummary": (
        "eSummaryResult",
        "eSummaryResult",
        "esummary v1 20041029",
        "20041029/esummary-v1",
    ),
    "epost": ("ePostResult", "ePostResult", "epost 20090526", "20090526/epost"),
    "elink": ("eLinkResult", "eLinkResult", "elink 20101123", "20101123/elink"),
    "einfo": ("eInfoResult", "eInfoResult", "einfo 20190110", "20190110/einfo"),
}
#: How NCBI says that a page cannot be had; the line break of `BACKEND` stands raw in its JSON.
PAST_THE_CAP = (
    "'retstart' cannot be larger than 9998. For PubMed, ESearch can only retrieve the first 9,999 "
    "records matching the query. To obtain more than 9,999 PubMed records, consider using EDirect "
    "that contains additional logic to batch PubMed search results automatically so that an "
    "arbitrary number can be retrieved. For details see https://www.ncbi.nlm.nih.gov/books/NBK25499/"
)
BACKEND = "Search Backend failed: Exception:\n"
NO_IDS = "ID list is empty! Possibly it has no correct IDs."
NOTHING_ASKED = "Neither query_key nor id specified"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call is answered with."""

    body: bytes
    kind: str = XML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a utility.

    `params` holds each field's values in order; `alter` changes the PMIDs that an answer lists,
    which a fault may do.
    """

    utility: str
    params: Mapping[str, Sequence[str]]
    index: Index
    history: History
    day: int
    alter: Callable[[list[int]], list[int]] = list

    def text(self, name: str, default: str = "") -> str:
        """Return the first value of a field."""
        return (self.params.get(name) or [default])[0]

    def number(self, name: str, default: int) -> int:
        """Return a field as a number, the default where it is not one."""
        text = self.text(name)
        return int(text) if text.isdecimal() else default

    @property
    def as_json(self) -> bool:
        """Whether JSON is asked for."""
        return self.text("retmode") == "json"

    def ids(self) -> list[str]:
        """Return the ids of all `id` fields; commas or blanks stand between them."""
        return [i for text in self.params.get("id", ()) for i in text.replace(",", " ").split()]

    def pmids(self) -> list[int]:
        """Return those of the ids that can be PMIDs."""
        fit = (i for i in self.ids() if i.isdecimal() and len(i) <= MOST_DIGITS)
        return [pmid for pmid in map(int, fit) if pmid > 0]

    def asked(self, default: int) -> list[int] | Answer:
        """Return the PMIDs that `id` or the history names, or the answer that refuses.

        Of a set in the history `retstart` and `retmax` (`default` if absent) choose a part.
        """
        if self.text("query_key"):
            return self._from_history(default)
        if not self.text("id"):
            return error(self, NOTHING_ASKED, status=400)
        return self.pmids() or error(self, NO_IDS, status=400)

    def _from_history(self, default: int) -> list[int] | Answer:
        """A part of a set in the history."""
        start, size = self.number("retstart", 0), self.number("retmax", default)
        if start >= LIMIT:
            return error(self, PAST_THE_CAP, status=400)
        try:
            pmids = self.history.get(self.text("WebEnv"), self.number("query_key", 0))
        except ExpiredError as expired:
            return error(self, str(expired))
        return list(pmids[start : min(start + size, LIMIT)])


def xml(utility: str, inside: str, *, status: int = 200) -> Answer:
    """Return an answer in the utility's XML."""
    root, doctype, name, address = _ROOTS[utility]
    head = (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f'<!DOCTYPE {doctype} PUBLIC "-//NLM//DTD {name}//EN" '
        f'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/{address}.dtd">\n'
    )
    return Answer(f"{head}<{root}>{inside}</{root}>\n".encode(), XML, status)


def as_json(utility: str, result: Mapping[str, object]) -> Answer:
    """Return an answer in JSON under NCBI's header."""
    header = {"type": utility, "version": "0.3"}
    return Answer(json.dumps({"header": header, **result}, ensure_ascii=False).encode(), JSON)


def error(call: Call, text: str, *, status: int = 200) -> Answer:
    """Return an error as the utility writes it, its line breaks raw even in JSON."""
    if not call.as_json:
        return xml(call.utility, f"\n\t<ERROR>{escape(text)}</ERROR>\n", status=status)
    result: Mapping[str, object] = {"error": text}
    if call.utility == "esearch":
        result = {"esearchresult": {"ERROR": text}}
    answer = as_json(call.utility, result)
    return replace(answer, body=answer.body.replace(rb"\n", b"\n"), status=status)
