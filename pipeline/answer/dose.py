"""The effect over the dose of a course, across the studies of a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.config import Config, Question
from pipeline.effects.match import holds
from pipeline.errors import PoolError
from pipeline.pool import INTERCEPT, regression
from pipeline.pool.curve import curve, wald
from pipeline.pool.splines import knots_of, spline
from pipeline.schema import DoseResponse, EffectSize, Study

#: Of course doses; the reader gives no others.
UNIT = "g/kg per course"

#: Below so many studies a regression on a study's traits says little (Handbook 10.11.5.1).
_FEW = 10

#: Points of the curve, and knots of a spline.
_POINTS, _KNOTS = 101, 3


def dose_response(
    question: Question, config: Config, effects: Sequence[EffectSize], studies: Sequence[Study]
) -> DoseResponse | None:
    """Return the effects over the dose of a course, None where the protocol does not ask.

    A study counts with the dose of the treatment under review where the text gives one, and only
    one; others have none, and are named.
    """
    if question.dose_response is None:
        return None
    terms = config.eligibility.intervention.terms
    by_id: Mapping[str, Study] = {study.record_id: study for study in studies}
    doses = tuple(course_dose(by_id[e.record_id], terms) for e in effects)
    known = [i for i, dose in enumerate(doses) if dose is not None]
    try:
        return _fitted(question, [effects[i] for i in known], doses)
    except PoolError as refused:
        return DoseResponse(UNIT, doses, reason=str(refused))


def course_dose(study: Study, terms: Sequence[str]) -> float | None:
    """Return the one dose of a course of a treatment that a study gives, in g/kg."""
    totals = {
        dose.total_per_course_g_per_kg.value
        for dose in study.doses
        if dose.total_per_course_g_per_kg and any(holds(dose.drug, term) for term in terms)
    }
    return totals.pop() if len(totals) == 1 else None


def _fitted(
    question: Question, effects: Sequence[EffectSize], doses: tuple[float | None, ...]
) -> DoseResponse:
    """The regression on the doses that are known, with its curve."""
    x = np.array([dose for dose in doses if dose is not None])
    if len(set(x)) < 2:
        raise PoolError(f"{len(x)} studies with a known dose, {len(set(x))} different: no curve.")
    knots = knots_of(x, _KNOTS) if question.dose_response == "spline" else ()
    grid = np.linspace(x.min(), x.max(), _POINTS)
    columns, along = ((spline(v, knots) if knots else v[:, np.newaxis]) for v in (x, grid))
    names = [INTERCEPT, *("dose" + "'" * i for i in range(columns.shape[1]))]
    design = np.column_stack([np.ones(x.size), columns])
    fit = regression(effects, design, names, question.model)
    path = np.column_stack([np.ones(grid.size), along])
    few = f"{x.size} studies: below {_FEW} a regression on a trait of studies says little."
    return DoseResponse(
        unit=UNIT,
        doses=doses,
        fit=fit,
        knots=knots,
        points=curve(fit, grid, path),
        nonlinearity=wald(fit, range(2, len(names))) if knots else None,
        notes=(few,) if x.size < _FEW else (),
    )
