"""Slopes over the dose within studies."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.regression.linear_model import GLS

from pipeline.effects.formulas import Rules, escalc
from pipeline.effects.formulas.trend import trends
from pipeline.errors import EffectSizeError

#: Arms of two made-up trials: events, patients, dose in g/kg; the second has an arm without events.
XI = np.array([6.0, 10, 14, 0, 5])
NI = np.array([30.0, 31, 29, 20, 22])
DOSE = np.array([0.5, 1, 2, 0, 2])
STUDY = ["a", "a", "a", "b", "b"]


@pytest.mark.parametrize("measure", ["RR", "OR", "RD"])
def test_two_arms_give_their_effect_per_unit_of_dose(measure: str) -> None:
    found = trends(measure, {"xi": XI, "ni": NI}, DOSE, STUDY)
    cells = {"ai": XI[4:], "n1i": NI[4:], "ci": XI[3:4], "n2i": NI[3:4]}
    yi, vi = escalc(measure, cells, Rules())
    assert found.study == ("a", "b")
    assert (found.yi[1], found.vi[1]) == pytest.approx((yi[0] / 2, vi[0] / 4), rel=1e-12)


@pytest.mark.parametrize("measure", ["RR", "OR"])
def test_three_arms_as_generalised_least_squares_of_contrasts(measure: str) -> None:
    """statsmodels' GLS through the reference; the contrasts share the variance of its arm."""
    found = trends(measure, {"xi": XI, "ni": NI}, DOSE, STUDY)
    x, n = XI[:3], NI[:3]
    g, s = (
        (np.log(x / n), 1 / x - 1 / n)
        if measure == "RR"
        else (np.log(x / (n - x)), 1 / x + 1 / (n - x))
    )
    cov = np.diag(s[1:]) + s[0]
    fit = GLS(g[1:] - g[0], (DOSE[1:3] - DOSE[0])[:, np.newaxis], sigma=cov).fit()
    assert found.yi[0] == pytest.approx(fit.params[0], rel=1e-10)
    assert found.vi[0] == pytest.approx(fit.normalized_cov_params[0, 0], rel=1e-10)
    assert (found.lowest[0], found.highest[0]) == (0.5, 2)


def test_means() -> None:
    """Weights 1/(sd2/n): means 1, 2, 3 at doses 1, 2, 3 have the slope 1."""
    arms = {"mi": np.array([1.0, 2, 3]), "sdi": np.full(3, 2.0), "ni": np.array([16.0, 16, 16])}
    found = trends("MD", arms, np.array([1.0, 2, 3]), ["a"] * 3)
    assert found.yi == pytest.approx([1.0])
    assert found.vi == pytest.approx([0.25 / 2])


def test_one_dose_gives_no_slope() -> None:
    found = trends("RR", {"xi": XI[:2], "ni": NI[:2]}, np.array([1.0, 1.0]), ["a", "a"])
    assert np.isnan(found.yi).all()
    assert np.isnan(found.vi).all()


@pytest.mark.parametrize(
    ("measure", "arms", "said"),
    [
        ("SMD", {"xi": XI, "ni": NI}, "No slope over doses for SMD"),
        ("RR", {"xi": NI + 1, "ni": NI}, "cannot be above ni"),
    ],
)
def test_refusals(measure: str, arms: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(EffectSizeError, match=said):
        trends(measure, arms, DOSE, STUDY)
