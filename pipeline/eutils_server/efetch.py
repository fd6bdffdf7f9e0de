"""Answers EFetch: records as PubMed XML or MEDLINE text, or their PMIDs alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline.eutils_server.answers import LIMIT, TEXT, XML, Answer, Call, error
from pipeline.eutils_server.medline import medline

HEAD = (
    b'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC '
    b'"-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)


def efetch(call: Call) -> Answer:
    """Return the answer to an EFetch; PMIDs that PubMed does not know are left out."""
    form = call.text("rettype") or "xml"
    if form in ("full", "abstract", "pubmed", "null") and call.text("retmode", "xml") == "xml":
        form = "xml"
    if form not in _FORMS:
        return error(call, f"This server does not serve rettype {form!r}.", status=400)
    asked = call.asked(LIMIT)
    if isinstance(asked, Answer):
        return asked
    found = call.index.xml(asked, call.day)
    pmids = call.alter([pmid for pmid in dict.fromkeys(asked) if pmid in found])
    return _FORMS[form](call, pmids, found)


def _records(call: Call, pmids: Sequence[int], found: Mapping[int, bytes]) -> Answer:
    """The records as a PubmedArticleSet."""
    inside = b"\n".join(found[pmid] for pmid in pmids)
    return Answer(HEAD + b"<PubmedArticleSet>\n" + inside + b"\n</PubmedArticleSet>\n", XML)


def _medline(call: Call, pmids: Sequence[int], found: Mapping[int, bytes]) -> Answer:
    """The records as MEDLINE text."""
    return Answer("".join(f"\n{medline(found[pmid])}" for pmid in pmids).encode(), TEXT)


def _uilist(call: Call, pmids: Sequence[int], found: Mapping[int, bytes]) -> Answer:
    """The PMIDs, one on a line or as XML."""
    if call.text("retmode") != "xml":
        return Answer("".join(f"{pmid}\n" for pmid in pmids).encode(), TEXT)
    ids = "".join(f"<Id>{pmid}</Id>\n" for pmid in pmids)
    return Answer(f'<?xml version="1.0" ?>\n<IdList>\n{ids}</IdList>\n'.encode(), XML)


_FORMS: Mapping[str, Callable[[Call, Sequence[int], Mapping[int, bytes]], Answer]] = {
    "xml": _records,
    "medline": _medline,
    "uilist": _uilist,
}
