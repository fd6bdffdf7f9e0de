"""Means and SDs behind medians: R's estimators, their printed examples, and laws."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.effects.quantiles import (
    Summary,
    is_skewed,
    luo_mean,
    mean_sd,
    quantile_estimation,
    wan_sd,
)
from pipeline.errors import EffectSizeError


def test_every_reference_summary(shared: Path) -> None:
    """_conversions.json: metafor 5.0-1's conv.fivenum (Luo, Wan, Shi: closed forms), its test of
    skewness, and estmeansd 1.0.1's qe.mean.sd (a search that stops at about 1e-5)."""
    made = json.loads((shared / "data" / "meta" / "_conversions.json").read_text())["fivenum"]
    for row in made:
        x = row["input"]
        iqr = None if x["q1"] is None else (x["q1"], x["q3"])
        extremes = None if x["min"] is None else (x["min"], x["max"])
        summary = Summary(x["median"], x["n"], iqr, extremes)
        normal = row["luo_wan_shi_notest"]
        assert luo_mean(summary) == pytest.approx(normal["mean"], rel=1e-12)
        assert wan_sd(summary) == pytest.approx(normal["sd"], rel=1e-12)
        assert is_skewed(summary) == (row["luo_wan_shi_test"]["mean"] is None)
        mean, sd, _ = quantile_estimation(summary)
        assert (mean, sd) == pytest.approx((row["qe"]["mean"], row["qe"]["sd"]), rel=1e-5)
    assert len(made) == 6


def test_a_skewed_summary_says_which_family() -> None:
    """0.5, 1.1, 2, 4.2, 11 of 40: skewed by Shi et al. (2023), nearest to a log-normal."""
    mean, sd, sentence = mean_sd(Summary(2, 40, (1.1, 4.2), (0.5, 11)))
    assert "log-normal" in sentence
    assert (mean, sd) == pytest.approx((3.118, 3.026), abs=1e-3)


def test_a_symmetric_summary_keeps_its_middle() -> None:
    mean, _, sentence = mean_sd(Summary(5, 30, (4, 6)))
    assert mean == 5
    assert "normal" in sentence


@given(
    n=st.integers(5, 500),
    unit=st.sampled_from([0.1, 2.0, 10.0, 1000.0]),
    low=st.floats(0.5, 2),
    high=st.floats(0.5, 2),
)
def test_a_change_of_unit_scales_mean_and_sd(n: int, unit: float, low: float, high: float) -> None:
    one, other = (
        Summary(5, n, (5 - low, 5 + high)),
        Summary(5 * unit, n, ((5 - low) * unit, (5 + high) * unit)),
    )
    for function in (luo_mean, wan_sd):
        assert function(other) == pytest.approx(unit * function(one), rel=1e-9)
    assert is_skewed(one) == is_skewed(other)


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({"median": 5, "n": 30}, "without quartiles"),
        ({"median": 5, "n": 2, "iqr": (4, 6)}, "3 or more"),
        ({"median": 5, "n": 30, "iqr": (6, 7)}, "do not rise"),
        ({"median": 5, "n": 30, "iqr": (5, 5)}, "do not rise"),
    ],
)
def test_what_is_no_summary_is_refused(summary: dict[str, object], said: str) -> None:
    with pytest.raises(EffectSizeError, match=said):
        Summary(**summary)  # type: ignore[arg-type]
