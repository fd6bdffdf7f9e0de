"""The source `pubmed`: searches PubMed and fetches its records over the E-utilities."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from pipeline.config import Config
from pipeline.errors import ConfigError, InputError, NothingFoundError
from pipeline.fetch.answers import NO_IDS, UnusableError
from pipeline.fetch.esearch import LIMIT, Page, all_pmids, first_page
from pipeline.fetch.fields import search_id
from pipeline.fetch.transport import ATTEMPTS, Transport, connect, interval
from pipeline.fetch.xml import read_entries
from pipeline.schema import Batch, Problem, Record, Search
from pipeline.schema.events import Tell, silent

#: So many answers in a row without any of the records asked for, and they count as missing.
ASKED = ATTEMPTS

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a fetch would take: records, requests, and the seconds the rate allows them in."""

    records: int
    requests: int
    seconds: float


def search(
    config: Config, *, today: str, tell: Tell = silent, transport: Transport | None = None
) -> Search:
    """Run the query in PubMed.

    Parameters
    ----------
    config : Config
        `query` and `ncbi`.
    today : str
        The day of the search, YYYY-MM-DD.
    tell : callable
        Learns of requests that are sent again.
    transport : Transport, optional
        By default one for `config.ncbi`.

    Returns
    -------
    Search
        All hits, with PubMed's translation of the query and its warnings: up to 9,999 in
        PubMed's order, more from the newest PMID to the oldest.

    Raises
    ------
    ConfigError
        If the query is blank, or ncbi.email is not set.
    NothingFoundError
        If it has no hit.
    FetchError
        If PubMed cannot be asked, or lists fewer records than it counts.
    """
    query = config.query.strip()
    if not query:
        raise ConfigError("The query is empty; `source: pubmed` needs one under `query:`.")
    transport = transport or connect(config, via=config.ncbi.transport, tell=tell)
    first = first_page(transport, query)
    if first.count == 0:
        raise NothingFoundError(_nothing(query, first))
    ids = tuple(f"pmid{pmid}" for pmid in all_pmids(transport, query, first))
    name = search_id("pubmed", query, ids, today)
    return Search(name, "pubmed", query, today, len(ids), ids, first.translation, first.warnings)


def search_again(
    config: Config,
    *,
    today: str,
    since: str,
    known: Search,
    tell: Tell = silent,
    transport: Transport | None = None,
) -> Search:
    """Run a query again: all of it where PubMed lists it at once, else what was created since.

    Up to 9,999 hits are listed whole, so that a record that was added late or left the query is
    seen. Of more, those created (CRDT) from `since` on are added to what an earlier search found:
    the entry date (EDAT) may lie years back, the create date does not.

    Parameters
    ----------
    config, today, tell, transport : as of `search`
    since : str
        YYYY-MM-DD: the day of the last complete search, less an overlap.
    known : Search
        The last search of this query.

    Raises
    ------
    ConfigError, NothingFoundError, FetchError
        As of `search`.
    """
    query = config.query.strip()
    transport = transport or connect(config, via=config.ncbi.transport, tell=tell)
    first = first_page(transport, query)
    if first.count <= LIMIT:
        return search(config, today=today, tell=tell, transport=transport)
    window = f'({query}) AND ("{since.replace("-", "/")}"[crdt] : "3000"[crdt])'
    page = first_page(transport, window)
    new = (f"pmid{pmid}" for pmid in all_pmids(transport, window, page))
    ids = tuple(dict.fromkeys([*new, *known.record_ids]))
    name = search_id("pubmed", query, ids, today)
    return Search(name, "pubmed", query, today, len(ids), ids, first.translation, first.warnings)


def plan(search: Search, config: Config, *, skip: Collection[str] = ()) -> Plan:
    """Say what `fetch` would take with the same arguments, without faults."""
    calls = [len(asked) for _, asked in _asked(search, config, skip)]
    return Plan(sum(calls), len(calls), len(calls) * interval(config))


def fetch(
    search: Search,
    config: Config,
    *,
    skip: Collection[str] = (),
    progress: Progress | None = None,
    tell: Tell = silent,
    transport: Transport | None = None,
) -> Iterator[Batch]:
    """Fetch the records of a search, `config.ncbi.batch_size` at a time.

    Each answer is compared with what was asked. Records that it lacks are asked for again, in
    batches of their own, until several in a row bring none of them: then they are Problems
    ("missing_record") of the last one.

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
    tell : callable
        Learns of requests that are sent again.
    transport : Transport, optional
        By default one for `config.ncbi`.

    Raises
    ------
    ConfigError
        If ncbi.email is not set.
    FetchError
        If an answer cannot be had; the batches yielded before stand.
    """
    transport = transport or connect(config, via=config.ncbi.transport, tell=tell)
    total = len(search.record_ids)
    done = total - plan(search, config, skip=skip).records
    for number, asked in _asked(search, config, skip):
        yield from _batches(transport, asked, number)
        done += len(asked)
        if progress:
            progress(done, total)


def _asked(
    search: Search, config: Config, skip: Collection[str]
) -> Iterator[tuple[int, list[str]]]:
    """The ids of each batch that are not stored, with its number: a resumed fetch keeps both."""
    size, ids, stored = config.ncbi.batch_size, search.record_ids, set(skip)
    for start in range(0, len(ids), size):
        asked = [i for i in ids[start : start + size] if i not in stored]
        if asked:
            yield start // size + 1, asked


def _nothing(query: str, page: Page) -> str:
    """The message for no hit: how PubMed read the query."""
    said = f"PubMed read it as {page.translation!r}"
    said += f" ({'; '.join(page.warnings)})" if page.warnings else ""
    return f"No PubMed record matches {query!r}; {said}."


def _batches(transport: Transport, asked: Sequence[str], number: int) -> Iterator[Batch]:
    """Fetch these records, and again those the answers lack."""
    name, missing, in_vain = f"efetch-{number:04d}", list(asked), 0
    for time in count(1):
        batch = _batch(transport, missing, name if time == 1 else f"{name}-again{time}")
        in_vain = 0 if batch.records else in_vain + 1
        found = {r.record_id for r in batch.records}
        missing = [i for i in missing if i not in found]
        if missing and in_vain == ASKED:
            yield replace(batch, problems=(*batch.problems, *map(_missing, missing)))
            return
        yield batch
        if not missing:
            return


def _missing(record_id: str) -> Problem:
    """The problem of a record that did not come."""
    return Problem(
        "missing_record",
        f"PubMed listed {record_id} but returned no record in {ASKED} answers in a row.",
    )


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
    name = f"{name}-{digest}.xml"
    return Batch(name, "application/xml", raw, records, problems, asked=len(asked))


def _read_records(body: bytes) -> tuple[bytes, list[Record | Problem]]:
    """Read an EFetch answer; one that breaks off is asked for again."""
    if any(said in body[:500] for said in NO_IDS) and b"<Pubmed" not in body:
        return body, []
    try:
        return body, list(read_entries(body, name="EFetch's answer"))
    except InputError as error:
        raise UnusableError(str(error).rstrip(".")) from None
