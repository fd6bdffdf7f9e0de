"""Lists the hits of a query over ESearch: PMID range by PMID range, where they are many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.errors import FetchError
from pipeline.fetch.answers import UnusableError, load_json
from pipeline.fetch.transport import Transport

#: PubMed's ESearch lists no more than the first 9,999 records of a query (NBK25499).
LIMIT = 9_999
#: How many hits a range is cut to hold: somewhat fewer than are listed, since it is a guess.
AIM = 9_000
#: A range is at most this many times as wide as the one before it.
GROWTH = 8
#: What NCBI says of a query whose parentheses do not pair; of another one it is a passing fault.
UNREADABLE = ("search backend failed",)
#: PMIDs have one to eight digits (NLM, *MEDLINE/PubMed Data Element Descriptions*, PMID).
HIGHEST = 99_999_999


@dataclass(frozen=True, slots=True)
class Page:
    """One ESearch answer: all hits are counted, the first 9,999 listed."""

    count: int
    pmids: tuple[str, ...]
    translation: str = ""
    warnings: tuple[str, ...] = ()


def first_page(transport: Transport, query: str) -> Page:
    """Ask for a query as it was typed.

    Raises
    ------
    FetchError
        If ESearch cannot be asked, or lists fewer records than it counts; at once if it fails on a
        query whose parentheses do not pair.
    """
    stays = () if _paired(query) else UNREADABLE
    return transport.ask("esearch.fcgi", _form(query), _read_page, stays=stays)


def all_pmids(transport: Transport, query: str, first: Page) -> tuple[str, ...]:
    """List all hits of a query; `first` is its first page.

    Up to 9,999 are in PubMed's order. More are asked for by ranges of PMIDs, from the newest to
    the oldest, and stand in that order. No range is passed over and each lists all it counts, so
    none can be lost to the order of the hits or to records that come in meanwhile.

    Raises
    ------
    FetchError
        If ESearch cannot be asked, or the ranges do not add up to what PubMed counts.
    """
    if first.count <= LIMIT:
        return first.pmids
    pmids = [p for part in _parts(_asker(transport, query), first) for p in part]
    count = first.count
    if len(pmids) != count:  # perhaps a record came in meanwhile
        count = first_page(transport, query).count
    if len(pmids) != count:
        raise FetchError(f"PubMed counts {count} records but listed {len(pmids)}; run it again.")
    return tuple(sorted(pmids, key=int, reverse=True))


def _paired(query: str) -> bool:
    """Whether each parenthesis of a query has its other one, those in quoted phrases left out."""
    depth = 0
    for letter in "".join(query.split('"')[::2]):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return False
    return depth == 0


def _parts(ask: Callable[[int, int], Page], first: Page) -> Iterator[tuple[str, ...]]:
    """The hits range by range, from the highest PMID down to 1."""
    high, found = HIGHEST, 0
    width = max(1, high - max(map(int, first.pmids)))  # above the newest one known
    while high >= 1:
        low = 1 if first.count - found <= LIMIT else max(1, high - width + 1)
        page = ask(low, high)
        if page.count > LIMIT:
            width = _narrower(page, low, high)
            continue
        yield page.pmids
        found += page.count
        width = (high - low + 1) * AIM // max(page.count, AIM // GROWTH)
        high = low - 1


def _narrower(page: Page, low: int, high: int) -> int:
    """A width that holds about `AIM` hits below `high`, where the whole range holds too many.

    PubMed lists newer records first, as a rule: then the listed ones show where to cut. Where
    they are spread over the range they do not, and the hits are taken to be spread evenly.
    """
    listed = high - sorted(map(int, page.pmids))[-AIM] + 1
    evenly = (high - low + 1) * AIM // page.count
    return listed if listed < (high - low + 1) / 2 else evenly


def _asker(transport: Transport, query: str) -> Callable[[int, int], Page]:
    """Returns what asks for the hits of a query between two PMIDs, both included."""

    def ask(low: int, high: int) -> Page:
        def read(body: bytes) -> Page:
            return _within(_read_page(body), low, high)

        return transport.ask("esearch.fcgi", _form(f"({query}) AND {low}:{high}[UID]"), read)

    return ask


def _form(term: str) -> dict[str, str]:
    """The fields of a request for count and ids at once."""
    form = {"db": "pubmed", "term": term, "retmode": "json"}
    return {**form, "retstart": "0", "retmax": str(LIMIT)}


def _read_page(body: bytes) -> Page:
    """Read an ESearch answer, which must list what it counts, each once."""
    data = load_json(body)
    result: dict[str, Any] = data.get("esearchresult", {}) if isinstance(data, dict) else {}
    try:
        count, pmids = int(result["count"]), tuple(str(int(i)) for i in result["idlist"])
    except (KeyError, TypeError, ValueError):
        raise UnusableError("an ESearch answer without count or idlist") from None
    listed = len(set(pmids))
    if listed != len(pmids) or listed != min(count, LIMIT):
        raise UnusableError(f"PubMed counts {count} records but listed {listed}")
    return Page(count, pmids, str(result.get("querytranslation", "")), tuple(_warnings(result)))


def _within(page: Page, low: int, high: int) -> Page:
    """The page, if its records lie in the range that was asked for."""
    if page.count > high - low + 1 or not all(low <= int(p) <= high for p in page.pmids):
        raise UnusableError(f"PubMed listed records outside {low}:{high}[UID]")
    return page


def _warnings(result: dict[str, Any]) -> Iterator[str]:
    """What PubMed says of the query: "phrasesnotfound: ivigg[tiab]"."""
    for part in ("errorlist", "warninglist"):
        for kind, texts in (result.get(part) or {}).items():
            yield from (f"{kind}: {text}" for text in texts)
