"""What the tests of the server share: a small corpus of three days, and a way to ask it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from pipeline.eutils_server import Server, load, serving
from pipeline.eutils_server.index import Index

DAYS = Path(__file__).parent / "data" / "days"

Ask = Callable[..., requests.Response]


@pytest.fixture(scope="session")
def days() -> Path:
    """The folder of the small corpus; its records are invented."""
    return DAYS


@pytest.fixture(scope="session")
def index() -> Iterator[Index]:
    """The small corpus."""
    index = load(DAYS)
    yield index
    index.close()


@pytest.fixture
def server(index: Index) -> Iterator[Server]:
    """A server of the small corpus on its first day, without a rate limit."""
    with serving(index, rate_limit=False) as server:
        yield server


@pytest.fixture
def ask(server: Server) -> Ask:
    """Sends a POST: `ask("esearch", term="pain")`."""

    def ask(utility: str, **params: Any) -> requests.Response:
        form = {"db": "pubmed", **params}
        address = f"{server.base_url}{utility}.fcgi"
        return requests.post(address, data=form, timeout=10, allow_redirects=False)

    return ask


@pytest.fixture
def search(ask: Ask) -> Callable[..., dict[str, Any]]:
    """Asks ESearch for JSON and returns its `esearchresult`."""

    def search(term: str, **params: Any) -> dict[str, Any]:
        answer = ask("esearch", term=term, retmode="json", **params)
        return dict(json.loads(answer.content, strict=False)["esearchresult"])

    return search
