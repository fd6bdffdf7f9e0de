"""Shows what was read as plain values, and compares the rows of a sentence with dicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from pipeline.schema import Arm, Dose, Outcome, Reading, Study

Row = dict[str, Any]

#: An abstract of a trial, and one of an uncontrolled study, to which a test adds its sentence.
TRIAL = "IVIg in CIDP: a randomised placebo-controlled trial"
ARMS = "We randomised 117 patients with CIDP to IVIg (n = 59) or placebo (n = 58). "
SERIES = "Open-label study of IVIg in small fibre neuropathy"
TWENTY = "Twenty patients were treated with IVIg. "

#: 12 of 59 and 30 of 58, however the sentence puts it.
RELAPSES: Row = {
    "measure": "relapse",
    "type": "count",
    "arm": "IVIg",
    "events": 12,
    "n": 59,
    "comparator_events": 30,
    "comparator_n": 58,
}

#: Fields of an outcome that are words: a test names those it is about.
WORDS = frozenset({"measure", "type", "arm", "scale", "timepoint", "direction", "effect_measure"})


def plain(value: Arm | Dose | Outcome) -> dict[str, Any]:
    """The fields that are set, readings as their values, a timepoint as its days; no quote."""
    named = ((f.name, getattr(value, f.name)) for f in fields(value) if f.name != "quote")
    return {name: _scalar(v) for name, v in named if v not in (None, "", ())}


def _scalar(value: Any) -> Any:
    """A reading's value, a timepoint's days, or the word itself."""
    return value.value if isinstance(value, Reading) else getattr(value, "days", value)


def row(outcome: Outcome, named: dict[str, Any]) -> dict[str, Any]:
    """All numbers of an outcome, and of its words those that `named` names."""
    shown = plain(outcome)
    return {k: v for k, v in shown.items() if k not in WORDS or k in named}


def rows(study: Study, expected: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The outcomes to be compared with `expected`: every row, every number, the words it names."""
    named = [*expected, *({} for _ in study.outcomes)]
    return [row(o, e) for o, e in zip(study.outcomes, named, strict=False)]


def n(study: Study) -> tuple[int | None, int | None, int | None]:
    """n_total, n_enrolled, n_completed."""
    counts = (study.n_total, study.n_enrolled, study.n_completed)
    total, enrolled, completed = (c.value if c else None for c in counts)
    return total, enrolled, completed


def trial(read: Callable[..., Study], sentence: str, expected: list[Row]) -> None:
    """Compare the rows of a sentence in the abstract of a placebo-controlled trial."""
    assert rows(read(ARMS + sentence, TRIAL), expected) == expected


def series(read: Callable[..., Study], sentence: str, expected: list[Row]) -> None:
    """Compare the rows of a sentence in the abstract of an uncontrolled study of 20 patients."""
    assert rows(read(TWENTY + sentence, SERIES), expected) == expected
