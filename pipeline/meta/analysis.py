"""From a table of studies to effect sizes, and from these to a model and what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
from pydantic import ValidationError

from pipeline.config import COUNT_MODELS, ModelSpec
from pipeline.effects.formulas import FORMULAS, Rules
from pipeline.errors import InputError
from pipeline.meta.checks import Pooled, check, clustered
from pipeline.meta.counted import of_counts
from pipeline.meta.moderators import along, column_of, design
from pipeline.meta.monitor import Target, monitor
from pipeline.meta.result import MetaAnalysis, Table
from pipeline.meta.sensitivity import sensitivity
from pipeline.meta.studies import Studies, of_arms, of_studies
from pipeline.pool import pool, regression, subgroups
from pipeline.pool.bayes import bayes
from pipeline.pool.curve import curve, wald
from pipeline.pool.permutation import permutest_mods
from pipeline.pool.priors import tau_prior
from pipeline.schema import Regression

#: Other names of the equal-effects model.
_EQUAL = {"FE": "EE", "CE": "EE"}

#: Points of a curve.
_POINTS = 101

#: The table that a meta-regression may have beside it.
_PERMUTATION = "permutation"


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is wanted beside an estimate, as of `meta`."""

    checks: tuple[str, ...]
    subgroup: str | None
    common_tau2: bool
    cluster: str | None
    prior: str | None
    order: str | None
    target: Target | None

    def anything(self, but: Sequence[str]) -> bool:
        """Whether there is something, beside some checks."""
        checks = set(self.checks) - set(but)
        return bool(checks or self.columns() or self.prior or self.target)

    def columns(self) -> list[str]:
        """The columns that it takes."""
        return [name for name in (self.subgroup, self.cluster, self.order) if name]


def meta(
    table: pd.DataFrame,
    *,
    measure: str = "GEN",
    method: str = "REML",
    test: str = "knha",
    level: float = 0.95,
    mods: Sequence[str] = (),
    dose: str | None = None,
    arms: str | None = None,
    ri: float | None = None,
    subgroup: str | None = None,
    common_tau2: bool = False,
    cluster: str | None = None,
    prior: str | None = None,
    checks: Sequence[str] = (),
    order: str | None = None,
    target: Target | None = None,
    glmm_model: str = "UM.FS",
    rules: Rules = Rules(),  # noqa: B008
) -> MetaAnalysis:
    """Compute effect sizes of a table of studies and pool them.

    Parameters
    ----------
    table : DataFrame
        A row a study, columns by metafor's names (`ai bi ci di`, `m1i sd1i n1i` ..., `yi vi`),
        as numbers or as texts; `slab`, `study` or `author` name the studies.
    measure : str
        metafor's code; see `effects.formulas.FORMULAS`.
    method : str
        An estimator of tau2 (`pool.ESTIMATORS`; FE and CE are EE), or MH, PETO or GLMM.
    test : {"knha", "adhoc", "t", "z"}
        metafor's tests; equal effects, MH and PETO have the normal test.
    level : float
        Of all intervals.
    mods : sequence of str
        Moderators for a meta-regression, as of `meta.moderators.term`: columns; `factor(name)`
        for categories, `rcs(name, knots)` for a restricted cubic spline.
    dose : str, optional
        A moderator as of `mods`, with the curve of the effect over it as the table "curve".
    arms : str, optional
        The column that tells the studies of a table with a row an arm: what is pooled are the
        slopes over `dose` within the studies (`effects.formulas.trend`).
    ri : float, optional
        Correlation of two measurements of one patient, for rows without a column `ri`.
    subgroup : str, optional
        A column: each of its values is pooled on its own, and the differences are tested.
    common_tau2 : bool
        Whether the subgroups share one tau2.
    cluster : str, optional
        A column: effects with one value of it come from the same patients or place. A three-level
        model and cluster-robust errors (CR2) stand beside the estimate.
    prior : str, optional
        Of tau, e.g. "half-normal(0.5)": a Bayesian model stands beside the estimate.
    checks : sequence of str
        Tables beside the estimate: `meta.checks.CHECKS`; of a regression "permutation".
    order : str, optional
        The column by which studies are added in a cumulative analysis; else the table's order.
    target : Target, optional
        The smallest effect that matters: a trial sequential analysis stands beside the estimate.
    glmm_model : {"UM.FS", "UM.RS", "CM.EL", "CM.AL"}
        metafor's model of a GLMM of two groups.
    rules : Rules
        Zero cells and kinds of variance.

    Returns
    -------
    MetaAnalysis

    Raises
    ------
    InputError, EffectSizeError, PoolError
        For a missing column, an impossible value, a model that the studies cannot carry.
    """
    method = _EQUAL.get(method, method)
    spec = _spec(method, test, level)
    beside = _Beside(tuple(checks), subgroup, common_tau2, cluster, prior, order, target)
    studies = _studies(table, measure, rules, ri, arms, dose)
    mods = (*mods, dose) if dose and not arms else tuple(mods)
    _check_asked(beside, mods, method)
    base = studies.analysis([*map(column_of, mods), *beside.columns()])
    if method in COUNT_MODELS:
        return of_counts(base, studies.columns, method, rules, level, glmm_model)
    if len(base.used) < 2:
        said = f"{len(base.used)} of {len(base.slab)} studies can be pooled; a pool needs two"
        return replace(base, reason=said)
    if mods:
        return _regressed(base, studies, mods, spec, beside, None if arms else dose)
    return _pooled(base, studies, spec, beside)


def default_measure(table: pd.DataFrame) -> str:
    """Return GEN for a table with effects; else the measure must be named."""
    if "yi" in table.columns:
        return "GEN"
    raise InputError(f"The table has no yi: name a measure; one of {', '.join(FORMULAS)}.")


def _studies(
    table: pd.DataFrame,
    measure: str,
    rules: Rules,
    ri: float | None,
    arms: str | None,
    dose: str | None,
) -> Studies:
    """The studies of a table of studies, or of arms."""
    if arms is None:
        return of_studies(table, measure, rules, ri=ri)
    if dose is None or column_of(dose) != dose:
        raise InputError("The slopes of arms over a dose need its column: name it as dose.")
    return of_arms(table, measure, rules, arms, dose)


def _spec(method: str, test: str, level: float) -> ModelSpec:
    """The model; a count model has the normal test and no tau2."""
    try:
        if method in COUNT_MODELS:
            return ModelSpec(method="EE", test="z", level=level)
        return ModelSpec.model_validate({"method": method, "test": test, "level": level})
    except ValidationError as wrong:
        error = wrong.errors()[0]
        raise InputError(f"{error['loc'][0]} = {error['input']!r}: {error['msg']}.") from None


def _check_asked(beside: _Beside, mods: Sequence[str], method: str) -> None:
    """Refuse what does not stand beside a regression or a model of counts."""
    if method in COUNT_MODELS:
        if mods:
            raise InputError(f"{method} takes no moderators.")
        asked, over = beside.anything(but=()), method
    else:
        asked, over = bool(mods) and beside.anything(but=(_PERMUTATION,)), "moderators"
    if asked:
        raise InputError(
            "Tables and models beside an estimate are those of a pool of effect sizes; "
            f"they do not go with {over}."
        )


def _pooled(base: MetaAnalysis, studies: Studies, spec: ModelSpec, beside: _Beside) -> MetaAnalysis:
    """The pool of the effects, its subgroups, and the tables beside it."""
    effects = studies.effects(base.used, beside.subgroup)
    found, difference = subgroups(effects, spec, common_tau2=beside.common_tau2)
    pooled = pool(effects, spec)
    data = Pooled(
        slab=tuple(e.slab for e in effects),
        yi=np.array([e.yi for e in effects]),
        vi=np.array([e.vi for e in effects]),
        spec=_plain(spec),
        order=studies.order(base.used, beside.order),
        counts=base.counts,
        ni=studies.sizes(base.used),
    )
    tables = {name: check(name, data) for name in beside.checks}
    if beside.cluster:
        tables |= clustered(data, studies.cells(base.used, beside.cluster), pooled.tau2)
    if studies.filled:
        tables["sensitivity"] = [asdict(one) for one in sensitivity(studies, base.used, spec)]
    if beside.target:
        tables["sequential"] = monitor(studies, base.used, data.order, data.spec, beside.target)
    if beside.prior:
        made = bayes(data.yi, data.vi, tau_prior(beside.prior), level=spec.level)
        tables["bayes"] = asdict(made)
    return replace(base, pooled=pooled, subgroups=found, subgroup_test=difference, tables=tables)


def _regressed(
    base: MetaAnalysis,
    studies: Studies,
    mods: Sequence[str],
    spec: ModelSpec,
    beside: _Beside,
    dose: str | None,
) -> MetaAnalysis:
    """The regression of the effects, with the curve over a dose and the permutation test."""
    table = studies.table.iloc[list(base.used)].reset_index(drop=True)
    effects = studies.effects(base.used, None)
    matrix, names = design(table, mods)
    spec = _plain(spec)
    fit = regression(effects, matrix, names, spec)
    tables: dict[str, Table] = {}
    if dose:
        tables["curve"] = _curve(fit, table, mods, dose)
    if beside.checks:
        yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
        tables[_PERMUTATION] = asdict(permutest_mods(yi, vi, matrix, spec))
    return replace(base, regression=fit, tables=tables)


def _curve(fit: Regression, table: pd.DataFrame, mods: Sequence[str], dose: str) -> Table:
    """The effect along a dose, its knots, and the test of a straight line."""
    path = along(table, mods, dose, _POINTS)
    bent = asdict(wald(fit, path.bends)) if path.bends else None
    points = [asdict(point) for point in curve(fit, path.x, path.designs)]
    over = path.term
    at = path.values.tolist()
    return {
        "over": over.name,
        "knots": over.knots,
        "at": at,
        "nonlinearity": bent,
        "points": points,
    }


def _plain(spec: ModelSpec) -> ModelSpec:
    """The model of a regression: with equal effects the test is the normal one, as in a pool."""
    if spec.method == "EE" and spec.test in ("knha", "adhoc"):
        return spec.model_copy(update={"test": "z"})
    return spec
