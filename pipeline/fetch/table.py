"""Reads references from a table in CSV: with the header's known names, or a mapping beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from pipeline.errors import InputError
from pipeline.fetch.reference import FIELDS, reference
from pipeline.schema import Problem, Record

#: A header of PubMed, Scopus, Web of Science, Embase, Covidence or Rayyan -> the field it holds.
HEADERS: Mapping[str, str] = {
    **{field: field for field in FIELDS},
    "abstract note": "abstract",
    "article title": "title",
    "author": "authors",
    "author keywords": "keywords",
    "document title": "title",
    "document type": "publication_types",
    "issue number": "issue",
    "journal title": "journal",
    "journal/book": "journal",
    "keyword": "keywords",
    "primary title": "title",
    "publication title": "journal",
    "publication type": "publication_types",
    "publication year": "year",
    "published year": "year",
    "pubmed id": "pmid",
    "pubmed_id": "pmid",
    "source title": "journal",
}
#: Fields of which one cell may hold several, with semicolons between.
_LISTS = frozenset({"authors", "keywords", "publication_types", "registry_ids"})
_SHORT_NAME = re.compile(r"\S.* [A-Z][A-Z-]{0,3}\.?")


def mapping_beside(path: Path) -> dict[str, str] | None:
    """Return the mapping of ``<name>.map.yaml`` beside a table, None where there is none.

    It names a column for each field, as in ``title: Article Title``; see `reference.FIELDS`.

    Raises
    ------
    InputError
        If it is not such a mapping.
    """
    beside = path.with_name(path.name + ".map.yaml")
    if not beside.is_file():
        return None
    try:
        data = yaml.safe_load(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{beside} is not YAML: {type(error).__name__}.") from error
    if not isinstance(data, dict) or not all(isinstance(v, str) for v in data.values()):
        raise InputError(f"{beside} must name a column for each field (title: Article Title).")
    if unknown := [str(field) for field in data if field not in FIELDS]:
        raise InputError(f"{beside}: no field {unknown[0]!r}; must be one of {', '.join(FIELDS)}.")
    return data


def header(text: str) -> tuple[str, list[str]]:
    """Return the separator (comma, semicolon or tab) and the column names of a table."""
    line = next(iter(text.splitlines()), "")
    rows = ((mark, next(csv.reader([line], delimiter=mark), [])) for mark in ",;\t")
    return max(rows, key=lambda row: len(row[1]))


def is_table(text: str) -> bool:
    """Whether a text begins with a header that names a title and another known field."""
    known = {HEADERS.get(column.strip().lower()) for column in header(text)[1]}
    return "title" in known and len(known - {None}) > 1


def read_table(
    text: str, name: str, *, mapping: Mapping[str, str] | None = None
) -> Iterator[Record | Problem]:
    """Yield the references of a table; a Problem with its line for a row that is none.

    Parameters
    ----------
    text : str
        A header, then a row for each reference; commas, semicolons or tabs between cells.
    name : str
        The file's path, for messages.
    mapping : mapping, optional
        Field -> column; the known headers (`HEADERS`) if not given.

    Raises
    ------
    InputError
        If a column of the mapping is not in the header.
    """
    mark, columns = header(text)
    places = _places(columns, mapping, name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    next(reader, None)
    for row in _rows(reader, name):
        if isinstance(row, Problem):
            yield row
        elif any(cell.strip() for cell in row):
            yield from _row(row, columns, places, f"{name}, line {reader.line_num}")


def _rows(reader: Iterator[list[str]], name: str) -> Iterator[list[str] | Problem]:
    """The rows; the csv module's complaint as a problem."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem("unread_line", f"{name}: a row is not CSV: {error}.")


def _row(
    row: list[str], columns: list[str], places: Mapping[str, int], place: str
) -> Iterator[Record | Problem]:
    """The reference of one row."""
    if len(row) != len(columns):
        message = f"{place}: {len(row)} cells under {len(columns)} columns; the row was not read."
        yield Problem("unread_line", message)
        return
    values = {field: _cell(field, row[index]) for field, index in places.items()}
    yield from reference("csv", values, place)


def _places(columns: list[str], mapping: Mapping[str, str] | None, name: str) -> dict[str, int]:
    """The column of each field, by its position."""
    names = [column.strip() for column in columns]
    if mapping is None:
        known = [(HEADERS.get(column.lower(), ""), i) for i, column in enumerate(names)]
        return {field: i for field, i in reversed(known) if field}
    if absent := [column for column in mapping.values() if column not in names]:
        raise InputError(f"{name} has no column {absent[0]!r}; its header is {', '.join(names)}.")
    return {field: names.index(column) for field, column in mapping.items()}


def _cell(field: str, cell: str) -> Iterable[str]:
    """The texts of a cell."""
    if field not in _LISTS:
        return [cell]
    if ";" in cell or field != "authors":
        return cell.split(";")
    names = cell.rstrip(". ").split(",")  # PubMed's: "Smith JA, Doe B."
    return names if all(_SHORT_NAME.fullmatch(name.strip()) for name in names) else [cell]
