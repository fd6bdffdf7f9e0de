"""Says of which part of an abstract without labels each sentence is, by learned weights.

A softmax over hashed words, pairs of words and places, then the likeliest order of parts (Viterbi
1967, IEEE Trans Inf Theory 13:260). weights/README.md says on what it was trained.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

PARTS = ("objective", "methods", "results", "conclusions")
#: Features are hashed into this many rows: few collide, and the file stays small.
ROWS = 1 << 14
#: The first words of a sentence tell its part; later ones of a very long one add time, no more.
MOST_WORDS = 60
WEIGHTS = Path(__file__).parent / "weights" / "sections.npy"
_NUMBER = re.compile(r"\d+")
_TOKEN = re.compile("[a-z]+|0|±|[%<>=]".encode())

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Model:
    """Weights of each row and part, and logs of which part follows which (last row: the start)."""

    weights: Floats
    follows: Floats

    def parts(self, sentences: Sequence[str]) -> list[tuple[str, float]]:
        """Return the likeliest part of each sentence of an abstract, with its probability alone."""
        if not sentences:
            return []
        rows = features(sentences)
        sizes = np.array([len(r) for r in rows])
        sums = np.add.reduceat(self.weights[np.concatenate(rows)], sizes.cumsum() - sizes)
        scores = sums / np.sqrt(sizes)[:, None]
        logs = log_softmax(scores)
        best = order(logs, self.follows)
        return [(PARTS[k], float(np.exp(log[k]))) for k, log in zip(best, logs, strict=True)]


def features(sentences: Sequence[str]) -> list[Rows]:
    """Return the rows that stand for each sentence: its words, their pairs, its place."""
    n = len(sentences)
    return [_rows(sentence, i, n) for i, sentence in enumerate(sentences)]


def _rows(sentence: str, i: int, n: int) -> Rows:
    """The rows of sentence `i` of `n`; a number stands as 0, whatever it is."""
    plain = _NUMBER.sub("0", sentence.lower()).encode(errors="replace")
    words = _TOKEN.findall(plain)[:MOST_WORDS]
    place = (b"@%d" % (10 * i // n), b"@first %d" % min(i, 4), b"@last %d" % min(n - 1 - i, 4))
    pairs = map(b" ".join, pairwise(words))
    names = (*words, *pairs, b"^" + b" ".join(words[:2]), *place, b"@")
    return np.unique(np.fromiter(map(zlib.crc32, names), np.int64) % ROWS)


def log_softmax(scores: Floats) -> Floats:
    """Return the log probabilities of each row of scores."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs: Floats = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs


def order(logs: Floats, follows: Floats) -> list[int]:
    """Return the likeliest series of parts: `follows` holds logs, its last row for the start."""
    best = follows[-1] + logs[0]
    backs = []
    for log in logs[1:]:
        paths = best[:, None] + follows[:-1]
        backs.append(paths.argmax(axis=0))
        best = paths.max(axis=0) + log
    series = [int(best.argmax())]
    for back in reversed(backs):
        series.append(int(back[series[-1]]))
    return series[::-1]


@cache
def shipped() -> Model:
    """Return the model that is shipped: its rows, then one for each part and the start."""
    stored = np.load(WEIGHTS, allow_pickle=False).astype(np.float64)
    return Model(stored[:ROWS], stored[ROWS:])
