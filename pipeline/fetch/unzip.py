"""Reads bytes in pieces, through gzip where they are zipped, never more than a bound allows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO, cast

from isal import igzip
from isal.igzip_lib import IsalError

from pipeline.errors import InputError

GZIP = b"\x1f\x8b"
PIECE = 1 << 16
#: The most that one input may hold once unzipped: 4 GiB, ten times PubMed's largest file.
LARGEST = 1 << 32
#: PubMed XML unzips to 8 to 12 times its size; a gzip bomb to 1,000 times.
HIGHEST_RATIO = 200
#: Below this, the ratio says nothing: a few kilobytes may well repeat themselves.
SMALL = 1 << 24
#: What unzipping may raise; isal's types take its exception for an instance of one.
_DAMAGED = (OSError, EOFError, cast(type[Exception], IsalError))


def pieces(data: bytes | BinaryIO, name: str, *, largest: int = LARGEST) -> Iterator[bytes]:
    """Yield the content of `data`, plain or gzipped, in pieces of at most 64 KiB.

    Parameters
    ----------
    data : bytes or seekable binary file
        What to read; gzip is known by its first two bytes.
    name : str
        What to call it in a message.
    largest : int
        The most bytes to yield.

    Raises
    ------
    InputError
        If the content is larger, is a gzip bomb, or cannot be unzipped.
    """
    file = io.BytesIO(data) if isinstance(data, bytes) else data
    start = file.tell()
    zipped = file.read(len(GZIP)) == GZIP
    file.seek(start)
    source = cast(BinaryIO, igzip.IGzipFile(fileobj=file)) if zipped else file
    size = 0
    while piece := _read(source, name):
        size += len(piece)
        if size > largest:
            raise InputError(f"{name} holds more than {largest} bytes.")
        if zipped and size > SMALL + HIGHEST_RATIO * (file.tell() - start):
            raise InputError(f"{name} unzips to more than {HIGHEST_RATIO} times its size.")
        yield piece


def _read(source: BinaryIO, name: str) -> bytes:
    """The next piece, b"" at the end."""
    try:
        return source.read(PIECE)
    except _DAMAGED as error:
        raise InputError(f"{name} cannot be unzipped: {error}.") from error
