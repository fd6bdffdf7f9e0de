"""Checks beside a pool: small-study effects, and what single studies do to the estimate.

They rest on effect sizes and their variances. Where the protocol does not say which checks to make,
the number of studies decides, and a line tells what was not made and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.answer.variations import leaves_one_out
from pipeline.config import COUNT_MODELS, ModelSpec, Question
from pipeline.errors import PoolError
from pipeline.pool import bias
from pipeline.pool.bias_counts import count_test
from pipeline.pool.influence import influence
from pipeline.pool.linear import Array
from pipeline.pool.ranks import ranktest
from pipeline.pool.trimfill import trimfill
from pipeline.schema import EffectSize, SmallStudyTest, StudyInfluence

#: Fewer studies carry no check at all.
_LEAST = 3

#: Measures whose variance holds the effect itself: their tests go by the size of the studies.
_BY_SIZE = ("SMD", "SMDH", "SMD1", "SMCC", "PR", "PLN", "PLO", "PAS")


@dataclass(frozen=True, slots=True)
class Checks:
    """What checks gave; `notes` say which were not made and why, and what the others rest on."""

    small_studies: tuple[SmallStudyTest, ...] = ()
    influence: tuple[StudyInfluence, ...] = ()
    notes: tuple[str, ...] = ()


def checks(question: Question, effects: Sequence[EffectSize]) -> Checks:
    """Return the checks of a pool.

    Parameters
    ----------
    question : Question
        Its `checks` name them; None asks for tests of small-study effects from 10 studies on, and
        for leaving one out from 3 on.
    effects : sequence of EffectSize
        What was pooled.
    """
    if len(effects) < 2:
        return Checks()
    asked, k = question.checks, len(effects)
    wanted = ("bias", "leave_one_out") if asked is None else asked
    least = {"bias": bias.FEW if asked is None else _LEAST, "influence": _LEAST}
    made = [name for name in wanted if k >= least.get(name, 0)]
    data = _Data.of(effects, question.model)
    return Checks(
        tuple(_small_studies(data)) if "bias" in made else (),
        tuple(_influence(data)) if "influence" in made else (),
        tuple(_notes(question, wanted, made, k)),
    )


@dataclass(frozen=True, slots=True)
class _Data:
    """Effects as columns, and the model by which checks pool them."""

    effects: tuple[EffectSize, ...]
    yi: Array
    vi: Array
    spec: ModelSpec

    @classmethod
    def of(cls, effects: Sequence[EffectSize], model: ModelSpec) -> _Data:
        """The columns of effects; a model of counts gives way to REML with a normal test."""
        counts = model.method in COUNT_MODELS
        spec = ModelSpec(method="REML", test="z", level=model.level) if counts else model
        yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
        return cls(tuple(effects), yi, vi, spec)


def _notes(question: Question, wanted: Sequence[str], made: Sequence[str], k: int) -> Iterator[str]:
    """The checks that were not made, and what the others rest on."""
    studies = f"this pool has {k}"
    if "bias" in wanted and "bias" not in made:
        least = f"want {bias.FEW}" if question.checks is None else f"need {_LEAST}"
        source = " (Cochrane Handbook 13.3.5.4)" if question.checks is None else ""
        yield f"Tests of small-study effects {least} or more studies{source}; {studies}."
    elif "bias" in made:
        yield from bias.few(k)
    if "leave_one_out" in wanted and k < _LEAST:
        yield f"Leaving one study out needs {_LEAST} or more; {studies}."
    elif "leave_one_out" in wanted and not leaves_one_out(question, k):
        yield "No study was left out: each fit of a GLMM takes long, and `checks` does not ask."
    if "influence" in wanted and "influence" not in made:
        yield f"The influence of single studies needs {_LEAST} or more; {studies}."
    if question.model.method in COUNT_MODELS and {"bias", "influence"} & set(made):
        yield (
            f"{question.model.method} pools counts; tests of small-study effects and influence "
            "rest on effect sizes, by REML with a normal test."
        )


def _small_studies(data: _Data) -> Iterator[SmallStudyTest]:
    """Each test and correction, or why it gives nothing."""
    for name, test in _tests(data):
        try:
            yield test(name)
        except PoolError as refused:
            yield SmallStudyTest(name, note=str(refused))


def _tests(data: _Data) -> Iterator[tuple[str, Callable[[str], SmallStudyTest]]]:
    """The tests that the measure and the data allow, by name."""
    first = data.effects[0]
    yield "Egger's regression", partial(_egger, data)
    if first.measure in _BY_SIZE and all(e.ni for e in data.effects):
        yield "Regression on 1 / n", partial(_by_size, data)
    if all("ai" in dict(e.counts) for e in data.effects):
        yield "Harbord's test, of odds ratios", partial(_of_counts, data, "Harbord")
        yield "Peters' test, of odds ratios", partial(_of_counts, data, "Peters")
    yield "Begg's rank correlation", partial(_begg, data)
    yield "Trim and fill (L0)", partial(_trimfill, data)
    yield "PET-PEESE", partial(_pet_peese, data)


def _egger(data: _Data, name: str) -> SmallStudyTest:
    """Egger's test."""
    made = bias.egger(data.yi, data.vi, level=data.spec.level)
    return _of_line(data, name, made)


def _by_size(data: _Data, name: str) -> SmallStudyTest:
    """A regression on the inverse of the sample size."""
    ni = np.array([float(e.ni or 0) for e in data.effects])
    made = bias.regtest(data.yi, data.vi, data.spec, predictor="ninv", ni=ni)
    return _of_line(data, name, made)


def _of_line(data: _Data, name: str, made: bias.RegTest) -> SmallStudyTest:
    """A regression test with the effect of an endless study."""
    interval = made.est, made.ci_lb, made.ci_ub
    return SmallStudyTest(name, made.stat, made.df, made.pval, *interval, _note(data, made.notes))


def _of_counts(data: _Data, author: str, name: str) -> SmallStudyTest:
    """A test of tables of counts."""
    rows = [dict(e.counts) for e in data.effects]
    cells = (np.array([row[cell] for row in rows]) for cell in ("ai", "bi", "ci", "di"))
    made = count_test(author, *cells)
    return SmallStudyTest(name, made.stat, made.df, made.pval, note=_note(data, made.notes))


def _begg(data: _Data, name: str) -> SmallStudyTest:
    """The rank correlation; its statistic is Kendall's tau."""
    made = ranktest(data.yi, data.vi)
    note = _note(data, ("The statistic is Kendall's tau.", *made.notes))
    return SmallStudyTest(name, made.tau, None, made.pval, note=note)


def _trimfill(data: _Data, name: str) -> SmallStudyTest:
    """The estimate with the studies that a symmetric funnel lacks."""
    made = trimfill(data.yi, data.vi, data.spec)
    studies = "1 study is" if made.k0 == 1 else f"{made.k0} studies are"
    note = _note(data, (f"{studies} filled in on the {made.side}.", *made.notes))
    interval = made.estimate, made.ci_lb, made.ci_ub
    return SmallStudyTest(name, None, None, None, *interval, note)


def _pet_peese(data: _Data, name: str) -> SmallStudyTest:
    """The effect of an endless study by PET or PEESE."""
    made = bias.pet_peese(data.yi, data.vi, level=data.spec.level)
    note = _note(data, (f"{made.preferred.upper()} is preferred.", *made.notes))
    interval = made.estimate, made.ci_lb, made.ci_ub
    return SmallStudyTest(name, None, None, None, *interval, note)


def _note(data: _Data, notes: Sequence[str]) -> str:
    """What a test says of itself; the warning of all tests of few studies stands once below."""
    return " ".join(note for note in notes if note not in bias.few(data.yi.size))


def _influence(data: _Data) -> Iterator[StudyInfluence]:
    """What each study does to the fit."""
    for one in influence(data.yi, data.vi, data.spec):
        yield StudyInfluence(
            slab=data.effects[one.row].slab,
            rstudent=one.rstudent,
            dffits=one.dffits,
            cook_d=one.cook_d,
            cov_r=one.cov_r,
            hat=one.hat,
            dfbs=one.dfbs,
            is_infl=one.is_infl,
        )
