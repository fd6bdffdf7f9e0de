"""Shows a result as its paper prints it, for the list of what could not be pooled."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.schema import Outcome, Quote, Reading


def printed(row: Outcome) -> str:
    """Return a result in a few words: "-73.4 %, n = 5" or "12/30 v 9/30, p = 0.588"."""
    return ", ".join(_parts(row))


def quote_of(row: Outcome) -> Quote | None:
    """Return the phrase of a result: the row's, or its first reading's."""
    quotes = (reading.quote for reading in row.readings().values() if reading.quote)
    return row.quote or next(quotes, None)


def _parts(row: Outcome) -> Iterator[str]:
    """The pieces of `printed` that the row has."""
    arms = [text for text in (_arm(row, ""), _arm(row, "comparator_")) if text]
    if arms:
        yield " v ".join(arms)
    if row.baseline_value is not None:
        yield f"baseline {row.baseline_value.value:g}"
    if row.effect is not None:
        name = row.effect_measure.value if row.effect_measure else "effect"
        yield f"{name} {row.effect.value:g}{_interval(row.effect_ci_low, row.effect_ci_high)}"
    if row.n is not None and row.events is None:
        yield f"n = {row.n.value}"
    if row.p_value is not None:
        yield f"p {_equals(row.p_value.value)}"
    if row.type == "qualitative" and row.direction is not None:
        yield row.direction.value


def _arm(row: Outcome, arm: str) -> str:
    """One arm's count, or its value with the spread as labelled."""
    events, n, value = (getattr(row, arm + name) for name in ("events", "n", "value"))
    if events is not None:
        return f"{events.value}/{n.value}" if n is not None else f"{events.value} with the event"
    if value is None:
        return ""
    unit = " %" if row.type in ("percent_change", "proportion") else ""
    return f"{value.value:g}{unit}{_spread(row, arm)}"


def _spread(row: Outcome, arm: str) -> str:
    """The spread of one arm, as labelled."""
    for name, before, after in (("sd", " (SD ", ")"), ("se", " (SE ", ")")):
        if (reading := getattr(row, arm + name)) is not None:
            return f"{before}{reading.value:g}{after}"
    if (reading := getattr(row, arm + "spread_unlabelled")) is not None:
        return f" ± {reading.value:g}"
    return _interval(getattr(row, arm + "ci_low"), getattr(row, arm + "ci_high"))


def _interval(low: Reading[float] | None, high: Reading[float] | None) -> str:
    """A confidence interval in brackets."""
    if low is None or high is None:
        return ""
    return f" (CI {low.value:g} to {high.value:g})"


def _equals(p: str) -> str:
    """ "0.03" -> "= 0.03"; "<0.001" stays."""
    return p if p[:1] in "<>=≤≥" else f"= {p}"
