"""The source `files`: PubMed XML, nbib and JSON Lines from the disk, known by their content."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import ConfigError, InputError, NothingFoundError
from pipeline.fetch import medline
from pipeline.fetch.fields import search_id
from pipeline.fetch.jsonl import parse_json_line, read_json_lines
from pipeline.fetch.xml import GZIP, read_entries
from pipeline.schema import Batch, Problem, Record, Search

__all__ = ["batches", "fetch", "parse_json_line", "read_records", "search", "search_files"]

#: How much of a file is looked at to know its kind.
HEAD = 64_000
#: The most that a text file may unzip to; PubMed XML is streamed and has no such limit.
LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it lies on the disk, and what it holds."""

    name: str
    media_type: str
    raw: bytes
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]


def search(config: Config, *, today: str) -> Search:
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
    return search_files(config.files, source="files", date=today)


def fetch(
    search: Search,
    config: Config,
    *,
    skip: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Batch]:
    """Yield one batch a file; see `batches`."""
    return batches(search, config.files, skip=skip, progress=progress)


def search_files(paths: Collection[Path], *, source: str, date: str, note: str = "") -> Search:
    """Return the search that reading these files amounts to."""
    files = [_read(path) for path in paths]
    ids = tuple(dict.fromkeys(r.record_id for file in files for r in file.records))
    if not ids:
        raise NothingFoundError(f"No record in {', '.join(map(str, paths))}.")
    query = _query(files, note)
    name = search_id(source, query, ids, date)
    return Search(name, source, query, date, len(ids), ids)


def batches(
    search: Search,
    paths: Collection[Path],
    *,
    skip: Collection[str] = (),
    progress: Callable[[int, int], None] | None = None,
    note: str = "",
) -> Iterator[Batch]:
    """Yield each file's bytes with the records read from it.

    Of records with one id in a file the last is kept, with a Problem; a file whose records are
    all in `skip` is left out.

    Raises
    ------
    InputError
        If the files are not those that were searched.
    """
    files = [_read(path) for path in paths]
    if _query(files, note) != search.query:
        raise InputError(f"The files have changed since the search {search.search_id}.")
    done: set[str] = set()
    for file in files:
        newest = {r.record_id: r for r in file.records}
        records = tuple(r for r in newest.values() if r.record_id not in skip)
        if records or file.problems:
            problems = (*file.problems, *_repeated(file))
            yield Batch(_raw_name(file), file.media_type, file.raw, records, problems)
        done |= newest.keys()
        if progress:
            progress(len(done), search.count)


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
    file = _read(path)
    return list(file.records), list(file.problems)


def _read(path: Path) -> _File:
    """Read a file by the format its content shows."""
    raw = _bytes(path)
    head = _unzipped(raw, path, HEAD)
    if not head.strip():
        raise InputError(f"The file {path} is empty.")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        kind, entries = "application/xml", list(read_entries(raw, name=str(path)))
    else:
        kind, entries = _text_entries(raw, path)
    records = tuple(e for e in entries if isinstance(e, Record))
    problems = tuple(e for e in entries if isinstance(e, Problem))
    return _File(path.name, "application/gzip" if raw[:2] == GZIP else kind, raw, records, problems)


def _bytes(path: Path) -> bytes:
    """The file's bytes."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.") from error


def _unzipped(raw: bytes, path: Path, limit: int) -> bytes:
    """The first `limit` bytes of the content, through gzip where the first bytes say so."""
    if raw[:2] != GZIP:
        return raw[:limit]
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(raw)).read(limit)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be unzipped: {error}.") from error


def _text_entries(raw: bytes, path: Path) -> tuple[str, list[Record | Problem]]:
    """The media type and entries of a text file."""
    data = _unzipped(raw, path, LARGEST + 1)
    if len(data) > LARGEST:
        raise InputError(f"{path} unzips to more than {LARGEST} bytes.")
    text, problems = _decoded(data, path)
    if text.lstrip()[:1] == "{":
        return "application/jsonl", [*problems, *read_json_lines(text, str(path))]
    if medline.RECORD_START.search(text):
        return "text/plain", [*problems, *medline.read_medline(text, str(path))]
    raise InputError(f"{path} is neither PubMed XML, nor nbib, nor JSON Lines.")


def _decoded(data: bytes, path: Path) -> tuple[str, list[Problem]]:
    """The text of UTF-8 bytes; of others as Latin-1, with a problem."""
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"{path}, line {line}: not UTF-8; the file was read as Latin-1."
        return data.decode("latin-1"), [Problem("encoding", message)]


def _repeated(file: _File) -> Iterator[Problem]:
    """A problem for each record that a later one of the file replaces."""
    last = {r.record_id: i for i, r in enumerate(file.records)}
    for i, record in enumerate(file.records):
        if last[record.record_id] != i:
            message = f"{file.name}: {record.record_id} stands there again; the last is kept."
            yield Problem("repeated_record", message)


def _query(files: list[_File], note: str) -> str:
    """What was searched: each file by name and content."""
    named = (f"{f.name} (SHA-256 {hashlib.sha256(f.raw).hexdigest()[:12]})" for f in files)
    return "; ".join([*([note] if note else []), *named])


def _raw_name(file: _File) -> str:
    """A name for the raw bytes that is safe as a file's and differs with the content."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", file.name).lstrip(".")
    return f"{hashlib.sha256(file.raw).hexdigest()[:12]}-{safe}"
