"""The faults: each a row of `KINDS`, that changes the PMIDs, the answer, or the way it is sent."""

from __future__ import annotations

import gzip
import json
import random
import re
import socket
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.eutils_server.answers import HTML, JSON, Answer, Call, error
from pipeline.eutils_server.limiter import RATE, too_many
from pipeline.eutils_server.scenario import Scenario

VIEWER = "External viewer error: Empty Response. Bytes read: 0 Status: Timeout"
NO_DATABASE = "Search Backend failed: Database is not supported: pubmed"
_PAGE = "<!DOCTYPE html>\n<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>\n"
_DOCTYPE = re.compile(rb"<!DOCTYPE[^>]*>")
_PIECE, _BLOCK = 64, 1 << 20


class Wire(Protocol):
    """A connection that an answer is sent over."""

    connection: socket.socket

    @property
    def scenario(self) -> Scenario:
        """The scenario that is played."""

    @property
    def home(self) -> str:
        """The server's address."""

    def head(self, answer: Answer, length: int | None) -> None:
        """Send status and headers; without a length the body comes in chunks."""

    def raw(self, data: bytes) -> None:
        """Send bytes of the body."""

    def chunk(self, data: bytes) -> None:
        """Send bytes of a body that comes in chunks."""

    def pause(self, seconds: float) -> bool:
        """Wait; True if the server is closing."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: what it says, and one of the three other parts.

    Parameters
    ----------
    says : str
        What it does, in a few words.
    pmids : callable, optional
        Changes the PMIDs that an answer lists.
    answer : callable, optional
        Changes the answer.
    send : callable, optional
        Sends the answer in its own way.
    """

    says: str
    pmids: Callable[[list[int], random.Random], list[int]] | None = None
    answer: Callable[[Call, Answer], Answer] | None = None
    send: Callable[[Wire, Answer], None] | None = None


def _missing(pmids: list[int], pick: random.Random) -> list[int]:
    """Without one to a third of them, at random."""
    if not pmids:
        return pmids
    number = pick.randint(1, max(1, len(pmids) // 3))
    lost = set(pick.sample(range(len(pmids)), number))
    return [pmid for place, pmid in enumerate(pmids) if place not in lost]


def _duplicate(pmids: list[int], pick: random.Random) -> list[int]:
    """One of them twice, at another place."""
    if not pmids:
        return pmids
    found = list(pmids)
    found.insert(pick.randint(0, len(pmids)), pick.choice(pmids))
    return found


def _half(pmids: list[int], pick: random.Random) -> list[int]:
    """The first of them only, up to a random place before the end."""
    return pmids[: pick.randrange(len(pmids))] if pmids else pmids


def _status(status: int, title: str) -> Callable[[Call, Answer], Answer]:
    """An HTML page with this status."""
    page = _PAGE.format(f"{status} {title}").encode()
    return lambda call, answer: Answer(page, HTML, status)


def _error_text(call: Call) -> str:
    """The failure that the utility's own backend reports."""
    return NO_DATABASE if call.utility == "esearch" else f" Error: {VIEWER}"


def _too_many(status: int) -> Callable[[Call, Answer], Answer]:
    """The refusal of too many requests, with this status."""
    return lambda call, answer: too_many(call.text("api_key"), RATE + 1, RATE, status=status)


def _bad_key(call: Call, answer: Answer) -> Answer:
    """The refusal of a key, which it repeats."""
    key = call.text("api_key", "none")
    said = {"error": "API key invalid", "api-key": key, "type": "invalid", "status": "unknown"}
    return Answer(json.dumps(said).encode(), JSON, 400)


def _doctype(text: bytes) -> Callable[[Call, Answer], Answer]:
    """The answer with another DOCTYPE."""
    return lambda call, answer: replace(answer, body=_DOCTYPE.sub(text, answer.body, count=1))


def _reset(wire: Wire, answer: Answer) -> None:
    """Break the connection off with a TCP reset."""
    wire.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.connection.close()


def _hang(wire: Wire, answer: Answer) -> None:
    """Say nothing, then close."""
    wire.pause(wire.scenario.hang_s)


def _drip(wire: Wire, answer: Answer) -> None:
    """Send the answer piece by piece, each before a read times out, as long as `hang_s`."""
    wire.head(answer, len(answer.body))
    pieces = int(wire.scenario.hang_s / wire.scenario.drip_s) + 1
    for start in range(0, min(len(answer.body), pieces * _PIECE), _PIECE):
        wire.raw(answer.body[start : start + _PIECE])
        if wire.pause(wire.scenario.drip_s):
            return


def _short(wire: Wire, answer: Answer) -> None:
    """Promise twice as many bytes as follow."""
    wire.head(answer, 2 * len(answer.body) + 1)
    wire.raw(answer.body)


def _cut(wire: Wire, answer: Answer) -> None:
    """Send half of the answer in a chunk and no end."""
    wire.head(answer, None)
    wire.chunk(answer.body[: len(answer.body) // 2])


def _redirect(wire: Wire, answer: Answer) -> None:
    """Point to another address of this server, which answers with a page."""
    wire.head(replace(answer, status=302, kind=HTML, headers={"Location": f"{wire.home}/moved"}), 0)


def _bomb(wire: Wire, answer: Answer) -> None:
    """Send a gzipped answer that unpacks to blanks without end, `bomb_mb` of them."""
    wire.head(replace(answer, status=200, headers={"Content-Encoding": "gzip"}), None)
    for data in _packed(answer.body, wire.scenario.bomb_mb):
        wire.chunk(data)
    wire.chunk(b"")


def _packed(start: bytes, blocks: int) -> Iterator[bytes]:
    """A gzip stream of `start` and blocks of blanks, each packed once and repeated."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    blanks, crc = b" " * _BLOCK, zlib.crc32(start)
    yield gzip.compress(b"", mtime=0)[:10] + packer.compress(start)
    yield packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    for _ in range(blocks):
        crc = zlib.crc32(blanks, crc)
        yield block
    size = (len(start) + blocks * _BLOCK) & 0xFFFFFFFF
    yield packer.flush() + struct.pack("<II", crc, size)


def _flood(wire: Wire, answer: Answer) -> None:
    """Send the answer and `bomb_mb` of blanks after it, not packed."""
    wire.head(answer, None)
    wire.chunk(answer.body)
    for _ in range(wire.scenario.bomb_mb):
        wire.chunk(b" " * _BLOCK)
    wire.chunk(b"")


_PUBLIC = b"<!DOCTYPE PubmedArticleSet PUBLIC "
KINDS: Mapping[str, Kind] = {
    "429": Kind("too many requests, with Retry-After", answer=_too_many(429)),
    "500": Kind("HTML page of status 500", answer=_status(500, "Internal Server Error")),
    "502": Kind("HTML page of status 502", answer=_status(502, "Bad Gateway")),
    "503": Kind("HTML page of status 503", answer=_status(503, "Service Unavailable")),
    "html": Kind("HTML page of status 200", answer=_status(200, "Error Blocked Diagnostic")),
    "bad_key": Kind("status 400 that repeats the key", answer=_bad_key),
    "json_error": Kind("status 200 with a JSON error", answer=_too_many(200)),
    "error": Kind(
        "status 200 with the utility's ERROR",
        answer=lambda call, answer: error(call, _error_text(call)),
    ),
    "viewer_timeout": Kind(
        "status 400 for a passing timeout",
        answer=lambda call, answer: error(call, _error_text(call), status=400),
    ),
    "empty": Kind(
        "status 200 without a body", answer=lambda call, answer: replace(answer, body=b"")
    ),
    "http_doctype": Kind(
        "an http DOCTYPE",
        answer=_doctype(
            _PUBLIC + b'"-//NLM//DTD PubMedArticle, 1st January 2019//EN" '
            b'"http://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_190101.dtd">'
        ),
    ),
    "unknown_doctype": Kind(
        "the DOCTYPE of a year to come",
        answer=_doctype(
            _PUBLIC + b'"-//NLM//DTD PubMedArticle, 1st January 2027//EN" '
            b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_270101.dtd">'
        ),
    ),
    "missing": Kind("PMIDs missing without a word", pmids=_missing),
    "duplicate": Kind("a PMID twice", pmids=_duplicate),
    "cut_at_record": Kind("the end left out, closed neatly", pmids=_half),
    "reset": Kind("the connection reset", send=_reset),
    "hang": Kind("silence, then the connection closed", send=_hang),
    "drip": Kind("a slow trickle", send=_drip),
    "short": Kind("fewer bytes than Content-Length", send=_short),
    "chunked_cut": Kind("chunks that break off", send=_cut),
    "redirect": Kind("status 302 to another address here", send=_redirect),
    "gzip_bomb": Kind("a small answer that unpacks to a large one", send=_bomb),
    "flood": Kind("a large answer", send=_flood),
}
