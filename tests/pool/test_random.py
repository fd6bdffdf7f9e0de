"""Ten thousand small meta-analyses against a slow implementation that shares no code with ours."""

from __future__ import annotations

from math import fsum, isfinite, log, sqrt

import numpy as np
import pytest

from pipeline.config import ModelSpec
from pipeline.effects.formulas import escalc
from pipeline.pool.columns import Columns, fit_columns

SETS = 10_000
SIZES = range(2, 11)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, np.ndarray]]:
    """yi and vi, (studies, sets) for each k: half log odds ratios of tiny trials with zero cells,
    half effects whose variances differ up to a millionfold."""
    rng = np.random.default_rng(20261123)
    made = []
    for k in SIZES:
        sets = -(-SETS // len(SIZES))
        half = sets // 2
        n1, n2 = rng.integers(2, 13, (2, k * half))
        a, c = rng.binomial(n1, 0.6), rng.binomial(n2, 0.3)
        cells = {"ai": a, "bi": n1 - a, "ci": c, "di": n2 - c}
        yi, vi = escalc("OR", {name: cell.astype(float) for name, cell in cells.items()})
        wide = 10 ** rng.uniform(-3, 3, (k, sets - half))
        effects = rng.normal(0, np.sqrt(wide + rng.choice([0.0, 1.0, 100.0], sets - half)))
        y = np.concatenate([yi.reshape(k, half), effects], axis=1)
        made.append((y, np.concatenate([vi.reshape(k, half), wide], axis=1)))
    assert sum(y.shape[1] for y, _ in made) >= SETS
    return made


def loglik(y: list[float], v: list[float], tau2: float) -> float:
    """The restricted log-likelihood at tau2, but for a constant: Viechtbauer (2005), eq. 15."""
    w = [1 / (x + tau2) for x in v]
    mean = fsum(a * b for a, b in zip(w, y, strict=True)) / fsum(w)
    squares = fsum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True))
    return (fsum(log(a) for a in w) - log(fsum(w)) - squares) / 2


def moments(y: list[float], v: list[float]) -> dict[str, float]:
    """tau2 by DerSimonian and Laird, by Hedges, and by Hunter and Schmidt; from textbooks."""
    k, w = len(y), [1 / x for x in v]
    mean = fsum(a * b for a, b in zip(w, y, strict=True)) / fsum(w)
    q = fsum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True))
    plain = fsum(y) / k
    spread = fsum((b - plain) ** 2 for b in y) / (k - 1)
    c = fsum(w) - fsum(a * a for a in w) / fsum(w)
    return {
        "DL": max(0.0, (q - (k - 1)) / c),
        "HE": max(0.0, spread - fsum(v) / k),
        "HS": max(0.0, (q - k) / fsum(w)),
    }


def inference(y: list[float], v: list[float], tau2: float) -> tuple[float, float]:
    """The weighted mean and Hartung and Knapp's standard error, never below the normal one."""
    w = [1 / (x + tau2) for x in v]
    mean = fsum(a * b for a, b in zip(w, y, strict=True)) / fsum(w)
    scale = fsum(a * (b - mean) ** 2 for a, b in zip(w, y, strict=True)) / (len(y) - 1)
    return mean, sqrt(max(scale, 1.0) / fsum(w))


def finite(fit: Columns) -> bool:
    """Whether every number of every set is one, and every error positive."""
    numbers = (fit.estimate, fit.se, fit.tau2, fit.q, fit.i2, fit.h2, fit.pval, fit.q_pval)
    return all(np.isfinite(x).all() for x in numbers) and bool((fit.se > 0).all())


@pytest.mark.parametrize("method", ["REML", "ML", "DL", "HE", "HS", "HSk", "SJ", "EB", "PM", "EE"])
@pytest.mark.parametrize("test", ["z", "t", "knha", "adhoc"])
def test_no_set_gives_what_is_no_number(
    drawn: list[tuple[np.ndarray, np.ndarray]], method: str, test: str
) -> None:
    spec = ModelSpec.model_validate({"method": method, "test": test})
    assert all(finite(fit_columns(y, v, spec)) for y, v in drawn)


@pytest.mark.parametrize("method", ["DL", "HE", "HS"])
def test_closed_forms_agree_with_the_textbook(
    drawn: list[tuple[np.ndarray, np.ndarray]], method: str
) -> None:
    """Borenstein et al. (2009), eqs 12.2-12.5; Hedges and Olkin (1985), chapter 9. tau2 within
    1e-9 of the mean variance: differences of large numbers lose the rest."""
    spec = ModelSpec.model_validate({"method": method, "test": "adhoc"})
    for y, v in drawn:
        fit = fit_columns(y, v, spec)
        for j in range(y.shape[1]):
            ys, vs = y[:, j].tolist(), v[:, j].tolist()
            tau2 = moments(ys, vs)[method]
            assert fit.tau2[j] == pytest.approx(tau2, abs=1e-9 * (fsum(vs) / len(vs)), rel=1e-7)
            mean, se = inference(ys, vs, float(fit.tau2[j]))
            assert (fit.estimate[j], fit.se[j]) == pytest.approx((mean, se), rel=1e-8, abs=1e-9)


def test_no_tau2_is_likelier_than_reml(drawn: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """At 60 values of tau2 from 0 to far beyond the data the likelihood is not higher."""
    for y, v in drawn:
        fit = fit_columns(y, v, ModelSpec(test="adhoc"))
        for j in range(0, y.shape[1], 5):
            ys, vs = y[:, j].tolist(), v[:, j].tolist()
            best = loglik(ys, vs, float(fit.tau2[j]))
            top = 10 * (max(ys) - min(ys)) ** 2 + max(vs)
            others = [0.0, *np.geomspace(min(vs) / 100, top, 59)]
            assert isfinite(best)
            assert best >= max(loglik(ys, vs, float(t)) for t in others) - 1e-8
