"""Trains the model that gives each sentence its part, on abstracts that print labels."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import numpy.typing as npt
from scipy import sparse

from pipeline.errors import InputError
from pipeline.extract.section_model import PARTS, ROWS, Floats, Model, features, log_softmax, order
from pipeline.extract.sentences import part_of, split
from pipeline.schema import Record

#: One abstract in this many is kept back, by the hash of its id.
HELD_OUT = 5
STEPS, RATE, PENALTY = 120, 0.5, 5e-5
#: How much the order of parts counts beside the words: neighbouring sentences share more than the
#: chain of parts supposes.
ORDER_WEIGHT = 0.5
_LABEL = re.compile(r"^(?:[A-Z]+\.)*([A-Z][^:\n]{2,60}):[ \n]", re.MULTILINE)
_AND = re.compile(r"[/,&]|\band\b", re.IGNORECASE)

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Labelled:
    """The sentences of an abstract, and the number of the part of each."""

    record_id: str
    sentences: tuple[str, ...]
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How often a way to tell the parts is right: accuracy, F1 of each part, and their mean."""

    name: str
    accuracy: float
    f1: tuple[float, ...]

    @property
    def macro_f1(self) -> float:
        """The mean of the parts' F1."""
        return sum(self.f1) / len(self.f1)


def labelled(records: Iterable[Record]) -> list[Labelled]:
    """Return the abstracts that label their methods and their results, without the labels."""
    found = (_labelled(record) for record in records)
    wanted = {PARTS.index("methods"), PARTS.index("results")}
    return [one for one in found if wanted <= set(one.parts)]


def train(abstracts: Sequence[Labelled]) -> Model:
    """Fit the weights: softmax regression by Adam (Kingma and Ba 2015) on all sentences at once.

    Nothing is drawn at random: the same abstracts give the same model.

    Raises
    ------
    InputError
        If there is no abstract to learn from.
    """
    if not abstracts:
        raise InputError("No abstract labels its methods and its results; nothing to learn from.")
    table, wanted = _table(abstracts), _wanted(abstracts)
    weights, first, second = (np.zeros((ROWS, len(PARTS))) for _ in range(3))
    turned, truth = table.T.tocsr(), np.eye(len(PARTS))[wanted]
    for step in range(1, STEPS + 1):
        off = np.exp(log_softmax(table @ weights)) - truth
        slope = turned @ off / len(wanted) + PENALTY * weights
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        weights -= RATE * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return stored(Model(weights, ORDER_WEIGHT * _follows(abstracts)))


def stored(model: Model) -> Model:
    """Return the model as its file holds it: at half precision."""
    return Model(*(a.astype(np.float16).astype(np.float64) for a in (model.weights, model.follows)))


def as_array(model: Model) -> npt.NDArray[np.float16]:
    """Return what the file holds."""
    return np.vstack([model.weights, model.follows]).astype(np.float16)


def scores(abstracts: Sequence[Labelled]) -> list[Score]:
    """Compare on held-out abstracts: no model, the model without and with the order of parts."""
    kept = [a for a in abstracts if not _held_out(a)]
    tried = [a for a in abstracts if _held_out(a)]
    if not tried:
        raise InputError(f"{len(abstracts)} abstracts are too few to hold some back.")
    model, wanted = train(kept), _wanted(tried)
    logs = [log_softmax(_table([a]) @ model.weights) for a in tried]
    commonest = int(np.bincount(_wanted(kept)).argmax())
    ways = {
        "the commonest part": np.full(len(wanted), commonest),
        "by place": np.concatenate([_by_place(len(a.sentences)) for a in tried]),
        "words, each sentence alone": np.concatenate([log.argmax(axis=1) for log in logs]),
        "words and order": np.concatenate([order(log, model.follows) for log in logs]),
    }
    return [_score(name, wanted, told) for name, told in ways.items()]


def _labelled(record: Record) -> Labelled:
    """The sentences of an abstract under labels of one part each."""
    pairs = [
        (sentence, part)
        for label, text in _sections(record)
        if (part := _part(label)) is not None
        for sentence in _sentences(text)
    ]
    return Labelled(record.record_id, tuple(s for s, _ in pairs), tuple(p for _, p in pairs))


def _sections(record: Record) -> Iterator[tuple[str, str]]:
    """Labels and texts: PubMed's own sections, or lines that begin with a label."""
    for section in record.sections:
        if section.label:
            yield section.label, section.text
            continue
        found = list(_LABEL.finditer(section.text))
        for match, after in zip_longest(found, found[1:]):
            end = after.start() if after else len(section.text)
            yield match[1], section.text[match.end() : end]


def _part(label: str) -> int | None:
    """The part that a label names; None for none, or for several ("METHODS AND RESULTS")."""
    named = {part_of(piece) for piece in _AND.split(label)} - {""}
    named = {"objective" if name == "background" else name for name in named}
    (name,) = named if len(named) == 1 else ("",)
    return PARTS.index(name) if name in PARTS and "supplement" not in label.lower() else None


def _sentences(text: str) -> list[str]:
    """The sentences of a section."""
    joined = " ".join(text.split())
    return [joined[start:end] for start, end in split(joined)]


def _held_out(abstract: Labelled) -> bool:
    """Whether an abstract is kept back."""
    return zlib.crc32(abstract.record_id.encode()) % HELD_OUT == 0


def _table(abstracts: Sequence[Labelled]) -> sparse.csr_matrix:
    """A row for each sentence with its features, each sentence of length 1."""
    rows = [row for a in abstracts for row in features(a.sentences)]
    ends = np.cumsum([0, *(len(row) for row in rows)])
    values = np.concatenate([np.full(len(row), len(row) ** -0.5) for row in rows])
    return sparse.csr_matrix((values, np.concatenate(rows), ends), shape=(len(rows), ROWS))


def _wanted(abstracts: Sequence[Labelled]) -> Ints:
    """The parts of all sentences."""
    return np.array([part for a in abstracts for part in a.parts])


def _follows(abstracts: Sequence[Labelled]) -> Floats:
    """Logs of how often each part follows each, once more than counted; the start last."""
    counts = np.ones((len(PARTS) + 1, len(PARTS)))
    for a in abstracts:
        for before, part in zip((len(PARTS), *a.parts), a.parts, strict=False):
            counts[before, part] += 1
    logs: Floats = np.log(counts / counts.sum(axis=1, keepdims=True))
    return logs


def _by_place(n: int) -> Ints:
    """The parts of n sentences by their place alone: a fifth, a quarter, the rest, the last two."""
    return np.array(
        [3 if i >= n - 2 else 0 if i < n / 5 else 1 if i < 0.45 * n else 2 for i in range(n)]
    )


def _score(name: str, wanted: Ints, told: Ints) -> Score:
    """Accuracy and F1 of one way."""
    pairs = [(wanted == k, told == k) for k in range(len(PARTS))]
    f1 = (2 * float((w & t).sum()) / max(1, int(w.sum() + t.sum())) for w, t in pairs)
    return Score(name, float((wanted == told).mean()), tuple(f1))
