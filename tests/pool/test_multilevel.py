"""Three-level models and cluster-robust errors against metafor, dense matrices, and laws."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from pipeline.errors import PoolError
from pipeline.pool.estimators import tau2_of
from pipeline.pool.multilevel import three_level
from pipeline.pool.nested import nested
from pipeline.pool.robust import robust

#: Which columns of the raw data name the cluster of an effect.
CLUSTERS = {
    "konstantopoulos2011_3level": ("district",),
    "curtis1998_rom": ("paper",),
    "greenland1992_gen": ("author", "year"),
}

#: Effects of our own: six reports, some with several studies, some of these with several effects.
YI = np.array([0.2, 0.3, 0.9, 0.4, -0.1, 0.1, 0.7, 0.9, 0.6, 1.4, 0.5, -0.4, 0.0, 0.3])
VI = np.array([4, 6, 5, 3, 8, 2, 6, 4, 5, 9, 3, 4, 7, 5]) / 100
REPORT = list("aaabbccccddeff")
STUDY = [1, 1, 2, 1, 2, 1, 1, 2, 3, 1, 2, 1, 1, 1]
DOSE = np.array([1, 2, 1, 2, 3, 1, 1, 2, 2, 3, 1, 1, 2, 3.0])


def case(shared: Path, name: str) -> tuple[dict[str, Any], np.ndarray, np.ndarray, list[Any]]:
    data = json.loads((shared / "data" / "meta" / f"{name}.json").read_text())
    rows = data["used"]
    yi, vi = (np.array([data[c][i] for i in rows]) for c in ("yi", "vi"))
    return data, yi, vi, [tuple(data["raw"][i][c] for c in CLUSTERS[name]) for i in rows]


def dense(between: float, within: float) -> np.ndarray:
    """The covariance of our own effects, element by element."""
    k = YI.size
    m = np.diag(VI)
    for i in range(k):
        for j in range(k):
            same = REPORT[i] == REPORT[j]
            m[i, j] += between * same + within * (same and STUDY[i] == STUDY[j])
    return m


def dense_loglik(sigma2: np.ndarray, x: np.ndarray, *, restricted: bool) -> float:
    """metafor's log-likelihood, from whole matrices."""
    m = dense(*sigma2)
    inverse = np.linalg.inv(m)
    information = x.T @ inverse @ x
    beta = np.linalg.solve(information, x.T @ inverse @ YI)
    rest = YI - x @ beta
    value = np.linalg.slogdet(m)[1] + rest @ inverse @ rest
    n = YI.size
    if restricted:
        n -= x.shape[1]
        value += np.linalg.slogdet(information)[1] - np.linalg.slogdet(x.T @ x)[1]
    return float(-(value + n * np.log(2 * np.pi)) / 2)


@pytest.mark.parametrize("name", ["konstantopoulos2011_3level", "curtis1998_rom"])
def test_three_levels_agree_with_metafor(shared: Path, name: str) -> None:
    """metafor 5.0-1, ``rma.mv(yi, vi, random = ~ 1 | cluster/study, dfs="contain")``: 1e-7."""
    data, yi, vi, clusters = case(shared, name)
    block = data["multilevel"]["rma_mv_3level_REML_t"]
    result = three_level(yi, vi, clusters)
    only = result.coefficients[0]
    found = (only.estimate, only.se, only.df, only.pval, only.ci_lb, only.ci_ub)
    expected = tuple(block[x] for x in ("beta", "se", "ddf", "pval", "ci_lb", "ci_ub"))
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-8)
    assert result.sigma2 == pytest.approx(block["sigma2"], abs=1e-8)
    assert result.q == pytest.approx(block["QE"], rel=1e-10)
    assert result.loglik == pytest.approx(block["logLik_REML"], abs=1e-10)
    assert result.k == block["k"]


def test_konstantopoulos_as_printed(shared: Path) -> None:
    """metafor-project.org, "Konstantopoulos (2011)": estimate 0.1847, se 0.0846, z 2.1845,
    p 0.0289, CI 0.0190 to 0.3504; sigma2 0.0651 and 0.0327; logLik -7.9587; Q(55) 578.8640."""
    _, yi, vi, clusters = case(shared, "konstantopoulos2011_3level")
    result = three_level(yi, vi, clusters, test="z")
    only = result.coefficients[0]
    found = (only.estimate, only.se, only.stat, only.pval, only.ci_lb, only.ci_ub)
    assert found == pytest.approx((0.1847, 0.0846, 2.1845, 0.0289, 0.0190, 0.3504), abs=5e-5)
    assert result.sigma2 == pytest.approx((0.0651, 0.0327), abs=5e-5)
    assert (result.loglik, result.q) == pytest.approx((-7.9587, 578.8640), abs=5e-5)
    assert (result.q_df, only.df) == (55, None)


def test_profile_intervals_agree_with_metafor(shared: Path) -> None:
    """``confint(rma.mv())``: 2e-5, the tolerance of R's ``uniroot``; metafor finds four of eight
    limits and warns of convergence problems for the others."""
    checked = 0
    for name in ("konstantopoulos2011_3level", "curtis1998_rom"):
        data, yi, vi, clusters = case(shared, name)
        found = three_level(yi, vi, clusters, profile=True).sigma2_ci
        assert found is not None
        for limits, key in zip(found, ("sigma2_1", "sigma2_2"), strict=True):
            for limit, expected in zip(
                limits, data["multilevel"]["profile_ci_sigma2"][key][1:], strict=True
            ):
                if expected is not None:
                    assert limit == pytest.approx(expected, abs=2e-5), (name, key)
                    checked += 1
    assert checked == 4


def test_robust_errors_agree_with_metafor_and_club_sandwich(shared: Path) -> None:
    """``robust()`` of EE, DL and REML, CR0 CR1 CR2: 1e-9 given tau2; three levels 3e-6."""
    checked = 0
    for name in CLUSTERS:
        data, yi, vi, clusters = case(shared, name)
        fits: list[tuple[str, Any, tuple[float, float], float]] = []
        for key, block in data["robust"].items():
            tau2 = float(tau2_of(yi[:, None], vi[:, None], key[4:])[0])
            fits.append((key[:3], block, (0.0, tau2), 1e-9))
        if "multilevel" in data:
            sigma2 = three_level(yi, vi, clusters).sigma2
            for adjustment in ("CR1", "CR2"):
                block = data["multilevel"][f"robust_{adjustment}_3level"]
                fits.append((adjustment, block, sigma2, 3e-6))
        for adjustment, block, sigma2, near in fits:
            only = robust(yi, vi, clusters, sigma2=sigma2, adjustment=adjustment).coefficients[0]
            found = (only.estimate, only.se, only.df, only.pval, only.ci_lb, only.ci_ub)
            expected = tuple(block[x] for x in ("beta", "se", "ddf", "pval", "ci_lb", "ci_ub"))
            assert found == pytest.approx(expected, rel=near), (name, adjustment)
            checked += 1
    assert checked == 31


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("moderated", [False, True])
def test_the_maximum_is_that_of_whole_matrices(method: str, *, moderated: bool) -> None:
    """Another search (Nelder-Mead) of another likelihood (dense) ends at the same place."""
    x = np.column_stack([np.ones(14), DOSE]) if moderated else np.ones((14, 1))
    names = ("intercept", "dose")[: x.shape[1]]
    result = three_level(YI, VI, REPORT, studies=STUDY, x=x, names=names, method=method)
    restricted = method == "REML"
    best = optimize.minimize(
        lambda p: -dense_loglik(p**2, x, restricted=restricted),
        np.array([0.3, 0.3]),
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-13, "maxiter": 4000},
    )
    assert result.loglik == pytest.approx(-best.fun, abs=1e-9)
    assert result.sigma2 == pytest.approx(best.x**2, abs=1e-6)
    inverse = np.linalg.inv(dense(*result.sigma2))
    covariance = np.linalg.inv(x.T @ inverse @ x)
    assert np.array(result.vcov) == pytest.approx(covariance, rel=1e-9)
    beta = [c.estimate for c in result.coefficients]
    assert beta == pytest.approx(covariance @ x.T @ inverse @ YI, rel=1e-9)


def test_the_closed_form_of_the_covariance_is_its_inverse() -> None:
    nesting = nested(VI, REPORT, STUDY)
    z = np.column_stack([np.ones(14), YI])
    product, determinant = nesting.moments(z, 0.3, 0.2)
    m = dense(0.3, 0.2)
    assert product == pytest.approx(z.T @ np.linalg.inv(m) @ z, rel=1e-12)
    assert determinant == pytest.approx(np.linalg.slogdet(m)[1], rel=1e-12)


def test_degrees_of_freedom_are_contained() -> None:
    """6 reports less 2 for what is the same within reports, 14 effects less 2 for the dose."""
    x = np.column_stack([np.ones(14), DOSE])
    result = three_level(YI, VI, REPORT, x=x, names=("intercept", "dose"))
    assert [c.df for c in result.coefficients] == [4, 12]


def test_shares_and_prediction_follow_the_variances() -> None:
    result = three_level(YI, VI, REPORT, studies=STUDY)
    assert sum(result.i2_levels) == pytest.approx(result.i2)
    only = result.coefficients[0]
    assert result.pi_lb is not None
    assert only.df is not None
    half = stats.t.ppf(0.975, only.df) * np.sqrt(sum(result.sigma2) + only.se**2)
    assert only.estimate - result.pi_lb == pytest.approx(half)


def test_profile_limits_are_where_the_dense_likelihood_has_fallen() -> None:
    result = three_level(YI, VI, REPORT, profile=True)
    assert result.sigma2_ci is not None
    low, high = result.sigma2_ci[0]
    assert low == 0
    assert high is not None
    nesting = nested(VI, REPORT)
    m = [nesting.block(i, high, 0.0)[1].shape[0] for i in range(6)]
    assert sum(m) == 14
    ones = np.ones((14, 1))

    def loglik(between: float, within: float) -> float:
        whole = np.diag(VI + within) + between * np.equal.outer(REPORT, REPORT)
        inverse = np.linalg.inv(whole)
        information = float(ones[:, 0] @ inverse @ ones[:, 0])
        rest = YI - ones[:, 0] @ inverse @ YI / information
        value = np.linalg.slogdet(whole)[1] + np.log(information) + rest @ inverse @ rest
        return float(-value / 2)

    best = optimize.minimize_scalar(
        lambda w: -loglik(high, w), bounds=(0, 2), method="bounded", options={"xatol": 1e-10}
    )
    drop = 2 * (loglik(*result.sigma2) + best.fun)
    assert drop == pytest.approx(stats.chi2.ppf(0.95, 1), abs=1e-5)


def test_balanced_clusters_have_the_error_of_their_means() -> None:
    """CR2 with equal weights and sizes: the variance of the cluster means over J, J - 1 df."""
    y, clusters = np.arange(12.0) ** 1.5, np.repeat([1, 2, 3, 4], 3)
    only = robust(y, np.ones(12), list(clusters)).coefficients[0]
    means = y.reshape(4, 3).mean(axis=1)
    assert only.se == pytest.approx(np.sqrt(means.var(ddof=1) / 4), rel=1e-12)
    assert only.df == pytest.approx(3, rel=1e-12)


def test_robust_errors_of_a_regression_agree_with_whole_matrices() -> None:
    """Pustejovsky and Tipton (2018), eqs 5, 6 and 11, with the hat matrix written out."""
    x = np.column_stack([np.ones(14), DOSE])
    found = robust(YI, VI, REPORT, sigma2=(0.1, 0.05), studies=STUDY, x=x, names=("a", "b"))
    phi = dense(0.1, 0.05)
    w = np.linalg.inv(phi)
    bread = np.linalg.inv(x.T @ w @ x)
    rest = np.eye(14) - x @ bread @ x.T @ w
    meat, gs = np.zeros((2, 2)), []
    for name in dict.fromkeys(REPORT):
        rows = [i for i, r in enumerate(REPORT) if r == name]
        factor = np.linalg.cholesky(phi[np.ix_(rows, rows)]).T
        b = factor @ rest[rows] @ phi @ rest[rows].T @ factor.T
        values, vectors = np.linalg.eigh(b)
        power = [v**-0.5 if v > 1e-12 * values.max() else 0 for v in values]
        a = factor.T @ (vectors * power) @ vectors.T @ factor
        score = x[rows].T @ np.linalg.inv(phi[np.ix_(rows, rows)]) @ a
        e = score @ rest[rows] @ YI
        meat += np.outer(e, e)
        gs.append(rest[rows].T @ score.T @ bread)
    assert np.array(found.vcov) == pytest.approx(bread @ meat @ bread, rel=1e-9)
    for j, c in enumerate(found.coefficients):
        g = np.array([part[:, j] for part in gs])
        p = g @ phi @ g.T
        assert c.df == pytest.approx(np.trace(p) ** 2 / (p**2).sum(), rel=1e-9)


def test_one_effect_a_cluster_is_robust_to_its_variance_alone() -> None:
    """CR0 of single effects is White's estimator."""
    only = robust(YI, VI, range(14), adjustment="CR0").coefficients[0]
    w = 1 / VI / (1 / VI).sum()
    assert only.se == pytest.approx(np.sqrt(((w * (YI - w @ YI)) ** 2).sum()), rel=1e-12)


@given(st.permutations(range(14)))
@settings(max_examples=10)
def test_the_order_of_effects_means_nothing(order: list[int]) -> None:
    one = three_level(YI, VI, REPORT, studies=STUDY)
    labels = [REPORT[i] for i in order], [STUDY[i] for i in order]
    two = three_level(YI[order], VI[order], labels[0], studies=labels[1])
    assert two.sigma2 == pytest.approx(one.sigma2, abs=1e-7)
    assert two.coefficients[0].estimate == pytest.approx(one.coefficients[0].estimate, abs=1e-8)


@given(st.sampled_from([1e-7, 1e-2, 1e5]))
def test_a_change_of_unit_scales_the_variances(unit: float) -> None:
    one = three_level(YI, VI, REPORT)
    two = three_level(YI * unit, VI * unit**2, REPORT)
    assert np.array(two.sigma2) / unit**2 == pytest.approx(one.sigma2, rel=1e-6, abs=1e-8)
    assert two.loglik == pytest.approx(one.loglik - 13 * np.log(unit), abs=1e-7)
    a, b = (robust(u * YI, u**2 * VI, REPORT).coefficients[0] for u in (1, unit))
    assert (b.se / unit, b.df) == pytest.approx((a.se, a.df), rel=1e-9)


def test_boundaries_and_few_degrees_of_freedom_are_noted() -> None:
    same = three_level(np.tile([0.1, 0.2], 5), np.ones(10), np.repeat(range(5), 2).tolist())
    assert same.sigma2 == (0, 0)
    assert len(same.notes) == 2
    few = robust(YI[:6], VI[:6], REPORT[:6])
    assert "degrees of freedom" in few.notes[0]


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (["a"] * 14, {}, "1 clusters cannot carry 1"),
        (list(range(14)), {}, "cannot be told apart"),
        (REPORT, {"method": "DL"}, "not DL, t"),
        (REPORT, {"test": "knha"}, "not REML, knha"),
        (REPORT, {"x": np.ones((14, 2)), "names": ("a", "b")}, "repeat each other"),
    ],
)
def test_refuses(labels: Any, options: Any, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        three_level(YI, VI, labels, **options)


def test_robust_refuses() -> None:
    with pytest.raises(PoolError, match="Unknown adjustment CR3"):
        robust(YI, VI, REPORT, adjustment="CR3")
    with pytest.raises(PoolError, match="1 clusters cannot carry 1"):
        robust(YI, VI, ["a"] * 14)
    with pytest.raises(PoolError, match="no robust standard error"):
        robust(np.ones(14), VI, REPORT)
