"""Counts of events: a printed result -> the data of risk ratios, odds ratios and proportions."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.effects import convert
from pipeline.effects.source import Computed, Source
from pipeline.effects.study import zero_cells
from pipeline.errors import EffectSizeError
from pipeline.schema import BinaryData


def two_counts(source: Source) -> Computed:
    """Events and totals of two arms."""
    treated, control = _count(source, ""), _count(source, "comparator_")
    _note_zero_cells(source, treated, control)
    made = source.computed(
        source.measure.compute(treated, control),
        treated.n + control.n,
        *(treated.events, treated.n, control.events, control.n),
    )
    others = treated.n - treated.events, control.n - control.events
    cells = treated.events, others[0], control.events, others[1]
    return replace(made, counts=tuple(zip(("ai", "bi", "ci", "di"), cells, strict=True)))


def one_count(source: Source) -> Computed:
    """Events and total of one arm."""
    arm = _count(source, "")
    _note_zero_cells(source, arm)
    made = source.computed(source.measure.compute(arm), arm.n, arm.events, arm.n)
    return replace(made, counts=(("xi", arm.events), ("mi", arm.n - arm.events)))


def decimals(text: str, value: float) -> int:
    """Return how many digits `value` is printed with after the point in `text`.

    Where it is not found, the fewest digits that show it: the widest rounding.
    """
    numbers = re.findall(r"\d+(?:[.·]\d+)?", text)
    same = [n for n in numbers if float(n.replace("·", ".")) == abs(value)]
    if same:
        return min(len(re.sub(r"^\d+[.·]?", "", n)) for n in same)
    shown = f"{value:g}"
    return len(shown.split(".")[1]) if "." in shown else 0


def _note_zero_cells(source: Source, *arms: BinaryData) -> None:
    """Name the rule for zero cells where it was used."""
    if sentence := zero_cells(source.measure.code, *arms):
        source.note("zero cell", sentence)


def _count(source: Source, arm: str) -> BinaryData:
    """Events among n of the treated arm ("") or the other ("comparator_")."""
    events, n = source.take(arm + "events"), source.take(arm + "n")
    percent = source.take(arm + "value") if source.row.type in ("count", "proportion") else None
    who = "comparator" if arm else "treated"
    if events is None and percent is None:
        raise EffectSizeError(f"no count of events in the {who} arm")
    if not n:
        what = "a percentage without a count" if events is None else "a count"
        raise EffectSizeError(f"{what}, and no number of patients behind it in the {who} arm")
    if events is None:
        return BinaryData(_events(source, arm, n), n)
    if percent is not None and abs(100 * events / n - percent) > 1:
        source.note("contradiction", f"{events}/{n} is printed as {percent:g} %; the count is used")
    return BinaryData(events, n)


def _events(source: Source, arm: str, n: int) -> int:
    """Events behind a percentage, if the question allows it and exactly one number fits."""
    reading = getattr(source.row, arm + "value")
    percent, text = reading.value, reading.quote.text if reading.quote else ""
    digits = decimals(text, percent)
    events, sentence = convert.events_from_percent(percent, n, decimals=digits)
    if "events_from_percent" not in source.question.recover:
        raise EffectSizeError(
            f"a percentage without a count; {percent:g} % of {n} could be {events}, "
            "but the question does not allow events_from_percent"
        )
    source.recover("events_from_percent", sentence, arm + "events")
    return events
