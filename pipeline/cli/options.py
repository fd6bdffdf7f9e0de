"""The options that several commands share, and the review that they name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from pipeline.cli.heard import Heard
    from pipeline.config import Config, Loaded
    from pipeline.review_folder import Review

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The protocol.", envvar="EVIPOOL_CONFIG")
]
ProtocolFile = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="The protocol; by default config.yaml, else the shipped one."
    ),
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


def load_config(path: Path, flags: Mapping[str, Any]) -> Loaded:
    """Read the protocol with flags and environment laid over it."""
    from pipeline.config import load

    return load(path, flags=flags, environ=os.environ)


def load_protocol(config: Path | None) -> Config:
    """The named protocol, else config.yaml of this folder, else the shipped one."""
    from pipeline.resources import shipped

    here = DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else shipped("config.yaml")
    return load_config(config or here, {}).config


def flags_of(
    query: str | None, source: str | None, files: Sequence[Path] | None, email: str | None
) -> dict[str, Any]:
    """The flags that override the protocol."""
    return {
        "query": query,
        "source": source or ("files" if files else "pubmed" if query else None),
        "files": [str(f) for f in files] if files else None,
        "ncbi.email": email,
    }


def open_review(config: Path, flags: Mapping[str, Any], *, quiet: bool) -> Review:
    """The review in the folder of its protocol."""
    from pipeline.cli.output import progress_bar
    from pipeline.review_folder import Review

    loaded = load_config(config, flags)
    return Review(config.resolve().parent, loaded.config, progress=progress_bar(quiet))


def listen(review: Review, *, quiet: bool = False, query: bool = True) -> tuple[Review, Heard]:
    """The review with a listener to its search and fetch; see `Heard`."""
    from pipeline.cli.heard import Heard

    heard = Heard(shown=not quiet, files=review.config.source == "files", query=query)
    return replace(review, tell=heard), heard
