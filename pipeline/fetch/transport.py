"""Sends requests to the E-utilities: politely, again after a passing fault, the key never shown."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar

import requests
from pydantic import SecretStr

from pipeline.config import Config
from pipeline.errors import ConfigError, FetchError
from pipeline.fetch.fields import clean
from pipeline.fetch.throttle import Throttle

T = TypeVar("T")

TOOL = "evipool"
#: Requests a second that NCBI allows without and with a key (NLM support, KA-05317 and KA-05318).
RATE, RATE_WITH_KEY = 3, 10
#: The network bunches requests, so they are sent a tenth further apart than the rate allows.
SPARE = 1.1
#: How often one request is sent before it is given up: the pauses add up to about half a minute.
ATTEMPTS = 6
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
#: A server that asks for a longer pause than this is left for another run.
PATIENCE_S = 300.0
CONNECT_TIMEOUT_S = 10.0

#: What EFetch answers, with HTTP 400, where it knows none of the ids.
NO_IDS = b"ID list is empty"
_ERROR_TAG = re.compile(rb"<(ERROR|error)>(.*?)</\1>", re.DOTALL)
_HTML = (b"<!doctype html", b"<html")


class UnusableError(Exception):
    """An answer that came whole but is of no use; it is worth asking again."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """Why an attempt failed, the pause the server asked for, and whether to try again."""

    reason: str
    pause_s: float | None = None
    final: bool = False


@dataclass(frozen=True)
class Transport:
    """A connection to the E-utilities; `jitter` returns numbers in [0, 1)."""

    base_url: str
    email: str
    throttle: Throttle
    key: SecretStr | None = None
    timeout_s: float = 60.0
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random

    def ask(self, utility: str, form: Mapping[str, str], read: Callable[[bytes], T]) -> T:
        """POST a request and return what `read` makes of the answer.

        Parameters
        ----------
        utility : str
            "esearch.fcgi", "efetch.fcgi" ...
        form : mapping
            The request's fields; tool, e-mail and key are added. All go in the body.
        read : callable
            Turns the answer's bytes into a value; raises `UnusableError` to have it sent again.

        Raises
        ------
        FetchError
            After the last attempt, or at once where NCBI refuses the request.
        """
        failure = _Failure("")
        for attempt in range(ATTEMPTS):
            if attempt:
                self.sleep(self._pause(attempt, failure))
            outcome = self._attempt(utility, form, read)
            if not isinstance(outcome, _Failure):
                return outcome
            failure = outcome
            if failure.final:
                break
        raise FetchError(f"NCBI's {utility} failed after {attempt + 1} attempts: {failure.reason}.")

    def _attempt(
        self, utility: str, form: Mapping[str, str], read: Callable[[bytes], T]
    ) -> T | _Failure:
        """Send once. Nothing is raised here, so no traceback holds the request's body."""
        self.throttle.wait()
        try:
            response = self.session.post(
                self.base_url.rstrip("/") + "/" + utility,
                data={**form, **self._identity()},
                timeout=(CONNECT_TIMEOUT_S, self.timeout_s),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return _Failure(f"no complete answer ({type(error).__name__})")
        failure = _judged(response.status_code, response.headers, self._safe(response.content))
        if failure is not None:
            return failure
        try:
            return read(response.content)
        except UnusableError as error:
            return _Failure(str(error))

    def _identity(self) -> dict[str, str]:
        """The fields that say who asks."""
        key = {"api_key": self.key.get_secret_value()} if self.key else {}
        return {"tool": TOOL, "email": self.email, **key}

    def _pause(self, attempt: int, failure: _Failure) -> float:
        """The pause before an attempt: twice the last, at random between its half and its whole."""
        if failure.pause_s is not None:
            return failure.pause_s
        longest = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (attempt - 1))
        return longest * (0.5 + self.jitter() / 2)

    def _safe(self, body: bytes) -> bytes:
        """The answer without the key and the e-mail, which NCBI repeats in some answers."""
        for secret in (self.key.get_secret_value() if self.key else "", self.email):
            body = body.replace(secret.encode(), b"***") if secret else body
        return body


def connect(config: Config) -> Transport:
    """Return a transport for this configuration.

    Raises
    ------
    ConfigError
        If ncbi.email is not set.
    """
    ncbi = config.ncbi
    email = (ncbi.email or "").strip()
    if not email:
        raise ConfigError("ncbi.email is not set; NCBI asks who is using `source: pubmed`.")
    rate = RATE_WITH_KEY if ncbi.api_key else RATE
    throttle = Throttle(SPARE / rate, clock=time.monotonic, sleep=time.sleep)
    return Transport(ncbi.base_url, email, throttle, ncbi.api_key, ncbi.timeout_s)


def load_json(body: bytes) -> object:
    """Return the JSON of an answer; NCBI puts raw newlines into its texts.

    Raises
    ------
    UnusableError
        If it is not JSON.
    """
    try:
        return json.loads(body, strict=False)
    except ValueError as error:
        raise UnusableError(f"incomplete JSON ({type(error).__name__})") from None


def _judged(status: int, headers: Mapping[str, str], body: bytes) -> _Failure | None:
    """What is wrong with an answer, by its status and its content; None for nothing."""
    pause, said = _asked_pause(headers), f"HTTP {status} {_words(body)}".rstrip()
    if status == 429 or status >= 500 or (status == 400 and "Timeout" in said):
        return _Failure(said, pause, final=pause is not None and pause > PATIENCE_S)
    if 300 <= status < 400:
        return _Failure(f"HTTP {status}: redirects are not followed", final=True)
    if status >= 400:
        return None if NO_IDS in body else _Failure(said, final=True)
    fault = _fault(body)  # NCBI also sends errors with HTTP 200
    return _Failure(fault, pause) if fault else None


def _asked_pause(headers: Mapping[str, str]) -> float | None:
    """The seconds that Retry-After asks for; a date is taken against the answer's own Date."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isdecimal():
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
        return max(0.0, (until - parsedate_to_datetime(headers.get("Date", ""))).total_seconds())
    except (TypeError, ValueError):
        return None


def _fault(body: bytes) -> str:
    """What is wrong with the content of an answer, "" for nothing."""
    start = body[:200].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(_HTML):
        return "an HTML page instead of data"
    if _ERROR_TAG.search(body):
        return _words(body) or "an error without a word"
    if start[:1] == b"{":
        return _json_fault(body)
    return ""


def _json_fault(body: bytes) -> str:
    """The error that a JSON answer reports, "" for none."""
    try:
        data = load_json(body)
    except UnusableError as error:
        return str(error)
    parts = data if isinstance(data, dict) else {}
    result = parts.get("esearchresult")
    said = parts.get("error") or (result.get("ERROR") if isinstance(result, dict) else None)
    return _words(str(said).encode()) if said else ""


def _words(body: bytes) -> str:
    """The words of an answer for a message: those of its ERROR, "" for a page."""
    tag = _ERROR_TAG.search(body)
    text = clean((tag.group(2) if tag else body)[:1000].decode("utf-8", "replace"))
    return "" if text.startswith("<") else text[:200].rstrip(". ")
