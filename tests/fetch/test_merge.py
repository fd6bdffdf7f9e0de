"""Several files of one search: each publication is taken once, and what is left out is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.fetch.contents import Contents
from pipeline.fetch.merge import Merged, merge
from pipeline.schema import Record, Section

OWN = Record(
    "pmid1",
    "Immunoglobulin for invented neuropathy: a trial.",
    sections=(Section("7 of 10 improved."),),
    pmid="1",
    doi="10.5555/A",
    year=2010,
)
BY_DOI = replace(OWN, record_id="ris-1", pmid=None, doi="10.5555/a")
UNNAMED = replace(OWN, record_id="csv-1", pmid=None, doi=None)
OTHER = replace(OWN, record_id="pmid2", pmid="2", doi=None, title="Plasma exchange in dogs.")


def file(name: str, *records: Record, kind: str = "RIS") -> Contents:
    return Contents(name, kind, "text/plain", name.encode(), records, ())


def codes(merged: Merged) -> list[list[str]]:
    """The codes of the problems of each file."""
    return [[p.code for p in problems] for problems in merged.problems]


def test_a_paper_with_a_pmid_in_one_file_and_a_doi_in_the_other_is_read_once() -> None:
    merged = merge([file("a.ris", BY_DOI, OTHER), file("b.nbib", OWN, kind="nbib")])
    assert merged.record_ids == ("pmid1", "pmid2")
    assert merged.records == ((OTHER,), (OWN,))
    assert (merged.read, merged.removed, merged.candidates) == (3, {"DOI": 1}, 0)
    (problem,), () = merged.problems
    assert problem.record_id == "ris-1"
    assert problem.message == (
        "a.ris, record 1: ris-1 is pmid1 of b.nbib (one DOI 10.5555/a); only that one is read."
    )


def test_one_pmid_in_two_files_is_read_once_from_pubmeds_own() -> None:
    retracted = replace(OWN, publication_types=("Retracted Publication",), sections=())
    merged = merge([file("a.xml", retracted, kind="PubMed XML"), file("b.ris", OWN)])
    assert merged.records == ((retracted,), ())
    assert (merged.removed, codes(merged)) == ({"PMID": 1}, [[], ["duplicate_record"]])


@pytest.mark.parametrize(
    ("less", "more"),
    [
        (OWN, replace(OWN, version=2)),
        (replace(OWN, sections=()), OWN),
        (BY_DOI, OWN),
        (OWN, replace(OWN, title="A later title of the same trial")),
    ],
)
def test_which_record_is_taken(less: Record, more: Record) -> None:
    (taken,) = merge([file("a.ris", less, more)]).records
    assert taken == (more,)


def test_a_record_of_a_higher_version_or_with_an_abstract_is_taken_wherever_it_stands() -> None:
    for better in (replace(OWN, version=2), OWN):
        worse = replace(OWN, version=1, sections=())
        assert merge([file("a.ris", better, worse)]).records == ((better,),)


def test_a_title_alone_merges_nothing_and_is_shown_to_a_person() -> None:
    merged = merge([file("a.ris", OWN), file("b.csv", UNNAMED)])
    assert merged.record_ids == ("pmid1", "csv-1")
    assert merged.records == ((OWN,), (UNNAMED,))
    assert (merged.removed, merged.candidates) == ({}, 1)
    (), (problem,) = merged.problems
    assert problem.code == "duplicate_candidate"
    assert "csv-1 of b.csv may be pmid1 of a.ris" in problem.message
    assert "100 %" in problem.message


def test_two_pmids_with_one_doi_are_both_read() -> None:
    merged = merge([file("a.ris", OWN, replace(OTHER, doi="10.5555/A"))])
    assert len(merged.record_ids) == 2
    assert codes(merged) == [["duplicate_candidate"]]


def test_each_record_left_out_of_one_file_has_a_problem_of_its_own() -> None:
    (problems,) = merge([file("a.ris", OWN, OWN, OWN)]).problems
    assert [p.code for p in problems] == ["repeated_record"] * 2
    assert len(set(problems)) == 2


def test_files_of_one_name_are_told_apart() -> None:
    merged = merge([file("a.ris", BY_DOI), replace(file("a.ris", OWN), raw=b"2")])
    ((problem,), ()) = merged.problems
    assert "a.ris, record 1: ris-1 is pmid1 of a.ris (2)" in problem.message


made = st.builds(
    replace,
    st.just(UNNAMED),
    record_id=st.sampled_from("abcd"),
    pmid=st.sampled_from([None, "1", "2"]),
    doi=st.sampled_from([None, "10.1/a", "10.1/B", "10.1/b"]),
    version=st.sampled_from([1, 2]),
    title=st.sampled_from(["A trial of immunoglobulin", "Something else"]),
)


@given(st.lists(st.lists(made, max_size=4), min_size=1, max_size=3))
def test_each_record_is_taken_or_has_a_problem(lists: Sequence[Sequence[Record]]) -> None:
    files = [file(f"{i}.ris", *records) for i, records in enumerate(lists)]
    merged = merge(files)
    taken = [r.record_id for records in merged.records for r in records]
    assert sorted(taken) == sorted(merged.record_ids)
    assert len(set(taken)) == len(taken)
    left_out = [p for part in merged.problems for p in part if p.code != "duplicate_candidate"]
    assert len(taken) + len(set(left_out)) == merged.read == sum(map(len, lists))
    assert sum(merged.removed.values()) == len(left_out)
