"""The source `pubmed`: searches PubMed and fetches its records over the E-utilities."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import Config
from pipeline.errors import ConfigError, FetchError, InputError, NothingFoundError
from pipeline.fetch.fields import search_id
from pipeline.fetch.transport import NO_IDS, Transport, UnusableError, connect, load_json
from pipeline.fetch.xml import read_entries
from pipeline.schema import Batch, Problem, Record, Search

#: PubMed's ESearch lists no more than the first 9,999 records of a query (NBK25499).
LIMIT = 9_999
#: PMIDs asked for in one ESearch.
PAGE = 5_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Page:
    """One ESearch answer."""

    count: int
    pmids: tuple[str, ...]
    translation: str
    warnings: tuple[str, ...]


def search(config: Config, *, today: str, transport: Transport | None = None) -> Search:
    """Run the query in PubMed.

    Parameters
    ----------
    config : Config
        `query` and `ncbi`.
    today : str
        The day of the search, YYYY-MM-DD.
    transport : Transport, optional
        By default one for `config.ncbi`.

    Returns
    -------
    Search
        All hits in PubMed's order, with PubMed's translation of the query and its warnings.

    Raises
    ------
    ConfigError
        If the query is blank, ncbi.email is not set, or the query has more than 9,999 hits.
    NothingFoundError
        If it has none.
    FetchError
        If PubMed cannot be asked, or lists fewer records than it counts.
    """
    query = config.query.strip()
    if not query:
        raise ConfigError("The query is empty; `source: pubmed` needs one under `query:`.")
    transport = transport or connect(config)
    first = _page(transport, query, 0)
    _check_count(first, query)
    pmids = list(first.pmids)
    while len(pmids) < first.count:
        page = _page(transport, query, len(pmids))
        if not page.pmids or page.count != first.count:
            break
        pmids += page.pmids
    ids = tuple(dict.fromkeys(f"pmid{pmid}" for pmid in pmids))
    if len(ids) != first.count:
        raise FetchError(
            f"PubMed counts {first.count} records but listed {len(ids)}; run it again."
        )
    name = search_id("pubmed", query, ids, today)
    return Search(name, "pubmed", query, today, first.count, ids, first.translation, first.warnings)


def fetch(
    search: Search,
    config: Config,
    *,
    skip: Collection[str] = (),
    progress: Progress | None = None,
    transport: Transport | None = None,
) -> Iterator[Batch]:
    """Fetch the records of a search, `config.ncbi.batch_size` at a time.

    Each answer is compared with what was asked. Records that it lacks are asked for once more, in
    a batch of their own; those still missing are Problems ("missing_record") of that batch.

    Parameters
    ----------
    search : Search
        What `search` returned.
    config : Config
        `ncbi`.
    skip : collection of str
        The record_ids that are stored already and not asked for again.
    progress : callable, optional
        Called after each batch with the records done and all records.
    transport : Transport, optional
        By default one for `config.ncbi`.

    Raises
    ------
    ConfigError
        If ncbi.email is not set.
    FetchError
        If an answer cannot be had; the batches yielded before stand.
    """
    transport = transport or connect(config)
    size, ids, stored = config.ncbi.batch_size, search.record_ids, set(skip)
    for start in range(0, len(ids), size):
        asked = [i for i in ids[start : start + size] if i not in stored]
        if asked:
            yield from _batches(transport, asked, start // size + 1)
        if progress:
            progress(min(start + size, len(ids)), len(ids))


def _page(transport: Transport, query: str, start: int) -> _Page:
    """Ask for one page of the hits."""
    form = {"db": "pubmed", "term": query, "retmode": "json"}
    place = {"retstart": str(start), "retmax": str(min(PAGE, LIMIT - start))}
    return transport.ask("esearch.fcgi", {**form, **place}, _read_page)


def _read_page(body: bytes) -> _Page:
    """Read an ESearch answer."""
    data = load_json(body)
    result: dict[str, Any] = data.get("esearchresult", {}) if isinstance(data, dict) else {}
    try:
        count, pmids = int(result["count"]), tuple(str(int(i)) for i in result["idlist"])
    except (KeyError, TypeError, ValueError):
        raise UnusableError("an ESearch answer without count or idlist") from None
    return _Page(count, pmids, str(result.get("querytranslation", "")), tuple(_warnings(result)))


def _warnings(result: dict[str, Any]) -> Iterator[str]:
    """What PubMed says of the query: "phrasesnotfound: ivigg[tiab]"."""
    for part in ("errorlist", "warninglist"):
        for kind, texts in (result.get(part) or {}).items():
            yield from (f"{kind}: {text}" for text in texts)


def _check_count(page: _Page, query: str) -> None:
    """Refuse no hits and more hits than PubMed lists."""
    said = f"PubMed read it as {page.translation!r}"
    said += f" ({'; '.join(page.warnings)})" if page.warnings else ""
    if page.count == 0:
        raise NothingFoundError(f"No PubMed record matches {query!r}; {said}.")
    if page.count > LIMIT:
        raise ConfigError(
            f"The query has {page.count} hits; more than {LIMIT} are not yet supported, and none "
            f"may be lost: narrow the query {query!r}."
        )


def _batches(transport: Transport, asked: Sequence[str], number: int) -> Iterator[Batch]:
    """Fetch these records, and once more those the answer lacks."""
    batch = _batch(transport, asked, f"efetch-{number:04d}")
    yield batch
    found = {r.record_id for r in batch.records}
    missing = [i for i in asked if i not in found]
    if missing:
        again = _batch(transport, missing, f"efetch-{number:04d}-again")
        yield _with_missing(again, missing)


def _with_missing(batch: Batch, asked: Sequence[str]) -> Batch:
    """The batch with a problem for each record that was asked for twice and did not come."""
    found = {r.record_id for r in batch.records}
    missing = tuple(
        Problem("missing_record", f"PubMed listed {i} but returned no record, asked twice.")
        for i in asked
        if i not in found
    )
    problems = (*batch.problems, *missing)
    return Batch(batch.name, batch.media_type, batch.raw, batch.records, problems)


def _batch(transport: Transport, asked: Sequence[str], name: str) -> Batch:
    """Fetch these records; the name carries the answer's hash, since an answer may change."""
    pmids = ",".join(i.removeprefix("pmid") for i in asked)
    form = {"db": "pubmed", "id": pmids, "retmode": "xml"}
    raw, entries = transport.ask("efetch.fcgi", form, _read_records)
    read = {e.record_id: e for e in entries if isinstance(e, Record)}
    records = tuple(read.pop(i) for i in asked if i in read)
    unasked = tuple(
        Problem("unasked_record", f"PubMed returned {i}, which was not asked for; it was left out.")
        for i in read
    )
    problems = tuple(e for e in entries if isinstance(e, Problem)) + unasked
    digest = hashlib.sha256(raw).hexdigest()[:12]
    return Batch(f"{name}-{digest}.xml", "application/xml", raw, records, problems)


def _read_records(body: bytes) -> tuple[bytes, list[Record | Problem]]:
    """Read an EFetch answer; one that breaks off is asked for again."""
    if NO_IDS in body[:500]:
        return body, []
    try:
        return body, list(read_entries(body, name="EFetch's answer"))
    except InputError as error:
        raise UnusableError(str(error).rstrip(".")) from None
