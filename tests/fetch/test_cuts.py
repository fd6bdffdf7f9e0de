"""`pipeline.fetch.cuts`: what is cut out of XML before it is parsed, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.fetch.cuts import without
from pipeline.fetch.xml import read_pubmed_xml

ENTRY = (
    "<PubmedArticle><MedlineCitation><PMID>{}</PMID><Article><ArticleTitle>A</ArticleTitle>"
    "</Article></MedlineCitation><PubmedData>{}</PubmedData></PubmedArticle>"
)
LIST = "<L>\n<R>one</R>\n<R>two</R>\n</L>"


def cut(text: str, *, size: int = 7, longest: int = 1000) -> str:
    """`text` without its <L>, read in pieces of `size` bytes."""
    raw = text.encode()
    pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
    return b"".join(without(pieces, b"L", longest=longest)).decode()


@given(st.integers(1, 60), st.lists(st.sampled_from([LIST, "<L></L>", "<LL>x</LL>", "text\n"])))
def test_an_element_goes_and_its_line_ends_stay_however_the_text_is_cut(
    size: int, parts: list[str]
) -> None:
    expected = "".join(parts).replace(LIST, "\n\n\n").replace("<L></L>", "")
    assert cut("".join(parts), size=size) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<A/><L><R/>", "<A/><L><R/>"),
        ("<L>a<L>b</L>c</L>", "<L>ac</L>"),
        ("<L kind='x'>a</L>", "<L kind='x'>a</L>"),
        ("<!-- <L> --><PubmedArticle>a</PubmedArticle></L>",) * 2,
        ("", ""),
    ],
    ids=["not-closed", "nested", "attribute", "around-an-entry", "nothing"],
)
def test_what_is_not_plainly_an_element_stays(text: str, expected: str) -> None:
    assert cut(text) == expected


def test_what_is_longer_than_allowed_is_kept() -> None:
    long = f"<L>{'x' * 50}</L>"
    assert cut(long, size=10, longest=20) == long


def test_a_fault_behind_a_cut_is_named_with_its_line() -> None:
    references = "<ReferenceList>\n<Reference/>\n</ReferenceList>\n"
    xml = f"<PubmedArticleSet>\n{ENTRY.format(1, references)}\n<Broken></PubmedArticleSet>"
    with pytest.raises(InputError, match="line 6"):
        list(read_pubmed_xml(xml.encode()))


def test_a_list_that_is_cut_off_is_a_fault() -> None:
    xml = f"<PubmedArticleSet>{ENTRY.format(1, '<ReferenceList><Reference/>')}"
    with pytest.raises(InputError, match="not well-formed"):
        list(read_pubmed_xml(xml.encode()))


def test_two_records_with_lists_are_both_read() -> None:
    references = "<ReferenceList><Reference><ArticleIdList/></Reference></ReferenceList>"
    xml = "".join(ENTRY.format(n, references) for n in (1, 2))
    found = read_pubmed_xml(f"<PubmedArticleSet>{xml}</PubmedArticleSet>".encode())
    assert [r.pmid for r in found] == ["1", "2"]
