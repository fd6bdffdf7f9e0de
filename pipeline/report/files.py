"""Writes the files of a report, each whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.errors import OutputError


def write_file(path: Path, content: bytes) -> Path:
    """Write a file through a temporary neighbour, so that a reader never meets half of it.

    Raises
    ------
    OutputError
        Naming the folder and the system's reason.
    """
    try:
        _replace(path, content)
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"Cannot write {path.name} in {path.parent}: {reason}.") from error
    return path


def _replace(path: Path, content: bytes) -> None:
    """Put new content in a file's place, and leave no temporary file behind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
