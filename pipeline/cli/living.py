"""Commands of the living review: update, history, diff, backup, restore."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import (
    DEFAULT_CONFIG,
    AsJson,
    ConfigFile,
    Email,
    Files,
    Query,
    Quiet,
    Source,
    flags_of,
    listen,
    open_review,
)
from pipeline.cli.output import print_json, print_table
from pipeline.cli.stages import command_line
from pipeline.errors import ConfigError, NothingFoundError, OutputError

if TYPE_CHECKING:
    from pipeline.schema import Movement
    from pipeline.update import RunResult

#: The exit code of `evipool update --fail-on-change` where a conclusion changed.
CHANGED = 8
#: So many records and values are told in the terminal; update.html has all.
TOLD = 12


def update_command(
    config: ConfigFile = DEFAULT_CONFIG,
    query: Query = None,
    source: Source = None,
    file: Files = None,
    email: Email = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report.")
    ] = None,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit 8 if a conclusion changed.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Search again, count what is new, revised or retracted, and say what moved."""
    from pipeline import update

    review = open_review(config, flags_of(query, source, file, email), quiet=quiet or as_json)
    review, _ = listen(review, quiet=quiet or as_json, query=False)
    result = update.update(review, argv=command_line(), output=output)
    if as_json:
        print_json(_facts(result))
    else:
        _print_update(result)
    if result.evidence.missing:
        raise typer.Exit(3)
    if fail_on_change and result.moved is not None and result.moved.raised:
        raise typer.Exit(CHANGED)


def _facts(result: RunResult) -> dict[str, Any]:
    """What an update found, for machines."""
    from pipeline.present import measure_views
    from pipeline.report.update_data import update_facts

    moved, gathered = result.moved, result.gathered
    return {
        "run_id": result.run_id,
        "report": str(result.folder / "report.html"),
        "fetched_new": gathered.new if gathered else 0,
        "fetched_again": gathered.again if gathered else 0,
        "missing": result.evidence.missing,
        "moved": None if moved is None else update_facts(moved, measure_views()),
    }


def _print_update(result: RunResult) -> None:
    """What an update found, on one screen."""
    moved, gathered = result.moved, result.gathered
    found = result.evidence.search
    new, again = (gathered.new, gathered.again) if gathered else (0, 0)
    typer.echo(
        f"{found.source}: {found.count} records on {found.date}; {new} fetched as new, "
        f"{again} fetched again."
    )
    if moved is None:
        typer.echo("No earlier run has left its answers: there is nothing to compare with.")
    else:
        _print_moved(moved)
    name = "report.html" if moved is None else "update.html"
    typer.echo(f"\nReport: {result.folder / name}")


def _print_moved(moved: Movement, *, values: bool = False) -> None:
    """What moved: conclusions first, then the pools, then the records."""
    from pipeline.present import measure_views
    from pipeline.report.update_atom import headline
    from pipeline.report.update_data import pooled_text

    views = measure_views()
    typer.echo(f"{headline(moved)}.")
    cells = [("Question", "k", "Before", "After", "Conclusion")]
    cells += [
        (
            q.question_id,
            f"{q.k_before} -> {q.k_after}",
            pooled_text(q.before, views[q.measure]),
            pooled_text(q.after, views[q.measure]),
            "CHANGED" if q.raised else "unchanged" if q.flags else "no rule",
        )
        for q in moved.questions
        if q.moved or q.flags
    ]
    if len(cells) > 1:
        typer.echo("")
        print_table(cells)
    _print_lines(list(_told(moved, values=values)), whole=values)


def _told(moved: Movement, *, values: bool) -> Iterator[str]:
    """A line a study that came or went, a rule that was met, a record, and, if asked, a value."""
    from pipeline.present import measure_views
    from pipeline.report.update_data import pull_text

    views = measure_views()
    for q in moved.questions:
        for s in q.studies:
            pull = pull_text(s, views[q.measure], q.after)
            drawn = f"; pull {pull}" if pull else ""
            yield f"{q.question_id}: {s.slab} {s.kind} ({s.reason}){drawn}"
    for q in moved.questions:
        for f in (flag for flag in q.flags if flag.raised):
            yield f"{f.rule} of {q.question_id}: {f.before}; now {f.after}"
    for c in moved.records:
        causes = f": {'; '.join(c.causes)}" if c.causes else ""
        yield f"{c.slab} ({c.record_id}) {c.kind}{causes}"
    for c in moved.records if values else ():
        for v in c.values:
            yield f"{c.record_id} {v.path}: {v.before or 'none'} -> {v.after or 'none'}"


def _print_lines(lines: list[str], *, whole: bool) -> None:
    """Lines after a blank one; the first of them where there are many."""
    shown = lines if whole else lines[:TOLD]
    for line in ["", *shown] if shown else []:
        typer.echo(line)
    if len(shown) < len(lines):
        typer.echo(f"... and {len(lines) - len(shown)} more; see update.html.")


def history(
    question: Annotated[str, typer.Argument(help="The id of a question of the protocol.")],
    config: ConfigFile = DEFAULT_CONFIG,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Write the history as a figure (.svg or .png).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what each run answered to a question, by the day of its evidence."""
    from pipeline.present import history_rows, measure_view

    review = open_review(config, {}, quiet=True)
    known = {q.id: q for q in review.config.questions}
    if question not in known:
        raise ConfigError(f"Unknown question {question!r}; must be one of {', '.join(known)}.")
    with review.store(alone=False) as store:
        runs = store.history(question)
    if not runs:
        raise NothingFoundError(f"No run has answered {question!r} yet; `evipool run` does it.")
    rows = history_rows(runs)
    if plot is not None:
        _plot(plot, runs, known[question].title)
    if as_json:
        print_json(rows)
        return
    cells = [("Evidence of", "Run", "k", "n", "Estimate [CI]", "tau2", "I2")]
    cells += [
        (r["date"], r["run_id"], str(r["k"]), str(r["n"]), r["text"], r["tau2_text"], r["i2_text"])
        for r in rows
    ]
    print_table(cells)
    unit = measure_view(known[question].measure)
    typer.echo(f"\n{known[question].title}; {unit.name.lower()}.")


def _plot(path: Path, runs: list[Any], title: str) -> None:
    """Write the history as a figure."""
    from pipeline.present import measure_views
    from pipeline.report.update_history import history_plot

    if path.suffix not in (".svg", ".png"):
        raise OutputError(f"Cannot write {path}: a figure ends in .svg or .png.")
    drawn = history_plot(runs, measure_views(), title)
    if drawn is None:
        raise NothingFoundError("No run has a pooled estimate; there is nothing to plot.")
    drawn.save(path)
    typer.echo(f"Wrote {path}.", err=True)


def diff(
    before: Annotated[str, typer.Argument(help="The id of a run (evipool status).")],
    after: Annotated[str, typer.Argument(help="The id of a later run.")],
    config: ConfigFile = DEFAULT_CONFIG,
    as_json: AsJson = False,
) -> None:
    """Explain the difference of two runs, down to the values that were read or decided."""
    from pipeline.living import movement
    from pipeline.present import measure_views
    from pipeline.report.update_data import update_facts

    review = open_review(config, {}, quiet=True)
    with review.store(alone=False) as store:
        answers = [(run_id, store.answered(run_id)) for run_id in (before, after)]
        known = ", ".join(run.run_id for run in store.runs()[-5:])
    for run_id, answered in answers:
        if answered is None:
            raise NothingFoundError(f"No answers are kept of a run {run_id!r}; the last: {known}.")
    first, second = (answered for _, answered in answers if answered is not None)
    moved = movement(first, second, review.config.questions)
    if as_json:
        print_json(update_facts(moved, measure_views()))
    else:
        _print_moved(moved, values=True)


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write, review.tar.gz.")],
    config: ConfigFile = DEFAULT_CONFIG,
    quiet: Quiet = False,
) -> None:
    """Save protocol, database and raw answers in one file."""
    from pipeline import backup as saving

    review = open_review(config, {}, quiet=True)
    n = saving.backup(review, config, target)
    if not quiet:
        typer.echo(f"{n} files saved in {target}.", err=True)


def restore(
    source: Annotated[Path, typer.Argument(help="A file that `evipool backup` wrote.")],
    folder: Annotated[Path, typer.Argument(help="The review's folder.")] = Path(),
    quiet: Quiet = False,
) -> None:
    """Bring a review back into a folder that holds none; each file is checked."""
    from pipeline import backup as saving

    n = saving.restore(source, folder)
    saving.restore_database(open_review(folder / "config.yaml", {}, quiet=True))
    if not quiet:
        typer.echo(f"{n} files restored into {folder}; `evipool check` looks at them.", err=True)
