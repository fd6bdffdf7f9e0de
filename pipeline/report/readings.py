"""Lists every value that was read from a study, with its place, its quote and its rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from pipeline.schema import Arm, Dose, Outcome, Quote, Reading, Study, Timepoint

#: Fields of a study that are no values of their own.
_NOT_READ = frozenset(
    {"record_id", "pmids", "doi", "slab", "year", "problems", "extractor", "condition_mesh"}
)


@dataclass(frozen=True, slots=True)
class ReadValue:
    """A value with its field's path ("outcomes[1].events"), its quote and the rule behind it.

    `reviewed` is what people made of it, "" for nothing.
    """

    path: str
    value: str | float
    quote: Quote | None
    derived: str = ""
    reviewed: str = ""


def read_values(study: Study) -> list[ReadValue]:
    """Return all values of a study in the order of its fields."""
    named = ((f.name, getattr(study, f.name)) for f in fields(study) if f.name not in _NOT_READ)
    return [v for name, value in named for v in _values(name, value, None)]


def _values(path: str, value: Any, quote: Quote | None) -> Iterator[ReadValue]:
    """The values under one field; words of an arm, dose or outcome carry the whole's quote."""
    if isinstance(value, Reading):
        yield ReadValue(path, _plain(value.value), value.quote, value.derived, value.reviewed)
    elif isinstance(value, Timepoint):
        yield ReadValue(path, value.text, value.quote)
        if value.days is not None:
            yield ReadValue(f"{path}.days", _plain(value.days), value.quote, "days of the phrase")
    elif isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _values(f"{path}[{i}]", item, quote)
    elif isinstance(value, (Arm, Dose, Outcome)):
        for f in fields(value):
            if f.name not in ("quote", "reviewed"):
                mark = "reviewed" if f.name in value.reviewed else ""
                for v in _values(f"{path}.{f.name}", getattr(value, f.name), value.quote):
                    yield replace(v, reviewed=v.reviewed or mark)
    elif isinstance(value, str) and value:
        yield ReadValue(path, value, quote)


def _plain(value: Any) -> str | float:
    """A value as one cell; a range as "1 to 2"."""
    if isinstance(value, tuple):
        return " to ".join(f"{v:g}" for v in value)
    return value if isinstance(value, (int, float)) else str(value)


def quotes_of(study: Study) -> list[tuple[str, Quote]]:
    """Return every quote of a study with the path of its field, problems included."""
    values = [(v.path, v.quote) for v in read_values(study) if v.quote]
    return values + [(f"problem: {p.code}", p.quote) for p in study.problems if p.quote]
