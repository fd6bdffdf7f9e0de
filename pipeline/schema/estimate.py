"""What was computed: effect sizes of studies, pooled estimates, and what could not be pooled."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isfinite

from pipeline.schema.record import Quote
from pipeline.schema.regression import DoseResponse


@dataclass(frozen=True, slots=True)
class EffectSize:
    """A study's effect on the scale of analysis (ratios as logs, proportions as logits).

    `columns` are the printed data of the plot and the table, as (header, cell) pairs, e.g.
    ("Events 1", "32"). `recovered` names each number that the paper does not print and the
    assumption it rests on; `quotes` are the phrases the numbers were read from. `counts` are the
    study's table by metafor's names, ("ai", 32) ..., where the measure is one of counts. The
    effect rests on so many `numbers`; `unprinted` says of each of them that the paper does not
    print what it was recovered from.
    """

    record_id: str
    slab: str
    measure: str
    yi: float
    vi: float
    ni: int | None = None
    subgroup: str = ""
    outcome: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    recovered: tuple[str, ...] = ()
    quotes: tuple[Quote, ...] = ()
    reviewed: bool = False
    counts: tuple[tuple[str, float], ...] = ()
    numbers: int = 0
    unprinted: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isfinite(self.yi):
            raise ValueError(f"Invalid yi {self.yi} of {self.slab}; must be finite.")
        if not (isfinite(self.vi) and self.vi > 0):
            raise ValueError(f"Invalid vi {self.vi} of {self.slab}; must be positive and finite.")


@dataclass(frozen=True, slots=True)
class NotPooled:
    """A study that speaks to a question and cannot enter its pool, with the reason."""

    record_id: str
    slab: str
    outcome: str
    reason: str
    printed: str = ""
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class PooledEstimate:
    """The result of pooling k effect sizes, on the scale of analysis.

    `ci_*`, `pval` and `stat` follow `test` ("z", "t", "knha" or "adhoc"; `df` is None for z).
    `ci_adhoc_*` is the Hartung-Knapp interval that is never narrower than the normal one.
    `i2` is tau2-based (metafor's default), `i2_q` Q-based (Higgins and Thompson 2002), both in
    percent; `weights` are percentages in the order of the effect sizes, () where a model gives
    none (GLMM). `pi_*` follow the test's quantile, `pi_k2_*` that of t with k - 2 degrees of
    freedom.
    """

    measure: str
    method: str
    test: str
    level: float
    k: int
    n: int | None
    estimate: float
    se: float
    ci_lb: float
    ci_ub: float
    stat: float
    df: float | None
    pval: float
    ci_adhoc_lb: float
    ci_adhoc_ub: float
    tau2: float
    tau2_ci_lb: float | None
    tau2_ci_ub: float | None
    q: float
    q_df: int
    q_pval: float
    i2: float
    i2_q: float
    h2: float
    pi_lb: float | None
    pi_ub: float | None
    weights: tuple[float, ...]
    notes: tuple[str, ...] = ()
    pi_k2_lb: float | None = None
    pi_k2_ub: float | None = None

    def weight(self, *members: int) -> float | None:
        """Return the weight in percent of some studies, None where the model gives none."""
        return sum(self.weights[i] for i in members) if self.weights else None

    @property
    def h2_q(self) -> float:
        """H2 from Q (Higgins and Thompson 2002): Q by its degrees of freedom."""
        return self.q / self.q_df

    @property
    def random(self) -> bool:
        """Whether the model has a variance between studies, tau2."""
        return self.method not in ("EE", "MH", "PETO")


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The studies of one subgroup (by position among the effects) and their own estimate.

    `reason` says why two studies or more have none.
    """

    label: str
    members: tuple[int, ...]
    pooled: PooledEstimate | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SubgroupTest:
    """The test for subgroup differences: Q between subgroups against chi-squared."""

    q: float
    df: int
    pval: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """A named variation of an analysis and what it gives."""

    label: str
    pooled: PooledEstimate | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SmallStudyTest:
    """A test of small-study effects, or a correction for them, on the scale of analysis.

    `estimate` with its limits is the effect that is left without them, None where a test gives
    none; `note` says what else it found, or why nothing.
    """

    name: str
    stat: float | None = None
    df: float | None = None
    pval: float | None = None
    estimate: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StudyInfluence:
    """What one study does to a fit: metafor's ``influence``; `is_infl` flags it as influential."""

    slab: str
    rstudent: float
    dffits: float
    cook_d: float
    cov_r: float
    hat: float
    dfbs: float
    is_infl: bool


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """A question of the protocol with its studies, its estimate, and what stayed out.

    `pooled` is None where nothing or one study is poolable; `reason` then says why. `check_notes`
    tell which checks were not made and why, and what the others rest on.
    """

    question_id: str
    title: str
    measure: str
    effects: tuple[EffectSize, ...]
    not_pooled: tuple[NotPooled, ...]
    pooled: PooledEstimate | None
    reason: str = ""
    subgroups: tuple[Subgroup, ...] = ()
    subgroup_test: SubgroupTest | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    small_studies: tuple[SmallStudyTest, ...] = ()
    influence: tuple[StudyInfluence, ...] = ()
    check_notes: tuple[str, ...] = ()
    dose_response: DoseResponse | None = None

    @property
    def numbers(self) -> int:
        """How many numbers the effects rest on."""
        return sum(effect.numbers for effect in self.effects)

    @property
    def unprinted(self) -> dict[str, int]:
        """How many of them the papers do not print, by what they were recovered from."""
        return dict(Counter(what for effect in self.effects for what in effect.unprinted))
