"""The commands train sections and train confidence: they fit what the reader has learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import AsJson
from pipeline.cli.output import print_json, print_table

if TYPE_CHECKING:
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
