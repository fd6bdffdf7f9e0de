"""Builds the spaCy pipeline for a protocol and reads records with it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import spacy
from spacy.language import Language

from pipeline import __version__
from pipeline.config import Eligibility, OutcomeDef
from pipeline.extract import (
    COMPONENTS,
    arms,
    conditions,
    design,
    doses,
    outcomes,
    population,
    quantities,
    sentences,
)
from pipeline.extract.assemble import assemble
from pipeline.extract.confidence import Table
from pipeline.extract.lexicon import code_hash
from pipeline.extract.tokens import Bounded
from pipeline.schema import Extractor, Record, Study

#: The modules whose import registers the components.
REGISTERED = (sentences, conditions, doses, quantities, design, population, arms, outcomes)


class Reader:
    """Reads records into studies by one protocol; unless it `abstains`, doubtful readings too."""

    def __init__(
        self,
        eligibility: Eligibility,
        outcome_defs: Sequence[OutcomeDef],
        table: Table | None = None,
        *,
        abstains: bool = True,
    ) -> None:
        self.nlp, self.table = pipeline(eligibility, outcome_defs), table
        self.abstains = abstains
        self.extractor = Extractor(
            "evipool-rules", __version__, _rules_hash(eligibility, outcome_defs)
        )

    def read(self, record: Record) -> Study:
        """Return the study that a record speaks of."""
        doc = self.nlp.make_doc(record.text)
        doc._.record, doc._.source = record, record.text
        for _, component in self.nlp.pipeline:
            doc = component(doc)
        return assemble(doc, self.extractor, self.table, abstains=self.abstains)


def _rules_hash(eligibility: Eligibility, outcome_defs: Sequence[OutcomeDef]) -> str:
    """SHA-256 over all that decides a reading: rule files, code, and the protocol's own names."""
    digest = hashlib.sha256(code_hash().encode())
    for part in (eligibility.intervention, *eligibility.population, *outcome_defs):
        digest.update(part.model_dump_json().encode())
    return digest.hexdigest()


def pipeline(eligibility: Eligibility, outcome_defs: Sequence[OutcomeDef]) -> Language:
    """Return a blank English pipeline with Evipool's components."""
    intervention = eligibility.intervention
    settings = {
        "evipool_interventions": {
            "intervention": {"name": intervention.name, "terms": list(intervention.terms)}
        },
        "evipool_condition": {"population": [c.model_dump() for c in eligibility.population]},
        "evipool_comparison": {"short": intervention.short},
        "evipool_outcomes": {"outcomes": [o.model_dump(mode="json") for o in outcome_defs]},
    }
    nlp = spacy.blank("en")
    nlp.max_length = 10_000_000
    nlp.tokenizer = Bounded(nlp.tokenizer)
    for name in COMPONENTS:
        nlp.add_pipe(name, config=settings.get(name, {}))
    return nlp
