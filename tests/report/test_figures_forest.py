"""Forest plots of a table, of leave-one-out and of cumulative analyses."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from pipeline.config import ModelSpec
from pipeline.pool import pool, subgroups
from pipeline.pool.robustness import Refit, cumul, leave1out
from pipeline.report.figures.forest import (
    Refitted,
    cumulative_forest,
    forest_plot,
    leave1out_forest,
)
from pipeline.report.figures.studies import Studies, view_of
from pipeline.report.forest_rows import LABEL_LIMIT
from pipeline.schema import EffectSize
from tests.report.svg import Read

Z = NormalDist().inv_cdf(0.975)
YI, VI = (-0.9, -0.3, 0.1, -0.5, 0.4), (0.10, 0.02, 0.11, 0.06, 0.15)
SLAB = ("A 1990", "B 1995", "C 2001", "D 2004", "E 2010")
STUDIES = Studies(SLAB, YI, VI)
RR = view_of("RR", "risk ratio", "log")
SPEC = ModelSpec()
EFFECTS = [
    EffectSize(str(i), SLAB[i], "RR", YI[i], VI[i], subgroup="old" if i < 2 else "new")
    for i in range(5)
]
POOLED = pool(EFFECTS, SPEC)


def near(value: float) -> object:
    """Equal to a hundredth of a point."""
    return pytest.approx(value, abs=0.011)


def scale(svg: Read) -> tuple[float, float]:
    """Place of no effect, and points a unit of the log."""
    ticks = svg.ticks("tick-", "x")
    (a, x), (b, y) = ticks[0], ticks[-1]
    slope = (y - x) / (log(b) - log(a))
    return x - slope * log(a), slope


def refitted(rows: tuple[Refit, ...]) -> list[Refitted]:
    """Refits with names."""
    return [Refitted(SLAB[r.row], r.k, r.estimate, r.ci_lb, r.ci_ub, r.tau2, r.i2) for r in rows]


def test_a_tables_squares_intervals_and_diamond_stand_at_their_effects() -> None:
    svg = Read(forest_plot(STUDIES, POOLED, RR).svg())
    origin, slope = scale(svg)
    for i in range(5):
        assert svg.centre(f"square-study-{i}")[0] == near(origin + slope * YI[i])
        (left, _), (right, _) = svg.points(f"ci-study-{i}")
        half = Z * sqrt(VI[i])
        assert (left, right) == (
            near(origin + slope * (YI[i] - half)),
            near(origin + slope * (YI[i] + half)),
        )
    left, _, right, _ = svg.box("diamond-total")
    assert (left, right) == (
        near(origin + slope * POOLED.ci_lb),
        near(origin + slope * POOLED.ci_ub),
    )
    assert POOLED.pi_lb is not None
    assert svg.points("pi")[0][0] == near(max(origin + slope * POOLED.pi_lb, svg.box("axis")[0]))


def test_a_tables_forest_has_no_words_on_reviews() -> None:
    svg = forest_plot(STUDIES, POOLED, RR).svg()
    assert "reviewed" not in svg
    assert svg.count("square-study-") == 5


def test_columns_totals_and_favours_are_printed() -> None:
    columns = [(("Events 1", str(i)), ("Total 1", "10")) for i in range(5)]
    svg = Read(forest_plot(STUDIES, POOLED, RR, columns=columns, favours=("drug", "none")).svg())
    assert {"Favours drug", "Favours none", "Events 1", "50", "10"} <= set(svg.words())


def test_subgroups_have_their_own_diamonds_and_a_test() -> None:
    found, difference = subgroups(EFFECTS, SPEC)
    drawn = forest_plot(STUDIES, POOLED, RR, subgroups=found, subgroup_test=difference)
    svg = Read(drawn.svg())
    assert svg.named("diamond-") == ["diamond-subtotal-0", "diamond-subtotal-1", "diamond-total"]
    origin, slope = scale(svg)
    new = found[1].pooled
    assert new is not None
    left = max(origin + slope * new.ci_lb, svg.box("axis")[0])  # cut where the axis ends
    assert svg.box("diamond-subtotal-1")[0] == near(left)
    assert any(w.startswith("Test for subgroup differences") for w in svg.words("line-"))


def test_one_study_has_no_diamond_and_the_plot_says_why() -> None:
    one = Studies(("Only 2000",), (0.2,), (0.1,))
    drawn = forest_plot(one, None, RR, reason="one study")
    svg = Read(drawn.svg())
    assert not svg.named("diamond")
    assert svg.words("line-") == ["Not pooled: one study"]
    assert drawn.desc == "Forest plot of 1 study. Not pooled."


def test_each_estimate_left_out_stands_at_its_place() -> None:
    rows = leave1out(np.array(YI), np.array(VI), SPEC)
    svg = Read(leave1out_forest(refitted(rows), POOLED, RR).svg())
    origin, slope = scale(svg)
    assert [r.row for r in rows] == list(range(5))
    for i, row in enumerate(rows):
        assert svg.centre(f"square-refit-{i}")[0] == near(origin + slope * row.estimate)
    assert [svg.words(f"cell-{i}-0")[0] for i in range(5)] == list(SLAB)
    assert "Study left out" in svg.words("head-")
    assert svg.words("cell-5-0") == ["All studies (95% CI)"]
    assert [svg.words(f"cell-{i}-1") for i in range(6)] == [["4"]] * 5 + [["5"]]


def test_the_last_of_a_cumulative_analysis_is_the_pooled_estimate() -> None:
    rows = cumul(np.array(YI), np.array(VI), SPEC)
    svg = Read(cumulative_forest(refitted(rows), POOLED, RR).svg())
    assert svg.centre("square-refit-4")[0] == near(svg.points("pooled-line")[0][0])
    assert [svg.words(f"cell-{i}-1")[0] for i in range(5)] == list("12345")
    assert "Study added" in svg.words("head-")


def test_an_interval_that_leaves_the_axis_has_an_arrow() -> None:
    wide = [Refitted("w", 2, 0.1, -90.0, 90.0, 0.0, 0.0)]
    usual = [Refitted(s, 4, 0.1, -0.2, 0.4, 0.0, 0.0) for s in SLAB]
    svg = Read(leave1out_forest([*usual, *wide], POOLED, RR).svg())
    assert set(svg.named("arrow-")) >= {"arrow-low-ci-refit-5", "arrow-high-ci-refit-5"}
    assert not svg.named("arrow-low-ci-refit-0")


def test_an_estimate_that_is_not_defined_is_said_and_not_drawn() -> None:
    nan = float("nan")
    rows = [Refitted("a", 4, 0.1, -0.2, 0.4, 0.0, 0.0), Refitted("b", 1, nan, nan, nan, 0.0, 0.0)]
    svg = Read(leave1out_forest(rows, POOLED, RR).svg())
    assert "not defined" in svg.words("cell-1-")
    assert not svg.named("square-refit-1")


def test_a_long_name_ends_in_an_ellipsis() -> None:
    long = Studies(("A very long name of a study " * 9, *SLAB[1:]), YI, VI)
    (label,) = Read(forest_plot(long, POOLED, RR).svg()).words("cell-0-0")
    assert len(label) <= LABEL_LIMIT
    assert label.endswith("…")


def test_means_on_a_log_scale_need_not_reach_down_to_one() -> None:
    means = Studies(SLAB, (5.5, 5.7, 5.6, 5.9, 5.4), (0.01,) * 5)
    view = view_of("MNLN", "mean", "log")
    svg = Read(forest_plot(means, None, view, reason="x").svg())
    assert min(value for value, _ in svg.ticks("tick-", "x")) >= 100


def test_what_must_be_known_of_an_estimate_stands_in_the_footnote() -> None:
    two = pool(EFFECTS[:2], SPEC)
    drawn = forest_plot(Studies(SLAB[:2], YI[:2], VI[:2]), two, RR, note="Made today.")
    foot = " ".join(Read(drawn.svg()).words("foot-"))
    assert any(note.startswith("Two studies: 1 degree of freedom") for note in two.notes)
    assert all(note in foot for note in two.notes)
    assert foot.endswith("Made today.")


@pytest.mark.parametrize(("method", "name"), [("MH", "Mantel-Haenszel"), ("PETO", "Peto")])
def test_a_common_effect_has_no_tau2(method: str, name: str) -> None:
    equal = replace(pool(EFFECTS, ModelSpec(method="EE", test="z")), method=method)
    drawn = forest_plot(STUDIES, equal, RR)
    svg = Read(drawn.svg())
    assert svg.words("line-0")[0].startswith("Heterogeneity: Chi² =")
    assert f"none, {name}" in " ".join(svg.words("foot-"))
    assert "tau²" not in drawn.desc
