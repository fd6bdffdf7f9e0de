"""Compares rules and a learned scorer of links: python tests/benchmarks/linking.py ../shared.

The folder holds data/ and gold/ of the development data; none of it is part of the project. Nothing
is written: the scorer (link_model.py) is trained here, on RCT-ART's training sentences alone.

  true entities   measurements and arms of RCT-ART as annotated: how many get the right arm
  read entities   those that the reader finds: triples as rct_art.py scores them
  whole abstracts PICO-Corpus with the right arm, and the immunoglobulin records, by their scorers
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import chain as joined
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np
import rct_art
from link_model import FIRM, OF_RULES, Chain, Linker, features, fit

from pipeline.config import Config, load
from pipeline.extract.chains import Chains
from pipeline.extract.linking import Mention, arms_of
from pipeline.extract.measurements import Measurement
from pipeline.extract.reader import Reader
from pipeline.extract.rows import Page
from pipeline.fetch.files import read_records
from pipeline.reading import published
from pipeline.schema import Record

FOLDS = 5
Line = dict[str, Any]
Decide = Callable[[Chain], list[int | None]]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A chain with the true arms of each measurement; None where nobody judged it."""

    chain: Chain
    true: tuple[frozenset[int] | None, ...]


#: The ways to link, each by how it makes a decision of the weights.
WAYS: dict[str, Callable[[Any], Linker]] = {
    "rules, open links learned": partial(Linker, margin=FIRM),
    "rules, wrong links learned": partial(Linker, fills=False),
    "rules, open and wrong links learned": Linker,
}


def by_rules(chain: Chain) -> list[int | None]:
    """Return what the rules say."""
    return list(chain.own)


def annotated(line: Line) -> list[Labelled]:
    """Return the chains of a sentence with its entities as annotated."""
    text, spans = line["text"], line["spans"]
    names = [text[s["start"] : s["end"]].lower().strip() for s in spans]
    arms = {n: i for i, n in enumerate(dict.fromkeys(n for n, s in _of("INTV", names, spans)))}
    places = [Mention(arms[n], s["start"], s["end"]) for n, s in _of("INTV", names, spans)]
    measured = [
        Measurement("percent" if "%" in n else "number", s["start"], s["end"])
        for n, s in _of("MEAS", names, spans)
    ]
    starts = {s["start"]: i for i, s in enumerate(spans) if s["label"] == "MEAS"}
    found = []
    for group in Chains(text, 0, len(text), list(arms), places).of(measured):
        own = _ordered(arms_of(text, group, places, measured), len(arms))
        tied = ([names[h] for h in _heads(line, starts[m.start])] for m in group)
        true = tuple(frozenset(arms[n] for n in known if n in arms) for known in tied)
        found.append(Labelled(Chain(text, len(text), measured, places, group, own), true))
    return found


def _of(label: str, names: Sequence[str], spans: Sequence[Line]) -> list[tuple[str, Line]]:
    """The names and spans of a label, in the order of the text."""
    both = zip(names, spans, strict=True)
    return sorted(((n, s) for n, s in both if s["label"] == label), key=lambda x: x[1]["start"])


def _heads(line: Line, child: int) -> Iterator[int]:
    """The interventions that a measurement is tied to."""
    return (r["head"] for r in line["relations"] if r["child"] == child and r["label"][0] == "A")


def _ordered(own: list[int | None], arms: int) -> list[int | None]:
    """What mentions leave open of two arms, as the reader fills it in (`Page._order`)."""
    if arms != 2 or len(own) != 2 or (None not in own and own[0] != own[1]):
        return own
    first, second = own
    if first is None and second is not None:
        return [1 - second, second]
    return [first, 1 - first] if second is None and first is not None else [0, 1]


@contextmanager
def linked(decide: Decide) -> Iterator[None]:
    """Let the reader link by `decide`."""
    rules = Page._linked

    def _linked(page: Page, group: list[Measurement], plain: list[Measurement]) -> list[int | None]:
        own = rules(page, group, plain)
        return decide(Chain(page.text, page.end, plain, page.places, group, own))

    with patch.object(Page, "_linked", _linked):
        yield


def as_read(line: Line, reader: Reader) -> list[Labelled]:
    """Return the chains that the reader finds in a sentence, labelled by what they overlap."""
    seen: list[Chain] = []

    def keep(chain: Chain) -> list[int | None]:
        seen.append(chain)
        return by_rules(chain)

    with linked(keep):
        _, shift = rct_art.read(reader, line["text"])
    return [Labelled(c, tuple(_true(line, shift, c, m) for m in c.group)) for c in seen if c.places]


def _true(line: Line, shift: int, chain: Chain, m: Measurement) -> frozenset[int] | None:
    """The arms whose places overlap what is tied to the measurement that `m` overlaps."""
    spans = [(s["start"] + shift, s["end"] + shift) for s in line["spans"]]
    met = [k for k, s in enumerate(line["spans"]) if s["label"] == "MEAS" and _meet(spans[k], m)]
    tied = [spans[h] for k in met for h in _heads(line, k)]
    return frozenset(p.arm for p in chain.places if any(_meet(t, p) for t in tied)) if met else None


def _meet(span: tuple[int, int], other: Measurement | Mention) -> bool:
    """Whether two places overlap."""
    return span[0] < other.end and other.start < span[1]


def learn(found: Iterable[Labelled], *, rules: bool = True) -> Any:
    """Return weights fitted on labelled chains; `rules`: whether they hear what the rules say."""
    rows, truth = [], []
    for one in (x for x in found if x.chain.places):
        table = features(one.chain).reshape(len(one.true), len(one.chain.places), -1)
        for lines, true in zip(table, one.true, strict=True):
            if true is not None:
                rows.append(lines if rules else lines[:, :-OF_RULES])
                truth += [float(p.arm in true) for p in one.chain.places]
    return fit(np.vstack(rows), np.array(truth))


def count(found: Iterable[Labelled], decide: Decide) -> tuple[int, int, int]:
    """Return right links, links given, and measurements that have an arm."""
    right = given = wanted = 0
    for one in found:
        for arm, true in zip(decide(one.chain), one.true, strict=True):
            right += arm is not None and arm in (true or ())
            given += arm is not None and true is not None
            wanted += bool(true)
    return right, given, wanted


def _all(sentences: Iterable[list[Labelled]]) -> list[Labelled]:
    """The chains of sentences."""
    return list(joined.from_iterable(sentences))


def true_entities(train: Sequence[Line], held: Sequence[Line]) -> None:
    """Print each way on annotated entities: cross-validated, and on sentences held back."""
    sentences, others = [annotated(x) for x in train], [annotated(x) for x in held]
    print("true entities: arms of measurements")
    _show("rules", count(_all(sentences), by_rules), count(_all(others), by_rules))
    alone = partial(Linker, uses_rules=False)
    for name, way in {"learned alone": alone, **WAYS}.items():
        heard = name != "learned alone"
        folds = np.zeros(3, int)
        for k in range(FOLDS):
            kept = (x for i, s in enumerate(sentences) if i % FOLDS != k for x in s)
            tried = [x for s in sentences[k::FOLDS] for x in s]
            folds += count(tried, way(learn(kept, rules=heard)).arms)
        whole = way(learn(_all(sentences), rules=heard))
        _show(name, tuple(folds), count(_all(others), whole.arms))


def read_entities(train: Sequence[Line], held: Sequence[Line], reader: Reader) -> None:
    """Print each way on what the reader finds: strict triples, cross-validated and held back."""
    sentences = [as_read(x, reader) for x in train]
    print("\nread entities: strict triples")

    def strict(lines: Sequence[Line], decide: Decide) -> list[int]:
        with linked(decide):
            return rct_art.score(list(lines), reader, errors=False)["strict"]

    _show("rules", strict(train, by_rules), strict(held, by_rules))
    for name, way in WAYS.items():
        folds = np.zeros(3, int)
        for k in range(FOLDS):
            kept = (x for i, s in enumerate(sentences) if i % FOLDS != k for x in s)
            folds += strict(train[k::FOLDS], way(learn(kept)).arms)
        _show(name, tuple(folds), strict(held, way(learn(_all(sentences))).arms))


def whole_abstracts(shared: Path, weights: Any, config: Config) -> None:
    """Print each way on whole abstracts, by the scorers of the development data."""
    sys.path.insert(0, str(shared / "gold"))
    score, score_values = import_module("score"), import_module("score_values")
    values = score_values.load(shared / "data" / "pico_corpus_dev.jsonl")
    gold = score.load(shared / "gold" / "ivig_dev.jsonl")
    texts, _ = read_records(shared / "gold" / "ivig_dev_input.jsonl")
    abstracts, first = pico_records(values), np.zeros((len(values), 3))
    print("\nwhole abstracts: PICO-Corpus with the right arm, F above the rules' (95 % interval);")
    print("immunoglobulin: slots, outcomes right")
    for name, decide in {
        "rules": by_rules,
        **{n: w(weights).arms for n, w in WAYS.items()},
    }.items():
        with linked(decide):
            counts = _counts(score_values, values, as_published(abstracts, config, "pmid"))
            y = score.score(gold, as_published(texts, config, "record_id"))
        first = counts if decide is by_rules else first
        low, high = np.percentile(_gains(first, counts), [2.5, 97.5])
        more = f"{_f(counts.sum(0)) - _f(first.sum(0)):+.3f} ({low:+.3f} to {high:+.3f})"
        ivig = f"P {y['slot_precision']:.3f} R {y['slot_recall']:.3f}, {y['outcome_strict']:.3f}"
        print(f"{name:36s} {_said(counts.sum(0))} {more}   {ivig}")


def _counts(scorer: Any, gold: dict[str, Line], read: dict[str, Line]) -> Any:
    """Right, given and wanted values with their arms, a row for each abstract."""
    rows = []
    for pmid, true in gold.items():
        wanted, given = scorer.gold_values(true), scorer.predicted_values(read[pmid])
        labels = (wanted.keys() | given.keys()) - {"total-participants"}
        pairs = [(wanted[x] & given[x], given[x], wanted[x]) for x in labels]
        rows.append([sum(len(found) for found in column) for column in zip(*pairs, strict=True)])
    return np.array([row or [0, 0, 0] for row in rows])


def _gains(first: Any, second: Any) -> list[float]:
    """How much better F is in each of 2,000 bootstrap resamples of abstracts, seeded."""
    draw, n = np.random.default_rng(1), len(first)
    samples = (draw.integers(0, n, n) for _ in range(2000))
    return [_f(second[s].sum(0)) - _f(first[s].sum(0)) for s in samples]


def _f(counts: Sequence[int]) -> float:
    """The F of right, given and wanted."""
    right, given, wanted = counts
    return 2 * right / max(1, given + wanted)


def pico_records(gold: dict[str, Line]) -> list[Record]:
    """The abstracts of PICO-Corpus as records."""
    lines = (json.dumps({"pmid": pmid, "abstract": x["text"]}) for pmid, x in gold.items())
    with TemporaryDirectory() as folder:
        path = Path(folder) / "abstracts.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")
        return read_records(path)[0]


def as_published(records: Sequence[Record], config: Config, key: str) -> dict[str, Line]:
    """The records as `evipool extract` writes them."""
    lines = published(records, config, lambda *_: None)
    return {str(line[key]): line for line in lines}


def _show(name: str, folds: Sequence[int], held: Sequence[int]) -> None:
    """Print a line: cross-validated, and on sentences held back."""
    print(f"{name:36s} {_said(folds)}   {_said(held)}")


def _said(counts: Sequence[int]) -> str:
    """Precision, recall and F of right, given and wanted."""
    right, given, wanted = counts
    p, r = right / max(1, given), right / max(1, wanted)
    return f"P {p:.3f} R {r:.3f} F {_f(counts):.3f}"


def main() -> None:
    """Print the three comparisons."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    options = parser.parse_args()
    config = load(options.config).config
    reader = Reader(config.eligibility, config.outcomes, abstains=False)
    train, held = (_lines(options.shared / "data" / f"rct_art_{x}.jsonl") for x in ("train", "dev"))
    print(f"{len(train)} sentences in {FOLDS} folds, {len(held)} held back\n")
    true_entities(train, held)
    read_entities(train, held, reader)
    weights = learn(_all(as_read(x, reader) for x in train))
    whole_abstracts(options.shared, weights, config)


def _lines(path: Path) -> list[Line]:
    """The lines of a file of JSON Lines."""
    return [json.loads(x) for x in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main()
