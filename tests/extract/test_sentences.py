"""Sentences end at full stops that end them, and know their part of the abstract."""

from __future__ import annotations

import pytest

from pipeline.extract.sentences import part_of, split
from tests.extract.conftest import Read


def pieces(text: str) -> list[str]:
    """The sentences of a text."""
    return [text[start:end] for start, end in split(text)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Pain fell by 2.4 vs. 1.1 points on placebo.",
        "Weakness was common (e.g. Foot drop in nine).",
        "Pain improved (P < 0. 001).",
        "The gain was 0. 5 points.",
        "Smith et al. Reported no such effect.",
        "Strength rose approx. 20 per cent.",
        "See Fig. 2 for each patient.",
        "IVIg was given i.v. 5 days in a row.",
        "J. F. Miller wrote the protocol.",
        "Grip was 33.5 kg and 14·2 kg.",
        "The interval ran from .05 to .12.",
    ],
)
def test_a_full_stop_inside_does_not_end_a_sentence(sentence: str) -> None:
    assert pieces(sentence) == [sentence]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nine improved. Two did not.", ["Nine improved.", "Two did not."]),
        ("Nine improved! 2 did not?", ["Nine improved!", "2 did not?"]),
        ("It was 2.5. It fell.", ["It was 2.5.", "It fell."]),
        ("A title without a stop\nThen text.", ["A title without a stop", "Then text."]),
        ("One.\n\n\nTwo.", ["One.", "Two."]),
        ("All fell. >50% relief came.", ["All fell.", ">50% relief came."]),
        ("  Spaces around.  ", ["Spaces around."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_are_split_and_trimmed(text: str, found: list[str]) -> None:
    assert pieces(text) == found


@pytest.mark.parametrize(
    ("label", "part"),
    [
        ("BACKGROUND", "background"),
        ("Objective", "objective"),
        ("PATIENTS AND METHODS", "methods"),
        ("METHODS", "methods"),
        ("Design, Setting, and Participants", "methods"),
        ("Main Outcomes and Measures", "results"),
        ("RESULTS", "results"),
        ("Findings", "results"),
        ("CONCLUSIONS", "conclusions"),
        ("Interpretation", "conclusions"),
        ("Trial registration", "other"),
        ("IVIG", ""),
    ],
)
def test_a_label_names_a_part_of_the_abstract(label: str, part: str) -> None:
    assert part_of(label) == part


@pytest.mark.parametrize("label", ["BACKGROUND", "OBJECTIVE", "CONCLUSIONS", "Interpretation"])
def test_no_result_is_read_where_an_abstract_reports_none(read: Read, label: str) -> None:
    claim = "Pain improved in 9 of 12 patients on IVIg."
    title = "Open-label study of IVIg in small fibre neuropathy"
    assert len(read(f"RESULTS: {claim}", title).outcomes) == 1
    assert read(f"{label}: {claim}", title).outcomes == ()
