"""How a pool grew: the estimate as studies were published, and what repeated looks allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from statistics import NormalDist

from pipeline.config import COUNT_MODELS, ModelSpec, Question
from pipeline.errors import PoolError
from pipeline.living.rules import BY_RISK, BY_SD
from pipeline.pool import pool
from pipeline.pool.sequential import (
    TREATED_RISK,
    binary_size,
    diversity,
    monitored,
    required_size,
)
from pipeline.schema import (
    CumulativeStep,
    EffectSize,
    MonitoredLook,
    Monitoring,
    PooledEstimate,
)


def pooled_or_none(effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate | None:
    """Return the pooled estimate of two studies or more, None where there is none."""
    if len(effects) < 2:
        return None
    try:
        return pool(effects, spec)
    except PoolError:
        return None


def in_order(effects: Sequence[EffectSize], published: Mapping[str, str]) -> tuple[EffectSize, ...]:
    """Return effects by publication date; of one date by record id, those without one last."""
    return tuple(
        sorted(effects, key=lambda e: (published.get(e.record_id) or "9999", _number(e.record_id)))
    )


def _number(record_id: str) -> tuple[int, str]:
    """PMIDs as numbers: they rise as records are made."""
    digits = record_id.removeprefix("pmid")
    return (int(digits), "") if digits.isdecimal() else (0, record_id)


def cumulative(
    effects: Sequence[EffectSize], spec: ModelSpec, published: Mapping[str, str]
) -> tuple[CumulativeStep, ...]:
    """Return the estimates of the first study, the first two and so on, by publication date.

    One study is its own estimate with a normal interval; a step that cannot be pooled is left out.
    """
    ordered = in_order(effects, published)
    steps = []
    for k, last in enumerate(ordered, 1):
        date = published.get(last.record_id, "")
        first = ordered[:k]
        fit = pooled_or_none(first, spec)
        if k == 1:
            steps.append(_alone(last, date, spec.level))
        elif fit is not None:
            i2 = fit.i2 if fit.random else fit.i2_q
            steps.append(
                CumulativeStep(
                    last.slab,
                    date,
                    k,
                    fit.n,
                    fit.estimate,
                    fit.se,
                    fit.ci_lb,
                    fit.ci_ub,
                    fit.tau2,
                    i2,
                )
            )
    return tuple(steps)


def _alone(effect: EffectSize, date: str, level: float) -> CumulativeStep:
    """The first study: its own estimate with a normal interval."""
    se = sqrt(effect.vi)
    half = NormalDist().inv_cdf(0.5 + level / 2) * se
    low, high = effect.yi - half, effect.yi + half
    return CumulativeStep(effect.slab, date, 1, effect.ni, effect.yi, se, low, high, 0.0, 0.0)


def monitoring(
    question: Question, effects: Sequence[EffectSize], published: Mapping[str, str]
) -> Monitoring | None:
    """Return the sequential analysis of a question, None where its protocol asks for none.

    Parameters
    ----------
    question : Question
        Its `conclusion` gives `mid`, and the controls' `risk` or a patient's `sd`; the risk is
        else that of the control arms.
    effects : sequence of EffectSize
        The studies of the pool.
    published : mapping
        Publication dates by record id: the looks are in their order.

    References
    ----------
    Wetterslev et al. (2008), *J Clin Epidemiol* 61:64; see `pipeline.pool.sequential`.
    """
    rule = question.conclusion
    if rule is None or rule.mid is None:
        return None
    try:
        return _monitored(question, in_order(effects, published))
    except PoolError as failed:
        return Monitoring(str(failed))


def _monitored(question: Question, ordered: Sequence[EffectSize]) -> Monitoring:
    """The looks at a growing pool."""
    sizes = [e.ni for e in ordered]
    if len(ordered) < 2 or any(n is None for n in sizes):
        raise PoolError("Two studies or more with their patients are needed to monitor looks.")
    spec = question.model
    if spec.method in COUNT_MODELS:
        raise PoolError(f"Looks at a pool by {spec.method} are not monitored.")
    required, assumed = _required(question, ordered)
    d2 = _diversity(ordered, spec)
    adjusted = required / (1 - d2) if d2 < 1 else inf
    rows = _rows(ordered, spec)
    looks = monitored([row for _, row in rows], adjusted, alpha=1 - spec.level)
    return Monitoring(
        required=required,
        diversity=d2,
        adjusted=adjusted,
        crossed=any(look.crossed for look in looks),
        reached=bool(looks) and looks[-1].timing >= 1,
        assumptions=assumed,
        looks=tuple(
            MonitoredLook(
                slab, o.k, o.n, o.timing, o.z, o.boundary, o.ci_lb, o.ci_ub, bool(o.crossed)
            )
            for (slab, _), o in zip(rows, looks, strict=True)
        ),
    )


def _rows(
    ordered: Sequence[EffectSize], spec: ModelSpec
) -> list[tuple[str, tuple[int, float, float, float]]]:
    """(k, n, estimate, se) of each look, with the name of the study added last."""
    found: list[tuple[str, tuple[int, float, float, float]]] = []
    for step in cumulative(ordered, spec, {}):
        n = float(sum(e.ni or 0 for e in ordered[: step.k]))
        found.append((step.slab, (step.k, n, step.estimate, step.se)))
    return found


def _diversity(effects: Sequence[EffectSize], spec: ModelSpec) -> float:
    """D2 of the pool, with normal variances; 0 where it cannot be pooled."""
    models = (
        spec.model_copy(update={"method": m, "test": "z", "glmm_model": None})
        for m in ("EE", spec.method)
    )
    equal, random = (pooled_or_none(effects, model) for model in models)
    return diversity(equal.se**2, random.se**2) if equal and random else 0.0


def _required(question: Question, effects: Sequence[EffectSize]) -> tuple[int, tuple[str, ...]]:
    """Patients of a single trial, and what they rest on."""
    rule, alpha, measure = question.conclusion, 1 - question.model.level, question.measure
    if rule is None or rule.mid is None:
        raise PoolError("No smallest effect that matters is set.")
    said = (
        f"error {alpha:.3g}, two-sided, spent as by O'Brien and Fleming",
        f"power {rule.power:g}",
        f"smallest {measure} that matters: {rule.mid:g}",
    )
    if measure in BY_SD:
        if rule.sd is None:
            raise PoolError(f"A required size for {measure} needs sd under conclusion.")
        size = required_size(rule.sd**2, rule.mid, alpha=alpha, power=rule.power)
        return size, (*said, f"SD {rule.sd:.3g} (as given)")
    if measure not in BY_RISK:
        raise PoolError(f"No required size for {measure}; must be one of RR, OR, RD, MD.")
    risk = rule.risk or _control_risk(effects)
    treated = TREATED_RISK[measure](risk, rule.mid)
    size = binary_size(risk, treated, alpha=alpha, power=rule.power)
    source = "as given" if rule.risk else "that of the control arms"
    return size, (*said, f"risk of the controls {risk:.3g} ({source})")


def _control_risk(effects: Sequence[EffectSize]) -> float:
    """The risk over all control arms."""
    tables = [dict(e.counts) for e in effects]
    if not all({"ci", "n2i"} <= t.keys() or {"ci", "di"} <= t.keys() for t in tables):
        raise PoolError("The control arms' events are not known; set risk under conclusion.")
    events = sum(t["ci"] for t in tables)
    return events / sum(t.get("n2i", t["ci"] + t.get("di", 0.0)) for t in tables)
