"""Means and changes: a printed result -> the data of differences and changes of scores."""

from __future__ import annotations

from pipeline.effects import convert
from pipeline.effects.quantiles import Summary, mean_sd
from pipeline.effects.reported import refuse_skew, reported_difference
from pipeline.effects.source import ASSUMPTIONS, Computed, Source
from pipeline.effects.study import of_pairs
from pipeline.errors import EffectSizeError
from pipeline.schema import ContinuousData, Outcome

_PLACES = {"": "result", "comparator_": "comparator", "baseline_": "baseline"}

_REFUSED = {
    "qualitative": "described in words without a number",
    "median": "a median: not converted to a mean",
    "range": "a range without a mean",
}


def two_means(source: Source) -> Computed:
    """Compute the effect of two arms' means and SDs; MD else of the authors' difference."""
    row, code = source.row, source.measure.code
    if code == "MD" and row.effect is not None and not _has_spreads(row):
        return reported_difference(source)
    medians = ("median",) if "mean_from_median" in source.question.recover else ()
    refuse_type(source, ("mean", "mean_change", *medians))
    if code == "ROM" and row.type == "mean_change":
        raise EffectSizeError("a ratio of changes is not a ratio of means")
    if row.type == "mean" and "sd_from_p" in source.question.recover and not _has_spread(row):
        treated, control = _by_p(source)
    else:
        treated, control = (mean_of(source, arm) for arm in ("", "comparator_"))
    if row.type == "mean_change":
        kind = "improvement" if is_improvement(source, treated.mean, control.mean) else "change"
        source.note(kind, ASSUMPTIONS[kind])
    return source.computed(
        source.measure.compute(treated, control),
        treated.n + control.n,
        *(treated.mean, treated.sd, treated.n, control.mean, control.sd, control.n),
    )


def _by_p(source: Source) -> tuple[ContinuousData, ContinuousData]:
    """Means of two arms with the one SD that gives the p value of their difference."""
    parts = [source.take(arm + name) for arm in ("", "comparator_") for name in ("value", "n")]
    p = convert.exact_p(source.take("p_value") or "")
    if None in parts or p is None:
        raise EffectSizeError("no spread, and no exact p value of the difference of two means")
    factor = source.factor()
    mean1, n1, mean2, n2 = parts[0] * factor, parts[1], parts[2] * factor, parts[3]
    for mean in (mean1, mean2):
        source.check_range(mean, change=False)
    sd, sentence = convert.sd_from_p(mean1 - mean2, p, n1, n2)
    source.recover("sd_from_p", sentence, "sd", "comparator_sd")
    return ContinuousData(mean1, sd, n1), ContinuousData(mean2, sd, n2)


def crossover_means(source: Source) -> Computed:
    """Compute the difference of a crossover's two periods with the protocol's correlation."""
    if source.row.effect is not None and not _has_spreads(source.row):
        return reported_difference(source)
    refuse_type(source, ("mean",))
    treated, control = (mean_of(source, arm) for arm in ("", "comparator_"))
    if treated.n != control.n:
        raise EffectSizeError(
            f"the periods of a crossover need the same patients; got {treated.n} and {control.n}"
        )
    r = source.question.ri or 0.0
    source.recover("crossover", f"the two periods correlate with an assumed r = {r:g}", "r")
    result = of_pairs(treated, control, r)
    cells = treated.mean, treated.sd, treated.n, control.mean, control.sd, control.n
    return source.computed(result, treated.n, *cells, numbers=len(cells) + 1)


def mean_change(source: Source) -> Computed:
    """Compute the effect of a group's mean change."""
    change = changes_of(source)
    cells = change.mean, change.sd, change.n
    return source.computed(source.measure.compute(change), change.n, *cells)


def changes_of(source: Source) -> ContinuousData:
    """Return mean and SD of the change: as printed, or from both times and the protocol's r."""
    if source.row.type == "mean_change":
        data = mean_of(source, "")
        return ContinuousData(signed(source, data.mean), data.sd, data.n)
    refuse_type(source, ("mean",))
    before = source.take("baseline_value")
    if before is None:
        raise EffectSizeError("no baseline: a mean alone is not a change")
    after = mean_of(source, "")
    factor = source.factor()
    source.check_range(before * factor, change=False)
    sd_before = factor * sd_of(source, "baseline_", before, after.n)
    if source.question.ri is None:
        raise EffectSizeError("the SD of the change needs a correlation; the question has no ri")
    sd, sentence = convert.change_sd(sd_before, after.sd, source.question.ri)
    source.recover("ri", sentence, "sd")
    return ContinuousData(after.mean - before * factor, sd, after.n)


def mean_of(source: Source, arm: str) -> ContinuousData:
    """Return mean, SD and n of an arm ("" or "comparator_"), in the outcome's unit."""
    mean, n = source.take(arm + "value"), source.take(arm + "n")
    who = "comparator" if arm else "treated"
    if mean is None:
        raise EffectSizeError(f"no mean of the {who} arm")
    if not n:
        raise EffectSizeError(f"no number of patients behind the mean of the {who} arm")
    factor = source.factor()
    source.check_range(mean * factor, change=source.row.type == "mean_change")
    if source.row.type == "median":
        return _of_median(source, arm, mean, n, factor)
    return ContinuousData(mean * factor, factor * sd_of(source, arm, mean, n), n)


def _of_median(source: Source, arm: str, median: float, n: int, factor: float) -> ContinuousData:
    """Mean and SD of an arm behind its median with quartiles or range."""
    quartiles, extremes = source.take(arm + "iqr"), source.take(arm + "range")
    pairs = (p if isinstance(p, tuple) else None for p in (quartiles, extremes))
    mean, sd, sentence = mean_sd(Summary(median, n, *pairs))
    source.recover("mean_from_median", sentence, arm + "value", arm + "sd")
    return ContinuousData(mean * factor, sd * factor, n)


def refuse_type(source: Source, allowed: tuple[str, ...]) -> None:
    """Refuse a row whose type cannot give what the measure needs, with the reason."""
    row = source.row
    if row.type in allowed:
        return
    if row.type == "percent_change":
        bare = all(x is None for x in (row.sd, row.se, row.ci_low, row.spread_unlabelled))
        raise EffectSizeError(
            "percent change without a spread (SD, SE or CI): a mean change cannot be computed"
            if bare
            else f"a percent change is not a change in {source.outcome.unit or 'units'}"
        )
    raise EffectSizeError(_REFUSED.get(row.type, f"a {row.type} is not a mean"))


def _has_spreads(row: Outcome) -> bool:
    """Whether both arms print an SD, SE or interval."""
    treated = row.sd or row.se or row.ci_low
    return bool(treated and (row.comparator_sd or row.comparator_se or row.comparator_ci_low))


def _has_spread(row: Outcome) -> bool:
    """Whether some arm prints a spread of any kind."""
    names = ("sd", "se", "ci_low", "spread_unlabelled")
    return any(getattr(row, arm + name) for arm in ("", "comparator_") for name in names)


def is_improvement(source: Source, *means: float) -> bool:
    """Return whether positive changes are falls: "improved by" where lower is better."""
    row = source.row
    if source.outcome.direction != "lower is better" or sum(means) <= 0:
        return False
    scale = row.scale.value if row.scale else ""
    phrase = row.quote.text if row.quote else ""
    worded = any("improv" in text.casefold() for text in (row.measure, scale, phrase))
    return worded or source.take("direction") == "improved"


def sd_of(source: Source, arm: str, mean: float, n: int) -> float:
    """Return the SD as printed, or from SE or CI; never from a spread that nobody labelled."""
    row = source.row
    if (sd := source.take(arm + "sd")) is not None:
        return float(sd)
    if (se := source.take(arm + "se")) is not None:
        value, sentence = convert.sd_from_se(se, n)
    elif arm != "baseline_" and getattr(row, arm + "ci_low") and getattr(row, arm + "ci_high"):
        low, high = source.take(arm + "ci_low"), source.take(arm + "ci_high")
        refuse_skew(mean, low, high)
        value, sentence = convert.sd_from_ci(low, high, n)
    elif getattr(row, arm + "spread_unlabelled"):
        raise EffectSizeError("the spread is not labelled SD or SE")
    else:
        raise EffectSizeError(f"no spread (SD, SE or CI) of the {_PLACES[arm]}")
    source.recover("sd", sentence, "comparator_sd" if arm == "comparator_" else "sd")
    return value


def signed(source: Source, change: float) -> float:
    """Return a printed change with the sign of the score: "improved by 3" may be a fall of 3."""
    rises = source.rises()
    if rises is False and change > 0:
        source.note(
            "sign", f"{change:g} is printed as {source.take('direction')}: a fall of the score"
        )
        return -change
    source.check_sign(change)
    return change
