"""Writes a table as CSV: UTF-8, points for decimals, formulas disarmed."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from pipeline.report.wording import MINUS, PLAIN_NUMBER

Cell = str | int | float | bool | None
#: A spreadsheet takes a text that begins so for a formula (OWASP, "CSV injection").
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A table: the name of its file, its header, its rows."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def encode(self) -> bytes:
        """Return the table as the bytes of its CSV file."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow([cell_text(h) for h in self.header])
        writer.writerows([cell_text(c) for c in row] for row in self.rows)
        return out.getvalue().encode("utf-8", errors="replace")


def cell_text(cell: Cell) -> str:
    """Return a cell as it stands in the file.

    Numbers keep their minus and as many digits as it takes to read them back; a text that a
    spreadsheet would run as a formula gets an apostrophe before it. A text that is a plain number
    (a printed "−3.2") is a number.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return repr(cell + 0.0)  # -0.0 + 0.0 is 0.0
    if isinstance(cell, int):
        return str(cell)
    if PLAIN_NUMBER.fullmatch(cell):
        return cell.replace(MINUS, "-")
    return f"'{cell}" if cell.startswith(FORMULA) else cell
