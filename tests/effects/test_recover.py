"""What follows from the columns of a table, beside metafor's ``conv.wald`` (version 5.0-1)."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from pipeline.effects.formulas.recover import completed
from pipeline.errors import EffectSizeError

NONE = float("nan")


def columns(**values: float | list[float]) -> dict[str, np.ndarray]:
    return {name: np.atleast_1d(np.array(x, dtype=float)) for name, x in values.items()}


@pytest.mark.parametrize(
    ("printed", "yi", "se"),
    [
        ((0.64, 0.33, 1.22), -0.446287102628419, 0.333555487136569),
        ((11, 2.86, 42.25), 2.39789527279837, 0.686946992447756),
    ],
)
def test_the_error_of_a_ratio_from_its_interval(
    printed: tuple[float, float, float], yi: float, se: float
) -> None:
    """conv.wald(out, ci.lb, ci.ub, transf=log); Handbook 6.3.2 has 0.64 (0.33 to 1.22)."""
    out, low, high = printed
    held, filled = completed(columns(out=out, ci_lb=low, ci_ub=high), ratio=True)
    assert (held["yi"][0], sqrt(held["vi"][0])) == pytest.approx((yi, se), rel=1e-12)
    assert [(one.column, one.rows) for one in filled] == [("vi", (0,))]


def test_the_error_of_a_difference_from_its_interval() -> None:
    """conv.wald(out=-2.1, ci.lb=-3, ci.ub=-1.2, check=FALSE), level 90."""
    held, _ = completed(columns(out=-2.1, ci_lb=-3, ci_ub=-1.2), level=0.90)
    assert (held["yi"][0], sqrt(held["vi"][0])) == pytest.approx((-2.1, 0.547161148720592))


@pytest.mark.parametrize(
    ("effect", "p", "se"), [(0.44, 0.013, 0.177150108585233), (0.8, 0.0004, 0.225983351066265)]
)
def test_the_error_from_a_p_value(effect: float, p: float, se: float) -> None:
    """conv.wald(out, pval=)."""
    held, (one,) = completed(columns(yi=effect, pval=p))
    assert sqrt(held["vi"][0]) == pytest.approx(se, rel=1e-12)
    assert "p value" in one.how


def test_what_is_there_stays_and_an_interval_goes_before_p() -> None:
    """Rows: vi given; sei given; an interval and p; z; nothing."""
    table = columns(
        yi=[1, 1, 1, 1, 1],
        vi=[0.04, NONE, NONE, NONE, NONE],
        sei=[NONE, 0.3, NONE, NONE, NONE],
        ci_lb=[0, 0, 0.5, NONE, NONE],
        ci_ub=[2, 2, 1.5, NONE, NONE],
        zval=[NONE, NONE, NONE, 4, NONE],
        pval=[0.5, 0.5, 0.5, NONE, NONE],
    )
    held, filled = completed(table)
    expected = [0.04, 0.09, (1 / (2 * 1.959963984540054)) ** 2, 0.0625, NONE]
    assert held["vi"] == pytest.approx(expected, nan_ok=True)
    assert [(one.column, one.rows) for one in filled] == [("vi", (2,)), ("vi", (3,))]


def test_sds_from_standard_errors() -> None:
    """Handbook 6.5.2.2: SD = SE x sqrt(n); 0.42 with n = 5 gives 0.939148550549912."""
    held, (one,) = completed(columns(se1i=0.42, n1i=5, sd2i=1, se2i=9, n2i=5))
    assert held["sd1i"] == pytest.approx([0.939148550549912])
    assert held["sd2i"] == pytest.approx([1.0])
    assert one.column == "sd1i"


def test_an_assumed_correlation_stands_where_none_is_known() -> None:
    held, (one,) = completed(columns(ri=[0.6, NONE]), ri=0.5)
    assert held["ri"] == pytest.approx([0.6, 0.5])
    assert (one.rows, one.how) == ((1,), "assumed: r = 0.5")


def test_a_correlation_from_three_sds() -> None:
    """Handbook 6.5.2.8: SDs 1.4, 2.2 and of the change 1.9 have r = 0.517857142857143."""
    held, (one,) = completed(columns(sd1i=1.4, sd2i=2.2, sdi=1.9), ri=0.9)
    assert held["ri"] == pytest.approx([0.517857142857143], rel=1e-12)
    assert one.how == "from the SDs before, after and of the change"


def test_means_and_sds_from_quantiles() -> None:
    """metafor 5.0-1, conv.fivenum(min=1, median=5, max=10, n=5): 5.27234222322674 and
    3.81433150560951 (Luo et al. 2018, Wan et al. 2014); the second row prints its own mean."""
    table = columns(
        min1i=[1, 1], median1i=[5, 5], max1i=[10, 10], n1i=[5, 5], m1i=[NONE, 4], sd1i=[NONE, 2]
    )
    held, filled = completed(table)
    assert held["m1i"] == pytest.approx([5.27234222322674, 4], rel=1e-10)
    assert held["sd1i"] == pytest.approx([3.81433150560951, 2], rel=1e-6)
    assert [(one.column, one.rows) for one in filled] == [("m1i", (0,)), ("sd1i", (0,))]


def test_each_method_behind_a_median_is_named() -> None:
    """Quartiles 1, 2 and 20 look skewed; 4, 5, 6 do not."""
    _, filled = completed(columns(q1i=[1, 4], mediani=[2, 5], q3i=[20, 6], ni=[40, 40]))
    assert [(one.column, one.rows) for one in filled] == [
        ("mi", (0,)),
        ("sdi", (0,)),
        ("mi", (1,)),
        ("sdi", (1,)),
    ]
    assert "skewed" in filled[0].how
    assert "Luo" in filled[2].how


def test_an_effect_of_zero_has_no_error_behind_its_p_value() -> None:
    held, filled = completed(columns(yi=0, pval=1))
    assert np.isnan(held["vi"][0])
    assert filled == ()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (columns(out=0.0, ci_lb=0.1, ci_ub=1), "Invalid out 0 in row 1; a ratio must be above 0"),
        (columns(out=1, ci_lb=0.0, ci_ub=2), "a limit of a ratio must be above 0"),
        (columns(out=1, ci_lb=3, ci_ub=2), "must not be above the upper"),
        (columns(out=1, pval=1.2), "Invalid pval 1.2 in row 1"),
        (columns(median1i=5, q11i=6, q31i=4, n1i=9), "Row 1, median1i: the median and its"),
        (columns(sd1i=1, sd2i=1, sdi=3), "Invalid sdi 3 in row 1; no correlation"),
        (columns(se1i=-1, n1i=4), "Invalid se1i -1 in row 1; must be 0 or more"),
    ],
)
def test_impossible_values(table: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(EffectSizeError, match=said):
        completed(table, ratio=True)


def test_yi_of_a_ratio_is_a_log_already() -> None:
    held, _ = completed(columns(yi=log(0.5), ci_lb=0.25, ci_ub=1), ratio=True)
    assert sqrt(held["vi"][0]) == pytest.approx(2 * log(2) / (2 * 1.959963984540054))
