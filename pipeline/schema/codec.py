"""Turns schema values into plain JSON data and back, and studies into the published record."""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, TypeVar

from pipeline.schema.decision import Screening
from pipeline.schema.record import Problem, Quote
from pipeline.schema.study import Arm, Dose, Outcome, Reading, Study, Timepoint

C = TypeVar("C")


def to_plain(value: Any) -> Any:
    """Return a schema value as dicts, lists and scalars; fields at their default are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((f, getattr(value, f.name)) for f in fields(value))
        return {f.name: to_plain(v) for f, v in pairs if v != f.default}
    if isinstance(value, (tuple, list)):
        return [to_plain(v) for v in value]
    return value


def from_plain(cls: type[C], data: Any) -> C:
    """Build a value of `cls` from what `to_plain` returned.

    Raises
    ------
    TypeError, ValueError
        If `data` is not such a value.
    """
    return typing.cast(C, _build(cls, data))


def _build(hint: Any, data: Any) -> Any:
    """Build a value of a type hint: a dataclass, Reading[T], tuple, union or scalar."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _build_union(args, data)
    if origin is tuple:
        inner = [args[0]] * len(data) if args[-1] is Ellipsis else args
        return tuple(_build(h, d) for h, d in zip(inner, _checked(list, data), strict=True))
    target: Any = origin or hint
    if not isinstance(target, type):
        return data
    if not is_dataclass(target):
        return _checked(target, data)
    hints = {**_hints(target), "value": args[0]} if origin is Reading else _hints(target)
    return target(**{k: _build(hints.get(k), v) for k, v in _checked(dict, data).items()})


def _checked(kind: type, data: Any) -> Any:
    """Return `data` if it is of that kind; a whole number may stand for a float."""
    wanted = (int, float) if kind is float else kind
    if not isinstance(data, wanted) or (isinstance(data, bool) and kind is not bool):
        raise TypeError(f"Invalid {data!r}; must be of type {kind.__name__}.")
    return data


def _build_union(args: tuple[Any, ...], data: Any) -> Any:
    """Pick the member of a union that fits the shape of `data`."""
    if data is None and type(None) in args:
        return None
    members = [a for a in args if a is not type(None)]
    wanted = list if isinstance(data, list) else dict if isinstance(data, dict) else None
    for member in members:
        origin = typing.get_origin(member) or member
        shape = list if origin is tuple else dict if is_dataclass(origin) else None
        if shape is wanted:
            return _build(member, data)
    raise TypeError(f"Invalid {data!r}; must be one of {', '.join(map(str, args))}.")


@cache
def _hints(cls: type) -> dict[str, Any]:
    """Return the resolved annotations of a dataclass."""
    return typing.get_type_hints(cls)


def study_record(study: Study, screening: Screening, text: str = "") -> dict[str, Any]:
    """Return a study as the published record (docs/record.md), one JSON object.

    Every scalar read from the text is {"value", "quote"}; what a rule derived says by which.
    `text` is the record's text, into which the quotes' offsets point.
    """
    return {
        "record_id": study.record_id,
        "pmid": study.pmids[0] if study.pmids else None,
        "doi": study.doi,
        "design": _scalar(study.design),
        "include_in_pool": screening.include,
        "include_reason": screening.reason,
        "comparison_class": _scalar(study.comparison_class),
        "condition": _scalar(study.condition),
        "condition_mesh": study.condition_mesh,
        "n_total": _scalar(study.n_total),
        "n_enrolled": _scalar(study.n_enrolled),
        "n_completed": _scalar(study.n_completed),
        "arms": [_flat(a, Arm) for a in study.arms],
        "doses": [_flat(d, Dose) for d in study.doses],
        "outcomes": [_flat(o, Outcome) for o in study.outcomes],
        "registry_ids": [_scalar(r) for r in study.registry_ids],
        "problems": [_problem(p) for p in study.problems],
        "extractor": to_plain(study.extractor),
        "text": text,
    }


def _flat(value: Any, cls: type) -> dict[str, Any]:
    """A dataclass as a dict of scalars and {"value", "quote"} objects, every field present.

    A word of an arm, dose or outcome (its label, unit, measure ...) carries the whole's quote.
    """
    out = {f.name: _scalar(getattr(value, f.name)) for f in fields(cls) if f.name != "reviewed"}
    words = {k: {"value": v, "quote": out["quote"]} for k, v in out.items() if isinstance(v, str)}
    for name in value.reviewed:
        words.get(name, {})["reviewed"] = True
    return {**out, **{k: w if w["value"] else None for k, w in words.items()}}


def _scalar(value: Any) -> Any:
    """A field's value as JSON."""
    if isinstance(value, Reading):
        plain = list(value.value) if isinstance(value.value, tuple) else value.value
        out: dict[str, Any] = {"value": plain, "quote": _scalar(value.quote)}
        more = {"derived": value.derived or None, "confidence": value.confidence}
        more["reviewed"] = value.reviewed or None
        return out | {name: found for name, found in more.items() if found is not None}
    if isinstance(value, Quote):
        return {"start": value.start, "end": value.end, "text": value.text}
    if isinstance(value, Timepoint):
        days = list(value.days) if isinstance(value.days, tuple) else value.days
        return {"text": value.text, "days": days, "quote": _scalar(value.quote)}
    return value


def _problem(problem: Problem) -> dict[str, Any]:
    """A problem as JSON."""
    return {"code": problem.code, "message": problem.message, "quote": _scalar(problem.quote)}
