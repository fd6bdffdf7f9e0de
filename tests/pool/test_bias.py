"""Small-study bias against metafor and meta, printed numbers, and laws."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from math import comb, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import ModelSpec
from pipeline.errors import PoolError
from pipeline.pool.bias import egger, pet_peese, regtest, thompson
from pipeline.pool.bias_counts import COUNT_TESTS, count_test
from pipeline.pool.columns import fit_columns
from pipeline.pool.failsafe import fsn, tes
from pipeline.pool.henmi_copas import henmi_copas
from pipeline.pool.ranks import rank_correlation, ranktest
from pipeline.pool.selection import selmodel
from pipeline.pool.trimfill import trimfill

#: ai bi ci di of the 13 BCG trials of Colditz et al. (1994), as in metafor's dat.bcg.
BCG = np.array(
    [
        *((4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619)),
        *((33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619)),
        *((505, 87886, 499, 87892), (29, 7470, 45, 7232), (17, 1699, 65, 1600)),
        *((186, 50448, 141, 27197), (5, 2493, 3, 2338), (27, 16886, 29, 17825)),
    ],
    dtype=float,
).T
A, B, C, D = BCG
Y, V = np.log(A / (A + B) / (C / (C + D))), 1 / A - 1 / (A + B) + 1 / C - 1 / (C + D)

DATA = st.lists(
    st.tuples(st.floats(-3, 3), st.floats(0.01, 2)),
    min_size=5,
    max_size=12,
    unique_by=(lambda row: round(abs(row[0]), 2), lambda row: round(row[1], 3)),
).map(lambda rows: (np.array([y for y, _ in rows]), np.array([v for _, v in rows])))


def _gap(row: tuple[int, float]) -> int:
    return row[0]


def cases(shared: Path) -> Iterator[tuple[dict[str, Any], np.ndarray, np.ndarray]]:
    """The reference cases with tests of bias, and the effects that were used."""
    for path in sorted((shared / "data" / "meta").glob("[a-z]*.json")):
        case = json.loads(path.read_text())
        if case.get("bias"):
            yield case, *(np.array([case[name][i] for i in case["used"]]) for name in ("yi", "vi"))


def unit(name: str, value: float, size: float) -> float:
    """What an error is measured in: effects in sqrt(mean vi), tau2 in mean vi."""
    if name in ("est_limit", "ci_lb", "ci_ub", "beta", "intercept", "yi_fill"):
        return sqrt(size)
    if name in ("tau2", "vi_fill"):
        return size
    return abs(value) if name == "se" and value else max(1.0, abs(value))


class Compared:
    """Differences to the references, the largest of each block and number."""

    def __init__(self) -> None:
        self.largest: dict[str, tuple[float, str]] = defaultdict(lambda: (0.0, ""))
        self.count = 0

    def add(
        self, block: str, ours: Any, given: dict[str, Any], names: str, case: Any, tol: float
    ) -> None:
        """Compare; `names` are pairs "theirs:ours"."""
        size = float(np.mean([case["vi"][i] for i in case["used"]]))
        for theirs, mine in (pair.split(":") for pair in names.split()):
            value, got = given[theirs], getattr(ours, mine)
            if value is None:
                assert got is None, (case["case"], block, theirs)
                continue
            error = abs(got - value) / unit(theirs, value, size)
            assert error < tol, (case["case"], block, theirs, got, value)
            self.largest[block] = max(self.largest[block], (error, case["case"]))
            self.count += 1

    def show(self) -> None:
        """Print the table, which `pytest -s` shows."""
        for block, (error, case) in self.largest.items():
            print(f"{block}: {error:.1e} ({case})")


REGTEST = "z:stat p:pval est_limit:est ci_lb:ci_lb ci_ub:ci_ub"
LM = "t:stat p:pval df:df est_limit:est ci_lb:ci_lb ci_ub:ci_ub"
CLASSICAL = "bias:slope se:slope_se t:stat p:pval slope:est"
PET = "intercept:est se:est_se p:est_pval slope:slope slope_p:pval"


def test_every_regression_test_is_matched(shared: Path) -> None:
    """metafor's regtest, lm, and meta's Egger: closed forms to 1e-11, REML to 1e-9. Where metafor
    refuses (syn_scale_micro: its rank check is absolute) ours is that of the same data in another
    unit. Thompson's t is regtest's z, of a tau2 that meta finds to an absolute 1e-5 only."""
    compared = Compared()
    for case, y, v in cases(shared):
        bias = case["bias"]
        for method in ("EE", "DL", "REML"):
            given, ours = bias[f"regtest_rma_{method}"], _regtest(y, v, method)
            if "error" not in given:
                tolerance = 1e-9 if method == "REML" else 1e-11
                compared.add(f"regtest {method}", ours, given, REGTEST, case, tolerance)
                if method == "REML":
                    t = thompson(y, v, ModelSpec(method="REML"))
                    assert (t.stat, t.df) == (pytest.approx(given["z"], rel=1e-8), y.size - 2)
        compared.add("lm", egger(y, v), bias["regtest_lm_egger"], LM, case, 1e-11)
        compared.add("classical", egger(y, v), bias["egger_classical"], CLASSICAL, case, 1e-11)
        if "error" not in bias["meta_metabias_Egger"]:
            given = bias["meta_metabias_Egger"]
            compared.add("meta Egger", egger(y, v), given, "stat:stat p:pval", case, 1e-11)
        both = pet_peese(y, v)
        compared.add("PET", both.pet, bias["pet"], PET, case, 1e-11)
        compared.add("PEESE", both.peese, bias["peese"], PET, case, 1e-11)
    compared.show()
    assert compared.count > 2500


def _regtest(y: np.ndarray, v: np.ndarray, method: Any, **options: Any) -> Any:
    return regtest(y, v, ModelSpec(method=method, test="z"), **options)


def test_a_tiny_scale_is_tested_as_any_other(shared: Path) -> None:
    folder = shared / "data" / "meta"
    small, one = (
        json.loads((folder / f"syn_scale_{s}.json").read_text()) for s in ("micro", "unit")
    )
    assert "error" in small["bias"]["regtest_rma_REML"]
    ours = _regtest(np.array(small["yi"]), np.array(small["vi"]), "REML")
    assert ours.stat == pytest.approx(one["bias"]["regtest_rma_REML"]["z"], rel=1e-6)


def participants(case: dict[str, Any]) -> np.ndarray:
    """Participants of each study as metafor knew them."""
    rows = [case["raw"][i] for i in case["used"]]
    names = next(
        names
        for names in (("ai", "bi", "ci", "di"), ("n1i", "n2i"), ("ni",), ("N",), ("n",))
        if all(name in rows[0] for name in names)
    )
    return np.array([sum(row[name] for name in names) for row in rows], dtype=float)


def test_every_test_on_participants_is_matched(shared: Path) -> None:
    """metafor's regtest(predictor="ni", "ninv", "sqrtninv"), REML, to 1e-8. metafor refuses two
    sets of large trials, whose 1/ni its rank check takes for zeros; ours has no such limit."""
    compared, refused = Compared(), []
    for case, y, v in cases(shared):
        for predictor in ("ni", "ninv", "sqrtninv"):
            given = case["bias"].get(f"regtest_rma_REML_{predictor}")
            if given is None:
                continue
            ours = _regtest(y, v, "REML", predictor=predictor, ni=participants(case))
            if "error" in given:
                refused.append(case["case"])
                continue
            compared.add(predictor, ours, given, "z:stat p:pval", case, 1e-8)
    compared.show()
    assert refused == ["cannon2006_or", "crisafulli2020_pln"]
    assert compared.count > 300


def test_every_rank_test_is_matched(shared: Path) -> None:
    """metafor's ranktest and meta's Begg to 1e-12. lloyd2010's standard errors are read off
    intervals of one decimal: three pairs are equal, which R's rounding errors told apart and the
    15 digits of the reference do not."""
    compared = Compared()
    for case, y, v in cases(shared):
        ours = ranktest(y, v)
        if case["case"] == "lloyd2010_change_ci":
            assert not ours.exact
            continue
        compared.add("rank", ours, case["bias"]["ranktest"], "tau:tau p:pval", case, 1e-12)
        begg = case["bias"]["meta_metabias_Begg"]
        if "error" not in begg:
            compared.add("Begg", ours, begg, "stat:z p:z_pval", case, 1e-12)
    compared.show()
    assert compared.count > 250


def exact_effects(case: dict[str, Any], y: np.ndarray) -> np.ndarray:
    """Mean differences as the computer subtracts them: 15 digits lose which of two ties is less,
    and with it the order in which metafor takes them."""
    if case["measure"] != "MD":
        return y
    rows = [case["raw"][i] for i in case["used"]]
    return np.array([row["m1i"] - row["m2i"] for row in rows])


def test_every_trim_and_fill_is_matched(shared: Path) -> None:
    """metafor's trimfill: side, k0 and the filled studies are the same everywhere; closed forms
    agree to 1e-11. With REML metafor's last fit stops at an absolute 1e-5 of tau2 (so greenland1992
    is 2e-3 off): at its own tau2 our estimate is the same to 1e-9, and the tau2 differ by less than
    2e-5. Where metafor fails on Q0 (a root of a negative number) we refuse by name."""
    compared, undefined = Compared(), 0
    for case, rounded, v in cases(shared):
        y = exact_effects(case, rounded)
        for method, estimator in product(("EE", "DL", "REML"), ("L0", "R0", "Q0")):
            given = case["bias"][f"trimfill_{estimator}_{method}"]
            spec = ModelSpec(method=method, test="z")  # type: ignore[arg-type]
            if "missing value" in given.get("error", ""):
                undefined += 1
                with pytest.raises(PoolError, match="Q0 is not defined"):
                    trimfill(y, v, spec, estimator=estimator)
            elif "error" not in given:
                ours = trimfill(y, v, spec, estimator=estimator)
                _same_filling(case, ours, given)
                if method == "REML":
                    _same_at_their_tau2(ours, given, y, v)
                else:
                    names = "beta:estimate se:se ci_lb:ci_lb ci_ub:ci_ub tau2:tau2"
                    compared.add(f"{estimator} {method}", ours, given, names, case, 1e-11)
    compared.show()
    assert undefined == 53
    assert compared.count > 1900


def _same_filling(case: dict[str, Any], ours: Any, given: dict[str, Any]) -> None:
    """The side, the number and the filled studies."""
    assert (ours.side, ours.k0, ours.k) == (given["side"], given["k0"], given["k"]), case["case"]
    size = float(np.mean([case["vi"][i] for i in case["used"]]))
    for name in ("yi_fill", "vi_fill"):
        filled = np.atleast_1d(np.array(given[name], dtype=float))
        assert getattr(ours, name) == pytest.approx(filled, abs=1e-9 * unit(name, 0, size)), (
            case["case"],
            name,
        )


def _same_at_their_tau2(ours: Any, given: dict[str, Any], y: np.ndarray, v: np.ndarray) -> None:
    """The filled studies pooled at metafor's tau2."""
    w = 1 / (np.append(v, ours.vi_fill) + given["tau2"])
    mean = float((w * np.append(y, ours.yi_fill)).sum() / w.sum())
    assert mean == pytest.approx(given["beta"], rel=1e-8, abs=1e-8 * given["se"])
    assert 1 / sqrt(w.sum()) == pytest.approx(given["se"], rel=1e-9)
    assert ours.tau2 == pytest.approx(given["tau2"], rel=1e-4, abs=2e-5)


def test_every_fail_safe_number_is_matched(shared: Path) -> None:
    """metafor 5.0's fsn: numbers equal, p values and means to 1e-12."""
    compared = Compared()
    names = "fsnum:fsnum pval:pval meanes:meanes target:target"
    for case, y, v in cases(shared):
        for kind in ("Rosenthal", "Orwin", "Rosenberg"):
            ours = fsn(y, v, type=kind)
            compared.add(kind, ours, case["bias"][f"fsn_{kind}"], names, case, 1e-12)
    compared.show()
    assert compared.count > 500


def test_every_test_of_excess_significance_is_matched(shared: Path) -> None:
    """metafor's tes to 1e-12 where it is exact too, that is where O or more of k studies can be
    chosen in at most a million ways. Beyond that it takes chi-squared; ours is exact always, and
    `pval_chi2` is its number."""
    compared = Compared()
    for case, y, v in cases(shared):
        given = case["bias"].get("tes")
        if given:
            ours = tes(y, v)
            ways = sum(comb(y.size, j) for j in range(given["O"], y.size + 1))
            p = "p:pval" if ways <= 1e6 else "p:pval_chi2"
            compared.add("tes", ours, given, f"O:o E:e OE:oe theta:theta {p}", case, 1e-11)
    compared.show()
    assert compared.count >= 90


def test_every_henmi_copas_interval_is_matched(shared: Path) -> None:
    """metafor's hc: estimate and standard error to 1e-12. Its interval is solved to 1.2e-4 (R's
    uniroot), ours to 1e-10: half the width differs by less than 5e-4."""
    compared = Compared()
    for case, y, v in cases(shared):
        ours, given = henmi_copas(y, v), case["bias"]["henmi_copas"]
        compared.add("hc", ours, given, "beta:estimate se:se", case, 1e-12)
        half = (given["ci_ub"] - given["ci_lb"]) / 2
        assert (ours.ci_ub - ours.ci_lb) / 2 == pytest.approx(half, rel=5e-4), case["case"]
    compared.show()
    assert compared.count == 150


def test_every_selection_model_is_matched(shared: Path) -> None:
    """metafor's selmodel(type="stepfun", steps=.025), ML, to 1e-3 where each interval of p values
    has studies: its optimiser stops at 1e-4 or so, ours is never lower. Where one is empty its
    weight has no maximum: ours goes to the bound, 100, which metafor's search stops short of, so
    estimates differ by up to 1e-2 and neither weight means anything; we say so in a note."""
    compared = Compared()
    for case, y, v in cases(shared):
        for side in ("greater", "less"):
            given = case["bias"].get(f"selmodel_step025_{side}")
            if given is None:
                continue
            ours = selmodel(y, v, alternative=side)
            assert ours.lrt > given["LRT"] - 1e-6, case["case"]
            empty = 0 in ours.n
            assert empty == any("not contain" in w for w in given.get("warnings", []))
            assert any("is not known" in note for note in ours.notes) == empty
            compared.add(
                side, ours, given, "beta:estimate tau2:tau2", case, 1e-2 if empty else 1e-3
            )
            if not empty:
                compared.add(side, ours, given, "se:se p:pval LRTp:lrt_pval", case, 2e-3)
                assert ours.delta[1] == pytest.approx(given["delta"][1], rel=3e-3)
    compared.show()
    assert compared.count > 100


def test_every_test_of_counts_is_matched(shared: Path) -> None:
    """meta's metabias of odds ratios to 1e-12, all with zero cells and missing counts too."""
    compared = Compared()
    for path in sorted((shared / "data" / "meta").glob("[a-z]*.json")):
        case = json.loads(path.read_text())
        if not case.get("twobytwo"):
            continue
        cells = [
            np.array([np.nan if row[name] is None else row[name] for row in case["raw"]])
            for name in ("ai", "bi", "ci", "di")
        ]
        for name in COUNT_TESTS:
            given = case["twobytwo"][f"metabias_{name}"]
            compared.add(name, count_test(name, *cells), given, "stat:stat p:pval", case, 1e-12)
    compared.show()
    assert compared.count == 150


def test_bcg() -> None:
    """metafor 5.0-1 on dat.bcg (RR): regtest(lm) t -1.4013, p 0.1887; regtest(rma) z -0.8033, limit
    -0.5104; ranktest tau 0.0256, p 0.9524; trimfill 1 study on the right, -0.6571; fsn 598, 13,
    370."""
    line = egger(Y, V)
    assert (line.stat, line.pval) == pytest.approx((-1.4013, 0.1887), abs=5e-5)
    assert line.df == 11
    model = _regtest(Y, V, "REML")
    assert (model.stat, model.est) == pytest.approx((-0.8033, -0.5104), abs=5e-5)
    rank = ranktest(Y, V)
    assert (rank.tau, rank.pval) == pytest.approx((0.0256, 0.9524), abs=5e-5)
    assert rank.exact
    filled = trimfill(Y, V, ModelSpec(method="REML", test="z"))
    assert (filled.side, filled.k0, filled.k) == ("right", 1, 14)
    assert filled.estimate == pytest.approx(-0.6571, abs=5e-5)
    kinds = ("Rosenthal", "Orwin", "Rosenberg")
    assert [fsn(Y, V, type=kind).fsnum for kind in kinds] == [598, 13, 370]


def test_results_become_rows() -> None:
    row = asdict(_regtest(Y, V, "REML"))
    assert row["predictor"] == "sei"
    assert json.loads(json.dumps(row))["k"] == 13
    json.dumps(
        [asdict(trimfill(Y, V, ModelSpec())), asdict(selmodel(Y, V)), asdict(pet_peese(Y, V))]
    )


def test_few_studies_are_warned_of() -> None:
    few = (Y[:9], V[:9])
    notes = [egger(*few), ranktest(*few), trimfill(*few, ModelSpec()), tes(*few), selmodel(*few)]
    for result in (*notes, count_test("Peters", *BCG[:, :9]), pet_peese(*few)):
        assert any("9 studies are too few" in note for note in result.notes), result
    assert egger(Y, V).notes == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: egger(Y[:2], V[:2]), "needs 3 or more studies; got 2"),
        (lambda: ranktest(Y[:2], V[:2]), "needs 3 or more studies; got 2"),
        (lambda: trimfill(Y[:2], V[:2], ModelSpec()), "needs 3 or more studies; got 2"),
        (lambda: selmodel(Y[:3], V[:3]), "needs 4 or more studies; got 3"),
        (lambda: count_test("Peters", *BCG[:, :2]), "needs 3 or more studies with events; got 2"),
        (lambda: egger(Y, np.ones(13)), "sei does not vary over the 13"),
        (lambda: trimfill(Y, np.ones(13), ModelSpec()), "name one"),
        (lambda: ranktest(Y, np.ones(13)), "values that differ"),
        (lambda: regtest(Y, V, ModelSpec(), predictor="ninv"), "needs the participants ni"),
        (lambda: regtest(Y, V, ModelSpec(), predictor="age"), "Unknown predictor 'age'"),
        (lambda: trimfill(Y, V, ModelSpec(), estimator="M0"), "Unknown estimator 'M0'"),
        (lambda: trimfill(Y, V, ModelSpec(), side="up"), "Unknown side 'up'"),
        (lambda: fsn(Y, V, type="Fisher"), "Unknown fail-safe number 'Fisher'"),
        (lambda: fsn(Y, V, type="Orwin", target=0.2), "must lie between 0 and the mean"),
        (lambda: selmodel(Y, V, steps=(0.5, 0.025)), "must rise between 0 and 1"),
        (lambda: selmodel(Y, V, alternative="both"), "must be greater or less"),
        (lambda: count_test("Begg", *BCG), "Unknown test 'Begg'"),
        (lambda: egger(np.arange(1.0, 5), np.arange(1.0, 5) ** 2), "lie on a line"),
    ],
)
def test_nonsense_is_refused(call: Any, message: str) -> None:
    with pytest.raises(PoolError, match=message):
        call()


def test_the_limit_of_a_growing_predictor_is_not_an_effect() -> None:
    ni = (A + B + C + D).astype(float)
    assert regtest(Y, V, ModelSpec(), predictor="ni", ni=ni).est is None
    assert regtest(Y, V, ModelSpec(), predictor="sqrtninv", ni=ni).est is not None


def test_pet_peese_prefers_peese_where_pet_finds_an_effect() -> None:
    rng = np.random.default_rng(1)
    v = rng.uniform(0.01, 0.2, 20)
    noise = rng.normal(0, np.sqrt(v))
    found, none = (pet_peese(2 + noise, v), pet_peese(noise - egger(noise, v).est, v))
    assert (found.preferred, found.estimate) == ("peese", found.peese.est)
    assert (none.preferred, none.estimate) == ("pet", none.pet.est)


def test_an_exact_excess_is_brute_force() -> None:
    """All 2^5 outcomes of five studies."""
    y, v = np.array([0.5, 0.1, 0.9, 0.3, 0.7]), np.array([0.04, 0.05, 0.06, 0.03, 0.09])
    ours = tes(y, v)
    chances = [
        np.prod([p if hit else 1 - p for p, hit in zip(ours.power, hits, strict=True)])
        for hits in product([0, 1], repeat=5)
        if sum(hits) >= ours.o
    ]
    assert ours.pval == pytest.approx(sum(chances))


def test_a_selection_model_undoes_selection() -> None:
    """Of 3,000 studies of no effect, results with p > 0.025 were printed one time in five."""
    rng = np.random.default_rng(7)
    v = rng.uniform(0.02, 0.3, 3000)
    y = rng.normal(0, np.sqrt(v + 0.05))
    kept = (y / np.sqrt(v) > 1.96) | (rng.uniform(size=3000) < 0.2)
    naive = fit_columns(y[kept, np.newaxis], v[kept, np.newaxis], ModelSpec(method="ML", test="z"))
    ours = selmodel(y[kept], v[kept])
    assert naive.estimate[0] > 0.1
    assert ours.estimate == pytest.approx(0, abs=0.05)
    assert ours.delta[1] == pytest.approx(0.2, abs=0.05)
    assert ours.tau2 == pytest.approx(0.05, abs=0.02)


def test_a_selection_model_with_two_steps_has_three_weights() -> None:
    ours = selmodel(Y, V, alternative="less", steps=(0.025, 0.5))
    assert (len(ours.delta), sum(ours.n), ours.lrt_df) == (3, 13, 2)
    assert ours.lrt >= selmodel(Y, V, alternative="less").lrt - 1e-6


def test_ties_take_the_normal_rank_test() -> None:
    """R: cor.test(c(1,2,2,4,5), c(2,1,3,3,5), method="kendall"): tau 0.6667, p 0.1178."""
    ours = rank_correlation(np.array([1.0, 2, 2, 4, 5]), np.array([2.0, 1, 3, 3, 5]))
    assert not ours.exact
    assert ours.tau == pytest.approx(2 / 3)
    assert ours.pval == pytest.approx(ours.z_pval)


@given(DATA, st.randoms(use_true_random=False))
@settings(max_examples=40)
def test_the_order_of_studies_does_not_matter(data: Any, random: Any) -> None:
    y, v = data
    order = list(range(y.size))
    random.shuffle(order)
    spec = ModelSpec(method="DL", test="z")
    for function in (
        lambda y, v: regtest(y, v, spec),
        ranktest,
        lambda y, v: trimfill(y, v, spec, side="left"),
        fsn,
        tes,
        henmi_copas,
    ):
        before, after = asdict(function(y, v)), asdict(function(y[order], v[order]))  # type: ignore[arg-type, operator]
        for name, value in before.items():
            if isinstance(value, float) and name != "stat":
                assert after[name] == pytest.approx(value, rel=1e-6, abs=1e-6), name


@given(
    st.lists(
        st.tuples(st.integers(2, 60), st.floats(0.01, 2)), min_size=2, max_size=8, unique_by=_gap
    ),
    st.floats(-2, 2),
    st.sampled_from(["L0", "R0", "Q0"]),
)
def test_a_symmetric_funnel_lacks_no_study(pairs: Any, centre: float, estimator: str) -> None:
    """A study at the centre and pairs that mirror each other, the right ones 0.02 nearer: of two
    equal distances metafor's rule would rank the right one higher, as if one were missing."""
    gaps, variances = (np.array(column, dtype=float) for column in zip(*pairs, strict=True))
    y = centre + np.concatenate([[0], gaps / 20 - 0.02, -gaps / 20])
    v = np.concatenate([[0.5], variances, variances])
    filled = trimfill(y, v, ModelSpec(method="DL", test="z"), estimator=estimator, side="left")
    assert (filled.k0, filled.yi_fill) == (0, ())
    assert filled.estimate == pytest.approx(centre, abs=0.011)


@given(DATA)
@settings(max_examples=15)
def test_mirrored_effects_give_the_mirrored_result(data: Any) -> None:
    y, v = data
    up, down = egger(y, v), egger(-y, v)
    assert (up.slope, up.pval) == (pytest.approx(-down.slope), pytest.approx(down.pval))
    one, other = selmodel(y, v), selmodel(-y, v, alternative="less")
    assert (one.estimate, one.tau2) == pytest.approx((-other.estimate, other.tau2), abs=1e-6)
    spec = ModelSpec(method="DL", test="z")
    left, right = trimfill(y, v, spec, side="left"), trimfill(-y, v, spec, side="right")
    assert (left.k0, left.estimate) == (right.k0, pytest.approx(-right.estimate))


def _numbers(value: Any) -> Iterator[float]:
    """The floats of a result."""
    if isinstance(value, float):
        yield value
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, dict):
        yield from _numbers(list(value.values()))


def test_small_sets_give_numbers_or_say_why() -> None:
    """k = 2 to 10, variances over nine orders, ties, effects all 0: no exception but PoolError, and
    no NaN."""
    rng = np.random.default_rng(20261123)
    given = 0
    for i in range(150):
        k = int(rng.integers(2, 11))
        v = 10 ** rng.uniform(-6, 3, k)
        y = np.round(rng.normal(0, 1, k), int(rng.integers(1, 9))) * float(rng.integers(0, 5) > 0)
        spec = ModelSpec(method=("DL", "REML", "PM")[i % 3], test=("z", "knha", "adhoc")[i % 3])
        cells = rng.integers(0, 30, (4, k)).astype(float)
        for call in (
            lambda: regtest(y, v, spec),  # noqa: B023
            lambda: pet_peese(y, v),  # noqa: B023
            lambda: ranktest(y, v),  # noqa: B023
            lambda: trimfill(y, v, spec),  # noqa: B023
            lambda: fsn(y, v),  # noqa: B023
            lambda: tes(y, v),  # noqa: B023
            lambda: henmi_copas(y, v),  # noqa: B023
            lambda: selmodel(y, v),  # noqa: B023
            lambda: count_test("Harbord", *cells),  # noqa: B023
        ):
            try:
                result = call()
            except PoolError:
                continue
            assert np.isfinite(list(_numbers(asdict(result)))).all(), result
            given += 1
    assert given > 700
