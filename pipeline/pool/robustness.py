"""Asks how much a pooled estimate rests on single studies: each left out, added, or any subset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.columns import Columns, checked, fit_columns
from pipeline.pool.linear import Array

#: GOSH takes all subsets up to this number of them (12 studies have 4,095), else a sample.
ALL_SUBSETS = 4096


@dataclass(frozen=True, slots=True)
class Refit:
    """A pooled estimate of some of the studies; `row` is the study left out, or added last.

    `test` is "z" where one study is left, whatever was asked for; `df` is then None.
    """

    row: int
    k: int
    estimate: float
    se: float
    stat: float
    df: int | None
    pval: float
    ci_lb: float
    ci_ub: float
    q: float
    q_pval: float
    tau2: float
    i2: float
    h2: float
    test: str


@dataclass(frozen=True, slots=True)
class Baujat:
    """What a study adds to Q (`x`) and how far it moves the pooled estimate (`y`)."""

    row: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Subset:
    """The pooled estimate of a subset; `rows` are its studies."""

    rows: tuple[int, ...]
    k: int
    estimate: float
    q: float
    i2: float
    h2: float
    tau2: float


def leave1out(yi: Array, vi: Array, spec: ModelSpec) -> tuple[Refit, ...]:
    """Pool again without each study in turn.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances; two or more. Of two studies one is left, which is its own
        estimate.
    spec : ModelSpec
        The model, the same for all.

    Returns
    -------
    tuple of Refit
        In the order of the studies.

    Raises
    ------
    PoolError
        If there are fewer than two studies, or a number is not finite.

    References
    ----------
    Viechtbauer and Cheung (2010), *Res Synth Methods* 1:112. metafor: ``leave1out``.
    """
    yi, vi = checked(yi, vi, 2, "Leave-one-out")
    return _refits(without_each(yi, vi, spec), range(yi.size), spec)


def without_each(yi: Array, vi: Array, spec: ModelSpec) -> Columns:
    """The fits without each study, one column a study left out."""
    k = yi.size
    kept = np.array([np.delete(np.arange(k), i) for i in range(k)])
    return fit_columns(yi[kept].T, vi[kept].T, spec)


def cumul(
    yi: Array, vi: Array, spec: ModelSpec, order: Sequence[int] | None = None
) -> tuple[Refit, ...]:
    """Pool the first study, the first two, and so on.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    spec : ModelSpec
        The model; with one study the test is normal.
    order : sequence of int, optional
        The studies' positions in the order in which they are added; as given where None.

    Raises
    ------
    PoolError
        If the order does not name each study once.

    References
    ----------
    Lau, Schmid and Chalmers (1995), *J Clin Epidemiol* 48:45. metafor: ``cumul(order=)``.
    """
    yi, vi = checked(yi, vi, 1, "A cumulative meta-analysis")
    rows = list(range(yi.size)) if order is None else [int(i) for i in order]
    if sorted(rows) != list(range(yi.size)):
        raise PoolError(f"The order must name each of the {yi.size} studies once; got {rows}.")
    found: list[Refit] = []
    for i, row in enumerate(rows):
        first = rows[: i + 1]
        fit = fit_columns(yi[first, np.newaxis], vi[first, np.newaxis], spec)
        found.extend(_refits(fit, [row], spec))
    return tuple(found)


def _refits(fit: Columns, rows: Sequence[int], spec: ModelSpec) -> tuple[Refit, ...]:
    """The columns of a fit as rows of a table."""
    low, high = fit.interval(spec.level)
    numbers = zip(
        fit.estimate, fit.se, fit.stat, fit.pval, low, high, fit.q, fit.q_pval, strict=True
    )
    rest = zip(fit.tau2, fit.i2, fit.h2, strict=True)
    found = []
    for row, (e, se, stat, p, lb, ub, q, q_p), (tau2, i2, h2) in zip(
        rows, numbers, rest, strict=True
    ):
        named = dict(zip(_NUMBERS, (e, se, stat, p, lb, ub, q, q_p, tau2, i2, h2), strict=True))
        values = {name: float(value) for name, value in named.items()}
        found.append(Refit(row=row, k=fit.k, df=fit.df, test=fit.test, **values))
    return tuple(found)


_NUMBERS = (
    *("estimate", "se", "stat", "pval", "ci_lb", "ci_ub"),
    *("q", "q_pval", "tau2", "i2", "h2"),
)


def baujat(yi: Array, vi: Array, spec: ModelSpec) -> tuple[Baujat, ...]:
    """Return what Baujat's plot shows of each study.

    `x` is the squared Pearson residual, (yi - estimate)^2 / (vi + tau2), with equal effects the
    study's part of Q; `y` the squared change of the estimate without the study, over the variance
    of the estimate without it.

    References
    ----------
    Baujat, Mahé, Pignon and Hill (2002), *Stat Med* 21:2641. metafor: ``baujat``.
    """
    yi, vi = checked(yi, vi, 3, "Baujat's plot")
    full = fit_columns(yi[:, np.newaxis], vi[:, np.newaxis], spec)
    left = without_each(yi, vi, spec)
    x = (yi - full.estimate) ** 2 / (vi + full.tau2)
    y = (left.estimate - full.estimate) ** 2 / left.se**2
    return tuple(Baujat(i, float(x[i]), float(y[i])) for i in range(yi.size))


def gosh(
    yi: Array, vi: Array, spec: ModelSpec, *, subsets: int = ALL_SUBSETS, seed: int = 0
) -> tuple[Subset, ...]:
    """Pool subsets of the studies, to see groups of results in one set.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances.
    spec : ModelSpec
        The model of each subset; one study is its own estimate.
    subsets : int
        All 2^k - 1 subsets are taken where they are no more than this, else as many drawn at
        random, any subset as likely as any other; one drawn twice is kept twice.
    seed : int
        Of the draw.

    Returns
    -------
    tuple of Subset
        By size.

    References
    ----------
    Olkin, Dahabreh and Trikalinos (2012), *Res Synth Methods* 3:214. metafor: ``gosh(subsets=)``.
    """
    yi, vi = checked(yi, vi, 3, "GOSH")
    found: list[Subset] = []
    for rows in _by_size(yi.size, subsets, np.random.default_rng(seed)):
        fit = fit_columns(yi[rows].T, vi[rows].T, spec)
        for i, members in enumerate(rows):
            numbers = (fit.estimate[i], fit.q[i], fit.i2[i], fit.h2[i], fit.tau2[i])
            names = tuple(int(m) for m in members)
            found.append(Subset(names, fit.k, *(float(n) for n in numbers)))
    return tuple(found)


def _by_size(k: int, subsets: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int64]]:
    """Subsets of each size, shape (subsets, size)."""
    if 2**k - 1 <= subsets:
        for size in range(1, k + 1):
            yield np.array(list(combinations(range(k), size)), dtype=np.int64)
        return
    likely = np.array([comb(k, size) / 2**k for size in range(1, k + 1)])
    drawn = rng.multinomial(subsets, likely / likely.sum())
    for size, number in enumerate(drawn, start=1):
        if number:
            shuffled = rng.permuted(np.tile(np.arange(k), (int(number), 1)), axis=1)
            yield np.sort(shuffled[:, :size], axis=1).astype(np.int64)
