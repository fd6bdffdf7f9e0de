"""Tests of funnel plot asymmetry made for counts, where an odds ratio and its variance go together.

All take `ai bi ci di`: patients with and without the event, treated, then control.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.errors import PoolError
from pipeline.pool.bias import few
from pipeline.pool.laws import two_sided
from pipeline.pool.linear import Array, wls
from pipeline.pool.ranks import rank_correlation


@dataclass(frozen=True, slots=True)
class CountTest:
    """A test of asymmetry of counts: `stat` is t with `df`, or z where `df` is None."""

    test: str
    k: int
    stat: float
    df: int | None
    pval: float
    slope: float | None
    slope_se: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tables:
    """Tables that say something of an odds ratio; 0.5 is `added` to each cell where one is 0."""

    a: Array
    b: Array
    c: Array
    d: Array
    added: Array

    @property
    def n1(self) -> Array:
        """Treated patients."""
        return self.a + self.b

    @property
    def n2(self) -> Array:
        """Control patients."""
        return self.c + self.d

    @property
    def n(self) -> Array:
        """All patients."""
        return self.n1 + self.n2

    @property
    def filled(self) -> tuple[Array, Array, Array, Array]:
        """The cells with what was added."""
        return self.a + self.added, self.b + self.added, self.c + self.added, self.d + self.added

    @property
    def log_or(self) -> Array:
        """The log odds ratios."""
        a, b, c, d = self.filled
        return np.log(a * d / (b * c))

    @property
    def pooled(self) -> Array:
        """The variances of a log odds of the event over both arms."""
        return 1 / (self.a + self.c) + 1 / (self.b + self.d)


def count_test(test: str, ai: Array, bi: Array, ci: Array, di: Array) -> CountTest:
    """Test by the log odds ratio whether small studies show larger effects.

    Parameters
    ----------
    test : {"Harbord", "Peters", "Macaskill", "Deeks", "Schwarzer"}
        See References.
    ai, bi, ci, di : arrays of shape (k,)
        Counts. Studies in which a cell is not known, or no or all patients of both arms have the
        event, are left out.

    Raises
    ------
    PoolError
        If the test is unknown, fewer than three studies remain, or the predictor is constant.

    References
    ----------
    Harbord, Egger and Sterne (2006), *Stat Med* 25:3443; Peters et al. (2006), *JAMA* 295:676;
    Macaskill, Walter and Irwig (2001), *Stat Med* 20:641 (inverse variance); Deeks, Macaskill and
    Irwig (2005), *J Clin Epidemiol* 58:882; Schwarzer, Antes and Schumacher (2007), *Stat Med*
    26:721. meta: ``metabias(metabin(sm="OR"), method.bias=)``.
    """
    if test not in COUNT_TESTS:
        raise PoolError(f"Unknown test {test!r}; must be one of {', '.join(COUNT_TESTS)}.")
    tables, lost = _tables(ai, bi, ci, di)
    k = tables.a.size
    if k < 3:
        raise PoolError(f"{test}'s test needs 3 or more studies with events; got {k}.")
    notes = (f"{lost} studies without (or with nothing but) events are left out.",) if lost else ()
    return COUNT_TESTS[test](test, tables, (*notes, *few(k)))


def _tables(ai: Array, bi: Array, ci: Array, di: Array) -> tuple[_Tables, int]:
    """The tables that count, and how many do not."""
    cells = np.array([ai, bi, ci, di], dtype=float)
    if np.nanmin(cells, initial=0) < 0:
        raise PoolError("Counts must not be negative.")
    a, b, c, d = cells
    said = np.isfinite(cells).all(axis=0) & (a + c > 0) & (b + d > 0) & (a + b > 0) & (c + d > 0)
    a, b, c, d = cells = cells[:, said]
    added = np.where((cells == 0).any(axis=0), 0.5, 0.0)
    return _Tables(a, b, c, d, added), int((~said).sum())


def _line(test: str, y: Array, v: Array, x: Array, notes: tuple[str, ...]) -> CountTest:
    """The slope of a weighted line, its variance scaled by the residual mean square."""
    k = y.size
    size = float(np.abs(x).max())
    if np.ptp(x) <= 1e-9 * size:
        raise PoolError(f"{test}'s test needs studies of different size.")
    fit = wls(y[:, np.newaxis], 1 / v[:, np.newaxis], np.column_stack([np.ones(k), x / size]))
    se = float(np.sqrt(fit.cov[0, 1, 1] * fit.q[0] / (k - 2)))
    slope = float(fit.beta[0, 1])
    if not se > 0:
        raise PoolError(f"{test}'s test has no standard error: the effects lie on a line.")
    stat = slope / se
    pval = float(two_sided(np.array(stat), k - 2))
    return CountTest(test, k, stat, k - 2, pval, slope / size, se / size, notes)


def _harbord(test: str, t: _Tables, notes: tuple[str, ...]) -> CountTest:
    """Egger's test of the score over its variance."""
    score = t.a - (t.a + t.c) * t.n1 / t.n
    v = t.n1 * t.n2 * (t.a + t.c) * (t.b + t.d) / (t.n**2 * (t.n - 1))
    return _line(test, score / v, 1 / v, 1 / np.sqrt(v), notes)


def _peters(test: str, t: _Tables, notes: tuple[str, ...]) -> CountTest:
    """The log odds ratio on 1 / n, weighted by events and others over both arms."""
    return _line(test, t.log_or, t.pooled, 1 / t.n, notes)


def _macaskill(test: str, t: _Tables, notes: tuple[str, ...]) -> CountTest:
    """The log odds ratio on n, weighted by its inverse variance."""
    a, b, c, d = t.filled
    return _line(test, t.log_or, 1 / a + 1 / b + 1 / c + 1 / d, t.n, notes)


def _deeks(test: str, t: _Tables, notes: tuple[str, ...]) -> CountTest:
    """The log odds ratio on the root of 1 / effective size, weighted by that size."""
    size = 4 * t.n1 * t.n2 / t.n
    return _line(test, t.log_or, 1 / size, 1 / np.sqrt(size), notes)


def _schwarzer(test: str, t: _Tables, notes: tuple[str, ...]) -> CountTest:
    """Rank correlation of events beyond those expected under the Mantel-Haenszel odds ratio."""
    a, b, c, d = t.filled
    n = a + b + c + d
    odds = float((a * d / n).sum() / (b * c / n).sum())
    laws = [
        stats.nchypergeom_fisher(round(n), round(m), round(n1), odds)
        for n, m, n1 in zip(t.n, t.a + t.c, t.n1, strict=True)
    ]
    mean = np.array([float(law.mean()) for law in laws])
    v = np.array([float(law.var()) for law in laws])
    rank = rank_correlation((t.a - mean) / np.sqrt(v), 1 / v)
    return CountTest(test, rank.k, rank.z, None, rank.z_pval, None, None, notes)


#: All tests by their author.
COUNT_TESTS: Mapping[str, Callable[[str, _Tables, tuple[str, ...]], CountTest]] = {
    "Harbord": _harbord,
    "Peters": _peters,
    "Macaskill": _macaskill,
    "Deeks": _deeks,
    "Schwarzer": _schwarzer,
}
