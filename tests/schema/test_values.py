"""What schema values refuse, and how a record's text and quotes are laid out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.schema import (
    Arm,
    BinaryData,
    ContinuousData,
    Correction,
    Decision,
    EffectSize,
    Flow,
    Outcome,
    Quote,
    Reading,
    Record,
    ReportedEffect,
    Section,
    Study,
)
from tests.schema import strategies

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BinaryData(12, 10), r"Invalid events 12; must lie in \[0, 10\]\."),
        (lambda: BinaryData(-1, 10), "Invalid events -1"),
        (lambda: BinaryData(0, 0), "Invalid n 0"),
        (lambda: ContinuousData(3.1, -0.1, 10), "Invalid SD -0.1"),
        (lambda: ContinuousData(3.1, NAN, 10), "Invalid SD nan"),
        (lambda: ContinuousData(3.1, 1.0, 0), "Invalid n 0"),
        (lambda: ReportedEffect("RR", 2.1, 0.5, 2.0), r"Invalid effect 2.1; .* \[0.5, 2.0\]"),
        (lambda: ReportedEffect("RR", NAN, 0.5, 2.0), "Invalid effect nan"),
        (lambda: EffectSize("r", "Li 2009", "MD", NAN, 1.0), "Invalid yi nan of Li 2009"),
        (lambda: EffectSize("r", "Li 2009", "MD", 0.0, 0.0), "Invalid vi 0.0 of Li 2009"),
        (lambda: EffectSize("r", "Li 2009", "MD", 0.0, INF), "Invalid vi inf of Li 2009"),
        (lambda: Quote("r", -1, 1, "ab"), "Invalid quote -1..1"),
        (lambda: Quote("r", 2, 1, ""), "Invalid quote 2..1"),
        (lambda: Quote("r", 0, 3, "ab"), "its length is 2"),
        (lambda: Arm("IVIg", "bystander"), "Invalid role 'bystander'"),
        (lambda: Arm("IVIg", "intervention", n=Reading(-1)), "Invalid arm size -1"),
        (lambda: Outcome("pain", "average"), "Invalid type 'average'"),
        (lambda: Outcome("pain", "count", n=Reading(10), events=Reading(12)), "Invalid events 12"),
        (
            lambda: Outcome("x", "count", comparator_n=Reading(5), comparator_events=Reading(6)),
            "Invalid events 6",
        ),
        (lambda: Study("r", Reading("rct")), "Invalid design 'rct'"),
        (lambda: Decision("r", "n_total", "perhaps", "Li", "now"), "Invalid verdict 'perhaps'"),
        (lambda: Flow(10, 2, 7, (), 7, 3), "10 identified - 2 duplicates is not 7 screened"),
        (lambda: Flow(10, 2, 8, (("animal", 3),), 6, 3), "8 screened - 3 excluded is not 6"),
    ],
)
def test_the_impossible_is_refused_with_value_and_rule(
    make: Callable[[], Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_limits_themselves_are_allowed() -> None:
    assert BinaryData(0, 1).events == 0
    assert BinaryData(7, 7).events == 7
    assert ContinuousData(0.0, 0.0, 1).sd == 0
    assert ReportedEffect("RR", 2.0, 2.0, 2.0).effect == 2
    assert Flow(10, 2, 8, (("animal", 3),), 5, 3).included == 5


def test_a_value_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        BinaryData(1, 2).events = 2  # type: ignore[misc]


# The text of a record


def test_the_text_is_the_title_and_each_labelled_section_on_a_line() -> None:
    sections = (Section("We asked.", "AIM"), Section("12 of 20 responded."))
    record = Record("pmid1", "A trial of IVIg.", sections)
    assert record.text == "A trial of IVIg.\nAIM: We asked.\n12 of 20 responded."
    assert Record("pmid1", "A title.").text == "A title."


@given(strategies.records, st.data())
def test_a_quote_is_the_text_between_its_offsets(record: Record, data: st.DataObject) -> None:
    # Characters beyond the BMP count 1 (2 in UTF-16), a combining accent counts for itself.
    start = data.draw(st.integers(0, len(record.text)))
    end = data.draw(st.integers(start, len(record.text)))
    quote = record.quote(start, end)
    assert record.text[quote.start : quote.end] == quote.text
    assert quote.record_id == record.record_id


def test_offsets_count_code_points() -> None:
    record = Record("pmid1", "Sjo\u0308gren 𝛽=0.5 🧪 n = 12")
    start = record.text.index("n = 12")
    assert start == 17  # 19 in UTF-16, where 𝛽 and 🧪 count 2 each
    assert record.quote(start, start + 6).text == "n = 12"


def test_a_quote_beyond_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="its length is 5"):
        Record("pmid1", "Title").quote(0, 9)


@given(strategies.records, strategies.records)
def test_the_hash_differs_where_any_field_does_and_only_there(one: Record, two: Record) -> None:
    assert (one.content_hash == two.content_hash) == (one == two)
    revised = dataclasses.replace(one, corrections=(Correction("RetractionIn", "2"),))
    assert (one.content_hash == revised.content_hash) == (one == revised)


@pytest.mark.parametrize(
    ("authors", "year", "slab"),
    [
        (("Morozumi, S", "Kawagashira, Y"), 2009, "Morozumi 2009"),
        (("Morozumi, S",), None, "Morozumi"),
        ((), 2009, "pmid1 2009"),
        ((), None, "pmid1"),
    ],
)
def test_the_study_label_is_surname_and_year(
    authors: tuple[str, ...], year: int | None, slab: str
) -> None:
    assert Record("pmid1", "T", authors=authors, year=year).slab == slab


def test_readings_of_an_outcome_are_its_read_fields_in_order() -> None:
    outcome = Outcome("pain", "mean", sd=Reading(1.2), value=Reading(3.1))
    assert list(outcome.readings()) == ["value", "sd"]
