"""Schema values as plain JSON data and back, and the published record's shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from pipeline.schema import (
    Arm,
    Dose,
    Extractor,
    Number,
    Outcome,
    Problem,
    QuestionResult,
    Quote,
    Reading,
    Record,
    Screening,
    Study,
    Timepoint,
)
from pipeline.schema.codec import from_plain, study_record, to_plain
from tests.schema import strategies

RECORD = Record("pmid1", "IVIg, 2 g/kg over 5 days, in 12 patients: pain fell to 3.1 at 4 weeks.")
SCREENING = Screening("pmid1", True, "eligible", "Reports primary results.")


def through_json(value: Any) -> Any:
    """A value as it comes back from a JSON file."""
    return json.loads(json.dumps(to_plain(value)))


def phrase(words: str) -> Quote:
    """The quote of `words` in RECORD."""
    start = RECORD.text.index(words)
    return RECORD.quote(start, start + len(words))


def read(words: str, value: Any) -> Reading[Any]:
    """A reading of `words` in RECORD."""
    return Reading(value, phrase(words))


STUDY = Study(
    "pmid1",
    read("fell", "single_arm_prospective"),
    pmids=("1", "2"),
    n_total=read("12 patients", 12),
    arms=(Arm("IVIg", "intervention", n=read("12", 12), quote=phrase("IVIg")),),
    doses=(
        Dose(
            "IVIg",
            amount=read("2 g/kg", 2.0),
            unit="g/kg",
            duration_days=read("5 days", 5.0),
            total_per_course_g_per_kg=Reading(2.0, None, "amount per course"),
            quote=phrase("IVIg, 2 g/kg over 5 days"),
        ),
    ),
    outcomes=(
        Outcome(
            "pain",
            "mean",
            "IVIg",
            timepoint=Timepoint("4 weeks", 28.0, phrase("4 weeks")),
            value=read("3.1", 3.1),
            iqr=read("3.1", (2.0, 4.0)),
            quote=phrase("pain fell to 3.1"),
        ),
    ),
    problems=(Problem("spread", "No spread is printed.", phrase("3.1")),),
    extractor=Extractor("rules", "0.1", "abc"),
)


@given(strategies.records)
def test_a_record_comes_back_from_json_as_itself(record: Record) -> None:
    back = from_plain(Record, through_json(record))
    assert back == record
    assert back.content_hash == record.content_hash


@given(strategies.studies)
def test_a_study_comes_back_from_json_as_itself(study: Study) -> None:
    assert from_plain(Study, through_json(study)) == study


@given(strategies.results)
def test_a_result_comes_back_from_json_as_itself(result: QuestionResult) -> None:
    assert from_plain(QuestionResult, through_json(result)) == result


def test_a_pair_of_numbers_and_a_number_keep_their_kind() -> None:
    for days in (28.0, (14.0, 28.0), None):
        back = from_plain(Timepoint, through_json(Timepoint("4 weeks", days)))
        assert back.days == days
        assert type(back.days) is type(days)
    assert from_plain(Reading[Number], {"value": [1, 2]}).value == (1, 2)


def test_fields_at_their_default_are_left_out() -> None:
    assert to_plain(Record("pmid1", "T")) == {"record_id": "pmid1", "title": "T"}
    assert from_plain(Record, {"record_id": "pmid1", "title": "T"}) == Record("pmid1", "T")


@pytest.mark.parametrize(
    ("cls", "data"),
    [
        (Record, {"record_id": "pmid1"}),
        (Record, {"record_id": "pmid1", "title": "T", "colour": "red"}),
        (Record, "pmid1"),
        (Record, {"record_id": "pmid1", "title": "T", "sections": "RESULTS"}),
        (Record, {"record_id": "pmid1", "title": "T", "authors": "Li"}),
        (Record, {"record_id": "pmid1", "title": 5}),
        (Record, {"record_id": "pmid1", "title": None}),
        (Record, {"record_id": "pmid1", "title": "T", "year": "2009"}),
        (Arm, {"label": "IVIg", "role": "bystander"}),
        (Quote, {"record_id": "pmid1", "start": 0, "end": 3, "text": "ab"}),
        (Timepoint, {"text": "4 weeks", "days": [1, 2, 3]}),
        (Timepoint, {"text": "4 weeks", "days": "28"}),
    ],
)
def test_data_that_are_no_such_value_are_refused(cls: type, data: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        from_plain(cls, data)


# The published record


def scalars(value: Any) -> Iterator[dict[str, Any]]:
    """Every {"value", "quote"} object within a published record."""
    if isinstance(value, dict):
        if "value" in value and "quote" in value and not isinstance(value["value"], dict):
            yield value
        for item in value.values():
            yield from scalars(item)
    elif isinstance(value, list):
        for item in value:
            yield from scalars(item)


def quotes(value: Any) -> Iterator[dict[str, Any]]:
    """Every {"start", "end", "text"} object within a published record."""
    if isinstance(value, dict):
        if value.keys() == {"start", "end", "text"}:
            yield value
        for item in value.values():
            yield from quotes(item)
    elif isinstance(value, list):
        for item in value:
            yield from quotes(item)


def test_every_scalar_of_the_published_record_has_a_quote_or_the_rule_that_derived_it() -> None:
    found = list(scalars(study_record(STUDY, SCREENING, RECORD.text)))
    assert len(found) == 15
    for scalar in found:
        assert scalar["quote"] or scalar.get("derived"), scalar


def test_every_quote_of_the_published_record_points_into_its_text() -> None:
    published = study_record(STUDY, SCREENING, RECORD.text)
    found = list(quotes(published))
    assert found
    for quote in found:
        assert published["text"][quote["start"] : quote["end"]] == quote["text"]


def test_a_value_of_the_published_record_looks_as_documented() -> None:
    published = study_record(STUDY, SCREENING, RECORD.text)
    start = RECORD.text.index("12 patients")
    quote = {"start": start, "end": start + 11, "text": "12 patients"}
    assert published["n_total"] == {"value": 12, "quote": quote}
    assert published["n_enrolled"] is None
    assert (published["pmid"], published["include_in_pool"]) == ("1", True)
    assert published["extractor"] == {"name": "rules", "version": "0.1", "rules_hash": "abc"}


def test_words_of_an_arm_a_dose_and_an_outcome_carry_the_quote_of_the_whole() -> None:
    published = study_record(STUDY, SCREENING)
    arm, dose, outcome = (published[k][0] for k in ("arms", "doses", "outcomes"))
    assert arm["label"] == {"value": "IVIg", "quote": arm["quote"]}
    assert dose["unit"] == {"value": "g/kg", "quote": dose["quote"]}
    assert outcome["type"] == {"value": "mean", "quote": outcome["quote"]}
    assert (arm["treatment"], dose["per"]) == (None, None)


def test_what_a_rule_derived_says_so() -> None:
    dose = study_record(STUDY, SCREENING)["doses"][0]
    derived = {"value": 2.0, "quote": None, "derived": "amount per course"}
    assert dose["total_per_course_g_per_kg"] == derived
    assert "derived" not in dose["amount"]


def test_pairs_are_lists_and_timepoints_keep_their_words_and_quote() -> None:
    outcome = study_record(STUDY, SCREENING)["outcomes"][0]
    assert outcome["iqr"]["value"] == [2.0, 4.0]
    assert (outcome["timepoint"]["text"], outcome["timepoint"]["days"]) == ("4 weeks", 28.0)
    assert outcome["timepoint"]["quote"]["text"] == "4 weeks"


@given(strategies.studies)
def test_the_published_record_is_json_with_the_same_keys_for_every_study(study: Study) -> None:
    published = study_record(study, SCREENING)
    assert json.loads(json.dumps(published)) == published
    assert published.keys() == study_record(STUDY, SCREENING).keys()
    for arm in published["arms"]:
        assert arm.keys() == {"label", "role", "treatment", "n", "quote"}
    reference = study_record(STUDY, SCREENING)["outcomes"][0].keys()
    for outcome in published["outcomes"]:
        assert outcome.keys() == reference


def test_the_published_record_has_every_field_of_the_agreed_schema(shared: Path) -> None:
    agreed = (shared / "gold" / "SCHEMA.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z_, \[\]]+) \|", agreed, flags=re.MULTILINE)
    top = {name.strip(" []") for row in rows for name in row.split(",")} - {"field"}
    words = agreed[agreed.index("An outcome:") : agreed.index("- `proportion`")]
    outcome = set(re.findall(r"`([a-z_]+)`", words))
    published = study_record(STUDY, SCREENING)
    assert len(top) > 10
    assert len(outcome) > 20
    assert top <= published.keys()
    assert outcome <= published["outcomes"][0].keys()
