"""Scores numbers tied to their arm and outcome: python tests/benchmarks/rct_art.py FILE.jsonl.

FILE holds one result sentence a line with the spans of interventions (INTV), outcomes (OC) and
measurements (MEAS), and relations: A1_RES or A2_RES from an intervention to a measurement, OC_RES
from an outcome to it (RCT-ART, Apache-2.0). It is not part of the project: name its path.

A sentence is read alone, as the results section of "A randomised controlled trial". The reader
predicts a triple (measurement, arm, outcome) for each measurement of its rows that it gives an arm
to. A triple is right where
  - the measurement's place overlaps a MEAS and one of its numbers is printed in that MEAS,
  - a place that names its arm in the sentence overlaps an INTV that is tied to the MEAS,
  - the words that name its outcome overlap an OC that is tied to the MEAS (strict); relaxed asks
    for number and arm alone.
Gold are the MEAS with an intervention (and, strict, an outcome); each counts once, and so does
each predicted measurement.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spacy.tokens import Doc

from pipeline.config import load
from pipeline.extract.abstain import doubt_of
from pipeline.extract.measurements import Measurement
from pipeline.extract.numbers import COUNT, DIGITS, parse_number
from pipeline.extract.page import Page
from pipeline.extract.reader import Reader
from pipeline.schema import Record, Section

Span = tuple[int, int]
_NUMBER = re.compile(rf"{DIGITS}|{COUNT}")


@dataclass(frozen=True, slots=True)
class Triple:
    """A number with the places that name its arm and its outcome."""

    span: Span
    values: frozenset[float]
    arms: tuple[Span, ...]
    outcomes: tuple[Span, ...]


def gold(line: dict[str, Any]) -> list[Triple]:
    """Return the measurements of a sentence that are tied to an intervention."""
    spans = [(s["start"], s["end"]) for s in line["spans"]]
    found = []
    for k, span in enumerate(line["spans"]):
        tied = [r for r in line["relations"] if r["child"] == k]
        arms = tuple(spans[r["head"]] for r in tied if r["label"].startswith("A"))
        outcomes = tuple(spans[r["head"]] for r in tied if r["label"] == "OC_RES")
        if span["label"] == "MEAS" and arms:
            found.append(Triple(spans[k], _numbers(line["text"][slice(*spans[k])]), arms, outcomes))
    return found


def predicted(doc: Doc, shift: int, *, abstains: bool = True) -> Iterator[Triple]:
    """Yield the measurements of a read sentence that have an arm; `shift` is where it starts."""
    seen: set[Span] = set()
    page = Page(doc)
    for row in doc._.outcomes:
        named = () if abstains and doubt_of(page, row) else (_moved(row.named, shift),)
        for m, arm in ((row.main, row.arm), (row.other, row.against)):
            baseline = row.other_is == "baseline"
            arm = row.arm if baseline else arm  # noqa: PLW2901
            if m is None or arm is None or m.span in seen:
                continue
            seen.add(m.span)
            places = tuple(_moved(s, shift) for s in (row.groups or doc._.arms)[arm].mentions)
            yield Triple(_moved(m.span, shift), _values(m), places, named)


def right(made: Triple, true: Triple, *, strict: bool) -> bool:
    """Whether a predicted triple is a gold one."""
    return (
        _meet((made.span,), (true.span,))
        and bool(made.values & true.values)
        and _meet(made.arms, true.arms)
        and (not strict or _meet(made.outcomes, true.outcomes))
    )


def score(lines: list[dict[str, Any]], reader: Reader, *, errors: bool) -> dict[str, list[int]]:
    """Return right, predicted and gold triples, strict and relaxed."""
    counts = {"strict": [0, 0, 0], "relaxed": [0, 0, 0]}
    for line in lines:
        doc, shift = read(reader, line["text"])
        made = list(predicted(doc, shift, abstains=reader.abstains))
        true = gold(line)
        for name, count in counts.items():
            strict = name == "strict"
            wanted = [t for t in true if t.outcomes or not strict]
            hit = [any(right(m, t, strict=strict) for t in wanted) for m in made]
            count[0] += sum(hit)
            count[1] += len(made)
            count[2] += len(wanted)
            if errors and strict and (not all(hit) or sum(hit) < len(wanted)):
                _show(line, made, hit, len(wanted))
    return counts


def read(reader: Reader, text: str) -> tuple[Doc, int]:
    """Read a sentence as the results of a trial; return it with where it starts in the text."""
    record = Record(
        "sentence",
        "A randomised controlled trial",
        (Section(text, "RESULTS", "RESULTS"),),
        publication_types=("Randomized Controlled Trial",),
    )
    doc = reader.nlp.make_doc(record.text)
    doc._.record = record
    for _, component in reader.nlp.pipeline:
        doc = component(doc)
    return doc, record.text.index(text)


def main() -> None:
    """Print precision, recall and F, strict and relaxed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--errors", action="store_true", help="print the sentences with an error")
    options = parser.parse_args()
    config = load(options.config).config
    reader = Reader(config.eligibility, config.outcomes)
    lines = [json.loads(x) for x in options.file.read_text(encoding="utf-8").splitlines()]
    for name, (hit, made, true) in score(lines, reader, errors=options.errors).items():
        p, r = hit / max(made, 1), hit / max(true, 1)
        f = 2 * p * r / (p + r) if p + r else 0.0
        print(f"{name:8s} P {p:.3f} R {r:.3f} F {f:.3f}  ({hit} right, {made} read, {true} gold)")


def _show(line: dict[str, Any], made: list[Triple], hit: list[bool], wanted: int) -> None:
    """Print a sentence with what was read of it."""
    text = line["text"]
    print(f"\n{text}\n  {sum(hit)} of {wanted}")
    for triple, ok in zip(made, hit, strict=True):
        names = [text[slice(*s)] for s in (triple.span, *triple.arms[:1], *triple.outcomes)]
        print("  right" if ok else "  wrong", " | ".join(names))


def _values(m: Measurement) -> frozenset[float]:
    """The numbers of a measurement without its spread."""
    return frozenset(
        abs(q.value) for q in (m.value, m.events) if q is not None and q.value is not None
    )


def _numbers(text: str) -> frozenset[float]:
    """The numbers printed in a text."""
    found = (parse_number(m.group()) for m in _NUMBER.finditer(text))
    return frozenset(n for n in found if n is not None)


def _moved(span: Span, by: int) -> Span:
    """A span of the record's text as one of the sentence."""
    return span[0] - by, span[1] - by


def _meet(some: tuple[Span, ...], others: tuple[Span, ...]) -> bool:
    """Whether two sets of places overlap."""
    return any(a < d and c < b for a, b in some for c, d in others)


if __name__ == "__main__":
    main()
