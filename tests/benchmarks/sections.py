"""Compares what the rules are told of learned parts: python tests/benchmarks/sections.py ../shared.

The folder holds data/ and gold/ of the development data; none of it is part of the project. For
abstracts without labels the model says how likely each part of a sentence is; a line is what the
rules are told of that: which parts, from which probability on.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

from linking import as_published, pico_records

from pipeline.config import Config, load
from pipeline.extract import sentences
from pipeline.extract.section_model import PARTS
from pipeline.fetch.files import read_records

#: What the rules are told: parts, and their least probability.
TOLD: dict[str, tuple[tuple[str, ...], float]] = {
    "nothing": ((), 1.0),
    "objective and methods, 0.95 (shipped)": (sentences.ACTED_ON, sentences.SURE),
    "objective and methods, 0.9": (("objective", "methods"), 0.9),
    "all four parts, any probability": (PARTS, 0.0),
    "all four parts, 0.9": (PARTS, 0.9),
    "conclusions alone, 0.9": (("conclusions",), 0.9),
    "methods alone, any probability": (("methods",), 0.0),
    "objective alone, 0.9": (("objective",), 0.9),
}


def compare(shared: Path, config: Config) -> None:
    """Print a line for each: the immunoglobulin records and PICO-Corpus, by their scorers."""
    sys.path.insert(0, str(shared / "gold"))
    score, score_values = import_module("score"), import_module("score_values")
    gold = score.load(shared / "gold" / "ivig_dev.jsonl")
    values = score_values.load(shared / "data" / "pico_corpus_dev.jsonl")
    texts, _ = read_records(shared / "gold" / "ivig_dev_input.jsonl")
    abstracts = pico_records(values)
    print(f"{'':38s} score outcomes slots  with arm: P, R  any arm: P")
    for name, (parts, least) in TOLD.items():
        with patch.multiple(sentences, ACTED_ON=parts, SURE=least):
            x = score.score(gold, as_published(texts, config, "record_id"))
            y = score_values.score(values, as_published(abstracts, config, "pmid"))
        ivig = f"{x['score']:.3f} {x['outcome_strict']:.3f}    {x['slot_recall']:.3f}"
        tied, free = y["with_arm"], y["any_arm"]["precision"]
        print(f"{name:38s} {ivig}  {tied['precision']:.3f}, {tied['recall']:.3f}    {free:.3f}")


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    options = parser.parse_args()
    compare(options.shared, load(options.config).config)


if __name__ == "__main__":
    main()
