"""Log ratios of means: before and after, and behind percent changes with a borrowed CV."""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.config import Config, OutcomeDef, Question
from pipeline.effects.choose import check_questions, effects_for
from pipeline.effects.formulas import escalc
from pipeline.effects.read import compute
from pipeline.effects.source import Computed
from pipeline.effects.study import of_percent_change
from pipeline.errors import ConfigError, EffectSizeError
from pipeline.extract.reader import Reader
from pipeline.fetch.files import read_records
from pipeline.schema import Outcome, Quote, Reading

PAIN = OutcomeDef(
    name="pain", kind="continuous", unit="points", range=(0, 10), direction="lower is better"
)
BORROWED = {"cv": 0.4, "cv_source": "three trials of the same scale", "ri": 0.5}
ALLOWED = {"recover": ("log_ratio_from_percent",), **BORROWED}


def question(measure: str = "ROMC", **values: Any) -> Question:
    plain = {"id": "q", "title": "Q", "comparisons": ("none (single-arm)",), "outcome": "pain"}
    return Question.model_validate({**plain, "measure": measure, **values})


def row(type_: str = "percent_change", **values: Any) -> Outcome:
    quote = Quote("r", 0, 4, "pain")
    readings = {name: Reading(value, quote) for name, value in values.items()}
    return Outcome("pain", type_, quote=quote, **readings)  # type: ignore[arg-type]


def read(asked: Question, one: Outcome) -> Computed:
    return compute(one, asked, PAIN, "case_series")


def test_a_percent_change_by_hand() -> None:
    """-73.4 % of 5 patients with CV 0.4 and r = 0.5: log 0.266, 2 x 0.16 x 0.5 / 5 = 0.032."""
    made = read(question(**ALLOWED), row(value=-73.4, n=5))
    assert (made.yi, made.vi) == pytest.approx((log(0.266), 0.032))
    assert made.cells == ("-73.4", "0.4", "0.4", "5")
    assert made.numbers == 4
    assert set(made.unprinted) == {"assumed correlations", "borrowed coefficients of variation"}
    ((kind, sentence),) = made.notes
    assert kind == "log_ratio_from_percent"
    for words in ("-73.4 %", "mean of percent changes", "CV of 0.4", "three trials", "r = 0.5"):
        assert words in sentence


def test_the_series_that_prints_a_percent_change_enters_only_where_asked(
    config: Config, repo: Path
) -> None:
    """PMID 19168191: VAS pain fell by 73.4 % in five patients, without a spread.

    The shipped protocol leaves it out; one that borrows a CV of 0.4 pools log 0.266.
    """
    found, _ = read_records(repo / "corpus" / "demo" / "evipool-demo.xml")
    record = next(r for r in found if r.pmid == "19168191")
    one = Reader(config.eligibility, config.outcomes).read(record)
    population, outcome = config.eligibility.population, config.outcome("pain")
    for shipped in (q for q in config.questions if q.outcome == "pain"):
        kept = effects_for(shipped, outcome, population, [one])
        assert kept.effects == ()
        assert "percent change without a spread" in kept.not_pooled[0].reason
    (effect,) = effects_for(question(**ALLOWED), outcome, population, [one]).effects
    assert (effect.yi, effect.vi) == pytest.approx((log(0.266), 0.032))


@pytest.mark.parametrize(("change", "n", "cv", "ri"), [(-73.4, 5, 0.4, 0.5), (28, 41, 1.1, 0.0)])
def test_it_is_the_ratio_of_two_means_with_that_cv(
    change: float, n: int, cv: float, ri: float
) -> None:
    """As metafor's ROMC of a mean of 60 before: SDs are the CV's share of each mean."""
    after = 60 * (1 + change / 100)
    table = {"m1i": after, "sd1i": cv * after, "m2i": 60.0, "sd2i": cv * 60, "ni": n, "ri": ri}
    yi, vi = escalc("ROMC", {name: np.array([float(x)]) for name, x in table.items()})
    assert of_percent_change(change, n, cv, ri) == pytest.approx((yi[0], vi[0]))


def test_percent_changes_of_two_arms_give_a_ratio_of_means() -> None:
    """-40 % of 20 against -10 % of 25: log(0.6 / 0.9), variances add: 0.16 (1/20 + 1/25)."""
    one = row(value=-40.0, n=20, comparator_value=-10.0, comparator_n=25)
    made = read(question("ROM", **ALLOWED), one)
    assert (made.yi, made.vi) == pytest.approx((log(0.6 / 0.9), 0.16 * (1 / 20 + 1 / 25)))
    assert made.cells == ("60 % of baseline", "", "20", "90 % of baseline", "", "25")
    assert (made.numbers, len(made.unprinted)) == (6, 2)


def test_printed_means_need_no_cv() -> None:
    """7.4 (SD 1.1) -> 2.0 (SD 1.4) of 5, r = 0.3, by metafor's formula."""
    values = {"value": 2.0, "sd": 1.4, "n": 5, "baseline_value": 7.4, "baseline_sd": 1.1}
    made = read(question(ri=0.3), row("mean", **values))
    table = {"m1i": 2.0, "sd1i": 1.4, "m2i": 7.4, "sd2i": 1.1, "ni": 5.0, "ri": 0.3}
    yi, vi = escalc("ROMC", {name: np.array([x]) for name, x in table.items()})
    assert (made.yi, made.vi) == pytest.approx((yi[0], vi[0]))
    assert (made.numbers, made.unprinted) == (6, ("assumed correlations",))


def test_an_improvement_where_lower_is_better_is_a_fall() -> None:
    falls = read(question(**ALLOWED), row(value=73.4, n=5, direction="improved"))
    assert falls.yi == pytest.approx(log(0.266))
    arms = {"value": 40.0, "n": 20, "comparator_value": 10.0, "comparator_n": 25}
    both = read(question("ROM", **ALLOWED), row(**arms, direction="improved"))
    assert both.yi == pytest.approx(log(0.6 / 0.9))


@pytest.mark.parametrize(
    ("changes", "values", "said"),
    [
        ({}, {"value": -100.0}, "a change of -100 % has no logarithm"),
        ({}, {"value": -120.0}, "must be above -100 %"),
        ({}, {"value": -20.0, "sd": 9.0}, "no CV is borrowed"),
        ({"recover": ()}, {"value": -20.0}, "does not allow log_ratio_from_percent"),
        ({"ri": None}, {"value": -20.0}, "the question has no ri"),
        ({"cv": None, "cv_source": None}, {"value": -20.0}, "the question has none"),
    ],
)
def test_what_gives_no_ratio_is_refused(
    changes: dict[str, Any], values: dict[str, Any], said: str
) -> None:
    with pytest.raises(EffectSizeError, match=said):
        read(question(**{**ALLOWED, **changes}), row(n=5, **values))


def test_without_patients_there_is_no_variance() -> None:
    with pytest.raises(EffectSizeError, match="no number of patients behind the percent change"):
        read(question(**ALLOWED), row(value=-20.0))


@pytest.mark.parametrize(
    ("measure", "changes", "said"),
    [
        ("MC", {}, "gives ROM and ROMC; not MC"),
        ("ROMC", {"cv": None, "cv_source": None}, "needs cv"),
        ("ROMC", {"ri": None}, "needs ri"),
    ],
)
def test_a_protocol_without_what_is_borrowed_is_refused(
    measure: str, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        check_questions([question(measure, **{**ALLOWED, **changes})])


@pytest.mark.parametrize("changes", [{"cv_source": None}, {"cv_source": " "}, {"cv": None}])
def test_a_borrowed_cv_says_from_where(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="a borrowed CV says from where"):
        question(**{**ALLOWED, **changes})
