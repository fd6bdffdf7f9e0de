"""Asks whether small studies show larger effects: regression tests of funnel plots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.columns import checked, usable_test
from pipeline.pool.estimators import tau2_of
from pipeline.pool.laws import quantile, two_sided
from pipeline.pool.linear import Array, Linear, wls
from pipeline.pool.scale import scaled, zeroed

#: Below so many studies a test of asymmetry tells little (Cochrane Handbook 13.3.5.4).
FEW = 10

#: A predictor that varies less than this, as a share of its size, is constant.
_CONSTANT = 1e-9

#: A residual mean square, of scaled effects, that comes from rounding errors alone.
_ON_A_LINE = 1e-24

#: Each predictor of `regtest` from vi and ni; the name is metafor's.
PREDICTORS: Mapping[str, Callable[[Array, Array], Array]] = {
    "sei": lambda vi, ni: np.sqrt(vi),
    "vi": lambda vi, ni: vi,
    "ni": lambda vi, ni: ni,
    "ninv": lambda vi, ni: 1 / ni,
    "sqrtni": lambda vi, ni: np.sqrt(ni),
    "sqrtninv": lambda vi, ni: 1 / np.sqrt(ni),
}

#: Predictors that are 0 in an endless study, so that the intercept is the effect there.
_VANISH = ("sei", "vi", "ninv", "sqrtninv")


@dataclass(frozen=True, slots=True)
class RegTest:
    """A regression test of asymmetry: metafor's ``regtest``.

    `slope` with `slope_se` is how the effect changes with the predictor, `stat` and `pval` test
    it; `df` is None where the test is normal. `est`, `ci_lb`, `ci_ub` are the effect where the
    predictor is 0, None for predictors that never are. `tau2` is None in the model "lm".
    """

    model: str
    predictor: str
    k: int
    stat: float
    df: int | None
    pval: float
    slope: float
    slope_se: float
    est: float | None
    est_se: float | None
    est_pval: float | None
    ci_lb: float | None
    ci_ub: float | None
    tau2: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PetPeese:
    """The precision-effect test and estimate: `pet` on standard errors, `peese` on variances.

    `preferred` is "peese" where PET finds an effect (one-sided p < 0.05), else "pet"; `estimate`
    with its limits is that model's.
    """

    pet: RegTest
    peese: RegTest
    preferred: str
    estimate: float
    ci_lb: float
    ci_ub: float
    notes: tuple[str, ...] = ()


def few(k: int) -> tuple[str, ...]:
    """The warning that a test of asymmetry of k studies deserves."""
    if k >= FEW:
        return ()
    return (
        f"{k} studies are too few to tell an asymmetric funnel from chance; "
        f"such tests want {FEW} or more.",
    )


def regtest(
    yi: Array,
    vi: Array,
    spec: ModelSpec,
    *,
    predictor: str = "sei",
    model: str = "rma",
    ni: Array | None = None,
) -> RegTest:
    """Test whether the effect changes with the size of the study.

    Parameters
    ----------
    yi, vi : arrays of shape (k,)
        Effects and sampling variances, three or more.
    spec : ModelSpec
        Method, test and level; of them "lm" uses the level alone.
    predictor : {"sei", "vi", "ni", "ninv", "sqrtni", "sqrtninv"}
        What stands for the size of the study.
    model : {"rma", "lm"}
        A meta-regression with tau2, or weighted least squares whose variance is scaled by the
        residual mean square and tested by t: with "sei" that is Egger's test.
    ni : array of shape (k,), optional
        Participants, needed by the predictors named after them.

    Raises
    ------
    PoolError
        If there are fewer than three studies, or the predictor is unknown, absent or constant.

    References
    ----------
    Egger et al. (1997), *BMJ* 315:629; Sterne and Egger (2005), in *Publication Bias in
    Meta-Analysis*, chapter 6; limit estimate: Moreno et al. (2009), *BMC Med Res Methodol* 9:2.
    metafor: ``regtest(model=, predictor=)``.
    """
    yi, vi = checked(yi, vi, 3, "A regression test of asymmetry")
    x = _predictor(predictor, vi, ni)
    y, v, scale = scaled(yi[:, np.newaxis], vi[:, np.newaxis])
    design = np.column_stack([np.ones(yi.size), x / np.abs(x).max()])
    tau2 = np.zeros(1) if model == "lm" else zeroed(tau2_of(y, v, spec.method, design))
    fit = wls(y, 1 / (v + tau2), design)
    test = "knha" if model == "lm" else usable_test(spec)
    fitted = _Line(fit, test, float(scale[0]), float(np.abs(x).max()))
    return _reported(fitted, model, predictor, None if model == "lm" else tau2[0], spec.level)


def _predictor(name: str, vi: Array, ni: Array | None) -> Array:
    """The values of a predictor, or why there are none."""
    if name not in PREDICTORS:
        raise PoolError(f"Unknown predictor {name!r}; must be one of {', '.join(PREDICTORS)}.")
    if ni is None and "ni" in name:
        raise PoolError(f"The predictor {name} needs the participants ni of each study.")
    known = vi if ni is None else np.asarray(ni, dtype=float)
    if known.shape != vi.shape or not (np.isfinite(known).all() and (known > 0).all()):
        raise PoolError(f"The predictor {name} needs a positive ni of each study.")
    x = PREDICTORS[name](vi, known)
    if np.ptp(x) <= _CONSTANT * np.abs(x).max():
        raise PoolError(f"The predictor {name} does not vary over the {vi.size} studies.")
    return x


@dataclass(frozen=True, slots=True)
class _Line:
    """A fitted line of one data set: y divided by `scale`, the predictor by `size`."""

    fit: Linear
    test: str
    scale: float
    size: float

    @property
    def df(self) -> int:
        """Studies less coefficients."""
        return int(self.fit.x.shape[0]) - 2

    def se(self, i: int) -> float:
        """The standard error of a coefficient by the named test."""
        mean_square = float(self.fit.q[0]) / self.df
        if mean_square < _ON_A_LINE:
            mean_square = 0.0
        factor = {"knha": mean_square, "adhoc": max(mean_square, 1.0)}.get(self.test, 1.0)
        return float(np.sqrt(self.fit.cov[0, i, i] * factor))


def _reported(line: _Line, model: str, predictor: str, tau2: float | None, level: float) -> RegTest:
    """A fitted line as a `RegTest`."""
    df = None if line.test == "z" else line.df
    limit, slope = (float(b) for b in line.fit.beta[0])
    ses = line.se(0), line.se(1)
    if not min(ses) > 0:
        raise PoolError("The effects lie on a line: asymmetry has no standard error to test.")
    stat = slope / ses[1]
    half = quantile(df, level) * ses[0]
    pvals = two_sided(np.array([limit / ses[0], stat]), df)
    vanishes = predictor in _VANISH
    s = line.scale
    return RegTest(
        model=model,
        predictor=predictor,
        k=line.fit.x.shape[0],
        stat=stat,
        df=df,
        pval=float(pvals[1]),
        slope=slope * s / line.size,
        slope_se=ses[1] * s / line.size,
        est=limit * s if vanishes else None,
        est_se=ses[0] * s if vanishes else None,
        est_pval=float(pvals[0]) if vanishes else None,
        ci_lb=(limit - half) * s if vanishes else None,
        ci_ub=(limit + half) * s if vanishes else None,
        tau2=None if tau2 is None else float(tau2) * s**2,
        notes=few(line.fit.x.shape[0]),
    )


def egger(yi: Array, vi: Array, *, level: float = 0.95) -> RegTest:
    """Egger's test as first published: `slope` is the bias, `est` the slope of the radial plot.

    References
    ----------
    Egger, Davey Smith, Schneider and Minder (1997), *BMJ* 315:629: yi / sei on 1 / sei, whose
    intercept is the slope of this weighted regression on sei. metafor: ``regtest(model="lm")``;
    meta: ``metabias(method.bias="Egger")``.
    """
    return regtest(yi, vi, ModelSpec(level=level), model="lm")


def thompson(yi: Array, vi: Array, spec: ModelSpec) -> RegTest:
    """Thompson and Sharp's test: a meta-regression on the standard errors, tested by t.

    References
    ----------
    Thompson and Sharp (1999), *Stat Med* 18:2693. meta: ``metabias(method.bias="Thompson")``.
    """
    return regtest(yi, vi, spec.model_copy(update={"test": "t"}))


def pet_peese(yi: Array, vi: Array, *, level: float = 0.95) -> PetPeese:
    """Return the effect that an endless study would show, by PET and PEESE.

    References
    ----------
    Stanley and Doucouliagos (2014), *Res Synth Methods* 5:60.
    """
    spec = ModelSpec(level=level)
    pet = regtest(yi, vi, spec, model="lm")
    peese = regtest(yi, vi, spec, model="lm", predictor="vi")
    # One-sided p < 0.05 in the direction of the effect is two-sided p < 0.10.
    found = pet.est_pval is not None and pet.est_pval < 0.10
    chosen = peese if found else pet
    if chosen.est is None or chosen.ci_lb is None or chosen.ci_ub is None:
        raise PoolError("PET-PEESE has no estimate of an endless study.")
    return PetPeese(
        pet=pet,
        peese=peese,
        preferred="peese" if found else "pet",
        estimate=chosen.est,
        ci_lb=chosen.ci_lb,
        ci_ub=chosen.ci_ub,
        notes=pet.notes,
    )
