"""Names that must agree: each stands once, those used are defined, a near one is suggested."""

from __future__ import annotations

import difflib

from pydantic_core import PydanticCustomError

Loc = tuple[int | str, ...]


def once(loc: Loc, key: str, names: list[str]) -> None:
    """Refuse a list in which two entries have one name."""
    for i, name in enumerate(names):
        if name in names[:i]:
            raise _at((*loc, i, key), f"{name!r} stands twice")


def known(loc: Loc, name: str, names: list[str]) -> None:
    """Refuse a name that is not defined, and say which are."""
    if name not in names:
        hint = suggest(name, names)
        raise _at(loc, f"{name!r} is not defined{hint}; defined: {', '.join(names)}")


def _at(loc: Loc, message: str) -> PydanticCustomError:
    """An error of the whole protocol that belongs to one of its places."""
    return PydanticCustomError("names", "{message}", {"message": message, "loc": loc})


def suggest(name: str, names: list[str]) -> str:
    """Return " (did you mean 'x'?)" where a name is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
