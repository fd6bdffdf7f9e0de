"""Times the reader beside a peer on one core: python tests/benchmarks/extract.py FILE [--profile].

FILE holds abstracts as JSON Lines (title and abstract, or text), plain or gzipped. Evipool goes
from text to published record. The peer is what one would otherwise begin with: spaCy's entity
recogniser on a blank English pipeline, its default model, trained from scratch for a moment; it
only labels words and its labels are poor, which does not change its speed. Both read the same
abstracts, in turn, on one thread.
"""

# ruff: noqa: E402

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"  # before NumPy is imported

import spacy
from spacy.language import Language
from spacy.training import Example

from pipeline.config import load
from pipeline.fetch.files import read_records
from pipeline.reading import screener
from pipeline.schema import Record

ROUNDS = 3
TOP = 10
PROTOCOL = Path(__file__).parents[2] / "config.yaml"
Job = Callable[[Sequence[Record]], None]


def evipool() -> Job:
    """Tokeniser to published record, by the shipped protocol."""
    reader = screener(load(PROTOCOL).config)
    return lambda records: [reader.line(r) for r in records] and None


def tokeniser() -> Job:
    """spaCy's tokeniser alone: the floor of both."""
    nlp = spacy.blank("en")
    return lambda records: [nlp.make_doc(r.text) for r in records] and None


def recogniser(records: Sequence[Record]) -> Job:
    """spaCy's entity recogniser, a few steps into training on numbers of these texts."""
    nlp = spacy.blank("en")
    nlp.add_pipe("ner").add_label("NUMBER")
    examples = [_example(nlp, r.text) for r in islice(records, 20)]
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)

    def job(records: Sequence[Record]) -> None:
        for _ in nlp.pipe((r.text for r in records), batch_size=64):
            pass

    return job


def _example(nlp: Language, text: str) -> Example:
    """A text whose numbers are labelled."""
    doc = nlp.make_doc(text)
    numbers = [(t.idx, t.idx + len(t), "NUMBER") for t in doc if t.like_num]
    return Example.from_dict(doc, {"entities": numbers})


def rate(job: Job, records: Sequence[Record]) -> float:
    """Abstracts a second of CPU."""
    start = time.process_time()
    job(records)
    return len(records) / (time.process_time() - start)


def profile(job: Job, records: Sequence[Record]) -> None:
    """Print the functions that take most time themselves."""
    profiler = cProfile.Profile()
    profiler.runcall(job, records)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(TOP)


def main() -> None:
    """Print abstracts a second of each, and their ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--n", type=int, default=1000, help="abstracts to read")
    parser.add_argument("--profile", action="store_true", help="show where Evipool's time goes")
    options = parser.parse_args()
    records = [r for r in read_records(options.file)[0] if r.sections][: options.n]
    words = statistics.mean(len(r.text.split()) for r in records)
    jobs = {"tokeniser": tokeniser(), "spaCy NER": recogniser(records), "evipool": evipool()}
    rounds = [{name: rate(job, records) for name, job in jobs.items()} for _ in range(ROUNDS)]
    rates = {name: statistics.median(r[name] for r in rounds) for name in jobs}
    print(f"{len(records)} abstracts of {words:.0f} words; median of {ROUNDS}, one core")
    print(f"{'':10} {'abstracts/s':>12} {'x NER':>7}")
    for name, found in rates.items():
        print(f"{name:10} {found:>12,.0f} {found / rates['spaCy NER']:>7.2f}")
    if options.profile:
        profile(jobs["evipool"], records)


if __name__ == "__main__":
    main()
