"""Fits how far a reading can be trusted: the share of readings like it that gold records confirm.

Readings are alike by their field and by how many signs of doubt they show. A field with few
readings borrows from all fields, and a field's bin from the field (Laplace's rule with a prior of
`PRIOR` readings); more doubts never mean more confidence (pool adjacent violators: Ayer et al.
1955, Ann Math Stat 26:641).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.config import Config
from pipeline.evaluate.match import Match, match
from pipeline.evaluate.values import Json
from pipeline.extract.confidence import MOST_DOUBTS
from pipeline.extract.reader import Reader
from pipeline.schema import Record
from pipeline.schema.codec import study_record
from pipeline.screen import screen

#: A bin's share counts as much as this many readings of what it borrows from.
PRIOR = 4.0
#: No count of a few dozen readings makes one certain.
HIGHEST = 0.99
FOLDS, BINS = 5, 10


@dataclass(frozen=True, slots=True)
class Judged:
    """A reading that gold judges: its record, field, signs of doubt, and whether it is right."""

    record_id: str
    field: str
    doubts: int
    right: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of patterns/confidence.jsonl."""

    field: str
    doubts: int
    n: int
    right: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Readings of about the same confidence: how many, what was said, and what was true."""

    n: int
    said: float
    right: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well confidences held on records that they were not fitted on."""

    name: str
    n: int
    ece: float
    brier: float
    bins: tuple[Bin, ...]


def judged(gold: Mapping[str, Json], records: Iterable[Record], config: Config) -> list[Judged]:
    """Read records and judge each reading by its gold record; what gold leaves open is left out."""
    reader = Reader(config.eligibility, config.outcomes, lambda field, doubts: float(doubts))
    found = []
    for record in records:
        if record.record_id in gold:
            study = reader.read(record)
            line = study_record(study, screen(record, study, config.eligibility), record.text)
            found += [_judged(m) for m in match(record.record_id, gold[record.record_id], line)]
    return [one for one in found if one is not None]


def fit(readings: Sequence[Judged]) -> list[Row]:
    """Return the table: each field by its signs of doubt."""
    total = Counter(r.right for r in readings)
    overall = (total[True] + 1) / (len(readings) + 2)  # Laplace's rule of succession
    counts: dict[str, list[Counter[bool]]] = {}
    for r in readings:
        bins = counts.setdefault(r.field, [Counter() for _ in range(MOST_DOUBTS + 1)])
        bins[r.doubts][r.right] += 1
    return [row for field in sorted(counts) for row in _rows(field, counts[field], overall)]


def calibrations(readings: Sequence[Judged]) -> list[Calibration]:
    """Return how well three tables hold, the simplest first, by cross-validation over records."""
    whole = {"all readings alike": "", "by field": "field", "by field and signs of doubt": "both"}
    return [_held(name, _pairs(readings, kind)) for name, kind in whole.items()]


def lines(rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Yield the rows as the rule file holds them."""
    return (asdict(row) for row in rows)


def _judged(m: Match) -> Judged | None:
    """A match as a judgement of the reading in it."""
    reading = m.predicted
    if not isinstance(reading, Mapping) or reading.get("confidence") is None:
        return None
    if m.field in ("outcomes", "outcomes.measure"):
        return None
    return Judged(m.record_id, m.field, int(reading["confidence"]), m.right)


def _rows(field: str, bins: Sequence[Counter[bool]], overall: float) -> Iterator[Row]:
    """The rows of a field."""
    whole = sum(bins, Counter[bool]())
    base = _smoothed(whole, overall)
    shares = [_smoothed(b, base) for b in bins]
    weights = [float(b.total()) for b in bins]  # an empty bin has no say
    for doubts, share in enumerate(_falling(shares, weights)):
        count = bins[doubts]
        yield Row(field, doubts, count.total(), count[True], min(round(share, 2), HIGHEST))


def _smoothed(count: Counter[bool], prior: float) -> float:
    """The share that is right, with `PRIOR` readings more that are right as often as `prior`."""
    return (count[True] + PRIOR * prior) / (count.total() + PRIOR)


def _falling(shares: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest shares that never rise: neighbours that do are pooled."""
    pools: list[tuple[float, float, int]] = []
    for share, weight in zip(shares, weights, strict=True):
        pools.append((share, weight, 1))
        while len(pools) > 1 and pools[-1][0] > pools[-2][0]:
            (a, v, n), (b, w, m) = pools.pop(), pools.pop()
            pools.append(((a * v + b * w) / (v + w), v + w, n + m))
    return [share for share, _, n in pools for _ in range(n)]


def _pairs(readings: Sequence[Judged], kind: str) -> list[tuple[float, bool]]:
    """What was said of each reading by a table fitted without its fold, and what was true."""
    order = list(dict.fromkeys(r.record_id for r in readings))
    fold = {record_id: i % FOLDS for i, record_id in enumerate(order)}
    alike = [_alike(r, kind) for r in readings]
    pairs = []
    for k in range(FOLDS):
        kept = [r for r in alike if fold[r.record_id] != k]
        table = {(row.field, row.doubts): row.confidence for row in fit(kept)}
        share = sum(r.right for r in kept) / max(1, len(kept))
        tried = (r for r in alike if fold[r.record_id] == k)
        pairs += [(table.get((r.field, r.doubts), share), r.right) for r in tried]
    return pairs


def _alike(reading: Judged, kind: str) -> Judged:
    """A reading with what a simpler table does not look at left out."""
    field = reading.field if kind else ""
    doubts = reading.doubts if kind == "both" else 0
    return Judged(reading.record_id, field, doubts, reading.right)


def _held(name: str, pairs: Sequence[tuple[float, bool]]) -> Calibration:
    """Expected calibration error (Naeini et al. 2015) and Brier score (Brier 1950)."""
    n = len(pairs)
    parts: dict[int, list[tuple[float, bool]]] = {}
    for said, right in pairs:
        parts.setdefault(min(int(said * BINS), BINS - 1), []).append((said, right))
    bins = tuple(_bin(parts[k]) for k in sorted(parts))
    ece = sum(b.n * abs(b.said - b.right) for b in bins) / max(1, n)
    brier = sum((said - right) ** 2 for said, right in pairs) / max(1, n)
    return Calibration(name, n, ece, brier, bins)


def _bin(pairs: Sequence[tuple[float, bool]]) -> Bin:
    """The means of a bin."""
    n = len(pairs)
    return Bin(n, sum(said for said, _ in pairs) / n, sum(right for _, right in pairs) / n)
