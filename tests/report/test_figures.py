"""The figures of one meta-analysis: each mark stands where its number does."""

from __future__ import annotations

from collections.abc import Callable
from math import asin, atanh, exp, log, pi, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from pipeline.config import ModelSpec
from pipeline.effects.formulas import FORMULAS
from pipeline.pool import pool
from pipeline.pool.influence import influence
from pipeline.report.data import MeasureView
from pipeline.report.figures.baujat import NAMED, baujat_plot
from pipeline.report.figures.bubble import Curve, bubble_plot
from pipeline.report.figures.funnel import FEW, Line, funnel_plot
from pipeline.report.figures.gosh import ACROSS, UP, gosh_plot, levels
from pipeline.report.figures.influence import Case, influence_plot
from pipeline.report.figures.labbe import labbe_plot
from pipeline.report.figures.profile import profile_plot
from pipeline.report.figures.radial import radial_plot
from pipeline.report.figures.studies import LARGEST, SMALLEST, Studies, radii, view_of
from pipeline.schema import EffectSize, PooledEstimate
from tests.report.svg import Read

Z = NormalDist().inv_cdf(0.975)
YI = (-0.9, -0.3, 0.1, -0.5, -0.2, 0.4)
VI = (0.30, 0.02, 0.11, 0.06, 0.20, 0.45)
#: From an axis's labels to the scale of analysis, written anew.
SCALES: dict[str, Callable[[float], float]] = {
    "RR": log,
    "MD": float,
    "PLO": lambda p: log(p / (100 - p)),
    "PLN": lambda p: log(p / 100),
    "PR": lambda p: p / 100,
    "PAS": lambda p: asin(sqrt(p / 100)),
    "ZCOR": atanh,
}


def view(code: str) -> MeasureView:
    """How a measure is shown."""
    return view_of(code, FORMULAS[code].name, FORMULAS[code].scale)


def studies(yi: tuple[float, ...] = YI, vi: tuple[float, ...] = VI) -> Studies:
    """Named studies without weights."""
    return Studies(tuple(f"Study {i}" for i in range(len(yi))), yi, vi)


def pooled(data: Studies, code: str = "RR", method: str = "REML") -> PooledEstimate:
    """Their estimate."""
    effects = [
        EffectSize(str(i), "", code, y, v)
        for i, (y, v) in enumerate(zip(data.yi, data.vi, strict=True))
    ]
    return pool(effects, ModelSpec.model_validate({"method": method}))


def near(value: float) -> object:
    """Equal to a hundredth of a point, to which marks are rounded."""
    return pytest.approx(value, abs=0.011)


# Measures


def test_a_view_knows_scale_unit_and_no_effect() -> None:
    assert view("RR").axis == "Risk ratio (log scale)"
    assert (view("RR").null, view("MD").null, view("PLO").null) == (1.0, 0.0, None)
    assert view_of("MD", "mean difference", "identity", unit="kg").axis == "Mean difference, kg"
    assert view("PLN").axis == "Proportion, %"
    assert view("PLN").natural(log(0.25)) == pytest.approx(25)
    assert view("ZCOR").natural(atanh(0.3)) == pytest.approx(0.3)
    assert view("MNLN").null is None
    assert view("MNLN").ratio


@pytest.mark.parametrize("code", sorted(FORMULAS))
def test_every_measure_has_a_view(code: str) -> None:
    made = view(code)
    assert made.code == code
    assert made.natural(0.5) == pytest.approx(
        {"log": exp(0.5), "logit": 1 / (1 + exp(-0.5)), "arcsine": np.sin(0.5) ** 2}.get(
            FORMULAS[code].scale, np.tanh(0.5) if FORMULAS[code].scale == "z" else 0.5
        )
        * (100 if made.percent else 1)
    )


def test_studies_without_a_finite_effect_are_refused() -> None:
    with pytest.raises(ValueError, match="Invalid effect nan of b"):
        Studies(("a", "b"), (0.0, float("nan")), (1.0, 1.0))
    with pytest.raises(ValueError, match="variance 0"):
        Studies(("a",), (0.0,), (0.0,))
    with pytest.raises(ValueError, match="Invalid studies"):
        Studies(("a",), (0.0, 1.0), (1.0, 1.0))


# Funnel


@pytest.mark.parametrize("code", sorted(SCALES))
def test_a_funnels_point_stands_at_its_effect_and_error(code: str) -> None:
    yi = {"PAS": (0.4, 0.5, 0.7, 0.9), "PR": (0.1, 0.5, 0.3, 0.2), "PLN": (-2, -1, -0.4, -0.7)}
    data = studies(*([yi[code], VI[:4]] if code in yi else []))
    svg = Read(funnel_plot(data, pooled(data, code), view(code)).svg())
    x, y = svg.axis("x", SCALES[code]), svg.axis("y")
    for i, (effect, variance) in enumerate(zip(data.yi, data.vi, strict=True)):
        across, down = svg.centre(f"point-{i}")
        assert across == near(x(effect))
        assert down == near(y(sqrt(variance)))


def test_a_funnel_stands_on_its_head() -> None:
    svg = Read(funnel_plot(studies(), None, view("RR")).svg())
    (zero, top), *_, (deep, bottom) = sorted(svg.ticks("y-tick-", "y"))
    assert zero == 0
    assert deep > 0
    assert top < bottom


def test_a_funnel_opens_by_the_normal_quantile_around_the_estimate() -> None:
    data = studies()
    estimate = pooled(data)
    svg = Read(funnel_plot(data, estimate, view("RR")).svg())
    x, y = svg.axis("x", log), svg.axis("y")
    assert svg.points("pooled-line")[0] == (near(x(estimate.estimate)), near(y(0)))
    assert svg.points("null")[0][0] == near(x(0))
    for name, sign in (("funnel-low", -1), ("funnel-high", 1)):
        tip, end = svg.points(name)
        assert tip == (near(x(estimate.estimate)), near(y(0)))
        depth = (end[1] - y(0)) / (y(1) - y(0))
        assert end[0] == near(x(estimate.estimate + sign * Z * depth))


def test_contours_lie_around_no_effect() -> None:
    data = studies()
    svg = Read(funnel_plot(data, pooled(data), view("RR"), contours=True).svg())
    x, y = svg.axis("x", log), svg.axis("y")
    assert not svg.named("funnel-")
    assert svg.named("contour-") == [
        *("contour-0.99-outside", "contour-0.99", "contour-0.95", "contour-0.9")
    ]
    for level in (0.9, 0.95, 0.99):
        z = NormalDist().inv_cdf(0.5 + level / 2)
        edge = svg.points(f"contour-{level:g}")
        assert edge[0] == (near(x(0)), near(y(0)))
        assert edge[6][0] == near(x(-z * (edge[6][1] - y(0)) / (y(1) - y(0))))


def test_contours_are_not_drawn_where_nothing_is_no_effect() -> None:
    data = studies()
    drawn = funnel_plot(data, pooled(data, "PLO"), view("PLO"), contours=True)
    assert not Read(drawn.svg()).named("contour-")


def test_filled_studies_are_hollow_and_eggers_line_has_its_slope() -> None:
    data, filled = studies(), studies((0.2, 0.7), (0.3, 0.4))
    drawn = funnel_plot(
        data, pooled(data), view("RR"), filled=filled, centre=-0.1, egger=Line(-0.4, 0.3)
    )
    svg = Read(drawn.svg())
    x, y = svg.axis("x", log), svg.axis("y")
    assert svg.style("filled-1", "fill") == "#ffffff"
    assert svg.style("point-1", "fill") != "#ffffff"
    assert svg.centre("filled-1")[0] == near(x(0.7))
    assert svg.points("centre")[0][0] == near(x(-0.1))
    start, end = svg.points("egger")
    assert start == (near(x(-0.4)), near(y(0)))
    assert end[0] == near(x(-0.4 + 0.3 * (end[1] - y(0)) / (y(1) - y(0))))
    assert {"Filled in", "Egger's regression"} <= set(svg.words("key-"))


def test_a_small_funnel_says_so() -> None:
    data = studies()
    text = " ".join(Read(funnel_plot(data, pooled(data), view("RR")).svg()).words("foot-"))
    assert f"too few to judge asymmetry ({FEW} wanted)" in text
    many = studies(tuple(np.linspace(-1, 1, FEW)), (0.1,) * FEW)
    assert "too few" not in funnel_plot(many, pooled(many), view("RR")).svg()


def test_a_point_beyond_an_axis_is_an_arrowhead_at_its_edge() -> None:
    data = studies((*YI, 400.0), (*VI, 0.1))
    svg = Read(funnel_plot(data, None, view("MD")).svg())
    left, _, right, _ = svg.box("axes")
    assert svg.box("point-6")[2] == near(right)
    assert len(svg.points("point-6")) == 3
    assert all(left <= svg.centre(f"point-{i}")[0] <= right for i in range(6))
    assert "1 point lies beyond the axes" in " ".join(svg.words("foot-"))


# Radial


@pytest.mark.parametrize("method", ["EE", "REML"])
def test_a_radial_point_is_z_by_precision_and_a_ray_ends_at_its_effect(method: str) -> None:
    data = studies((-2.0, 0.3, 1.0, -0.5, -0.2, 1.4))
    estimate = pooled(data, method=method)
    assert (estimate.tau2 > 0) == (method == "REML")
    svg = Read(radial_plot(data, estimate, view("RR")).svg())
    x, y = svg.axis("x"), svg.axis("y")
    for i, (effect, variance) in enumerate(zip(data.yi, data.vi, strict=True)):
        spread = sqrt(variance + estimate.tau2)
        assert svg.centre(f"point-{i}") == (near(x(1 / spread)), near(y(effect / spread)))
    (left, origin), (right, end) = svg.points("pooled-line")
    assert (left, origin) == (near(x(0)), near(y(0)))
    precision = (right - x(0)) / (x(1) - x(0))
    assert end == near(y(estimate.estimate * precision))
    assert svg.points("band-high")[0][1] == near(y(Z))
    ticks = svg.ticks("effect-tick-", "y")
    assert len(ticks) >= 3
    for value, place in ticks:
        assert place == near(y(log(value) * precision))


# Baujat


def test_baujats_points_stand_at_their_numbers_and_the_farthest_are_named() -> None:
    xs, ys = [0.1, 2.0, 0.4, *[0.01] * 20], [0.3, 1.0, 0.05, *[0.002] * 20]
    slab = [f"Trial {i}" for i in range(23)]
    svg = Read(baujat_plot(slab, xs, ys).svg())
    x, y = svg.axis("x"), svg.axis("y")
    for i, (a, b) in enumerate(zip(xs, ys, strict=True)):
        assert svg.centre(f"point-{i}") == (near(x(a)), near(y(b)))
    named = svg.words("name-")
    assert {"Trial 0", "Trial 1", "Trial 2"} <= set(named)
    assert len(named) <= NAMED


# Influence


def cases(yi: tuple[float, ...], vi: tuple[float, ...]) -> list[Case]:
    """The influence of each study."""
    found = influence(np.array(yi), np.array(vi), ModelSpec())
    names = [n for n in Case.__dataclass_fields__ if n != "slab"]
    return [Case(f"Trial {c.row}", **{n: getattr(c, n) for n in names}) for c in found]


def test_each_panel_shows_its_measure_and_marks_the_influential() -> None:
    yi, vi = (*YI, 6.0), (*VI, 0.01)
    rows = cases(yi, vi)
    assert [c.slab for c in rows if c.is_infl] == ["Trial 6"]
    svg = Read(influence_plot(rows, pooled(studies(yi, vi))).svg())
    names = [n for n in Case.__dataclass_fields__ if n not in ("slab", "is_infl")]
    assert [n.removeprefix("points-") for n in svg.named("points-")] == names
    for name in names:
        x, y = svg.axis("x", prefix=f"{name}-"), svg.axis("y", prefix=f"{name}-")
        small = svg.parts(f"points-{name}")
        (large,) = svg.parts(f"influential-{name}")
        assert len(small) == 6
        for i, part in enumerate([*small, large]):
            across, down = (np.ptp(v) / 2 + min(v) for v in zip(*part, strict=True))
            assert across == near(x(i + 1))
            assert down == near(y(getattr(rows[i], name)))
    assert "Influential (diamonds): 7 Trial 6." in " ".join(svg.words("foot-"))


def test_a_measure_that_is_not_defined_is_counted_and_not_drawn() -> None:
    rows = cases(YI, VI)
    nan = Case("lost", *[float("nan")] * 8, False)
    svg = Read(influence_plot([*rows, nan], pooled(studies())).svg())
    drawn = len(svg.parts("points-hat")) + len(svg.parts("influential-hat"))
    assert drawn == len(rows)
    assert "8 values are not defined" in " ".join(svg.words("foot-"))


# GOSH


def test_a_subset_lies_in_the_cell_of_its_estimate_and_i2() -> None:
    svg = Read(gosh_plot([-0.5, 0.25, 0.3], [80.0, 20.0, 55.0], view("MD")).svg())
    x, y = svg.axis("x"), svg.axis("y")
    cells = svg.parts("cells-0")
    assert len(cells) == 3
    for e, h in ((-0.5, 80.0), (0.25, 20.0), (0.3, 55.0)):
        here = [
            c
            for c in cells
            if min(p[0] for p in c) - 0.01 <= x(e) <= max(p[0] for p in c) + 0.01
            and min(p[1] for p in c) - 0.01 <= y(h) <= max(p[1] for p in c) + 0.01
        ]
        assert len(here) == 1


def test_many_subsets_make_a_small_file_and_none_is_lost() -> None:
    rng = np.random.default_rng(1)
    estimates, i2 = rng.normal(0.3, 0.2, 50_000), rng.beta(2, 3, 50_000) * 100
    drawn = gosh_plot(estimates.tolist(), i2.tolist(), view("RR"), pooled(studies()))
    svg = drawn.svg()
    assert len(svg) < 400_000
    read = Read(svg)
    assert sum(len(read.parts(name)) for name in read.named("cells-")) <= ACROSS * UP
    assert "50000 subsets" in " ".join(read.words("foot-"))
    assert read.named("all") == ["all"]


def test_shades_rise_with_the_count() -> None:
    assert levels(1) == (1,)
    assert levels(100) == (1, 3, 6, 16, 40)
    twice = Read(gosh_plot([0.1] * 40 + [0.2], [50.0] * 40 + [10.0], view("MD")).svg())
    assert len(twice.parts("cells-0")) == 1
    assert len(twice.parts(twice.named("cells-")[-1])) == 1
    assert len(twice.named("cells-")) == 2


# Bubbles


def line(x: np.ndarray, wide: float = 0.2) -> Curve:  # type: ignore[type-arg]
    """A straight fit with limits `wide` around it."""
    y = 0.5 - 0.1 * x
    return Curve(*(tuple(map(float, v)) for v in (x, y, y - wide, y + wide)))


def test_bubbles_stand_at_their_moderator_with_areas_by_weight() -> None:
    weights = (10.0, 40.0, 20.0, 5.0, 15.0, 0.001)
    data = Studies(studies().slab, YI, VI, weights)
    x_values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    drawn = bubble_plot(data, x_values, line(np.linspace(1, 6, 20)), view("RR"), x_name="Dose, g")
    svg = Read(drawn.svg())
    x, y = svg.axis("x"), svg.axis("y", log)
    sizes = [svg.box(f"point-{i}") for i in range(6)]
    for i in range(6):
        assert svg.centre(f"point-{i}") == (near(x(x_values[i])), near(y(YI[i])))
    area = [(b[2] - b[0]) ** 2 for b in sizes]
    assert area[1] / area[0] == pytest.approx(4, rel=0.01)
    assert sizes[1][2] - sizes[1][0] == near(2 * LARGEST)
    assert sizes[5][2] - sizes[5][0] == near(2 * SMALLEST)
    assert svg.words("x-name") == ["Dose, g"]
    assert svg.points("curve")[0] == (near(x(1)), near(y(0.4)))
    assert svg.points("band")[0] == (near(x(1)), near(y(0.6)))
    assert svg.named("point-")[0] == "point-1"  # the heaviest at the bottom


def test_a_dose_response_curve_is_cut_at_the_axis_and_its_knots_are_marked() -> None:
    grid = np.linspace(0, 2, 30)
    drawn = bubble_plot(
        None, [], line(grid, 500.0), view("RR"), x_name="Dose, g/kg", knots=(0.5, 1.5, 99.0)
    )
    svg = Read(drawn.svg())
    left, top, right, bottom = svg.box("axes")
    for name in ("curve", "band"):
        a, b, c, d = svg.box(name)
        assert left - 0.01 <= a and c <= right + 0.01 and top - 0.01 <= b and d <= bottom + 0.01
    assert svg.named("knot-") == ["knot-0", "knot-1"]
    assert svg.points("knot-1")[0][0] == near(svg.axis("x")(1.5))


def test_a_curve_whose_parts_differ_in_length_is_refused() -> None:
    with pytest.raises(ValueError, match="Invalid curve of 2 values"):
        Curve((0.0, 1.0), (0.0,), (0.0, 0.0), (1.0, 1.0))


def test_radii_have_a_floor_and_areas_follow_the_weights() -> None:
    assert radii((), 3, 3.0) == (3.0, 3.0, 3.0)
    assert radii((0.0, 0.0), 2, 3.0) == (3.0, 3.0)
    big, small, none = radii((100.0, 25.0, 0.0), 3, 3.0)
    assert (big, small, none) == (LARGEST, LARGEST / 2, SMALLEST)


# Profile


def test_a_profile_peaks_at_its_estimate_and_its_limits_end_at_the_cut() -> None:
    grid = np.linspace(0, 2, 201)
    heights = 7 - 4 * (grid - 0.8) ** 2
    half = sqrt(Z**2 / 2 / 4)
    drawn = profile_plot(
        grid.tolist(),
        heights.tolist(),
        k=9,
        estimate=0.8,
        ci_lb=0.8 - half,
        ci_ub=0.8 + half,
    )
    svg = Read(drawn.svg())
    x, y = svg.axis("x"), svg.axis("y")
    top = min(svg.points("profile"), key=lambda p: p[1])
    assert top == (near(x(0.8)), near(y(0)))
    assert svg.points("cut")[0][1] == near(y(-(Z**2) / 2))
    assert svg.points("estimate")[0][0] == near(x(0.8))
    assert svg.points("limit-low")[-1] == (near(x(0.8 - half)), near(y(-(Z**2) / 2)))
    assert "[0.11, 1.49]" in drawn.desc


def test_an_infinite_limit_is_said_and_not_drawn() -> None:
    drawn = profile_plot(
        [0.0, 1.0, 2.0], [0.0, -0.1, -0.15], k=2, estimate=0.0, ci_lb=0.0, ci_ub=float("inf")
    )
    assert "∞" in drawn.desc
    assert Read(drawn.svg()).named("limit-high") == []


# L'Abbé


@pytest.mark.parametrize(
    ("code", "effect", "risk"),
    [
        ("RR", log(0.5), lambda p: 0.5 * p),
        ("OR", log(0.5), lambda p: 0.5 * p / (1 - p + 0.5 * p)),
        ("RD", -0.05, lambda p: p - 0.05),
    ],
)
def test_labbes_points_are_the_risks_and_the_line_is_the_effect(
    code: str, effect: float, risk: Callable[[float], float]
) -> None:
    treated, control = [0.1, 0.2, 0.05], [0.2, 0.35, 0.15]
    estimate = pooled(studies((effect, effect, effect), (0.1, 0.2, 0.3)), code)
    svg = Read(
        labbe_plot(["a", "b", "c"], treated, control, pooled=estimate, measure=view(code)).svg()
    )
    x, y = svg.axis("x"), svg.axis("y")
    for i in range(3):
        assert svg.centre(f"point-{i}") == (near(x(100 * control[i])), near(y(100 * treated[i])))
    points = svg.points("pooled-line")
    assert len(points) > 50
    for across, down in points[5::20]:
        share = (across - x(0)) / (x(100) - x(0))
        assert down == near(y(100 * risk(share)))
    (a, b), (c, d) = svg.points("diagonal")
    assert (a, b) == (near(x(0)), near(y(0)))
    assert c - a == near(b - d)


def test_labbes_line_is_left_out_for_measures_without_one() -> None:
    estimate = pooled(studies((0.1, 0.2), (0.1, 0.2)), "AS")
    assert estimate.estimate < pi
    svg = labbe_plot(["a", "b"], [0.1, 0.2], [0.2, 0.3], pooled=estimate, measure=view("AS")).svg()
    assert not Read(svg).named("pooled-line")
