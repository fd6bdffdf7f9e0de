"""The source `demo`: the shipped corpus, dated as it was made, so that runs agree to the byte."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from pipeline.config import Config
from pipeline.errors import InputError
from pipeline.fetch import files
from pipeline.resources import shipped
from pipeline.schema import Batch, Search
from pipeline.schema.events import Tell, silent


def search(config: Config, *, today: str, tell: Tell = silent) -> Search:
    """List the shipped records; the date is the corpus's own, not `today`.

    Raises
    ------
    InputError
        If a shipped file is not as it was made.
    """
    manifest, paths = _corpus()
    note = manifest["query"]
    return files.search_files(paths, source="demo", date=manifest["date"], note=note, tell=tell)


def fetch(
    search: Search,
    config: Config,
    *,
    skip: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    tell: Tell = silent,
) -> Iterator[Batch]:
    """Yield the shipped file with its records."""
    manifest, paths = _corpus()
    return files.batches(search, paths, skip=skip, progress=progress, note=manifest["query"])


def _corpus() -> tuple[dict[str, Any], list[Path]]:
    """The manifest and the paths of its files, each checked against its SHA-256."""
    folder = shipped("demo")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in manifest["files"].items():
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        if found != digest:
            raise InputError(f"The shipped {name} has SHA-256 {found}; it must be {digest}.")
    return manifest, [folder / name for name in manifest["files"]]
