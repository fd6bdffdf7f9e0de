"""What moved between two runs: studies, values, pulls, the growth of a pool, repeated looks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pipeline.config import Conclusion, Question
from pipeline.living import movement
from pipeline.living.growth import cumulative, monitoring
from pipeline.living.records import value_changes
from pipeline.pool import pool
from pipeline.schema import (
    Answered,
    Arm,
    Correction,
    Counted,
    Dates,
    EffectSize,
    Extractor,
    Movement,
    Outcome,
    QuestionResult,
    Reading,
    Record,
    Screening,
    Study,
    published,
)

QUESTION = Question(
    id="q", title="Q", comparisons=("Ig vs placebo",), outcome="responders", measure="RR"
)


def effect(number: int, yi: float, vi: float = 0.04, **fields: Any) -> EffectSize:
    """The effect of study `number`."""
    return EffectSize(f"pmid{number}", f"Study {number}", "RR", yi, vi, 100, **fields)


def study(number: int, n: int = 100, version: str = "1") -> Study:
    """A study with its patients."""
    record_id = f"pmid{number}"
    return Study(
        record_id,
        Reading("rct_parallel", None, "assumed in this test"),
        n_total=Reading(n, None, "assumed in this test"),
        extractor=Extractor("rules", version, "abc"),
    )


def counted(number: int, **fields: Any) -> Counted:
    """A record as it counted."""
    record_id = f"pmid{number}"
    screening = fields.pop("screening", Screening(record_id, True, "eligible", "primary study"))
    made = Counted(record_id, f"Study {number}", "hash", study(number), screening, str(2000))
    return replace(made, **fields)


def answered(run_id: str, *pairs: tuple[EffectSize | None, Counted], **fields: Any) -> Answered:
    """What a run answered from these studies."""
    effects = tuple(e for e, _ in pairs if e is not None)
    estimate = pool(effects, QUESTION.model) if len(effects) > 1 else None
    result = QuestionResult("q", "Q", "RR", effects, (), estimate, "" if estimate else "few")
    return Answered(run_id, "2026-01-01", (result,), tuple(c for _, c in pairs), **fields)


BASE = tuple((effect(i, 0.1 * i), counted(i)) for i in (1, 2, 3))


def moved(*after: tuple[EffectSize | None, Counted], **fields: Any) -> Movement:
    """What moved from the base to these studies."""
    return movement(answered("a", *BASE), answered("b", *after, **fields), [QUESTION])


def test_the_same_answers_are_nothing_new() -> None:
    assert moved(*BASE).nothing
    assert moved(*BASE).raised == ()


def test_a_new_study_pulls_by_the_estimate_less_the_old_one() -> None:
    found = moved(*BASE, (effect(4, 1.2), counted(4)))
    (change,) = found.questions[0].studies
    assert (change.kind, change.reason, change.before) == ("came", "new record", None)
    before, after = found.questions[0].before, found.questions[0].after
    assert before is not None
    assert after is not None
    assert change.pull == pytest.approx(after.estimate - before.estimate)
    assert [(c.record_id, c.kind) for c in found.records] == [("pmid4", "new")]


def test_a_retracted_study_leaves_with_the_reason() -> None:
    out = Screening("pmid3", False, "retracted", "retracted")
    gone = counted(3, screening=out, content_hash="new", notices=(Correction("RetractionIn", "9"),))
    found = moved(*BASE[:2], (None, gone))
    (change,), (record,) = found.questions[0].studies, found.records
    assert (change.kind, change.reason) == ("retracted", "retracted")
    assert record.kind == "retracted"
    assert "the record was revised in its source" in record.causes


@pytest.mark.parametrize(
    ("ended", "kind", "said"),
    [((("pmid3", "deleted"),), "deleted", "deleted or merged"), ((), "gone", "finds it no more")],
)
def test_a_record_that_is_not_here_any_more_is_named(
    ended: tuple[tuple[str, str], ...], kind: str, said: str
) -> None:
    (record,) = moved(*BASE[:2], ended=ended).records
    assert record.kind == kind
    assert said in record.causes[0]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"events": ("e-1", "e-2")}, "2 decisions of a reviewer"),
        ({"content_hash": "new"}, "the record was revised in its source"),
        ({"study": study(3, version="2")}, "read by other rules"),
        ({"notices": (Correction("ErratumIn"),)}, "an erratum was published"),
        ({"notices": (Correction("ExpressionOfConcernIn"),)}, "an expression of concern"),
    ],
)
def test_each_cause_of_a_change_is_told(fields: dict[str, Any], said: str) -> None:
    found = moved(*BASE[:2], (effect(3, 0.5), counted(3, **fields)))
    (record,), (change,) = found.records, found.questions[0].studies
    assert any(said in cause for cause in record.causes)
    assert said in change.reason
    assert (change.before, change.after) == ((pytest.approx(0.3), 0.04), (0.5, 0.04))


def test_a_study_that_changes_without_a_cause_blames_the_question() -> None:
    (change,) = moved(*BASE[:2], (effect(3, 0.9), counted(3))).questions[0].studies
    assert change.reason == "the question or the rules are others"


def test_values_are_compared_by_paths_a_person_can_read() -> None:
    def outcome(events: int) -> Outcome:
        number = Reading(events, None, "assumed in this test")
        return Outcome("responder", "count", "Ig", events=number)

    arm = Arm("Ig", "intervention", n=Reading(20, None, "assumed in this test"))
    one = replace(study(1), arms=(arm,), outcomes=(outcome(5), outcome(7)))
    two = replace(one, arms=(), outcomes=(outcome(5), outcome(8)), n_total=None)
    found = {c.path: (c.before, c.after) for c in value_changes(one, two)}
    assert found["n_total"] == ("100", "")
    assert found["arms[Ig].n"] == ("20", "")
    assert found["outcomes[responder, Ig #2].events"] == ("7", "8")
    assert not any("#" not in path and path.startswith("outcomes") for path in found)


def test_a_pool_grows_in_the_order_of_publication() -> None:
    effects = [effect(i, y) for i, y in ((30, 0.2), (10, 0.4), (20, 0.9))]
    dates = {"pmid10": "2001", "pmid30": "1999", "pmid20": "2001-05-02"}
    steps = cumulative(effects, QUESTION.model, dates)
    assert [s.slab for s in steps] == ["Study 30", "Study 10", "Study 20"]
    assert [s.k for s in steps] == [1, 2, 3]
    assert steps[-1].estimate == pytest.approx(pool(effects, QUESTION.model).estimate)
    assert steps[0].ci_ub - steps[0].estimate == pytest.approx(1.959964 * 0.2)


def test_repeated_looks_are_monitored_where_the_protocol_says_what_matters() -> None:
    """Required size of one trial: 4 (1.95996 + 1.28155)^2 p(1-p) / d^2, with p = 0.25, d = 0.1."""
    rule = Conclusion(mid=1.5, risk=0.2, power=0.9)
    asked = QUESTION.model_copy(update={"conclusion": rule})
    effects = [effect(i, 0.4, 0.02) for i in range(1, 6)]
    found = monitoring(asked, effects, {})
    assert found is not None
    assert found.required == 789  # ceil(4 * 10.5074 * 0.1875 / 0.01)
    assert found.diversity == 0
    assert [look.k for look in found.looks] == [1, 2, 3, 4, 5]
    assert found.looks[-1].timing == pytest.approx(500 / 789)
    assert "risk of the controls 0.2 (as given)" in found.assumptions


def test_looks_that_cannot_be_monitored_say_why() -> None:
    asked = QUESTION.model_copy(update={"conclusion": Conclusion(mid=1.5)})
    one = monitoring(asked, [effect(1, 0.4)], {})
    two = monitoring(asked, [effect(1, 0.4), effect(2, 0.4)], {})
    assert one is not None
    assert "Two studies or more" in one.reason
    assert two is not None
    assert "set risk under conclusion" in two.reason
    assert monitoring(QUESTION, [effect(1, 0.4), effect(2, 0.4)], {}) is None


@pytest.mark.parametrize(
    ("year", "dates", "date"),
    [
        (2005, Dates(), "2005"),
        (2005, Dates(electronic="2004-11-02"), "2004-11-02"),
        (2005, Dates(electronic="2006-01-02"), "2005"),
        (None, Dates(entrez="2010-05-06"), "2010-05-06"),
        (None, Dates(), ""),
    ],
)
def test_the_publication_date_is_the_earlier_of_print_and_electronic(
    year: int | None, dates: Dates, date: str
) -> None:
    assert published(Record("pmid1", "T", year=year, dates=dates)) == date
