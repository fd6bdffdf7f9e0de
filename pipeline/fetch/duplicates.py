"""Finds records that are one publication, and pairs that only a person can judge."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from rapidfuzz import fuzz, process

from pipeline.schema import Record

#: Percent of agreement from which two titles are shown to a person, and two surnames may be one.
ALIKE = 88.0
SAME_NAME = 80.0
#: How many titles are compared with a year's at once: it bounds the memory of the comparison.
ROWS = 500
_NOT_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one publication in the order given, and the identifiers they share."""

    record_ids: tuple[str, ...]
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Two records that may be one publication; `score` is the agreement of titles in percent."""

    first: str
    second: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What `duplicates` found: `exact` may be merged, `candidates` never without a person."""

    exact: tuple[Group, ...]
    candidates: tuple[Candidate, ...]


def duplicates(records: Iterable[Record]) -> Duplicates:
    """Find duplicates by PMID, then by DOI, and candidates by title, year and first author.

    Nothing is merged on a title, and two titles are compared only if a record of the two has no
    PMID. Records with one DOI and different PMIDs are candidates, since PubMed holds them for
    different publications. Of records with one id the last counts.

    Parameters
    ----------
    records : iterable of Record
        In any order; the first of a group leads it.

    Returns
    -------
    Duplicates
        Groups in the order of their first record, candidates by falling score.
    """
    unique = list({record.record_id: record for record in records}.values())
    groups = {record.record_id: [record] for record in unique}
    shared: dict[str, list[str]] = defaultdict(list)
    disputed = []
    for name, same in (*_same("PMID", unique, _pmid), *_same("DOI", unique, _doi)):
        if len({r.pmid for r in same if r.pmid}) > 1:
            disputed.append((f"one {name}, two PMIDs", same))
        else:
            _join(groups, same)
            shared[same[0].record_id].append(name)
    order = {record.record_id: i for i, record in enumerate(unique)}
    distinct = list({id(group): group for group in groups.values()}.values())
    for group in distinct:
        group.sort(key=lambda record: order[record.record_id])
    exact = tuple(_group(group, shared) for group in distinct if len(group) > 1)
    pairs = (*_alike([group[0] for group in distinct]), *_between_groups(disputed, groups))
    found = {(c.first, c.second): c for c in pairs}
    return Duplicates(
        exact, tuple(sorted(found.values(), key=lambda c: (-c.score, c.first, c.second)))
    )


def _join(groups: dict[str, list[Record]], same: Sequence[Record]) -> None:
    """Make the groups of these records one."""
    first = groups[same[0].record_id]
    for record in same[1:]:
        other = groups[record.record_id]
        if other is not first:
            first += other
            groups.update((r.record_id, first) for r in other)


def _group(records: Sequence[Record], shared: dict[str, list[str]]) -> Group:
    """The group of these records."""
    ids = tuple(r.record_id for r in records)
    return Group(ids, tuple(name for i in ids for name in shared[i]))


def _between_groups(
    disputed: Iterable[tuple[str, list[Record]]], groups: dict[str, list[Record]]
) -> Iterator[Candidate]:
    """The pairs of groups' first records among records of which it is not certain."""
    for reason, same in disputed:
        leaders = {id(group): group[0] for r in same for group in [groups[r.record_id]]}
        for a, b in combinations(leaders.values(), 2):
            yield _pair(a, b, reason)


def _pmid(record: Record) -> str:
    """The PMID, "" for none."""
    return record.pmid or ""


def _doi(record: Record) -> str:
    """The DOI, which knows no case."""
    return (record.doi or "").lower()


def _same(
    label: str, records: Sequence[Record], key: Callable[[Record], str]
) -> Iterator[tuple[str, list[Record]]]:
    """The identifiers that several records have, each with its records."""
    holders: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if value := key(record):
            holders[value].append(record)
    return ((f"{label} {value}", same) for value, same in holders.items() if len(same) > 1)


def _alike(records: Sequence[Record]) -> Iterator[Candidate]:
    """The pairs with alike titles, years at most one apart and first authors that may be one.

    A year or author that is not given excludes nothing; two PMIDs do, since PubMed holds them for
    different publications.
    """
    titled = [r for r in records if normal_title(r.title)]
    foreign = _by_year(r for r in titled if not r.pmid)
    indexed = _by_year(r for r in titled if r.pmid)
    for year, block in foreign.items():
        yield from (pair for i, j, pair in _pairs(block, block) if i < j)
        later = () if year is None else (year + 1, None)
        yield from _between(block, [r for y in later for r in foreign.get(y, [])])
        near = indexed if year is None else (year - 1, year, year + 1, None)
        yield from _between(block, [r for y in near for r in indexed.get(y, [])])


def _by_year(records: Iterable[Record]) -> dict[int | None, list[Record]]:
    """The records of each year."""
    years: dict[int | None, list[Record]] = defaultdict(list)
    for record in records:
        years[record.year].append(record)
    return years


def _between(records: Sequence[Record], others: Sequence[Record]) -> Iterator[Candidate]:
    """The alike pairs of two lists."""
    return (pair for _, _, pair in _pairs(records, others))


def _pairs(
    records: Sequence[Record], others: Sequence[Record]
) -> Iterator[tuple[int, int, Candidate]]:
    """The alike pairs with the positions of both, some hundred titles at a time."""
    titles, other_titles = ([normal_title(r.title) for r in rs] for rs in (records, others))
    for start in range(0, len(titles) if others else 0, ROWS):
        rows = titles[start : start + ROWS]
        scores = process.cdist(rows, other_titles, scorer=fuzz.ratio, score_cutoff=ALIKE)
        for i, j in np.argwhere(scores >= ALIKE).tolist():
            a, b = records[start + i], others[j]
            if _may_be_one(a, b):
                yield start + i, j, _pair(a, b, "alike titles, years and first authors")


def _may_be_one(a: Record, b: Record) -> bool:
    """Whether two records' first authors may be one person, as far as both are given."""
    first, second = (normal_title(_surname(r)) for r in (a, b))
    return not (first and second) or fuzz.ratio(first, second) >= SAME_NAME


def _surname(record: Record) -> str:
    """The first author's surname, "" for none."""
    return record.authors[0].split(",")[0] if record.authors else ""


def _pair(a: Record, b: Record, reason: str) -> Candidate:
    """A pair for a person, the lesser id first."""
    first, second = sorted((a.record_id, b.record_id))
    score = fuzz.ratio(normal_title(a.title), normal_title(b.title))
    return Candidate(first, second, round(score, 1), reason)


def normal_title(title: str) -> str:
    """Return a title in small letters and digits alone, without accents and markup."""
    plain = unicodedata.normalize("NFKD", title.casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _NOT_WORD.sub(" ", letters).strip()
