"""Marks hold the text as it is, escaped, with offsets that lead back to it."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.plain import visible
from pipeline.workbench.marks import Span, mark_text

PIECE = re.compile(r'<span data-at="(\d+)"( class="raw" data-raw="1")?>(.*?)</span>', re.DOTALL)


def spans(text: str) -> st.SearchStrategy[list[Span]]:
    """Any spans over a text."""
    place = st.integers(0, len(text))
    one = st.builds(Span, place, place, st.just("f1"), st.text(max_size=5), st.integers(0, 9))
    return st.lists(one, max_size=6)


@given(st.data())
def test_the_pieces_are_the_text_each_at_its_offset(data: st.DataObject) -> None:
    text = data.draw(st.text(max_size=60))
    marked = mark_text(text, data.draw(spans(text)))
    at = 0
    for offset, raw, shown in PIECE.findall(marked):
        assert int(offset) == at
        length = 1 if raw else len(html.unescape(shown))
        assert html.unescape(shown) == visible(text[at : at + length])
        at += length
    assert at == len(text)


def test_a_piece_under_several_spans_names_all_their_fields_the_shortest_first() -> None:
    marked = mark_text("32 of 59 patients", [Span(0, 17, "f1", "row"), Span(0, 2, "f2", "events")])
    assert 'data-fields="f2 f1"' in marked
    assert 'data-label="row; events"' in marked
    assert marked.count("tabindex") == 1


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", "</mark><script>", '" onclick="x', "&lt;b&gt;"]
)
def test_a_hostile_text_stays_text(hostile: str) -> None:
    marked = mark_text(hostile, [Span(0, len(hostile), 'f1" onclick="x', hostile)])
    assert "<img" not in marked
    assert "<script" not in marked
    assert 'onclick="x"' not in marked
    assert html.unescape("".join(p[2] for p in PIECE.findall(marked))) == hostile


def test_a_span_outside_the_text_is_no_mark() -> None:
    marked = mark_text(
        "abc", [Span(2, 9, "f1", "x"), Span(1, 1, "f2", "y"), Span(-1, 2, "f3", "z")]
    )
    assert "<mark" not in marked
