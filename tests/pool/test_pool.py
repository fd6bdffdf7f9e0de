"""Pooled estimates against metafor, printed numbers and laws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from math import exp, isfinite, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool import ESTIMATORS, pool, subgroups
from pipeline.pool.robustness import Refit, leave1out
from pipeline.schema import EffectSize, PooledEstimate

#: Vaccinated with and without tuberculosis, controls with and without, and how they were
#: allocated: the 13 BCG trials of Colditz et al. (1994), JAMA 271:698, as in metafor's dat.bcg.
BCG = [
    (4, 119, 11, 128, "random"),
    (6, 300, 29, 274, "random"),
    (3, 228, 11, 209, "random"),
    (62, 13536, 248, 12619, "random"),
    (33, 5036, 47, 5761, "alternate"),
    (180, 1361, 372, 1079, "alternate"),
    (8, 2537, 10, 619, "random"),
    (505, 87886, 499, 87892, "random"),
    (29, 7470, 45, 7232, "random"),
    (17, 1699, 65, 1600, "systematic"),
    (186, 50448, 141, 27197, "systematic"),
    (5, 2493, 3, 2338, "systematic"),
    (27, 16886, 29, 17825, "systematic"),
]

METHODS = ["EE", "DL", "HE", "ML", "REML"]
TESTS = ["z", "knha", "adhoc"]
ALL_MODELS = [ModelSpec(method=m, test=t) for m in METHODS for t in TESTS]


def effect(i: int, yi: float, vi: float, subgroup: str = "", ni: int | None = 10) -> EffectSize:
    return EffectSize(f"s{i}", f"Study {i}", "MD", yi, vi, ni=ni, subgroup=subgroup)


def effects_of(yi: list[float], vi: list[float]) -> list[EffectSize]:
    return [effect(i, *pair) for i, pair in enumerate(zip(yi, vi, strict=True))]


def bcg() -> list[EffectSize]:
    """The log risk ratios of the BCG trials, by the textbook formula."""
    made = []
    for i, (a, b, c, d, allocation) in enumerate(BCG):
        yi = float(np.log(a / (a + b)) - np.log(c / (c + d)))
        vi = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
        made.append(effect(i, yi, vi, allocation, a + b + c + d))
    return made


def test_bcg_reml() -> None:
    """Viechtbauer (2010), J Stat Softw 36(3), rma(RR, dat.bcg): estimate -0.7145, se 0.1798,
    z -3.9744, CI -1.0669 to -0.3622, tau2 0.3132, I2 92.22 %, H2 12.86, Q 152.2330 (df 12)."""
    result = pool(bcg(), ModelSpec(method="REML", test="z"))
    assert result.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert result.se == pytest.approx(0.1798, abs=5e-5)
    assert result.stat == pytest.approx(-3.9744, abs=5e-5)
    assert (result.ci_lb, result.ci_ub) == pytest.approx((-1.0669, -0.3622), abs=5e-5)
    assert result.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert result.i2 == pytest.approx(92.22, abs=5e-3)
    assert result.h2 == pytest.approx(12.86, abs=5e-3)
    assert result.q == pytest.approx(152.2330, abs=5e-5)
    assert (result.q_df, result.k, result.df) == (12, 13, None)


def test_bcg_interval_of_tau2() -> None:
    """Viechtbauer (2010), confint(): tau2 0.1197 to 1.1115."""
    result = pool(bcg(), ModelSpec())
    assert (result.tau2_ci_lb, result.tau2_ci_ub) == pytest.approx((0.1197, 1.1115), abs=5e-5)


def test_bcg_prediction_interval() -> None:
    """Viechtbauer (2010), predict(transf=exp): RR 0.4894, prediction interval 0.1546 to 1.5490."""
    result = pool(bcg(), ModelSpec(method="REML", test="z"))
    assert result.pi_lb is not None
    assert result.pi_ub is not None
    assert exp(result.estimate) == pytest.approx(0.4894, abs=5e-5)
    assert (exp(result.pi_lb), exp(result.pi_ub)) == pytest.approx((0.1546, 1.5490), abs=5e-5)


def test_bcg_dersimonian_laird() -> None:
    """metafor 5.0-1, rma(method="DL"): tau2 0.3088, estimate -0.7141, se 0.1787."""
    result = pool(bcg(), ModelSpec(method="DL", test="z"))
    numbers = (result.tau2, result.estimate, result.se)
    assert numbers == pytest.approx((0.3088, -0.7141, 0.1787), abs=5e-5)


def test_bcg_hartung_knapp() -> None:
    """metafor 5.0-1, rma(test="knha"): se 0.1808, t -3.9522 (df 12), CI -1.1084 to -0.3206,
    p 0.0019, prediction interval -1.9960 to 0.5670."""
    result = pool(bcg(), ModelSpec())
    assert (result.se, result.stat) == pytest.approx((0.1808, -3.9522), abs=5e-5)
    assert (result.ci_lb, result.ci_ub) == pytest.approx((-1.1084, -0.3206), abs=5e-5)
    assert (result.pi_lb, result.pi_ub) == pytest.approx((-1.9960, 0.5670), abs=5e-5)
    assert result.pval == pytest.approx(0.0019, abs=5e-5)
    assert (result.df, result.test) == (12, "knha")


def test_bcg_equal_effects() -> None:
    """metafor 5.0-1, rma(method="EE"): -0.4303 (se 0.0405), I2 92.12 %; the 8th trial weighs
    41.40 %. No tau2, hence no intervals of it and no prediction interval."""
    result = pool(bcg(), ModelSpec(method="EE", test="z"))
    assert (result.estimate, result.se) == pytest.approx((-0.4303, 0.0405), abs=5e-5)
    assert (result.i2, result.weights[7]) == pytest.approx((92.12, 41.40), abs=5e-3)
    assert (result.tau2, result.tau2_ci_lb, result.pi_lb, result.pi_ub) == (0, None, None, None)


def test_bcg_subgroups() -> None:
    """metafor 5.0-1, rma(subset=) by allocation (REML): random -0.9710 (tau2 0.3925), alternate
    -0.5408 (0.1326), systematic -0.4242 (0.4003); Q between 1.8614, df 2, p 0.3943."""
    groups, test = subgroups(bcg(), ModelSpec(test="z"))
    found = {g.label: (g.pooled.estimate, g.pooled.tau2) for g in groups if g.pooled}
    assert found["random"] == pytest.approx((-0.9710, 0.3925), abs=5e-5)
    assert found["alternate"] == pytest.approx((-0.5408, 0.1326), abs=5e-5)
    assert found["systematic"] == pytest.approx((-0.4242, 0.4003), abs=5e-5)
    assert [g.label for g in groups] == ["random", "alternate", "systematic"]
    assert groups[2].members == (9, 10, 11, 12)
    assert test is not None
    assert (test.q, test.pval) == pytest.approx((1.8614, 0.3943), abs=5e-5)
    assert test.df == 2


def test_bcg_leave_one_out() -> None:
    """metafor 5.0-1, leave1out() (REML, z): without the 1st -0.7071 (se 0.1900), without the 4th
    -0.6284."""
    left = leave1out(*columns(bcg()), ModelSpec(test="z"))
    assert left[0].estimate == pytest.approx(-0.7071, abs=5e-5)
    assert left[0].se == pytest.approx(0.1900, abs=5e-5)
    assert left[3].estimate == pytest.approx(-0.6284, abs=5e-5)
    assert left[0].k == 12


def _reference(fit: dict[str, Any], test: dict[str, Any]) -> dict[str, float]:
    """metafor's numbers under our names, without those it does not give."""
    given = {
        "estimate": test["beta"],
        "se": test["se"],
        "ci_lb": test["ci_lb"],
        "ci_ub": test["ci_ub"],
        "stat": test["stat"],
        "pval": test["pval"],
        "pi_lb": test["pi_lb"],
        "pi_ub": test["pi_ub"],
        "tau2": fit["tau2"],
        "i2": fit["I2"],
        "h2": fit["H2"],
        "q": fit["QE"],
        "q_pval": fit["QEp"],
    }
    return {name: value for name, value in given.items() if isinstance(value, int | float)}


def _unit(name: str, size: float, reference: float) -> float:
    """What an error is measured in: estimates in sqrt(mean vi), tau2 in mean vi, else itself."""
    if name in ("estimate", "ci_lb", "ci_ub", "pi_lb", "pi_ub"):
        return sqrt(size)
    if name == "tau2":
        return size
    return max(1.0, abs(reference)) if name != "se" else reference


def references(shared: Path) -> Iterator[tuple[dict[str, Any], list[EffectSize]]]:
    """The reference cases of two studies and more."""
    for path in sorted((shared / "data" / "meta").glob("[a-z]*.json")):
        case = json.loads(path.read_text())
        used = case["used"]
        if len(used) > 1:
            yield case, effects_of([case["yi"][i] for i in used], [case["vi"][i] for i in used])


@pytest.mark.parametrize("method", METHODS)
def test_every_reference_case_is_matched(method: Any, shared: Path) -> None:
    """metafor 5.0-1, solved to 1e-12. Closed forms (EE, DL, HE) agree to 1e-6 and better; ML and
    REML to 1e-4, since PyMARE searches tau2 to a tolerance."""
    tolerance = 1e-4 if method in ("ML", "REML") else 1e-6
    compared = 0
    for case, effects in references(shared):
        fit = case["fits"][method]
        size = float(np.mean([e.vi for e in effects]))
        for test in (t for t in TESTS if t in fit):
            ours = pool(effects, ModelSpec(method=method, test=test))
            for name, value in _reference(fit, fit[test]).items():
                error = abs(getattr(ours, name) - value) / _unit(name, size, value)
                assert error < tolerance, (case["case"], test, name, getattr(ours, name), value)
                compared += 1
            assert ours.weights == pytest.approx(fit["weights_pct"], abs=1e-4), case["case"]
    assert compared > 600


def test_every_interval_of_tau2_is_matched(shared: Path) -> None:
    """metafor's confint (Q-profile) to 1e-6 of the mean variance, on every scale of effects."""
    compared = 0
    for case, effects in references(shared):
        limits = case.get("tau2_ci", {}).get("REML_QP", {}).get("tau2")
        if limits is None:
            continue
        size = float(np.mean([e.vi for e in effects]))
        ours = pool(effects, ModelSpec())
        got = np.array([ours.tau2_ci_lb, ours.tau2_ci_ub], dtype=float) / size
        expected = np.array(limits[1:]) / size
        assert got == pytest.approx(expected, rel=1e-6, abs=1e-6), case["case"]
        compared += 1
    assert compared > 60


def test_one_study_is_not_pooled() -> None:
    with pytest.raises(PoolError, match="one study: shown without a diamond"):
        pool([effect(0, 1, 1)], ModelSpec())
    with pytest.raises(PoolError, match="no study"):
        pool([], ModelSpec())


def test_measures_do_not_mix() -> None:
    mixed = [effect(0, 1, 1), replace(effect(1, 1, 1), measure="SMD")]
    with pytest.raises(PoolError, match="MD with SMD"):
        pool(mixed, ModelSpec())


def test_two_studies_are_flagged() -> None:
    """metafor 5.0-1 (syn_prepost_mc_k2, DL = REML for k = 2): z CI -6.69 to -1.35 becomes -21.35
    to 13.32 with 1 degree of freedom, 6.5 times as wide."""
    result = pool(effects_of([-5.43, -2.7], [0.4492, 0.198166666666667]), ModelSpec())
    assert (result.ci_lb, result.ci_ub) == pytest.approx((-21.353, 13.315), abs=1e-2)
    assert any("6.5 times as wide" in note for note in result.notes)


@pytest.mark.parametrize("method", ["DL", "HE", "ML", "REML"])
def test_identical_effects_get_the_ad_hoc_interval(method: Any) -> None:
    """The Hartung-Knapp factor is 0: the normal SE, sqrt(1/3), with t of 2 df (4.3027) is right."""
    result = pool(effects_of([0.3] * 3, [1.0] * 3), ModelSpec(method=method, test="knha"))
    assert result.test == "adhoc"
    assert result.se == pytest.approx(sqrt(1 / 3))
    assert result.ci_ub == pytest.approx(0.3 + 4.302653 * sqrt(1 / 3), rel=1e-6)
    assert any("identical" in note for note in result.notes)
    assert any("boundary" in note for note in result.notes)
    assert (result.tau2_ci_lb, result.tau2_ci_ub) == (0, 0)


def test_effects_that_differ_by_rounding_alone_are_identical() -> None:
    """A difference of 1e-9 would give a Hartung-Knapp interval of width 1e-9."""
    result = pool(effects_of([0.3, 0.3 + 1e-9, 0.3], [1.0] * 3), ModelSpec())
    assert result.test == "adhoc"
    assert result.se == pytest.approx(sqrt(1 / 3))


def test_a_hartung_knapp_interval_narrower_than_normal_is_named() -> None:
    """Nearly identical effects (syn_homogeneous, metafor 5.0-1): knha 0.2858 to 0.3115, z 0.1812
    to 0.4162, and the ad hoc interval is never narrower than z."""
    yi, vi = [0.3, 0.31, 0.29, 0.3, 0.32, 0.28], [0.02, 0.03, 0.05, 0.01, 0.04, 0.02]
    result = pool(effects_of(yi, vi), ModelSpec())
    assert (result.ci_lb, result.ci_ub) == pytest.approx((0.2858, 0.3115), abs=5e-5)
    assert any("narrower" in note for note in result.notes)
    assert result.ci_adhoc_lb < 0.1812
    assert result.ci_adhoc_ub > 0.4162


def test_equal_effects_take_the_normal_test() -> None:
    result = pool(bcg(), ModelSpec(method="EE", test="knha"))
    assert (result.test, result.df) == ("z", None)
    assert any("Hartung-Knapp" in note for note in result.notes)


def test_participants_are_summed_where_all_are_known() -> None:
    known = [effect(0, 1, 1, ni=10), effect(1, 2, 1, ni=20)]
    assert pool(known, ModelSpec()).n == 30
    assert pool([*known, effect(2, 2, 1, ni=None)], ModelSpec()).n is None


def test_extreme_numbers_are_refused_not_returned_as_nan() -> None:
    for yi, vi in (
        ([1e308, -1e308], [1e300, 1e300]),
        ([0, 1], [1e-300, 1]),
        ([0, 0, 0], [1, 1, 1e99]),
    ):
        with pytest.raises(PoolError, match="too extreme"):
            pool(effects_of(yi, vi), ModelSpec())


def test_a_subgroup_of_one_study_enters_the_test_with_its_own_variance() -> None:
    """By hand: y 0 (se^2 0.5, two studies of variance 1) against 3 (variance 1): 9 / 1.5 = 6."""
    effects = [effect(0, 0, 1, "a"), effect(1, 0, 1, "a"), effect(2, 3, 1, "b")]
    groups, test = subgroups(effects, ModelSpec())
    assert [(g.label, g.pooled is None) for g in groups] == [("a", False), ("b", True)]
    assert test is not None
    assert (test.q, test.df) == (pytest.approx(6.0), 1)


def test_without_subgroups_there_is_nothing_to_test() -> None:
    assert subgroups([effect(0, 1, 1), effect(1, 2, 1)], ModelSpec()) == ((), None)
    groups, test = subgroups([effect(0, 1, 1, "a"), effect(1, 2, 1, "a")], ModelSpec())
    assert (len(groups), test) == (1, None)


def test_studies_without_a_subgroup_are_shown_as_such() -> None:
    groups, _ = subgroups([effect(0, 1, 1, "a"), effect(1, 2, 1)], ModelSpec())
    assert [g.label for g in groups] == ["a", "not stated"]


@pytest.mark.parametrize("spec", ALL_MODELS, ids=lambda s: f"{s.method}-{s.test}")
def test_leaving_out_is_pooling_the_rest(spec: ModelSpec) -> None:
    """The 2-D path gives what pooling one by one gives (likelihood searches stop apart: 1e-6)."""
    effects = bcg()
    shared = {f.name for f in fields(Refit)} & {f.name for f in fields(PooledEstimate)}
    for i, left in enumerate(leave1out(*columns(effects), spec)):
        rest = pool(effects[:i] + effects[i + 1 :], spec)
        for name in shared:
            wanted = getattr(rest, name)
            numeric = isinstance(wanted, float)
            assert getattr(left, name) == (
                pytest.approx(wanted, rel=1e-6, abs=1e-6) if numeric else wanted
            ), name


def columns(effects: list[EffectSize]) -> tuple[np.ndarray, np.ndarray]:
    """Effects and variances as vectors."""
    return np.array([e.yi for e in effects]), np.array([e.vi for e in effects])


def assert_same(a: PooledEstimate, b: PooledEstimate, *, rel: float) -> None:
    """Every number of two estimates agrees."""
    for f in fields(PooledEstimate):
        x, y = getattr(a, f.name), getattr(b, f.name)
        if isinstance(x, float):
            assert x == pytest.approx(y, rel=rel, abs=rel), f.name
        elif f.name not in ("weights", "notes"):
            assert x == y, f.name


@pytest.mark.parametrize("code", ESTIMATORS)
def test_each_estimator_is_named_and_cited(code: str) -> None:
    assert ESTIMATORS[code].code == code
    assert ESTIMATORS[code].name
    assert "(" in ESTIMATORS[code].source
    assert pool(bcg(), ModelSpec(method=code)).method == code


studies = st.lists(st.tuples(st.floats(-10, 10), st.floats(0.01, 10)), min_size=2, max_size=8).map(
    lambda pairs: effects_of([y for y, _ in pairs], [v for _, v in pairs])
)
models = st.sampled_from(ALL_MODELS)


@given(effects=studies, spec=models)
@settings(deadline=None)
def test_intervals_hold_their_estimate(effects: list[EffectSize], spec: ModelSpec) -> None:
    result = pool(effects, spec)
    assert result.ci_lb <= result.estimate <= result.ci_ub
    assert result.ci_adhoc_lb <= result.estimate <= result.ci_adhoc_ub
    assert min(e.yi for e in effects) - 1e-9 <= result.estimate
    assert result.estimate <= max(e.yi for e in effects) + 1e-9
    assert result.tau2 >= 0
    assert 0 <= result.i2 <= 100
    assert 0 <= result.i2_q <= 100
    assert 0 <= result.pval <= 1
    assert sum(result.weights) == pytest.approx(100)
    if result.pi_lb is not None and result.pi_ub is not None:
        assert result.pi_lb <= result.ci_lb + 1e-9
        assert result.pi_ub >= result.ci_ub - 1e-9


@given(effects=studies, spec=models)
@settings(deadline=None)
def test_the_ad_hoc_interval_is_never_narrower_than_the_normal_one(
    effects: list[EffectSize], spec: ModelSpec
) -> None:
    normal = pool(effects, ModelSpec(method=spec.method, test="z"))
    assert normal.ci_adhoc_ub - normal.ci_adhoc_lb >= (normal.ci_ub - normal.ci_lb) * (1 - 1e-9)


@given(effects=studies, spec=models, data=st.data())
@settings(deadline=None)
def test_the_order_of_studies_changes_nothing(
    effects: list[EffectSize], spec: ModelSpec, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(effects))
    assert_close(pool(shuffled, spec), pool(effects, spec))


@given(effects=studies, spec=models)
@settings(deadline=None)
def test_swapping_the_arms_mirrors_the_result(effects: list[EffectSize], spec: ModelSpec) -> None:
    ours = pool(effects, spec)
    mirrored = pool([replace(e, yi=-e.yi) for e in effects], spec)
    assert mirrored.estimate == pytest.approx(-ours.estimate, rel=1e-5, abs=1e-5)
    assert (mirrored.ci_lb, mirrored.ci_ub) == pytest.approx(
        (-ours.ci_ub, -ours.ci_lb), rel=1e-4, abs=1e-4
    )


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
@given(effects=studies, spec=models)
@settings(deadline=None, max_examples=30)
def test_a_change_of_unit_scales_the_result(
    unit: float, effects: list[EffectSize], spec: ModelSpec
) -> None:
    ours = pool(effects, spec)
    scaled = pool([replace(e, yi=e.yi * unit, vi=e.vi * unit**2) for e in effects], spec)
    back = replace(
        scaled,
        estimate=scaled.estimate / unit,
        se=scaled.se / unit,
        ci_lb=scaled.ci_lb / unit,
        ci_ub=scaled.ci_ub / unit,
        tau2=scaled.tau2 / unit**2,
    )
    assert_close(back, ours)


def assert_close(a: PooledEstimate, b: PooledEstimate) -> None:
    """Estimate, SE, interval and tau2 agree as far as a searched tau2 allows."""
    for name in ("estimate", "se", "ci_lb", "ci_ub", "tau2"):
        assert getattr(a, name) == pytest.approx(getattr(b, name), rel=1e-4, abs=1e-4), name


@given(effects=studies)
@settings(deadline=None)
def test_counting_every_study_twice_shrinks_the_equal_effects_se(
    effects: list[EffectSize],
) -> None:
    """By sqrt(2), exactly; the estimate stays."""
    spec = ModelSpec(method="EE", test="z")
    once, twice = pool(effects, spec), pool(effects * 2, spec)
    assert twice.se == pytest.approx(once.se / sqrt(2))
    assert twice.estimate == pytest.approx(once.estimate, abs=1e-9)


def test_a_thousand_small_metas_give_numbers_or_say_why() -> None:
    """k = 2 to 6, effects and variances over nine orders of magnitude: no exception, no NaN."""
    rng = np.random.default_rng(20261122)
    for i in range(1000):
        k = int(rng.integers(2, 7))
        vi = 10 ** rng.uniform(-6, 3, k)
        yi = rng.normal(0, 1, k) * 10 ** rng.uniform(-3, 2) * float(rng.integers(0, 2))
        spec = ALL_MODELS[i % len(ALL_MODELS)]
        result = pool(effects_of(yi.tolist(), vi.tolist()), spec)
        numbers = [getattr(result, f.name) for f in fields(result)]
        assert all(isfinite(x) for x in numbers if isinstance(x, float))
        assert result.ci_lb < result.ci_ub
