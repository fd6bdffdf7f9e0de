"""Lays out and writes the text columns of a forest plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.report.canvas import GREY, Page, text_width
from pipeline.report.data import MeasureView
from pipeline.report.forest_rows import Row, Table, split_header
from pipeline.report.plain import one_line

SIZE, SMALL = 9.0, 7.5
ROW, LINE, MARGIN, GAP = 17.0, 13.0, 12.0, 14.0
#: Letters of a data column's header.
HEADER_LIMIT = 24


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the lower line of its head, its cells, where it stands, and its arm (1, 2 or 0)."""

    head: tuple[str, str]
    cells: tuple[str, ...]
    left: float
    width: float
    align: str = "right"
    arm: int = 0

    @property
    def anchor(self) -> float:
        """Where its text is anchored."""
        return self.left if self.align == "left" else self.left + self.width


def lay_out(table: Table, measure: MeasureView) -> list[Column]:
    """Return the columns side by side, each as wide as its widest text."""
    texts = _texts(table, measure)
    widths = [_widest((*head, *cells)) for head, cells, _ in texts]
    arms = [arm for _, _, arm in texts]
    for arm, group in enumerate(measure.groups or (), start=1):
        mine = [i for i, a in enumerate(arms) if a == arm]
        lack = _widest([group]) - sum(widths[i] for i in mine) - GAP * (len(mine) - 1)
        for i in mine:
            widths[i] += max(0.0, lack) / len(mine)
    notes = [text_width(r.label, SMALL) for r in table.rows if r.kind == "note"]
    widths[0] += max(0.0, max(notes, default=0.0) - sum(widths) - GAP * (len(widths) - 1))
    lefts = [MARGIN + sum(widths[:i]) + GAP * i for i in range(len(widths))]
    return [
        Column(head, cells, left, width, "right" if i else "left", arm)
        for i, ((head, cells, arm), left, width) in enumerate(
            zip(texts, lefts, widths, strict=True)
        )
    ]


def _texts(
    table: Table, measure: MeasureView
) -> list[tuple[tuple[str, str], tuple[str, ...], int]]:
    """Head, cells and arm of every column: RevMan's order."""
    rows = table.rows
    columns = [(("", table.first), tuple(_label(r) for r in rows), 0)]
    for j, header in enumerate(table.headers):
        name, arm = split_header(header)
        arm = arm if measure.groups else 0
        head = ("", one_line(name if arm else header, HEADER_LIMIT))
        columns.append((head, tuple(r.cells[j] if r.cells else "" for r in rows), arm))
    if any(r.weight is not None for r in rows):
        columns.append((("", "Weight"), tuple(_weight(r) for r in rows), 0))
    return [*columns, (table.head, tuple(r.text for r in rows), 0)]


def _label(row: Row) -> str:
    """The text of the first column; a note is no cell and runs over all columns."""
    return "" if row.kind == "note" else row.label


def _weight(row: Row) -> str:
    """The weight as printed."""
    return "" if row.weight is None else f"{row.weight:.1f}%"


def _widest(texts: Sequence[str]) -> float:
    """The width of the widest text; all are measured bold, as totals are."""
    return max(text_width(t, SIZE, bold=True) for t in texts if t)


def draw_head(page: Page, columns: Sequence[Column], measure: MeasureView, top: float) -> None:
    """Write the two bold lines over the columns, the arms' names centred over theirs."""
    first, second = top - LINE - 8, top - 7
    for arm, group in enumerate(measure.groups or (), start=1):
        mine = [c for c in columns if c.arm == arm]
        if mine:
            left, right = mine[0].left, mine[-1].left + mine[-1].width
            gid = f"group-{arm}"
            centre = (left + right) / 2
            page.text(centre, first, group, size=SIZE, align="center", bold=True, gid=gid)
            page.line((left, right), (first + 3, first + 3), width=0.5, color=GREY)
    for j, column in enumerate(columns):
        for line, (y, text) in enumerate(zip((first, second), column.head, strict=True)):
            gid = f"head-{j}-{line}"
            page.text(column.anchor, y, text, size=SIZE, align=column.align, bold=True, gid=gid)


def draw_row(page: Page, columns: Sequence[Column], i: int, row: Row, y: float) -> None:
    """Write the i-th row; `y` is its baseline."""
    if row.kind == "note":
        page.text(MARGIN, y, row.label, size=SMALL, color=GREY, gid=f"cell-{i}-0")
        return
    bold = row.kind in ("heading", "pooled", "interval")
    for j, column in enumerate(columns):
        gid = f"cell-{i}-{j}"
        text = column.cells[i]
        page.text(column.anchor, y, text, size=SIZE, align=column.align, bold=bold, gid=gid)
