"""Tables beside a meta-analysis: what one study does to it, and what small studies tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

from pipeline.config import ModelSpec
from pipeline.effects.formulas import Array
from pipeline.errors import PoolError
from pipeline.meta.result import Table
from pipeline.pool import bias, failsafe, influence, profile, robustness
from pipeline.pool.bias_counts import COUNT_TESTS, count_test
from pipeline.pool.henmi_copas import henmi_copas
from pipeline.pool.multilevel import three_level
from pipeline.pool.permutation import permutest
from pipeline.pool.ranks import ranktest
from pipeline.pool.robust import robust
from pipeline.pool.selection import selmodel
from pipeline.pool.trimfill import trimfill


@dataclass(frozen=True, slots=True)
class Pooled:
    """What was pooled, and how: a value a study; `order` is that of a cumulative analysis.

    `counts` are the studies' tables `ai bi ci di` where they have such, `ni` their sizes.
    """

    slab: tuple[str, ...]
    yi: Array
    vi: Array
    spec: ModelSpec
    order: tuple[int, ...]
    counts: Mapping[str, Array]
    ni: Array | None


def check(name: str, data: Pooled) -> Table:
    """Return one table; a method that the studies cannot carry leaves its refusal in it.

    Raises
    ------
    PoolError
        If there is no such table.
    """
    if name not in CHECKS:
        raise PoolError(f"Unknown table {name!r}; must be one of {', '.join(CHECKS)}.")
    return CHECKS[name](data)


def _loo(data: Pooled) -> Table:
    """The estimate without each study."""
    return _rows(data, robustness.leave1out(data.yi, data.vi, data.spec))


def _cumulative(data: Pooled) -> Table:
    """The estimate as studies were added."""
    return _rows(data, robustness.cumul(data.yi, data.vi, data.spec, data.order))


def _influence(data: Pooled) -> Table:
    """What each study does to the fit: metafor's influence, rstandard and baujat."""
    yi, vi, spec = data.yi, data.vi, data.spec
    rows = _rows(data, influence.influence(yi, vi, spec))
    residuals = influence.rstandard(yi, vi, spec)
    places = robustness.baujat(yi, vi, spec)
    for row, residual, place in zip(rows, residuals, places, strict=True):
        row |= {"resid": residual.resid, "resid_se": residual.se, "rstandard": residual.z}
        row |= {"baujat_x": place.x, "baujat_y": place.y}
    return rows


def _blup(data: Pooled) -> Table:
    """Each study's own effect, drawn towards the mean."""
    return _rows(data, influence.blup(data.yi, data.vi, data.spec))


def _gosh(data: Pooled) -> Table:
    """Estimates of subsets of the studies."""
    return [asdict(one) for one in robustness.gosh(data.yi, data.vi, data.spec)]


def _permutation(data: Pooled) -> Table:
    """The test of the estimate by changing signs."""
    return asdict(permutest(data.yi, data.vi, data.spec))


def _heterogeneity(data: Pooled) -> Table:
    """tau2, tau, I2 and H2 with profile-likelihood limits, and the standard error of tau2."""
    yi, vi, chosen = data.yi, data.vi, data.spec.method
    method = "ML" if chosen == "ML" else "REML"
    made = profile.profile_interval(yi, vi, method=method, level=data.spec.level)
    error = None if chosen == "EE" else profile.se_tau2(yi, vi, chosen)
    return asdict(made) | {"method": method, "se_tau2": error, "se_tau2_method": chosen}


def _bias(data: Pooled) -> Table:
    """Tests and corrections for small-study effects, each by its name."""
    yi, vi, spec = data.yi, data.vi, data.spec
    asked: dict[str, Callable[[], Any]] = {
        "egger": partial(bias.egger, yi, vi, level=spec.level),
        "regtest": partial(bias.regtest, yi, vi, spec),
        "thompson": partial(bias.thompson, yi, vi, spec),
        "pet_peese": partial(bias.pet_peese, yi, vi, level=spec.level),
        "ranktest": partial(ranktest, yi, vi),
        "trimfill_L0": partial(trimfill, yi, vi, spec, estimator="L0"),
        "trimfill_R0": partial(trimfill, yi, vi, spec, estimator="R0"),
        "selmodel": partial(selmodel, yi, vi, level=spec.level),
        "henmi_copas": partial(henmi_copas, yi, vi, level=spec.level),
        "tes": partial(failsafe.tes, yi, vi),
    }
    for name in ("Rosenthal", "Orwin", "Rosenberg"):
        asked[f"fsn_{name}"] = partial(failsafe.fsn, yi, vi, type=name)
    if data.ni is not None:
        asked["regtest_ni"] = partial(bias.regtest, yi, vi, spec, predictor="ni", ni=data.ni)
    if data.counts:
        cells = [data.counts[name] for name in ("ai", "bi", "ci", "di")]
        asked |= {name: partial(count_test, name, *cells) for name in COUNT_TESTS}
    return {name: _or_refusal(test) for name, test in asked.items()}


def clustered(data: Pooled, clusters: Sequence[str], tau2: float) -> dict[str, Table]:
    """Return the three-level model, and the estimate with cluster-robust errors."""
    spec = data.spec
    method, test = ("ML" if spec.method == "ML" else "REML"), ("z" if spec.test == "z" else "t")
    yi, vi, level = data.yi, data.vi, spec.level
    deep = partial(three_level, yi, vi, clusters, method=method, test=test, level=level)
    made = partial(robust, yi, vi, clusters, sigma2=(0.0, tau2), level=level)
    return {"three_level": _or_refusal(deep), "robust": _or_refusal(made)}


def _or_refusal(test: Callable[[], Any]) -> dict[str, Any]:
    """A result as plain values, or why there is none."""
    try:
        return asdict(test())
    except PoolError as refused:
        return {"refused": str(refused)}


def _rows(data: Pooled, results: Any) -> list[dict[str, Any]]:
    """Results of studies as rows with the study's name."""
    return [{"slab": data.slab[one.row], **asdict(one)} for one in results]


#: All tables by name.
CHECKS: Mapping[str, Callable[[Pooled], Table]] = MappingProxyType(
    {
        "loo": _loo,
        "cumulative": _cumulative,
        "influence": _influence,
        "bias": _bias,
        "blup": _blup,
        "gosh": _gosh,
        "permutation": _permutation,
        "heterogeneity": _heterogeneity,
    }
)
