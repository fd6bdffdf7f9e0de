"""What the tests of the extractor share: one reader of the shipped protocol, and what it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.config import Config
from pipeline.extract.reader import Reader
from pipeline.schema import MeshHeading, Record, Section, Study

Read = Callable[..., Study]


@pytest.fixture(scope="session")
def reader(config: Config) -> Reader:
    """The extractor as the shipped protocol sets it up."""
    return Reader(config.eligibility, config.outcomes)


@pytest.fixture(scope="session")
def read(config: Config) -> Read:
    """Read an abstract (with its title, types and MeSH headings) into a Study, by rules alone.

    Nothing is left out: what is too often wrong is tested in test_abstain.py.
    """
    return _read_by(Reader(config.eligibility, config.outcomes, abstains=False))


@pytest.fixture(scope="session")
def read_surely(reader: Reader) -> Read:
    """Read an abstract as `evipool extract` does, without what is too often wrong."""
    return _read_by(reader)


def _read_by(reader: Reader) -> Read:
    """A function that reads an abstract with a reader."""

    def read(abstract: str, title: str = "", *, mesh: tuple[str, ...] = (), **more: Any) -> Study:
        headings = tuple(MeshHeading(name) for name in mesh)
        return reader.read(Record("test", title, (Section(abstract),), mesh=headings, **more))

    return read
