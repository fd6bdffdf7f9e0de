"""Finds tau2 at the top of the (restricted) likelihood of many data sets at once.

The likelihood may have two tops, one of them often at 0, so a grid comes before any climbing, and
both are climbed. PyMARE 0.0.13 scans 31 points and ends in the lower top of some sets (1 to 4 of
20,000 random ones); Fisher scoring from one start does so in 3 of 1,000. Shapes as in `linear`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.pool.linear import Array, Linear, wls

#: The grid is even in log(1 + tau2 / least variance): no step of a likelihood is narrower.
_SPACING = 0.25
_FEWEST, _MOST = 24, 240

#: A climb ends when a step moves tau2 by less than this share.
_CLOSE = 1e-13
_STEPS = 100

#: Numbers of a grid that are looked at in one go.
_AT_ONCE = 50_000

_TINY = 1e-300


def highest(y: Array, v: Array, x: Array, *, restricted: bool) -> Array:
    """Return the tau2 of the largest (restricted) likelihood of each column.

    Parameters
    ----------
    y, v : arrays of shape (studies, data sets)
        Effects and variances on a scale of about 1 (`scale.scaled`).
    x : array of shape (studies, coefficients)
        The design.
    restricted : bool
        REML, else ML.

    References
    ----------
    Likelihood and score: Harville (1977), *J Am Stat Assoc* 72:320; Viechtbauer (2005), *J Educ
    Behav Stat* 30:261. metafor: ``rma(method="REML")``, ``"ML"``.
    """
    grid = _grid(y, v, x)
    heights = _heights(grid, y, v, x, restricted)
    first = heights.argmax(axis=0)
    best = _climbed(grid, first, y, v, x, restricted)
    heights[first, np.arange(y.shape[1])] = -np.inf
    second, other = _second_top(heights, first)
    if other.size:
        rows = np.ix_(np.arange(len(y)), other)
        tried = _climbed(grid[:, other], second, y[rows], v[rows], x, restricted)
        above = _height(tried, y[rows], v[rows], x, restricted) > _height(
            best[other], y[rows], v[rows], x, restricted
        )
        best[other] = np.where(above, tried, best[other])
    return best


def _grid(y: Array, v: Array, x: Array) -> Array:
    """Values of tau2 from 0 to where the likelihood can only fall, shape (points, data sets)."""
    k, p = x.shape
    residuals = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    spread = np.ptp(residuals, axis=0) ** 2 * k / (k - p)
    least = v.min(axis=0)
    length = np.log1p(spread / least)
    points = int(np.clip(np.ceil(length.max() / _SPACING), _FEWEST, _MOST)) + 1
    return np.asarray(least * np.expm1(np.linspace(0, 1, points)[:, np.newaxis] * length))


def _heights(grid: Array, y: Array, v: Array, x: Array, restricted: bool) -> Array:
    """The log-likelihoods at each point of the grid, several points at once where data are few."""
    points, sets = grid.shape
    step = max(1, _AT_ONCE // y.size)
    found = []
    for some in (grid[i : i + step] for i in range(0, points, step)):
        many_y, many_v = (np.tile(column, (1, len(some))) for column in (y, v))
        flat = _height(some.reshape(-1), many_y, many_v, x, restricted)
        found.append(flat.reshape(-1, sets))
    return np.concatenate(found)


def _height(tau2: Array, y: Array, v: Array, x: Array, restricted: bool) -> Array:
    """The log-likelihood, less a constant, profiled over the coefficients."""
    w = 1 / (v + tau2)
    if x.shape[1] == 1 and np.all(x == 1):
        total = w.sum(axis=0)
        residuals = y - np.einsum("kd,kd->d", w, y) / total
        logdet = np.log(total)
    else:
        fit = wls(y, w, x)
        residuals, logdet = fit.residuals, -np.linalg.slogdet(fit.cov)[1]
    q = np.einsum("kd,kd,kd->d", w, residuals, residuals)
    return np.asarray((np.log(w).sum(axis=0) - q - (logdet if restricted else 0)) / 2)


def _second_top(
    heights: Array, first: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Where another top of the grid may be as high as the first, and in which data sets."""
    padded = np.pad(heights, ((1, 1), (0, 0)), constant_values=-np.inf)
    top = (heights >= padded[:-2]) & (heights >= padded[2:]) & np.isfinite(heights)
    apart = np.abs(np.arange(len(heights))[:, np.newaxis] - first) > 1
    masked = np.where(top & apart, heights, -np.inf)
    second = masked.argmax(axis=0)
    other = np.flatnonzero(np.isfinite(masked.max(axis=0)))
    return second[other], other


def _climbed(
    grid: Array, at: npt.NDArray[np.intp], y: Array, v: Array, x: Array, restricted: bool
) -> Array:
    """The top between the neighbours of a point of the grid.

    Scoring first, then the secant of the slopes, which needs no curvature; halving where they
    leave the interval in which the slope changes its sign.
    """
    columns = np.arange(y.shape[1])
    low = grid[np.maximum(at - 1, 0), columns]
    high = grid[np.minimum(at + 1, len(grid) - 1), columns]
    tau2, least = grid[at, columns], v.min(axis=0)
    done = np.zeros(tau2.size, dtype=bool)
    before, slope_before = tau2, np.zeros(tau2.size)
    for i in range(_STEPS):
        slope, step = _step(wls(y, 1 / (v + tau2), x), restricted)
        low, high = np.where(slope > 0, tau2, low), np.where(slope > 0, high, tau2)
        bend = (slope_before - slope) / np.where(tau2 != before, tau2 - before, np.inf)
        step = np.where((bend > 0) & (i > 0), slope / np.where(bend > 0, bend, 1), step)
        wanted = np.maximum(tau2 + step, 0)
        inside = (wanted >= low) & (wanted <= high)
        moved = np.where(inside, wanted, (low + high) / 2) - tau2
        before, slope_before = tau2, slope
        # The slope at a top is rounding error, which would send the next step anywhere.
        tau2 = np.where(done, tau2, tau2 + moved)
        done |= (np.abs(moved) <= _CLOSE * (tau2 + least)) | (np.abs(step) <= _CLOSE * least)
        if done.all():
            break
    return tau2


def _step(fit: Linear, restricted: bool) -> tuple[Array, Array]:
    """The slope of the likelihood in tau2, and the step of Fisher scoring."""
    score = ((fit.w * fit.residuals) ** 2).sum(axis=0)
    if restricted:
        slope = score - fit.trace
        # Beside one huge weight the trace of PP drowns in rounding; the step is then not taken.
        return slope, slope / np.maximum(fit.squared_trace, _TINY)
    slope = score - fit.w.sum(axis=0)
    return slope, slope / (fit.w**2).sum(axis=0)
