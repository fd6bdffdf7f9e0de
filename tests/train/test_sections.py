"""The model of parts: what it learns from, that it learns, and that it does so to the byte."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.extract.section_model import PARTS
from pipeline.schema import Record, Section
from pipeline.train.sections import Labelled, as_array, labelled, scores, train

SAYINGS = {
    "BACKGROUND": ["It is not known whether {x} helps.", "We aimed to study {x}."],
    "METHODS": ["Patients were randomised to {x} or saline.", "We measured {x} at four weeks."],
    "RESULTS": ["With {x} pain fell by 3 points (p = 0.02).", "{x} helped 12 of 30."],
    "CONCLUSIONS": ["We conclude that {x} is useful.", "Further trials of {x} are needed."],
}


def made_up(n: int = 120) -> list[Record]:
    """Records that say one of two things in each part, of one of ten drugs."""
    pick = random.Random(1)  # noqa: S311 - nobody has to guess it
    drugs = [f"drug{c}" for c in "abcdefghij"]
    return [
        Record(
            f"r{i}",
            "A trial",
            tuple(Section(_said(pick, said, drugs), label) for label, said in SAYINGS.items()),
        )
        for i in range(n)
    ]


def _said(pick: random.Random, said: list[str], drugs: list[str]) -> str:
    """One to three sentences."""
    n = pick.randint(1, 3)
    return " ".join(pick.choice(said).format(x=pick.choice(drugs)) for _ in range(n))


def parts_of(text: str) -> list[str]:
    """The parts of the one abstract of a text."""
    return [PARTS[p] for a in labelled([Record("r", "T", (Section(text),))]) for p in a.parts]


def test_labels_are_taken_from_sections_or_from_lines() -> None:
    (one,) = labelled(made_up(1))
    assert list(dict.fromkeys(PARTS[p] for p in one.parts)) == list(PARTS)
    text = "ABSTRACT.METHODS:\nWe did this. And that.\n\nABSTRACT.RESULTS:\nIt worked.\n"
    assert parts_of(text) == ["methods", "methods", "results"]


@pytest.mark.parametrize(
    "text",
    [
        "No labels at all. None.",
        "METHODS: Only these.\nCONCLUSIONS: And this.",
        "METHODS AND RESULTS: Both at once.",
        "",
    ],
)
def test_an_abstract_that_labels_no_methods_or_no_results_is_left_out(text: str) -> None:
    assert parts_of(text) == []


def test_a_label_of_two_parts_teaches_nothing() -> None:
    text = "AIMS/METHODS: Why and how.\nDESIGN AND SETTING: How.\nRESULTS: What.\nFUNDING: Who."
    assert parts_of(text) == ["methods", "results"]


def test_the_model_learns_the_parts_and_beats_place_alone() -> None:
    found = {s.name: s for s in scores(labelled(made_up()))}
    assert found["words and order"].accuracy > 0.99
    assert found["words and order"].macro_f1 > found["by place"].macro_f1
    assert found["by place"].macro_f1 > found["the commonest part"].macro_f1


def test_the_same_abstracts_give_the_same_bytes() -> None:
    abstracts = labelled(made_up(40))
    assert as_array(train(abstracts)).tobytes() == as_array(train(abstracts)).tobytes()


def test_nothing_to_learn_from_is_an_error() -> None:
    with pytest.raises(InputError, match="nothing to learn from"):
        train([])
    with pytest.raises(InputError, match="too few"):
        scores([Labelled("a0", ("x",), (1,))])


def test_on_the_shared_abstracts_it_is_right_for_nine_sentences_in_ten(shared: Path) -> None:
    from pipeline.fetch.files import read_records  # noqa: PLC0415 - only where there are data

    records, _ = read_records(shared / "data" / "evidence_inference_abstracts.jsonl.gz")
    found = {s.name: s for s in scores(labelled(records))}
    assert found["words and order"].accuracy > 0.91
    assert found["words and order"].macro_f1 > 0.90


def test_a_record_is_json(tmp_path: Path) -> None:
    """What the command reads: the same abstracts as JSON Lines."""
    lines = [
        json.dumps({"record_id": r.record_id, "title": r.title, "text": r.text.partition("\n")[2]})
        for r in made_up(3)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    from pipeline.fetch.files import read_records  # noqa: PLC0415

    assert labelled(read_records(tmp_path / "a.jsonl")[0]) == labelled(made_up(3))
