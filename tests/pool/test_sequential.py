"""Boundaries of repeated looks, required sizes, and looks at a growing pool."""

from __future__ import annotations

import json
from itertools import pairwise
from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import PoolError
from pipeline.pool.sequential import (
    binary_size,
    boundaries,
    diversity,
    monitored,
    required_size,
)

NAMES = {"esOF": "obrien-fleming", "esPoc": "pocock"}


@pytest.mark.parametrize(
    ("spending", "printed"),
    [
        ("obrien-fleming", [4.8769, 3.3570, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4102, 2.3966, 2.3860]),
    ],
)
def test_five_even_looks(spending: str, printed: list[float]) -> None:
    """RTSA 0.2.2, boundaries(timing=, alpha=0.05, side=2), rounded; its search stops at 1e-4."""
    made = boundaries([0.2, 0.4, 0.6, 0.8, 1.0], spending=spending)
    assert made.z == pytest.approx(printed, abs=2e-4)


def test_boundaries_agree_with_rtsa(shared: Path) -> None:
    """RTSA 0.2.2, whose search stops at 1e-4 or coarser; beyond |z| = 8 it says 20."""
    held = json.loads((shared / "data/meta/_sequential.json").read_text(encoding="utf-8"))
    for one in held["boundaries"]:
        made = boundaries(
            one["timing"],
            alpha=one["alpha"],
            sides=one["side"],
            spending=NAMES[one["spending"]],
        )
        assert made.spent == pytest.approx(one["cum_spend"], abs=1e-14)
        near = [(ours, theirs) for ours, theirs in zip(made.z, one["upper"], strict=True)]
        assert all(abs(a - b) < 5e-4 for a, b in near if b < 20), one
        assert all(a > 8 for a, b in near if b == 20)
    assert len(held["boundaries"]) >= 18
    for run in held["rtsa"].values():
        timing = [min(t, 1.0) for t in run["bounds"]["inf_frac"]]
        pairs = zip(boundaries(timing).z, run["bounds"]["upper"], strict=True)
        assert all(abs(a - b) < 1e-4 for a, b in pairs if b < 20)


def test_required_sizes_agree_with_rtsa(shared: Path) -> None:
    """RTSA 0.2.2, ris(fixed=TRUE)."""
    held = json.loads((shared / "data/meta/_sequential.json").read_text(encoding="utf-8"))["ris"]
    for one in held["RR"]:
        treated = one["pC"] * one["mc"]
        error = {"alpha": one["alpha"], "power": 1 - one["beta"]}
        assert binary_size(one["pC"], treated, **error) == one["NF"]
    for one in held["MD"]:
        error = {"alpha": one["alpha"], "power": 1 - one["beta"]}
        assert required_size(one["sd"] ** 2, one["mc"], **error) == one["NF"]


def test_a_required_size_by_hand() -> None:
    """4 (1.9600 + 1.2816)^2 * 4 / 1 = 168.1 patients."""
    assert required_size(4, -1, alpha=0.05, power=0.9) == 169


def test_one_look_is_the_usual_test() -> None:
    made = boundaries([1.0])
    assert made.z == pytest.approx((1.959963984540054,))
    assert boundaries([1.0], sides=1).z == pytest.approx((1.6448536269514722,))


@given(st.lists(st.floats(0.05, 0.99), min_size=1, max_size=6, unique=True))
def test_what_is_spent_is_what_simulated_sums_cross(shares: list[float]) -> None:
    """20,000 Brownian paths without an effect: within 4 standard errors of what was spent."""
    timing = [*sorted(shares), 1.0]
    if any(b - a < 0.01 for a, b in pairwise(timing)):
        return
    made = boundaries(timing, spending="pocock")
    rng = np.random.default_rng(0)
    steps = np.sqrt(np.diff([0.0, *timing]))
    paths = np.cumsum(rng.standard_normal((20000, len(timing))) * steps, axis=1)
    crossed = (np.abs(paths) >= np.array(made.z) * np.sqrt(timing)).any(axis=1).mean()
    assert abs(crossed - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 20000)


@pytest.mark.parametrize(
    ("timing", "options", "said"),
    [
        ([], {}, "must rise"),
        ([0.5, 0.5], {}, "must rise"),
        ([0.5, 1.2], {}, "Invalid information 1.2"),
        ([0.5], {"spending": "all"}, "Unknown spending 'all'"),
    ],
)
def test_looks_that_cannot_be(timing: list[float], options: dict[str, str], said: str) -> None:
    with pytest.raises(PoolError, match=said):
        boundaries(timing, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: required_size(4, 0), "needs a difference"),
        (lambda: required_size(0, 1), "variance above 0"),
        (lambda: binary_size(0.2, 1.2), "both must lie in"),
    ],
)
def test_sizes_that_cannot_be(call: object, said: str) -> None:
    with pytest.raises(PoolError, match=said):
        call()  # type: ignore[operator]


def test_diversity_is_what_random_effects_add() -> None:
    assert diversity(0.02, 0.05) == pytest.approx(0.6)
    assert diversity(0.05, 0.05) == 0


def test_looks_at_a_growing_pool() -> None:
    """Of 200 patients required: 1 (too early), 80, 81 (too soon after), 250 (all, and more)."""
    looks = monitored(
        [(1, 1, 0.5, 0.5), (2, 80, 0.4, 0.1), (3, 81, 0.4, 0.1), (4, 250, 0.1, 0.1)], 200
    )
    assert [look.boundary is None for look in looks] == [True, False, True, False]
    expected = boundaries([0.4, 1.0]).z
    assert (looks[1].boundary, looks[3].boundary) == pytest.approx(expected)
    assert (looks[1].ci_lb, looks[1].ci_ub) == pytest.approx(
        (0.4 - expected[0] * 0.1, 0.4 + expected[0] * 0.1)
    )
    assert [look.crossed for look in looks] == [False, True, False, False]


def test_looks_after_the_required_size_have_the_last_boundary() -> None:
    looks = monitored([(1, 100, 0.1, 0.1), (2, 220, 0.1, 0.1), (3, 300, 0.3, 0.1)], 200)
    assert looks[2].boundary == pytest.approx(looks[1].boundary)
    assert looks[2].crossed


def test_nothing_is_spent_before_there_is_information() -> None:
    """At 1 % of the information 2 P(Z > 2.24 / 0.1) is below 1e-100: there is no boundary."""
    assert boundaries([0.01, 1.0]).z[0] == inf
