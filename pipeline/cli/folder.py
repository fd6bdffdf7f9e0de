"""Commands on a review's folder: start it, show and check its protocol, say what it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import DEFAULT_CONFIG, AsJson, ConfigFile, load_config, open_review
from pipeline.cli.output import duplicates_said, print_json
from pipeline.errors import ConfigError, OutputError

if TYPE_CHECKING:
    from pipeline.review_folder import Review
    from pipeline.store.work import Run


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


def config_show(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Print each value of the protocol with its origin; secrets are masked."""
    from pipeline.config import flatten

    loaded = load_config(config, {})
    values = dict(flatten(loaded.config.model_dump(mode="json")))
    if as_json:
        print_json({k: {"value": v, "origin": loaded.origins[k]} for k, v in values.items()})
        return
    for key, value in values.items():
        typer.echo(f"{key} = {json.dumps(value, ensure_ascii=False)}  [{loaded.origins[key]}]")


def check(config: ConfigFile = DEFAULT_CONFIG) -> None:
    """Validate the protocol and the stored corpus."""
    from pipeline.effects.choose import check_questions
    from pipeline.review_folder import Review

    loaded = load_config(config, {})
    protocol = loaded.config
    check_questions(protocol.questions, protocol.outcomes)
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


def status(config: ConfigFile = DEFAULT_CONFIG, as_json: AsJson = False) -> None:
    """Say what is stored and how the last runs ended."""
    review = open_review(config, {}, quiet=True)
    with review.store(alone=False) as store:
        found = store.latest_search()
        stored = len(store.records(found.search_id)) if found else 0
        decisions, runs = len(store.decisions()), store.runs()
    facts = {
        "search": found.search_id if found else None,
        "date": found.date if found else None,
        "found": found.count if found else 0,
        "stored": stored,
        "decisions": decisions,
        "duplicates": found.duplicates if found else 0,
        "runs": [
            {"run_id": r.run_id, "status": r.status, "log": _log(review, r)} for r in runs[-5:]
        ],
    }
    if as_json:
        print_json(facts)
        return
    typer.echo(
        f"Search {facts['search']} of {facts['date']}: {facts['found']} found, "
        f"{duplicates_said(found.duplicates)}{stored} stored."
        if found
        else "No search yet."
    )
    typer.echo(f"{decisions} decisions of reviewers.")
    for r in runs[-5:]:
        log = "" if r.status == "complete" else _log(review, r)
        typer.echo(f"Run {r.run_id}: {r.status}" + (f"; see {log}" if log else ""))


def _log(review: Review, run: Run) -> str | None:
    """The log of a run, from the review's folder; None where it lies elsewhere or is deleted."""
    place = Path("outputs") / run.run_id / "log.jsonl"
    return str(place) if (review.folder / place).exists() else None


def measures(as_json: AsJson = False) -> None:
    """List the effect measures: their columns in a table, and what a protocol takes them from."""
    from pipeline.effects.formulas import FORMULAS
    from pipeline.effects.measures import MEASURES

    rows = {
        code: {
            "name": formula.name,
            "scale": formula.scale,
            "columns": [" ".join(names) for names in formula.columns],
            "in a protocol from": MEASURES[code].data if code in MEASURES else "",
        }
        for code, formula in FORMULAS.items()
    }
    if as_json:
        print_json(rows)
        return
    for code, row in rows.items():
        asked = row["in a protocol from"]
        said = f"; in a protocol from {asked}" if asked else ""
        typer.echo(f"{code:5s} {row['name']} ({row['scale']}): {' or '.join(row['columns'])}{said}")
