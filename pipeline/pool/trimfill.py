"""Trim and fill: how many studies a symmetric funnel lacks, and the pooled estimate with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.bias import few, regtest
from pipeline.pool.columns import checked, fit_columns
from pipeline.pool.linear import Array

#: metafor's maxiter.
_STEPS = 100


@dataclass(frozen=True, slots=True)
class TrimFill:
    """A pooled estimate with the `k0` studies that the `side` lacks: metafor's ``trimfill``.

    `k` counts the filled studies too, `yi_fill` and `vi_fill` are them alone. `se_k0` and `p_k0`
    (R0 only: that no study is missing) are None where they are not defined.
    """

    estimator: str
    side: str
    k0: int
    se_k0: float | None
    p_k0: float | None
    k: int
    estimate: float
    se: float
    ci_lb: float
    ci_ub: float
    pval: float
    tau2: float
    yi_fill: tuple[float, ...]
    vi_fill: tuple[float, ...]
    notes: tuple[str, ...] = ()


def trimfill(
    yi: Array, vi: Array, spec: ModelSpec, *, estimator: str = "L0", side: str | None = None
) -> TrimFill:
    """Trim the studies that have no mirror image, re-centre, and fill in the mirror images.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances, three or more.
    spec : ModelSpec
        The model by which centre and final estimate are found.
    estimator : {"L0", "R0", "Q0"}
        Of the number of missing studies.
    side : {"left", "right"}, optional
        Where studies lack; None: left where effects rise with the standard error, else right.

    Raises
    ------
    PoolError
        If there are fewer than three studies, the estimator is unknown, not defined for these
        data (Q0 alone can be), or the number of missing studies never settles.

    References
    ----------
    Duval and Tweedie (2000), *Biometrics* 56:455 and *J Am Stat Assoc* 95:89. metafor:
    ``trimfill(estimator=, side=)``.
    """
    yi, vi = checked(yi, vi, 3, "Trim and fill")
    if estimator not in _MISSING:
        raise PoolError(f"Unknown estimator {estimator!r}; must be one of {', '.join(_MISSING)}.")
    where = _side(yi, vi, spec) if side is None else side
    if where not in ("left", "right"):
        raise PoolError(f"Unknown side {where!r}; must be left or right.")
    sign = -1.0 if where == "right" else 1.0
    order = np.argsort(sign * yi, kind="stable")
    y, v = sign * yi[order], vi[order]
    k0, centre, signed = _settled(y, v, spec, estimator)
    rest = y.size - k0
    filled, filled_v = sign * (2 * centre - y[rest:]), v[rest:]
    all_y, all_v = np.append(yi, filled), np.append(vi, filled_v)
    fit = fit_columns(all_y[:, np.newaxis], all_v[:, np.newaxis], spec)
    low, high = fit.interval(spec.level)
    return TrimFill(
        estimator=estimator,
        side=where,
        k0=k0,
        se_k0=_SE[estimator](signed, k0),
        p_k0=0.5 ** (k0 + 1) if estimator == "R0" and k0 > 0 else None,
        k=fit.k,
        estimate=float(fit.estimate[0]),
        se=float(fit.se[0]),
        ci_lb=float(low[0]),
        ci_ub=float(high[0]),
        pval=float(fit.pval[0]),
        tau2=float(fit.tau2[0]),
        yi_fill=tuple(float(x) for x in filled),
        vi_fill=tuple(float(x) for x in filled_v),
        notes=few(yi.size),
    )


def _side(yi: Array, vi: Array, spec: ModelSpec) -> str:
    """Where studies lack: opposite to where small studies lie, as metafor decides it."""
    try:
        slope = regtest(yi, vi, spec).slope
    except PoolError as error:
        raise PoolError(f"No side for trim and fill can be told; name one. {error}") from error
    return "right" if slope < 0 else "left"


def _settled(y: Array, v: Array, spec: ModelSpec, estimator: str) -> tuple[int, float, Array]:
    """The number of missing studies once it no longer changes, the centre, the signed ranks."""
    k, k0, seen = y.size, 0, -1
    for _ in range(_STEPS):
        seen = k0
        kept = slice(0, k - k0)
        centre = float(fit_columns(y[kept, np.newaxis], v[kept, np.newaxis], spec).estimate[0])
        gap = y - centre
        signed = np.sign(gap) * stats.rankdata(np.abs(gap), method="ordinal")
        missing = _MISSING[estimator](signed)
        if not np.isfinite(missing):
            raise PoolError(f"The estimator {estimator} is not defined for these {k} studies.")
        k0 = min(max(0, round(missing)), k - 1)
        if k0 == seen:
            return k0, centre, signed
    raise PoolError(f"Trim and fill ({estimator}) does not settle: {seen} or {k0} studies.")


def _r0(signed: Array) -> float:
    """R0: the run of largest ranks on the right, less one."""
    left = signed[signed < 0]
    return float(signed.size - (np.abs(left).max() if left.size else 0) - 1)


def _l0(signed: Array) -> float:
    """L0, from the sum of ranks on the right."""
    k, ranks = signed.size, float(signed[signed > 0].sum())
    return (4 * ranks - k * (k + 1)) / (2 * k - 1)


def _q0(signed: Array) -> float:
    """Q0, from the sum of ranks on the right; NaN where its root has none."""
    k, ranks = signed.size, float(signed[signed > 0].sum())
    inside = 2 * k**2 - 4 * ranks + 0.25
    return k - 0.5 - sqrt(inside) if inside >= 0 else float("nan")


def _variance(k: int, k0: int) -> float:
    """The variance of the sum of ranks with k0 studies missing."""
    more = 10 * k0**3 + 27 * k0**2 + 17 * k0 - 18 * k * k0**2 - 18 * k * k0 + 6 * k**2 * k0
    return (k * (k + 1) * (2 * k + 1) + more) / 24


def _se_r0(signed: Array, k0: int) -> float:
    """The standard error of R0."""
    return sqrt(2 * k0 + 2)


def _se_l0(signed: Array, k0: int) -> float | None:
    """The standard error of L0."""
    variance = _variance(signed.size, k0)
    return 4 * sqrt(variance) / (2 * signed.size - 1) if variance >= 0 else None


def _se_q0(signed: Array, k0: int) -> float | None:
    """The standard error of Q0."""
    inside = (signed.size - 0.5) ** 2 - k0 * (2 * signed.size - k0 - 1)
    variance = _variance(signed.size, k0)
    return 2 * sqrt(variance) / sqrt(inside) if variance >= 0 and inside > 0 else None


_MISSING: Mapping[str, Callable[[Array], float]] = {"L0": _l0, "R0": _r0, "Q0": _q0}
_SE: Mapping[str, Callable[[Array, int], float | None]] = {
    "L0": _se_l0,
    "R0": _se_r0,
    "Q0": _se_q0,
}
