"""Readings of kinds that are too often wrong are left out, and a problem says so."""

from __future__ import annotations

import time

import pytest

from pipeline.extract.abstain import NAMES
from pipeline.extract.lexicon import rules
from pipeline.schema import Study
from tests.extract.conftest import Read
from tests.extract.plain import ARMS, SERIES, TRIAL, TWENTY, plain


def told(study: Study) -> list[str]:
    """What the problems say was left out."""
    return [p.message for p in study.problems if p.code == "abstained"]


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Hoarseness was noted in 7 of 20 patients.", "no rule knows this outcome"),
        ("Hoarseness was noted in 7 patients (35%).", "no rule knows this outcome"),
        ("Conduction block was found in 8 of 20 patients.", "an instrument is named"),
        ("Relapse was noted in 5 (25%) early and in 7 (35%) late.", "another number"),
        ("Relapse came early in most, in 7 of 20.", "a comma"),
        ("Of note, 7 (35%) patients with a relapse had steroids.", "another clause"),
    ],
)
def test_a_doubtful_name_is_left_out_and_its_numbers_stay(
    read_surely: Read, sentence: str, why: str
) -> None:
    found = read_surely(f"{TWENTY}{sentence}", SERIES)
    nameless = [plain(o) for o in found.outcomes if not o.measure]
    assert nameless
    assert all("direction" not in o and "timepoint" not in o for o in nameless)
    assert all(o.get("events", o.get("value")) is not None for o in nameless)
    assert any(why in message for message in told(found))


@pytest.mark.parametrize(
    "sentence",
    [
        "Twelve of 20 patients improved.",
        "Twelve patients (60%) improved.",
        "Seven patients had a relapse.",
        "Relapse was noted in 7 patients.",
        "Twelve of the 20 patients showed a lasting clinical improvement.",
        "Pain, by the mean VAS score, was 3.1 (SD 0.4) points.",
        "The mean INCAT score was 3.1 (SD 0.4).",
    ],
)
def test_a_name_beside_its_number_stays(read_surely: Read, read: Read, sentence: str) -> None:
    found = read_surely(f"{TWENTY}{sentence}", SERIES)
    assert [plain(o) for o in found.outcomes] == [
        plain(o) for o in read(f"{TWENTY}{sentence}", SERIES).outcomes
    ]
    assert found.outcomes
    assert told(found) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Seven patients had hoarseness.",
        "Grip strength rose (p = 0.02).",
        "All patients improved.",
        "None of them had hoarseness.",
    ],
)
def test_a_row_of_which_nothing_certain_is_left_is_none(read_surely: Read, sentence: str) -> None:
    assert read_surely(f"{TWENTY}{sentence}", SERIES).outcomes == ()


def test_arms_that_are_compared_keep_the_name_that_their_sentence_gives(read_surely: Read) -> None:
    found = read_surely(f"{ARMS}Hoarseness was noted in 12% on IVIg v 30% on placebo.", TRIAL)
    assert [o.measure for o in found.outcomes] == ["Hoarseness"]
    assert told(found) == []


def test_an_arm_of_several_keeps_its_numbers_without_a_name(read_surely: Read) -> None:
    text = f"{ARMS}Bone fractures occurred in 25% with IVIg."
    (outcome,) = read_surely(text, TRIAL).outcomes
    assert (outcome.measure, outcome.arm) == ("", "IVIg")
    assert outcome.value is not None
    assert outcome.n is None


def test_a_size_that_a_printed_percentage_confirms_stays(read_surely: Read) -> None:
    text = f"{TWENTY}Hoarseness was noted in 7 patients (35%)."
    (outcome,) = read_surely(text, SERIES).outcomes
    assert outcome.n is not None
    assert outcome.n.value == 20


def test_an_event_of_an_instrument_is_called_by_the_event(read_surely: Read, read: Read) -> None:
    text = f"{TWENTY}Twelve of 20 patients improved on the INCAT score."
    assert [o.measure for o in read(text, SERIES).outcomes] == ["INCAT responder"]
    assert [o.measure for o in read_surely(text, SERIES).outcomes] == ["responder"]


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("Twelve of 20 patients improved at 6 months.", 180),
        ("At 6 months, 12 of 20 patients improved.", 180),
        ("The 12 weeks over, 12 of 20 patients improved.", None),
        ("Twelve of 20 patients improved, all seen within 6 months.", None),
        ("Twelve of 20 patients improved and were seen at 6 months.", None),
    ],
)
def test_a_time_stands_behind_its_numbers_or_heads_them(
    read_surely: Read, sentence: str, days: int | None
) -> None:
    (outcome,) = read_surely(f"{TWENTY}{sentence}", SERIES).outcomes
    assert (outcome.timepoint.days if outcome.timepoint else None) == days


def test_a_total_behind_a_larger_number_of_people_is_left_out(
    read_surely: Read, read: Read
) -> None:
    text = "Sixteen patients with CIDP were seen. Only 12 patients were treated with IVIg."
    title = "IVIg in CIDP: a chart review"
    assert (total := read(text, title).n_total) is not None
    assert total.value == 12
    found = read_surely(text, title)
    assert found.n_total is None
    assert all(a.n is None for a in found.arms)


def test_each_kind_of_name_is_counted_in_the_table() -> None:
    kinds = {line["kind"] for line in rules("abstain") if line["of"] == "name"}
    assert kinds == set(NAMES)


@pytest.mark.parametrize("line", rules("abstain"), ids=lambda line: str(line["kind"]))
def test_a_kind_is_left_out_because_it_was_often_wrong(line: dict[str, int]) -> None:
    assert line["wrong"] / line["read"] > 0.2


@pytest.mark.parametrize("part", ["7 of 20, ", "relapse ", "with a ", "7 (35%) had ", "(, "])
def test_no_text_takes_long(read_surely: Read, part: str) -> None:
    text = TWENTY + part * (2500 // len(part)) + "."
    started = time.perf_counter()
    read_surely(text, SERIES)
    assert time.perf_counter() - started < 1
