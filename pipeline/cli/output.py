"""What the command line prints: results on stdout, progress and errors on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pipeline.review_folder import Progress
    from pipeline.schema import Search
    from pipeline.update import RunResult


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on stderr, where that is a terminal."""
    if quiet or not sys.stderr.isatty():
        return lambda step, done, total: None
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    bars = Progress(
        TextColumn("{task.description:8s}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, Any] = {}

    def show(step: str, done: int, total: int) -> None:
        if step not in tasks:
            bars.start()
            tasks[step] = bars.add_task(step, total=total)
        bars.update(tasks[step], completed=done, total=total)
        if done >= total:
            bars.stop()

    return show


def print_json(value: object) -> None:
    """One JSON object alone on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def search_facts(found: Search) -> dict[str, Any]:
    """What the source answered, for machines."""
    return {
        "source": found.source,
        "query": found.query,
        "count": found.count,
        "duplicates": found.duplicates,
        "translation": found.translation,
        "warnings": list(found.warnings),
        "date": found.date,
    }


def duplicates_said(number: int) -> str:
    """Words for that many duplicates before the next count: "2 duplicates, ", "" for none."""
    return f"{number} duplicate{'s' if number > 1 else ''}, " if number else ""


def print_search(found: Search, *, as_json: bool, more: dict[str, Any]) -> None:
    """What the source answered; `more` is for machines alone."""
    if as_json:
        print_json(search_facts(found) | more)
        return
    twice = duplicates_said(found.duplicates).rstrip(", ")
    said = f" ({twice})" if twice else ""
    typer.echo(f"{found.source}: {found.count} records on {found.date}{said}")
    typer.echo(f"Query: {found.query}")
    if found.translation:
        typer.echo(f"PubMed searched: {found.translation}")
    for warning in found.warnings:
        typer.echo(f"Warning: {warning}", err=True)


def print_flow(result: RunResult) -> None:
    """The counts of the run in a line."""
    flow = result.flow
    excluded = sum(n for _, n in flow.excluded)
    typer.echo(
        f"{flow.identified} records, {duplicates_said(flow.duplicates)}{excluded} excluded, "
        f"{flow.included} eligible, {flow.in_meta_analysis} in a pooled estimate.\n"
    )


def print_estimates(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """The estimates as a table, or as JSON."""
    if as_json:
        print_json(list(rows))
        return
    cells = [("Question", "k", "n", "Estimate [CI]", "Prediction", "I2")]
    cells += [
        (r["question"], str(r["k"]), str(r["n"] or ""), r["text"], r["prediction"], r["i2"])
        for r in rows
    ]
    print_table(cells)


def print_table(cells: Sequence[Sequence[str]]) -> None:
    """Rows in columns as wide as their widest cell; the first row is the head."""
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        typer.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())
