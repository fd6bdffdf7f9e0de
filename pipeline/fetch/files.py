"""The source `files`: records from the disk, in any of the formats, known by their content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import ConfigError, InputError, NothingFoundError
from pipeline.fetch import endnote, medline, ris, table
from pipeline.fetch.contents import Contents, by_code
from pipeline.fetch.fields import search_id
from pipeline.fetch.jsonl import parse_json_line, read_json_lines
from pipeline.fetch.merge import Merged, merge
from pipeline.fetch.stream import root_tag
from pipeline.fetch.unzip import GZIP, pieces
from pipeline.fetch.xml import read_entries
from pipeline.schema import Batch, Problem, Record, Search
from pipeline.schema.events import Tell, silent

__all__ = [
    "Contents",
    "batches",
    "fetch",
    "parse_json_line",
    "read_file",
    "read_records",
    "search",
    "search_files",
]

#: The most bytes that a text file may hold, 1 GiB; XML is streamed and may hold more.
LARGEST = 1 << 30
#: Byte order marks -> encoding; Excel's "Unicode text" is UTF-16.
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def search(config: Config, *, today: str, tell: Tell = silent) -> Search:
    """List the records of the files named under `files`, relative to the working folder.

    The query is the files' names and the first digits of their SHA-256.

    Raises
    ------
    ConfigError
        If no file is named.
    InputError
        If a file cannot be read.
    NothingFoundError
        If they hold no record.
    """
    if not config.files:
        raise ConfigError("No file is named under `files`, which `source: files` reads.")
    return search_files(config.files, source="files", date=today, tell=tell)


def fetch(
    search: Search,
    config: Config,
    *,
    skip: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    tell: Tell = silent,
) -> Iterator[Batch]:
    """Yield one batch a file; see `batches`."""
    return batches(search, config.files, skip=skip, progress=progress)


def search_files(
    paths: Collection[Path], *, source: str, date: str, note: str = "", tell: Tell = silent
) -> Search:
    """Return the search that reading these files amounts to.

    `tell` learns what each file holds, and how many records are there twice.
    """
    files = _read_all(paths)
    merged = merge(files)
    _report(files, merged, tell)
    if not merged.record_ids:
        raise NothingFoundError(f"No record in {', '.join(map(str, paths))}.")
    query = _query(files, note)
    name = search_id(source, query, merged.record_ids, date)
    return Search(name, source, query, date, merged.read, merged.record_ids)


def batches(
    search: Search,
    paths: Collection[Path],
    *,
    skip: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    note: str = "",
) -> Iterator[Batch]:
    """Yield each file's bytes with the records that are taken from it.

    Each publication is taken once, see `merge`, with a Problem for each record that is left out; a
    file whose records are all in `skip` is left out.

    Raises
    ------
    InputError
        If the files are not those that were searched.
    """
    files = _read_all(paths)
    if _query(files, note) != search.query:
        raise InputError(f"The files have changed since the search {search.search_id}.")
    merged, done = merge(files), 0
    for file, taken, left_out in zip(files, merged.records, merged.problems, strict=True):
        records = tuple(r for r in taken if r.record_id not in skip)
        problems = (*file.problems, *left_out)
        if records or problems:
            yield Batch(_raw_name(file), file.media_type, file.raw, records, problems)
        done += len(taken)
        if progress:
            progress(done, len(search.record_ids))


def read_records(path: Path) -> tuple[list[Record], list[Problem]]:
    """Read a file of records, plain or gzipped.

    Returns
    -------
    records : list of Record
        In the order of the file.
    problems : list of Problem
        A record or line that could not be read, with path and line.

    Raises
    ------
    InputError
        If the file cannot be read, is empty, is of no known format, or is broken XML.
    """
    file = read_file(path)
    return list(file.records), list(file.problems)


def read_file(path: Path) -> Contents:
    """Read a file by the format its content shows, plain or gzipped; see `read_records`."""
    raw = _bytes(path)
    head = next(pieces(raw, str(path)), b"")
    if not head.strip():
        raise InputError(f"The file {path} is empty.")
    kind, media_type, entries = _xml(raw, head, path) if _is_xml(head) else _text(raw, path)
    records = tuple(e for e in entries if isinstance(e, Record))
    problems = tuple(e for e in entries if isinstance(e, Problem))
    zipped = "application/gzip" if raw[:2] == GZIP else media_type
    return Contents(path.name, kind, zipped, raw, records, problems)


_Read = tuple[str, str, list[Record | Problem]]
_Reader = Callable[[str, str], Iterator[Record | Problem]]
#: The kinds of text: name, media type, how one is known, and what reads it.
_TEXTS: tuple[tuple[str, str, Callable[[str], object], _Reader], ...] = (
    ("JSON Lines", "application/jsonl", lambda t: t.lstrip()[:1] == "{", read_json_lines),
    ("nbib", "text/plain", medline.RECORD_START.search, medline.read_medline),
    ("RIS", "application/x-research-info-systems", ris.RECORD_START.search, ris.read_ris),
)


def _bytes(path: Path) -> bytes:
    """The file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error


def _is_xml(head: bytes) -> bool:
    """Whether a file begins as XML does, in any encoding of Unicode."""
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")[:1] == b"<"


def _xml(raw: bytes, head: bytes, path: Path) -> _Read:
    """An XML file's kind, media type and entries."""
    if root_tag(head, str(path)) == endnote.ROOT:
        return "EndNote XML", "application/xml", list(endnote.read_endnote(raw, str(path)))
    return "PubMed XML", "application/xml", list(read_entries(raw, name=str(path)))


def _text(raw: bytes, path: Path) -> _Read:
    """A text file's kind, media type and entries."""
    text, problems = _decoded(b"".join(pieces(raw, str(path), largest=LARGEST)), path)
    mapping = table.mapping_beside(path)
    if mapping is None:
        for kind, media_type, fits, read in _TEXTS:
            if fits(text):
                return kind, media_type, [*problems, *read(text, str(path))]
    if mapping is not None or table.is_table(text):
        rows = table.read_table(text, str(path), mapping=mapping)
        return "CSV", "text/csv", [*problems, *rows]
    raise InputError(
        f"{path} is neither PubMed or EndNote XML, nor nbib, RIS, JSON Lines, or CSV with a known "
        f"header or a mapping in {path.name}.map.yaml."
    )


def _decoded(data: bytes, path: Path) -> tuple[str, list[Problem]]:
    """The text of bytes in Unicode; of others as Windows writes in the West, with a problem."""
    encoding = next((e for mark, e in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    message = f"{path}, line {line}: not {encoding.upper()}; the file was read as Windows-1252."
    return data.decode("cp1252", errors="replace"), [Problem("encoding", message)]


def _read_all(paths: Collection[Path]) -> list[Contents]:
    """Read files, one that is there twice only once, with a problem that says so."""
    files: dict[bytes, Contents] = {}
    for path in paths:
        file = read_file(path)
        first = files.setdefault(file.raw, file)
        if first is not file:
            message = f"{path} holds the same bytes as {first.name}; they are read once."
            problems = (*first.problems, Problem("repeated_file", message))
            files[file.raw] = replace(first, problems=problems)
    return list(files.values())


def _report(files: Collection[Contents], merged: Merged, tell: Tell) -> None:
    """Tell what each file holds, and how many records are there twice."""
    for file, left_out in zip(files, merged.problems, strict=True):
        problems = by_code((*file.problems, *left_out))
        records = len(file.records)
        tell(
            "file", step="fetch", file=file.name, kind=file.kind, records=records, problems=problems
        )
    tell(
        "duplicates",
        step="fetch",
        records=merged.read,
        removed=dict(merged.removed),
        candidates=merged.candidates,
    )


def _query(files: list[Contents], note: str) -> str:
    """What was searched: each file by name and content."""
    named = (f"{f.name} (SHA-256 {hashlib.sha256(f.raw).hexdigest()[:12]})" for f in files)
    return "; ".join([*([note] if note else []), *named])


def _raw_name(file: Contents) -> str:
    """A name for the raw bytes that is safe as a file's and differs with the content."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", file.name).lstrip(".")
    return f"{hashlib.sha256(file.raw).hexdigest()[:12]}-{safe}"
