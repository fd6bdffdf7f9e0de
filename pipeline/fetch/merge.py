"""Takes each publication once, of all that several files hold, and says what was left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.fetch.contents import Contents
from pipeline.schema import Problem, Record

if TYPE_CHECKING:
    from pipeline.fetch.duplicates import Candidate, Group

#: The kinds of files that PubMed writes: of one publication, its own record is taken.
PUBMED = ("PubMed XML", "nbib")


@dataclass(frozen=True, slots=True)
class Merged:
    """What is taken of some files.

    `records` and `problems` have an entry for each file: what of it is taken, and each of its
    records that is not, or may be another. `read` counts all records, `removed` those left out by
    what showed it ("PMID", "DOI", "text"), `candidates` the pairs that a person is to judge.
    """

    record_ids: tuple[str, ...]
    records: tuple[tuple[Record, ...], ...]
    problems: tuple[tuple[Problem, ...], ...]
    read: int
    removed: Mapping[str, int]
    candidates: int


@dataclass(frozen=True, slots=True)
class _Place:
    """A record where it stands: the file's place and name, and the record's number in it."""

    file: int
    name: str
    kind: str
    number: int
    record: Record

    @property
    def rank(self) -> tuple[object, ...]:
        """What decides which record of a publication is taken: the highest."""
        record = self.record
        known = record.pmid is not None
        own = known and self.kind in PUBMED
        return own, known, record.version, bool(record.sections), self.file, self.number


def merge(files: Sequence[Contents]) -> Merged:
    """Take one record of each publication, and name those that are left out.

    Records of one PMID or one DOI are one publication, see `duplicates`. PubMed's own record is
    taken before another's, one with a PMID, the higher version, one with an abstract, the last.

    Parameters
    ----------
    files : sequence of Contents
        No two of the same bytes.

    Returns
    -------
    Merged
        The ids in the order in which their publications come.
    """
    from pipeline.fetch.duplicates import duplicates

    places = list(_places(files))
    taken: dict[str, _Place] = {}
    for place in sorted(places, key=lambda p: p.rank, reverse=True):
        taken.setdefault(place.record.record_id, place)
    found = duplicates(place.record for place in taken.values())
    groups = {i: group for group in found.exact for i in group.record_ids}
    leaders = {i: groups[i].record_ids[0] if i in groups else i for i in taken}
    problems: dict[int, list[Problem]] = defaultdict(list)
    removed: Counter[str] = Counter()
    for place in places:
        kept = taken[leaders[place.record.record_id]]
        if place is not kept:
            shared = _shared(place.record, kept.record, groups)
            removed[shared.partition(" ")[0]] += 1
            problems[place.file].append(_left_out(place, kept, shared))
    for candidate in found.candidates:
        later, problem = _candidate(candidate, taken)
        problems[later.file].append(problem)
    return Merged(
        tuple(dict.fromkeys(leaders[p.record.record_id] for p in places)),
        tuple(tuple(_kept(i, places, taken, leaders)) for i in range(len(files))),
        tuple(tuple(problems[i]) for i in range(len(files))),
        len(places),
        dict(sorted(removed.items())),
        len(found.candidates),
    )


def _places(files: Sequence[Contents]) -> Iterator[_Place]:
    """Every record with its place; files of one name are numbered."""
    names: Counter[str] = Counter()
    for i, file in enumerate(files):
        names[file.name] += 1
        name = f"{file.name} ({names[file.name]})" if names[file.name] > 1 else file.name
        for number, record in enumerate(file.records, 1):
            yield _Place(i, name, file.kind, number, record)


def _kept(
    file: int, places: Iterable[_Place], taken: Mapping[str, _Place], leaders: Mapping[str, str]
) -> Iterator[Record]:
    """The records that are taken from a file, each id where it stands there first."""
    ids = dict.fromkeys(p.record.record_id for p in places if p.file == file)
    return (taken[i].record for i in ids if leaders[i] == i and taken[i].file == file)


def _shared(record: Record, kept: Record, groups: Mapping[str, Group]) -> str:
    """What shows that two records are one publication: "PMID 7", "DOI 10.1/a", "text"."""
    if record.pmid and record.pmid == kept.pmid:
        return f"PMID {record.pmid}"
    if record.record_id == kept.record_id:
        return "text"
    doi = (record.doi or "").lower()
    shared = groups[record.record_id].shared
    own = [name for name in shared if name in (f"PMID {record.pmid}", f"DOI {doi}")]
    return own[0] if own else shared[0]


def _left_out(place: _Place, kept: _Place, shared: str) -> Problem:
    """The problem of a record that is left out."""
    where, record_id = f"{place.name}, record {place.number}", place.record.record_id
    if place.file != kept.file or record_id != kept.record.record_id:
        said = f"{record_id} is {kept.record.record_id} of {kept.name} (one {shared})"
        message = f"{where}: {said}; only that one is read."
        return Problem("duplicate_record", message, record_id=record_id)
    version = place.record.version, kept.record.version
    which = f"version {version[1]}" if version[0] != version[1] else f"record {kept.number}"
    message = f"{where}: {record_id} stands there again; {which} is kept."
    return Problem("repeated_record", message, record_id=record_id)


def _candidate(pair: Candidate, taken: Mapping[str, _Place]) -> tuple[_Place, Problem]:
    """The later record of a pair that may be one publication, and the problem for a person."""
    both = (taken[pair.first], taken[pair.second])
    first, later = sorted(both, key=lambda p: (p.file, p.number))
    message = (
        f"{later.record.record_id} of {later.name} may be {first.record.record_id} of "
        f"{first.name}: {pair.reason}, titles agree to {pair.score:g} %. Both are read; "
        "a person has to judge."
    )
    return later, Problem("duplicate_candidate", message, record_id=later.record.record_id)
