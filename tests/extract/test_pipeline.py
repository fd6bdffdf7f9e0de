"""The spaCy pipeline: registered components that say what they need and what they give."""

from __future__ import annotations

import pytest
from spacy.language import Language

from pipeline.config import Config
from pipeline.extract import COMPONENTS, extract
from pipeline.extract.extensions import EXTENSIONS
from pipeline.extract.reader import Reader
from pipeline.schema import Record, Section


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_registered_and_declares_what_it_needs_and_gives(
    reader: Reader, name: str
) -> None:
    assert Language.has_factory(name)
    meta = Language.get_factory_meta(name)
    assert meta.assigns
    assert meta.requires or name == COMPONENTS[0]


def test_the_pipeline_runs_the_components_in_their_order(reader: Reader) -> None:
    assert tuple(reader.nlp.pipe_names) == COMPONENTS


def test_every_extension_is_given_by_a_component() -> None:
    given = {a for n in COMPONENTS for a in Language.get_factory_meta(n).assigns}
    assert {f"doc._.{name}" for name in EXTENSIONS} == given - {"token.is_sent_start"}


def test_the_extractor_says_which_rules_it_read_by(reader: Reader) -> None:
    study = reader.read(Record("r1", "IVIg in CIDP"))
    assert study.extractor.name == "evipool-rules"
    assert len(study.extractor.rules_hash) == 64


def test_records_are_read_in_order_one_study_each(config: Config) -> None:
    records = [Record(f"r{i}", "IVIg in CIDP", (Section("Text."),)) for i in range(3)]
    assert [s.record_id for s in extract(records, config)] == ["r0", "r1", "r2"]


def test_a_study_takes_over_what_the_record_says_of_itself(reader: Reader) -> None:
    record = Record(
        "pmid1",
        "IVIg in CIDP",
        pmid="1",
        doi="10.1/x",
        year=2009,
        authors=("Doe, J",),
        registry_ids=("NCT00000001",),
    )
    study = reader.read(record)
    assert (study.record_id, study.pmids, study.doi, study.year) == (
        "pmid1",
        ("1",),
        "10.1/x",
        2009,
    )
    assert study.slab == "Doe 2009"
    assert [r.value for r in study.registry_ids] == ["NCT00000001"]
