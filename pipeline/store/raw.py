"""Keeps each answer as it came, gzipped, in corpus/raw/<search-id>/."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from contextlib import suppress
from pathlib import Path

from pipeline.errors import OutputError, StoreError

_SAFE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")


def sha256(raw: bytes) -> str:
    """Return the SHA-256 of bytes in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()


def raw_path(search_id: str, name: str) -> str:
    """Return where an answer is kept, relative to the corpus folder.

    Raises
    ------
    StoreError
        If a name could lead out of the folder.
    """
    for part in (search_id, name):
        if not _SAFE.fullmatch(part):
            raise StoreError(f"Invalid name {part!r}; letters, digits and ._- are allowed.")
    return f"raw/{search_id}/{name}.gz"


def write(path: Path, raw: bytes) -> None:
    """Write bytes gzipped under a temporary name, then rename: the file is whole or absent.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(gzip.compress(raw, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error


def remove_leftovers(corpus: Path) -> None:
    """Remove what a killed run had begun to write; nobody else may be writing meanwhile.

    Raises
    ------
    OutputError
        If a file cannot be removed.
    """
    for part in corpus.glob("raw/*/.*.part"):
        try:
            part.unlink(missing_ok=True)
        except OSError as error:
            raise OutputError(f"Cannot remove {part}: {error.strerror or error}.") from error


def fault(path: Path, digest: str) -> str:
    """Say what is wrong with a kept answer, "" for nothing."""
    try:
        found = sha256(gzip.decompress(path.read_bytes()))
    except FileNotFoundError:
        return f"The raw file {path} is missing."
    except (OSError, EOFError, zlib.error) as error:
        return f"The raw file {path} cannot be read: {error}."
    return "" if found == digest else f"The raw file {path} has SHA-256 {found}, not {digest}."
