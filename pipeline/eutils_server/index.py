"""Keeps the corpus in SQLite and finds records in it, as it stood on a given day."""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.errors import InputError
from pipeline.eutils_server.articles import Deleted, Entry
from pipeline.eutils_server.corpus import Corpus, made_up, read_days
from pipeline.eutils_server.query import QueryError

DATES = ("crdt", "edat", "mhda", "lr", "pdat")
COLUMNS = ("ti", "ab", "mh", "pt", "au", "ta", "la", "ot")
#: Stand before and after each value of a column, so that a phrase can ask for a whole value.
BEGIN, END = "xxbegin", "xxend"
#: The last day of what has not been replaced yet.
_STILL = 1_000_000
_SCHEMA = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE record (
    id INTEGER PRIMARY KEY, pmid INTEGER NOT NULL, version INTEGER NOT NULL,
    first INTEGER NOT NULL, last INTEGER NOT NULL, book INTEGER, abstract INTEGER,
    {", ".join(f"{name} INTEGER" for name in DATES)}, xml BLOB
);
CREATE INDEX record_pmid ON record (pmid);
CREATE TABLE cites (id INTEGER NOT NULL, pmid INTEGER NOT NULL);
CREATE INDEX cites_id ON cites (id);
CREATE INDEX cites_pmid ON cites (pmid);
CREATE VIRTUAL TABLE words USING fts5 (
    {", ".join(COLUMNS)}, content = '', tokenize = 'unicode61 remove_diacritics 2'
);
"""
_INSERT = f"INSERT INTO record VALUES ({', '.join('?' * (7 + len(DATES) + 1))})"  # noqa: S608
_INSERT_WORDS = f"INSERT INTO words (rowid, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on `record` in SQL, its values, and the operator between its parts."""

    sql: str
    values: tuple[str | int, ...] = ()
    joint: str = ""


class Index:
    """A corpus ready to be searched; threads may share it.

    Parameters
    ----------
    days : sequence of iterables
        The entries of each day; see `corpus.read_days`.
    """

    def __init__(self, days: Sequence[Iterable[Entry | Deleted]]) -> None:
        self._lock = threading.Lock()
        # An address of "" is a temporary file, which goes with the connection.
        self._database = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._known: dict[tuple[Condition, int], bool] = {}
        self._next, self.days = 1, len(days)
        for number, entries in enumerate(days, start=1):
            self._add(number, entries)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._database.close()

    def find(self, condition: Condition, day: int) -> list[int]:
        """Return the PMIDs that fulfil a condition on a day, the highest first.

        Raises
        ------
        QueryError
            If the condition is nested more deeply than SQLite reads.
        """
        sql = f"SELECT pmid FROM record WHERE ({condition.sql}) AND first <= ? AND last >= ?"  # noqa: S608
        rows = self._rows(sql + " ORDER BY pmid DESC", (*condition.values, day, day))
        return [row[0] for row in rows]

    def any(self, condition: Condition, day: int) -> bool:
        """Whether a record fulfils a condition on a day; each is looked up once."""
        asked = (condition, day)
        if asked not in self._known:
            sql = f"SELECT 1 FROM record WHERE ({condition.sql}) AND first <= ? AND last >= ?"  # noqa: S608
            self._known[asked] = bool(self._rows(f"{sql} LIMIT 1", (*condition.values, day, day)))
        return self._known[asked]

    def xml(self, pmids: Sequence[int], day: int) -> dict[int, bytes]:
        """Return the XML of those of these records that stand in PubMed on a day."""
        found = {}
        for part in _parts(pmids):
            marks = ", ".join("?" * len(part))
            sql = f"SELECT pmid, xml, crdt FROM record WHERE pmid IN ({marks})"  # noqa: S608
            for pmid, xml, created in self._rows(
                f"{sql} AND first <= ? AND last >= ?", (*part, day, day)
            ):
                found[pmid] = zlib.decompress(xml) if xml else made_up(pmid, created)
        return found

    def references(self, pmid: int, day: int) -> list[int]:
        """Return the PMIDs that a record refers to."""
        sql = "SELECT DISTINCT c.pmid FROM cites c JOIN record r ON r.id = c.id WHERE r.pmid = ?"
        return self._links(sql, pmid, day)

    def cited_in(self, pmid: int, day: int) -> list[int]:
        """Return the PMIDs of the records that refer to this one."""
        sql = "SELECT DISTINCT r.pmid FROM cites c JOIN record r ON r.id = c.id WHERE c.pmid = ?"
        return self._links(sql, pmid, day)

    def _links(self, sql: str, pmid: int, day: int) -> list[int]:
        """The PMIDs that a question about links finds, the highest first."""
        rows = self._rows(
            sql + " AND r.first <= ? AND r.last >= ? ORDER BY 1 DESC", (pmid, day, day)
        )
        return [row[0] for row in rows]

    def _rows(self, sql: str, values: Sequence[str | int]) -> list[tuple[int, bytes | None, int]]:
        """The rows that a question finds."""
        try:
            with self._lock:
                return self._database.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            raise QueryError(f"it is too much for this server ({error})") from error

    def _add(self, day: int, entries: Iterable[Entry | Deleted]) -> None:
        """Put a day's entries beside those of the days before."""
        cursor = self._database.cursor()
        cursor.execute("BEGIN")
        for entry in entries:
            if isinstance(entry, Entry):
                self._put(cursor, entry, day)
            else:
                _end(cursor, entry.pmid, day)
        cursor.execute("COMMIT")

    def _put(self, cursor: sqlite3.Cursor, entry: Entry, day: int) -> None:
        """Add a record; it takes the place of its older version, and gives way to a newer one."""
        held = cursor.execute(
            "SELECT max(version) FROM record WHERE pmid = ? AND last = ?", (entry.pmid, _STILL)
        ).fetchone()[0]
        if held is not None and held > entry.version:
            return
        if held is not None:
            _end(cursor, entry.pmid, day)
        cursor.execute(_INSERT, _row(self._next, entry, day))
        cursor.execute(_INSERT_WORDS, (self._next, *(_values(entry, c) for c in COLUMNS)))
        cursor.executemany(
            "INSERT INTO cites VALUES (?, ?)", ((self._next, p) for p in entry.cites)
        )
        self._next += 1


def load(corpus: Corpus, later: Sequence[Corpus] = ()) -> Index:
    """Return the index of a corpus; see `corpus.read_days`.

    Raises
    ------
    InputError
        If a file cannot be read, or there is no record.
    """
    index = Index(read_days(corpus, later))
    if not index.any(Condition("1"), index.days):
        raise InputError(f"{corpus} holds no PubMed record.")
    return index


def _row(number: int, entry: Entry, day: int) -> tuple[object, ...]:
    """A row of `record`."""
    xml = zlib.compress(entry.xml, 1) if entry.xml is not None else None
    dates = (entry.dates.get(name) for name in DATES)
    has_abstract = bool(entry.words.get("ab"))
    return (number, entry.pmid, entry.version, day, _STILL, entry.book, has_abstract, *dates, xml)


def _values(entry: Entry, column: str) -> str:
    """The values of a column as one text, each between its marks."""
    return " ".join(f"{BEGIN} {value} {END}" for value in entry.words.get(column, ()))


def _end(cursor: sqlite3.Cursor, pmid: int, day: int) -> None:
    """A record is replaced or deleted on a day: it was last there the day before."""
    cursor.execute(
        "UPDATE record SET last = ? WHERE pmid = ? AND last = ?", (day - 1, pmid, _STILL)
    )


def _parts(pmids: Sequence[int], size: int = 500) -> Iterator[Sequence[int]]:
    """Parts of a list that one SQL statement takes."""
    return (pmids[start : start + size] for start in range(0, len(pmids), size))
