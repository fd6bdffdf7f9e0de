"""Moderators of a meta-regression: terms as typed, and the columns of the design they become."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.effects.formulas import Array
from pipeline.errors import InputError
from pipeline.meta.table import column, require
from pipeline.pool import INTERCEPT
from pipeline.pool.splines import knots_of, spline

#: `factor(name)`, `rcs(name, 4)` or `rcs(name, 0.4|1|2)`.
_CALL = re.compile(r"(factor|rcs)\(\s*([^,()]+?)\s*(?:,\s*([^()]+?)\s*)?\)")

#: Knots of a spline where none are named.
_KNOTS = 3


@dataclass(frozen=True, slots=True)
class Term:
    """A moderator: its column, and how it enters the design.

    `levels` are those of categories, of which the first has no column; `knots` those of a spline.
    """

    name: str
    levels: tuple[str, ...] = ()
    knots: tuple[float, ...] = ()

    def names(self) -> list[str]:
        """Return the names of its columns: dose, dose' ... of a spline, as rms has them."""
        if self.levels:
            return [f"{self.name}{level}" for level in self.levels[1:]]
        return [self.name + "'" * i for i in range(max(len(self.knots) - 1, 1))]

    def columns(self, values: pd.Series) -> Array:
        """Return its columns of the design for some values, shape (n, columns)."""
        if self.levels:
            words = values.astype(str)
            return np.stack([(words == level).to_numpy(float) for level in self.levels[1:]], axis=1)
        numbers = values.to_numpy(dtype=float)
        return spline(numbers, self.knots) if self.knots else numbers[:, np.newaxis]


def column_of(text: str) -> str:
    """Return the column that a moderator as typed is about."""
    call = _CALL.fullmatch(text)
    return call[2] if call else text


def term(table: pd.DataFrame, text: str) -> Term:
    """Return a moderator as typed.

    Parameters
    ----------
    table : DataFrame
        The studies of the model: no moderator is missing.
    text : str
        A column; a column of words, or `factor(name)`, is one of categories; `rcs(name, 4)` is a
        restricted cubic spline with 4 knots (3 if no number is given) at quantiles, or with the
        knots that are named: `rcs(name, 0.4|1|2)`.

    Raises
    ------
    InputError
        If the table has no such column, or a knot is no number.
    PoolError
        If the values do not carry the knots.
    """
    call, name = _CALL.fullmatch(text), column_of(text)
    require(table, [name])
    kind = call[1] if call else ""
    if kind == "rcs":
        return Term(name, knots=_knots(column(table, name), call[3] if call else None))
    numeric = pd.to_numeric(table[name], errors="coerce").notna().all()
    if kind == "factor" or not numeric:
        words = table[name].astype(str).unique()
        return Term(name, levels=tuple(sorted(words, key=_natural)))
    return Term(name)


def design(table: pd.DataFrame, mods: Sequence[str]) -> tuple[Array, list[str]]:
    """Return the design of a regression on moderators as typed, with an intercept.

    Returns
    -------
    design : array of shape (k, p)
    names : list of str
        As of the columns; the first is "intercept".
    """
    terms = [term(table, mod) for mod in mods]
    columns = [one.columns(_values(table, one)) for one in terms]
    names = [INTERCEPT, *(name for one in terms for name in one.names())]
    return np.column_stack([np.ones(len(table)), *columns]), names


@dataclass(frozen=True, slots=True)
class Path:
    """Designs along one moderator: its values `x` (n,), `designs` (n, p), the columns that bend it.

    `values` (k,) are those of the studies; `bends` the moderator's columns of the design after its
    first.
    """

    term: Term
    values: Array
    x: Array
    designs: Array
    bends: tuple[int, ...]


def along(table: pd.DataFrame, mods: Sequence[str], over: str, points: int) -> Path:
    """Return designs along one moderator, from its least to its largest value.

    Parameters
    ----------
    table : DataFrame
        The studies of the model.
    mods : sequence of str
        The moderators of the regression.
    over : str
        One of `mods`, numeric; the others stay at the means of their columns.
    points : int
        How many.

    Raises
    ------
    InputError
        If the moderator is one of categories.
    """
    place, parts, bends = 1, [np.ones((points, 1))], tuple[int, ...]()
    moved = term(table, over)
    if moved.levels:
        raise InputError(f"No curve over {moved.name}: it is one of categories.")
    values = column(table, moved.name)
    x = np.linspace(values.min(), values.max(), points)
    for mod in mods:
        one = term(table, mod)
        own = one.columns(_values(table, one))
        if mod == over:
            parts.append(one.columns(pd.Series(x)))
            bends = tuple(range(place + 1, place + own.shape[1]))
        else:
            parts.append(np.tile(own.mean(axis=0), (points, 1)))
        place += own.shape[1]
    return Path(moved, values, x, np.column_stack(parts), bends)


def _values(table: pd.DataFrame, one: Term) -> pd.Series:
    """A moderator's values: words of categories, else numbers."""
    return table[one.name] if one.levels else pd.Series(column(table, one.name))


def _knots(values: Array, text: str | None) -> tuple[float, ...]:
    """The knots that were named, or so many at quantiles."""
    if text is None or text.isdecimal():
        return knots_of(values, _KNOTS if text is None else int(text))
    try:
        return tuple(float(part) for part in text.split("|"))
    except ValueError:
        raise InputError(
            f"Invalid knots {text!r}; a number of knots, or knots apart by |, as in 0.4|1|2."
        ) from None


def _natural(level: str) -> tuple[float, str]:
    """Numbers by size before words by letter."""
    number = pd.to_numeric(level, errors="coerce")
    return (float(number), "") if pd.notna(number) else (np.inf, level)
