"""Reads records from JSON Lines: one object a line, as `evipool extract --input` takes them."""

from __future__ import annotations

import hashlib
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
        An object with ``title`` and ``abstract`` (or ``text``), and optionally ``record_id``,
        ``pmid``, ``doi``, ``pmcid``, ``year``, ``journal``, ``volume``, ``pages``, ``language``,
        and the lists ``authors``, ``mesh`` (as printed: "Pain / drug therapy*"),
        ``publication_types`` and ``registry_ids``; other keys are ignored. The abstract is kept
        as it stands, line breaks included, so that quotes are found in the input again. Without
        `record_id` a record is called by its PMID ("pmid123"), its PMCID, its ``id`` (behind its
        ``id_type``), or for want of all by the first digits of the SHA-256 of its text.

    Raises
    ------
    InputError
        Naming the key, its value and the rule.
    """
    data = _object(text)
    pmid = _string(data, "pmid") or None
    if pmid is not None and not pmid.isdecimal():
        raise InputError(f"Invalid pmid {pmid!r}; must be digits.")
    title, abstract = _string(data, "title"), _text(data, "abstract") or _text(data, "text")
    named = _string(data, "record_id") or (f"pmid{pmid}" if pmid else _other_id(data))
    if not (named or title or abstract):
        raise InputError("The object has no id, no title and no abstract.")
    return Record(
        record_id=named or _digest(title, abstract),
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


def _other_id(data: dict[str, Any]) -> str:
    """The name of a record that has no PMID: its PMCID, or its id in another list."""
    listed = _string(data, "id")
    kind = _string(data, "id_type")
    return _string(data, "pmcid") or (f"{'' if kind == 'none' else kind}{listed}" if listed else "")


def _digest(title: str, abstract: str) -> str:
    """The name of a record without any id: the same text, the same name."""
    return "sha" + hashlib.sha256(f"{title}\n{abstract}".encode()).hexdigest()[:12]


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


def _text(data: dict[str, Any], key: str) -> str:
    """The text of a key as it stands, "" for none."""
    value = data.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"Invalid {key} {value!r}; must be text.")
    return _checked(key, value.strip())


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
