"""Pools the counts that effect sizes carry: Mantel-Haenszel, Peto, and mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from pipeline.config import COUNT_MODELS, ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.counts import mantel_haenszel, peto
from pipeline.pool.glmm import glmm
from pipeline.pool.linear import Array
from pipeline.schema import EffectSize, PooledEstimate

#: metafor's model of a GLMM of two groups where none is named.
_GLMM_MODEL = "UM.FS"

_NAMES = {"MH": "Mantel-Haenszel", "PETO": "Peto's model", "GLMM": "A GLMM"}


def pool_counts(effects: Sequence[EffectSize], spec: ModelSpec) -> PooledEstimate:
    """Pool the counts of studies by a model of counts.

    Parameters
    ----------
    effects : sequence of EffectSize
        Two or more of one measure, each with its `counts`.
    spec : ModelSpec
        One of `COUNT_MODELS` with its level; the test is normal, for a GLMM also t.

    Returns
    -------
    PooledEstimate
        MH and PETO have no tau2, a GLMM no weights of studies; `k` counts the studies that say
        something.

    Raises
    ------
    PoolError
        If the model does not pool the measure, a study has no counts, or the counts give no
        estimate.

    References
    ----------
    metafor: ``rma.mh``, ``rma.peto``, ``rma.glmm``; see `pool.counts` and `pool.glmm`.
    """
    measure = effects[0].measure
    if measure not in COUNT_MODELS[spec.method]:
        known = ", ".join(COUNT_MODELS[spec.method])
        raise PoolError(f"{spec.method} pools {known}; not {measure}.")
    made = _fitted(effects, _columns(effects), spec)
    sizes = [effect.ni for effect in effects]
    n = None if None in sizes else sum(size for size in sizes if size)
    return replace(made, n=n, notes=(*_normal_test(spec), *made.notes))


def _fitted(
    effects: Sequence[EffectSize], table: Mapping[str, Array], spec: ModelSpec
) -> PooledEstimate:
    """The estimate of the named model."""
    if spec.method == "PETO":
        return peto(table, level=spec.level)
    measure = effects[0].measure
    if spec.method == "GLMM":
        test, model = ("t" if spec.test == "t" else "z"), spec.glmm_model or _GLMM_MODEL
        return glmm(table, measure, model=model, test=test, level=spec.level).pooled
    yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
    return mantel_haenszel(table, _where_said(table, yi), vi, measure, level=spec.level)


def _columns(effects: Sequence[EffectSize]) -> dict[str, Array]:
    """The counts of the studies by metafor's names."""
    for effect in effects:
        if not effect.counts:
            raise PoolError(f"{effect.slab} has no counts; a model of counts needs them.")
    rows = [dict(effect.counts) for effect in effects]
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def _where_said(table: Mapping[str, Array], yi: Array) -> Array:
    """The effects for Q; NaN where none, or all, of both arms have the event (metafor's drop00)."""
    if "ai" not in table:
        return yi
    a, b, c, d = (table[name] for name in ("ai", "bi", "ci", "di"))
    return np.where(((a == 0) & (c == 0)) | ((b == 0) & (d == 0)), np.nan, yi)


def _normal_test(spec: ModelSpec) -> tuple[str, ...]:
    """Why the test is not the one asked for."""
    if spec.test == "z" or (spec.test == "t" and spec.method == "GLMM"):
        return ()
    asked = "t" if spec.test == "t" else "Hartung-Knapp"
    return (f"{_NAMES[spec.method]} has no {asked} test; the interval is normal.",)
