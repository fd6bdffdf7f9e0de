"""What moved between two runs of a review: records, studies, estimates and conclusions."""

from __future__ import annotations

from dataclasses import dataclass
from math import isclose

from pipeline.schema.decision import Screening
from pipeline.schema.estimate import PooledEstimate, QuestionResult
from pipeline.schema.record import Correction, Record
from pipeline.schema.study import Study


@dataclass(frozen=True, slots=True)
class Counted:
    """A record as a run counted it: what was read and decided, and from which version.

    `published` is its publication date as far as it is known, `notices` PubMed's links to
    retractions, errata and the like, `events` the ids of people's decisions on it.
    """

    record_id: str
    slab: str
    content_hash: str
    study: Study
    screening: Screening
    published: str = ""
    notices: tuple[Correction, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What a run answered, on the evidence of `date`: its results and the records behind them.

    `ended` says how each record ended that a search no longer finds, by id: "left_query" or
    "deleted".
    """

    run_id: str
    date: str
    results: tuple[QuestionResult, ...]
    counted: tuple[Counted, ...]
    ended: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A value of a study before and after, as text; "" where there is none."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A record that is not as it was: `kind` is "new", "retracted", "deleted", "gone" or "changed".

    `causes` are sentences: what was revised, noticed, decided or read otherwise.
    """

    record_id: str
    slab: str
    kind: str
    causes: tuple[str, ...] = ()
    values: tuple[ValueChange, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyChange:
    """A study that came into a pool, left it, was retracted, or has another effect in it.

    `pull` is the estimate less what it would be with this one study as it was, on the scale of
    analysis; None where one of the two cannot be pooled.
    """

    record_id: str
    slab: str
    kind: str
    reason: str = ""
    before: tuple[float, float] | None = None
    after: tuple[float, float] | None = None
    pull: float | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """A rule on a conclusion: where it stood, where it stands, and whether that is a change."""

    rule: str
    before: str
    after: str
    raised: bool


@dataclass(frozen=True, slots=True)
class CumulativeStep:
    """The pooled estimate when this study was added, in the order of publication."""

    slab: str
    published: str
    k: int
    n: int | None
    estimate: float
    se: float
    ci_lb: float
    ci_ub: float
    tau2: float
    i2: float


@dataclass(frozen=True, slots=True)
class MonitoredLook:
    """A look at the growing pool: information as a share of what is required, z and boundary."""

    slab: str
    k: int
    n: float
    timing: float
    z: float
    boundary: float | None
    ci_lb: float | None
    ci_ub: float | None
    crossed: bool


@dataclass(frozen=True, slots=True)
class Monitoring:
    """Repeated looks at a pool under alpha spending, or the reason why they are not monitored."""

    reason: str = ""
    required: int = 0
    diversity: float = 0.0
    adjusted: float = 0.0
    crossed: bool = False
    reached: bool = False
    assumptions: tuple[str, ...] = ()
    looks: tuple[MonitoredLook, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionMove:
    """A question before and after; `k` and `n` count the studies that could enter its pool."""

    question_id: str
    title: str
    measure: str
    before: PooledEstimate | None
    after: PooledEstimate | None
    k_before: int
    k_after: int
    n_before: int
    n_after: int
    reason_before: str = ""
    reason_after: str = ""
    new: bool = False
    studies: tuple[StudyChange, ...] = ()
    flags: tuple[Flag, ...] = ()
    cumulative: tuple[CumulativeStep, ...] = ()
    monitoring: Monitoring | None = None

    @property
    def raised(self) -> bool:
        """Whether a conclusion changed by a rule of the protocol."""
        return any(flag.raised for flag in self.flags)

    @property
    def moved(self) -> bool:
        """Whether anything of the question is not as it was."""
        return bool(self.studies) or self.new or not _alike(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Movement:
    """What moved from one run to another; the questions are all those of the later one."""

    before_run: str
    after_run: str
    before_date: str
    after_date: str
    records: tuple[RecordChange, ...]
    questions: tuple[QuestionMove, ...]

    @property
    def raised(self) -> tuple[QuestionMove, ...]:
        """The questions with a raised flag."""
        return tuple(q for q in self.questions if q.raised)

    @property
    def nothing(self) -> bool:
        """Whether no record and no estimate is other than it was."""
        return not self.records and not any(q.moved for q in self.questions)


def _alike(one: PooledEstimate | None, other: PooledEstimate | None) -> bool:
    """Whether two estimates are one but for the rounding of a sum in another order."""
    if one is None or other is None:
        return one is other
    same = all(_near(getattr(one, name), getattr(other, name)) for name in _NUMBERS)
    return same and all(getattr(one, name) == getattr(other, name) for name in _MODEL)


def _near(a: float | None, b: float | None) -> bool:
    """Whether two numbers are one but for rounding; None is like None alone."""
    return a is b if a is None or b is None else isclose(a, b, rel_tol=1e-6, abs_tol=1e-9)


#: What of an estimate a reader compares.
_NUMBERS = ("estimate", "ci_lb", "ci_ub", "ci_adhoc_lb", "ci_adhoc_ub", "tau2", "pi_lb", "pi_ub")
#: What makes it one of the same studies by the same model.
_MODEL = ("k", "n", "method", "test", "level")


def published(record: Record) -> str:
    """Return when a record was published: the earlier of print year and electronic date, or "".

    On the year alone, the studies of one year stand in the order of their create dates.
    """
    year = str(record.year) if record.year else ""
    electronic = record.dates.electronic
    if year and electronic[:4] <= year and len(electronic) > 4:
        return electronic
    return year or electronic or record.dates.entrez
