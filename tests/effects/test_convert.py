"""Conversions against metafor, the Handbook, and their own inverses."""

from __future__ import annotations

from math import sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline.effects.convert import (
    change_sd,
    events_from_percent,
    sd_from_ci,
    sd_from_p,
    sd_from_se,
    se_from_ci,
    se_from_p,
    t_from_p,
)
from pipeline.errors import EffectSizeError


def test_se_from_the_interval_of_a_ratio() -> None:
    """Handbook 6.3.2: OR 0.64 (0.33 to 1.22) has SE 0.33 of the log; metafor 0.333555."""
    se, sentence = se_from_ci(0.33, 1.22, ratio=True)
    assert se == pytest.approx(0.333555487136569)
    assert "Handbook 6.3" in sentence


def test_se_from_the_interval_of_a_difference() -> None:
    """metafor's conv.wald: -3 to -1.2 at 90 % has SE 0.547161."""
    assert se_from_ci(-3, -1.2, level=0.9)[0] == pytest.approx(0.547161148720592)


def test_sd_from_se() -> None:
    """metafor: SE 0.42 of n = 5 is SD 0.939149."""
    sd, sentence = sd_from_se(0.42, 5)
    assert sd == pytest.approx(0.939148550549912)
    assert "n = 5" in sentence


def test_sd_from_ci_takes_t_not_normal() -> None:
    """R: n = 5, 1.2 to 4.4 at 95 % is SD 1.288593; the normal quantile would give 1.825395."""
    sd, sentence = sd_from_ci(1.2, 4.4, 5)
    assert sd == pytest.approx(1.28859337333982)
    assert "t interval" in sentence
    assert sd_from_ci(2, 5, 8, level=0.9)[0] == pytest.approx(2.23935849149829)


def test_change_sd() -> None:
    """R: SDs 1.4 and 2.2 with r = 0.5 give 1.928730, with 0.9 1.120714 (Handbook 6.5.2.8)."""
    sd, sentence = change_sd(1.4, 2.2, 0.5)
    assert sd == pytest.approx(1.92873015219859)
    assert "r = 0.5" in sentence
    assert change_sd(1.4, 2.2, 0.9)[0] == pytest.approx(1.12071405808975)


def test_t_from_p() -> None:
    """R: p = 0.03 of n = 10 pairs is t 2.573804, hence SE 0.854766 of a mean of -2.2."""
    t, sentence = t_from_p(0.03, 10)
    assert t == pytest.approx(2.5738039775468)
    assert 2.2 / t == pytest.approx(0.8547659492301)
    assert "paired" in sentence


@pytest.mark.parametrize(
    ("percent", "n", "decimals", "events"),
    [
        # PMID 33766992 prints 40 % and 30 % of 30: the only counts are 12 and 9
        (40, 30, 0, 12),
        (30, 30, 0, 9),
        # PMID 28768822 prints 77.6 % beside 38/49
        (77.6, 49, 1, 38),
        (0, 20, 0, 0),
        (100, 20, 0, 20),
        # 12.5 % of 8 is 1 exactly
        (12.5, 8, 1, 1),
    ],
)
def test_events_where_one_number_fits(percent: float, n: int, decimals: int, events: int) -> None:
    found, sentence = events_from_percent(percent, n, decimals=decimals)
    assert found == events
    assert f"{events} of {n}" in sentence


def test_events_where_no_number_fits() -> None:
    """PMID 29781817 prints 83.5 % of 38: 31 is 81.6 %, 32 is 84.2 %."""
    with pytest.raises(EffectSizeError, match=r"83\.5 % of 38 is not a whole number of patients"):
        events_from_percent(83.5, 38, decimals=1)


def test_events_where_several_numbers_fit() -> None:
    """40 % without decimals of 500 is anything from 198 to 202."""
    with pytest.raises(EffectSizeError, match="fits 198 to 202"):
        events_from_percent(40, 500)


@given(n=st.integers(1, 400), data=st.data(), decimals=st.integers(0, 2))
@settings(deadline=None)
def test_a_recovered_count_is_the_true_one(n: int, data: st.DataObject, decimals: int) -> None:
    """Whatever a true count is rounded to, the answer is that count or a refusal."""
    events = data.draw(st.integers(0, n))
    percent = round(100 * events / n, decimals)
    try:
        found, _ = events_from_percent(percent, n, decimals=decimals)
    except EffectSizeError as refused:
        assert "fits" in str(refused)
    else:
        assert found == events


@given(p=st.floats(1e-6, 1), n=st.integers(2, 500))
@settings(deadline=None)
def test_t_leads_back_to_p(p: float, n: int) -> None:
    t, _ = t_from_p(p, n)
    assert 2 * stats.t.sf(t, n - 1) == pytest.approx(p, rel=1e-6)


@given(a=st.floats(0.1, 10), b=st.floats(0.1, 10))
@settings(deadline=None)
def test_a_higher_correlation_gives_a_smaller_sd_of_change(a: float, b: float) -> None:
    low, high = change_sd(a, b, 0.2)[0], change_sd(a, b, 0.8)[0]
    assert high < low
    assert change_sd(a, b, 0)[0] == pytest.approx(sqrt(a**2 + b**2))


def test_impossible_input_is_refused() -> None:
    for call in (
        lambda: se_from_ci(2, 1),
        lambda: se_from_ci(-1, 1, ratio=True),
        lambda: sd_from_ci(1, 2, 1),
        lambda: t_from_p(0, 10),
        lambda: t_from_p(0.05, 1),
    ):
        with pytest.raises(EffectSizeError):
            call()


def test_se_from_p_values() -> None:
    """metafor's conv.wald: RR 0.44 with p = 0.013 has SE 0.177150 where 0.44 is on its own scale,
    and 0.8 with p = 0.0004 has SE 0.225983 (_conversions.json, z_p_to_se)."""
    assert se_from_p(0.44, 0.013)[0] == pytest.approx(0.177150108585233)
    assert se_from_p(0.8, 0.0004)[0] == pytest.approx(0.225983351066265)
    with pytest.raises(EffectSizeError, match="No SE"):
        se_from_p(0.0, 0.04)


def test_sd_from_the_p_value_of_a_difference() -> None:
    """Handbook 6.5.2.3's example: 3.8 with p = 0.008, 25 and 22 patients: t = 2.78, SD 4.68."""
    sd, sentence = sd_from_p(3.8, 0.008, 25, 22)
    assert sd == pytest.approx(4.6834693413751)
    assert "t test" in sentence
