"""Axes of figures: what they reach, their ticks, and lines cut where a plot ends."""

from __future__ import annotations

from math import inf, isfinite, log, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.effects.formulas import FORMULAS
from pipeline.report.figures.clip import arrowhead, runs
from pipeline.report.figures.scale import (
    MOST,
    effect_scale,
    label,
    limits,
    linear_scale,
    padded,
    zero_scale,
)
from pipeline.report.figures.studies import view_of

ANY = st.floats(allow_nan=False, allow_infinity=False)
MODEST = st.floats(-1e6, 1e6)


def test_an_extreme_value_does_not_stretch_the_axis_unless_it_must_be_seen() -> None:
    usual = [1.0, 1.2, 0.8, 1.1, 0.9]
    assert limits([*usual, 1e9]) == (0.8, 1.2)
    assert limits([*usual, 1e9], [0.0]) == (0.0, 1.2)
    assert limits(usual, [1e9]) == (0.8, 1e9)


def test_few_values_are_all_shown_and_missing_ones_passed_over() -> None:
    assert limits([1.0, 1e9]) == (1.0, 1e9)
    assert limits([nan, inf, 2.0]) == (2.0, 2.0)
    assert limits([]) == (0.0, 0.0)
    assert limits([1.0] * 5 + [3.0]) == (1.0, 3.0)


@given(st.lists(ANY, max_size=8), st.lists(ANY, max_size=2))
def test_any_numbers_give_an_axis(values: list[float], keep: list[float]) -> None:
    lo, hi = padded(*limits(values, keep))
    made = linear_scale(lo, hi)
    assert isfinite(hi - lo)
    assert lo < hi
    assert 1 <= len(made.ticks) <= MOST
    assert all(made.holds(t) for t in made.ticks)
    assert all(0 <= made.position(v) <= 1 for v in values)


@given(MODEST, st.floats(1e-3, 1e6))
def test_labels_of_an_axis_differ(lo: float, width: float) -> None:
    made = linear_scale(lo, lo + width)
    assert len(set(made.labels)) == len(made.labels) >= 2
    for tick, text in zip(made.ticks, made.labels, strict=True):
        shown = float(text.replace("\N{MINUS SIGN}", "-"))
        assert shown == pytest.approx(tick, abs=width / 100)


def test_an_axis_may_run_downwards() -> None:
    made = linear_scale(0.8, 0.0)
    assert made.position(0.8) == 0
    assert made.position(0.0) == 1
    assert made.ticks[0] == 0


def test_a_zero_based_axis_begins_at_zero_even_without_values() -> None:
    assert (zero_scale([]).lo, zero_scale([]).hi) == (0.0, 1.0)
    assert zero_scale([3.0, 5.0]).lo == 0
    assert zero_scale([3.0, 5.0]).hi > 5


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0.5, 0.1, "0.5"),
        (-2.0, 1.0, "\N{MINUS SIGN}2"),
        (1e-7, 2e-8, "1.0e\N{MINUS SIGN}7"),
        (0.0, 2e-8, "0"),
        (3e6, 1e6, "3e6"),
        (1e9, 0.2, "1000000000.0"),
        (120.0, 20.0, "120"),
    ],
)
def test_a_label_has_the_decimals_of_its_step(value: float, step: float, text: str) -> None:
    assert label(value, step) == text


def test_a_ratios_ticks_are_1_2_5_and_stand_at_their_logs() -> None:
    made = effect_scale(view_of("RR", "risk ratio", "log"), log(0.15), log(6))
    assert made.labels == ("0.2", "0.5", "1", "2", "5")
    assert made.ticks == tuple(pytest.approx(log(t)) for t in (0.2, 0.5, 1, 2, 5))


def test_a_narrow_range_of_ratios_has_even_ticks() -> None:
    made = effect_scale(view_of("RR", "risk ratio", "log"), log(0.95), log(1.06))
    assert made.labels == ("0.96", "0.98", "1.00", "1.02", "1.04", "1.06")


@pytest.mark.parametrize("code", sorted(FORMULAS))
@given(ANY, ANY)
def test_any_range_of_effects_gives_an_axis(code: str, one: float, other: float) -> None:
    measure = view_of(code, "x", FORMULAS[code].scale)
    lo, hi = padded(*limits([one, other]))
    made = effect_scale(measure, lo, hi)
    assert made.lo < made.hi
    assert all(made.holds(t) for t in made.ticks)
    assert list(made.ticks) == sorted(made.ticks)
    assert len(made.ticks) <= 2 * MOST + 1


@given(st.lists(st.tuples(MODEST, MODEST), min_size=2, max_size=12))
def test_no_part_of_a_cut_line_leaves_the_box(points: list[tuple[float, float]]) -> None:
    for run in runs(points, (0.0, 0.0, 100.0, 50.0)):
        assert len(run) >= 2
        for x, y in run:
            assert -1e-3 <= x <= 100.001
            assert -1e-3 <= y <= 50.001


def test_a_line_is_cut_at_the_edges_and_keeps_what_lies_inside() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    assert runs([(-5.0, 5.0), (15.0, 5.0)], box) == [[(0.0, 5.0), (10.0, 5.0)]]
    assert runs([(1.0, 1.0), (2.0, 3.0), (4.0, 4.0)], box) == [[(1, 1), (2, 3), (4, 4)]]
    assert runs([(-5.0, -5.0), (-1.0, 20.0)], box) == []
    assert runs([(5.0, 5.0), (5.0, 20.0), (8.0, 20.0), (8.0, 5.0)], box) == [
        [(5.0, 5.0), (5.0, 10.0)],
        [(8.0, 10.0), (8.0, 5.0)],
    ]
    assert runs([(1.0, 1.0), (nan, 2.0), (3.0, 3.0), (4.0, 3.0)], box) == [[(3.0, 3.0), (4.0, 3.0)]]


def test_an_arrowhead_points_the_way_it_should() -> None:
    tip, *back = arrowhead((10.0, 5.0), (3.0, 0.0))
    assert tip == (10.0, 5.0)
    assert all(x < 10 for x, _ in back)
    assert back[0][1] + back[1][1] == pytest.approx(10)
