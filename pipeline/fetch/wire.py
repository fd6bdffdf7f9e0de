"""Sends one POST with requests, and reads the answer within bounds of size and time."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import requests
import urllib3

from pipeline.fetch.answers import Answer

CONNECT_TIMEOUT_S = 10.0
#: An answer may take this many time-outs as a whole, if it comes drop by drop.
DRIP = 5
#: 500 records, the most asked for at once, of 256 kB each: a record of 1,000 authors.
LARGEST = 128_000_000
CHUNK = 65_536
#: zlib's sign for "gzip or zlib, whichever the first bytes say".
EITHER = 47


class NoAnswerError(Exception):
    """An exchange that ended without a whole answer; its text holds nothing of the request."""


@dataclass(frozen=True)
class Bounds:
    """How large an answer may be in bytes, zipped or not, and how long it may take in seconds."""

    seconds: float
    size: int = LARGEST
    clock: Callable[[], float] = time.monotonic


@dataclass(frozen=True)
class Wire:
    """Sends over one `requests.Session`: without redirects, the form in the body.

    `timeout_s` is the longest silence of the server.
    """

    timeout_s: float = 60.0
    size: int = LARGEST
    session: requests.Session = field(default_factory=requests.Session, repr=False)

    def __call__(self, url: str, form: Mapping[str, str]) -> Answer:
        """POST a form and return the answer.

        Raises
        ------
        NoAnswerError
            If none comes, or it is cut off, too large or too slow.
        """
        try:
            return self._exchange(url, form)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise NoAnswerError(f"no complete answer ({type(error).__name__})") from None

    def _exchange(self, url: str, form: Mapping[str, str]) -> Answer:
        """Send once; the errors are those of requests and urllib3."""
        bounds = Bounds(DRIP * self.timeout_s, self.size)
        with self.session.post(
            url,
            data=form,
            headers={"Accept-Encoding": "gzip"},
            timeout=(CONNECT_TIMEOUT_S, self.timeout_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = read_body(
                lambda: response.raw.read1(CHUNK, decode_content=False), response.headers, bounds
            )
        return Answer(response.status_code, response.headers, body)


def read_body(read: Callable[[], bytes], headers: Mapping[str, str], bounds: Bounds) -> bytes:
    """Read a body piece by piece, and unzip it.

    Parameters
    ----------
    read : callable
        Returns what has come in, b"" at the end.
    headers : mapping
        The answer's.
    bounds : Bounds
        What is refused; the time counts from now.

    Raises
    ------
    NoAnswerError
        If the body is beyond its bounds, damaged, or shorter than its Content-Length.
    """
    until = bounds.clock() + bounds.seconds
    unzip = zlib.decompressobj(EITHER) if _zipped(headers) else None
    body, came = bytearray(), 0
    while piece := read():
        came += len(piece)
        body += _unzipped(unzip, piece, bounds.size + 1 - len(body)) if unzip else piece
        if max(came, len(body)) > bounds.size:
            raise NoAnswerError(
                f"an answer of more than {bounds.size // 1_000_000} MB; lower ncbi.batch_size"
            )
        if bounds.clock() > until:
            raise NoAnswerError(f"an answer that took more than {bounds.seconds:g} s")
    if unzip and (not unzip.eof or unzip.unused_data):
        raise NoAnswerError("a zipped answer that is cut off")
    if came < _length(headers):
        raise NoAnswerError(f"{came} bytes of an answer of {_length(headers)}")
    return bytes(body)


def _zipped(headers: Mapping[str, str]) -> bool:
    """Whether the body came zipped."""
    return headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip", "deflate")


def _unzipped(unzip: zlib._Decompress, piece: bytes, room: int) -> bytes:
    """A piece unzipped, no more than there is room for."""
    try:
        return unzip.decompress(piece, room)
    except zlib.error:
        raise NoAnswerError("a zipped answer that is damaged") from None


def _length(headers: Mapping[str, str]) -> int:
    """The length that the headers promise, 0 for none: a chunked body says it otherwise."""
    said = headers.get("Content-Length", "")
    chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
    return int(said) if said.isdecimal() and not chunked else 0
