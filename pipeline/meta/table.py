"""A table of study data, one row a study: numbers by column, and labels."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.effects.formulas import FORMULAS, Array
from pipeline.effects.formulas.cluster import CLUSTERS
from pipeline.effects.formulas.recover import PRINTED
from pipeline.errors import InputError

#: Every column that some formula reads, or from which one of these follows.
NUMERIC = tuple(
    dict.fromkeys(
        [n for f in FORMULAS.values() for names in f.columns for n in names] + [*PRINTED, *CLUSTERS]
    )
)


def read_table(path: Path) -> pd.DataFrame:
    """Return a CSV, TSV or semicolon-separated file as it stands, every cell a text.

    Raises
    ------
    InputError
        If the file cannot be read, has no row, or names a column twice.
    """
    try:
        table = pd.read_csv(
            path, sep=None, engine="python", dtype=str, skipinitialspace=True, encoding="utf-8-sig"
        )
    except (OSError, ValueError, pd.errors.ParserError) as failed:
        raise InputError(f"{path}: cannot be read as a table: {failed}") from failed
    if table.empty:
        raise InputError(f"{path}: has no study; a header and one row a study are needed.")
    twice = [c for c in table.columns if c.endswith(".1") and c[:-2] in table.columns]
    if twice:
        raise InputError(f"{path}: the column {twice[0][:-2]} is named twice.")
    return table


def numbers(table: pd.DataFrame) -> dict[str, Array]:
    """Return the columns of `NUMERIC` that are there, NaN where a cell is empty or NA.

    Raises
    ------
    InputError
        If a cell is no number: names column, row (from 1) and cell.
    """
    return {name: column(table, name) for name in NUMERIC if name in table.columns}


def column(table: pd.DataFrame, name: str) -> Array:
    """Return one column as numbers; errors as of `numbers`."""
    values = pd.to_numeric(table[name], errors="coerce")
    wrong = values.isna() & table[name].notna()
    for row in np.flatnonzero(wrong):
        raise InputError(f"Column {name}, row {row + 1}: {table[name].iloc[row]!r} is no number.")
    return np.asarray(values.to_numpy(dtype=float))


def labels(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what the studies are called: `slab`, else `study`, else author and year."""
    rows = range(len(table))
    for name in ("slab", "study", "trial"):
        if name in table.columns:
            return tuple(
                str(v) if pd.notna(v) else f"Study {i + 1}"
                for i, v in zip(rows, table[name], strict=True)
            )
    if "author" in table.columns:
        parts = [c for c in ("author", "year") if c in table.columns]
        return tuple(" ".join(str(v) for v in row) for row in table[parts].itertuples(index=False))
    return tuple(f"Study {i + 1}" for i in rows)


def require(table: pd.DataFrame, names: Iterable[str]) -> None:
    """Refuse a table without the named columns."""
    for name in names:
        if name not in table.columns:
            raise InputError(f"No column {name!r}; the table has {', '.join(table.columns)}.")
