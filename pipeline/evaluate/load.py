"""Reads published or gold records from the text of a JSON Lines file."""

from __future__ import annotations

import json
from typing import Any

from pipeline.errors import InputError
from pipeline.evaluate.values import Json, plain

#: The parts of a record that are lists of objects.
LISTS = ("arms", "doses", "outcomes")


def parse(text: str, name: str) -> dict[str, Json]:
    """Return the records of a JSON Lines text by their ids.

    Parameters
    ----------
    text : str
    name : str
        What a message calls the text: the file's name.

    Raises
    ------
    InputError
        Naming the line that is no record, or whose id an earlier line has.
    """
    records: dict[str, Json] = {}
    for n, line in enumerate(text.split("\n"), 1):
        if line.strip():
            record = _record(line, f"{name}, line {n}")
            record_id = identity(record)
            if not record_id:
                raise InputError(f"{name}, line {n}: the record has no record_id and no pmid.")
            if record_id in records:
                raise InputError(f"{name}, line {n}: record {record_id!r} stands twice.")
            records[record_id] = record
    return records


def identity(record: Json) -> str:
    """Return a record's id, "pmid123" where it has only a PMID, "" for none."""
    pmid = plain(record.get("pmid"))
    return str(plain(record.get("record_id")) or (f"pmid{pmid}" if pmid else ""))


def _record(line: str, place: str) -> dict[str, Any]:
    """The record of one line."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: the line is not JSON: {error}.") from error
    if not isinstance(record, dict):
        raise InputError(f"{place}: the line must hold an object, not {type(record).__name__}.")
    for key in LISTS:
        parts = record.get(key) or []
        if not isinstance(parts, list) or not all(isinstance(p, dict) for p in parts):
            raise InputError(f"{place}: Invalid {key}; must be a list of objects.")
    return record
