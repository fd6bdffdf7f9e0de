"""Intervals and standard errors of tau2 against metafor, the definition, and laws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from math import inf, sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.profile import Heterogeneity, heterogeneity_limits, profile_interval, se_tau2

YI = np.array([-0.9, -1.6, -1.3, -1.4, -0.2, -0.8, 0.5])
VI = np.array([0.33, 0.19, 0.41, 0.02, 0.05, 0.007, 0.08])

METHODS = ["DL", "HE", "HS", "HSk", "SJ", "ML", "REML", "EB", "PM"]


def sets(shared: Path) -> Iterator[tuple[str, dict, np.ndarray, np.ndarray]]:
    """Every case with two or more usable effects."""
    for file in sorted((shared / "data" / "meta").glob("[!_I]*.json")):
        data = json.loads(file.read_text())
        if len(data["used"]) > 1:
            yi, vi = (np.array([data[c][i] for i in data["used"]]) for c in ("yi", "vi"))
            yield file.stem, data, yi, vi


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_intervals_agree_with_metafor(shared: Path, method: str) -> None:
    """metafor 5.0-1, ``confint(rma(), type="PL")``: 76 data sets.

    Limits agree to 1e-11; the estimates between them to what the search of tau2 gives.
    """
    checked = 0
    for case, data, yi, vi in sets(shared):
        block = data["tau2_ci"][f"{method}_PL"]
        found = profile_interval(yi, vi, method=method)
        named = (("tau2", found.tau2), ("tau", found.tau), ("I2", found.i2), ("H2", found.h2))
        units = (vi.mean(), sqrt(vi.mean()), 1.0, 1.0)
        for (name, limits), unit in zip(named, units, strict=True):
            at = f"{case} {name}"
            estimate, low, high = block[name]
            assert limits.estimate == pytest.approx(estimate, rel=1e-7, abs=1e-6 * unit), at
            assert limits.lb == pytest.approx(low, rel=1e-11, abs=1e-11 * unit), at
            assert limits.ub == pytest.approx(high, rel=1e-11, abs=1e-11 * unit), at
        checked += 1
    assert checked >= 76


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_agree_with_metafor(shared: Path, method: str) -> None:
    """metafor 5.0-1, ``rma()$se.tau2``: 76 data sets to 1e-7 of itself."""
    for case, data, yi, vi in sets(shared):
        reference = data["fits"][method]["se_tau2"]
        assert se_tau2(yi, vi, method) == pytest.approx(reference, rel=1e-7), case


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_limits_are_where_the_likelihood_has_fallen(method: str) -> None:
    """By determinants of whole matrices (Hardy and Thompson 1996)."""
    found = profile_interval(YI, VI, method=method, level=0.9).tau2
    ones = np.ones((YI.size, 1))

    def twice(tau2: float) -> float:
        v = np.diag(VI + tau2)
        inverse = np.linalg.inv(v)
        information = ones.T @ inverse @ ones
        mean = (ones.T @ inverse @ YI) / information
        rest = YI - mean[0, 0]
        value = -np.linalg.slogdet(v)[1] - rest @ inverse @ rest
        return float(value - (np.log(information[0, 0]) if method == "REML" else 0))

    drop = stats.chi2.ppf(0.9, 1)
    assert twice(found.estimate) - twice(found.lb) == pytest.approx(drop, abs=1e-8)
    assert twice(found.estimate) - twice(found.ub) == pytest.approx(drop, abs=1e-8)


@given(st.sampled_from([1e-8, 1e-3, 1e6]))
def test_a_change_of_unit_scales_the_interval(unit: float) -> None:
    one, two = profile_interval(YI, VI), profile_interval(YI * unit, VI * unit**2)
    for name in ("estimate", "lb", "ub"):
        expected = getattr(one.tau2, name) * unit**2
        assert getattr(two.tau2, name) == pytest.approx(expected, rel=1e-7)
    assert two.i2.ub == pytest.approx(one.i2.ub, rel=1e-7)
    assert se_tau2(YI * unit, VI * unit**2, "PM") == pytest.approx(
        se_tau2(YI, VI, "PM") * unit**2, rel=1e-9
    )


def test_a_wider_level_holds_the_narrower() -> None:
    narrow, wide = (profile_interval(YI, VI, level=level).tau2 for level in (0.8, 0.99))
    assert wide.lb < narrow.lb < narrow.estimate < narrow.ub < wide.ub


def test_identical_effects_end_at_zero() -> None:
    found = profile_interval(np.zeros(5), VI[:5])
    assert (found.tau2.estimate, found.tau2.lb, found.i2.lb, found.h2.lb) == (0, 0, 0, 1)
    assert 0 < found.tau2.ub < inf


def test_moderators_leave_less() -> None:
    design = np.column_stack([np.ones(7), [0, 0, 0, 0, 1, 1, 1.0]])
    assert profile_interval(YI, VI, x=design).tau2.ub < profile_interval(YI, VI).tau2.ub


def test_an_infinite_limit_is_all_heterogeneity() -> None:
    found: Heterogeneity = heterogeneity_limits(1.0, 0.0, inf, VI, None)
    assert (found.tau.ub, found.i2.ub, found.h2.ub) == (inf, 100, inf)


def test_refuses_what_has_no_likelihood_or_no_tau2() -> None:
    with pytest.raises(PoolError, match="ML or REML; not DL"):
        profile_interval(YI, VI, method="DL")
    with pytest.raises(PoolError, match="EE estimates no tau2"):
        se_tau2(YI, VI, "EE")
    with pytest.raises(PoolError, match="more than 1 studies; got 1"):
        profile_interval(YI[:1], VI[:1])
