"""Builds values of the schema in a third of the time that their own classes take.

A frozen dataclass sets each field through `object.__setattr__`, which is most of the work of a
record with ten MeSH headings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, fields, is_dataclass, make_dataclass
from typing import Any, ParamSpec, TypeVar, cast

from pipeline.schema import Author, Chemical, Dates, MeshHeading, Record, Section

P = ParamSpec("P")
T = TypeVar("T")


def builder(cls: Callable[P, T]) -> Callable[P, T]:
    """Return what builds a frozen dataclass as its own call does, but quicker.

    It is a dataclass of the same fields that is not frozen, whose values become values of `cls`
    once their fields are set. It does not know a `__post_init__` of `cls`, so there must be none.
    """
    if not (is_dataclass(cls) and isinstance(cls, type)) or hasattr(cls, "__post_init__"):
        raise TypeError(f"Invalid class {cls!r}; must be a dataclass without __post_init__.")

    def becomes(value: Any) -> None:
        value.__class__ = cls

    twin = make_dataclass(
        cls.__name__,
        [(f.name, f.type, field(default=f.default)) for f in fields(cls)],
        namespace={"__post_init__": becomes},
        slots="__slots__" in vars(cls),
    )
    return cast(Callable[P, T], twin)


new_author = builder(Author)
new_chemical = builder(Chemical)
new_dates = builder(Dates)
new_mesh_heading = builder(MeshHeading)
new_record = builder(Record)
new_section = builder(Section)
