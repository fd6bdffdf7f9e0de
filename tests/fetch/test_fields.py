"""The small fields: text, years, MeSH headings, search names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fetch.fields import clean, first_year, mesh_heading, search_id
from pipeline.schema import MeshHeading


@pytest.mark.parametrize(
    ("printed", "heading"),
    [
        ("Humans", MeshHeading("Humans")),
        ("Pain Management*", MeshHeading("Pain Management", major=True)),
        ("*Software", MeshHeading("Software", major=True)),
        (
            "Immunoglobulins, Intravenous / therapeutic use*",
            MeshHeading(
                "Immunoglobulins, Intravenous", major=True, qualifiers=("therapeutic use",)
            ),
        ),
        ("Foo/bar*", MeshHeading("Foo", major=True, qualifiers=("bar",))),
        (
            "Muscular Dystrophies/*drug therapy/physiopathology",
            MeshHeading(
                "Muscular Dystrophies", major=True, qualifiers=("drug therapy", "physiopathology")
            ),
        ),
        ("Pain / etiology", MeshHeading("Pain", qualifiers=("etiology",))),
    ],
)
def test_printed_mesh_headings_are_read(printed: str, heading: MeshHeading) -> None:
    assert mesh_heading(printed) == heading


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("2009", 2009),
        ("1978 Dec-1979 Jan", 1978),
        ("2009 Apr 15", 2009),
        ("Spring 1999-2000", 1999),
        ("12009", None),
        ("in press", None),
        ("", None),
    ],
)
def test_the_first_year_of_a_date(text: str, year: int | None) -> None:
    assert first_year(text) == year


@given(st.text())
@settings(deadline=None)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert len(once.splitlines()) <= 1
    assert once.replace(" ", "") == "".join(text.split(" ")).translate(
        dict.fromkeys([*range(33), 127, 133, 8232, 8233])
    )


def test_a_search_is_named_by_what_it_asked_and_found() -> None:
    name = search_id("pubmed", "ivig", ["pmid2", "pmid1"], "2026-11-22")
    assert name.startswith("2026-11-22-pubmed-")
    assert name == search_id("pubmed", "ivig", ["pmid1", "pmid2"], "2026-11-22")
    others = {
        search_id("pubmed", "ivig", ["pmid1"], "2026-11-22"),
        search_id("pubmed", "ivg", ["pmid1", "pmid2"], "2026-11-22"),
        search_id("pubmed", "ivig", ["pmid1", "pmid2"], "2026-11-23"),
        search_id("files", "ivig", ["pmid1", "pmid2"], "2026-11-22"),
    }
    assert len(others | {name}) == 5
