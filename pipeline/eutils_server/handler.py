"""Handles the requests of one connection: reads, limits, answers, and does what a fault says."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from pipeline.errors import ConfigError
from pipeline.eutils_server.answers import HTML, JSON, TEXT, Answer, Call
from pipeline.eutils_server.faults import KINDS
from pipeline.eutils_server.journal import KEY, Request, shown
from pipeline.eutils_server.scenario import Scenario
from pipeline.eutils_server.utilities import UTILITIES

if TYPE_CHECKING:
    from pipeline.eutils_server.server import Server

PATH, CONTROL, SUFFIX = "/entrez/eutils/", "/control/", ".fcgi"
#: The names under which this machine may be asked; another one is a web page that plays tricks.
HOSTS = ("127.0.0.1", "localhost")
#: An idle connection is closed after so many seconds; NCBI's own ends after 4.
IDLE_S = 10.0
#: The longest body of a request that is read, in bytes.
LARGEST_BODY = 32 << 20
#: Fields that say who asks, not what.
IDENTITY = (KEY, "email", "tool")

Params = Mapping[str, Sequence[str]]


class Handler(BaseHTTPRequestHandler):
    """One connection and its requests."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "EvipoolEutils", ""
    timeout = IDLE_S
    #: Head and body are written one after the other; Nagle's algorithm would hold the body back.
    disable_nagle_algorithm = True
    server: Server
    _request: Request | None = None
    _sent = 0

    @property
    def scenario(self) -> Scenario:
        """The scenario that is played."""
        return self.server.play.scenario

    @property
    def home(self) -> str:
        """The server's address."""
        return self.server.home

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve({})

    def do_POST(self) -> None:
        """Answer a POST."""
        said = self.headers.get("Content-Length", "")
        length = int(said) if said.isdecimal() else 0
        if length > LARGEST_BODY:
            self.close_connection = True
            self._send(Answer(b"The request is too long.\n", TEXT, 413))
            return
        body = self.rfile.read(length).decode("utf-8", "replace")
        self._serve(parse_qs(body, keep_blank_values=True))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the journal has it."""

    def _serve(self, body: Params) -> None:
        """Answer a request by its path."""
        parts = urlsplit(self.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        utility = parts.path.removeprefix(PATH).removesuffix(SUFFIX)
        if (self.headers.get("Host") or "").partition(":")[0] not in HOSTS:
            self._send(Answer(b"This server answers this machine only.\n", TEXT, 403))
        elif parts.path.startswith(CONTROL):
            self._send(self._control(parts.path.removeprefix(CONTROL), {**query, **body}))
        elif parts.path == f"{PATH}{utility}{SUFFIX}" and utility in UTILITIES:
            self._noted(utility, query, body)
        else:
            self._send(Answer(b"<html><body>Not here.</body></html>\n", HTML, 404))

    def _noted(self, utility: str, query: Params, body: Params) -> None:
        """Answer a call and note it in the journal."""
        params = {**query, **body}
        now = time.monotonic()
        request = Request(0, now, utility, self.command, shown(params), tuple(query))
        self._request = self.server.journal.open(request)
        try:
            self._answer(utility, params, now)
        finally:
            self._note(bytes_out=self._sent)
            self._request = None

    def _note(self, **changes: Any) -> None:
        """Note in the journal how the request goes on."""
        if self._request is not None:
            self._request = replace(self._request, **changes)
            self.server.journal.close(self._request)

    def _answer(self, utility: str, params: Params, now: float) -> None:
        """Answer a call, as its fault says if one befalls it."""
        server, limiter = self.server, self.server.limiter
        refusal = limiter.check(params.get(KEY, [""])[0], now) if limiter else None
        if refusal is not None:
            self._send(refusal)
            return
        fault, pick = server.play.next(utility, _same(params))
        call = Call(utility, params, server.index, server.history, server.day)
        if fault:
            self._note(fault=fault)
            self._befall(fault, call, pick)
        else:
            self._send(UTILITIES[utility](call))

    def _befall(self, fault: str, call: Call, pick: random.Random) -> None:
        """Answer a call the way its fault says."""
        kind = KINDS[fault]
        if kind.pmids is not None:
            change = kind.pmids
            call = replace(call, alter=lambda pmids: change(pmids, pick))
        answer = UTILITIES[call.utility](call)
        if kind.answer is not None:
            answer = kind.answer(call, answer)
        if kind.send is None:
            self._send(answer)
            return
        self.close_connection = True
        kind.send(self, answer)

    def _control(self, name: str, params: Params) -> Answer:
        """Answer a control call: `day?d=3`, `journal`."""
        if name == "journal":
            return _json(self.server.journal.as_json())
        if name != "day":
            return Answer(b"Control calls are day?d=3 and journal.\n", TEXT, 404)
        try:
            if "d" in params:
                self.server.set_day(int(params["d"][0]))
        except (ConfigError, ValueError) as error:
            return Answer(f"{error}\n".encode(), TEXT, 400)
        return _json({"day": self.server.day, "days": self.server.index.days})

    def _send(self, answer: Answer) -> None:
        """Send an answer whole."""
        self.head(answer, len(answer.body))
        self.raw(answer.body)

    def head(self, answer: Answer, length: int | None) -> None:
        """Send status and headers; without a length the body comes in chunks."""
        self._sent = 0
        self._note(status=answer.status)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def raw(self, data: bytes) -> None:
        """Send bytes of the body."""
        self.wfile.write(data)
        self._sent += len(data)

    def chunk(self, data: bytes) -> None:
        """Send bytes of a body that comes in chunks; none of them ends it."""
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self._sent += len(data)

    def pause(self, seconds: float) -> bool:
        """Wait; True if the server is closing."""
        return self.server.pause(seconds)


def _same(params: Params) -> str:
    """A text that is the same for the same request, whoever asks."""
    return json.dumps({name: params[name] for name in sorted(params) if name not in IDENTITY})


def _json(value: object) -> Answer:
    """A value as JSON."""
    return Answer(json.dumps(value).encode(), JSON)
