"""Commands of the stages: search, fetch, extract, run, pool, report."""

from __future__ import annotations

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Email,
    Files,
    ProtocolFile,
    Query,
    Quiet,
    Source,
    flags_of,
    listen,
    load_protocol,
    open_review,
)
from pipeline.cli.output import (
    duplicates_said,
    print_estimates,
    print_flow,
    print_json,
    print_search,
    progress_bar,
    search_facts,
)
from pipeline.errors import NothingFoundError

if TYPE_CHECKING:
    from pipeline.review_folder import Review


def search_command(
    config: ConfigFile = DEFAULT_CONFIG,
    query: Query = None,
    source: Source = None,
    file: Files = None,
    email: Email = None,
    as_json: AsJson = False,
) -> None:
    """Ask the source for hits; nothing is fetched or kept."""
    from pipeline.update import search

    review = open_review(config, flags_of(query, source, file, email), quiet=True)
    review, heard = listen(review, query=False)
    print_search(search(review), as_json=as_json, more=heard.as_json())


def fetch(
    config: ConfigFile = DEFAULT_CONFIG,
    query: Query = None,
    source: Source = None,
    file: Files = None,
    email: Email = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search and keep what is not stored yet, raw and parsed."""
    from pipeline import update

    review = open_review(config, flags_of(query, source, file, email), quiet=quiet or as_json)
    review, heard = listen(review, quiet=quiet)
    with review.store() as store:
        found = update.fetch_alone(review, store)
        kept = len(store.records(found.search_id))
        problems = store.problems(found.search_id)
    if as_json:
        print_json(
            {
                "search_id": found.search_id,
                **search_facts(found),
                "stored": kept,
                "problems": [p.message for p in problems],
                **heard.as_json(),
            }
        )
    else:
        twice = duplicates_said(found.duplicates)
        said = f"{found.count} found, {twice}{kept} stored ({found.search_id})"
        typer.echo(f"{found.source}: {said}.")
        for problem in problems:
            typer.echo(f"{problem.code}: {problem.message}", err=True)
    if kept < len(found.record_ids):
        raise typer.Exit(3)


def extract(
    input_file: Annotated[
        Path, typer.Option("--input", "-i", help="JSON Lines, PubMed XML or nbib.")
    ],
    output_file: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines of studies.")],
    config: ProtocolFile = None,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Processes; the output is the same.")
    ] = 1,
    quiet: Quiet = False,
) -> None:
    """Read records into studies, each value with its quote."""
    from pipeline.update import extract_file

    protocol, progress = load_protocol(config), progress_bar(quiet)
    n, problems = extract_file(input_file, output_file, protocol, progress, jobs=jobs)
    for problem in problems:
        typer.echo(f"{problem.code}: {problem.message}", err=True)
    if not quiet:
        typer.echo(f"{n} records read from {input_file} into {output_file}.", err=True)
    if problems:
        raise typer.Exit(5)


def run_command(
    config: ConfigFile = DEFAULT_CONFIG,
    query: Query = None,
    source: Source = None,
    file: Files = None,
    email: Email = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", "-n", help="Show the search and the plan; write nothing.")
    ] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use what is stored; no network.")
    ] = False,
    require_reviewed: Annotated[
        bool, typer.Option("--require-reviewed", help="Fail while a pool holds unreviewed values.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of", formats=["%Y-%m-%d"], help="A day: with the records known by then."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Do everything: search, fetch, extract, screen, pool, report."""
    flags = flags_of(query, source, file, email)
    flags["review.require_reviewed"] = True if require_reviewed else None
    review = open_review(config, flags, quiet=quiet or as_json)
    if dry_run:
        _plan(review, as_json=as_json, quiet=quiet)
    else:
        day = None if as_of is None else as_of.date().isoformat()
        _run(review, output, refetch=not offline, as_json=as_json, quiet=quiet, as_of=day)


def pool(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Pool what is stored and print the estimates; no report is written."""
    from pipeline import update
    from pipeline.present import summary

    review = open_review(config, {}, quiet=True)
    with review.store() as store:
        found = store.latest_search()
        if found is None:
            raise NothingFoundError(
                "Nothing was fetched yet; `evipool run` or `evipool fetch` does it."
            )
        results = update.analyse(review, update.read(review, store, found))
    print_estimates(summary(results), as_json=as_json)


def report(
    config: ConfigFile = DEFAULT_CONFIG,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the report again from what is stored, without a new search."""
    review = open_review(config, {}, quiet=quiet or as_json)
    _run(review, output, refetch=False, as_json=as_json, quiet=quiet)


def _run(
    review: Review,
    output: Path | None,
    *,
    refetch: bool,
    as_json: bool,
    quiet: bool,
    as_of: str | None = None,
) -> None:
    """Run the stages and print what came out."""
    from pipeline import update
    from pipeline.present import summary

    review, heard = listen(review, quiet=quiet)
    result = update.run(review, argv=command_line(), output=output, refetch=refetch, as_of=as_of)
    rows = summary(result.results)
    if as_json:
        print_json(
            {
                "run_id": result.run_id,
                "report": str(result.folder / "report.html"),
                "search": search_facts(result.evidence.search),
                **heard.as_json(),
                "missing": result.evidence.missing,
                "estimates": rows,
            }
        )
    else:
        print_flow(result)
        print_estimates(rows, as_json=False)
        typer.echo(f"\nReport: {result.folder / 'report.html'}")
    if result.evidence.missing:
        raise typer.Exit(3)


def command_line() -> list[str]:
    """Return the command line as the store and the manifest keep it: without the e-mail."""
    words = [re.sub(r"^--email=.*", "--email=***", word) for word in sys.argv[1:]]
    pairs = zip(["", *words], words, strict=False)
    return ["***" if before == "--email" else word for before, word in pairs]


def _plan(review: Review, *, as_json: bool, quiet: bool) -> None:
    """Show the search and what a run would do."""
    from pipeline.update import plan, search

    review, heard = listen(review, quiet=quiet, query=False)
    found = search(review)
    lines = plan(review, found)
    print_search(found, as_json=as_json, more={**heard.as_json(), "plan": lines})
    if not as_json:
        typer.echo("\n".join(lines))
