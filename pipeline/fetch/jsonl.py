"""Reads records from JSON Lines: one object a line, as `evipool extract --input` takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pipeline.errors import InputError
from pipeline.fetch.fields import clean, first_year, mesh_heading
from pipeline.schema import Problem, Record, Section

_SURROGATE = re.compile("[\ud800-\udfff]")


def read_json_lines(text: str, name: str) -> Iterator[Record | Problem]:
    """Yield the records of JSON Lines; a Problem with its line for a line that is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _entry(line, f"{name}, line {number}")


def _entry(line: str, place: str) -> Record | Problem:
    """The record of one line, or why there is none."""
    try:
        return parse_json_line(line)
    except InputError as error:
        return Problem("unread_line", f"{place}: {error}")


def parse_json_line(text: str) -> Record:
    """Build a record from a JSON object.

    Parameters
    ----------
    text : str
        An object with ``record_id`` or ``pmid``, ``title`` and ``abstract``, and optionally
        ``doi``, ``pmcid``, ``year``, ``journal``, ``volume``, ``pages``, ``language``, and the
        lists ``authors``, ``mesh`` (as printed: "Pain / drug therapy*"), ``publication_types`` and
        ``registry_ids``; other keys are ignored. `record_id` is "pmid<PMID>" unless given.

    Raises
    ------
    InputError
        Naming the key, its value and the rule.
    """
    data = _object(text)
    pmid = _string(data, "pmid") or None
    if pmid is not None and not pmid.isdecimal():
        raise InputError(f"Invalid pmid {pmid!r}; must be digits.")
    record_id = _string(data, "record_id") or (f"pmid{pmid}" if pmid else "")
    if not record_id:
        raise InputError("The object has neither record_id nor pmid.")
    title, abstract = _string(data, "title"), _string(data, "abstract")
    if not title and not abstract:
        raise InputError(f"The record {record_id} has neither title nor abstract.")
    return Record(
        record_id=record_id,
        title=title,
        sections=(Section(abstract),) if abstract else (),
        pmid=pmid,
        doi=_string(data, "doi") or None,
        pmcid=_string(data, "pmcid") or None,
        year=_year(data),
        journal=_string(data, "journal"),
        volume=_string(data, "volume"),
        pages=_string(data, "pages"),
        language=_string(data, "language"),
        authors=_strings(data, "authors"),
        mesh=tuple(mesh_heading(heading) for heading in _strings(data, "mesh")),
        publication_types=_strings(data, "publication_types"),
        registry_ids=_strings(data, "registry_ids"),
    )


def _object(text: str) -> dict[str, Any]:
    """The JSON object that the line holds."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The line is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise InputError(f"The line must hold a JSON object; it holds {type(data).__name__}.")
    return data


def _string(data: dict[str, Any], key: str) -> str:
    """The text of a key on one line, "" for none; a number is taken as it is written."""
    value = data.get(key)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(f"Invalid {key} {value!r}; must be text.")
    return _checked(key, clean(str(value)))


def _strings(data: dict[str, Any], key: str) -> tuple[str, ...]:
    """The texts of a list, empty ones left out."""
    values = data.get(key)
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise InputError(f"Invalid {key} {values!r}; must be a list of texts.")
    return tuple(_checked(key, text) for v in values if (text := clean(v)))


def _checked(key: str, text: str) -> str:
    """Refuse half a character (a lone surrogate), which no file could hold."""
    if _SURROGATE.search(text):
        raise InputError(f"Invalid {key} {text!r}; it holds half of a character.")
    return text


def _year(data: dict[str, Any]) -> int | None:
    """The year, of a number or of a date that begins with one."""
    text = _string(data, "year")
    year = first_year(text)
    if text and year is None:
        raise InputError(f"Invalid year {text!r}; must hold a year from 1500 to 2099.")
    return year
