"""Answers ESummary: a summary of each record, in JSON or as DocSum of version 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from pipeline.eutils_server.answers import LIMIT, Answer, Call, as_json, error, xml
from pipeline.eutils_server.articles import authors, plain_text

#: NCBI sums up no more records at once in JSON.
MOST_IN_JSON = 500
TOO_MANY = "Too many UIDs in request. Maximum number of UIDs is 500 for JSON format output."
UNKNOWN = "cannot get document summary"

Value = str | list[str] | list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Item:
    """A value of a summary: its names in JSON and in DocSum, its type there, how it is read."""

    name: str
    item: str
    kind: str
    read: Callable[[etree._Element], Value]


def esummary(call: Call) -> Answer:
    """Return the answer to an ESummary."""
    asked = call.asked(LIMIT)
    if isinstance(asked, Answer):
        return asked
    if call.as_json and len(asked) > MOST_IN_JSON:
        return error(call, TOO_MANY)
    found = call.index.xml(asked, call.day)
    pmids = call.alter(list(dict.fromkeys(asked)))
    nodes = {pmid: etree.fromstring(found[pmid], _parser()) for pmid in pmids if pmid in found}
    return _json(pmids, nodes) if call.as_json else _docsums(pmids, nodes)


def _parser() -> etree.XMLParser:
    """A parser that opens nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)


def _at(path: str) -> Callable[[etree._Element], str]:
    """Reads the text of the first element at a path."""
    return lambda node: plain_text(node.find(path))


def _each(path: str) -> Callable[[etree._Element], list[str]]:
    """Reads the texts of all elements at a path."""
    return lambda node: [plain_text(child) for child in node.iterfind(path)]


def printed_date(node: etree._Element) -> str:
    """Return the publication date as it is printed: "2019 Feb 3", "1978 Dec-1979 Jan"."""
    date = node.find(".//JournalIssue/PubDate")
    date = node.find("BookDocument/Book/PubDate") if date is None else date
    return "" if date is None else " ".join(plain_text(part) for part in date)


def source(node: etree._Element) -> str:
    """Return where the record stands: "2019 Feb;7(2):136-44"."""
    volume, issue, pages = (read(node) for read in (_VOLUME, _ISSUE, _PAGES))
    place = volume + (f"({issue})" if issue else "") + (f":{pages}" if pages else "")
    return f"{printed_date(node)};{place}"


def _issn(kind: str) -> Callable[[etree._Element], str]:
    """Reads the journal's ISSN of that kind."""
    return _at(f"MedlineCitation/Article/Journal/ISSN[@IssnType='{kind}']")


def _article_ids(node: etree._Element) -> list[tuple[str, str]]:
    """Types and values of the article's own ids."""
    return [
        (i.get("IdType", ""), plain_text(i)) for i in node.iterfind("*/ArticleIdList/ArticleId")
    ]


def _history(node: etree._Element) -> list[tuple[str, str]]:
    """States and dates of PubMed's history: ("entrez", "2019/02/03 00:00")."""
    found = []
    for date in node.iterfind("*/History/PubMedPubDate"):
        year, month, day, hour, minute = (
            plain_text(date.find(tag)) or "0" for tag in ("Year", "Month", "Day", "Hour", "Minute")
        )
        text = f"{year}/{int(month):02}/{int(day):02} {int(hour):02}:{int(minute):02}"
        found.append((date.get("PubStatus", ""), text))
    return found


def _last_author(node: etree._Element) -> str:
    """The last author."""
    return (authors(node) or ("",))[-1]


_VOLUME = _at("MedlineCitation/Article/Journal/JournalIssue/Volume")
_ISSUE = _at("MedlineCitation/Article/Journal/JournalIssue/Issue")
_PAGES = _at("MedlineCitation/Article/Pagination/MedlinePgn")
ITEMS = (
    Item("pubdate", "PubDate", "Date", printed_date),
    Item("source", "Source", "String", _at("MedlineCitation/Article/Journal/ISOAbbreviation")),
    Item("authors", "AuthorList", "Author", lambda node: list(authors(node))),
    Item("lastauthor", "LastAuthor", "String", _last_author),
    Item("title", "Title", "String", _at(".//ArticleTitle")),
    Item("volume", "Volume", "String", _VOLUME),
    Item("issue", "Issue", "String", _ISSUE),
    Item("pages", "Pages", "String", _PAGES),
    Item("lang", "LangList", "Lang", _each("*/Article/Language")),
    Item("nlmuniqueid", "NlmUniqueID", "String", _at("*/MedlineJournalInfo/NlmUniqueID")),
    Item("issn", "ISSN", "String", _issn("Print")),
    Item("essn", "ESSN", "String", _issn("Electronic")),
    Item("pubtype", "PubTypeList", "PubType", _each(".//PublicationType")),
    Item("pubstatus", "PubStatus", "String", _at("PubmedData/PublicationStatus")),
    Item("articleids", "ArticleIds", "String", _article_ids),
    Item("history", "History", "Date", _history),
    Item("fulljournalname", "FullJournalName", "String", _at("*/Article/Journal/Title")),
    Item("so", "SO", "String", source),
)


def _json(pmids: Sequence[int], nodes: Mapping[int, etree._Element]) -> Answer:
    """Summaries in JSON; an unknown PMID has an error in the place of its values."""
    result: dict[str, object] = {"uids": [str(pmid) for pmid in pmids]}
    for pmid in pmids:
        node = nodes.get(pmid)
        values = {"error": UNKNOWN} if node is None else _values(node)
        result[str(pmid)] = {"uid": str(pmid), **values}
    return as_json("esummary", {"result": result})


def _values(node: etree._Element) -> dict[str, object]:
    """A summary's values in JSON."""
    values: dict[str, object] = {item.name: item.read(node) for item in ITEMS}
    values["authors"] = [
        {"name": name, "authtype": "Author", "clusterid": ""} for name in authors(node)
    ]
    values["articleids"] = [{"idtype": k, "idtypen": 1, "value": v} for k, v in _article_ids(node)]
    values["history"] = [{"pubstatus": k, "date": v} for k, v in _history(node)]
    values["attributes"] = ["Has Abstract"] if node.find(".//Abstract") is not None else []
    return values


def _docsums(pmids: Sequence[int], nodes: Mapping[int, etree._Element]) -> Answer:
    """Summaries in XML; unknown PMIDs are named in an ERROR."""
    known = (
        f"<DocSum>\n\t<Id>{p}</Id>\n{_items(nodes[p])}</DocSum>\n" for p in pmids if p in nodes
    )
    lost = (f"<ERROR>UID={p}: {UNKNOWN}</ERROR>\n" for p in pmids if p not in nodes)
    return xml("esummary", "\n" + "\n".join((*known, *lost)))


def _items(node: etree._Element) -> str:
    """A summary's values in XML."""
    lines = []
    for item in ITEMS:
        value = item.read(node)
        if isinstance(value, str):
            lines.append(_item(item.item, item.kind, escape(value)))
        else:
            named = [v if isinstance(v, tuple) else (item.kind, v) for v in value]
            kind = item.kind if item.kind in ("Date", "String") else "String"
            inside = "".join(f"\n\t{_item(name, kind, escape(text))}" for name, text in named)
            lines.append(_item(item.item, "List", inside + "\n\t" if inside else ""))
    return "".join(f"\t{line}\n" for line in lines)


def _item(name: str, kind: str, inside: str) -> str:
    """One Item element."""
    return f"<Item Name={quoteattr(name)} Type={quoteattr(kind)}>{inside}</Item>"
