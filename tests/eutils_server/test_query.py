"""Queries: how they are read, and which records they find."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.eutils_server import Synthetic, load
from pipeline.eutils_server.conditions import condition_of
from pipeline.eutils_server.query import DEEPEST, parse

Search = Callable[..., dict[str, Any]]


def nothing(key: int) -> tuple[int, ...]:
    """A history without a set."""
    return ()


@pytest.mark.parametrize(
    ("query", "pmids"),
    [
        ("globulin", "105 104 101"),
        ("globulin[tiab]", "105 104 101"),
        ("GLOBULIN[ti]", "104 101"),
        ("neuropathy[tiab]", "107 102 101"),
        ("neuropath*[tiab]", "107 103 102 101"),
        ('"immune globulin"[tiab]', "105 101"),
        ('"immune globulin"[ti]', "101"),
        ('"immune glob*"[tiab]', "105 101"),
        ("immune globulin", "105 101"),
        ("globulin levels[tiab]", "105"),
        ("inventee[ta] OR inventée[ti]", "103"),
        ('"Guillain-Barre"[tiab]', "105"),
        # MeSH: a heading as a whole, with a qualifier, cut; keywords and text are not headings
        ("polyneuropathies[mh]", "103 102 101"),
        ("polyneuropathies/drug therapy[mh]", "101"),
        ("immunoglobulins, intravenous[mh]", "101"),
        ("immunoglobulins[mh]", ""),
        ("immunoglobulin*[mh]", "101"),
        ("pain[mh]", "106"),
        ("neuropathies[mh]", ""),
        ("neuropathies", "104"),
        # types, authors, journals, languages
        ("randomized controlled trial[pt]", "101"),
        ("trial[pt]", ""),
        ("letter[pt] OR review[pt]", "107 104"),
        ("adams[au]", "106 105 104 103 101"),
        ("adams a[au]", "106 105 104 101"),
        ('"adams c"[au]', "103"),
        ("adamson[au]", "102"),
        ("van der berg c[au]", "101"),
        ("j invent trials[ta] AND pain", "106 102"),
        ("fre[la]", "103"),
        # PMIDs, dates, subsets
        ("102[uid]", "102"),
        ("102:104[uid]", "104 103 102"),
        ("104[pmid] OR 101[pmid]", "104 101"),
        ("2019[crdt]", "104 101"),
        ("2019/03[crdt]", "104"),
        ("2019/02/04:2020[crdt]", "105 104"),
        ('("2020/12/31"[Date - Create] : "3000"[Date - Create])', "106 105"),
        ("1999[edat]", "103"),
        ("2002[mhda]", "103"),
        ("2002/01/01:2002/12/31[lr]", "103"),
        ("1998/12[pdat]", "103"),
        ("2018:2019/01[pdat]", "102"),
        ("all[sb]", "107 106 105 104 103 102 101"),
        ("all[SB] NOT pubmed books[SB]", "106 105 104 103 102 101"),
        ("hasabstract[filter]", "107 106 105 102 101"),
        # a record without that date is outside the range, not nowhere
        ("all[sb] NOT 1900:3000[edat]", "107"),
        # operators from left to right, parentheses first
        ("letter[pt] OR pain[mh] AND polyneuropathies[mh]", ""),
        ("letter[pt] OR (pain[mh] AND 106[uid])", "106 104"),
        ("all[sb] NOT 101:103[uid] NOT 107[uid]", "106 105 104"),
        ("all[sb] NOT (101:103[uid] OR 107[uid])", "106 105 104"),
        ("globulin neuropathy", "101"),
        ("NCT09999991", "101"),
        ("2019[foo]", ""),
        ("...", ""),
        ("nonsense[crdt]", ""),
    ],
)
def test_a_query_finds_these_records_the_newest_first(
    search: Search, query: str, pmids: str
) -> None:
    assert search(query)["idlist"] == pmids.split()


@pytest.mark.parametrize(
    ("query", "translation"),
    [
        ("globulin[tiab]", '"globulin"[Title/Abstract]'),
        ("immune globulin", '("immune"[All Fields] AND "globulin"[All Fields])'),
        ("neuropath*[ti]", "neuropath*[Title]"),
        ("pain[mesh terms] NOT 1:9[uid]", '"pain"[MeSH Terms] NOT 1:9[UID]'),
        (
            "(pain OR plasma) AND all[sb]",
            '("pain"[All Fields] OR "plasma"[All Fields]) AND "all"[Filter]',
        ),
    ],
)
def test_the_translation_says_how_a_query_was_read(
    search: Search, query: str, translation: str
) -> None:
    assert search(query)["querytranslation"] == translation


@pytest.mark.parametrize(
    "query", ["((", "pain)", "(pain", '"pain', "AND pain", "pain OR", "[ti]", "a[ti"]
)
def test_a_query_that_cannot_be_read_is_refused_as_pubmed_does(search: Search, query: str) -> None:
    assert search(query)["ERROR"].startswith("Search Backend failed: ")


def test_a_query_of_many_terms_is_read(search: Search) -> None:
    query = " OR ".join(["pain"] * 800)
    assert search(query)["count"] == "2"
    assert search(query)["querytranslation"].count("OR") == 799
    mixed = "all[sb]" + " AND (pain OR plasma) NOT 1:9[uid]" * 60
    assert search(mixed)["idlist"] == ["106", "102"]


@pytest.mark.parametrize(
    "query", ["(" * (DEEPEST + 1) + "pain" + ")" * (DEEPEST + 1), " OR ".join(["pain"] * 2_000)]
)
def test_a_query_beyond_measure_is_refused(search: Search, query: str) -> None:
    assert "cannot be read" in search(query)["ERROR"]


def test_terms_without_a_record_and_unknown_tags_are_named(search: Search) -> None:
    found = search('globulin AND (zzz[tiab] OR pain[foo] OR "globulin immune"[ti])')
    assert found["errorlist"] == {"phrasesnotfound": ["zzz[tiab]"], "fieldsnotfound": ["foo"]}
    assert found["warninglist"]["quotedphrasesnotfound"] == ['"globulin immune"[ti]']
    # The phrase's words are looked up one by one instead, and the translation shows it.
    assert '("globulin"[Title] AND "immune"[Title])' in found["querytranslation"]
    assert found["idlist"] == ["101"]


def test_a_query_that_finds_all_it_asks_for_has_no_warnings(search: Search) -> None:
    assert not {"errorlist", "warninglist"} & set(search("globulin"))


NUMBERS = frozenset(range(1, 31))
RANGES = st.tuples(st.integers(0, 31), st.integers(0, 31)).map(
    lambda p: (f"{p[0]}:{p[1]}[uid]", frozenset(n for n in NUMBERS if p[0] <= n <= p[1]))
)


def chained(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Terms and operators in parentheses, worked off from left to right."""
    rest = st.lists(st.tuples(st.sampled_from(["AND", "OR", "NOT"]), parts), max_size=4)
    return st.tuples(parts, rest).map(work_off)


def work_off(chain: Any) -> tuple[str, frozenset[int]]:
    """The text of a chain, and the numbers that it stands for."""
    (text, found), rest = chain
    for operator, (other, numbers) in rest:
        text = f"{text} {operator} {other}"
        found = {"AND": found & numbers, "OR": found | numbers, "NOT": found - numbers}[operator]
    return f"({text})", found


ALL_NUMBERS = load(Synthetic(30, "dense"))


@given(st.recursive(RANGES, chained, max_leaves=12))
def test_operators_are_set_operations_from_left_to_right(query: tuple[str, frozenset[int]]) -> None:
    text, expected = query
    condition = condition_of(parse(text)[0], nothing)
    assert ALL_NUMBERS.find(condition, 1) == sorted(expected, reverse=True)
