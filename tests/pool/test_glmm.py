"""Mixed models of counts against metafor, an independent integration, and laws."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from pipeline.errors import PoolError
from pipeline.pool.glmm import COLUMNS, MODELS, glmm

#: Small trials of our own with zero cells, by columns ai bi ci di.
TRIALS = np.array(
    [
        [1, 24, 6, 19],
        [0, 40, 4, 37],
        [9, 51, 14, 44],
        [3, 17, 2, 20],
        [12, 88, 31, 70],
        [2, 33, 9, 27],
        [7, 20, 0, 25],
    ],
    dtype=float,
).T

#: The same as rates: events and person-time of two groups.
TIMES = np.array([[100, 120, 400, 60, 900, 210, 80], [110, 100, 380, 75, 870, 190, 90]], float)


def trials(table: np.ndarray = TRIALS) -> dict[str, np.ndarray]:
    return dict(zip(COLUMNS["OR"], table, strict=True))


def rates() -> dict[str, np.ndarray]:
    return dict(zip(COLUMNS["IRR"], (TRIALS[0], TIMES[0], TRIALS[2], TIMES[1]), strict=True))


def proportions() -> dict[str, np.ndarray]:
    return {"xi": TRIALS[0], "mi": TRIALS[1]}


@cache
def cases(shared: Path) -> dict[str, dict[str, Any]]:
    files = sorted((shared / "data" / "meta").glob("[!_I]*.json"))
    return {file.stem: json.loads(file.read_text()) for file in files}


def blocks(shared: Path) -> list[tuple[str, str, dict[str, Any], dict[str, np.ndarray]]]:
    """Every GLMM of the cases: case, name of the block, its numbers, the columns of counts."""
    found = []
    for case, data in cases(shared).items():
        for part in ("twobytwo", "rates", "proportion"):
            for key, block in data.get(part, {}).items():
                if key.startswith("GLMM") and "error" not in block:
                    found.append((case, key, block, columns(data, key.split("_")[1])))
    return found


def columns(data: dict[str, Any], measure: str) -> dict[str, np.ndarray]:
    names = data["escalc"]

    def column(name: str) -> np.ndarray:
        values = [row[names[name]] for row in data["raw"]]
        return np.array([np.nan if x is None else x for x in values], dtype=float)

    if measure == "PLO" and "mi" not in names:
        return {"xi": column("xi"), "mi": column("ni") - column("xi")}
    return {name: column(name) for name in COLUMNS[measure]}


def run(key: str, counts: dict[str, np.ndarray]) -> Any:
    return _run(key, tuple((name, tuple(column)) for name, column in counts.items()))


@cache
def _run(key: str, counts: tuple[tuple[str, tuple[float, ...]], ...]) -> Any:
    """Each fit once: three tests look at it, and some cases share their counts."""
    parts = key.split("_")
    model = parts[2] if parts[2] in MODELS else "UM.FS"
    columns = {name: np.array(column) for name, column in counts}
    return glmm(columns, parts[1], model=model, method=parts[-1])


#: Blocks that agree less than 1e-4, with how far: estimate and tau2, standard error.
#: UM.RS with ML: of nielweise2008 another Laplace approximation (Nelder-Mead, written apart) gives
#: our 0.2263, lme4 0.2233, at a likelihood 5e-7 below ours. Why is not known: R is not at hand.
#: Where lme4 warns that its Hessian failed it says it used another formula; elsewhere its
#: numerical derivatives are the likely cause, not a checked one.
#: CM.EL: exact moments (yusuf1985: 0.119334; metafor 0.119549) and a fine grid (higgins2008:
#: 0.40503; metafor 0.40616) give our standard errors; `test_exact_*` do the same on own counts.
LOOSE = {
    ("*", "UM.RS_ML"): (3e-4, 3.1e-3),
    ("*", "CM.EL_EE"): (1e-6, 2.5e-4),
    ("*", "CM.EL_ML"): (1e-5, 1.2e-3),
    # lme4: "Model failed to converge with max|grad| = 0.0089".
    ("nielweise2007_or", "UM.FS_ML"): (5e-4, 1e-4),
    # tau2 differs by 1.3e-4 (2e-4 of itself), estimate and standard error by less than 2e-5.
    ("higgins2008_rr", "UM.FS_ML"): (2e-4, 1e-4),
    ("linde2005_rr", "UM.FS_ML"): (2e-4, 1e-4),
}


NO_REFERENCE = {
    ("hahn2001_rr", "GLMM_OR_CM.EL_ML"),
    ("fleiss1993bin_or", "GLMM_OR_UM.RS_ML"),
}


def tolerances(case: str, key: str) -> tuple[float, float]:
    name = "_".join(key.split("_")[2:])
    return LOOSE.get((case, name)) or LOOSE.get(("*", name)) or (1e-4, 1e-4)


def test_agrees_with_metafor(shared: Path) -> None:
    """metafor 5.0-1, ``rma.glmm``: 126 fits of all models; 1e-4, or as LOOSE says.

    hahn2001 CM.EL ML is no reference: metafor warns of its standard error of 6e-7. In fleiss1993
    UM.RS ML lme4 ends in the lower of two maxima, by 0.006; ours, at tau2 = 0, is the higher.
    """
    checked = 0
    for case, key, block, counts in blocks(shared):
        if (case, key) in NO_REFERENCE:
            continue
        result, (near, se) = run(key, counts), tolerances(case, key)
        pooled, at = result.pooled, f"{case} {key}"
        assert pooled.estimate == pytest.approx(block["beta"], abs=near), at
        assert pooled.tau2 == pytest.approx(block["tau2"], abs=near), at
        assert pooled.se == pytest.approx(block["se"], abs=se), at
        assert pooled.ci_lb == pytest.approx(block["ci_lb"], abs=near + 2 * se), at
        assert pooled.ci_ub == pytest.approx(block["ci_ub"], abs=near + 2 * se), at
        assert pooled.k == block.get("k", pooled.k), at
        assert pooled.i2 == pytest.approx(block.get("I2", pooled.i2), abs=100 * near), at
        checked += 1
    assert checked >= 126


def test_likelihood_ratio_tests_agree_with_metafor(shared: Path) -> None:
    """QE.LRT: 1e-8, of UM.RS 1.5e-3: differences of two optima of lme4."""
    for case, key, block, counts in blocks(shared):
        if "QE_LRT" in block:
            near = 1.5e-3 if "UM.RS" in key else 1e-8
            tests = run(key, counts).tests
            assert tests.q_lrt == pytest.approx(block["QE_LRT"], abs=near), f"{case} {key}"


def test_wald_tests_agree_with_metafor(shared: Path) -> None:
    """QE.Wld: 2e-4 where R's ``glm`` fits the saturated model.

    Not compared: UM.RS and CM.EL. There zero cells make it depend on where a search of infinite
    effects stops; and of bcg, which has none, metafor's CM.EL gives 268.6 where conditional
    estimates with exact variances, found apart, give our 163.0895.
    """
    for case, key, block, counts in blocks(shared):
        if "QE_Wld" in block and "UM.RS" not in key and "CM.EL" not in key:
            tests = run(key, counts).tests
            assert tests.q_wald == pytest.approx(block["QE_Wld"], abs=2e-4), f"{case} {key}"


def exact_loglik(mu: float, tau: float) -> float:
    """The likelihood of CM.EL on a fine grid, by binomial coefficients."""
    u = np.linspace(-9, 9, 3001)
    total = 0.0
    for a, b, c, d in TRIALS.T:
        t = np.arange(max(0, a - d), min(a + b, a + c) + 1)
        weights = special.comb(a + b, t) * special.comb(c + d, a + c - t)
        odds = np.exp(mu + tau * u)
        p = weights[t == a] * odds**a / (weights @ odds ** t[:, None])
        total += np.log((p * stats.norm.pdf(u)).sum() * (u[1] - u[0]))
    return total


def test_exact_common_odds_ratio_has_the_exact_information() -> None:
    """CM.EL, EE: sum(a) equals its mean, and 1/se^2 its variance (SciPy's distribution)."""
    result = glmm(trials(), "OR", model="CM.EL", method="EE").pooled
    a, b, c, d = TRIALS
    law = stats.nchypergeom_fisher(a + b + c + d, a + c, a + b, np.exp(result.estimate))
    assert law.mean().sum() == pytest.approx(a.sum(), abs=1e-8)
    assert 1 / result.se**2 == pytest.approx(law.var().sum(), rel=1e-7)


def test_exact_random_odds_ratio_is_at_the_top_of_another_integration() -> None:
    """CM.EL, ML: slopes 0 and the same curvature on a fine grid."""
    result = glmm(trials(), "OR", model="CM.EL").pooled
    at = np.array([result.estimate, np.sqrt(result.tau2)])
    h = 0.01
    f = {(i, j): exact_loglik(*(at + h * np.array([i, j]))) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    slopes = [(f[1, 0] - f[-1, 0]) / (2 * h), (f[0, 1] - f[0, -1]) / (2 * h)]
    assert slopes == pytest.approx([0, 0], abs=1e-3)
    cross = (f[1, 1] + f[-1, -1] - f[1, -1] - f[-1, 1]) / (4 * h**2)
    top = 2 * f[0, 0]
    bend = [(f[1, 0] + f[-1, 0] - top) / h**2, (f[0, 1] + f[0, -1] - top) / h**2]
    covariance = np.linalg.inv(-np.array([[bend[0], cross], [cross, bend[1]]]))
    assert result.se == pytest.approx(np.sqrt(covariance[0, 0]), rel=1e-3)


@pytest.mark.parametrize("measure", ["PLO", "IRLN"])
def test_one_group_agrees_with_another_integration(measure: str) -> None:
    """ML: no mean or tau nearby is likelier, integrating by a fine grid of our own."""
    counts = proportions() if measure == "PLO" else {"xi": TRIALS[0], "ti": TIMES[0]}
    result = glmm(counts, measure).pooled
    grid = np.linspace(-9, 9, 4001)

    def loglik(mu: float, tau: float) -> float:
        eta = mu + tau * grid
        if measure == "PLO":
            n = TRIALS[:2].sum(axis=0)[:, None]
            densities = stats.binom.pmf(TRIALS[0][:, None], n, 1 / (1 + np.exp(-eta)))
        else:
            densities = stats.poisson.pmf(TRIALS[0][:, None], TIMES[0][:, None] * np.exp(eta))
        return float(np.log((densities * stats.norm.pdf(grid)).sum(axis=1)).sum())

    at = (result.estimate, np.sqrt(result.tau2))
    steps = [(0.02, 0), (-0.02, 0), (0, 0.02), (0, -0.02)]
    assert result.tau2 > 0
    assert all(loglik(at[0] + i, at[1] + j) < loglik(*at) for i, j in steps)


@pytest.mark.parametrize("model", ["UM.FS", "CM.EL"])
@pytest.mark.parametrize("method", ["EE", "ML"])
def test_swapping_the_groups_flips_the_sign(model: str, method: str) -> None:
    one = glmm(trials(), "OR", model=model, method=method).pooled
    two = glmm(trials(TRIALS[[2, 3, 0, 1]]), "OR", model=model, method=method).pooled
    assert two.estimate == pytest.approx(-one.estimate, abs=1e-6)
    assert (two.se, two.tau2) == pytest.approx((one.se, one.tau2), abs=1e-6)


def test_counting_the_others_flips_the_sign() -> None:
    one = glmm(proportions(), "PLO").pooled
    two = glmm({"xi": TRIALS[1], "mi": TRIALS[0]}, "PLO").pooled
    assert two.estimate == pytest.approx(-one.estimate, abs=1e-6)


@given(st.permutations(range(7)))
@settings(max_examples=5)
def test_the_order_of_studies_means_nothing(order: list[int]) -> None:
    one = glmm(trials(), "OR", model="CM.AL").pooled
    two = glmm(trials(TRIALS[:, order]), "OR", model="CM.AL").pooled
    assert two.estimate == pytest.approx(one.estimate, abs=1e-7)


def test_the_unit_of_time_moves_the_rate_not_its_heterogeneity() -> None:
    hours = glmm({"xi": TRIALS[2], "ti": TIMES[1]}, "IRLN").pooled
    days = glmm({"xi": TRIALS[2], "ti": TIMES[1] / 24}, "IRLN").pooled
    assert days.estimate == pytest.approx(hours.estimate + np.log(24), abs=1e-7)
    assert days.tau2 == pytest.approx(hours.tau2, abs=1e-7)


@pytest.mark.parametrize("model", ["UM.FS", "UM.RS", "CM.EL", "CM.AL"])
def test_rare_events_make_odds_and_rates_alike(model: str) -> None:
    """With a thousand times the patients an odds ratio is the ratio of events per patient."""
    n = TIMES * 1000
    table = np.array([TRIALS[0], n[0] - TRIALS[0], TRIALS[2], n[1] - TRIALS[2]])
    odds = glmm(trials(table), "OR", model=model).pooled
    same = dict(zip(COLUMNS["IRR"], (TRIALS[0], n[0], TRIALS[2], n[1]), strict=True))
    rate = glmm(same, "IRR", model=model).pooled
    assert odds.estimate == pytest.approx(rate.estimate, abs=2e-3)
    assert odds.tau2 == pytest.approx(rate.tau2, abs=5e-3)


def test_studies_that_say_nothing_are_left_out_and_named() -> None:
    more = np.column_stack([TRIALS, [0, 10, 0, 12], [np.nan, 1, 2, 3]])
    result = glmm(trials(more), "OR", model="CM.EL")
    assert result.pooled.k == 7
    assert result.pooled.estimate == glmm(trials(), "OR", model="CM.EL").pooled.estimate
    assert sum("Left out: 1 of 9" in note for note in result.pooled.notes) == 2


def test_homogeneous_studies_are_at_the_boundary_and_say_so() -> None:
    same = trials(np.array([[10, 90, 20, 80.0]] * 4).T)
    result = glmm(same, "OR").pooled
    equal = glmm(same, "OR", method="EE").pooled
    assert result.tau2 == 0
    assert any("boundary" in note for note in result.notes)
    assert result.estimate == pytest.approx(equal.estimate, abs=1e-8)


def test_the_model_is_named_in_the_notes() -> None:
    result = glmm(rates(), "IRR", model="CM.AL", test="t")
    assert (result.model, result.pooled.method, result.pooled.df) == ("CM.EL", "GLMM", 6)
    assert any("GLMM CM.EL" in note for note in result.pooled.notes)


@pytest.mark.parametrize(
    ("counts", "measure", "options", "message"),
    [
        (trials(), "RD", {}, "no measure 'RD'"),
        (trials(), "OR", {"model": "BV"}, "no model 'BV'"),
        (trials(), "OR", {"method": "REML"}, "no method 'REML'"),
        ({"xi": TRIALS[0]}, "PLO", {}, "needs mi"),
        (trials(TRIALS[:, :1]), "OR", {}, "needs 2 or more studies; got 1"),
        (trials(-TRIALS), "OR", {}, "must not be negative"),
        (trials(np.array([[0, 10, 2, 9], [0, 20, 3, 15.0]]).T), "OR", {}, "infinite"),
        (trials(TRIALS + 0.5), "OR", {}, "must be whole"),
        (trials(TRIALS * 1e6), "OR", {"model": "CM.EL"}, "UM.FS says nearly the same"),
        ({"xi": np.zeros(3), "mi": np.full(3, 9.0)}, "PLO", {}, "infinite"),
        ({"xi": np.zeros(3), "ti": np.full(3, 9.0)}, "IRLN", {}, "infinite"),
    ],
)
def test_refuses(counts: Any, measure: str, options: Any, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        glmm(counts, measure, **options)
