"""The commands of this folder as modules."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def compare() -> Iterator[ModuleType]:
    """The command that compares."""
    yield from _loaded("compare")


@pytest.fixture(scope="module")
def anchors() -> Iterator[ModuleType]:
    """The command that reproduces published IVIg results."""
    yield from _loaded("anchors")


def _loaded(name: str) -> Iterator[ModuleType]:
    """A module that lies beside this file, as the command sees it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parent))
        yield importlib.import_module(name)
