"""The command serve-eutils: PubMed's E-utilities on this machine, from files."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer


def serve_eutils(
    corpus: Annotated[
        Path, typer.Argument(help="A PubMed XML file, a folder of them, or of folders day1, day2.")
    ],
    port: Annotated[int, typer.Option(help="0 for a free one.", min=0, max=65_535)] = 0,
    day: Annotated[int, typer.Option(help="The day on which to show the corpus.", min=1)] = 1,
    rate_limit: Annotated[
        bool, typer.Option(help="Refuse more than 3 requests a second, 10 with a key.")
    ] = True,
) -> None:
    """Serve a corpus as PubMed does, on loopback; Ctrl-C ends it."""
    from pipeline.eutils_server import serving

    with (
        suppress(KeyboardInterrupt),
        serving(corpus, port=port, day=day, rate_limit=rate_limit) as server,
    ):
        typer.echo(server.base_url)
        typer.echo("Use it with EVIPOOL_NCBI__BASE_URL; Ctrl-C ends it.", err=True)
        threading.Event().wait()
