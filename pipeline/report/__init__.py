"""The report: forest plots, tables and one HTML page, each rendered from schema values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.report.canvas import figure_bytes
from pipeline.report.data import MeasureView, ReportData
from pipeline.report.dose import dose_figure
from pipeline.report.files import write_file
from pipeline.report.forest import forest_plot
from pipeline.report.html import render_html
from pipeline.report.tables import all_tables
from pipeline.report.update_page import write_update
from pipeline.schema import QuestionResult

__all__ = ["MeasureView", "ReportData", "write_report", "write_update"]


def write_report(data: ReportData, folder: Path) -> list[Path]:
    """Write a report: forest_<question>.svg and .png, tables/*.csv, and report.html.

    A question that asks for a dose-response has a dose_<question>.svg and .png too.

    The same data give the same bytes.

    Parameters
    ----------
    data : ReportData
        What to show.
    folder : Path
        Where; made where it does not exist.

    Returns
    -------
    list of Path
        The files written, in the order of writing.

    Raises
    ------
    OutputError
        Naming the folder and the system's reason, if a file cannot be written.
    """
    written: list[Path] = []
    figures: dict[str, bytes] = {}
    for result in (r for r in data.results if r.effects):
        for name, figure in _figures(data, result):
            key = f"{name}_{result.question_id}"
            for kind, content in figure.items():
                written.append(write_file(folder / f"{key}.{kind}", content))
            figures[key] = figure["svg"]
    for table in all_tables(data):
        written.append(write_file(folder / "tables" / f"{table.name}.csv", table.encode()))
    page = render_html(data, figures).encode("utf-8", errors="replace")
    return [*written, write_file(folder / "report.html", page)]


def _figures(data: ReportData, result: QuestionResult) -> Iterator[tuple[str, dict[str, bytes]]]:
    """A question's figures by name, each as SVG and PNG."""
    forest = forest_plot(
        result,
        data.measures[result.measure],
        style=data.style,
        favours=data.favours.get(result.question_id),
        footnote=f"Evipool {data.version}. Search of {data.search.date}.",
    )
    yield "forest", {kind: figure_bytes(forest, kind) for kind in ("svg", "png")}
    dose = dose_figure(result, data.measures[result.measure])
    if dose is not None:
        yield "dose", {"svg": dose.svg().encode(), "png": dose.png()}
