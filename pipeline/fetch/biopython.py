"""Sends one POST through Bio.Entrez, for those who must use Biopython's client.

Its limits, against `pipeline.fetch.wire`: no time-out of its own (a server that falls silent
holds the run until the connection breaks), a new connection for each request, answers that are
never zipped, and a redirect is followed before it can be refused, though without the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError

from Bio import Entrez

from pipeline.fetch.answers import Answer
from pipeline.fetch.wire import CHUNK, DRIP, LARGEST, Bounds, NoAnswerError, read_body


@dataclass(frozen=True)
class Biopython:
    """Sends through Bio.Entrez; `timeout_s` only bounds an answer that comes drop by drop."""

    timeout_s: float = 60.0
    size: int = LARGEST

    def __call__(self, url: str, form: Mapping[str, str]) -> Answer:
        """POST a form and return the answer.

        Raises
        ------
        NoAnswerError
            If none comes, or it is cut off, too large, too slow, or from another address.
        """
        try:
            return self._exchange(url, form)
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswerError(f"no complete answer ({type(error).__name__})") from None

    def _exchange(self, url: str, form: Mapping[str, str]) -> Answer:
        """Send once; the errors are those of urllib."""
        Entrez.max_tries = 1  # its second try of a 429 or 500 comes without a pause
        with _opened(url, form) as handle:
            if handle.url != url:
                return Answer(302, {}, b"")
            answer = getattr(handle, "buffer", handle)  # a text/plain answer comes as text
            bounds = Bounds(DRIP * self.timeout_s, self.size)
            body = read_body(lambda: answer.read1(CHUNK), answer.headers, bounds)
            return Answer(answer.status, answer.headers, body)


def _opened(url: str, form: Mapping[str, str]) -> Any:
    """The answer to a request; one with an error status is an answer too.

    Bio.Entrez's public functions know only NCBI's address and put a short form, with the key,
    into the URL; the two they are made of do not.
    """
    request = Entrez._build_request(url, dict(form), post=True)
    try:
        return Entrez._open(request)
    except HTTPError as error:
        return error
