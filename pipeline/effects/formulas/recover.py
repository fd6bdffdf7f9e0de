"""Fills in what a table of studies does not hold and what follows from what it holds.

A number that was filled in is named, so that an analysis can say so, and leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.effects.formulas.table import Array, Columns, refuse
from pipeline.effects.quantiles import Summary, mean_sd
from pipeline.errors import EffectSizeError

#: The groups of a table by the ending of their columns: `mi sdi ni`, `m1i sd1i n1i` ...
_GROUPS = ("i", "1i", "2i")

#: Quantiles of a group, with its ending: `min1i q11i median1i q31i max1i` (``conv.fivenum``).
_QUANTILES = ("min", "q1", "median", "q3", "max")

#: What is read from a table beside the columns of the formulas: an effect as printed with its
#: interval, test statistic or p value (metafor's ``conv.wald``), standard errors of means, and
#: quantiles.
PRINTED = (
    *("out", "ci_lb", "ci_ub", "zval", "pval", "se1i", "se2i"),
    *(f"{name}{group}" for group in _GROUPS for name in _QUANTILES),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A column that was filled in for some rows (from 0), and how."""

    column: str
    rows: tuple[int, ...]
    how: str


def completed(
    columns: Columns, *, ratio: bool = False, level: float = 0.95, ri: float | None = None
) -> tuple[dict[str, Array], tuple[Filled, ...]]:
    """Return the columns with what follows from others, and what that was.

    Parameters
    ----------
    columns : mapping of str to array of shape (k,)
        By metafor's names and those of `PRINTED`; what is there stays.
    ratio : bool
        Whether `out`, `ci_lb` and `ci_ub` are those of a ratio, whose effect is the log.
    level : float
        Of the printed intervals.
    ri : float, optional
        Correlation of two measurements of one patient where none is known: an assumption.

    Returns
    -------
    columns : dict of str to array
        `yi` from `out`; `vi` from `sei`, else from the interval, else from `zval`, else from `pval`
        (two-sided); `sd1i` and `sd2i` from `se1i` and `se2i`; means and SDs of groups from
        quantiles (`effects.quantiles.mean_sd`); `ri` from `sd1i`, `sd2i` and the SD of change
        `sdi`, else as given.
    filled : tuple of Filled
        Of these but `yi` from `out` and `vi` from `sei`, which are only other scales.

    Raises
    ------
    EffectSizeError
        If limits are reversed, a limit of a ratio is not positive, p is no probability, quantiles
        do not rise, or no correlation gives the SDs.

    References
    ----------
    *Cochrane Handbook* 6.3.1, 6.3.2 (intervals and p values), 6.5.2.2 (SD from SE), 6.5.2.8
    (correlation from SDs).
    """
    held = dict(columns)
    if "out" in held:
        refuse("out", held["out"], ratio & (held["out"] <= 0), "a ratio must be above 0")
        printed = np.log(held["out"]) if ratio else held["out"]
        held["yi"] = np.where(np.isfinite(_of(held, "yi")), _of(held, "yi"), printed)
    if "yi" in held:
        held["vi"] = np.where(np.isfinite(_of(held, "vi")), _of(held, "vi"), _of(held, "sei") ** 2)
    filled = []
    for name, values, how in _rules(held, ratio, level, ri):
        before = _of(held, name)
        rows = np.flatnonzero(~np.isfinite(before) & np.isfinite(values))
        if rows.size:
            held[name] = np.where(np.isfinite(before), before, values)
            filled.append(Filled(name, tuple(int(i) for i in rows), how))
    return held, tuple(filled)


def _rules(
    held: Columns, ratio: bool, level: float, ri: float | None
) -> Iterator[tuple[str, Array, str]]:
    """What each rule gives, in their order: column, values, how; `held` grows meanwhile."""
    if "yi" in held:
        yield from _of_wald(held, ratio, level)
    yield from _of_errors(held)
    for group in _GROUPS:
        if f"median{group}" in held:
            yield from _of_quantiles(held, group)
    if all(name in held for name in ("sd1i", "sd2i", "sdi")):
        yield "ri", _correlation(held), "from the SDs before, after and of the change"
    if ri is not None:
        yield "ri", np.full(_rows(held), ri), f"assumed: r = {ri:g}"


def _of_wald(held: Columns, ratio: bool, level: float) -> Iterator[tuple[str, Array, str]]:
    """Variances behind intervals, test statistics and p values, in this order."""
    yi = np.abs(_of(held, "yi"))
    if "ci_lb" in held and "ci_ub" in held:
        low, high = held["ci_lb"], held["ci_ub"]
        refuse("ci_lb", low, low > high, "the lower limit must not be above the upper")
        if ratio:
            refuse("ci_lb", low, low <= 0, "a limit of a ratio must be above 0")
            low, high = np.log(low), np.log(high)
        width = 2 * float(stats.norm.ppf(0.5 + level / 2))
        yield (
            "vi",
            ((high - low) / width) ** 2,
            f"from the {100 * level:g} % interval, taken as normal",
        )
    if "zval" in held:
        yield "vi", _divided(yi, np.abs(held["zval"])) ** 2, "from the effect and its z statistic"
    if "pval" in held:
        p = held["pval"]
        refuse("pval", p, (p <= 0) | (p > 1), "must lie above 0 and not above 1")
        z = stats.norm.isf(p / 2)
        yield (
            "vi",
            _divided(yi, z) ** 2,
            "from the effect and its two-sided p value, taken as normal",
        )


def _of_errors(held: Columns) -> Iterator[tuple[str, Array, str]]:
    """Standard deviations behind the standard errors of means."""
    for i in (1, 2):
        if f"se{i}i" in held:
            errors = held[f"se{i}i"]
            refuse(f"se{i}i", errors, errors < 0, "must be 0 or more")
            n = _of(held, f"n{i}i" if f"n{i}i" in held else "ni")
            yield f"sd{i}i", errors * np.sqrt(n), f"from se{i}i and n (Handbook 6.5.2.2)"


def _of_quantiles(held: Columns, group: str) -> Iterator[tuple[str, Array, str]]:
    """Means and SDs behind medians with quartiles or extremes, a column a method."""
    known = [_of(held, name + group) for name in (*_QUANTILES, "n")]
    means, sds = (np.full(_rows(held), np.nan) for _ in range(2))
    methods: dict[str, list[int]] = {}
    for row, (low, q1, median, q3, high, n) in enumerate(zip(*known, strict=True)):
        pairs = (_pair(q1, q3), _pair(low, high))
        if np.isfinite(median) and np.isfinite(n) and any(pairs):
            try:
                means[row], sds[row], how = mean_sd(Summary(float(median), int(n), *pairs))
            except EffectSizeError as refused:
                raise EffectSizeError(f"Row {row + 1}, median{group}: {refused}.") from None
            methods.setdefault(how, []).append(row)
    for how, rows in methods.items():
        of = np.isin(np.arange(_rows(held)), rows)
        yield f"m{group}", np.where(of, means, np.nan), how
        yield f"sd{group}", np.where(of, sds, np.nan), how


def _pair(low: float, high: float) -> tuple[float, float] | None:
    """Two quantiles, if both are known."""
    return (float(low), float(high)) if np.isfinite(low) and np.isfinite(high) else None


def _correlation(held: Columns) -> Array:
    """The correlation of two measurements from their SDs and that of the change."""
    before, after, change = held["sd1i"], held["sd2i"], held["sdi"]
    with np.errstate(divide="ignore", invalid="ignore"):
        ri = (before**2 + after**2 - change**2) / (2 * before * after)
    impossible = np.isfinite(ri) & (np.abs(ri) > 1)
    refuse("sdi", change, impossible, "no correlation of sd1i and sd2i gives it")
    return ri


def _divided(effect: Array, z: Array) -> Array:
    """The standard error; none where the statistic, and so the effect, is 0."""
    return np.divide(effect, z, out=np.full_like(effect, np.nan), where=z > 0)


def _of(held: Columns, name: str) -> Array:
    """A column, NaN in all rows where there is none."""
    return held[name] if name in held else np.full(_rows(held), np.nan)


def _rows(held: Columns) -> int:
    """The number of studies."""
    return len(next(iter(held.values())))
