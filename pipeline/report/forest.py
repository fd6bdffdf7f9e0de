"""Draws the forest plot of a question as RevMan does: table left, squares and diamonds right."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from pipeline.errors import PipelineError
from pipeline.report import canvas
from pipeline.report.canvas import GREY, Page, cut, text_width, wrap
from pipeline.report.data import MeasureView
from pipeline.report.forest_area import (
    TICK,
    WIDTH,
    Area,
    box,
    draw_axis,
    draw_favours,
    draw_mark,
    favours_lines,
    rows_axis,
)
from pipeline.report.forest_rows import Table, build_table
from pipeline.report.forest_table import (
    GAP,
    LINE,
    MARGIN,
    ROW,
    SIZE,
    SMALL,
    draw_head,
    draw_row,
    lay_out,
)
from pipeline.report.plain import one_line
from pipeline.report.wording import method_note, unreviewed_text
from pipeline.schema import EffectSize, QuestionResult

TITLE, TITLE_LINE, FOOT_LINE, PLOT_GAP = 11.0, 15.0, 10.5, 24.0


def forest_plot(
    result: QuestionResult,
    measure: MeasureView,
    *,
    style: str = "revman",
    favours: tuple[str, str] | None = None,
    footnote: str = "",
) -> Figure:
    """Return the forest plot of a question.

    Parameters
    ----------
    result : QuestionResult
        At least one study; without a pooled estimate the plot has no diamond and says why.
    measure : MeasureView
        Names, scale and axis.
    style : {"revman", "bmj", "jama"}
        How numbers and tests are printed.
    favours : (str, str), optional
        The two sides of no effect, as in "Favours placebo"; none are guessed.
    footnote : str
        Printed after the note on methods: software, date of the search.

    Raises
    ------
    PipelineError
        If there is no study to plot.
    """
    if not result.effects:
        raise PipelineError(f"Invalid plot of {result.question_id}; it needs at least one study.")
    table = build_table(result, measure, style=style)
    foot = one_line(f"{method_note(result, measure)} {footnote}")
    return draw_table(result.title, measure, table, favours=favours, foot=foot, key=result.effects)


def draw_table(
    title: str,
    measure: MeasureView,
    table: Table,
    *,
    favours: tuple[str, str] | None = None,
    foot: str = "",
    key: tuple[EffectSize, ...] = (),
) -> Figure:
    """Return a figure of a table's rows.

    Parameters
    ----------
    title, foot : str
        Above and below.
    measure : MeasureView
        Names, scale and axis.
    table : Table
        Columns, rows, and the lines under them; at least one row of a study.
    favours : (str, str), optional
        As of `forest_plot`.
    key : tuple of EffectSize
        The studies whose review the legend speaks of; without them there is no legend.
    """
    with canvas.settings():
        return _draw(title, measure, table, favours, foot, key)


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a figure as SVG or PNG, by the path's suffix; same figure, same bytes.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    return canvas.save_figure(figure, path)


def _draw(
    title: str,
    measure: MeasureView,
    table: Table,
    favours: tuple[str, str] | None,
    foot: str,
    key: tuple[EffectSize, ...],
) -> Figure:
    """Measure everything, then draw it from the top down."""
    columns, axis = lay_out(table, measure), rows_axis(measure, table.rows)
    sides = favours_lines(axis, measure.null, favours)
    left = columns[-1].left + columns[-1].width + PLOT_GAP
    inner = left + WIDTH - MARGIN
    heading = wrap(one_line(title), inner, TITLE, bold=True)
    lines = [w for line in table.lines for w in wrap(line, left - MARGIN - PLOT_GAP, SIZE)]
    feet = wrap(foot, inner, SMALL)
    top = MARGIN + len(heading) * TITLE_LINE + 2 * LINE + 12
    bottom = top + len(table.rows) * ROW + 2
    legend = bottom + 20 + max(len(lines) * LINE, 24 + max(map(len, sides)) * LINE)
    legend -= 0 if key else LINE
    # The last tick's label is centred on the end of the axis.
    past = max(0.0, text_width(axis.labels()[-1], TICK) / 2 - MARGIN + 1)
    page = Page(inner + 2 * MARGIN + past, legend + 10 + len(feet) * FOOT_LINE + MARGIN)
    page.lines(MARGIN, MARGIN + 9, heading, TITLE_LINE, size=TITLE, bold=True, gid="title")
    draw_head(page, columns, measure, top)
    area = Area(page, left, axis, table.heaviest)
    _draw_plot(area, measure, table, top, bottom)
    draw_favours(area, measure.null, sides, bottom + 36)
    for i, row in enumerate(table.rows):
        draw_row(page, columns, i, row, top + i * ROW + 12)
    page.lines(MARGIN, bottom + 14, lines, LINE, size=SIZE, gid="line")
    if key:
        _draw_legend(page, key, legend)
    page.lines(MARGIN, legend + 16, feet, FOOT_LINE, size=SMALL, color=GREY, gid="foot")
    return page.figure


def _draw_plot(area: Area, measure: MeasureView, table: Table, top: float, bottom: float) -> None:
    """Draw the right side: heads, rule, axis, and a mark a row."""
    for i, text in enumerate(table.head):
        x, y = area.left + WIDTH / 2, top - 7 - (LINE + 1) * (1 - i)
        words = cut(text, WIDTH, SIZE, bold=True)
        area.page.text(x, y, words, size=SIZE, align="center", bold=True, gid=f"head-plot-{i}")
    area.page.line((MARGIN, area.left + WIDTH), (top - 2, top - 2), gid="rule")
    draw_axis(area, measure, table.rows, top, bottom)
    for i, row in enumerate(table.rows):
        draw_mark(area, row, top + (i + 0.5) * ROW)


def _draw_legend(page: Page, effects: tuple[EffectSize, ...], y: float) -> None:
    """Say how many studies nobody has reviewed, with the key of the squares."""
    words = unreviewed_text(effects)
    x = MARGIN + 4
    if any(not e.reviewed for e in effects):
        box(page, x, y - 3.2, 3.5, reviewed=False, gid="key-unreviewed")
        page.text(x + 9, y, words, size=SIZE, bold=True, gid="unreviewed")
        x += 9 + text_width(words, SIZE, bold=True) + GAP + 4
        words = "reviewed"
    if any(e.reviewed for e in effects):
        box(page, x, y - 3.2, 3.5, reviewed=True, gid="key-reviewed")
        page.text(x + 9, y, words, size=SIZE, gid="reviewed")
