"""The small fields: text, years, MeSH headings, search names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.fetch.fields import (
    clean,
    find_doi,
    find_orcid,
    first_year,
    is_pmid,
    iso_date,
    made_id,
    mesh_heading,
    search_id,
)
from pipeline.schema import MeshHeading


@pytest.mark.parametrize(
    ("printed", "heading"),
    [
        ("Humans", MeshHeading("Humans")),
        (
            "Pain Management*",
            MeshHeading("Pain Management", major=True, major_names=("Pain Management",)),
        ),
        ("*Software", MeshHeading("Software", major=True, major_names=("Software",))),
        (
            "Immunoglobulins, Intravenous / therapeutic use*",
            MeshHeading(
                "Immunoglobulins, Intravenous",
                major=True,
                qualifiers=("therapeutic use",),
                major_names=("therapeutic use",),
            ),
        ),
        ("Foo/bar*", MeshHeading("Foo", major=True, qualifiers=("bar",), major_names=("bar",))),
        (
            "Muscular Dystrophies/*drug therapy/physiopathology",
            MeshHeading(
                "Muscular Dystrophies",
                major=True,
                qualifiers=("drug therapy", "physiopathology"),
                major_names=("drug therapy",),
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


@pytest.mark.parametrize(
    ("parts", "date"),
    [
        (("2009", "04", "05"), "2009-04-05"),
        (("2009", "4", "5"), "2009-04-05"),
        (("2009", "Apr", "15"), "2009-04-15"),
        (("2009", "December", ""), "2009-12"),
        (("2009", "Spring", ""), "2009"),
        (("2009", "13", "1"), "2009"),
        (("2009", "2", "32"), "2009-02"),
        (("2009",), "2009"),
        (("in press", "1", "1"), ""),
        ((), ""),
    ],
)
def test_a_date_says_no_more_than_is_given(parts: tuple[str, ...], date: str) -> None:
    assert iso_date(*parts) == date


@pytest.mark.parametrize(
    ("text", "doi"),
    [
        ("10.1111/j.1468-1331.2009.02568.x", "10.1111/j.1468-1331.2009.02568.x"),
        ("https://doi.org/10.1016/S0140-6736(18)31128-4", "10.1016/S0140-6736(18)31128-4"),
        ("doi: 10.5555/abc.", "10.5555/abc"),
        ("see (10.5555/abc) there", "10.5555/abc"),
        ("S0022-510X(08)00000-1", None),
        ("", None),
    ],
)
def test_a_doi_is_found_in_an_address_or_alone(text: str, doi: str | None) -> None:
    assert find_doi(text) == doi


@pytest.mark.parametrize(
    "text", ["0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097", "0000000218250097"]
)
def test_an_orcid_has_one_form(text: str) -> None:
    """The example of ORCID's own documentation."""
    assert find_orcid(text) == "0000-0002-1825-0097"
    assert find_orcid("0000-0001-5109-370x") == "0000-0001-5109-370X"
    assert find_orcid("0000-0002-1825") == ""


@pytest.mark.parametrize("text", ["", "12a", "../../etc/passwd", "٣٤", "1" * 13, "-1", "1.5"])
def test_only_digits_are_a_pmid(text: str) -> None:
    assert not is_pmid(text)
    assert is_pmid("19236457")


def test_an_entry_without_a_pmid_is_named_by_its_words() -> None:
    assert made_id("ris", "a") == made_id("ris", "a")
    assert len({made_id("ris", "a"), made_id("ris", "b"), made_id("csv", "a")}) == 3
    assert made_id("ris", "../../x").removeprefix("ris-").isalnum()
