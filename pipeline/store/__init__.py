"""Keeps what was fetched, read and decided in a database beside the raw answers; appends only."""

from __future__ import annotations

from pipeline.store.store import Store
from pipeline.store.work import Run

__all__ = ["Run", "Store"]
