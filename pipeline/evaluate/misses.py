"""Lists what was missed, misread or invented, each with the sentence that prints it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.evaluate.match import Match
from pipeline.evaluate.values import number, plain

Span = tuple[int, int]
_TOKEN = re.compile(r"\d+(?:[.·]\d+)?|[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Miss:
    """A match that is not right: `kind` is missed, misread or extra."""

    record_id: str
    field: str
    kind: str
    gold: Any
    predicted: Any
    sentence: str


def misses(
    matches: Iterable[Match],
    texts: Mapping[str, str],
    split: Callable[[str], Sequence[Span]],
) -> Iterator[Miss]:
    """Yield the misses, in the order of the matches.

    Parameters
    ----------
    matches : iterable of Match
    texts : mapping
        The text of each record, into which the predictions' quotes point.
    split : callable
        Returns the (start, end) of each sentence of a text.
    """
    spans: dict[str, Sequence[Span]] = {}
    for m in matches:
        if m.right:
            continue
        text = texts.get(m.record_id, "")
        if m.record_id not in spans:
            spans[m.record_id] = split(text)
        sentence = _sentence(m, text, spans[m.record_id])
        yield Miss(m.record_id, m.field, _kind(m), m.gold, plain(m.predicted), sentence)


def _kind(match: Match) -> str:
    """What went wrong."""
    if match.predicted is None:
        return "missed"
    return "extra" if match.gold is None else "misread"


def _sentence(match: Match, text: str, spans: Sequence[Span]) -> str:
    """The sentence of the prediction's quote, else the one that shares most with gold's words."""
    quote = match.predicted.get("quote") if isinstance(match.predicted, Mapping) else None
    if quote and text[quote["start"] : quote["end"]] == quote["text"]:
        place = next((s for s in spans if s[0] <= quote["start"] < s[1]), None)
        if place is not None:
            return text[slice(*place)]
    wanted = _tokens(f"{match.told} {_printed(match.gold)}")
    best = max(spans, key=lambda s: len(wanted & _tokens(text[slice(*s)])), default=None)
    return text[slice(*best)] if best and wanted & _tokens(text[slice(*best)]) else ""


def _printed(value: Any) -> str:
    """A gold value as it may be printed: 12.0 as 12."""
    found = number(value)
    if found is None:
        return str(value or "")
    return " ".join(f"{abs(n):g}" for n in (found if isinstance(found, tuple) else (found,)))


def _tokens(text: str) -> set[str]:
    """Words and numbers of a text, folded."""
    return {t.replace("·", ".") for t in _TOKEN.findall(text.casefold())}
