"""The source `demo`: the shipped corpus is whole, dated, and says what was written."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from Bio import Entrez

from pipeline import resources
from pipeline.config import Config
from pipeline.errors import InputError, PipelineError
from pipeline.fetch import SOURCES, demo
from pipeline.fetch.files import parse_json_line
from pipeline.fetch.xml import read_pubmed_xml
from pipeline.resources import shipped

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "corpus" / "demo"


@pytest.fixture
def config(make_config: Callable[..., Config]) -> Config:
    return make_config(source="demo")


def test_the_demo_has_36_records_on_its_own_date(config: Config) -> None:
    found = SOURCES["demo"].search(config, today="2031-01-01")
    assert found == demo.search(config, today="1999-01-01")
    assert (found.count, len(found.record_ids)) == (36, 36)
    assert found.date == json.loads((CORPUS / "manifest.json").read_text())["date"]
    assert all(re.fullmatch(r"pmid\d+", i) for i in found.record_ids)


def test_fetching_the_demo_gives_its_records_with_plain_texts(config: Config) -> None:
    found = demo.search(config, today="2026-11-22")
    (batch,) = demo.fetch(found, config)
    assert tuple(r.record_id for r in batch.records) == found.record_ids
    assert batch.problems == ()
    for record in batch.records:
        assert record.record_id == f"pmid{record.pmid}"
        assert record.title
        assert len(record.sections) == 1
        assert len(record.text.splitlines()) == 2
        assert record.quote(0, 5).text == record.title[:5]


def test_known_records_are_not_fetched_again(config: Config) -> None:
    found = demo.search(config, today="2026-11-22")
    assert list(demo.fetch(found, config, skip=set(found.record_ids))) == []


def test_a_trial_of_the_demo_by_its_fields() -> None:
    """PMID 19236457, Harbo et al. 2009, Eur J Neurol 16(5):631-8, as in PubMed."""
    records = {r.pmid: r for r in read_pubmed_xml((CORPUS / "evipool-demo.xml").read_bytes())}
    harbo = records["19236457"]
    assert (harbo.slab, harbo.journal, harbo.volume) == ("Harbo 2009", "Eur J Neurol", "16(5)")
    assert (harbo.pages, harbo.doi) == ("631-8", "10.1111/j.1468-1331.2009.02568.x")
    assert "Randomized Controlled Trial" in harbo.publication_types
    assert "Cross-Over Studies" in {h.descriptor for h in harbo.mesh}
    major = {(h.descriptor, h.qualifiers) for h in harbo.mesh if h.major}
    assert all(descriptor for descriptor, _ in major)


def test_biopython_reads_the_demo_as_pubmed_xml() -> None:
    """Another reader, with NLM's DTD of 2025, finds the same PMIDs and abstracts."""
    with (CORPUS / "evipool-demo.xml").open("rb") as file:
        theirs = Entrez.read(file)["PubmedArticle"]
    ours = list(read_pubmed_xml((CORPUS / "evipool-demo.xml").read_bytes()))
    for their, our in zip(theirs, ours, strict=True):
        citation = their["MedlineCitation"]
        assert str(citation["PMID"]) == our.pmid
        assert str(citation["Article"]["Abstract"]["AbstractText"][0]) == our.sections[0].text


def test_a_changed_corpus_is_refused(
    tmp_path: Path, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in CORPUS.glob("*.*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(demo, "shipped", lambda _: tmp_path)
    assert demo.search(config, today="2026-11-22").count == 36
    with (tmp_path / "evipool-demo.xml").open("ab") as file:
        file.write(b"\n")
    with pytest.raises(InputError, match=r"evipool-demo\.xml has SHA-256"):
        demo.search(config, today="2026-11-22")


def test_building_the_demo_again_gives_the_same_bytes(shared: Path, tmp_path: Path) -> None:
    gold = shared / "gold" / "ivig_dev_input.jsonl"
    spec = importlib.util.spec_from_file_location("build_demo", CORPUS / "build.py")
    assert spec
    assert spec.loader
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    build.main(gold, tmp_path)
    for name in ("evipool-demo.xml", "manifest.json"):
        assert (tmp_path / name).read_bytes() == (CORPUS / name).read_bytes()


def test_the_demo_says_what_the_records_it_was_made_of_say(shared: Path) -> None:
    gold = shared / "gold" / "ivig_dev_input.jsonl"
    lines = gold.read_text(encoding="utf-8").splitlines()
    made_of = {r.pmid: r for r in map(parse_json_line, lines) if r.pmid}
    shown = {r.pmid: r for r in read_pubmed_xml((CORPUS / "evipool-demo.xml").read_bytes())}
    assert shown.keys() == made_of.keys()
    for pmid, record in shown.items():
        source = made_of[pmid]
        for field in ("text", "doi", "year", "journal", "volume", "pages", "authors", "mesh"):
            assert getattr(record, field) == getattr(source, field), (pmid, field)
        assert record.publication_types == source.publication_types


def test_the_manifest_holds_the_corpus_hash() -> None:
    manifest = json.loads((CORPUS / "manifest.json").read_text(encoding="utf-8"))
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((CORPUS / name).read_bytes()).hexdigest() == digest


def test_shipped_files_are_found_in_a_checkout() -> None:
    assert shipped("demo") == CORPUS
    assert shipped("config.yaml") == ROOT / "config.yaml"


def test_shipped_files_are_found_in_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "pipeline"
    (package / "shipped" / "demo").mkdir(parents=True)
    monkeypatch.setattr(resources, "__file__", str(package / "resources.py"))
    assert shipped("demo") == package / "shipped" / "demo"
    with pytest.raises(PipelineError, match=r"lacks 'config\.yaml'"):
        shipped("config.yaml")
