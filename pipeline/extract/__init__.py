"""Reads the text of records into studies: a spaCy pipeline of rules, each value with its quote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.schema import Record, Study

#: The components in the order they run; each is a registered spaCy factory.
COMPONENTS = (
    "evipool_sentences",
    "evipool_interventions",
    "evipool_doses",
    "evipool_quantities",
    "evipool_population",
    "evipool_design",
    "evipool_condition",
    "evipool_arms",
    "evipool_comparison",
    "evipool_outcomes",
)


def extract(records: Iterable[Record], config: Config) -> Iterator[Study]:
    """Read records into studies, one for each, in order.

    Parameters
    ----------
    records : iterable of Record
    config : Config
        The protocol: its intervention, population and outcomes name what is looked for.

    Yields
    ------
    Study
        Never fails on a text: what cannot be read is among the study's problems.
    """
    from pipeline.extract.reader import Reader

    reader = Reader(config.eligibility, config.outcomes)
    return (reader.read(record) for record in records)
