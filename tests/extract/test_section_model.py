"""The learned parts of abstracts without labels: sure ones are acted on, labels come first."""

from __future__ import annotations

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract import sentences as module
from pipeline.extract.section_model import PARTS, ROWS, WEIGHTS, Model, features, order, shipped
from pipeline.extract.sentences import Sentence

ABSTRACT = (
    "Whether immunoglobulin helps in neuropathy is not known, and our aim was to find out. "
    "Patients were randomly assigned to immunoglobulin or saline; a nurse measured pain. "
    "The primary outcome was the change of the pain score after 12 weeks. "
    "Pain fell by 2.1 points with immunoglobulin and by 0.9 points with saline (p = 0.03). "
    "Headache was more common with immunoglobulin (31% vs 12%). "
    "In conclusion, immunoglobulin may be an effective treatment; larger trials are needed."
)


def parts(text: str) -> list[Sentence]:
    """The sentences of a text behind a title."""
    nlp = spacy.blank("en")
    nlp.add_pipe("evipool_sentences")
    found: tuple[Sentence, ...] = nlp(f"A trial\n{text}")._.sentences
    assert found[0].part == "title"
    return list(found[1:])


def test_each_sentence_of_an_abstract_without_labels_has_a_likely_part() -> None:
    assert [s.likely for s in parts(ABSTRACT)] == [
        "objective",
        "methods",
        "methods",
        "results",
        "results",
        "conclusions",
    ]


def test_only_sure_objectives_and_methods_reach_the_rules() -> None:
    """A result that stands in the conclusions alone would otherwise be lost."""
    found = parts(ABSTRACT)
    assert {s.part for s in found} <= {"", *module.ACTED_ON}
    assert found[1].part == "methods"
    assert all(s.part in ("", s.likely) for s in found)


def test_labels_leave_nothing_to_the_model() -> None:
    found = parts("METHODS: " + ABSTRACT)
    assert {s.part for s in found} == {"methods"}
    assert {s.likely for s in found} == {""}


def test_two_sentences_have_no_parts() -> None:
    found = parts("We gave immunoglobulin to nine patients. Eight improved.")
    assert [(s.part, s.likely) for s in found] == [("", ""), ("", "")]


def test_the_shipped_weights_are_small_and_whole() -> None:
    assert WEIGHTS.stat().st_size < 1_000_000
    model = shipped()
    assert model.weights.shape == (ROWS, len(PARTS))
    assert model.follows.shape == (len(PARTS) + 1, len(PARTS))
    assert np.isfinite(model.weights).all()
    assert np.isfinite(model.follows).all()


def test_no_sentence_has_no_part() -> None:
    assert shipped().parts([]) == []


def test_numbers_are_alike_and_places_are_not() -> None:
    two, three, _ = features(["It fell by 2.", "It fell by 3.", "End."])
    again, _, _ = features(["It fell by 3.", "It fell by 3.", "End."])
    assert list(two) == list(again)
    assert list(two) != list(three)


def test_the_order_decides_where_the_words_do_not() -> None:
    """Part 0 is always followed by part 1; the second sentence fits both alike."""
    never = -50.0
    follows = np.array([[never, 0, never, never]] * 4 + [[0, never, never, never]])
    logs = np.log(np.array([[0.7, 0.1, 0.1, 0.1], [0.45, 0.45, 0.05, 0.05]]))
    assert order(logs, follows) == [0, 1]


@given(st.lists(st.text(max_size=200), min_size=1, max_size=12))
def test_any_sentences_get_a_part_and_a_probability_each(texts: list[str]) -> None:
    found = shipped().parts(texts)
    assert len(found) == len(texts)
    assert all(part in PARTS and 0 <= chance <= 1 for part, chance in found)


def test_a_model_that_knows_nothing_gives_each_part_the_same_chance() -> None:
    model = Model(np.zeros((ROWS, 4)), np.zeros((5, 4)))
    assert model.parts(["One."])[0][1] == pytest.approx(0.25)
