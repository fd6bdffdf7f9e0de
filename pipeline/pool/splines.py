"""Restricted cubic splines: a curve that is a cubic between its knots and a line outside them."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.linear import Array

#: The outer quantile at which knots begin, by their number.
_OUTER = MappingProxyType({3: 0.1, 4: 0.05, 5: 0.05, 6: 0.05, 7: 0.025})


def knots_of(x: Array, number: int) -> tuple[float, ...]:
    """Return knots at quantiles of x, equally spaced between the outer ones.

    Parameters
    ----------
    x : array of shape (k,)
        Values of the moderator.
    number : int
        3 to 7 knots; 3 for less than 30 studies (Harrell 2015, section 2.4.6).

    Raises
    ------
    PoolError
        If the number is another, or the values are too few for different knots.

    References
    ----------
    Harrell (2015), *Regression Modeling Strategies*, table 2.3: outer quantiles 0.10 (3 knots),
    0.05 (4 to 6) and 0.025 (7). rms moves the outer knots to the fifth values of less than 100;
    so few studies as reviews have would not leave room, and ours stay at the quantiles.
    """
    if number not in _OUTER:
        raise PoolError(f"Invalid number of knots {number}; must be 3 to 7.")
    outer = _OUTER[number]
    knots = tuple(float(q) for q in np.quantile(x, np.linspace(outer, 1 - outer, number)))
    if len(set(knots)) < number:
        few = len(np.unique(x))
        raise PoolError(f"{few} different values do not carry {number} knots; name the knots.")
    return knots


def spline(x: Array, knots: Sequence[float]) -> Array:
    """Return the columns of a restricted cubic spline: x, then one less than there are inner knots.

    Parameters
    ----------
    x : array of shape (n,)
    knots : sequence of float
        Rising, 3 or more.

    Returns
    -------
    array of shape (n, len(knots) - 1)

    Raises
    ------
    PoolError
        If the knots do not rise, or are fewer than three.

    References
    ----------
    Devlin and Weeks (1986); Harrell (2015), eq. 2.25, with terms divided by the square of the
    distance of the outer knots. R: ``rms::rcs``, ``Hmisc::rcspline.eval(inclx=TRUE)``.
    """
    t = np.asarray(knots, dtype=float)
    if t.size < 3 or not np.all(np.diff(t) > 0):
        raise PoolError(f"Invalid knots {', '.join(f'{k:g}' for k in t)}; three or more must rise.")
    above = np.maximum(x[:, np.newaxis] - t, 0) ** 3
    last, before = t[-1], t[-2]
    inner = t[:-2]
    first = above[:, -2, np.newaxis] * (last - inner) / (last - before)
    second = above[:, -1, np.newaxis] * (before - inner) / (last - before)
    terms = (above[:, :-2] - first + second) / (last - t[0]) ** 2
    return np.column_stack([x, terms])
