"""Searching again: all ids where PubMed lists them, else those created since, by create date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.config import Config
from pipeline.eutils_server import Server, Synthetic, serving
from pipeline.evidence import known_since
from pipeline.fetch import SEARCHED_AGAIN, SOURCES
from pipeline.schema import Dates, Record, Search

KNOWN = Search("s", "pubmed", "trial[tiab]", "2025-06-01", 2, ("pmid5", "pmid7"))


def asking(config: Config, server: Server) -> Config:
    """The protocol, asking this server for all records."""
    ncbi = {"base_url": server.base_url, "email": "test@example.org"}
    ncbi = config.ncbi.model_copy(update=ncbi)
    return config.model_copy(update={"source": "pubmed", "query": "trial[tiab]", "ncbi": ncbi})


def test_a_short_list_is_compared_whole(config: Config) -> None:
    with serving(Synthetic(50, "dense"), rate_limit=False) as server:
        asked = asking(config, server)
        again = SEARCHED_AGAIN["pubmed"](asked, today="2026-01-01", since="2025-12-01", known=KNOWN)
        assert again == SOURCES["pubmed"].search(asked, today="2026-01-01")
        assert again.count == 50


def test_of_a_long_list_those_created_since_are_added(config: Config) -> None:
    with serving(Synthetic(12_000, "dense"), rate_limit=False) as server:
        asked = asking(config, server)
        before = len(server.journal.of("esearch"))
        again = SEARCHED_AGAIN["pubmed"](asked, today="2026-01-01", since="2025-12-01", known=KNOWN)
        assert len(server.journal.of("esearch")) - before == 2
        last = server.journal.of("esearch")[-1].params["term"]
    assert last == '(trial[tiab]) AND ("2025/12/01"[crdt] : "3000"[crdt])'
    new = [int(i.removeprefix("pmid")) for i in again.record_ids if i not in KNOWN.record_ids]
    assert sorted(new) == list(range(min(new), 12_001))
    assert 0 < len(new) < 100
    assert set(KNOWN.record_ids) < set(again.record_ids)
    assert again.search_id != replace(KNOWN).search_id


@pytest.mark.parametrize(
    ("record", "day"),
    [
        (Record("pmid1", "T", year=2010, dates=Dates(entrez="2012-03-04")), "2012-03-04"),
        (Record("pmid1", "T", year=2010, dates=Dates(created="2011-03-04")), "2011-03-04"),
        (Record("pmid1", "T", year=2010), "2010-12-31"),
        (Record("pmid1", "T", dates=Dates(electronic="2010-02")), "2010-02-31"),
        (Record("pmid1", "T"), ""),
    ],
)
def test_a_record_is_known_since_its_create_date_else_since_it_was_published(
    record: Record, day: str
) -> None:
    assert known_since(record) == day
