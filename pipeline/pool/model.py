"""Pools effect sizes of studies into one estimate, by subgroup, and with each left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.describe import Fit, describe
from pipeline.pool.estimators import CORRECTIONS, cochran_q, infer, tau2_of
from pipeline.pool.linear import Array
from pipeline.pool.scale import scaled, zeroed
from pipeline.schema import EffectSize, PooledEstimate, Sensitivity, Subgroup, SubgroupTest

_ONE_STUDY = "one study: shown without a diamond"


def pool(effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate:
    """Pool effect sizes of one measure.

    Parameters
    ----------
    effects : sequence of EffectSize
        Two or more, all of the same measure.
    spec : ModelSpec
        Estimator of tau2, test and confidence level.

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
    yi, vi = _arrays(effects)
    return _pool_columns(yi[:, np.newaxis], vi[:, np.newaxis], [effects], spec)[0]


def subgroups(
    effects: Sequence[EffectSize], spec: ModelSpec
) -> tuple[tuple[Subgroup, ...], SubgroupTest | None]:
    """Pool each subgroup on its own, with its own tau2, and test whether they differ.

    Parameters
    ----------
    effects : sequence of EffectSize
        Of one measure, each with the name of its subgroup; "" is shown as "not stated".
    spec : ModelSpec
        The model of each subgroup.

    Returns
    -------
    subgroups : tuple of Subgroup
        In the order of their first study; () if no effect has a subgroup. One of a single study
        has no estimate.
    test : SubgroupTest or None
        Q between the subgroups' estimates, weighted by their normal (not Hartung-Knapp)
        variances; a subgroup of one study enters with that study's yi and vi. None where there
        are fewer than two subgroups.

    References
    ----------
    Borenstein et al. (2009), *Introduction to Meta-Analysis*, chapter 19, "random-effects model
    with separate estimates of tau2".
    """
    if not any(effect.subgroup for effect in effects):
        return (), None
    _refuse_mixture(effects)
    members: dict[str, list[int]] = {}
    for i, effect in enumerate(effects):
        members.setdefault(effect.subgroup or "not stated", []).append(i)
    found = []
    for label, positions in members.items():
        own = [effects[i] for i in positions]
        pooled = pool(own, spec) if len(own) > 1 else None
        found.append(Subgroup(label, tuple(positions), pooled))
    return tuple(found), _between(effects, found)


def leave_one_out(effects: Sequence[EffectSize], spec: ModelSpec) -> tuple[Sensitivity, ...]:
    """Pool again without each study in turn.

    Parameters
    ----------
    effects : sequence of EffectSize
        Two or more, of one measure.
    spec : ModelSpec
        The model, the same for all.

    Returns
    -------
    tuple of Sensitivity
        "Without <study>", in the order of the effects; of two studies one is left, which is not
        pooled.

    Raises
    ------
    PoolError
        As of `pool`.
    """
    _refuse(effects)
    labels = [f"Without {effect.slab}" for effect in effects]
    k = len(effects)
    if k == 2:
        return tuple(Sensitivity(label, None, _ONE_STUDY) for label in labels)
    kept = [[j for j in range(k) if j != i] for i in range(k)]
    yi, vi = _arrays(effects)
    sets = [[effects[j] for j in rows] for rows in kept]
    pooled = _pool_columns(yi[kept].T, vi[kept].T, sets, spec)
    return tuple(Sensitivity(label, one) for label, one in zip(labels, pooled, strict=True))


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


def _arrays(effects: Sequence[EffectSize]) -> tuple[Array, Array]:
    """The effects as two vectors."""
    return np.array([e.yi for e in effects]), np.array([e.vi for e in effects])


def _pool_columns(
    y: Array, v: Array, sets: Sequence[Sequence[EffectSize]], spec: ModelSpec
) -> tuple[PooledEstimate, ...]:
    """Pool the columns of `y` and `v`, one of each set of effects, in one call of PyMARE.

    Each column is scaled to about 1 first and back afterwards: PyMARE's tolerances are absolute.
    """
    y, v, scale = scaled(y, v)
    tau2 = zeroed(tau2_of(y, v, spec.method))
    fits = {test: infer(y, v, tau2, test) for test in CORRECTIONS}
    means = fits["z"][0]
    q = cochran_q(y, v)
    columns = (
        Fit(
            y=y[:, i],
            v=v[:, i],
            scale=float(scale[i]),
            tau2=float(tau2[i]),
            q=float(q[i]),
            estimate=float(means[i]),
            errors={test: float(errors[i]) for test, (_, errors) in fits.items()},
        )
        for i in range(y.shape[1])
    )
    return tuple(describe(fit, own, spec) for fit, own in zip(columns, sets, strict=True))


def _between(effects: Sequence[EffectSize], groups: Sequence[Subgroup]) -> SubgroupTest | None:
    """The test for subgroup differences: Q of the subgroups' estimates."""
    if len(groups) < 2:
        return None
    means, variances = zip(*(_normal(effects, group) for group in groups), strict=True)
    y, v = np.array(means), np.array(variances)
    y, v, _ = scaled(y[:, np.newaxis], v[:, np.newaxis])
    q = float(cochran_q(y, v)[0])
    df = len(groups) - 1
    return SubgroupTest(q, df, float(stats.chi2.sf(q, df)))


def _normal(effects: Sequence[EffectSize], group: Subgroup) -> tuple[float, float]:
    """A subgroup's estimate and its normal variance 1/sum(w); of one study its yi and vi."""
    own = [effects[i] for i in group.members]
    if group.pooled is None:
        return own[0].yi, own[0].vi
    weights = [1 / (effect.vi + group.pooled.tau2) for effect in own]
    return group.pooled.estimate, 1 / sum(weights)
