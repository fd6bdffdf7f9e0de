"""The source `files`: records from the disk, in any of the formats, known by their content."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import Config
from pipeline.errors import ConfigError, InputError, NothingFoundError
from pipeline.fetch import endnote, medline, ris, table
from pipeline.fetch.fields import search_id
from pipeline.fetch.jsonl import parse_json_line, read_json_lines
from pipeline.fetch.stream import root_tag
from pipeline.fetch.unzip import GZIP, pieces
from pipeline.fetch.xml import read_entries
from pipeline.schema import Batch, Problem, Record, Search

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


@dataclass(frozen=True, slots=True)
class Contents:
    """A file as it lies on the disk, and what it holds."""

    name: str
    kind: str
    media_type: str
    raw: bytes
    records: tuple[Record, ...]
    problems: tuple[Problem, ...]

    @property
    def summary(self) -> str:
        """What was read, what was not and why: "a.ris: RIS, 12 records; 2 unread_record"."""
        codes = sorted(Counter(p.code for p in self.problems).items())
        said = ", ".join(f"{n} {code}" for code, n in codes)
        read = f"{self.name}: {self.kind}, {len(self.records)} records"
        return f"{read}; {said}" if said else read


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
    files = [read_file(path) for path in paths]
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

    Of records with one id in a file the highest version is kept, of several the last, with a
    Problem for each of the others; a file whose records are all in `skip` is left out.

    Raises
    ------
    InputError
        If the files are not those that were searched.
    """
    files = [read_file(path) for path in paths]
    if _query(files, note) != search.query:
        raise InputError(f"The files have changed since the search {search.search_id}.")
    done: set[str] = set()
    for file in files:
        newest = _newest(file)
        records = tuple(r for r in newest.values() if r.record_id not in skip)
        if records or file.problems:
            problems = (*file.problems, *_repeated(file, newest))
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


def _newest(file: Contents) -> dict[str, Record]:
    """The record kept of each id: the highest version, of several the last."""
    newest: dict[str, Record] = {}
    for record in file.records:
        if record.version >= newest.get(record.record_id, record).version:
            newest[record.record_id] = record
    return newest


def _repeated(file: Contents, newest: Mapping[str, Record]) -> Iterator[Problem]:
    """A problem for each record that another of the file replaces."""
    for record in file.records:
        kept = newest[record.record_id]
        if kept is not record:
            which = "the last" if kept.version == record.version else f"version {kept.version}"
            message = f"{file.name}: {record.record_id} stands there again; {which} is kept."
            yield Problem("repeated_record", message, record_id=record.record_id)


def _query(files: list[Contents], note: str) -> str:
    """What was searched: each file by name and content."""
    named = (f"{f.name} (SHA-256 {hashlib.sha256(f.raw).hexdigest()[:12]})" for f in files)
    return "; ".join([*([note] if note else []), *named])


def _raw_name(file: Contents) -> str:
    """A name for the raw bytes that is safe as a file's and differs with the content."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", file.name).lstrip(".")
    return f"{hashlib.sha256(file.raw).hexdigest()[:12]}-{safe}"
