"""`pipeline.extract.starts`: a pattern finds what it finds, tried at fewer places."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.grammar import GRAMMAR
from pipeline.extract.places import DIGIT, NUMBER
from pipeline.extract.starts import WORTH, Starts, leads


@pytest.mark.parametrize(
    ("pattern", "words", "strings"),
    [
        (r"\b(?:median|means?)\b", {"med", "mea"}, set()),
        (r"\bat\s+least", {"at"}, set()),
        (r"(?<!\w)n\s*=", {"n"}, set()),
        (r"\bvs?\.", {"v", "vs"}, set()),
        (r"(?:un)?blind", set(), {"blin", "unbl"}),
        (r"x?\d", set(), {"x", DIGIT}),
        (r"(?<!\d)\d+", set(), {NUMBER}),
        (r"\b[<≥]\s?\d", set(), {"<", "≥"}),
        (r"[(\[]\s*n\b", set(), {"(", "["}),
        (r"b{2,3}a", set(), {"b"}),
        (r"(?<![A-Za-zÀ-ÿ0-9_])(?:pain|VAS)", {"pai", "vas"}, set()),
        (r"(?<![A-Z])VAS", set(), {"v"}),
    ],
)
def test_the_leads_of_a_pattern(pattern: str, words: set[str], strings: set[str]) -> None:
    found = leads(re.compile(pattern))
    assert found is not None
    assert (found.words, found.strings | found.digits) == (words, strings)


def test_a_greek_letter_before_a_word_hides_it_from_no_pattern_that_allows_one() -> None:
    text = "The change was ΔQOL, " + " " * WORTH
    found = Starts(re.compile(r"(?<![A-Za-zÀ-ÿ0-9_])QOL")).search(text)
    assert found is not None
    assert found.start() == text.index("QOL")
    assert Starts(re.compile(r"\bQOL")).search(text) is None


@pytest.mark.parametrize("pattern", [r"\w+", r".a", r"(?:ab)?", r"[^a]b", r"\s*a", "e+"])
def test_what_may_begin_nearly_everywhere_has_no_leads(pattern: str) -> None:
    assert leads(re.compile(pattern)) is None


RULES = [re.compile(p, re.IGNORECASE | re.VERBOSE) for _, p in GRAMMAR]


@pytest.mark.parametrize("pattern", RULES, ids=range(len(RULES)))
@settings(max_examples=15)
@given(st.data())
def test_a_rule_finds_the_same_when_it_is_tried_at_its_starts(
    pattern: re.Pattern[str], data: st.DataObject
) -> None:
    made = st.from_regex(pattern, alphabet=st.characters(max_codepoint=0xFF))
    text = data.draw(made) + " " * WORTH + data.draw(made)
    start, end = data.draw(st.integers(0, 3)), len(text) - data.draw(st.integers(0, 3))
    found = [m.span() for m in Starts(pattern).finditer(text, start, end)]
    assert found == [m.span() for m in pattern.finditer(text, start, end)]
