"""Agreement beyond chance, against the worked examples of those who proposed the figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review import finish
from pipeline.review.agreement import (
    agreement,
    cohen_kappa,
    krippendorff_alpha,
    percent_agreement,
)
from tests.review.samples import Desk

#: Cohen (1960), table 1: 200 patients, two judges, three diagnoses.
COHEN = [[88, 10, 2], [14, 40, 6], [18, 10, 12]]
#: Krippendorff (2011), examples A to C; "." is a missing rating.
TWO_BINARY = ["0100000010", "1110010000"]
TWO_NOMINAL = ["aabbdcccedda", "babbbccceddd"]
FOUR = ["123321412...", "1233224125.3", ".3332342251.", "1233244125 1.".replace(" ", "")]


def units(raters: list[str]) -> list[list[str]]:
    """The ratings of each unit, from one line a person."""
    assert len({len(line) for line in raters}) == 1
    return [[c for c in column if c != "."] for column in zip(*raters, strict=True)]


def numbers(raters: list[str]) -> list[list[int]]:
    """The same as numbers."""
    return [[int(c) for c in unit] for unit in units(raters)]


def test_kappa_of_cohens_table() -> None:
    """Cohen (1960), table 1: p_o = .70, p_c = .41, kappa = .492."""
    pairs = [(i, j) for i, row in enumerate(COHEN) for j, n in enumerate(row) for _ in range(n)]
    assert percent_agreement(pairs) == pytest.approx(0.70)
    assert cohen_kappa(pairs) == pytest.approx(0.492, abs=5e-4)


def test_alpha_of_two_observers_and_two_categories() -> None:
    """Krippendorff (2011), section A: alpha = 0.095."""
    assert krippendorff_alpha(units(TWO_BINARY)) == pytest.approx(0.095, abs=5e-4)


def test_alpha_of_two_observers_and_many_categories() -> None:
    """Krippendorff (2011), section B: alpha = 0.692."""
    assert krippendorff_alpha(units(TWO_NOMINAL)) == pytest.approx(0.692, abs=5e-4)


def test_alpha_of_four_observers_with_missing_ratings() -> None:
    """Krippendorff (2011), sections C and D: nominal alpha = 0.743, interval alpha = 0.849."""
    assert krippendorff_alpha(numbers(FOUR)) == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(numbers(FOUR), metric="interval") == pytest.approx(0.849, abs=5e-4)


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=12))
def test_alpha_is_one_only_where_nobody_differs(ratings: list[list[str]]) -> None:
    alpha = krippendorff_alpha(ratings)
    if alpha is not None:
        assert alpha <= 1
        assert (alpha == 1) == (percent_agreement(ratings) == 1)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1))
def test_kappa_is_the_same_whoever_comes_first(pairs: list[tuple[str, str]]) -> None:
    swapped = [(b, a) for a, b in pairs]
    one, other = cohen_kappa(pairs), cohen_kappa(swapped)
    assert (one is None) == (other is None)
    assert one == pytest.approx(other)


def test_without_a_pair_or_a_difference_nothing_is_defined() -> None:
    assert percent_agreement([["a"], []]) is None
    assert cohen_kappa([]) is None
    assert cohen_kappa([("a", "a")]) is None
    assert krippendorff_alpha([["a"]]) is None
    assert krippendorff_alpha([["a", "a"]]) is None
    with pytest.raises(ValueError, match="Invalid metric"):
        krippendorff_alpha([], metric="ordinal")


def test_the_figures_are_of_the_words_before_adjudication() -> None:
    desk = Desk(mode="dual")
    desk.says("Li", "accepted", "outcomes/0.n")
    desk.says("Ng", "corrected", "outcomes/0.n", value=19)
    desk.says("Li", "accepted", "outcomes/1.n")
    desk.says("Ng", "accepted", "outcomes/1.n")
    desk.says("Oz", "adjudicated", "outcomes/0.n", value=20)
    desk.says("Ng", "accepted", "outcomes/0.n")
    (row,) = agreement(desk.events)
    (kind,) = agreement(desk.events, by_kind=True)
    assert (kind.field, kind.kind, kind.n, kind.alpha_interval) == ("", "number", 2, None)
    assert kind.alpha == row.alpha
    assert (row.field, row.kind, row.n, row.people) == ("outcomes.n", "number", 2, ("Li", "Ng"))
    assert (row.equal, row.kappa) == (0.5, None)


def test_the_figures_are_of_the_words_before_the_study_was_finished() -> None:
    desk = Desk(mode="dual")
    desk.says("Li", "accepted", "design")
    desk.says("Ng", "corrected", "design", value="rct_crossover")
    for who in ("Li", "Ng"):
        desk.add(finish(desk.writer(who), desk.record))
    desk.says("Ng", "corrected", "design", value="rct_parallel")
    assert desk.state("design").state == "agreed"
    (row,) = agreement(desk.events)
    assert (row.field, row.equal, row.kappa) == ("design", 0.0, 0.0)
