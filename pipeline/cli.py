"""The command line: one command a stage; the only module that prints or exits."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from pipeline import __version__
from pipeline.errors import ConfigError, NothingFoundError, OutputError, PipelineError

if TYPE_CHECKING:
    from pipeline.config import Loaded
    from pipeline.schema import Search
    from pipeline.update import Progress, Review, RunResult

EXAMPLES = """Examples:

  evipool init review && cd review && evipool run

  evipool run --source pubmed --email you@example.org -q "ivig[tiab] AND neuropathy[tiab]"

  evipool extract --input abstracts.jsonl --output studies.jsonl

Exit codes: 0 ok, 1 bug, 2 usage or configuration, 3 network (run again: it goes on where it was),
4 nothing found, 5 data failed checks, 6 unreviewed values, 7 another run is at work, 130 Ctrl-C.
"""

app = typer.Typer(
    name="evipool",
    help="From a PubMed query to a pooled estimate, each number traceable to its phrase.",
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
config_app = typer.Typer(
    help="The protocol, config.yaml.", rich_markup_mode=None, no_args_is_help=True
)
app.add_typer(config_app, name="config")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The protocol.", envvar="EVIPOOL_CONFIG")
]
Query = Annotated[
    str | None, typer.Option("--query", "-q", help="PubMed query, as typed into PubMed.")
]
Source = Annotated[str | None, typer.Option("--source", help="demo, pubmed or files.")]
Files = Annotated[
    list[Path] | None,
    typer.Option("--file", help="A file to read (with --source files); repeatable."),
]
Email = Annotated[str | None, typer.Option("--email", help="Your e-mail, which NCBI asks for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print results and errors alone.")]

#: Where a config.yaml is looked for.
DEFAULT_CONFIG = Path("config.yaml")


def main() -> NoReturn:
    """Run the command line; a foreseen failure is one sentence and its exit code."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        app()
    except PipelineError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("Stopped; run again to go on.", err=True)
        sys.exit(130)
    except Exception as error:
        if os.environ.get("EVIPOOL_TRACEBACK"):
            traceback.print_exc()
        typer.echo(
            f"This is a bug in Evipool {__version__}: {type(error).__name__}: {error}\n"
            "Set EVIPOOL_TRACEBACK=1 to see where.",
            err=True,
        )
        sys.exit(1)
    sys.exit(0)


def _stopped(signum: int, frame: object) -> NoReturn:
    """End on SIGTERM the way an exception ends: transactions are rolled back, files closed."""
    raise SystemExit(128 + signum)


def _version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(f"evipool {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """From a PubMed query to a pooled estimate, each number traceable to its phrase."""


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The review's folder.")] = Path(),
) -> None:
    """Start a review: write config.yaml, corpus/ and outputs/ (nothing is overwritten)."""
    from pipeline.resources import shipped

    target = folder / "config.yaml"
    if target.exists():
        raise ConfigError(f"{target} exists; a protocol is never overwritten.")
    try:
        for part in ("corpus", "outputs"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        target.write_bytes(shipped("config.yaml").read_bytes())
    except OSError as error:
        raise OutputError(f"Cannot write {target}: {error.strerror}.") from error
    typer.echo(f"Wrote {target}. Next: edit it, then `evipool check` and `evipool run`.")


@config_app.command("show")
def config_show(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Print each value of the protocol with its origin; secrets are masked."""
    from pipeline.config import flatten

    loaded = _load(config, {})
    values = dict(flatten(loaded.config.model_dump(mode="json")))
    if as_json:
        _print_json({k: {"value": v, "origin": loaded.origins[k]} for k, v in values.items()})
        return
    for key, value in values.items():
        typer.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}  [{loaded.origins[key]}]")


@app.command()
def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Validate the protocol and the stored corpus."""
    from pipeline.effects.choose import check_questions
    from pipeline.update import Review

    loaded = _load(config, {})
    check_questions(loaded.config.questions)
    protocol = loaded.config
    typer.echo(
        f"{config}: {len(protocol.questions)} questions, {len(protocol.outcomes)} outcomes: ok"
    )
    if (
        not (config.parent / "corpus" / "evidence.sqlite").exists()
        and not loaded.config.database.url
    ):
        typer.echo("corpus: nothing stored yet")
        return
    with Review(config.parent, loaded.config).store() as store:
        faults = store.check()
    for fault in faults:
        typer.echo(fault, err=True)
    if faults:
        raise typer.Exit(5)
    typer.echo("corpus: ok")


@app.command("search")
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

    review = _review(config, _flags(query, source, file, email), quiet=True)
    _print_search(search(review), review, as_json=as_json)


@app.command()
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

    review = _review(config, _flags(query, source, file, email), quiet=quiet)
    with review.store() as store:
        found = update.fetch(review, store)
        kept = len(store.records(found.search_id))
        problems = store.problems(found.search_id)
    if as_json:
        _print_json(
            {
                "search_id": found.search_id,
                "count": found.count,
                "stored": kept,
                "problems": [p.message for p in problems],
            }
        )
    else:
        typer.echo(f"{found.source}: {found.count} found, {kept} stored ({found.search_id}).")
        for problem in problems:
            typer.echo(f"{problem.code}: {problem.message}", err=True)
    if kept < len(found.record_ids):
        raise typer.Exit(3)


@app.command()
def extract(
    input_file: Annotated[
        Path, typer.Option("--input", "-i", help="JSON Lines, PubMed XML or nbib.")
    ],
    output_file: Annotated[Path, typer.Option("--output", "-o", help="JSON Lines of studies.")],
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", help="The protocol; by default config.yaml, else the shipped one."
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Read records into studies, each value with its quote."""
    from pipeline.resources import shipped
    from pipeline.update import extract_file

    protocol = config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else shipped("config.yaml"))
    loaded = _load(protocol, {})
    progress = _progress(quiet)
    n, problems = extract_file(input_file, output_file, loaded.config, progress)
    for problem in problems:
        typer.echo(f"{problem.code}: {problem.message}", err=True)
    if not quiet:
        typer.echo(f"{n} records read from {input_file} into {output_file}.", err=True)
    if problems:
        raise typer.Exit(5)


@app.command("run")
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
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Do everything: search, fetch, extract, screen, pool, report."""
    flags = _flags(query, source, file, email)
    flags["review.require_reviewed"] = True if require_reviewed else None
    review = _review(config, flags, quiet=quiet or as_json)
    if dry_run:
        _plan(review, as_json=as_json)
    else:
        _run(review, output, refetch=not offline, as_json=as_json)


@app.command()
def pool(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Pool what is stored and print the estimates; no report is written."""
    from pipeline import update

    review = _review(config, {}, quiet=True)
    with review.store() as store:
        found = store.latest_search()
        if found is None:
            raise NothingFoundError(
                "Nothing was fetched yet; `evipool run` or `evipool fetch` does it."
            )
        results = update.analyse(review, update.read(review, store, found))
    _print_estimates(update.summary(results), as_json=as_json)


@app.command()
def report(
    config: ConfigFile = DEFAULT_CONFIG,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the report again from what is stored, without a new search."""
    _run(_review(config, {}, quiet=quiet or as_json), output, refetch=False, as_json=as_json)


@app.command()
def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Say what is stored and how the last runs ended."""
    review = _review(config, {}, quiet=True)
    with review.store() as store:
        found = store.latest_search()
        stored = len(store.records(found.search_id)) if found else 0
        decisions, runs = len(store.decisions()), store.runs()
    facts = {
        "search": found.search_id if found else None,
        "date": found.date if found else None,
        "found": found.count if found else 0,
        "stored": stored,
        "decisions": decisions,
        "runs": [{"run_id": r.run_id, "status": r.status} for r in runs[-5:]],
    }
    if as_json:
        _print_json(facts)
        return
    typer.echo(
        f"Search {facts['search']} of {facts['date']}: {facts['found']} found, {stored} stored."
        if found
        else "No search yet."
    )
    typer.echo(f"{decisions} decisions of reviewers.")
    for r in runs[-5:]:
        typer.echo(f"Run {r.run_id}: {r.status}")


@app.command()
def measures(as_json: AsJson = False) -> None:
    """List the effect measures that a question may name."""
    from pipeline.effects.measures import MEASURES

    rows = {code: f"{m.name}; from: {m.data}; pooled as: {m.scale}" for code, m in MEASURES.items()}
    if as_json:
        _print_json(rows)
    else:
        typer.echo("\n".join(f"{code:5s} {text}" for code, text in rows.items()))


def _run(review: Review, output: Path | None, *, refetch: bool, as_json: bool) -> None:
    """Run the stages and print what came out."""
    from pipeline import update

    result = update.run(review, argv=sys.argv[1:], output=output, refetch=refetch)
    rows = update.summary(result.results)
    if as_json:
        _print_json(
            {
                "run_id": result.run_id,
                "report": str(result.folder / "report.html"),
                "estimates": rows,
            }
        )
    else:
        _print_flow(result)
        _print_estimates(rows, as_json=False)
        typer.echo(f"\nReport: {result.folder / 'report.html'}")
    if result.evidence.missing:
        raise typer.Exit(3)


def _plan(review: Review, *, as_json: bool) -> None:
    """Show the search and what a run would do."""
    from pipeline.update import plan, search

    found = search(review)
    _print_search(found, review, as_json=as_json)
    if not as_json:
        for line in plan(review, found):
            typer.echo(line)


def _load(path: Path, flags: Mapping[str, Any]) -> Loaded:
    """Read the protocol with flags and environment laid over it."""
    from pipeline.config import load

    return load(path, flags=flags, environ=os.environ)


def _flags(
    query: str | None, source: str | None, files: Sequence[Path] | None, email: str | None
) -> dict[str, Any]:
    """The flags that override the protocol."""
    return {
        "query": query,
        "source": source or ("files" if files else None),
        "files": [str(f) for f in files] if files else None,
        "ncbi.email": email,
    }


def _review(config: Path, flags: Mapping[str, Any], *, quiet: bool) -> Review:
    """The review in the folder of its protocol."""
    from pipeline.update import Review

    loaded = _load(config, flags)
    return Review(config.resolve().parent, loaded.config, progress=_progress(quiet))


def _progress(quiet: bool) -> Progress:
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


def _print_json(value: object) -> None:
    """One JSON object alone on stdout."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def _print_search(found: Search, review: Review, *, as_json: bool) -> None:
    """What the source answered."""
    if as_json:
        _print_json(
            {
                "source": found.source,
                "query": found.query,
                "count": found.count,
                "translation": found.translation,
                "warnings": list(found.warnings),
                "date": found.date,
            }
        )
        return
    typer.echo(f"{found.source}: {found.count} records on {found.date}")
    typer.echo(f"Query: {found.query}")
    if found.translation:
        typer.echo(f"PubMed searched: {found.translation}")
    for warning in found.warnings:
        typer.echo(f"Warning: {warning}", err=True)


def _print_flow(result: RunResult) -> None:
    """The counts of the run in a line."""
    flow = result.flow
    typer.echo(
        f"{flow.identified} records, {sum(n for _, n in flow.excluded)} excluded, "
        f"{flow.included} eligible, {flow.in_meta_analysis} in a pooled estimate.\n"
    )


def _print_estimates(rows: Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """The estimates as a table, or as JSON."""
    if as_json:
        _print_json(list(rows))
        return
    cells = [("Question", "k", "n", "Estimate [CI]", "Prediction", "I2")]
    cells += [
        (r["question"], str(r["k"]), str(r["n"] or ""), r["text"], r["prediction"], r["i2"])
        for r in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    for row in cells:
        typer.echo("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()
