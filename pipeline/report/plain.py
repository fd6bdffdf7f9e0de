"""Makes any text safe to show: control characters become visible, links only from checked ids."""

from __future__ import annotations

import re
from urllib.parse import quote

#: Characters that reorder, hide or break what stands around them: C0 and C1 controls except tab
#: and newline, bidirectional controls, line separators, the byte order mark, lone surrogates.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff]"
)
#: Breaking white space: no-break spaces stay, they hold numbers together.
_SPACES = re.compile(r"[ \t\n\r\f\v]+")
_PMID = re.compile(r"[1-9][0-9]{0,8}")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")


def visible(text: str) -> str:
    """Return the text with each control character written out, as "[U+202E]"."""
    return _CONTROLS.sub(lambda m: f"[U+{ord(m[0]):04X}]", text)


def one_line(text: str, limit: int = 0) -> str:
    """Return visible text on one line, cut to `limit` characters where one is given."""
    line = visible(_SPACES.sub(" ", text).strip())
    return f"{line[: limit - 1].rstrip()}…" if limit and len(line) > limit else line


def pubmed_url(pmid: str | None) -> str:
    """Return the PubMed page of a PMID; "" where it is not one to nine digits."""
    return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid and _PMID.fullmatch(pmid) else ""


def doi_url(doi: str | None) -> str:
    """Return the resolver's address of a DOI, percent-encoded; "" where it is not a DOI."""
    if not doi or not _DOI.fullmatch(doi):
        return ""
    return "https://doi.org/" + quote(doi, safe="/", errors="replace")
