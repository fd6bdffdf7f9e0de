"""Finds what the server serves: PubMed XML files by day, or records made up by the thousand."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pipeline.errors import InputError
from pipeline.eutils_server.articles import Deleted, Entry, read_articles

SUFFIXES = (".xml", ".xml.gz")
#: A file that names the files of each day: {"days": [["a.xml"], ["b.xml.gz"]]}.
MANIFEST = "days.json"
_DAY = re.compile(r"day-?(\d+)")
#: The highest PMID of made-up records; PubMed's own stood near 41 million in 2025.
TOP_PMID = 41_000_000
#: The years over which made-up records came into PubMed.
FIRST, LAST = date(1990, 1, 1), date(2025, 12, 31)
#: What made-up records have in common.
_WORDS = {"ti": ("Synthetic trial",), "ab": ("Made up for a test.",), "la": ("eng",)}


@dataclass(frozen=True, slots=True)
class Synthetic:
    """A corpus of made-up records, rows only: their XML is written when it is asked for.

    Each has the title "Synthetic trial <PMID>", the abstract "Record <PMID> was made up for a
    test.", and dates that rise with the PMID from 1990 to 2025. `all[sb]`, `trial[tiab]` and
    "synthetic trial"[ti] find all of them; they are searched by these words, PMID and dates only.

    Parameters
    ----------
    n : int
        How many records.
    spread : {"even", "dense", "clustered"}
        PMIDs at equal distances up to `top`, or 1 to n, or in bunches of some hundred neighbours
        scattered at random up to `top`, as the hits of a real query lie.
    seed : int
        Of the bunches.
    top : int
        The highest PMID.
    """

    n: int
    spread: Literal["even", "dense", "clustered"] = "even"
    seed: int = 0
    top: int = TOP_PMID

    def __post_init__(self) -> None:
        if not 0 < self.n <= self.top // 2:
            raise InputError(f"Invalid n {self.n}; must lie in [1, {self.top // 2}].")

    def pmids(self) -> list[int]:
        """Return the PMIDs in rising order."""
        if self.spread == "dense":
            return list(range(1, self.n + 1))
        if self.spread == "even":
            return [(i + 1) * self.top // self.n for i in range(self.n)]
        return self._clustered()

    def _clustered(self) -> list[int]:
        """Bunches of 50 to 500 neighbours, two of three places taken."""
        pick, found = random.Random(self.seed), set[int]()  # noqa: S311 - a test corpus
        while len(found) < self.n:
            size = min(pick.randint(50, 500), self.n - len(found))
            start = pick.randint(1, max(1, self.top - 2 * size))
            found.update(start + i + i // 2 for i in range(size))
        return sorted(found)

    def entries(self) -> Iterator[Entry]:
        """Yield the rows, without XML."""
        days = (LAST - FIRST).days
        for rank, pmid in enumerate(self.pmids()):
            day = FIRST + timedelta(days=rank * days // self.n)
            number = day.year * 10_000 + day.month * 100 + day.day
            dates = dict.fromkeys(("crdt", "edat", "mhda", "lr", "pdat"), number)
            yield Entry(pmid, dates=dates, words=_WORDS)


def made_up(pmid: int, created: int) -> bytes:
    """Return the XML of a made-up record; the same bytes for the same PMID."""
    year, month, day = created // 10_000, created // 100 % 100, created % 100
    dated = f"<Year>{year}</Year><Month>{month:02}</Month><Day>{day:02}</Day>"
    history = "".join(
        f'<PubMedPubDate PubStatus="{s}">{dated}</PubMedPubDate>'
        for s in ("entrez", "pubmed", "medline")
    )
    return (
        '<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM">'
        f'<PMID Version="1">{pmid}</PMID><DateRevised>{dated}</DateRevised>'
        '<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Print">'
        f"<PubDate>{dated}</PubDate></JournalIssue><Title>Journal of synthetic trials</Title>"
        "<ISOAbbreviation>J Synth Trials</ISOAbbreviation></Journal>"
        f"<ArticleTitle>Synthetic trial {pmid}</ArticleTitle><Abstract><AbstractText>"
        f"Record {pmid} was made up for a test.</AbstractText></Abstract>"
        "<Language>eng</Language></Article></MedlineCitation><PubmedData>"
        f'<History>{history}</History><ArticleIdList><ArticleId IdType="pubmed">{pmid}</ArticleId>'
        "</ArticleIdList></PubmedData></PubmedArticle>"
    ).encode()


#: A PubMed XML file, a folder of them, or made-up records.
Corpus = Path | str | Synthetic


def read_days(corpus: Corpus, later: Sequence[Corpus] = ()) -> list[Iterator[Entry | Deleted]]:
    """Return the entries of each day, the first as day 1.

    A folder may itself hold several days: as folders day1, day2 ..., or by a file days.json that
    names the files of each. Each day adds to the days before: new records, newer versions,
    deletions.

    Parameters
    ----------
    corpus : path or Synthetic
        Day 1, or a folder with all days.
    later : sequence of path or Synthetic
        The days after those of `corpus`.

    Raises
    ------
    InputError
        If a path does not exist, holds no PubMed XML, or the days are not numbered 1, 2 ...
    """
    return [day for part in (corpus, *later) for day in _days(part)]


def _days(corpus: Corpus) -> list[Iterator[Entry | Deleted]]:
    """The days of one corpus."""
    if isinstance(corpus, Synthetic):
        return [corpus.entries()]
    path = Path(corpus)
    if not path.exists():
        raise InputError(f"{path} does not exist; the server needs PubMed XML files.")
    return [_read(files) for files in _files_by_day(path)]


def _read(files: Sequence[Path]) -> Iterator[Entry | Deleted]:
    """The entries of these files, one after the other."""
    return (entry for file in files for entry in read_articles(file))


def _files_by_day(path: Path) -> list[list[Path]]:
    """The files of each day."""
    if path.is_file():
        return [[path]]
    if (path / MANIFEST).is_file():
        return _listed(path / MANIFEST)
    folders = {int(m[1]): f for f in path.iterdir() if (m := _DAY.fullmatch(f.name))}
    if not folders:
        return [_files(path)]
    if sorted(folders) != list(range(1, len(folders) + 1)):
        raise InputError(f"The days in {path} are {sorted(folders)}; they must run from 1 on.")
    return [_files(folders[number]) for number in sorted(folders)]


def _listed(manifest: Path) -> list[list[Path]]:
    """The files that a manifest names; they lie in its folder."""
    try:
        days = json.loads(manifest.read_text(encoding="utf-8"))["days"]
        return [[manifest.parent / name for name in day] for day in days]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f'{manifest} must hold {{"days": [["file.xml"], ...]}}.') from error


def _files(folder: Path) -> list[Path]:
    """The PubMed XML files of a folder, by name."""
    found = sorted(f for f in folder.iterdir() if f.name.endswith(SUFFIXES))
    if not found:
        raise InputError(f"{folder} holds no file that ends in {' or '.join(SUFFIXES)}.")
    return found
