"""`pipeline.extract.tokens`: every text is tokenised, whole, in little time."""

from __future__ import annotations

import time

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from pipeline.extract.tokens import LONGEST_WORD, Bounded

NLP = spacy.blank("en")
BOUNDED = Bounded(NLP.tokenizer)


@given(st.text(alphabet="ab (.)\n  -0", max_size=40), st.integers(0, 3))
def test_the_text_stays_as_it_is(text: str, long: int) -> None:
    whole = text + "(" * (LONGEST_WORD * long // 2) + text
    assert BOUNDED(whole).text == whole


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\xa0", " \n", "\n\n"])
def test_a_text_of_ordinary_words_has_spacys_tokens(blank: str) -> None:
    text = f"Pain after surgery.{blank}Mean VAS fell by 73.4% (p<0.001), i.e. from 8.1 to 2.2."
    spacys = spacy.blank("en").tokenizer
    assert [(t.idx, t.text) for t in BOUNDED(text)] == [(t.idx, t.text) for t in spacys(text)]


def test_a_word_behind_a_line_break_is_split_once() -> None:
    tokenizer = spacy.blank("en").tokenizer
    search, tried = tokenizer.suffix_search, []

    def noted(word: str) -> object:
        tried.append(word)
        return search(word)

    tokenizer.suffix_search = noted
    bounded = Bounded(tokenizer)
    bounded("Title\nunlikely words")
    count = len(tried)
    bounded("Another\nunlikely words")
    assert tried[count:] == ["Another"]


@pytest.mark.parametrize("symbol", ["(", ")", ".", "a.", "-", "'s"])
def test_a_long_word_takes_less_than_a_second(symbol: str) -> None:
    text = symbol * (10_000 // len(symbol))
    start = time.process_time()
    assert BOUNDED(text).text == text
    assert time.process_time() - start < 1
