"""Decisions over readings: what counts, in which state each field is, in every mode."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.errors import InputError
from pipeline.review import add_row, checked, effective, fields_of, row_checked, seen_by, undo
from pipeline.schema import Problem, Reading, Section
from tests.review.samples import PAIN, RECORD, TEXT, Desk, at, read, study, with_events


def codes(problems: tuple[Problem, ...]) -> list[str]:
    """The codes of problems."""
    return [p.code for p in problems]


# Fields


def test_fields_come_in_the_order_of_the_text_each_row_together() -> None:
    fields = fields_of(study())
    starts = [f.quote.start for f in fields if f.path == f.row or not f.row if f.quote]
    assert starts == sorted(starts)
    rows = [f.row for f in fields if f.row]
    assert len(set(rows)) == len([r for i, r in enumerate(rows) if rows[i - 1 : i] != [r]])


def test_a_field_says_what_is_suggested_and_from_which_phrase() -> None:
    field = Desk().state("outcomes/0.events").field
    assert (field.kind, field.suggestion, field.quote, field.confidence) == (
        "number",
        12,
        at("12"),
        0.9,
    )
    assert field.heading == "outcome 1: pain responder, Ig vs placebo"
    assert (field.whole, field.label, field.group) == (True, "events", "outcome")


def test_what_a_result_should_print_is_asked_for_though_nothing_was_read() -> None:
    mean = replace(study().outcomes[1], type="mean", events=None)
    fields = fields_of(replace(study(), outcomes=(mean,)))
    asked = {f.label for f in fields if f.group == "outcome" and f.asked}
    assert {"value", "sd", "n"} <= asked
    assert "iqr" not in asked


# One field


def test_without_a_decision_a_study_is_what_was_read() -> None:
    read_study = study()
    assert effective(read_study, []) is read_study


def test_an_accepted_value_is_the_reading_marked_as_reviewed() -> None:
    desk = Desk()
    desk.says("Li", "accepted", "n_total")
    assert desk.result.n_total == replace(study().n_total, reviewed="accepted")
    assert desk.result.outcomes == study().outcomes
    assert desk.state("n_total").state == "accepted"
    assert desk.state("design").state == "suggested"


def test_a_corrected_value_stands_on_its_own_evidence() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/0.n", value=40, evidence=at("Forty"))
    assert desk.result.outcomes[0].n == Reading(40, at("Forty"), reviewed="corrected")


def test_a_value_without_a_phrase_says_that_a_person_entered_it() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "n_enrolled", value=41)
    assert desk.result.n_enrolled == Reading(
        41, None, "entered by a reviewer", reviewed="corrected"
    )


@pytest.mark.parametrize("verdict", ["rejected", "not_reported"])
def test_what_is_rejected_or_not_reported_leaves_the_study(verdict: str) -> None:
    desk = Desk()
    desk.says("Li", verdict, "outcomes/1.events")
    assert desk.result.outcomes[1].events is None
    assert desk.state("outcomes/1.events").state == verdict
    assert desk.state("outcomes/1.events").value is None


def test_a_rejected_row_leaves_the_study() -> None:
    desk = Desk()
    desk.says("Li", "rejected", "outcomes/0")
    desk.says("Li", "rejected", "registry_ids/0")
    assert [o.measure for o in desk.result.outcomes] == ["strength responder"]
    assert desk.result.registry_ids == ()


def test_a_rejected_design_is_no_design_that_is_pooled() -> None:
    desk = Desk()
    desk.says("Li", "rejected", "design")
    assert desk.result.design.value == "other"


def test_another_condition_loses_the_heading_of_the_one_read() -> None:
    desk = Desk()
    desk.says("Li", "accepted", "condition")
    assert desk.result.condition_mesh == "Polyneuropathies"
    desk.says("Li", "corrected", "condition", value="CIDP")
    assert desk.result.condition_mesh is None


def test_the_words_of_a_row_are_corrected_together() -> None:
    desk = Desk()
    words = {"measure": "pain relief", "type": "count", "arm": "Ig"}
    desk.says("Li", "corrected", "outcomes/0", value=words)
    row = desk.result.outcomes[0]
    assert (row.measure, row.type, row.arm) == ("pain relief", "count", "Ig")
    assert row.reviewed == ("measure", "type", "arm")
    assert row.events == study().outcomes[0].events


def test_a_timepoint_is_checked_in_words_and_days() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/0.timepoint.days", value=30)
    assert desk.result.outcomes[0].timepoint == replace(study().outcomes[0].timepoint, days=30.0)
    desk.says("Li", "not_reported", "outcomes/0.timepoint.days")
    desk.says("Li", "not_reported", "outcomes/0.timepoint.text")
    assert desk.result.outcomes[0].timepoint is None


def test_a_row_that_a_person_adds_is_a_row_with_evidence() -> None:
    desk = Desk()
    words = {"measure": "adverse event", "type": "count", "arm": "Ig", "events": 9, "n": 20}
    desk.add(add_row("outcomes", words, at("9 of 20"), desk.writer("Li"), RECORD))
    row = desk.result.outcomes[-1]
    assert (row.measure, row.quote) == ("adverse event", at("9 of 20"))
    assert row.events == Reading(9, at("9 of 20"), reviewed="corrected")
    assert row_checked(row)
    desk.says("Li", "corrected", "outcomes/2.n", value=19)
    assert desk.result.outcomes[-1].n.value == 19


def test_a_row_that_two_add_alike_is_one_row() -> None:
    desk = Desk(mode="dual")
    words = {"measure": "adverse event", "type": "count", "events": 9}
    for who in ("Li", "Ng"):
        assert len(desk.result.outcomes) == 2
        desk.add(add_row("outcomes", words, at("9 of 20"), desk.writer(who), RECORD))
    assert len(desk.result.outcomes) == 3
    assert desk.result.outcomes[2].events.reviewed == "agreed"


def test_a_row_that_was_added_and_then_is_read_is_one_row() -> None:
    words = {"measure": "strength responder", "type": "count", "arm": "Ig", "events": 9, "n": 19}
    desk = Desk(study=replace(study(), outcomes=study().outcomes[:1]))
    desk.add(add_row("outcomes", words, at("rose in 9 of 20"), desk.writer("Li"), RECORD))
    assert len(desk.result.outcomes) == 2
    desk.study = study()
    assert [o.n.value for o in desk.result.outcomes] == [20, 19]
    assert desk.result.outcomes[1].events.quote == at("rose in 9 of 20")


def test_counts_that_contradict_each_other_leave_the_study() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/0.events", value=25)
    row = desk.result.outcomes[0]
    assert (row.events.value, row.n) == (25, None)
    desk.says("Li", "accepted", "outcomes/0.n")
    row = desk.result.outcomes[0]
    assert (row.events, row.n) == (None, None)
    assert "review_contradiction" in codes(desk.result.problems)


# Undo, and who may say what


def test_an_undone_decision_counts_no_more() -> None:
    desk = Desk()
    first = desk.says("Li", "corrected", "n_total", value=41)
    second = desk.says("Li", "corrected", "n_total", value=42)
    desk.add(undo(second, desk.writer("Li")))
    assert desk.result.n_total.value == 41
    desk.add(undo(first, desk.writer("Li")))
    assert desk.result == study()
    assert desk.state("n_total").version == 4


def test_nobody_undoes_what_another_said() -> None:
    desk = Desk()
    event = desk.says("Li", "accepted", "n_total")
    with pytest.raises(InputError, match="Ng cannot undo"):
        undo(event, desk.writer("Ng"))
    forged = replace(undo(event, desk.writer("Li")), who="Ng")
    desk.add(forged)
    assert desk.state("n_total").state == "accepted"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("n_total", "forty"),
        ("n_total", -1),
        ("n_total", 4.5),
        ("n_total", True),
        ("n_total", float("nan")),
        ("n_total", 1e300),
        ("design", "rct"),
        ("condition", ""),
        ("condition", "a" * 3000),
        ("outcomes/0.value", [1, 2]),
        ("outcomes/0.iqr", [2, 1]),
        ("outcomes/0.direction", "up"),
        ("outcomes/0", {"measure": "pain"}),
        ("outcomes/0", {"measure": "pain", "type": "count", "colour": "red"}),
        ("outcomes/0", "pain"),
        ("n_total", None),
    ],
)
def test_a_value_that_a_field_cannot_have_is_refused(path: str, value: object) -> None:
    with pytest.raises(InputError):
        Desk().says("Li", "corrected", path, value=value)


def test_evidence_must_stand_in_the_text() -> None:
    with pytest.raises(InputError, match="does not stand at"):
        quote = replace(at("Forty"), start=3, end=8)
        Desk().says("Li", "corrected", "n_total", value=40, evidence=quote)


def test_nothing_cannot_be_accepted() -> None:
    with pytest.raises(InputError, match="nothing to accept"):
        Desk().says("Li", "accepted", "n_enrolled")


# Two reviewers


def test_in_single_mode_the_latest_word_holds() -> None:
    desk = Desk(mode="single")
    desk.says("Li", "corrected", "n_total", value=41)
    desk.says("Ng", "corrected", "n_total", value=42)
    assert (desk.result.n_total.value, desk.state("n_total").state) == (42, "corrected")


def test_in_verify_mode_the_first_word_counts_and_the_second_agrees() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "n_total", value=41)
    assert desk.result.n_total.reviewed == "corrected"
    desk.says("Ng", "accepted", "n_total")
    assert (desk.result.n_total.value, desk.state("n_total").state) == (41, "agreed")


def test_a_conflict_leaves_the_reading_only_if_somebody_stands_by_it() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "n_total", value=41)
    desk.says("Ng", "corrected", "n_total", value=42)
    assert desk.state("n_total").state == "conflict"
    assert desk.result.n_total is None
    assert codes(desk.result.problems) == ["review_conflict"]
    desk.says("Ng", "corrected", "n_total", value=40)
    assert desk.result.n_total == study().n_total


def test_in_dual_mode_one_word_changes_nothing_and_two_agree() -> None:
    desk = Desk(mode="dual")
    desk.says("Li", "rejected", "condition")
    assert desk.result.condition == study().condition
    assert desk.state("condition").state == "suggested"
    desk.says("Ng", "not_reported", "condition")
    assert desk.state("condition").state == "agreed"
    assert desk.result.condition is None


def test_a_blind_reviewer_sees_their_own_words() -> None:
    desk = Desk(mode="dual")
    own = desk.says("Li", "corrected", "n_total", value=41)
    other = desk.says("Ng", "corrected", "n_total", value=42)
    blind = seen_by("Li", desk.study, [own], "dual")
    assert blind.study.n_total == Reading(41, None, "entered by a reviewer", reviewed="corrected")
    assert not blind.conflicts
    assert seen_by("Li", desk.study, [own, other], "dual").conflicts[0].field.path == "n_total"
    assert seen_by("Oz", desk.study, [], "dual").study == desk.study


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("condition", "Small-fibre  neuropathy", "small‐fibre neuropathy."),
        ("outcomes/0.value", 0.1, 0.1 + 1e-13),
        ("outcomes/0.iqr", [1, 2], [1.0, 2.0]),
    ],
)
def test_words_that_differ_in_their_look_only_agree(path: str, one: object, other: object) -> None:
    desk = Desk(mode="dual")
    desk.says("Li", "corrected", path, value=one)
    desk.says("Ng", "corrected", path, value=other)
    assert desk.state(path).state == "agreed"


def test_a_third_person_settles_a_conflict() -> None:
    desk = Desk(mode="dual")
    desk.says("Li", "corrected", "n_total", value=41)
    desk.says("Ng", "accepted", "n_total")
    desk.says("Ng", "adjudicated", "n_total", value=40)
    assert desk.state("n_total").state == "conflict"
    desk.says("Oz", "adjudicated", "n_total", value=41, reason="Table 1")
    assert (desk.state("n_total").state, desk.result.n_total.value) == ("adjudicated", 41)
    desk.says("Li", "accepted", "n_total")
    assert desk.state("n_total").state == "adjudicated"


def test_the_two_may_settle_it_themselves_where_the_protocol_allows() -> None:
    desk = Desk(mode="dual", consensus=True)
    desk.says("Li", "corrected", "n_total", value=41)
    desk.says("Ng", "accepted", "n_total")
    desk.says("Ng", "adjudicated", "n_total", value=None)
    assert desk.result.n_total is None


# A new version of the extractor


def test_a_decision_outlives_a_new_reading_and_the_difference_is_listed() -> None:
    desk = Desk()
    desk.says("Li", "accepted", "outcomes/0.events")
    desk.study = with_events(study(), 5, "5 of")
    assert desk.result.outcomes[0].events == Reading(12, at("12"), reviewed="accepted")
    assert desk.state("outcomes/0.events").difference == (
        "events of outcome 1: pain responder, Ig vs placebo is read as 5 now, not as 12"
    )
    assert "review_difference" in codes(desk.result.problems)


def test_a_reading_that_comes_to_be_what_was_corrected_is_no_difference() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/0.events", value=5)
    desk.study = with_events(study(), 5, "5 of")
    assert desk.state("outcomes/0.events").difference == ""
    assert desk.result.outcomes[0].events.quote == at("5 of")


def test_rows_may_come_and_change_places() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/1.events", value=8)
    new = replace(study().outcomes[0], measure="anxiety", quote=at("Forty patients"))
    pain, strength = study().outcomes
    desk.study = replace(study(), outcomes=(strength, new, pain))
    assert [o.events.value for o in desk.result.outcomes] == [8, 12, 12]
    assert not desk.lay().problems


def test_another_row_on_the_same_phrase_does_not_take_a_decision_over() -> None:
    """A row of a newer version that comes first on a phrase gets the first key, not the word."""
    desk = Desk()
    desk.says("Li", "corrected", "outcomes/0.events", value=11)
    other = replace(
        study().outcomes[0],
        measure="placebo responder",
        events=read("5 of", 5),
        n=read("5 of 20", 20),
        comparator_events=None,
        comparator_n=None,
    )
    desk.study = replace(study(), outcomes=(other, *study().outcomes))
    assert [o.events.value for o in desk.result.outcomes] == [5, 11, 9]


def test_a_row_that_is_read_no_more_stays_with_what_was_decided() -> None:
    desk = Desk()
    desk.says("Li", "accepted", "outcomes/0.events")
    desk.study = replace(study(), outcomes=study().outcomes[1:])
    gone = desk.result.outcomes[1]
    assert (gone.measure, gone.events.value, gone.n) == ("pain responder", 12, None)
    assert gone.events.quote == at("12")
    field = next(s.field for s in desk.lay().states if s.field.gone)
    assert field.heading == "outcome 2: pain responder, Ig vs placebo"
    assert not field.present


def test_a_rejected_row_that_is_read_no_more_is_gone() -> None:
    desk = Desk()
    desk.says("Li", "rejected", "outcomes/0")
    desk.study = replace(study(), outcomes=study().outcomes[1:])
    assert len(desk.result.outcomes) == 1


# The text changes


def test_evidence_moves_with_its_words() -> None:
    desk = Desk()
    desk.says("Li", "corrected", "n_total", value=20, evidence=at("12 of 20"))
    desk.record = replace(RECORD, sections=(Section(f"Erratum. {TEXT}"),))
    desk.study = study(desk.record)
    assert desk.result.n_total.quote == at("12 of 20", desk.record)


@pytest.mark.parametrize("text", [TEXT.replace("12 of 20", "13 of 20"), f"{TEXT} 12 of 20."])
def test_evidence_that_is_gone_or_ambiguous_is_flagged(text: str) -> None:
    desk = Desk()
    desk.says("Li", "corrected", "n_total", value=20, evidence=at("12 of 20"))
    desk.record = replace(RECORD, title="", sections=(Section(text),))
    desk.study = replace(study(), outcomes=())
    assert desk.state("n_total").moved
    assert desk.result.n_total.quote is None
    assert "evidence_moved" in codes(desk.result.problems)


# All of it


def test_a_study_is_checked_once_each_of_its_values_is() -> None:
    desk = Desk()
    assert not checked(desk.result)
    desk.accepts_all("Li")
    assert checked(desk.result)
    assert not desk.lay().waiting
    plain = replace(
        desk.result,
        outcomes=tuple(replace(o, reviewed=()) for o in desk.result.outcomes),
    )
    assert not checked(plain)


def test_a_study_is_not_checked_while_people_differ() -> None:
    desk = Desk()
    desk.accepts_all("Li")
    desk.says("Ng", "corrected", "n_total", value=41)
    desk.says("Li", "corrected", "n_total", value=42)
    assert desk.result.n_total is None
    assert not checked(desk.result)


def test_values_checked_are_the_values_read() -> None:
    desk = Desk()
    desk.accepts_all("Li")
    assert [o.quote for o in desk.result.outcomes] == [at(PAIN), at("Strength rose in 9 of 20")]
    assert desk.result.outcomes[0].n.value == study().outcomes[0].n.value
    assert desk.result.doses[0].unit == "g/kg"


def test_a_decision_of_an_old_version_is_kept_and_said_to_have_no_place() -> None:
    desk = Desk()
    event = desk.says("Li", "accepted", "n_total")
    desk.add(replace(event.decision, field="outcomes[1].events"))
    assert codes(desk.result.problems) == ["decision_unplaced"]
