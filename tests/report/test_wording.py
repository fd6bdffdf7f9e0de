"""How numbers and the lines under a plot are printed."""

from __future__ import annotations

from dataclasses import replace
from math import exp, inf, isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.data import MeasureView, ReportData
from pipeline.report.wording import (
    effect_test_text,
    estimate_text,
    heterogeneity_text,
    interval_head,
    method_note,
    minus,
    number,
    p_text,
    recovered_text,
    study_interval,
    subgroup_test_text,
    unreviewed_text,
)
from pipeline.schema import PooledEstimate, QuestionResult, SubgroupTest

RR = MeasureView("RR", "Risk ratio", "Risk ratio", 1.0, True, "exp")
MD = MeasureView("MD", "Mean difference", "Mean difference", 0.0)
PLO = MeasureView("PLO", "Proportion", "Proportion", back="expit", percent=True)


@pytest.fixture
def bcg(results: dict[str, QuestionResult]) -> PooledEstimate:
    """metafor's REML result for the BCG data."""
    pooled = results["bcg"].pooled
    assert pooled is not None
    return pooled


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (0.736, "0.74"),
        (-1.5, "−1.50"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (0.0042, "0.004"),
        (-0.0042, "−0.004"),
        (0.00001, "0.00"),
        (-0.00001, "0.00"),
        (282.724, "282.72"),
        (4.85e8, "4.85e+08"),
        (inf, "∞"),
        (-inf, "−∞"),
        (0.005, "0.01"),
    ],
)
def test_a_number_keeps_two_decimals_or_its_first_digit(x: float, text: str) -> None:
    assert number(x) == text


@given(st.floats(-1e300, 1e300, allow_nan=False))
def test_no_number_shows_an_ascii_minus_or_a_negative_zero(x: float) -> None:
    text = number(x).replace("e-", "e")
    assert "-" not in text
    assert text.strip("−0.") or not text.startswith("−")


def test_only_a_plain_number_gets_the_real_minus() -> None:
    assert minus("-3.2") == "−3.2"
    assert minus("1-2") == "1-2"
    assert minus("pre-post") == "pre-post"


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("revman", "0.74 [0.52, 1.05]"),  # the three forms that the house's plot rules print
        ("bmj", "0.74 (0.52 to 1.05)"),
        ("jama", "0.74 (0.52-1.05)"),
    ],
)
def test_an_interval_follows_the_style(style: str, text: str) -> None:
    assert estimate_text(RR, log(0.74), log(0.52), log(1.05), style=style) == text


def test_jama_writes_to_where_a_bound_is_negative() -> None:
    assert estimate_text(MD, 0.5, -1, 2, style="jama") == "0.50 (−1.00 to 2.00)"


def test_a_logit_of_zero_is_half_in_percent() -> None:
    assert estimate_text(PLO, 0.0, log(1 / 3), log(3), style="revman") == "50.0 [25.0, 75.0]"


def test_a_bound_near_0_or_100_percent_keeps_one_decimal() -> None:
    assert estimate_text(PLO, 0.0, -9.5, 9.5, style="revman") == "50.0 [0.0, 100.0]"


def test_an_interval_without_estimate_is_the_interval_alone() -> None:
    assert estimate_text(RR, None, log(0.64), log(1.22), style="revman") == "[0.64, 1.22]"


@pytest.mark.parametrize(
    ("p", "revman", "jama"),
    [
        (0.13, "P = 0.13", "P = .13"),  # Fleiss 1993 in RevMan: Chi2 = 9.95, df = 6 (P = 0.13)
        (0.00101, "P = 0.001", "P = .001"),  # same plot: Z = 3.29 (P = 0.001)
        (0.0476, "P = 0.048", "P = .048"),
        (0.00042, "P = 0.0004", "P < .001"),
        (2e-26, "P < 0.00001", "P < .001"),
        (1.0, "P = 1.00", "P = 1.00"),
    ],
)
def test_p_values(p: float, revman: str, jama: str) -> None:
    assert p_text(p, style="revman") == revman
    assert p_text(p, style="jama") == jama


def test_the_heterogeneity_line_is_revmans_with_the_interval_of_tau2(bcg: PooledEstimate) -> None:
    # metafor: tau^2 0.3132, confint 0.1197 to 1.1115, Q(df = 12) = 152.2330, p < .0001, I^2 92.22%
    assert heterogeneity_text(bcg, style="revman") == (
        "Heterogeneity: Tau² = 0.31 [0.12, 1.11]; Chi² = 152.23, df = 12 (P < 0.00001); I² = 92%"
    )
    assert heterogeneity_text(bcg, style="bmj") == (
        "Test for heterogeneity: τ²=0.31 (0.12 to 1.11); χ²=152.23, df=12, P<0.001; I²=92%"
    )


def test_equal_effects_have_no_tau2_and_an_i2_from_q(bcg: PooledEstimate) -> None:
    # Fleiss 1993, fixed effect, as RevMan prints it
    fleiss = replace(bcg, method="EE", q=9.946056, q_df=6, q_pval=0.127, i2=0.0, i2_q=39.67458)
    line = "Heterogeneity: Chi² = 9.95, df = 6 (P = 0.13); I² = 40%"
    assert heterogeneity_text(fleiss, style="revman") == line


def test_the_effect_test_is_z_or_t_with_its_degrees_of_freedom(bcg: PooledEstimate) -> None:
    # metafor, BCG, DL with knha: t(12) = -3.9520, p = 0.0019
    knha = replace(bcg, method="DL", test="knha", stat=-3.95202, df=12.0, pval=0.00192)
    line = "Test for overall effect: t = 3.95, df = 12 (P = 0.002)"
    assert effect_test_text(knha, style="revman") == line
    assert effect_test_text(knha, style="bmj") == (
        "Test for overall effect: t=3.95, df=12, P=0.002"
    )
    assert effect_test_text(bcg, style="revman") == (
        "Test for overall effect: Z = 3.97 (P = 0.00007)"
    )
    assert interval_head(knha) == "DL, HK 95% CI"


def test_the_subgroup_line_has_i2_from_q() -> None:
    # (6.4 - 2) / 6.4 = 68.75 % (Higgins and Thompson 2002)
    line = subgroup_test_text(SubgroupTest(6.4, 2, 0.0408), style="revman")
    assert line == ("Test for subgroup differences: Chi² = 6.40, df = 2 (P = 0.041), I² = 69%")
    assert subgroup_test_text(SubgroupTest(0.0, 1, 1.0), style="revman").endswith("I² = 0%")


def test_recovered_numbers_are_counted_by_kind(results: dict[str, QuestionResult]) -> None:
    bcg = results["bcg"]
    effects = [replace(e, numbers=4) for e in bcg.effects[:3]]
    printed = replace(bcg, effects=tuple(effects))
    assert recovered_text(printed) == "None of the 12 numbers of this pool is recovered."
    effects[0] = replace(effects[0], unprinted=("events from percentages",) * 2)
    effects[2] = replace(effects[2], unprinted=("SDs from P values",))
    mixed = replace(printed, effects=tuple(effects))
    assert recovered_text(mixed) == (
        "3 of 12 numbers of this pool are not printed but recovered: events from percentages (2), "
        "SDs from P values (1)."
    )
    alone = replace(mixed, effects=(effects[2],), pooled=None)
    assert recovered_text(alone) == (
        "1 of 4 numbers of the studies shown is not printed but recovered: SDs from P values (1)."
    )
    assert recovered_text(replace(alone, effects=())) == ""


def test_the_method_note_names_every_choice(results: dict[str, QuestionResult]) -> None:
    note = method_note(results["bcg"], RR)
    for words in ("(RR)", "REML", "Wald-type", "I² computed from tau²", "k\u00a0=\u00a013", "357"):
        assert words in note
    assert "Not pooled" in method_note(results["one_study"], RR)


def test_a_study_interval_is_the_normal_one(results: dict[str, QuestionResult]) -> None:
    # RevMan and metafor for Aronson 1948: 0.41 [0.13, 1.26]
    lo, hi = study_interval(results["bcg"].effects[0], 0.95)
    assert isclose(exp(lo), 0.134, abs_tol=5e-4)
    assert isclose(exp(hi), 1.257, abs_tol=5e-4)


def test_unreviewed_studies_are_counted(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    assert unreviewed_text(results["responders"].effects) == (
        "2 of 4 studies unreviewed (machine-read values)"
    )
    assert unreviewed_text(results["bcg"].effects) == "All 13 studies reviewed"


def test_a_proportion_is_shown_in_percent() -> None:
    with pytest.raises(ValueError, match="percent"):
        MeasureView("PLO", "Proportion", "", back="expit")
    with pytest.raises(ValueError, match="logit"):
        MeasureView("PLO", "Proportion", "", back="logit")


def test_a_report_knows_the_measure_of_every_question(data: ReportData) -> None:
    with pytest.raises(ValueError, match="'MC' of pain"):
        replace(data, measures={k: v for k, v in data.measures.items() if k != "MC"})
    with pytest.raises(ValueError, match="'lancet'"):
        replace(data, style="lancet")
