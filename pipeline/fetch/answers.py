"""Judges what came back from the E-utilities: good, worth asking again, or refused."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pipeline.fetch.fields import clean

#: What EFetch says of ids of which it has none: with HTTP 400, and inside an answer.
NO_IDS = (b"ID list is empty", b"<CannotRetrievePMID>")
#: A server that asks for a longer pause than this is left for another run.
PATIENCE_S = 300.0
#: Statuses below 500 that pass: too slow, too early, too many requests.
PASSING = frozenset({408, 425, 429})
#: The address has changed for good; other redirects come from gateways in trouble.
MOVED = frozenset({301, 308})

#: What NCBI says of a fault that passes, even with HTTP 400.
_PASSES = (
    "viewer error",
    "search backend failed",
    "timeout",
    "timed out",
    "rate limit",
    "try again",
    "unavailable",
)
#: What NCBI says of a request that will fail again, even with HTTP 200.
_STAYS = (
    "api key invalid",
    "api key not wiped",
    "unable to obtain query",  # the history server has dropped the WebEnv
    "out of acceptable range",  # beyond the first 9,999
    "too many uids",
    "invalid db name",
    "syntax error",  # of the query
    "unbalanced",
    "query cannot be read",
)
_ERROR_TAG = re.compile(rb"<(ERROR|error)>(.*?)</\1>", re.DOTALL)
_HTML = (b"<!doctype html", b"<html")


class UnusableError(Exception):
    """An answer that came whole but is of no use; it is worth asking again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server sent: HTTP status, headers and the whole body, unzipped."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed, the pause the server asked for, and whether asking again is vain."""

    reason: str
    pause_s: float | None = None
    final: bool = False


def judge(answer: Answer) -> Failure | None:
    """Say what is wrong with an answer, by its status and by what it says; None for nothing."""
    pause = _asked_pause(answer.headers)
    if answer.status < 300:
        fault = _fault(answer.body)  # NCBI also sends errors with HTTP 200
        return Failure(fault, pause, final=_holds(fault, _STAYS)) if fault else None
    if answer.status < 400:
        reason = f"HTTP {answer.status}: redirects are not followed"
        return Failure(reason, pause, final=answer.status in MOVED)
    if answer.status == 400 and _knows_none(answer.body):
        return None
    said = f"HTTP {answer.status} {_said(answer.body) or _words(answer.body)}".rstrip()
    passes = answer.status in PASSING or answer.status >= 500 or _holds(said, _PASSES)
    return Failure(said, pause, not passes or _holds(said, _STAYS) or (pause or 0) > PATIENCE_S)


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


def _knows_none(body: bytes) -> bool:
    """Whether EFetch says that it has none of the ids."""
    return any(said in body for said in NO_IDS)


def _holds(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether one of these phrases stands in a text."""
    return any(phrase in text.lower() for phrase in phrases)


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
    return _said(body)


def _said(body: bytes) -> str:
    """The error that an answer reports in XML or JSON, "" for none."""
    if _ERROR_TAG.search(body):
        return _words(body) or "an error without a word"
    return _json_error(body) if body[:200].lstrip()[:1] == b"{" else ""


def _json_error(body: bytes) -> str:
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
