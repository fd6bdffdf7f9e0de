"""Ratios of means of a group measured twice: from its means, or from a printed percent change."""

from __future__ import annotations

from pipeline.effects.means import is_improvement, mean_of, refuse_type, sd_of, signed
from pipeline.effects.source import ASSUMED_R, BORROWED_CV, Computed, Source
from pipeline.effects.study import of_percent_change
from pipeline.errors import EffectSizeError
from pipeline.schema import ContinuousData

#: The recovery that a question must name, with `cv`, `cv_source` and `ri`.
FROM_PERCENT = "log_ratio_from_percent"

_SPREADS = ("sd", "se", "ci_low", "spread_unlabelled")


def ratio_of_change(source: Source) -> Computed:
    """Compute the effect of a group's means after and before, paired by the question's `ri`."""
    if source.row.type == "percent_change":
        raise EffectSizeError(f"a percent change; the question does not allow {FROM_PERCENT}")
    refuse_type(source, ("mean",))
    mean = source.take("baseline_value")
    if mean is None:
        raise EffectSizeError("no baseline: a mean alone is not a change")
    after = mean_of(source, "")
    before = ContinuousData(mean, sd_of(source, "baseline_", mean, after.n), after.n)
    r = _correlation(source)
    source.note("log ratio", f"the two measurements correlate with an assumed r = {r:g}")
    result = source.measure.compute(after, before, r)
    cvs = (f"{x.sd / x.mean:.2g}" for x in (before, after))
    change = f"{100 * (after.mean / before.mean - 1):.3g}"
    return source.computed(result, after.n, change, *cvs, after.n, numbers=6)


def ratio_of_percents(source: Source) -> Computed:
    """Compute the log ratio of means behind percent changes, with the question's borrowed CV."""
    single = source.question.measure == "ROMC"
    arms = ("",) if single else ("", "comparator_")
    changes = _signs(source, [_change(source, arm) for arm in arms])
    sizes = [_size(source, arm) for arm in arms]
    cv, r = source.question.cv, _correlation(source)
    if cv is None:
        raise EffectSizeError("a percent change needs a borrowed cv; the question has none")
    parts = [of_percent_change(c, n, cv, r) for c, n in zip(changes, sizes, strict=True)]
    _assume(source, changes, cv, r)
    if single:
        cells = (changes[0], cv, cv, sizes[0])
        return source.computed(parts[0], sizes[0], *cells, numbers=4)  # change, n, CV, r
    (y1, v1), (y2, v2) = parts
    shown = [f"{100 + c:g} % of baseline" for c in changes]
    cells2 = (shown[0], None, sizes[0], shown[1], None, sizes[1])
    return source.computed((y1 - y2, v1 + v2), sum(sizes), *cells2, numbers=6)


def _change(source: Source, arm: str) -> float:
    """The percent change of an arm that prints no spread of it."""
    value = source.take(arm + "value")
    if value is None:
        raise EffectSizeError(f"no percent change of the {'comparator' if arm else 'treated'} arm")
    if any(getattr(source.row, arm + name) for name in _SPREADS):
        raise EffectSizeError("a percent change with a spread of its own: no CV is borrowed for it")
    return float(value)


def _signs(source: Source, changes: list[float]) -> list[float]:
    """Changes with the sign of the score: "improved by 70 %" may be a fall."""
    if len(changes) == 1:
        return [signed(source, changes[0])]
    if not is_improvement(source, *changes):
        return changes
    source.note("sign", "percent changes are printed as improvements: falls of the score")
    return [-change for change in changes]


def _size(source: Source, arm: str) -> int:
    """The patients behind a percent change."""
    n = source.take(arm + "n")
    if not n:
        who = "comparator" if arm else "treated"
        raise EffectSizeError(f"no number of patients behind the percent change of the {who} arm")
    return int(n)


def _correlation(source: Source) -> float:
    """The question's correlation of two measurements of one patient."""
    if source.question.ri is None:
        raise EffectSizeError("a ratio of change needs a correlation; the question has no ri")
    source.recovered["r"] = ASSUMED_R
    return source.question.ri


def _assume(source: Source, changes: list[float], cv: float, r: float) -> None:
    """Name what stands behind a log ratio of percent changes."""
    source.recovered["cv"] = BORROWED_CV
    shown = " and ".join(f"{change:g} %" for change in changes)
    source.note(
        FROM_PERCENT,
        f"log ratio of means from {shown}: the mean of percent changes is taken for the percent "
        f"change of means, a CV of {cv:g} is borrowed from {source.question.cv_source}, and "
        f"r = {r:g} is assumed (Lajeunesse 2011)",
    )
