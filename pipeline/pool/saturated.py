"""Tests of heterogeneity of models of counts: each study its own effect, or the same for all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from pipeline.pool.linear import Array
from pipeline.pool.mixed import Optimum, maximum
from pipeline.pool.quadrature import Model

#: R's ``glm`` ends when a step moves the deviance by less than this share, or after so many steps.
_EPSILON = 1e-8
_STEPS = 25


@dataclass(frozen=True, slots=True)
class HeterogeneityTests:
    """Wald (`q_wald`) and likelihood-ratio (`q_lrt`) tests of heterogeneity with their p values.

    The Wald test is not to be trusted where studies have zero cells: their own effects are
    infinite, and what they add depends on where a search of them stops.
    """

    q_wald: float
    p_wald: float
    q_lrt: float
    p_lrt: float
    df: int


def heterogeneity(model: Model, equal: Optimum) -> HeterogeneityTests:
    """Test the model with equal effects against one with an effect of each study.

    References
    ----------
    metafor: ``rma.glmm``, QE.Wld and QE.LRT. The Wald statistic of closed forms is taken where
    R's ``glm`` stops, so that studies with zero cells add what they add there.
    """
    k = model.y.shape[0]
    if model.random.shape[0] == 0 and model.family.saturated is not None:
        loglik = float(model.family.saturated.sum())
        effects, covariance = _saturated(model)
    else:
        fitted = _own_effects(model, equal)
        loglik = fitted.loglik
        effects, covariance = _finite(fitted)
    wald = _equality(effects, covariance)
    ratio = max(2 * (loglik - equal.loglik), 0.0)
    df = k - 1
    p_wald, p_lrt = (float(stats.chi2.sf(q, df)) for q in (wald, ratio))
    return HeterogeneityTests(wald, p_wald, ratio, p_lrt, df)


def _saturated(model: Model) -> tuple[Array, Array]:
    """Effects of studies and their covariance: scoring of the saturated model as R's ``glm``."""
    if model.family.initial is None or model.family.saturated is None:
        raise ValueError("This family has no closed form.")
    eta, best = model.family.initial, model.family.saturated.sum()
    deviance = np.inf
    for _ in range(_STEPS):
        _, mean, weight = (x[..., 0] for x in model.family.cumulant(eta[..., np.newaxis]))
        eta = eta + (model.y - mean) / weight
        value, _, _ = model.family.cumulant(eta[..., np.newaxis])
        before, deviance = deviance, 2 * (best - (model.y * eta - value[..., 0]).sum())
        if abs(deviance - before) / (abs(deviance) + 0.1) < _EPSILON:
            break
    sign = np.array([1.0, -1.0])[: eta.shape[1]]
    return (eta - model.offset) @ sign, np.diag((1 / weight).sum(axis=1))


def _own_effects(model: Model, equal: Optimum) -> Optimum:
    """The model in which each study has its own effect instead of the shared one."""
    treated = model.shared[0]
    alone = replace(model, shared=model.shared[1:], own=treated)
    return maximum(alone, equal.shared[1:], np.full(model.y.shape[0], equal.shared[0]))


def _finite(fitted: Optimum) -> tuple[Array, Array]:
    """The finite effects of studies and their covariance."""
    finite = np.isfinite(fitted.own_information)
    diagonal = 1 / fitted.own_information[finite]
    covariance = np.diag(diagonal)
    if fitted.shared.size:
        share = fitted.cross[finite] * diagonal[:, np.newaxis]
        covariance = covariance + share @ np.linalg.pinv(fitted.information) @ share.T
    return fitted.own[finite], covariance


def _equality(effects: Array, covariance: Array) -> float:
    """The Wald statistic of the hypothesis that all effects are equal."""
    if effects.size < 2:
        return 0.0
    contrast = np.diff(np.eye(effects.size), axis=0)
    away = contrast @ effects
    return max(float(away @ np.linalg.solve(contrast @ covariance @ contrast.T, away)), 0.0)
