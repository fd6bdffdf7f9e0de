"""Sequential monitoring of a pool: how strong evidence must be when one looks again and again.

Each new study is another look at the data, and at 5 % a look the chance of a false finding grows.
Alpha spending gives each look the share of the error that its information has earned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, e, inf, isfinite, log, sqrt
from types import MappingProxyType

import numpy as np
from scipy import optimize, stats

from pipeline.errors import PoolError
from pipeline.pool.linear import Array

#: Gauss-Legendre points over the region in which monitoring goes on.
_POINTS = 500

#: No boundary is looked for beyond this; a look that may spend less has none.
_FARTHEST = 20.0

#: Looks nearer to the last one than this share of the required information have no boundary.
CLOSEST = 0.01


def _obrien_fleming(alpha: float, t: float) -> float:
    """What has been spent at information t: Lan and DeMets (1983), like O'Brien and Fleming."""
    return float(2 * stats.norm.sf(stats.norm.isf(alpha / 2) / sqrt(t)))


def _pocock(alpha: float, t: float) -> float:
    """What has been spent at information t: Lan and DeMets (1983), like Pocock."""
    return alpha * log(1 + (e - 1) * t)


#: Ways to spend the error, by name: (alpha of a side, information fraction) -> spent so far.
SPENDING: Mapping[str, Callable[[float, float], float]] = MappingProxyType(
    {"obrien-fleming": _obrien_fleming, "pocock": _pocock}
)


@dataclass(frozen=True, slots=True)
class Boundaries:
    """Critical |z| of each look (infinite where nothing may be spent), and the error spent so far.

    `spent` is that of one side.
    """

    timing: tuple[float, ...]
    z: tuple[float, ...]
    spent: tuple[float, ...]


def boundaries(
    timing: Sequence[float],
    *,
    alpha: float = 0.05,
    sides: int = 2,
    spending: str = "obrien-fleming",
) -> Boundaries:
    """Return the boundaries of looks at growing information.

    Parameters
    ----------
    timing : sequence of float
        Information at each look as a share of what is required, rising, above 0 and up to 1.
    alpha : float
        The whole error; with two sides half of it is spent on each.
    sides : {1, 2}
    spending : str
        A key of `SPENDING`.

    Raises
    ------
    PoolError
        If the timing does not rise within (0, 1], or a choice is unknown.

    References
    ----------
    Lan and DeMets (1983), *Biometrika* 70:659; the recursion over looks: Armitage, McPherson and
    Rowe (1969), *J R Stat Soc A* 132:235; Jennison and Turnbull (2000), *Group Sequential Methods*,
    section 19.2. R: ``RTSA::boundaries``.
    """
    if not timing or any(b <= a for a, b in zip((0.0, *timing), timing, strict=False)):
        raise PoolError("Information must rise from look to look, from above 0.")
    if timing[-1] > 1:
        raise PoolError(f"Invalid information {timing[-1]:g}; must not be above 1.")
    if spending not in SPENDING or sides not in (1, 2):
        known = ", ".join(SPENDING)
        raise PoolError(f"Unknown spending {spending!r} or {sides} sides; known: {known}; 1 or 2.")
    found: list[float] = []
    spent = [SPENDING[spending](alpha / sides, t) for t in timing]
    at, density = np.zeros(1), np.ones(1)
    before = 0.0
    for t, share in zip(timing, np.diff([0.0, *spent]), strict=True):
        step = sqrt(t - before)
        z = _critical(at, density, step, sqrt(t), float(share))
        found.append(z)
        at, density = _onward(at, density, step, sqrt(t), z, sides)
        before = t
    return Boundaries(tuple(timing), tuple(found), tuple(spent))


def _critical(at: Array, density: Array, step: float, root: float, share: float) -> float:
    """The |z| that is crossed with a probability at this look, not having been crossed before."""

    def excess(z: float) -> float:
        return float(density @ stats.norm.sf((z * root - at) / step)) - share

    if excess(_FARTHEST) >= 0 or share <= 0:
        return inf
    return float(optimize.brentq(excess, 0.0, _FARTHEST, xtol=1e-12))


def _onward(
    at: Array, density: Array, step: float, root: float, z: float, sides: int
) -> tuple[Array, Array]:
    """Where the sum may be after a look that crossed nothing: points, weighted densities."""
    upper = min(z, _FARTHEST / 2) * root
    lower = -upper if sides == 2 else -_FARTHEST / 2 * root
    x, w = np.polynomial.legendre.leggauss(_POINTS)
    half = (upper - lower) / 2
    points = lower + half * (1 + x)
    arrived = stats.norm.pdf((points[:, np.newaxis] - at) / step) @ density / step
    return points, arrived * w * half


def required_size(
    variance: float, difference: float, *, alpha: float = 0.05, power: float = 0.9, sides: int = 2
) -> int:
    """Return how many patients, in two arms of one size, a single trial would need.

    Parameters
    ----------
    variance : float
        Of one patient's outcome: SD squared, or p (1 - p) with the mean p of both arms' risks.
    difference : float
        The smallest difference that matters, on the scale of the outcome.
    alpha, power : float
    sides : {1, 2}

    Raises
    ------
    PoolError
        If the difference is 0, or the variance not positive.

    References
    ----------
    Wetterslev et al. (2008), *J Clin Epidemiol* 61:64: 4 (z_alpha + z_beta)^2 variance / d^2.
    R: ``RTSA::ris(fixed=TRUE)``.
    """
    if not (difference and variance > 0):
        raise PoolError(
            f"A required size needs a difference and a variance above 0; got {difference:g} and "
            f"{variance:g}."
        )
    quantiles = stats.norm.isf(alpha / sides) + stats.norm.isf(1 - power)
    return ceil(4 * float(quantiles) ** 2 * variance / difference**2)


def binary_size(control: float, treated: float, *, alpha: float = 0.05, power: float = 0.9) -> int:
    """Return `required_size` for two risks of an event, whose difference is one that matters.

    Raises
    ------
    PoolError
        If a risk is not within (0, 1), or both are the same.
    """
    if not (0 < control < 1 and 0 < treated < 1):
        raise PoolError(f"Invalid risks {control:g} and {treated:g}; both must lie in (0, 1).")
    mean = (control + treated) / 2
    return required_size(mean * (1 - mean), control - treated, alpha=alpha, power=power)


#: The treated arm's risk from that of the controls and the effect.
TREATED_RISK: Mapping[str, Callable[[float, float], float]] = {
    "RR": lambda risk, ratio: risk * ratio,
    "OR": lambda risk, ratio: risk * ratio / (1 - risk + risk * ratio),
    "RD": lambda risk, difference: risk + difference,
}


def diversity(fixed: float, random: float) -> float:
    """Return D2: by what share equal effects understate the variance of the pooled estimate.

    Parameters
    ----------
    fixed, random : float
        Variances of the pooled estimate with equal and with random effects.

    References
    ----------
    Wetterslev et al. (2009), *BMC Med Res Methodol* 9:86. The required size grows by 1 / (1 - D2).
    """
    return max(0.0, 1 - fixed / random)


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the pool: its information, z, boundary, and the interval adjusted for looking.

    `boundary` and the interval are None where the look has none: it came too early, or too soon
    after another. `crossed` says whether |z| reached the boundary.
    """

    k: int
    n: float
    timing: float
    estimate: float
    z: float
    boundary: float | None
    ci_lb: float | None
    ci_ub: float | None
    crossed: bool


def monitored(
    looks: Sequence[tuple[int, float, float, float]],
    required: float,
    *,
    alpha: float = 0.05,
    spending: str = "obrien-fleming",
) -> tuple[Look, ...]:
    """Return looks at a growing pool with their boundaries.

    Parameters
    ----------
    looks : sequence of (k, n, estimate, se)
        Studies and patients so far, and the pool of them.
    required : float
        Patients that are required, heterogeneity allowed for.
    alpha : float
        Two-sided.
    spending : str

    References
    ----------
    Wetterslev et al. (2008); Thorlund et al. (2017), *User Manual for Trial Sequential Analysis*:
    the adjusted interval is estimate +/- boundary x SE. R: ``RTSA::RTSA``, whose looks less than
    1 % of the required information after another have no boundary either.
    """
    timing = [min(n / required, 1.0) for _, n, _, _ in looks]
    kept = _apart(timing)
    made = boundaries([timing[i] for i in kept], alpha=alpha, spending=spending) if kept else None
    limits = dict(zip(kept, made.z, strict=True)) if made else {}
    found = []
    for i, (k, n, estimate, se) in enumerate(looks):
        z = estimate / se
        limit = limits.get(i, limits[kept[-1]] if kept and timing[i] == 1 else inf)
        half = limit * se
        known = isfinite(limit)
        found.append(
            Look(
                k=k,
                n=n,
                timing=timing[i],
                estimate=estimate,
                z=z,
                boundary=limit if known else None,
                ci_lb=estimate - half if known else None,
                ci_ub=estimate + half if known else None,
                crossed=abs(z) >= limit,
            )
        )
    return tuple(found)


def _apart(timing: Sequence[float]) -> list[int]:
    """The looks that are far enough from the one before."""
    kept: list[int] = []
    for i, t in enumerate(timing):
        if t - (timing[kept[-1]] if kept else 0.0) >= CLOSEST:
            kept.append(i)
    return kept
