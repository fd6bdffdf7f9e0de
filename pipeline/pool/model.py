"""Pools effect sizes of studies into one estimate, and by subgroup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats

from pipeline.config import COUNT_MODELS, ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.describe import Fit, describe
from pipeline.pool.estimators import CORRECTIONS, cochran_q, infer, tau2_of
from pipeline.pool.linear import Array
from pipeline.pool.scale import scaled, zeroed
from pipeline.pool.tables import pool_counts
from pipeline.schema import EffectSize, PooledEstimate, Subgroup, SubgroupTest

_ONE_STUDY = "one study: shown without a diamond"


def pool(effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate:
    """Pool effect sizes of one measure.

    Parameters
    ----------
    effects : sequence of EffectSize
        Two or more, all of the same measure.
    spec : ModelSpec
        Estimator of tau2 or model of counts, test and confidence level.

    Returns
    -------
    PooledEstimate
        On the scale of analysis. The prediction interval is metafor's default: the quantile of
        the test (normal for z, t with k - 1 degrees of freedom for knha and adhoc) times
        sqrt(tau2 + se^2). Higgins et al. (2009) and Riley et al. (2011) take k - 2 instead, which
        is wider: `pi_k2_lb` and `pi_k2_ub`, None below three studies. `i2` and `h2` come from tau2
        and the typical variance of Higgins and Thompson (2002), eq. 9, `i2_q` from Q. With EE there
        is no tau2, hence no prediction interval, and no Hartung-Knapp test.

    Raises
    ------
    PoolError
        If there are fewer than two effects, of several measures, or the result is not a number.

    References
    ----------
    Hartung-Knapp test: Knapp and Hartung (2003), *Stat Med* 22:2693; "adhoc" never lets its
    factor fall below 1. Interval of tau2: Viechtbauer (2007), *Stat Med* 26:37.
    Prediction interval: Higgins, Thompson and Spiegelhalter (2009), *J R Stat Soc A* 172:137.
    metafor: ``rma(yi, vi, method=, test=)``, ``predict()``, ``confint(type="QP")``.
    """
    _refuse(effects)
    if spec.method in COUNT_MODELS:
        return pool_counts(effects, spec)
    return _pool_effects(effects, spec)


def subgroups(
    effects: Sequence[EffectSize], spec: ModelSpec, *, common_tau2: bool = False
) -> tuple[tuple[Subgroup, ...], SubgroupTest | None]:
    """Pool each subgroup on its own, and test whether they differ.

    Parameters
    ----------
    effects : sequence of EffectSize
        Of one measure, each with the name of its subgroup; "" is shown as "not stated".
    spec : ModelSpec
        The model of each subgroup.
    common_tau2 : bool
        Whether the subgroups share one tau2, that of a regression on them; else each has its own.

    Returns
    -------
    subgroups : tuple of Subgroup
        In the order of their first study; () if no effect has a subgroup. One of a single study
        has no estimate, and one whose counts give none has the reason.
    test : SubgroupTest or None
        Q between the subgroups' estimates, weighted by their normal (not Hartung-Knapp)
        variances, by a model of counts by that model's; a subgroup of one study enters with that
        study's yi and vi. None where there are fewer than two subgroups, or one of several
        studies has no estimate.

    References
    ----------
    Borenstein et al. (2009), *Introduction to Meta-Analysis*, chapter 19, "random-effects model
    with separate estimates of tau2", and with a pooled one. metafor: ``rma(mods=~factor(g)-1)``,
    meta: ``update(subgroup=, tau.common=TRUE)``.
    """
    if not any(effect.subgroup for effect in effects):
        return (), None
    _refuse_mixture(effects)
    members: dict[str, list[int]] = {}
    for i, effect in enumerate(effects):
        members.setdefault(effect.subgroup or "not stated", []).append(i)
    tau2 = _shared(effects, list(members.values()), spec) if common_tau2 else None
    found = []
    for label, positions in members.items():
        own = [effects[i] for i in positions]
        pooled, reason = _own(own, spec, tau2)
        found.append(Subgroup(label, tuple(positions), pooled, reason))
    return tuple(found), _between(effects, found, tau2 or 0.0)


def _shared(
    effects: Sequence[EffectSize], members: Sequence[Sequence[int]], spec: ModelSpec
) -> float:
    """The tau2 that subgroups share; 0 where each is one study, which says nothing of it."""
    if spec.method in COUNT_MODELS:
        raise PoolError(f"{spec.method} has no tau2 that subgroups could share.")
    if len(members) == len(effects):
        return 0.0
    y, v, scale = _scaled(effects)
    design = np.zeros((len(effects), len(members)))
    for column, positions in enumerate(members):
        design[list(positions), column] = 1
    return float(zeroed(tau2_of(y, v, spec.method, design))[0]) * float(scale[0]) ** 2


def _refuse(effects: Sequence[EffectSize]) -> None:
    """Refuse what is no pool."""
    if not effects:
        raise PoolError("no study: nothing to pool")
    if len(effects) == 1:
        raise PoolError(_ONE_STUDY)
    _refuse_mixture(effects)


def _refuse_mixture(effects: Sequence[EffectSize]) -> None:
    """Refuse effects of several measures."""
    measures = sorted({effect.measure for effect in effects})
    if len(measures) > 1:
        raise PoolError(f"Cannot pool {' with '.join(measures)}; a pool holds one measure.")


def _scaled(effects: Sequence[EffectSize]) -> tuple[Array, Array, Array]:
    """Effects and variances as columns of about 1 (PyMARE's tolerances are absolute), the scale."""
    yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
    return scaled(yi[:, np.newaxis], vi[:, np.newaxis])


def _pool_effects(
    effects: Sequence[EffectSize], spec: ModelSpec, known: float | None = None
) -> PooledEstimate:
    """Pool by inverse variances, with a tau2 that is known or with their own."""
    y, v, scale = _scaled(effects)
    own = known is None
    tau2 = zeroed(tau2_of(y, v, spec.method)) if own else np.array([known / scale[0] ** 2])
    fits = {test: infer(y, v, tau2, test) for test in CORRECTIONS}
    fit = Fit(
        y=y[:, 0],
        v=v[:, 0],
        scale=float(scale[0]),
        tau2=float(tau2[0]),
        q=float(cochran_q(y, v)[0]),
        estimate=float(fits["z"][0][0]),
        errors={test: float(errors[0]) for test, (_, errors) in fits.items()},
    )
    return describe(fit, effects, spec)


def _own(
    effects: Sequence[EffectSize], spec: ModelSpec, tau2: float | None
) -> tuple[PooledEstimate | None, str]:
    """The estimate of a subgroup, or why two studies or more have none."""
    if len(effects) == 1:
        return None, ""
    try:
        if tau2 is None:
            return pool(effects, spec), ""
        made = _pool_effects(effects, spec, tau2)
        notes = (*made.notes, "tau2 is that which all subgroups share.")
        return replace(made, tau2_ci_lb=None, tau2_ci_ub=None, notes=notes), ""
    except PoolError as refused:
        return None, str(refused)


def _between(
    effects: Sequence[EffectSize], groups: Sequence[Subgroup], tau2: float
) -> SubgroupTest | None:
    """The test for subgroup differences: Q of the subgroups' estimates; `tau2` is a shared one."""
    if len(groups) < 2 or any(group.reason for group in groups):
        return None
    means, variances = zip(*(_normal(effects, group, tau2) for group in groups), strict=True)
    y, v = np.array(means), np.array(variances)
    y, v, _ = scaled(y[:, np.newaxis], v[:, np.newaxis])
    q = float(cochran_q(y, v)[0])
    df = len(groups) - 1
    return SubgroupTest(q, df, float(stats.chi2.sf(q, df)))


def _normal(effects: Sequence[EffectSize], group: Subgroup, tau2: float) -> tuple[float, float]:
    """A subgroup's estimate and its normal variance; of one study its yi, and vi with `tau2`."""
    own = [effects[i] for i in group.members]
    if group.pooled is None:
        return own[0].yi, own[0].vi + tau2
    if group.pooled.method in COUNT_MODELS:
        return group.pooled.estimate, group.pooled.se**2
    weights = [1 / (effect.vi + group.pooled.tau2) for effect in own]
    return group.pooled.estimate, 1 / sum(weights)
