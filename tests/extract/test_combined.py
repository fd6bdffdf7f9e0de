"""What makes the result of an uncontrolled study not the intervention's own."""

from __future__ import annotations

import pytest

from tests.extract.conftest import Read
from tests.extract.plain import SERIES, TRIAL


def codes(read: Read, sentence: str, title: str = SERIES) -> set[str]:
    """The codes of the problems."""
    return {p.code for p in read(sentence, title).problems}


@pytest.mark.parametrize(
    "phrase",
    [
        "IVIg followed by plasma exchange",
        "IVIg combined with prednisolone",
        "IVIg plus cyclophosphamide",
        "rituximab together with IVIg",
    ],
)
def test_the_intervention_with_another_treatment(read: Read, phrase: str) -> None:
    found = read(f"Twenty patients had {phrase}.", SERIES).problems
    quotes = [p.quote.text for p in found if p.code == "combined_treatment" and p.quote]
    assert len(quotes) == 1
    assert quotes[0] in phrase


def test_followed_by_something_else_is_no_combination(read: Read) -> None:
    sentence = "Twenty patients had IVIg, followed by a visit."
    assert "combined_treatment" not in codes(read, sentence)


def test_a_trial_may_name_combinations(read: Read) -> None:
    sentence = "We randomised 60 patients to IVIg or placebo. Some had IVIg plus prednisolone."
    assert not codes(read, sentence, TRIAL) & {"combined_treatment", "mixed_series"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Six patients had IVIg. They were analysed with 20 previously published cases.",
        "Our 6 patients and 20 from the literature had IVIg.",
        "Six patients had IVIg; pooled with nine earlier series, 80 % improved.",
        "We give an analysis of our series and twelve published reports of IVIg.",
    ],
)
def test_own_patients_counted_with_published_ones(read: Read, sentence: str) -> None:
    assert "mixed_series" in codes(read, sentence)


def test_published_patients_named_apart_are_not_mixed(read: Read) -> None:
    sentence = "We treated 7 patients with IVIg and found 74 cases in the literature."
    assert "mixed_series" not in codes(read, sentence)
