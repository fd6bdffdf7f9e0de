"""The table of confidence: smoothed, falling with doubt, and honest on records held back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.extract.confidence import MOST_DOUBTS
from pipeline.schema import Record, Section
from pipeline.train.confidence import PRIOR, Judged, calibrations, fit, judged
from pipeline.train.plot import reliability

TEXT = "Twelve patients had IVIg 0.4 g/kg/day for 5 days. Nine of 12 improved."


def many(field: str, doubts: int, right: int, wrong: int) -> list[Judged]:
    """So many right and wrong readings, each of a record of its own."""
    told = [True] * right + [False] * wrong
    return [Judged(f"{field}{doubts}{i}", field, doubts, ok) for i, ok in enumerate(told)]


def test_a_share_is_drawn_to_its_field_and_the_field_to_all() -> None:
    """Overall (91 + 1) / (100 + 2); each step adds `PRIOR` readings of what it borrows from."""
    rows = {(r.field, r.doubts): r for r in fit(many("x", 0, 90, 5) + many("x", 1, 1, 4))}
    overall = 92 / 102
    field = (91 + PRIOR * overall) / (100 + PRIOR)
    assert rows["x", 0].confidence == pytest.approx((90 + PRIOR * field) / 99, abs=0.005)
    assert rows["x", 1].confidence == pytest.approx((1 + PRIOR * field) / 9, abs=0.005)
    assert (rows["x", 1].n, rows["x", 1].right) == (5, 1)


def test_more_doubts_never_mean_more_confidence() -> None:
    rows = fit(many("x", 0, 1, 9) + many("x", 1, 10, 0))
    assert rows[0].confidence == rows[1].confidence


def test_nothing_is_certain() -> None:
    assert fit(many("x", 0, 500, 0))[0].confidence < 1


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, MOST_DOUBTS), st.booleans()), min_size=1
    )
)
def test_every_field_has_a_falling_row_for_each_number_of_doubts(
    readings: list[tuple[str, int, bool]],
) -> None:
    rows = fit([Judged(f"r{i}", f, d, ok) for i, (f, d, ok) in enumerate(readings)])
    for field in {f for f, _, _ in readings}:
        shares = [r.confidence for r in rows if r.field == field]
        assert len(shares) == MOST_DOUBTS + 1
        assert shares == sorted(shares, reverse=True)
        assert all(0 <= s < 1 for s in shares)


def test_a_table_by_field_and_doubt_tells_more_where_they_matter() -> None:
    told = many("x", 0, 95, 5) + many("x", 1, 10, 40) + many("y", 0, 30, 30)
    alike, by_field, whole = calibrations(told)
    assert alike.brier > by_field.brier > whole.brier
    assert whole.ece < 0.1
    assert sum(b.n for b in whole.bins) == whole.n == len(told)


def test_readings_are_judged_by_gold_and_the_rest_is_left_out(config: Config) -> None:
    record = Record("r", "Open-label study of IVIg in CIDP", (Section(TEXT),))
    gold = {
        "design": "single_arm_prospective",
        "n_total": 13,
        "doses": [{"amount": 0.4, "unit": "g/kg", "per": "day", "duration_days": 5}],
    }
    found = judged({"r": gold}, [record, Record("other", "IVIg in CIDP")], config)
    right = {(j.field, j.right) for j in found}
    assert {("n_total", False), ("doses", True), ("doses.duration_days", True)} <= right
    assert {j.record_id for j in found} == {"r"}
    assert not {j.field for j in found} & {"outcomes", "outcomes.value"}


def test_the_plot_is_the_same_png_each_time() -> None:
    found = calibrations(many("x", 0, 30, 5) + many("x", 1, 5, 10))[-1]
    assert reliability(found) == reliability(found)
    assert reliability(found).startswith(b"\x89PNG")
