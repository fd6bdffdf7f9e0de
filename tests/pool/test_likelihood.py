"""The top of the likelihood against a fine grid, which cannot miss it."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.pool.likelihood import highest
from pipeline.pool.scale import scaled


def height(tau2: np.ndarray, y: np.ndarray, v: np.ndarray, x: np.ndarray, reml: bool) -> np.ndarray:
    """The log-likelihood of each data set, written out (Viechtbauer 2005, eqs 10 and 11)."""
    found = []
    for t, column, variances in zip(tau2, y.T, v.T, strict=True):
        w = np.diag(1 / (variances + t))
        xwx = x.T @ w @ x
        r = column - x @ np.linalg.solve(xwx, x.T @ w @ column)
        value = np.log(variances + t).sum() + r @ w @ r
        found.append(-(value + (np.linalg.slogdet(xwx)[1] if reml else 0)) / 2)
    return np.array(found)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("moderator", [True, False])
def test_no_point_of_a_fine_grid_is_higher(reml: bool, moderator: bool) -> None:
    """150 sets of 4 to 12 studies, variances over four orders of magnitude."""
    rng = np.random.default_rng(11)
    for k in (4, 8, 12):
        v = 10 ** rng.uniform(-3, 1, (k, 50))
        y = rng.normal(0, np.sqrt(v + 10 ** rng.uniform(-3, 0, 50)))
        y, v, _ = scaled(y, v)
        x = np.column_stack([np.ones(k), np.arange(k)]) if moderator else np.ones((k, 1))
        ours = highest(y, v, x, restricted=reml)
        assert (ours >= 0).all()
        top = height(ours, y, v, x, reml)
        for tau2 in np.concatenate([[0], np.geomspace(1e-5, 30, 300)]):
            assert (height(np.full(50, tau2), y, v, x, reml) <= top + 1e-9).all()


#: Two tops each: PyMARE 0.0.13's scan of 31 points ends at the lower one, 1.6717 and 0.1526.
TWO_TOPS = [
    (
        [-4.07, -0.06, -0.07, 0.21, -4.31, -0.45],
        [2.579, 0.026, 0.12, 0.017, 2.387, 1.101],
        0.0282177,
    ),
    (
        [-1.31, -0.07, -0.22, -0.3, -0.5, -1.49, -1.78, -2.05, 0.4, 0.06, 0.21, -1.3],
        [0.916, 0.004, 6.676, 0.19, 5.416, 0.491, 4.847, 1.082, 1.419, 0.005, 0.057, 0.428],
        0.0058540,
    ),
]


@pytest.mark.parametrize(("yi", "vi", "top"), TWO_TOPS)
def test_the_higher_of_two_tops_is_taken(yi: list[float], vi: list[float], top: float) -> None:
    y, v = np.array(yi)[:, np.newaxis], np.array(vi)[:, np.newaxis]
    x = np.ones_like(y)
    grid = np.concatenate([[0], np.geomspace(1e-4, 10, 400)])
    heights = np.array([height(np.array([t]), y, v, x, True)[0] for t in grid])
    inner = (heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])
    assert inner.sum() + (heights[0] > heights[1]) == 2
    scaled_y, scaled_v, scale = scaled(y, v)
    ours = highest(scaled_y, scaled_v, x, restricted=True)[0] * scale[0] ** 2
    assert ours == pytest.approx(top, rel=1e-5)
    assert grid[heights.argmax()] == pytest.approx(ours, rel=0.05)


def test_many_columns_are_what_one_column_is() -> None:
    rng = np.random.default_rng(5)
    v = rng.uniform(0.01, 1, (6, 30))
    y = rng.normal(0, np.sqrt(v + 0.2))
    y, v, _ = scaled(y, v)
    x = np.ones((6, 1))
    at_once = highest(y, v, x, restricted=True)
    for i in range(30):
        alone = highest(y[:, [i]], v[:, [i]], x, restricted=True)[0]
        assert at_once[i] == pytest.approx(alone, rel=1e-9, abs=1e-12)
