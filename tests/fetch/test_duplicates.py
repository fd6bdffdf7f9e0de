"""Duplicates: certain by identifier, never by title, which is for a person to judge."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetch import duplicates as module
from pipeline.fetch.duplicates import Candidate, Duplicates, Group, duplicates, normal_title
from pipeline.schema import Record

TRIAL = Record(
    "pmid1",
    "Intravenous immunoglobulin for invented neuropathy: a randomised trial.",
    pmid="1",
    doi="10.5555/A",
    year=2010,
    authors=("Müller, J",),
)
OTHER = replace(TRIAL, record_id="ris-1", pmid=None, doi=None)
TITLE = "alike titles, years and first authors"


def test_one_pmid_is_one_publication() -> None:
    again = replace(TRIAL, record_id="mine-7", title="Something else", doi=None)
    assert duplicates([TRIAL, again]) == Duplicates((Group(("pmid1", "mine-7"), ("PMID 1",)),), ())


def test_one_doi_is_one_publication_whatever_its_case() -> None:
    again = replace(OTHER, title="Something else", doi="10.5555/a")
    assert duplicates([TRIAL, again]).exact == (Group(("pmid1", "ris-1"), ("DOI 10.5555/a",)),)


def test_identifiers_chain() -> None:
    """One by PMID, the other by DOI: all three are one."""
    by_pmid = replace(TRIAL, record_id="a", doi=None)
    by_doi = replace(OTHER, doi="10.5555/A")
    for given_ in permutations((TRIAL, by_pmid, by_doi)):
        (group,) = duplicates(given_).exact
        assert group.record_ids == tuple(r.record_id for r in given_)
        assert set(group.shared) == {"PMID 1", "DOI 10.5555/a"}


def test_two_pmids_with_one_doi_are_for_a_person() -> None:
    """PubMed holds them for two publications; a third with the DOI alone may be either."""
    second = replace(TRIAL, record_id="pmid2", pmid="2", title="Correction.", year=2015)
    third = replace(OTHER, doi="10.5555/A", title="Unlike", year=2001)
    found = duplicates([TRIAL, second, third])
    assert found.exact == ()
    assert {(c.first, c.second) for c in found.candidates} == {
        ("pmid1", "pmid2"),
        ("pmid1", "ris-1"),
        ("pmid2", "ris-1"),
    }
    assert all(c.reason == "one DOI 10.5555/a, two PMIDs" for c in found.candidates)


def test_a_title_is_never_enough_to_merge() -> None:
    assert duplicates([TRIAL, OTHER]) == Duplicates(
        (), (Candidate("pmid1", "ris-1", 100.0, TITLE),)
    )


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"title": "INTRAVENOUS immunoglobulin for invented neuropathy - a randomized trial"}, 1),
        ({"title": "Intravenous immunoglobulin for invented neuropathy"}, 0),
        ({"year": 2011}, 1),
        ({"year": 2009}, 1),
        ({"year": 2012}, 0),
        ({"year": None}, 1),
        ({"authors": ("Muller, Jan", "Other, O")}, 1),
        ({"authors": ("Hahn, AF",)}, 0),
        ({"authors": ()}, 1),
        ({"title": "", "sections": ()}, 0),
    ],
)
def test_what_is_shown_to_a_person(changes: dict[str, object], shown: int) -> None:
    found = duplicates([TRIAL, replace(OTHER, **changes)])  # type: ignore[arg-type]
    assert (found.exact, len(found.candidates)) == ((), shown)


def test_many_titles_are_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS", 2)
    records = [replace(OTHER, record_id=f"ris-{i}", year=2010 + i % 2) for i in range(7)]
    assert len(duplicates(records).candidates) == 7 * 6 / 2


def test_titles_are_compared_by_letters_and_digits() -> None:
    assert normal_title(" Guillain–Barré: β-Blocker, N°2 ") == "guillain barre β blocker n 2"


record = st.builds(
    replace,
    st.just(OTHER),
    record_id=st.sampled_from("abcdefgh"),
    pmid=st.sampled_from([None, "1", "2"]),
    doi=st.sampled_from([None, "10.5555/x", "10.5555/X", "10.5555/y"]),
    year=st.sampled_from([None, 2010, 2011, 2014]),
)


@given(st.lists(record, max_size=8))
def test_no_group_mixes_pmids_and_nothing_is_both_certain_and_doubtful(
    records: list[Record],
) -> None:
    by_id = {r.record_id: r for r in records}
    found = duplicates(records)
    seen = [i for group in found.exact for i in group.record_ids]
    assert len(seen) == len(set(seen))
    for group in found.exact:
        assert len({by_id[i].pmid for i in group.record_ids} - {None}) <= 1
        pairs = {frozenset((c.first, c.second)) for c in found.candidates}
        assert not any(pair <= set(group.record_ids) for pair in pairs)
