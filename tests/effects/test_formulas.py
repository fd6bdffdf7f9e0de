"""Effect sizes against metafor's `escalc`, printed numbers and laws."""

from __future__ import annotations

import json
from math import exp, isfinite, log, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.effects.convert import change_sd
from pipeline.effects.formulas import FORMULAS, Rules, escalc
from pipeline.effects.formulas.scales import BACK
from pipeline.effects.formulas.table import small_sample_factor
from pipeline.effects.measures import MEASURES
from pipeline.effects.study import (
    mean_change,
    reported_effect,
    standardised_mean_change,
    zero_cells,
)
from pipeline.errors import EffectSizeError
from pipeline.schema import BinaryData, ContinuousData, EffectSize, ReportedEffect

log_risk_ratio, log_odds_ratio, risk_difference = (MEASURES[c].compute for c in ("RR", "OR", "RD"))
proportion, logit_proportion = (MEASURES[code].compute for code in ("PR", "PLO"))
mean_difference = MEASURES["MD"].compute
standardised_mean_difference = MEASURES["SMD"].compute
log_ratio_of_means = MEASURES["ROM"].compute


def columns_of(case: dict[str, Any]) -> tuple[dict[str, np.ndarray], str]:
    """A reference case as metafor's columns, and its kind of variance."""
    columns = dict(case["escalc"])
    vtype = columns.pop("vtype", "LS")
    missing = (None, "NA")
    return {
        argument: np.array([np.nan if r[c] in missing else float(r[c]) for r in case["raw"]])
        for argument, c in columns.items()
    }, vtype


def test_every_reference_case_is_matched_to_1e_9(shared: Path) -> None:
    """yi and vi of metafor 5.0-1's escalc; a row it cannot compute has none with us either."""
    compared = set()
    for path in sorted((shared / "data" / "meta").glob("[a-z]*.json")):
        case = json.loads(path.read_text())
        table, vtype = columns_of(case)
        yi, vi = escalc(case["measure"], table, Rules(vtype=vtype))
        used = case["used"]
        wanted = [case["yi"][i] for i in used], [case["vi"][i] for i in used]
        assert yi[used] == pytest.approx(wanted[0], rel=1e-9, abs=1e-12), path.stem
        assert vi[used] == pytest.approx(wanted[1], rel=1e-9), path.stem
        rest = [i for i in range(len(yi)) if i not in used]
        assert not np.any(np.isfinite(yi[rest]) & (vi[rest] > 0)), path.stem
        compared.add(case["measure"])
    assert compared == set(FORMULAS) - {"HR", "SMCRH"}


def test_zero_cells_follow_metafors_rules(shared: Path) -> None:
    """_conversions.json: escalc with add=1/2, each `to`, with and without drop00."""
    zero = json.loads((shared / "data" / "meta" / "_conversions.json").read_text())["zero_cells"]
    rows = zero.pop("input")
    table = {c: np.array([float(row[c]) for row in rows]) for c in ("ai", "bi", "ci", "di")}
    for name, expected in zero.items():
        measure, to, drop = name.split("_")
        yi, vi = escalc(measure, table, Rules(to=to, drop00=drop == "drop00"))
        for ours, theirs in ((yi, expected["yi"]), (vi, expected["vi"])):
            wanted = np.array([np.nan if x is None else x for x in theirs], dtype=float)
            assert ours == pytest.approx(wanted, rel=1e-9, nan_ok=True), name
    assert len(zero) == 40


def test_standardised_differences_of_small_arms_follow_metafor(shared: Path) -> None:
    """_conversions.json: escalc over a grid of arms from 3 patients, three kinds of variance, and
    over pre-post data from 3 patients."""
    made = json.loads((shared / "data" / "meta" / "_conversions.json").read_text())
    seen = set()
    for row in (*made["smd_grid"], *made["prepost_grid"]):
        table = {k: np.array([float(x)]) for k, x in row.items() if not isinstance(x, dict)}
        for name, wanted in row.items():
            if not isinstance(wanted, dict) or name == "AV" or name.endswith("_pre"):
                continue  # AV is not ours; "_pre": the two SDs change places
            measure = name if name in FORMULAS else "SMD"
            yi, vi = escalc(measure, table, Rules(vtype=name if measure == "SMD" else "LS"))
            assert (yi[0], vi[0]) == pytest.approx((wanted["yi"], wanted["vi"]), rel=1e-9), name
            seen.add(name)
    assert {"LS", "LS2", "UB", "MC", "SMCC", "SMCRP"} <= seen


def test_bcg_trial_1() -> None:
    """Aronson 1948, 4/123 v 11/139: log RR -0.8893, variance 0.3256 (printed by escalc for
    dat.bcg in Viechtbauer 2010, J Stat Softw 36(3), and in ?metafor::dat.bcg)."""
    yi, vi = log_risk_ratio(BinaryData(4, 123), BinaryData(11, 139))
    assert (round(yi, 4), round(vi, 4)) == (-0.8893, 0.3256)


def test_bcg_trial_1_odds_ratio() -> None:
    """The same trial by hand: log(4 x 128 / (119 x 11)), 1/4 + 1/119 + 1/11 + 1/128 (Woolf)."""
    yi, vi = log_odds_ratio(BinaryData(4, 123), BinaryData(11, 139))
    assert yi == pytest.approx(log(512 / 1309))
    assert vi == pytest.approx(1 / 4 + 1 / 119 + 1 / 11 + 1 / 128)


def test_borenstein_standardised_mean_difference() -> None:
    """Borenstein et al. 2009, chapter 4: means 103 and 100, SDs 5.5 and 4.5, n = 50 each: d =
    0.5970; g = 0.5924. The book's J is the approximation 1 - 3/(4 df - 1); ours, exact, differs
    in the 5th digit; the variance of metafor (LS) is 1/50 + 1/50 + g^2/200."""
    yi, vi = standardised_mean_difference(
        ContinuousData(103, 5.5, 50), ContinuousData(100, 4.5, 50)
    )
    assert yi == pytest.approx(0.5924, abs=1e-4)
    assert vi == pytest.approx(0.04 + yi**2 / 200)


def test_borenstein_mean_difference() -> None:
    """Borenstein et al. 2009, chapter 4: the same means give MD 3 with variance 1.0100."""
    data = ContinuousData(103, 5.5, 50), ContinuousData(100, 4.5, 50)
    assert mean_difference(*data) == pytest.approx((3.0, 1.01))


def test_psgbs_mean_difference() -> None:
    """PSGBS 1997 (Lancet 349:225), IVIg 0.8 (1.3) of 130 v PE 0.9 (1.3) of 121: -0.1, with the
    authors' claim that 0.5 grade lies outside the interval."""
    yi, vi = mean_difference(ContinuousData(0.8, 1.3, 130), ContinuousData(0.9, 1.3, 121))
    assert yi == pytest.approx(-0.1)
    assert abs(yi) + 1.96 * sqrt(vi) < 0.5


def test_morris_standardised_mean_change() -> None:
    """Morris 2008, study 1 as in ?metafor::escalc: 38.5 (11.6) and 30.6 (15), n = 20, r = .47:
    yi 0.5417, vi 0.0573 (metafor 5.0-1)."""
    sd, _ = change_sd(15, 11.6, 0.47)
    yi, vi = standardised_mean_change((38.5 - 30.6) * sqrt(20) / sd, 20)
    assert (round(yi, 4), round(vi, 4)) == (0.5417, 0.0573)


def test_small_sample_factor_is_exact() -> None:
    """metafor's exact J for 2, 10 and 500 df; the approximation gives 0.5714 for 2."""
    factors = small_sample_factor(np.array([2.0, 10.0, 500.0]))
    expected = (0.564189583547756, 0.922745608053087, 0.998499124437834)
    assert factors == pytest.approx(expected, rel=1e-12)
    assert np.isnan(small_sample_factor(np.array([1.0])))


def test_ratio_of_means_is_bias_corrected() -> None:
    """Edinburgh (Normand 1999): 55 (47) of 155 v 75 (64) of 156: -0.31013 in metafor 5.0-1; the
    uncorrected log(55/75) of earlier versions is -0.31015."""
    yi, vi = log_ratio_of_means(ContinuousData(55, 47, 155), ContinuousData(75, 64, 156))
    assert yi == pytest.approx(-0.310133192941342, rel=1e-12)
    assert yi != pytest.approx(log(55 / 75), rel=1e-6)
    assert vi == pytest.approx(0.00937908326060819, rel=1e-12)


def test_reported_ratio_is_pooled_as_log() -> None:
    """metafor's conv.wald: OR 0.64 (0.33 to 1.22) is -0.446287 with SE 0.333555."""
    yi, vi = reported_effect(ReportedEffect("OR", 0.64, 0.33, 1.22))
    assert (yi, sqrt(vi)) == pytest.approx((-0.446287102628419, 0.333555487136569))


def test_reported_difference_is_pooled_as_printed() -> None:
    """metafor's conv.wald: -2.1 (-3 to -1.2) at 90 % has SE 0.547161."""
    yi, vi = reported_effect(ReportedEffect("MD", -2.1, -3, -1.2, level=0.9))
    assert (yi, sqrt(vi)) == pytest.approx((-2.1, 0.547161148720592))


@pytest.mark.parametrize(
    ("function", "arm", "yi", "vi"),
    [
        # 0 of 4 and 8 of 8, metafor 5.0-1 (syn_responder)
        (logit_proportion, BinaryData(0, 4), -2.19722457733622, 2.22222222222222),
        (logit_proportion, BinaryData(8, 8), 2.83321334405622, 2.11764705882353),
        (proportion, BinaryData(8, 8), 17 / 18, 0.00582990397805213),
    ],
)
def test_proportions_of_none_or_all(function: Any, arm: BinaryData, yi: float, vi: float) -> None:
    assert function(arm) == pytest.approx((yi, vi))


def test_zero_cell_rule_is_named_only_where_used() -> None:
    assert zero_cells("RR", BinaryData(1, 4), BinaryData(2, 4)) == ""
    assert "0/4 and 2/4" in zero_cells("RR", BinaryData(0, 4), BinaryData(2, 4))
    assert "metafor" in zero_cells("RR", BinaryData(1, 4), BinaryData(4, 4))


def test_studies_without_variance_are_refused() -> None:
    flat = ContinuousData(1, 0, 5)
    for function in (mean_difference, standardised_mean_difference, log_ratio_of_means):
        with pytest.raises(EffectSizeError):
            function(flat, flat)
    with pytest.raises(EffectSizeError):
        mean_change(flat)


def test_impossible_data_are_refused() -> None:
    with pytest.raises(EffectSizeError, match="two positive means"):
        log_ratio_of_means(ContinuousData(-1, 1, 5), ContinuousData(1, 1, 5))
    with pytest.raises(EffectSizeError, match="3 or more"):
        standardised_mean_change(2.0, 2)
    with pytest.raises(EffectSizeError, match="4 or more"):
        standardised_mean_difference(ContinuousData(1, 1, 1), ContinuousData(2, 1, 2))
    with pytest.raises(EffectSizeError, match="above 0"):
        reported_effect(ReportedEffect("OR", 0.5, 0, 1.2))


counts = st.integers(1, 500).flatmap(lambda n: st.integers(0, n).map(lambda x: BinaryData(x, n)))
means = st.builds(
    ContinuousData,
    st.floats(0.1, 100),
    st.floats(0.1, 100),
    st.integers(2, 500),
)


@pytest.mark.parametrize("code", ["RR", "OR", "RD"])
@given(treated=counts, control=counts)
@settings(deadline=None)
def test_swapping_arms_flips_the_sign_of_counts(
    code: str, treated: BinaryData, control: BinaryData
) -> None:
    yi, vi = MEASURES[code].compute(treated, control)
    swapped = MEASURES[code].compute(control, treated)
    assert swapped == pytest.approx((-yi, vi), rel=1e-9, abs=1e-12)
    EffectSize("a", "A 2000", code, yi, vi)


@pytest.mark.parametrize("code", ["MD", "SMD", "ROM"])
@given(treated=means, control=means)
@settings(deadline=None)
def test_swapping_arms_flips_the_sign_of_means(
    code: str, treated: ContinuousData, control: ContinuousData
) -> None:
    yi, vi = MEASURES[code].compute(treated, control)
    swapped = MEASURES[code].compute(control, treated)
    assert swapped == pytest.approx((-yi, vi), rel=1e-9, abs=1e-12)


@given(treated=means, control=means, unit=st.sampled_from([0.1, 10, 1000]))
@settings(deadline=None)
def test_a_change_of_unit_scales_md_and_leaves_smd_and_rom(
    treated: ContinuousData, control: ContinuousData, unit: float
) -> None:
    def rescaled(arm: ContinuousData) -> ContinuousData:
        return ContinuousData(arm.mean * unit, arm.sd * unit, arm.n)

    pair = rescaled(treated), rescaled(control)
    yi, vi = mean_difference(treated, control)
    assert mean_difference(*pair) == pytest.approx((yi * unit, vi * unit**2), rel=1e-9)
    for function in (standardised_mean_difference, log_ratio_of_means):
        assert function(*pair) == pytest.approx(function(treated, control), rel=1e-9, abs=1e-9)


@given(treated=counts, control=counts)
@settings(deadline=None)
def test_counting_those_without_the_event_flips_odds_ratio_and_difference(
    treated: BinaryData, control: BinaryData
) -> None:
    others = [BinaryData(a.n - a.events, a.n) for a in (treated, control)]
    for function in (log_odds_ratio, risk_difference):
        yi, vi = function(treated, control)
        assert function(*others) == pytest.approx((-yi, vi), rel=1e-9, abs=1e-12)


@given(arm=counts)
@settings(deadline=None)
def test_the_logit_leads_back_to_the_proportion(arm: BinaryData) -> None:
    assert MEASURES["PLO"].back(logit_proportion(arm)[0]) == pytest.approx(proportion(arm)[0])


@given(y=st.floats(-700, 700))
@settings(deadline=None)
def test_back_transforms_stay_in_their_range(y: float) -> None:
    assert 0 <= MEASURES["PLO"].back(y) <= 1
    assert isfinite(MEASURES["RR"].back(y))
    assume(abs(y) < 300)
    assert log(MEASURES["RR"].back(y)) == pytest.approx(y, abs=1e-12)


@pytest.mark.parametrize("code", FORMULAS)
def test_each_formula_is_documented(code: str) -> None:
    assert FORMULAS[code].compute.__doc__
    assert FORMULAS[code].scale in BACK


@pytest.mark.parametrize("code", MEASURES)
def test_each_measure_leads_back_to_its_scale(code: str) -> None:
    measure = MEASURES[code]
    assert measure.code == code
    assert measure.null in (None, exp(0) if measure.scale == "log" else 0.0)
    assert measure.columns
    assert measure.axis.startswith(measure.name)
