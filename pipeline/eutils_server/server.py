"""Serves the E-utilities on this machine's loopback address, and on no other."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import ThreadingHTTPServer
from typing import Any

from pipeline.errors import ConfigError
from pipeline.eutils_server.corpus import Corpus
from pipeline.eutils_server.faults import KINDS
from pipeline.eutils_server.handler import PATH, Handler
from pipeline.eutils_server.history import History
from pipeline.eutils_server.index import Index, load
from pipeline.eutils_server.journal import Journal
from pipeline.eutils_server.limiter import Limiter
from pipeline.eutils_server.scenario import Play, Scenario

HOST = "127.0.0.1"
#: Connections served at a time; more wait in the queue of the operating system.
THREADS = 64
NO_FAULTS = Scenario()


class Server(ThreadingHTTPServer):
    """The server of one corpus; `serving` starts and ends it.

    Parameters
    ----------
    index : Index
        The corpus.
    scenario : Scenario
        What goes wrong.
    rate_limit : bool
        Whether more than 3 requests in a second, 10 with a key, are refused.
    port : int
        0 for a free one.
    day : int
        The day on which the corpus is shown.

    Attributes
    ----------
    journal : Journal
        Every request to a utility.
    """

    daemon_threads = False
    request_queue_size = 128

    def __init__(
        self,
        index: Index,
        scenario: Scenario = NO_FAULTS,
        *,
        rate_limit: bool = True,
        port: int = 0,
        day: int = 1,
    ) -> None:
        self.index, self.journal = index, Journal()
        self._rate_limit = rate_limit
        self._closing, self._slots = threading.Event(), threading.Semaphore(THREADS)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.use(scenario)
        self.set_day(day)
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"Port {port} of {HOST} cannot be served: {error}.") from error

    @property
    def home(self) -> str:
        """The server's address without a path."""
        return f"http://{HOST}:{self.server_address[1]}"

    @property
    def base_url(self) -> str:
        """The address of the utilities, for `ncbi.base_url`."""
        return self.home + PATH

    def set_day(self, day: int) -> None:
        """Show the corpus as it stood on a day.

        Raises
        ------
        ConfigError
            If the corpus has no such day.
        """
        if not 1 <= day <= self.index.days:
            raise ConfigError(f"Invalid day {day}; the corpus has days 1 to {self.index.days}.")
        self.day = day

    def use(self, scenario: Scenario) -> None:
        """Play a scenario from its beginning, with an empty history and fresh rate limits.

        Raises
        ------
        ConfigError
            If a fault's kind is not known.
        """
        for fault in scenario.faults:
            if fault.kind not in KINDS:
                raise ConfigError(f"Unknown fault {fault.kind!r}; known are {', '.join(KINDS)}.")
        self.play, self.history = Play(scenario), History(scenario.history_calls)
        self.limiter = Limiter() if self._rate_limit else None

    def pause(self, seconds: float) -> bool:
        """Wait; True if the server is closing."""
        return self._closing.wait(seconds)

    def stop(self) -> None:
        """End: no new connections, the open ones broken off, their threads waited for."""
        self._closing.set()
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, once one is free."""
        while not self._slots.acquire(timeout=0.1):
            if self._closing.is_set():
                self.shutdown_request(request)
                return
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection and give its thread back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._connections.discard(request)
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show what went wrong; a client that goes away is no error."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


@contextmanager
def serving(
    corpus: Corpus | Index,
    *,
    days: Sequence[Corpus] = (),
    scenario: Scenario = NO_FAULTS,
    rate_limit: bool = True,
    port: int = 0,
    day: int = 1,
) -> Iterator[Server]:
    """Serve a corpus while the context lasts.

    Parameters
    ----------
    corpus : path, Synthetic or Index
        A PubMed XML file, a folder of them or of days, made-up records, or what `load` returned,
        which several servers may share.
    days : sequence of path or Synthetic
        What each later day brings: new records, newer versions, deletions.
    scenario, rate_limit, port, day
        See `Server`.

    Yields
    ------
    Server
        Its `base_url` is asked, its `journal` read.

    Raises
    ------
    ConfigError
        If the port is taken, or the corpus has no such day.
    InputError
        If the corpus cannot be read.
    """
    index = corpus if isinstance(corpus, Index) else load(corpus, days)
    server = Server(index, scenario, rate_limit=rate_limit, port=port, day=day)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join()
        if index is not corpus:
            index.close()
