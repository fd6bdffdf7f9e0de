"""A question that asks for a dose-response: which doses count, the curve, and what a reader sees.

The studies are invented; expected slopes are weighted least squares written out in the test.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.answer.dose import course_dose
from pipeline.config import Config, Question
from pipeline.report.data import MeasureView, ReportData
from pipeline.report.dose import dose_csv, dose_figure, dose_table, dose_words
from pipeline.schema import Dose, Flow, QuestionResult, Reading, Search, Study
from tests.test_answer import PROTOCOL, QUESTION, answer, study

TERMS = ("IVIg", "immunoglobulin")


def dosed(name: str, total: float | None, *counts: int) -> Study:
    """A trial whose text gives a course's dose, or none."""
    reading = None if total is None else Reading(total)
    made = Dose("IVIg", total_per_course_g_per_kg=reading)
    return replace(study(name, *counts), doses=(made,))


STUDIES = (
    dosed("A", 0.5, 12, 40, 10, 40),
    dosed("B", 1.0, 15, 40, 9, 40),
    dosed("C", 1.6, 20, 40, 9, 40),
    dosed("D", 2.0, 22, 40, 8, 40),
    dosed("E", 2.0, 25, 50, 12, 50),
    dosed("F", None, 20, 40, 10, 40),
)
"""Five doses, and a study without one."""


def ask(*studies: Study, **changes: Any) -> QuestionResult:
    question = Question.model_validate({**QUESTION, **changes})
    config = Config.model_validate({**PROTOCOL, "questions": [question.model_dump()]})
    return answer(question, config, studies)


def test_the_one_dose_of_a_course_is_taken() -> None:
    both = replace(STUDIES[0], doses=(STUDIES[0].doses[0], STUDIES[1].doses[0]))
    other = replace(STUDIES[0], doses=(replace(STUDIES[0].doses[0], drug="prednisolone"),))
    assert course_dose(STUDIES[0], TERMS) == 0.5
    assert course_dose(both, TERMS) is None
    assert course_dose(other, TERMS) is None
    assert course_dose(STUDIES[5], TERMS) is None


def test_a_line_over_the_dose_by_weighted_least_squares() -> None:
    """With equal effects the weights are 1/vi: b = (X'WX)^-1 X'Wy."""
    result = ask(*STUDIES, dose_response="linear")
    found = result.dose_response
    assert found is not None
    assert found.fit is not None
    used = result.effects[:5]
    x = np.column_stack([np.ones(5), [0.5, 1.0, 1.6, 2.0, 2.0]])
    y, w = np.array([e.yi for e in used]), np.array([1 / e.vi for e in used])
    expected = np.linalg.solve(x.T @ (w[:, None] * x), x.T @ (w * y))
    assert [c.estimate for c in found.fit.coefficients] == pytest.approx(expected)
    assert found.doses == (0.5, 1.0, 1.6, 2.0, 2.0, None)
    assert (found.points[0].x, found.points[-1].x) == (0.5, 2.0)
    assert found.points[0].estimate == pytest.approx(expected @ [1, 0.5])
    assert "below 10" in found.notes[0]


def test_a_spline_has_knots_and_a_test_of_its_bend() -> None:
    """Quantiles 0.1, 0.5, 0.9 of 0.5, 1.0, 1.6, 2.0, 2.0."""
    found = ask(*STUDIES, dose_response="spline").dose_response
    assert found is not None
    assert found.knots == pytest.approx((0.7, 1.6, 2.0))
    assert found.fit is not None
    assert found.nonlinearity is not None
    assert found.nonlinearity.pval == pytest.approx(found.fit.coefficients[2].pval)


@pytest.mark.parametrize(
    ("studies", "said"),
    [(STUDIES[3:5], "2 studies with a known dose, 1 different"), (STUDIES[:2], "cannot carry 2")],
)
def test_no_curve_has_a_reason(studies: tuple[Study, ...], said: str) -> None:
    found = ask(*studies, dose_response="linear").dose_response
    assert found is not None
    assert found.fit is None
    assert said in found.reason


def test_nobody_asked() -> None:
    assert ask(*STUDIES).dose_response is None


def test_a_model_of_counts_has_no_regression() -> None:
    with pytest.raises(ValidationError, match="MH has no regression"):
        ask(*STUDIES, dose_response="linear", model={"method": "MH", "test": "z"})


def test_subgroups_share_a_tau2_where_the_protocol_says_so() -> None:
    """Both estimates then rest on the tau2 of a regression on the subgroups."""
    other = [replace(s, condition=Reading("Multifocal motor neuropathy")) for s in STUDIES[3:]]
    model = {"method": "DL", "test": "z"}
    changes = {"subgroup": "condition", "model": model}
    result = ask(*STUDIES[:3], *other, subgroup_tau2="common", **changes)
    first, second = (group.pooled for group in result.subgroups)
    assert first is not None
    assert second is not None
    assert first.tau2 == second.tau2
    assert "share" in " ".join(first.notes)
    with pytest.raises(ValidationError, match="no tau2 that subgroups could share"):
        ask(*STUDIES, subgroup_tau2="common", model={"method": "MH", "test": "z"})


RATIO = MeasureView("RR", "Risk ratio", "Risk ratio (log scale)", 1.0, ratio=True, back="exp")


def data_of(result: QuestionResult) -> ReportData:
    return ReportData(
        title="A review",
        search=Search("s", "demo", "q", "2026-01-01", 0, ()),
        flow=Flow(0, 0, 0, (), 0, 0),
        version="0",
        style="revman",
        records=(),
        studies=(),
        screenings=(),
        results=(result,),
        measures={"RR": RATIO},
        favours={},
        problems=(),
        assumptions=(),
    )


def test_what_a_reader_sees() -> None:
    result = ask(*STUDIES, dose_response="spline")
    words = dose_words(result, "revman")
    assert words[0] == "No single dose in g/kg per course is read of: F."
    assert any(line.startswith("Knots at 0.7, 1.6, 2.") for line in words)
    table = dose_table(data_of(result), result)
    assert table is not None
    assert [row[0] for row in table.rows] == ["0.50", "0.80", "1.10", "1.40", "1.70", "2.00"]
    curves = dose_csv(data_of(result))
    assert curves is not None
    assert len(curves.rows) == 101
    found = result.dose_response
    assert found is not None
    assert curves.rows[0][3] == pytest.approx(np.exp(found.points[0].estimate))
    figure = dose_figure(result, RATIO)
    assert figure is not None
    assert "Dose, g/kg per course" in figure.svg()


def test_a_question_that_does_not_ask_shows_nothing() -> None:
    result = ask(*STUDIES)
    assert (dose_words(result, "revman"), dose_table(data_of(result), result)) == ([], None)
    assert (dose_csv(data_of(result)), dose_figure(result, RATIO)) == (None, None)
