"""What the tests of `pipeline.fetch` share: a configuration, the data folder, no network."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config import Config, load

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a connection fails the test, even to this machine."""

    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("A test of fetch opened a socket.")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def data() -> Path:
    """The folder of this package's own test files."""
    return DATA


@pytest.fixture
def make_config() -> Callable[..., Config]:
    """Returns the shipped configuration with some values changed by dotted path."""

    def make(**flags: Any) -> Config:
        return load(
            ROOT / "config.yaml", flags={k.replace("__", "."): v for k, v in flags.items()}
        ).config

    return make
