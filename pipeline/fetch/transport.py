"""Asks the E-utilities: politely, again after a passing fault, the key never shown."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote, quote_plus

from pydantic import SecretStr

from pipeline.config import Config
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch.answers import Answer, Failure, UnusableError, judge
from pipeline.fetch.biopython import Biopython
from pipeline.fetch.throttle import Throttle, turn_file
from pipeline.fetch.wire import NoAnswerError, Wire
from pipeline.schema.events import Tell, silent

T = TypeVar("T")
#: POSTs a form to an address and returns the answer, or raises `NoAnswerError`.
Sender = Callable[[str, Mapping[str, str]], Answer]

TOOL = "evipool"
#: Requests a second that NCBI allows without and with a key (NLM support, KA-05317 and KA-05318).
RATE, RATE_WITH_KEY = 3, 10
#: The network bunches requests, so they are sent a tenth further apart than the rate allows.
SPARE = 1.1
#: How often one request is sent before it is given up: the pauses add up to about half a minute.
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0

#: What sends a request, by name; each is made with the longest silence it bears, in seconds.
SENDERS: Mapping[str, Callable[[float], Sender]] = {"requests": Wire, "biopython": Biopython}


@dataclass(frozen=True)
class Transport:
    """A connection to the E-utilities; `jitter` returns numbers in [0, 1).

    `tell` learns of each request that is sent again: why, and after which pause.
    """

    base_url: str
    email: str
    throttle: Throttle
    key: SecretStr | None = None
    send: Sender = field(default_factory=Wire, repr=False)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    tell: Tell = field(default=silent, repr=False)

    def ask(
        self,
        utility: str,
        form: Mapping[str, str],
        read: Callable[[bytes], T],
        *,
        stays: tuple[str, ...] = (),
    ) -> T:
        """POST a request and return what `read` makes of the answer.

        Parameters
        ----------
        utility : str
            "esearch.fcgi", "efetch.fcgi" ...
        form : mapping
            The request's fields; tool, e-mail and key are added. All go in the body.
        read : callable
            Turns the answer's bytes into a value; raises `UnusableError` to have it sent again.
        stays : tuple of str
            What NCBI says, in small letters, where this request would fail again.

        Raises
        ------
        FetchError
            After the last attempt, or at once where NCBI refuses the request.
        """
        failure = Failure("")
        for attempt in range(ATTEMPTS):
            if attempt:
                self._wait(utility, attempt, failure)
            outcome = self._attempt(utility, form, read)
            if not isinstance(outcome, Failure):
                return outcome
            failure = outcome
            if failure.final or any(said in failure.reason.lower() for said in stays):
                break
        tries = f"{attempt + 1} attempts" if attempt else "one attempt"
        raise FetchError(f"NCBI's {utility} failed after {tries}: {failure.reason}.")

    def _wait(self, utility: str, attempt: int, failure: Failure) -> None:
        """Pause before a request is sent again."""
        pause = self._pause(attempt, failure)
        self.tell(
            "retried",
            level="warning",
            step="fetch",
            utility=utility.removesuffix(".fcgi"),
            attempt=attempt + 1,
            reason=failure.reason,
            pause_s=round(pause, 3),
        )
        self.sleep(pause)

    def _attempt(
        self, utility: str, form: Mapping[str, str], read: Callable[[bytes], T]
    ) -> T | Failure:
        """Send once. Nothing is raised here, so no traceback holds the request's body."""
        self.throttle.wait()
        url = self.base_url.rstrip("/") + "/" + utility
        try:
            answer = self.send(url, {**form, **self._identity()})
        except NoAnswerError as error:
            return Failure(str(error))
        failure = judge(Answer(answer.status, answer.headers, self._safe(answer.body)))
        if failure is not None:
            return failure
        try:
            return read(answer.body)
        except UnusableError as error:
            return Failure(str(error))

    def _identity(self) -> dict[str, str]:
        """The fields that say who asks."""
        key = {"api_key": self.key.get_secret_value()} if self.key else {}
        return {"tool": TOOL, "email": self.email, **key}

    def _pause(self, attempt: int, failure: Failure) -> float:
        """The pause before an attempt: twice the last, at random between its half and its whole."""
        if failure.pause_s is not None:
            return failure.pause_s
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1))
        return longest * (0.5 + self.jitter() / 2)

    def _safe(self, body: bytes) -> bytes:
        """The answer without the key and the e-mail, which NCBI repeats in some answers."""
        for secret in (self.key.get_secret_value() if self.key else "", self.email):
            for written in {secret, quote(secret, safe=""), quote_plus(secret)} - {""}:
                body = body.replace(written.encode(), b"***")
        return body


def connect(config: Config, *, via: str = "requests", tell: Tell = silent) -> Transport:
    """Return a transport for this configuration, whose turns all processes of the user share.

    Parameters
    ----------
    config : Config
        `ncbi`.
    via : str
        What sends the requests: "requests" or "biopython" (see `pipeline.fetch.biopython`).
    tell : callable
        Learns of requests that are sent again.

    Raises
    ------
    ConfigError
        If ncbi.email is not set, or `via` names no sender.
    OutputError
        If the user's cache folder cannot be written.
    """
    ncbi = config.ncbi
    email = (ncbi.email or "").strip()
    if not email:
        raise ConfigError("ncbi.email is not set; NCBI asks who is using `source: pubmed`.")
    if via not in SENDERS:
        raise ConfigError(f"Invalid transport {via!r}; must be one of {', '.join(SENDERS)}.")
    file = turn_file(ncbi.base_url, ncbi.api_key.get_secret_value() if ncbi.api_key else "")
    throttle = Throttle(interval(config), clock=time.time, sleep=time.sleep, file=file)
    send = SENDERS[via](ncbi.timeout_s)
    return Transport(ncbi.base_url, email, throttle, ncbi.api_key, send, tell=tell)


def interval(config: Config) -> float:
    """Return the seconds between two requests that this configuration allows."""
    return SPARE / (RATE_WITH_KEY if config.ncbi.api_key else RATE)
