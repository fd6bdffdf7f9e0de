"""Searches with more hits than ESearch lists: every record, none twice, in few calls."""

from __future__ import annotations

import json
import random
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import TypeVar
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FetchError
from pipeline.fetch import esearch
from pipeline.fetch.answers import UnusableError
from pipeline.fetch.esearch import HIGHEST, all_pmids, first_page

T = TypeVar("T")
QUERY = "ivig OR immunoglobulin"
RANGE = re.compile(r"\((.*)\) AND (\d+):(\d+)\[UID\]")


class PubMed:
    """A PubMed that holds these PMIDs, in an order of its own, and counts its calls.

    `meanwhile` is called after each answer; it may change the records.
    """

    def __init__(
        self,
        pmids: Iterable[int],
        order: Callable[[list[int]], list[int]] = lambda pmids: pmids[::-1],
        meanwhile: Callable[[PubMed], None] = lambda pubmed: None,
    ) -> None:
        self.pmids, self.order, self.meanwhile = sorted(pmids), order, meanwhile
        self.terms: list[str] = []

    def ask(
        self,
        utility: str,
        form: dict[str, str],
        read: Callable[[bytes], T],
        *,
        stays: tuple[str, ...] = (),
    ) -> T:
        """Answer as ESearch does; an unusable answer is not asked for again."""
        assert utility == "esearch.fcgi"
        self.terms.append(form["term"])
        low, high = self._range(form["term"])
        found = self.pmids[bisect_left(self.pmids, low) : bisect_right(self.pmids, high)]
        self.meanwhile(self)
        listed = self.order(found)[: min(int(form["retmax"]), esearch.LIMIT)]
        result = {"count": str(len(found)), "idlist": [str(i) for i in listed]}
        try:
            return read(json.dumps({"esearchresult": result}).encode())
        except UnusableError as error:
            raise FetchError(str(error)) from None

    @staticmethod
    def _range(term: str) -> tuple[int, int]:
        """The range of a term; the query in it is as it was typed."""
        found = RANGE.fullmatch(term)
        assert (found[1] if found else term) == QUERY
        return (int(found[2]), int(found[3])) if found else (1, HIGHEST)


def listed(pubmed: PubMed) -> tuple[int, ...]:
    """All PMIDs that a search in this PubMed lists."""
    return tuple(map(int, all_pmids(pubmed, QUERY, first_page(pubmed, QUERY))))  # type: ignore[arg-type]


def newest_first(pmids: list[int]) -> list[int]:
    """PubMed's order of an ESearch, as a rule."""
    return pmids[::-1]


def oldest_first(pmids: list[int]) -> list[int]:
    """The order that hints least at where to cut."""
    return pmids


def shuffled(pmids: list[int]) -> list[int]:
    """By relevance: no order to speak of."""
    return random.Random(0).sample(pmids, len(pmids))  # noqa: S311


def even(n: int) -> list[int]:
    """PMIDs at equal distances up to 41 million, where PubMed stood in 2025."""
    return [(i + 1) * 41_000_000 // n for i in range(n)]


def rising(n: int) -> list[int]:
    """PMIDs that lie ever denser: a subject on which more is published each year."""
    return sorted({int(41_000_000 * ((i + 1) / n) ** 0.25) for i in range(n)})


def bunched(n: int) -> list[int]:
    """PMIDs in twelve bunches with nothing between them."""
    pick = random.Random(1)  # noqa: S311
    centres = [pick.randint(1, 40_000_000) for _ in range(12)]
    found: set[int] = set()
    while len(found) < n:
        found.add(pick.choice(centres) + int(abs(pick.gauss(0, 2e5))))
    return sorted(found)


def one_more(pubmed: PubMed) -> None:
    """A record comes in after the first call."""
    if len(pubmed.terms) == 1:
        pubmed.pmids.append(41_000_001)


class TestManyHits:
    """More than 9,999."""

    @pytest.mark.parametrize(
        ("order", "calls"), [(newest_first, 20), (shuffled, 40), (oldest_first, 100)]
    )
    @pytest.mark.parametrize("spread", [even, rising, bunched, lambda n: list(range(1, n + 1))])
    def test_all_are_listed_the_newest_first(
        self,
        *,
        spread: Callable[[int], list[int]],
        order: Callable[[list[int]], list[int]],
        calls: int,
    ) -> None:
        pmids = spread(50_000)
        pubmed = PubMed(pmids, order)
        assert listed(pubmed) == tuple(pmids[::-1])
        assert len(pubmed.terms) <= calls

    @pytest.mark.parametrize("spread", [even, rising, bunched])
    def test_320_000_take_at_most_100_calls(self, spread: Callable[[int], list[int]]) -> None:
        """Issue 3's bound; halving the ranges as EDirect does takes 87 to 91 (pubmed.md)."""
        pmids = spread(320_000)
        pubmed = PubMed(pmids)
        assert listed(pubmed) == tuple(pmids[::-1])
        assert len(pubmed.terms) <= 100

    @pytest.mark.parametrize(("n", "calls"), [(9_998, 1), (9_999, 1), (10_000, 5)])
    def test_at_the_limit(self, n: int, calls: int) -> None:
        pubmed = PubMed(range(1, n + 1))
        assert listed(pubmed) == tuple(range(n, 0, -1))
        assert len(pubmed.terms) <= calls

    def test_up_to_the_limit_they_stay_in_pubmeds_order(self) -> None:
        pubmed = PubMed(range(1, 100), shuffled)
        assert listed(pubmed) == tuple(shuffled(list(range(1, 100))))

    @given(
        pmids=st.sets(st.integers(1, 400) | st.integers(1, HIGHEST), min_size=1, max_size=150),
        seed=st.none() | st.integers(0, 3),
    )
    def test_whatever_the_numbers_and_their_order(self, pmids: set[int], seed: int | None) -> None:
        """With a limit of 9 instead of 9,999, so that small sets need many ranges."""

        def order(found: list[int]) -> list[int]:
            pick = random.Random(seed)  # noqa: S311
            return found if seed is None else pick.sample(found, len(found))

        with patch.multiple(esearch, LIMIT=9, AIM=8, GROWTH=4):
            assert sorted(listed(PubMed(pmids, order))) == sorted(pmids)

    def test_records_that_come_in_meanwhile_push_none_out(self) -> None:
        """One that comes in after each call cannot be told from one lost: that is an error."""
        pmids = even(30_000)
        pubmed = PubMed(pmids, meanwhile=lambda p: p.pmids.append(p.pmids[-1] + 1))
        with pytest.raises(FetchError, match="run it again"):
            listed(pubmed)
        pubmed = PubMed(pmids, meanwhile=one_more)
        assert listed(pubmed) == (41_000_001, *pmids[::-1])

    def test_a_server_that_ignores_the_range_is_not_believed(self) -> None:
        pubmed = PubMed(even(30_000))
        pubmed._range = lambda term: (1, HIGHEST)  # type: ignore[method-assign]
        with pytest.raises(FetchError, match=r"outside \d+:\d+\[UID\]"):
            listed(pubmed)

    def test_ranges_that_do_not_add_up_are_an_error(self) -> None:
        """A range query that loses a record which the query alone counts."""
        pubmed = PubMed(even(30_000))
        whole = pubmed.pmids
        pubmed.meanwhile = lambda p: None

        def lossy(term: str) -> tuple[int, int]:
            pubmed.pmids = whole if term == QUERY else whole[:100] + whole[101:]
            return PubMed._range(term)

        pubmed._range = lossy  # type: ignore[method-assign]
        with pytest.raises(FetchError, match="counts 30000 records but listed 29999"):
            listed(pubmed)


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        ({"count": "3", "idlist": ["1", "2"]}, "counts 3 records but listed 2"),
        ({"count": "2", "idlist": ["1", "1"]}, "counts 2 records but listed 1"),
        ({"count": "2", "idlist": ["1", "2", "1"]}, "counts 2 records but listed 2"),
        ({"count": "1", "idlist": ["1", "2"]}, "counts 1 records but listed 2"),
        ({"count": "10000", "idlist": ["1"]}, "counts 10000 records but listed 1"),
        ({"count": "x", "idlist": []}, "without count or idlist"),
        ({"idlist": []}, "without count or idlist"),
    ],
)
def test_a_page_that_contradicts_itself_is_asked_for_again(
    result: dict[str, object], reason: str
) -> None:
    with pytest.raises(UnusableError, match=reason):
        esearch._read_page(json.dumps({"esearchresult": result}).encode())
