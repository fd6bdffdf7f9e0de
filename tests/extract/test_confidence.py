"""A reading's confidence is that of its field and its signs of doubt."""

from __future__ import annotations

import pytest

from pipeline.config import Config
from pipeline.extract.confidence import JUDGED_AS, MOST_DOUBTS, confidence
from pipeline.extract.lexicon import rules
from pipeline.extract.reader import Reader
from pipeline.schema import Outcome, Reading, Record, Section, Study
from pipeline.schema.codec import from_plain, study_record, to_plain
from pipeline.screen import screen

TITLE = "IVIg in CIDP: a randomised placebo-controlled trial"
ARMS = "We randomised 117 patients with CIDP to IVIg (n = 59) or placebo (n = 58). "


@pytest.fixture(scope="module")
def doubtful(config: Config) -> Reader:
    """A reader whose confidence is the number of signs of doubt."""
    return Reader(config.eligibility, config.outcomes, lambda field, doubts: float(doubts))


def study_of(reader: Reader, text: str, title: str = TITLE) -> Study:
    """The study of an abstract."""
    return reader.read(Record("r", title, (Section(text),)))


def doubts(reading: Reading[object] | None) -> float | None:
    """The signs of doubt of a reading."""
    assert reading is not None
    return reading.confidence


def first(study: Study) -> Outcome:
    """The first outcome."""
    return study.outcomes[0]


def test_a_number_printed_with_its_outcome_and_arm_has_no_sign_of_doubt(doubtful: Reader) -> None:
    said = "RESULTS: Relapse occurred in 12 of 59 with IVIg and 30 of 58 with placebo (p = 0.001)."
    row = first(study_of(doubtful, ARMS + "\n" + said))
    assert doubts(row.events) == doubts(row.n) == doubts(row.p_value) == 0


def test_a_derived_number_has_one_more_than_a_printed_one(doubtful: Reader) -> None:
    title = "Open-label study of IVIg in small fibre neuropathy"
    row = first(study_of(doubtful, "Twenty patients had IVIg. Pain improved in nine.", title))
    assert row.events is not None
    assert row.n is not None
    assert (row.events.derived, bool(row.n.derived)) == ("", True)
    assert doubts(row.n) == (doubts(row.events) or 0) + 1


def test_an_arm_that_the_sentence_does_not_name_is_a_sign_of_doubt(doubtful: Reader) -> None:
    named = first(study_of(doubtful, ARMS + "Relapse occurred in 12 of 59 with IVIg."))
    open_ = first(study_of(doubtful, ARMS + "Relapse occurred in 12 of 59."))
    assert (doubts(open_.events) or 0) > (doubts(named.events) or 0)


def test_an_outcome_named_in_the_sentence_before_is_a_sign_of_doubt(doubtful: Reader) -> None:
    title = "Open-label study of IVIg in small fibre neuropathy"
    text = "Twenty patients had IVIg. Grip strength was measured. It rose by 3.1 (SD 1.2) kg."
    found = study_of(doubtful, text, title).outcomes
    whole = study_of(
        doubtful, "Twenty patients had IVIg. Grip strength rose by 3.1 (SD 1.2) kg.", title
    )
    assert (doubts(found[0].value) or 0) > (doubts(first(whole).value) or 0)


def test_a_problem_in_the_sentence_is_a_sign_of_doubt(doubtful: Reader) -> None:
    title = "Open-label study of IVIg in small fibre neuropathy"
    clear = study_of(doubtful, "Twenty patients had IVIg. Pain fell by 2.4 (SD 1.1) points.", title)
    unclear = study_of(doubtful, "Twenty patients had IVIg. Pain fell by 2.4 ± 1.1 points.", title)
    assert unclear.problems
    assert (doubts(first(unclear).value) or 0) == (doubts(first(clear).value) or 0) + 1


def test_more_signs_than_are_counted_are_the_most(doubtful: Reader) -> None:
    text = ARMS + "Relapse occurred in 12 of 59. Pain fell by 2.4 ± 1.1 points; it was 3."
    readings = [r for o in study_of(doubtful, text).outcomes for r in o.readings().values()]
    assert {r.confidence for r in readings} <= set(map(float, range(MOST_DOUBTS + 1)))


def test_the_shipped_table_is_whole_and_falls_with_doubt() -> None:
    rows = rules("confidence")
    shares: dict[str, list[float]] = {}
    for row in rows:
        assert row["doubts"] == len(shares.setdefault(row["field"], []))
        shares[row["field"]].append(row["confidence"])
    assert all(len(s) == MOST_DOUBTS + 1 for s in shares.values())
    assert all(s == sorted(s, reverse=True) for s in shares.values())
    assert all(0 < x < 1 for s in shares.values() for x in s)
    assert {"design", "n_total", "doses", "outcomes.value"} <= set(shares)
    assert confidence("design", 0) == shares["design"][0]


def test_what_no_gold_judges_has_no_confidence(reader: Reader) -> None:
    assert confidence("doses.frequency", 0) is None
    dose = study_of(reader, ARMS + "IVIg 1 g/kg was given every 3 weeks.").doses[0]
    assert dose.frequency is not None
    assert dose.frequency.confidence is None
    assert dose.amount is not None
    assert dose.amount.confidence == confidence(JUDGED_AS["doses.amount"], 0)


def test_an_outcome_that_no_rule_knows_has_no_confidence(reader: Reader) -> None:
    said = "Hiccups occurred in 12 of 59 with IVIg and 30 of 58 with placebo (p = 0.001)."
    row = first(study_of(reader, ARMS + said))
    assert row.measure == "Hiccups"
    assert row.events is not None
    assert row.events.confidence is None


def test_a_study_of_another_treatment_has_none_for_its_results(reader: Reader) -> None:
    title = "Statins and relapse: a randomised placebo-controlled trial"
    text = "We randomised 117 patients to a statin (n = 59) or placebo (n = 58). "
    said = "Relapse occurred in 12 of 59 on the statin and 30 of 58 on placebo."
    study = study_of(reader, text + said, title)
    assert study.n_total is not None
    assert study.n_total.confidence is not None
    readings = [r for o in study.outcomes for r in o.readings().values()]
    assert readings
    assert {r.confidence for r in readings} == {None}


def test_a_published_value_carries_its_confidence_and_a_stored_one_keeps_it(
    reader: Reader, config: Config
) -> None:
    record = Record("r", TITLE, (Section(ARMS),))
    study = reader.read(record)
    line = study_record(study, screen(record, study, config.eligibility), record.text)
    assert study.n_total is not None
    assert line["n_total"]["confidence"] == study.n_total.confidence is not None
    assert from_plain(Study, to_plain(study)) == study
