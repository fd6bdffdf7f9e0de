"""Text from strangers: control characters, links, marks."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pipeline.errors import OutputError
from pipeline.report.files import write_file
from pipeline.report.marks import mark_record, mark_text
from pipeline.report.plain import doi_url, one_line, pubmed_url, visible
from pipeline.schema import Quote, Record

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.sampled_from("abc")))


def test_a_control_character_is_written_out() -> None:
    assert visible("a\u202eb\x00c\u2066\n\td") == "a[U+202E]b[U+0000]c[U+2066]\n\td"
    assert visible("Guillain-Barré, β, 中, שלום") == "Guillain-Barré, β, 中, שלום"


def test_a_label_is_one_line_of_limited_length() -> None:
    assert one_line(" a\n b\t c ") == "a b c"
    assert one_line("k\u00a0=\u00a03") == "k\u00a0=\u00a03"
    assert one_line("x" * 50, 10) == "x" * 9 + "…"


@pytest.mark.parametrize("pmid", ["", "0", "12a", "javascript:alert(1)", "1234567890", "1\n", None])
def test_what_is_no_pmid_is_no_link(pmid: str | None) -> None:
    assert pubmed_url(pmid) == ""
    assert pubmed_url("123") == "https://pubmed.ncbi.nlm.nih.gov/123/"


@pytest.mark.parametrize(
    "doi", ["", "javascript:alert(1)", "11.1000/x", "10.1/x", "10.1000/", None]
)
def test_what_is_no_doi_is_no_link(doi: str | None) -> None:
    assert doi_url(doi) == ""


def test_a_doi_is_percent_encoded() -> None:
    # a DOI of Wiley's old form, with every character that breaks an attribute
    assert doi_url('10.1002/(SICI)1<1::"A&B">3.0;2-#') == (
        "https://doi.org/10.1002/%28SICI%291%3C1%3A%3A%22A%26B%22%3E3.0%3B2-%23"
    )


def marked(html: Markup) -> str:
    """The text inside all marks, in order."""
    return unescape("".join(re.findall(r"<mark[^>]*>(.*?)</mark>", html, flags=re.DOTALL)))


def stripped(html: Markup) -> str:
    """The text without the marks."""
    return unescape(re.sub(r"</?mark[^>]*>", "", html))


def test_overlapping_and_nested_spans_are_marked_once() -> None:
    html = mark_text("abcdefgh", [(1, 5, "x"), (3, 7, "y"), (4, 5, "z")])
    assert html == (
        'a<mark title="x">bc</mark><mark title="x; y">d</mark><mark title="x; y; z">e</mark>'
        '<mark title="y">fg</mark>h'
    )


def test_marked_text_and_labels_stay_text() -> None:
    html = mark_text('<b>"&', [(0, 3, '"><script>')])
    assert html == '<mark title="&#34;&gt;&lt;script&gt;">&lt;b&gt;</mark>&#34;&amp;'


@given(st.text("ab<>&\"' \né𝛃\u0301", max_size=30), SPANS)
def test_marks_change_no_letter_and_cover_exactly_the_spans(
    text: str, spans: list[tuple[int, int, str]]
) -> None:
    html = mark_text(text, spans)
    good = [(s, e) for s, e, _ in spans if s < e <= len(text)]
    assert stripped(html) == text
    assert marked(html) == "".join(
        c for i, c in enumerate(text) if any(s <= i < e for s, e in good)
    )


def test_a_quote_that_does_not_fit_its_text_is_not_marked() -> None:
    record = Record("r1", "A title of 12 patients")
    fits, moved = record.quote(11, 22), Quote("r1", 0, 11, "12 patients")
    assert marked(mark_record(record, [("n", fits)])) == "12 patients"
    assert marked(mark_record(record, [("n", moved)])) == ""
    assert marked(mark_record(record, [("n", Quote("r2", 11, 22, "12 patients"))])) == ""


def test_a_failed_write_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_file(tmp_path / "a.csv", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=rf"a\.csv in {tmp_path}: No space left on device\.$"):
        write_file(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
    assert path.read_bytes() == b"old"
