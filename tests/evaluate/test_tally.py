"""Shares and their bootstrap intervals: exact counts, the same seed the same interval."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.evaluate.match import Match
from pipeline.evaluate.tally import Tally, tallies


def one(record: str, gold: object, predicted: object) -> Match:
    """A match that is right where both sides say the same."""
    return Match(record, "n_total", gold, predicted, gold == predicted)


def tally(matches: list[Match], records: list[str], **options: int) -> Tally:
    """The only row."""
    (row,) = tallies(matches, records, lambda m: m.field, **options)
    return row


def test_shares_are_of_what_was_read_and_of_what_gold_holds() -> None:
    matches = [one("a", 1, 1), one("b", 2, 3), one("c", 4, None), one("c", None, 5)]
    row = tally(matches, ["a", "b", "c", "d"])
    assert (row.right, row.predicted, row.gold, row.records) == (1, 3, 3, 3)
    assert row.precision.value == row.recall.value == row.f1.value == pytest.approx(1 / 3)


def test_nothing_to_divide_by_has_no_share() -> None:
    row = tally([one("a", 1, None)], ["a"])
    assert row.precision.value is None
    assert (row.recall.value, row.f1.value) == (0, 0)


def test_the_same_seed_gives_the_same_interval_and_another_a_near_one() -> None:
    records = [str(i) for i in range(60)]
    matches = [one(r, 1, int(int(r) % 3 > 0)) for r in records]
    first, again, other = (tally(matches, records, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first.recall.low == pytest.approx(other.recall.low, abs=0.05)


def test_the_interval_is_that_of_a_binomial_where_each_record_has_one_value() -> None:
    """Resampling n values of 0 and 1 draws from Binomial(n, share): its quantiles are known."""
    records = [str(i) for i in range(200)]
    matches = [one(r, 1, 1 if int(r) < 150 else 0) for r in records]
    row = tally(matches, records, resamples=20_000)
    spread = 1.96 * np.sqrt(0.75 * 0.25 / 200)
    assert (row.recall.low, row.recall.high) == pytest.approx(
        (0.75 - spread, 0.75 + spread), abs=0.006
    )


def test_values_of_one_record_are_drawn_together() -> None:
    """Forty values in four records tell less than forty records with one each."""
    many = [str(i) for i in range(40)]
    alone = tally([one(r, 1, int(int(r) % 2)) for r in many], many)
    joined = tally([one(str(i % 4), 1, i % 2) for i in range(40)], ["0", "1", "2", "3"])
    assert alone.recall.value == joined.recall.value
    assert _width(joined) > _width(alone)


def _width(row: Tally) -> float:
    """The width of the recall's interval."""
    assert row.recall.low is not None
    assert row.recall.high is not None
    return row.recall.high - row.recall.low


def test_without_resamples_there_is_no_interval() -> None:
    row = tally([one("a", 1, 1)], ["a"], resamples=0)
    assert (row.recall.value, row.recall.low, row.recall.high) == (1, None, None)


def test_rows_stand_in_the_order_that_is_asked_for() -> None:
    matches = [Match("a", name, 1, 1, True) for name in ("x", "y", "z")]
    rows = tallies(matches, ["a"], lambda m: m.field, names=["z", "none", "x"])
    assert [row.name for row in rows] == ["z", "x"]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=30))
def test_a_share_lies_in_its_interval_and_in_0_to_1(values: list[tuple[int, bool]]) -> None:
    records = [str(i) for i in range(6)]
    row = tally([one(str(r), 1, int(ok)) for r, ok in values], records, resamples=400)
    assert row.f1.value is not None
    assert row.f1.low is not None
    assert row.f1.high is not None
    assert 0 <= row.f1.low <= row.f1.high <= 1
