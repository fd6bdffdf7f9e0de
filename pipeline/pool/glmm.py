"""Generalised linear mixed models of counts: odds ratios, rate ratios, proportions and rates.

They use the counts as printed; zero cells need no rule, and variances are not taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite, sqrt

import numpy as np

from pipeline.errors import PoolError
from pipeline.pool.describe import of_model
from pipeline.pool.glmm_counts import COLUMNS, refuse_separation, sampling_variances, usable
from pipeline.pool.laws import of_tau2
from pipeline.pool.linear import Array, intercept, wls
from pipeline.pool.mixed import Optimum, maximum
from pipeline.pool.quadrature import Model, binomial, hypergeometric, poisson
from pipeline.pool.saturated import HeterogeneityTests, heterogeneity
from pipeline.schema import PooledEstimate

#: The models of measures with two groups, by metafor's names; those with one group have one.
MODELS: Mapping[str, str] = {
    "UM.FS": "unconditional, fixed study effects",
    "UM.RS": "unconditional, random study effects",
    "CM.EL": "conditional, exact likelihood",
    "CM.AL": "conditional, approximate likelihood",
}

#: lme4's points of quadrature as metafor asks for them, and ours where metafor integrates freely.
_NODES = 7
_EXACT_NODES = 60

#: Beyond so many values of the counts effects are nearly normal, and fewer points do.
_MANY, _FEWER_NODES = 5e3, 21

#: Values of the counts over which an exact distribution is summed at most (some seconds).
_LARGEST_EXACT = 3e4

#: Standard deviations from which the likelihood is searched.
_STARTS = (0.5, 1.5)

#: A tau2 this small is the boundary 0: the scale is that of logits and logs.
_ZERO = 1e-10


@dataclass(frozen=True, slots=True)
class Glmm:
    """A pooled estimate of counts with what only these models give.

    `tests` are the Wald and likelihood-ratio tests of heterogeneity, against a model in which
    each study has its own effect; `pooled.q` is the latter. `sigma2` is the variance of random
    study effects (UM.RS), else None.
    """

    pooled: PooledEstimate
    model: str
    tests: HeterogeneityTests
    sigma2: float | None = None


def glmm(
    counts: Mapping[str, Array],
    measure: str,
    *,
    model: str = "UM.FS",
    method: str = "ML",
    test: str = "z",
    level: float = 0.95,
) -> Glmm:
    """Pool counts by a generalised linear mixed model with normal random effects.

    Parameters
    ----------
    counts : mapping of str to array of shape (k,)
        `ai bi ci di` for OR, `x1i t1i x2i t2i` for IRR, `xi mi` for PLO, `xi ti` for IRLN. Rows
        with a NaN are left out, and rows that say nothing about a ratio (no events in both
        groups, or nothing but events); both are named in the notes.
    measure : {"OR", "IRR", "PLO", "IRLN"}
        Log odds ratio, log rate ratio, logit of a proportion, log of a rate.
    model : {"UM.FS", "UM.RS", "CM.EL", "CM.AL"}
        Of OR and IRR; CM.AL of IRR is CM.EL. Ignored for PLO and IRLN.
    method : {"ML", "EE"}
        With or without heterogeneity between studies.
    test : {"z", "t"}
        The law of the test; t has k - 1 degrees of freedom.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    Glmm
        Marginal likelihoods are those of lme4 as metafor calls it: adaptive Gauss-Hermite with 7
        points, in UM.RS with ML Laplace's approximation. That of CM.EL for OR is exact (60
        points). Standard errors come from the Hessian of all parameters.

    Raises
    ------
    PoolError
        If a choice is unknown, a count is negative, fewer than two studies say something, or the
        estimate is infinite (separation).

    References
    ----------
    Stijnen, Hamza and Ozdemir (2010), *Stat Med* 29:3046; Jackson et al. (2018), *Stat Med*
    37:1059; coding of the random effect by +1/2 and -1/2: Turner et al. (2000), *Stat Med*
    19:3417. metafor: ``rma.glmm(measure=, model=, method=)``.
    """
    _check(measure, model, method, test)
    table, notes = usable(counts, measure)
    model = _model_code(measure, model)
    refuse_separation(table, measure, model)
    base = _base(table, measure, model, method)
    equal = maximum(base, *_start(base))
    fit, found = (equal, []) if method == "EE" else _random(base, equal, model)
    tests = heterogeneity(base, equal)
    sigma2 = float(fit.shared[2] ** 2) if model == "UM.RS" else None
    tau2 = None if method == "EE" else _tau2(fit)
    notes += found
    name = MODELS.get(model, "random effects of studies" if method == "ML" else "equal effects")
    notes.append(f"GLMM {model} ({name}), {method}." if model else f"GLMM ({name}), {method}.")
    pooled = _described(
        fit, tau2, tests, sampling_variances(table, measure), measure, test, level, tuple(notes)
    )
    return Glmm(pooled, model, tests, sigma2)


def _check(measure: str, model: str, method: str, test: str) -> None:
    """Refuse unknown choices."""
    choices = (
        ("measure", measure, COLUMNS),
        ("model", model, MODELS),
        ("method", method, ("ML", "EE")),
        ("test", test, ("z", "t")),
    )
    for name, value, known in choices:
        if value not in known:
            raise PoolError(f"A GLMM has no {name} {value!r}; known: {', '.join(known)}.")


def _model_code(measure: str, model: str) -> str:
    """The model that is fitted: none to choose with one group, one conditional model of rates."""
    if measure in ("PLO", "IRLN"):
        return ""
    return "CM.EL" if measure == "IRR" and model == "CM.AL" else model


def _base(table: Array, measure: str, model: str, method: str) -> Model:
    """The model with equal effects; random effects are added to it."""
    if model in ("UM.FS", "UM.RS"):
        return _unconditional(table, measure, model, method)
    one, none, y = np.ones((1, 1)), np.zeros((0, 1)), table[:1].T
    if measure == "OR" and model == "CM.EL":
        nodes = _EXACT_NODES if _values(table) < _MANY else _FEWER_NODES
        return Model(y, np.zeros_like(y), hypergeometric(*table), one, none, nodes=nodes)
    if measure == "IRLN":
        return Model(y, np.log(table[1:].T), poisson(y), one, none)
    if measure == "PLO":
        return Model(y, np.zeros_like(y), binomial(y, table.sum(axis=0)[:, np.newaxis]), one, none)
    # Events of group 1 among the events of both.
    a, _, c, _ = table
    size1, size2 = table[[1, 3]] if measure == "IRR" else (table[0] + table[1], table[2] + table[3])
    offset = np.log(size1 / size2)[:, np.newaxis]
    return Model(y, offset, binomial(y, (a + c)[:, np.newaxis]), one, none)


def _values(table: Array) -> float:
    """Over how many values the exact distributions sum; refuses too many."""
    a, b, c, d = table
    values = float((np.minimum(a + b, a + c) - np.maximum(0, a - d) + 1).sum())
    if values > _LARGEST_EXACT:
        raise PoolError(
            f"CM.EL sums over {values:.0f} values of these counts, more than {_LARGEST_EXACT:.0f}; "
            "with so many events UM.FS says nearly the same."
        )
    return values


def _unconditional(table: Array, measure: str, model: str, method: str) -> Model:
    """Events of both groups, with an effect of the study: its own coefficient or a random one."""
    y, other = table[[0, 2]].T, table[[1, 3]].T
    if measure == "OR":
        offset, family = np.zeros_like(y), binomial(y, y + other)
    else:
        offset, family = np.log(other), poisson(y)
    if model == "UM.FS":
        treated = np.array([[1.0, 0]])
        return Model(y, offset, family, treated, np.zeros((0, 2)), own=np.ones(2))
    # With two random effects lme4 has Laplace's approximation alone.
    nodes = 1 if method == "ML" else _NODES
    return Model(y, offset, family, np.array([[1.0, 0], [1, 1]]), np.ones((1, 2)), nodes=nodes)


def _start(base: Model) -> tuple[Array, Array]:
    """Parameters to begin the search of the model with equal effects."""
    k, q = base.y.shape[0], base.shared.shape[0]
    shared = np.append(np.zeros(q), np.full(base.random.shape[0], _STARTS[0]))
    if base.family.initial is None:
        return shared, np.zeros(k)
    level = (base.family.initial - base.offset).mean(axis=1)
    shared[q - 1] = np.median(level) if base.own is None else 0.0
    return shared, np.zeros(k) if base.own is None else level


def _random(base: Model, equal: Optimum, model: str) -> tuple[Optimum, list[str]]:
    """The higher maximum of the model with heterogeneity that the starts lead to, and a note."""
    effect = [0.5, -0.5] if model in ("UM.FS", "UM.RS") else [1.0]
    full = replace(base, random=np.vstack([base.random, [effect]]))
    found = (maximum(full, np.append(equal.shared, tau), equal.own) for tau in _STARTS)
    best = max(found, key=lambda fit: fit.loglik)
    return best, ["tau2 is estimated at its boundary, 0."] if _tau2(best) == 0 else []


def _tau2(fit: Optimum) -> float:
    """The variance between studies, exactly 0 at its boundary."""
    tau2 = float(fit.shared[-1] ** 2)
    return 0.0 if tau2 < _ZERO else tau2


def _described(
    fit: Optimum,
    tau2: float | None,
    tests: HeterogeneityTests,
    vi: Array,
    measure: str,
    test: str,
    level: float,
    notes: tuple[str, ...],
) -> PooledEstimate:
    """The fit as a pooled estimate."""
    k = vi.size
    fixed = wls(np.zeros((k, 1)), 1 / vi[:, np.newaxis], intercept(k))
    i2, h2 = of_tau2(np.array(tau2 or 0.0), fixed.typical[0])
    return of_model(
        measure,
        "GLMM",
        test,
        level,
        estimate=float(fit.shared[0]),
        se=_standard_error(fit),
        tau2=tau2,
        q=tests.q_lrt,
        q_df=tests.df,
        q_pval=tests.p_lrt,
        heterogeneity=(float(i2), float(h2)),
        k=k,
        notes=notes,
    )


def _standard_error(fit: Optimum) -> float:
    """The standard error of the first coefficient."""
    try:
        variance = float(np.linalg.inv(fit.information)[0, 0])
    except np.linalg.LinAlgError as error:
        raise PoolError("The information of the GLMM is singular.") from error
    if not (isfinite(variance) and variance > 0):
        raise PoolError(f"The GLMM gives no standard error: a variance of {variance:g}.")
    return sqrt(variance)
