"""Effects between arms, p values alone, and the quotes of a row's numbers."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import ARMS, RELAPSES, SERIES, TRIAL, TWENTY, trial


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("odds ratio 0.24, 95% CI 0.10 to 0.55", "OR"),
        ("adjusted odds ratio 0.24, 95% CI 0.10 to 0.55", "adjusted OR"),
        ("aOR 0.24, 95% CI 0.10 to 0.55", "adjusted OR"),
        ("relative risk 0.24 [95% CI 0.10 to 0.55]", "RR"),
        ("risk ratio (RR) 0.24, 95% CI 0.10–0.55", "RR"),
        ("HR 0.24; 95% CI 0.10, 0.55", "HR"),
        ("hazard ratio was 0.24 (95% CI 0.10-0.55)", "HR"),
    ],
)
def test_an_effect_stands_with_the_counts_it_compares(read: Read, printed: str, code: str) -> None:
    sentence = f"Relapse occurred in 12 of 59 patients on IVIg and 30 of 58 on placebo ({printed})."
    effect = {"effect_measure": code, "effect": 0.24, "effect_ci_low": 0.1, "effect_ci_high": 0.55}
    trial(read, sentence, [RELAPSES | effect])


def test_a_difference_of_percentages_is_a_risk_difference(read: Read) -> None:
    sentence = (
        "Response was seen in 32 of 59 (54%) patients on IVIg and 12 of 58 (21%) on placebo "
        "(treatment difference 33·5%, 95% CI 15·4–51·7; p=0·0002)."
    )
    expected = {
        "measure": "responder",
        "type": "count",
        "value": 54,
        "events": 32,
        "n": 59,
        "comparator_value": 21,
        "comparator_events": 12,
        "comparator_n": 58,
        "effect_measure": "RD",
        "effect": 33.5,
        "effect_ci_low": 15.4,
        "effect_ci_high": 51.7,
        "p_value": "0.0002",
    }
    trial(read, sentence, [expected])


def test_a_mean_difference_alone_is_a_row_between_the_arms(read: Read) -> None:
    sentence = "For the INCAT score the mean difference was −0.8 (95% CI −1.3 to −0.3)."
    expected = {
        "measure": "INCAT",
        "type": "difference",
        "arm": "IVIg vs placebo",
        "effect_measure": "MD",
        "effect": -0.8,
        "effect_ci_low": -1.3,
        "effect_ci_high": -0.3,
    }
    trial(read, sentence, [expected])


@pytest.mark.parametrize(
    ("p", "direction"),
    [("p = 0.43", "no difference"), ("p = 0.002", None), ("p < 0.10", None)],
)
def test_a_p_value_alone_is_a_qualitative_row(read: Read, p: str, direction: str | None) -> None:
    sentence = f"Sweat production normalised ({p})."
    (outcome,) = read(TWENTY + sentence, SERIES).outcomes
    said = outcome.direction.value if outcome.direction else None
    assert (outcome.measure, outcome.type, said) == ("sweat production", "qualitative", direction)
    assert outcome.p_value is not None
    assert outcome.p_value.value == p.removeprefix("p ").replace(" ", "").lstrip("=")


def test_no_result_without_an_outcome_that_is_named(read: Read) -> None:
    assert read(TWENTY + "The figure was 12.5 (95% CI 3.1 to 22.0).", SERIES).outcomes == ()


def test_each_number_quotes_the_phrase_it_was_read_from(read: Read) -> None:
    sentence = "Relapse occurred in 12 of 59 patients on IVIg and 30 of 58 on placebo."
    (outcome,) = read(ARMS + sentence, TRIAL).outcomes
    quoted = {k: r.quote.text for k, r in outcome.readings().items() if r.quote}
    assert quoted["events"].startswith("12 of 59")
    assert quoted["comparator_n"].startswith("30 of 58")
    assert outcome.quote is not None
    assert outcome.quote.text.startswith("Relapse")
