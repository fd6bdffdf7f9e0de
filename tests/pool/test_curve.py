"""Restricted cubic splines, and the curve of a meta-regression over a moderator."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from patsy import dmatrix

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool import INTERCEPT, regression
from pipeline.pool.curve import curve, wald
from pipeline.pool.splines import knots_of, spline
from pipeline.schema import EffectSize

#: dat.bcg: log risk ratios from the counts of Colditz et al. (1994), latitude and year.
TPOS = np.array([4, 6, 3, 62, 33, 180, 8, 505, 29, 17, 186, 5, 27])
TNEG = np.array([119, 300, 228, 13536, 5036, 1361, 2537, 87886, 7470, 1699, 50448, 2493, 16886])
CPOS = np.array([11, 29, 11, 248, 47, 372, 10, 499, 45, 65, 141, 3, 29])
CNEG = np.array([128, 274, 209, 12619, 5761, 1079, 619, 87892, 7232, 1600, 27197, 2338, 17825])
ABLAT = np.array([44.0, 55, 42, 52, 13, 44, 19, 13, 27, 42, 18, 33, 33])
YEAR = np.array([1948.0, 49, 60, 77, 73, 53, 73, 80, 68, 61, 74, 69, 76])
YEAR[1:] += 1900


def bcg() -> list[EffectSize]:
    n1, n2 = TPOS + TNEG, CPOS + CNEG
    yi = np.log(TPOS / n1) - np.log(CPOS / n2)
    vi = 1 / TPOS - 1 / n1 + 1 / CPOS - 1 / n2
    return [
        EffectSize(str(i), str(i), "RR", float(y), float(v))
        for i, (y, v) in enumerate(zip(yi, vi, strict=True))
    ]


def test_predicted_risk_ratios_as_printed() -> None:
    """Viechtbauer (2010), *J Stat Softw* 36(3), section 3.4: ``predict(res, newmods=)``."""
    design = np.column_stack([np.ones(13), ABLAT, YEAR])
    fit = regression(
        bcg(), design, [INTERCEPT, "ablat", "year"], ModelSpec(method="REML", test="z")
    )
    x = np.arange(10.0, 61, 10)
    grid = np.column_stack([np.ones(6), x, np.full(6, 1970.0)])
    points = curve(fit, x, grid)
    printed = [0.9345, 0.7062, 0.5337, 0.4033, 0.3048, 0.2303]
    assert np.exp([p.estimate for p in points]) == pytest.approx(printed, abs=5e-5)
    first, last = points[0], points[-1]
    shown = np.exp([first.ci_lb, first.ci_ub, first.pi_lb, first.pi_ub])
    assert shown == pytest.approx([0.5833, 1.4973, 0.4179, 2.0899], abs=5e-5)
    assert np.exp([last.ci_lb, last.ci_ub]) == pytest.approx([0.1209, 0.4386], abs=5e-5)


def test_spline_spans_the_natural_splines_of_patsy() -> None:
    """patsy's `cr` (Wood 2006) has other columns and, with the same knots, the same curves."""
    x = np.array([0.2, 0.4, 0.5, 1, 1, 1.2, 1.6, 2, 2, 2.4, 3, 4])
    knots = (0.4, 1.0, 2.0, 3.0)
    ours = np.column_stack([np.ones(x.size), spline(x, knots)])
    formula = "cr(x, knots=[1.0, 2.0], lower_bound=0.4, upper_bound=3.0) - 1"
    inside = (x >= 0.4) & (x <= 3.0)
    theirs = np.asarray(dmatrix(formula, {"x": x[inside]}))
    y = np.sin(x[inside])
    fitted = [
        design @ np.linalg.lstsq(design, y, rcond=None)[0] for design in (ours[inside], theirs)
    ]
    assert fitted[0] == pytest.approx(fitted[1], abs=1e-10)


def test_spline_is_a_line_outside_its_knots() -> None:
    x = np.array([5.0, 6.0, 7.0, -1.0, -2.0, -3.0])
    columns = spline(x, (0.0, 1.0, 4.0))
    assert np.diff(columns[:3, 1], n=2) == pytest.approx([0.0], abs=1e-12)
    assert columns[3:, 1] == pytest.approx([0.0, 0.0, 0.0])


def test_spline_by_hand() -> None:
    """Harrell (2015), eq. 2.25 at x = 3 with knots 0, 2, 4: (27 - 1 * 4 / 2 + 0) / 16."""
    assert spline(np.array([3.0]), (0.0, 2.0, 4.0))[0] == pytest.approx([3.0, 25 / 16])


def test_knots_stand_at_harrells_quantiles() -> None:
    x = np.arange(101.0)
    assert knots_of(x, 3) == pytest.approx((10, 50, 90))
    assert knots_of(x, 5) == pytest.approx((5, 27.5, 50, 72.5, 95))


@pytest.mark.parametrize(
    ("x", "number", "said"),
    [(np.arange(9.0), 8, "3 to 7"), (np.array([1.0, 1, 1, 2]), 3, "2 different values")],
)
def test_knots_that_cannot_be(x: np.ndarray, number: int, said: str) -> None:
    with pytest.raises(PoolError, match=said):
        knots_of(x, number)


def test_knots_must_rise() -> None:
    with pytest.raises(PoolError, match="must rise"):
        spline(np.arange(4.0), (1.0, 1.0, 2.0))


@pytest.mark.parametrize("test", ["z", "knha"])
def test_wald_of_all_moderators_is_the_joint_test(test: str) -> None:
    design = np.column_stack([np.ones(13), ABLAT, YEAR])
    spec = ModelSpec.model_validate({"method": "REML", "test": test})
    fit = regression(bcg(), design, [INTERCEPT, "ablat", "year"], spec)
    made = wald(fit, [1, 2])
    assert (made.stat, made.pval) == pytest.approx((fit.qm, fit.qm_pval), rel=1e-10)
    assert (made.df, made.df2) == (fit.qm_df, fit.qm_df2)


def test_test_of_one_bend_is_that_of_its_coefficient() -> None:
    design = np.column_stack([np.ones(13), spline(ABLAT, knots_of(ABLAT, 3))])
    fit = regression(bcg(), design, [INTERCEPT, "ablat", "ablat'"], ModelSpec(test="knha"))
    assert wald(fit, [2]).pval == pytest.approx(fit.coefficients[2].pval, rel=1e-10)


def test_curve_at_the_intercept_is_the_intercept() -> None:
    design = np.column_stack([np.ones(13), ABLAT])
    fit = regression(bcg(), design, [INTERCEPT, "ablat"], ModelSpec(test="knha"))
    (point,) = curve(fit, np.zeros(1), np.array([[1.0, 0.0]]))
    first = fit.coefficients[0]
    assert (point.estimate, point.ci_lb, point.ci_ub) == pytest.approx(
        (first.estimate, first.ci_lb, first.ci_ub)
    )
    assert point.pi_lb < point.ci_lb < log(2)
