"""Commands that carry reviewers' decisions from one laptop to another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import DEFAULT_CONFIG, ConfigFile, Quiet, open_review
from pipeline.errors import ConfigError, InputError

#: What `evipool export` writes.
FORMATS = ("decisions",)


def export(
    config: ConfigFile = DEFAULT_CONFIG,
    form: Annotated[
        str, typer.Option("--format", "-f", help="What to write: decisions (JSON Lines).")
    ] = "decisions",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; by default stdout.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write the reviewers' decisions, for `evipool import` on another laptop."""
    from pipeline.report.files import write_file
    from pipeline.review.exchange import write_events

    if form not in FORMATS:
        raise ConfigError(f"Invalid format {form!r}; must be one of {', '.join(FORMATS)}.")
    review = open_review(config, {}, quiet=True)
    with review.store(alone=False) as store:
        lines = list(write_events(store.events()))
    if output is None:
        typer.echo("".join(lines), nl=False)
        return
    write_file(output, "".join(lines).encode())
    if not quiet:
        typer.echo(f"{len(lines)} decisions written into {output}.", err=True)


def import_decisions(
    file: Annotated[Path, typer.Argument(help="JSON Lines that `evipool export` wrote.")],
    config: ConfigFile = DEFAULT_CONFIG,
    quiet: Quiet = False,
) -> None:
    """Add the decisions of another laptop; those that are here already are passed over."""
    from pipeline.review.exchange import MAX_LINE, read_events

    review = open_review(config, {}, quiet=True)
    try:
        with file.open("rb") as opened:
            events = read_events(iter(lambda: opened.readline(MAX_LINE + 2), b""), str(file))
    except OSError as error:
        raise InputError(f"Cannot read {file}: {error.strerror}.") from error
    with review.store(alone=False) as store:
        new = store.merge_events(events)
    if not quiet:
        known = len(events) - len(new)
        typer.echo(f"{len(new)} decisions added, {known} were here already.", err=True)
