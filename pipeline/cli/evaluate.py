"""The command evaluate: readings against gold records, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import AsJson, ProtocolFile, Quiet, load_protocol
from pipeline.cli.output import print_json, print_table, progress_bar
from pipeline.errors import InputError

if TYPE_CHECKING:
    from pipeline.evaluate.match import Match
    from pipeline.evaluate.misses import Miss
    from pipeline.evaluate.tally import Figure, Tally

METHOD = (
    "percentile bootstrap over records (Efron and Tibshirani 1993, chapter 13)",
    "95 % intervals",
)


class By(Enum):
    """What a row of the table is about."""

    FIELD = "field"
    DESIGN = "design"
    RECORD = "record"


def evaluate(
    gold_file: Annotated[
        Path, typer.Argument(metavar="GOLD.jsonl", help="Records as they should be read.")
    ],
    predicted_file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PREDICTED.jsonl]",
            help="What `evipool extract` wrote; without it the texts are read now.",
        ),
    ] = None,
    input_file: Annotated[
        Path | None,
        typer.Option(
            "--input",
            "-i",
            help="The texts; by default GOLD_input.jsonl beside the gold, else the gold's own.",
        ),
    ] = None,
    config: ProtocolFile = None,
    by: Annotated[By, typer.Option(help="A row for each field, gold design or record.")] = By.FIELD,
    errors: Annotated[
        int, typer.Option("--errors", help="Show the first N misses, with their sentences.", min=0)
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the resamples.", min=0)] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare readings with gold records: precision, recall and F1 with bootstrap intervals."""
    from pipeline.evaluate.load import parse
    from pipeline.evaluate.match import match
    from pipeline.evaluate.misses import misses
    from pipeline.extract.sentences import split

    gold = parse(read_text(gold_file), str(gold_file))
    if predicted_file is None:
        predicted = read_now(gold_file, input_file, config, quiet=quiet or as_json)
    else:
        predicted = parse(read_text(predicted_file), str(predicted_file))
    matches = [m for rid, g in gold.items() for m in match(rid, g, predicted.get(rid, {}))]
    rows = _rows(matches, gold, by, seed)
    texts = {rid: str(p.get("text") or "") for rid, p in predicted.items()}
    missed = list(islice(misses(matches, texts, split), errors))
    if as_json:
        print_json(_as_json(rows, missed, gold, predicted, by, seed))
        return
    _print_rows(rows, gold, predicted, by, seed)
    for miss in missed:
        _print_miss(miss)


def read_text(path: Path) -> str:
    """The text of a file that the command line names.

    Raises
    ------
    InputError
        If it cannot be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"Cannot read {path}: it is not UTF-8.") from error


def read_now(
    gold_file: Path, input_file: Path | None, config: Path | None, *, quiet: bool
) -> dict[str, Mapping[str, Any]]:
    """Read the texts of a gold file, as published records by id.

    Raises
    ------
    InputError
        If the texts are not there.
    """
    from pipeline.fetch.files import read_records
    from pipeline.reading import published

    beside = gold_file.with_name(f"{gold_file.stem}_input.jsonl")
    source = input_file or (beside if beside.exists() else gold_file)
    records, problems = read_records(source)
    for problem in problems:
        typer.echo(f"{problem.code}: {problem.message}", err=True)
    if not any(record.sections for record in records):
        raise InputError(f"{source} holds no abstract; name the texts with --input.")
    lines = published(records, load_protocol(config), progress_bar(quiet))
    return {line["record_id"]: line for line in lines}


def _rows(
    matches: Sequence[Match], gold: Mapping[str, Mapping[str, Any]], by: By, seed: int
) -> list[Tally]:
    """The rows of the table; sums leave out `outcomes`, which repeats its numbers."""
    from pipeline.evaluate.match import FIELDS
    from pipeline.evaluate.tally import tallies
    from pipeline.evaluate.values import plain

    if by is By.FIELD:
        return tallies(matches, list(gold), lambda m: m.field, names=FIELDS, seed=seed)
    parts = [m for m in matches if m.field != "outcomes"]
    keys: dict[By, Callable[[Match], str]] = {
        By.DESIGN: lambda m: str(plain(gold[m.record_id].get("design"))),
        By.RECORD: lambda m: m.record_id,
    }
    if by is By.RECORD:  # one record cannot be resampled
        return tallies(parts, list(gold), keys[by], resamples=0)
    names = sorted({str(plain(g.get("design"))) for g in gold.values()})
    return tallies(parts, list(gold), keys[by], names=names, seed=seed)


def _as_json(
    rows: Sequence[Tally],
    missed: Sequence[Miss],
    gold: Mapping[str, Any],
    predicted: Mapping[str, Any],
    by: By,
    seed: int,
) -> dict[str, Any]:
    """All of it for machines."""
    from pipeline.evaluate.tally import LEVEL, RESAMPLES

    return {
        "records": len(gold),
        "not_predicted": [rid for rid in gold if rid not in predicted],
        "by": by.value,
        "interval": {
            "method": METHOD[0],
            "level": LEVEL,
            "resamples": 0 if by is By.RECORD else RESAMPLES,
            "seed": seed,
        },
        "rows": [asdict(row) for row in rows],
        "misses": [asdict(miss) for miss in missed],
    }


def _print_rows(
    rows: Sequence[Tally],
    gold: Mapping[str, Any],
    predicted: Mapping[str, Any],
    by: By,
    seed: int,
) -> None:
    """The table, and how its intervals were made."""
    from pipeline.evaluate.tally import RESAMPLES

    head = (by.value, "records", "gold", "read", "right", "precision", "recall", "F1")
    cells = [
        (
            t.name,
            *map(str, (t.records, t.gold, t.predicted, t.right)),
            *map(_shown, (t.precision, t.recall, t.f1)),
        )
        for t in rows
    ]
    print_table([head, *cells])
    missing = sum(rid not in predicted for rid in gold)
    made = (
        "" if by is By.RECORD else f"; {METHOD[1]}: {METHOD[0]}, {RESAMPLES} resamples, seed {seed}"
    )
    typer.echo(f"\n{len(gold)} records, {missing} without a reading{made}.")


def _shown(figure: Figure) -> str:
    """A share with its interval: 0.874 [0.790, 0.942]."""
    if figure.value is None:
        return "-"
    if figure.low is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _print_miss(miss: Miss) -> None:
    """A miss on two lines: what, then where."""
    gold, read = (
        "-" if v is None else f"{v:g}" if isinstance(v, float) else v
        for v in (miss.gold, miss.predicted)
    )
    typer.echo(f"\n{miss.record_id}  {miss.field}: {miss.kind}; gold {gold}, read {read}")
    if miss.sentence:
        typer.echo(f"    {' '.join(miss.sentence.split())}")
