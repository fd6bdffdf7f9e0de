"""Bodies within their bounds, and the two senders."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator

import pytest

from pipeline.config import Config
from pipeline.errors import ConfigError
from pipeline.eutils_server import Fault, Scenario, Server, Synthetic, serving
from pipeline.fetch.biopython import Biopython
from pipeline.fetch.transport import SENDERS, connect
from pipeline.fetch.wire import Bounds, NoAnswerError, Wire, read_body

TEXT = b"<PubmedArticleSet></PubmedArticleSet>" * 100
ZIPPED = {"Content-Encoding": "gzip"}


class Clock:
    """A clock that moves on by a second whenever it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def read(
    body: bytes, headers: dict[str, str], *, size: int = 10_000, seconds: float = 1e9, step: int = 7
) -> bytes:
    """What `read_body` makes of a body that comes in pieces."""
    pieces = [body[i : i + step] for i in range(0, len(body), step)]
    bounds = Bounds(seconds, size, Clock())
    return read_body(lambda: pieces.pop(0) if pieces else b"", headers, bounds)


class TestBodies:
    """What is read, and what is refused."""

    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (TEXT, {}),
            (TEXT, {"Content-Length": str(len(TEXT))}),
            (TEXT, {"Content-Length": "1000000", "Transfer-Encoding": "chunked"}),
            (gzip.compress(TEXT, mtime=0), ZIPPED),
            (
                gzip.compress(TEXT, mtime=0),
                {**ZIPPED, "Content-Length": str(len(gzip.compress(TEXT, mtime=0)))},
            ),
            (zlib.compress(TEXT), {"Content-Encoding": "Deflate"}),
        ],
    )
    def test_a_whole_body_is_read(self, body: bytes, headers: dict[str, str]) -> None:
        assert read(body, headers) == TEXT

    @pytest.mark.parametrize(
        ("body", "headers", "reason"),
        [
            (TEXT, {"Content-Length": "9999"}, "3700 bytes of an answer of 9999"),
            (gzip.compress(TEXT, mtime=0)[:-9], ZIPPED, "cut off"),
            (gzip.compress(TEXT, mtime=0) + gzip.compress(TEXT, mtime=0), ZIPPED, "cut off"),
            (b"", ZIPPED, "cut off"),
            (TEXT, ZIPPED, "damaged"),
            (gzip.compress(TEXT, mtime=0)[:-8] + bytes(8), ZIPPED, "damaged"),
        ],
        ids=["short", "cut", "two", "none", "plain", "checksum"],
    )
    def test_a_part_is_refused(self, body: bytes, headers: dict[str, str], reason: str) -> None:
        with pytest.raises(NoAnswerError, match=reason):
            read(body, headers)

    @pytest.mark.parametrize("zipped", [False, True])
    def test_the_bound_is_exact(self, *, zipped: bool) -> None:
        body, headers = (gzip.compress(TEXT, mtime=0), ZIPPED) if zipped else (TEXT, {})
        assert read(body, headers, size=len(TEXT)) == TEXT
        with pytest.raises(NoAnswerError, match="more than"):
            read(body, headers, size=len(TEXT) - 1)

    def test_a_bomb_is_unpacked_no_further_than_the_bound(self) -> None:
        """100 MB in one piece of 100 kB; decompressed whole it would show in `room`."""
        bomb = gzip.compress(bytes(100_000_000), 9, mtime=0)
        with pytest.raises(NoAnswerError, match="more than 1 MB"):
            read(bomb, ZIPPED, size=1_000_000, step=len(bomb))

    def test_the_time_is_bounded_however_often_something_comes(self) -> None:
        with pytest.raises(NoAnswerError, match="more than 60 s"):
            read(bytes(1_000), {}, seconds=60, step=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Synthetic(3), rate_limit=False) as serving_now:
        yield serving_now


class TestSenders:
    """requests and Bio.Entrez, behind one call."""

    @pytest.fixture(autouse=True)
    def no_socket(self) -> None:
        """The server is on this machine."""

    @pytest.mark.parametrize("via", SENDERS)
    def test_a_text_comes_as_bytes(self, via: str, server: Server) -> None:
        """Bio.Entrez decodes text/plain; the bytes beneath are taken."""
        form = {"db": "pubmed", "id": "41000000", "rettype": "uilist", "retmode": "text"}
        form |= {"email": "reviewer@example.org"}
        answer = SENDERS[via](5.0)(server.base_url + "efetch.fcgi", form)
        assert (answer.status, answer.body) == (200, b"41000000\n")
        assert answer.headers.get("content-type", "").startswith("text/plain")

    @pytest.mark.parametrize("status", [429, 500])
    @pytest.mark.parametrize("via", SENDERS)
    def test_one_call_is_one_request(self, *, via: str, status: int) -> None:
        """Bio.Entrez's own second try of a 429 or 500 comes without a pause."""
        scenario = Scenario((Fault(str(status), chance=1),))
        with serving(Synthetic(3), scenario=scenario) as server:
            form = {"db": "pubmed", "term": "trial", "email": "reviewer@example.org"}
            answer = SENDERS[via](5.0)(server.base_url + "esearch.fcgi", form)
            assert answer.status == status
            assert len(server.journal.requests) == 1

    @pytest.mark.parametrize("via", SENDERS)
    def test_nobody_there(self, via: str, server: Server) -> None:
        with serving(Synthetic(3)) as gone:
            address = gone.base_url
        with pytest.raises(NoAnswerError, match=r"^no complete answer \(\w+\)$"):
            SENDERS[via](5.0)(address + "efetch.fcgi", {"email": "reviewer@example.org"})

    def test_the_sender_is_chosen_by_name(self, make_config: Callable[..., Config]) -> None:
        config = make_config(ncbi__email="reviewer@example.org", ncbi__timeout_s=7)
        assert isinstance(connect(config).send, Wire)
        assert connect(config, via="biopython").send == Biopython(7)
        with pytest.raises(ConfigError, match="'curl'; must be one of requests, biopython"):
            connect(config, via="curl")
