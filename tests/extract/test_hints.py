"""`pipeline.extract.hints`: no text that a pattern matches is passed over."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.extract.design import _patterns
from pipeline.extract.grammar import GRAMMAR
from pipeline.extract.hints import hints


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"randomi[sz]ed", ("randomi",)),
        (r"\b(?:open|blind)[- ]trials?\b", ("trial",)),
        (r"(?:a|bc)?\d+", ()),
        (r"p\s*(?:=|<)\s*\d", ("p",)),
        (r"(?:cross){1,2}over", ("cross",)),
        (r"x*y+?", ("y",)),
        (r"(?=.*case)report", ("report",)),
        (r"(?!case)\w+", ()),
        (r"[abc]", ("a", "b", "c")),
        (r"[^a]", ()),
    ],
)
def test_the_words_that_a_pattern_needs(pattern: str, expected: tuple[str, ...]) -> None:
    assert hints(re.compile(pattern)) == expected


RULES = [
    *(re.compile(p, re.IGNORECASE | re.VERBOSE) for _, p in GRAMMAR),
    *(row[3] for row in _patterns()),
]


@pytest.mark.parametrize("pattern", RULES, ids=range(len(RULES)))
@settings(max_examples=15)
@given(st.data())
def test_what_a_rule_matches_holds_one_of_its_words(
    pattern: re.Pattern[str], data: st.DataObject
) -> None:
    # Beyond Latin stand letters whose small form is no letter of the pattern ("ſ" for "s").
    text = data.draw(st.from_regex(pattern, alphabet=st.characters(max_codepoint=0xFF)))
    if pattern.search(text):
        words = hints(pattern)
        assert not words or any(word in text.lower() for word in words)
