"""The command line: one command a stage; the only package that prints or exits."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, NoReturn

import typer

from pipeline import __version__
from pipeline.cli import decisions, evaluate, folder, living, meta, review, serve, stages, train
from pipeline.errors import PipelineError

EXAMPLES = """Examples:

  evipool init review && cd review && evipool run

  evipool run --source pubmed --email you@example.org -q "ivig[tiab] AND neuropathy[tiab]"

  evipool extract --input abstracts.jsonl --output studies.jsonl

  evipool evaluate gold.jsonl studies.jsonl --errors 20

  evipool meta trials.csv --measure RR --method REML --test knha

Exit codes: 0 ok, 1 bug, 2 usage or configuration, 3 network (run again: it goes on where it was),
4 nothing found, 5 data failed checks, 6 unreviewed values, 7 another run is at work, 8 a conclusion
changed (update --fail-on-change), 130 Ctrl-C.
"""

app = typer.Typer(
    name="evipool",
    help="From a PubMed query to a pooled estimate, each number traceable to its phrase.",
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)
config_app = typer.Typer(
    help="The protocol, config.yaml.", rich_markup_mode=None, invoke_without_command=True
)
app.add_typer(config_app, name="config")

config_app.command("show")(folder.config_show)
train_app = typer.Typer(
    help="What the reader has learned.", rich_markup_mode=None, invoke_without_command=True
)
app.add_typer(train_app, name="train")
TRAINED: dict[str, Callable[..., None]] = {
    "sections": train.sections,
    "confidence": train.confidence,
}
for name, fit in TRAINED.items():
    train_app.command(name)(fit)
COMMANDS: dict[str, Callable[..., None]] = {
    "init": folder.init,
    "check": folder.check,
    "search": stages.search_command,
    "fetch": stages.fetch,
    "extract": stages.extract,
    "evaluate": evaluate.evaluate,
    "run": stages.run_command,
    "update": living.update_command,
    "history": living.history,
    "diff": living.diff,
    "backup": living.backup,
    "restore": living.restore,
    "review": review.review,
    "pool": stages.pool,
    "meta": meta.meta,
    "report": stages.report,
    "export": decisions.export,
    "import": decisions.import_decisions,
    "status": folder.status,
    "measures": folder.measures,
    "serve-eutils": serve.serve_eutils,
}
for command, function in COMMANDS.items():
    app.command(command)(function)

#: How Ctrl-C, which Typer turns into an exit, and SIGTERM end a command.
STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)


def main() -> NoReturn:
    """Run the command line; a foreseen failure is one sentence and its exit code."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        app(prog_name="evipool")
    except PipelineError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code in STOPPED:
            typer.echo("Stopped; run again to go on.", err=True)
        raise
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


def _help_alone(context: typer.Context) -> None:
    """Print help where no command is given, a usage error; Typer would print it on stderr."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@config_app.callback()
def config_options(context: typer.Context) -> None:
    """The protocol, config.yaml."""
    _help_alone(context)


@train_app.callback()
def train_options(context: typer.Context) -> None:
    """Fit what the reader has learned."""
    _help_alone(context)


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """From a PubMed query to a pooled estimate, each number traceable to its phrase."""
    _help_alone(context)
