"""Answers ESearch: count, a page of PMIDs, the query's translation, and what was not found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from pipeline.eutils_server.answers import (
    BACKEND,
    LIMIT,
    PAST_THE_CAP,
    Answer,
    Call,
    as_json,
    error,
    xml,
)
from pipeline.eutils_server.conditions import Notes, condition_of, settle
from pipeline.eutils_server.fields import TAGS
from pipeline.eutils_server.history import ExpiredError
from pipeline.eutils_server.query import Group, Node, QueryError, Range, joined, parse

PAGE = 20
#: Fields that change what PubMed finds or how it sorts, and are ignored here, with a warning.
NOT_SERVED = ("reldate", "field", "sort")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search found; a note is a list's name, its XML element and its texts."""

    count: int
    pmids: Sequence[int]
    start: int
    translation: str
    errors: Sequence[tuple[str, str, Sequence[str]]]
    warnings: Sequence[tuple[str, str, Sequence[str]]]
    kept: tuple[str, int] | None = None


def esearch(call: Call) -> Answer:
    """Return the answer to an ESearch."""
    if call.text("db") != "pubmed":
        return error(call, f"Invalid db name specified: {call.text('db')}")
    if not _term(call):
        return error(call, "Empty term and query_key - nothing todo")
    if call.number("retstart", 0) >= LIMIT:
        return error(call, BACKEND + PAST_THE_CAP)
    try:
        found = _search(call)
    except QueryError as problem:
        return error(call, f"{BACKEND}The query cannot be read: {problem}.")
    except ExpiredError as expired:
        return error(call, str(expired))
    if call.text("rettype") == "count":
        return _count(call, found.count)
    return _json(found) if call.as_json else _xml(found)


def _term(call: Call) -> str:
    """The query, within the set of the history that `query_key` names."""
    term, key = call.text("term").strip(), call.text("query_key")
    return f"#{key} AND ({term})" if key and term else f"#{key}" if key else term


def _search(call: Call) -> _Found:
    """Search, and keep the result in the history if that is asked for."""
    tree, unknown = parse(_term(call))
    name, notes = call.text("WebEnv"), Notes()
    tree = settle(_dated(tree, call), lambda c: call.index.any(c, call.day), notes)
    condition = condition_of(tree, lambda key: call.history.get(name, key))
    pmids = call.index.find(condition, call.day)
    kept = call.history.keep(pmids, name) if call.text("usehistory") == "y" else None
    start, size = call.number("retstart", 0), call.number("retmax", PAGE)
    page = call.alter(pmids[start : min(start + size, LIMIT)])
    errors = (
        ("phrasesnotfound", "PhraseNotFound", notes.phrases),
        ("fieldsnotfound", "FieldNotFound", unknown),
    )
    warnings = (
        ("phrasesignored", "PhraseIgnored", ()),
        ("quotedphrasesnotfound", "QuotedPhraseNotFound", notes.quoted),
        ("outputmessages", "OutputMessage", _messages(call, len(pmids))),
    )
    return _Found(len(pmids), page, start, str(tree), errors, warnings, kept)


def _dated(tree: Node, call: Call) -> Node:
    """The query within `mindate` and `maxdate` of `datetype`."""
    low, high = call.text("mindate"), call.text("maxdate")
    if not low or not high:
        return tree
    where = TAGS.get(call.text("datetype", "pdat").lower(), TAGS["pdat"])
    return joined([Group(tree), Range(low, high, where)])


def _messages(call: Call, count: int) -> list[str]:
    """What PubMed says of the page, and what this server does not do."""
    start, size = call.number("retstart", 0), call.number("retmax", PAGE)
    messages = [] if count else ["No items found."]
    if count and (start >= count or start + size > LIMIT):
        end = min(start + size, LIMIT, count)
        messages.append(f"Restrictions achieved. start and count adjusted to {start}, {end}")
    ignored = (name for name in NOT_SERVED if call.text(name))
    return [*messages, *(f"This server does not serve {name}; it was ignored." for name in ignored)]


def _count(call: Call, count: int) -> Answer:
    """The number of records alone."""
    if call.as_json:
        return as_json("esearch", {"esearchresult": {"count": str(count)}})
    return xml("esearch", f"<Count>{count}</Count>")


def _json(found: _Found) -> Answer:
    """The answer in JSON; NCBI writes numbers as texts."""
    kept = {"querykey": str(found.kept[1]), "webenv": found.kept[0]} if found.kept else {}
    result: dict[str, object] = {
        "count": str(found.count),
        "retmax": str(len(found.pmids)),
        "retstart": str(found.start),
        **kept,
        "idlist": [str(pmid) for pmid in found.pmids],
        "translationset": [],
        "querytranslation": found.translation,
    }
    for name, notes in (("errorlist", found.errors), ("warninglist", found.warnings)):
        if any(texts for _, _, texts in notes):
            result[name] = {part: list(texts) for part, _, texts in notes}
    return as_json("esearch", {"esearchresult": result})


def _xml(found: _Found) -> Answer:
    """The answer in XML."""
    kept = ""
    if found.kept:
        kept = f"<QueryKey>{found.kept[1]}</QueryKey><WebEnv>{found.kept[0]}</WebEnv>"
    ids = "".join(f"<Id>{pmid}</Id>\n" for pmid in found.pmids)
    inside = (
        f"<Count>{found.count}</Count><RetMax>{len(found.pmids)}</RetMax>"
        f"<RetStart>{found.start}</RetStart>{kept}"
        + (f"<IdList>\n{ids}</IdList>" if ids else "<IdList/>")
        + f"<TranslationSet/><QueryTranslation>{escape(found.translation)}</QueryTranslation>"
    )
    for name, notes in (("ErrorList", found.errors), ("WarningList", found.warnings)):
        parts = (f"<{e}>{escape(text)}</{e}>" for _, e, texts in notes for text in texts)
        inside += f"<{name}>{listed}</{name}>" if (listed := "".join(parts)) else ""
    return xml("esearch", inside)
