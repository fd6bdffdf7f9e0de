"""The commands train sections and train confidence: they fit what the reader has learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.evaluate import read_text
from pipeline.cli.options import AsJson, ProtocolFile, load_protocol
from pipeline.cli.output import print_json, print_table

if TYPE_CHECKING:
    from pipeline.train.confidence import Calibration, Row
    from pipeline.train.sections import Score


def sections(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Records whose abstracts print labels: JSON Lines, PubMed XML or nbib."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The weights' file; by default nothing is written."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train the model of an abstract's parts, and score it on abstracts held back."""
    from pipeline.fetch.files import read_records
    from pipeline.train.sections import as_array, labelled, scores, train

    records = [record for path in data for record in read_records(path)[0]]
    abstracts = labelled(records)
    found = scores(abstracts)
    if output is not None:
        from io import BytesIO

        import numpy as np

        from pipeline.report.files import write_file

        file = BytesIO()
        np.save(file, as_array(train(abstracts)), allow_pickle=False)
        write_file(output, file.getvalue())
    if as_json:
        rows = {s.name: {"accuracy": s.accuracy, "macro_f1": s.macro_f1} for s in found}
        print_json({"abstracts": len(abstracts), "held_out": rows})
        return
    _print_scores(found)
    typer.echo(f"\n{len(records)} records, {len(abstracts)} labelled; one in five held back.")


def _print_scores(found: list[Score]) -> None:
    """The table of ways to tell the parts."""
    from pipeline.extract.section_model import PARTS

    rows = [(s.name, *(f"{x:.3f}" for x in (s.accuracy, s.macro_f1, *s.f1))) for s in found]
    print_table([("held-out sentences", "accuracy", "macro F1", *PARTS), *rows])


def confidence(
    gold_file: Annotated[
        Path, typer.Argument(metavar="GOLD.jsonl", help="Records as they should be read.")
    ],
    input_file: Annotated[Path, typer.Argument(metavar="INPUT", help="Their texts.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The table's file; by default nothing is written."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="A PNG: confidence against what is right.")
    ] = None,
    config: ProtocolFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit the confidence of readings on gold records, and score it by cross-validation."""
    from pipeline.errors import InputError
    from pipeline.evaluate.load import parse
    from pipeline.fetch.files import read_records
    from pipeline.train.confidence import calibrations, fit, judged

    gold = parse(read_text(gold_file), str(gold_file))
    readings = judged(gold, read_records(input_file)[0], load_protocol(config))
    if not readings:
        raise InputError(f"No reading of {input_file} is judged by {gold_file}.")
    found = calibrations(readings)
    if output is not None:
        _write_lines(output, fit(readings))
    if plot is not None:
        from pipeline.report.files import write_file
        from pipeline.train.plot import reliability

        write_file(plot, reliability(found[-1]))
    if as_json:
        rows = {c.name: {"ece": c.ece, "brier": c.brier} for c in found}
        print_json({"readings": len(readings), "held_out": rows})
        return
    _print_calibrations(found)


def _write_lines(path: Path, rows: list[Row]) -> None:
    """Write the table as JSON Lines."""
    import json

    from pipeline.report.files import write_file
    from pipeline.train.confidence import lines

    write_file(path, "".join(json.dumps(line) + "\n" for line in lines(rows)).encode())


def _print_calibrations(found: list[Calibration]) -> None:
    """How well each table holds, and the bins of the whole one."""
    rows = [(c.name, str(c.n), f"{c.ece:.3f}", f"{c.brier:.3f}") for c in found]
    print_table([("held-out readings", "n", "ECE", "Brier"), *rows])
    typer.echo("")
    bins = [(f"{b.said:.2f}", f"{b.right:.2f}", str(b.n)) for b in found[-1].bins]
    print_table([("confidence", "right", "n"), *bins])
