"""Reads values back from the JSON they are stored as."""

from __future__ import annotations

from typing import Any, TypeVar

from pipeline.errors import StoreError
from pipeline.schema.codec import from_plain

C = TypeVar("C")


def stored(cls: type[C], data: Any) -> C:
    """Return the value of `cls` that was stored as `data`.

    Raises
    ------
    StoreError
        If it is none: another version of Evipool wrote it, or it is damaged.
    """
    try:
        return from_plain(cls, data)
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"The store holds a {cls.__name__} that this version of Evipool cannot read: {error}."
        ) from error
