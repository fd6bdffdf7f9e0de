"""The reader over genuine PubMed files, which are not part of the project."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.fetch.xml import read_entries, read_pubmed_xml
from pipeline.schema import Record

CURATED = [
    "collective_name",
    "delete_citation",
    "erratum_in",
    "expression_of_concern",
    "mathml",
    "medlinedate",
    "mesh_major_qual",
    "other_abstract_lang",
    "pip_otherabstract",
    "plain_language_summary",
    "rct_ci",
    "retracted_pt",
    "retraction_notice",
    "sup_number",
    "systematic_review",
    "trial_registry",
    "unlabelled_structured",
    "update_of_in",
    "vernacular_title",
    "version_gt1",
]


@pytest.fixture(scope="module")
def genuine(shared: Path) -> Path:
    """The folder of genuine PubMed files."""
    return shared / "data" / "pubmed_xml"


#: The first PMID of each article or book: those of references and comments come later.
_OWN_PMID = re.compile(rb"<(?:MedlineCitation|BookDocument)\b[^>]*>\s*<PMID[^>]*>(\d+)</PMID>")


@pytest.mark.parametrize("name", CURATED)
def test_every_article_is_read_with_its_own_pmid(genuine: Path, name: str) -> None:
    raw = (genuine / "curated" / f"{name}.xml.gz").read_bytes()
    pmids = [m.decode() for m in _OWN_PMID.findall(gzip.decompress(raw))]
    read = list(read_pubmed_xml(raw))
    assert [r.pmid for r in read] == pmids
    assert pmids


@pytest.mark.parametrize("name", CURATED)
def test_texts_are_plain(genuine: Path, name: str) -> None:
    """No line end inside a title or section, no tag left, and quotes slice right."""
    for record in read_pubmed_xml((genuine / "curated" / f"{name}.xml.gz").read_bytes()):
        assert len(record.text.splitlines()) == 1 + len(record.sections)
        assert not re.search(r"</?(?:i|b|u|sup|sub|mml:\w+|DispFormula)\b", record.text)
        quote = record.quote(3, len(record.text) // 2)
        assert record.text[quote.start : quote.end] == quote.text


def test_no_superscript_number_runs_into_the_one_before(genuine: Path) -> None:
    """sup_number holds 60 records with `10<sup>n</sup>` and the like."""
    raw = gzip.decompress((genuine / "curated" / "sup_number.xml.gz").read_bytes()).decode()
    abstracts = "".join(re.findall(r"<Abstract>.*?</Abstract>", raw, re.DOTALL))
    powers = re.findall(r"\d\s?<sup>\s*([-−+]?\d+)\s*</sup>", abstracts)
    read = "".join(r.text for r in read_pubmed_xml(raw.encode()))
    assert len(powers) > 30
    assert len(re.findall(r"\d\s?\^[-−+]?\d+", read)) >= len(powers)


def test_the_edge_cases_of_the_curated_files(genuine: Path) -> None:
    """Each file is named for what it exercises (../shared/data/pubmed_xml/README.md)."""

    def read(name: str) -> list[Record]:
        return list(read_pubmed_xml((genuine / "curated" / f"{name}.xml.gz").read_bytes()))

    assert all(r.registry_ids for r in read("trial_registry"))
    assert all("Retracted Publication" in r.publication_types for r in read("retracted_pt"))
    kinds = {c.ref_type for r in read("erratum_in") for c in r.corrections}
    assert "ErratumIn" in kinds
    assert all(r.year for r in read("medlinedate"))
    assert all(r.title for r in read("vernacular_title"))
    assert all(any(h.major for h in r.mesh) for r in read("mesh_major_qual"))
    assert all("UNLABELLED" not in r.text for r in read("unlabelled_structured"))


def test_a_whole_baseline_file_is_read(genuine: Path) -> None:
    """30,000 records of 1979, 14,832 abstracts by the README's count, http DOCTYPE."""
    with (genuine / "pubmed20n0014.xml.gz").open("rb") as file:
        read = list(read_pubmed_xml(file))
    assert len(read) == 30_000
    assert sum(bool(r.sections) for r in read) == 14_832


def test_collected_files_are_read_or_refused_in_words(genuine: Path) -> None:
    """Ten public test suites: PubMed XML is read, other XML raises InputError, nothing else."""
    read = refused = 0
    for path in sorted((genuine / "varied").rglob("*.xml")):
        try:
            read += sum(isinstance(e, Record) for e in read_entries(path.read_bytes()))
        except InputError:
            refused += 1
    assert read > 50
    assert refused
