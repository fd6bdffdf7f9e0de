"""The reader over genuine PubMed files, which are not part of the project."""

from __future__ import annotations

import gzip
import io
import re
from pathlib import Path
from typing import Any

import pytest
from Bio import Entrez
from Bio.Entrez import Parser

from pipeline.errors import InputError
from pipeline.fetch.fields import NOT_REGISTRIES, clean
from pipeline.fetch.files import read_file
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


def test_every_file_is_read_or_refused_with_a_reason(genuine: Path) -> None:
    """Of all files, whatever their name: what is read says what, what is not says why."""
    read = {}
    for path in sorted(p for p in genuine.rglob("*") if p.is_file()):
        try:
            contents = read_file(path)
        except InputError as refused:
            assert str(path) in str(refused)
            continue
        assert contents.records or contents.problems
        assert contents.name in contents.summary
        read[path.name] = contents
    assert len(read) >= 58
    assert len(read["robotreviewer__data__rct__pubmed_test.txt"].records) == 1000
    assert {c.kind for c in read.values()} == {"PubMed XML", "nbib"}


def test_old_and_odd_sets_are_read(genuine: Path) -> None:
    """A MedlineCitationSet of 2001 has PMIDs like "Text2": each is refused, with its line."""
    old = next((genuine / "varied").rglob("*stress_test_medline.xml"))
    problems = [p for p in read_file(old).problems if p.code == "invalid_pmid"]
    assert len(problems) == 3
    assert "line 5: Invalid PMID 'Text2'" in problems[0].message
    valid = re.sub(rb"<PMID>Text(\d+)</PMID>", rb"<PMID>\1</PMID>", old.read_bytes())
    (first, *_) = read_pubmed_xml(valid)
    assert (first.dates.created, first.dates.completed) == ("1998-01-01", "1999-02-02")
    assert (first.title, first.pages, first.sections[0].text) == ("Text9", "Text12", "Text13")
    assert {"CommentOn", "CommentIn", "ErratumIn", "RetractionIn"} <= {
        c.ref_type for c in first.corrections
    }


@pytest.fixture
def offline_entrez(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bio.Entrez fetches a DTD that it does not know while it reads."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("offline")

    monkeypatch.setattr(Parser, "urlopen", refuse)


def _theirs(raw: bytes) -> list[Any]:
    """The articles as Bio.Entrez reads them; none if it cannot."""
    try:
        data = Entrez.read(io.BytesIO(raw))
    except Exception:  # it raises eight kinds
        return []
    return list(data.get("PubmedArticle", [])) if isinstance(data, dict) else []


def _assert_same(article: Any, record: Record) -> None:
    """Ids, sections, types, MeSH, registry ids and links agree."""
    citation, pubmed = article["MedlineCitation"], article.get("PubmedData", {})
    body = citation["Article"]
    assert (record.pmid, record.version) == (
        str(citation["PMID"]),
        int(citation["PMID"].attributes["Version"]),
    )
    ids = {i.attributes["IdType"]: str(i) for i in reversed(pubmed.get("ArticleIdList", []))}
    if "doi" in ids:
        assert record.doi == clean(ids["doi"])
    assert record.pmcid == ids.get("pmc")
    sections = [t for t in body.get("Abstract", {}).get("AbstractText", []) if clean(str(t))]
    assert len(record.sections) == len(sections)
    for section, text in zip(record.sections, sections, strict=True):
        assert section.category == text.attributes.get("NlmCategory", "")
        if section.label:
            assert section.label == clean(text.attributes["Label"]).rstrip(": ")
        if "<" not in text:
            assert section.text == clean(str(text))
    assert [*zip(record.publication_types, record.publication_type_uis, strict=True)] == [
        (str(t), t.attributes["UI"]) for t in body["PublicationTypeList"]
    ]
    assert [_heading(h) for h in citation.get("MeshHeadingList", [])] == [
        (h.descriptor, h.ui, h.qualifiers, h.major) for h in record.mesh
    ]
    banks = body.get("DataBankList", [])
    numbers = (
        str(n)
        for bank in banks
        if str(bank["DataBankName"]).lower() not in NOT_REGISTRIES
        for n in bank.get("AccessionNumberList", [])
    )
    assert record.registry_ids == tuple(dict.fromkeys(numbers))
    assert [(c.ref_type, c.pmid, c.source) for c in record.corrections] == [
        (c.attributes["RefType"], str(c["PMID"]) if "PMID" in c else None, clean(c["RefSource"]))
        for c in citation.get("CommentsCorrectionsList", [])
    ]
    assert len(record.chemicals) == len(citation.get("ChemicalList", []))
    assert len(record.keywords) == sum(len(words) for words in citation.get("KeywordList", []))
    others = citation.get("OtherAbstract", [])
    assert len(record.other_abstracts) + len(record.plain_language_summaries) == len(others)


def _heading(heading: Any) -> tuple[str, str, tuple[str, ...], bool]:
    """A MeSH heading of Bio.Entrez as ours."""
    names = [heading["DescriptorName"], *heading["QualifierName"]]
    major = any(n.attributes["MajorTopicYN"] == "Y" for n in names)
    first, *others = names
    return str(first), first.attributes["UI"], tuple(map(str, others)), major


@pytest.mark.usefixtures("offline_entrez")
def test_what_bio_entrez_reads_we_read_alike(genuine: Path) -> None:
    """In all files that Bio.Entrez can read, each article of each."""
    compared = 0
    for path in [*genuine.glob("curated/*.gz"), *genuine.glob("varied/*/*.xml")]:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        articles = _theirs(raw)
        ours = {(r.pmid, r.version): r for r in read_pubmed_xml(raw)} if articles else {}
        for article in articles:
            pmid = article["MedlineCitation"]["PMID"]
            _assert_same(article, ours[str(pmid), int(pmid.attributes["Version"])])
        compared += len(articles)
    assert compared > 600
