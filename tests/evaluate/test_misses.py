"""A miss is shown with the sentence that prints it."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.evaluate.load import parse
from pipeline.evaluate.match import Match
from pipeline.evaluate.misses import Miss, misses
from pipeline.extract.sentences import split

TEXT = "IVIg in CIDP\nWe treated 14 patients. Pain fell by 2.4 points. Grip rose by 3 kg."


def shown(match: Match) -> list[Miss]:
    """The misses of one match."""
    return list(misses([match], {"r": TEXT}, split))


def quoted(value: object, phrase: str) -> dict[str, object]:
    """A reading with its quote."""
    start = TEXT.index(phrase)
    return {
        "value": value,
        "quote": {"start": start, "end": start + len(phrase), "text": phrase},
    }


def test_a_right_match_is_no_miss() -> None:
    assert shown(Match("r", "n_total", 14, quoted(14, "14 patients"), True)) == []


@pytest.mark.parametrize(
    ("match", "kind", "sentence"),
    [
        (Match("r", "n_total", 14, quoted(3, "3 kg"), False), "misread", "Grip rose by 3 kg."),
        (Match("r", "n_total", None, quoted(3, "3 kg"), False), "extra", "Grip rose by 3 kg."),
        (Match("r", "n_total", 14, None, False), "missed", "We treated 14 patients."),
        (
            Match("r", "outcomes.value", -2.4, None, False, "pain -2.4"),
            "missed",
            "Pain fell by 2.4 points.",
        ),
        (Match("r", "n_total", 99, None, False), "missed", ""),
        (
            Match("r", "n_total", 14, {"value": 1, "quote": None}, False),
            "misread",
            "We treated 14 patients.",
        ),
    ],
)
def test_a_miss_says_what_went_wrong_and_where(match: Match, kind: str, sentence: str) -> None:
    (miss,) = shown(match)
    assert (miss.kind, miss.sentence) == (kind, sentence)


def test_a_quote_that_is_not_in_the_text_is_not_trusted() -> None:
    wrong = {"value": 3, "quote": {"start": 0, "end": 4, "text": "none"}}
    (miss,) = shown(Match("r", "n_total", 14, wrong, False))
    assert miss.sentence == "We treated 14 patients."


def test_a_record_without_its_text_has_no_sentence() -> None:
    (miss,) = misses([Match("other", "n_total", 14, None, False)], {}, split)
    assert miss.sentence == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: the line is not JSON"),
        ('{"pmid": "1"}\n\n[1]', "line 3: the line must hold an object, not list"),
        ('{"title": "x"}', "line 1: the record has no record_id and no pmid"),
        ('{"pmid": "1"}\n{"record_id": "pmid1"}', "line 2: record 'pmid1' stands twice"),
        ('{"pmid": "1", "arms": [2]}', "Invalid arms; must be a list of objects"),
    ],
)
def test_a_line_that_is_no_record_is_named(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(text, "gold.jsonl")


def test_a_record_is_known_by_its_id_or_its_pmid() -> None:
    records = parse('{"pmid": {"value": "1"}}\n{"record_id": "x", "pmid": "2"}\n', "gold.jsonl")
    assert list(records) == ["pmid1", "x"]
