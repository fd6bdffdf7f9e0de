"""Gives each row of a study a name that outlives a new version of the extractor.

A row's key is a short hash of the text of its quote and, where several rows of its list have a
quote of the same text, of its place among them: not of its position in the list, nor of that in the
text, which moves when a record is fetched again. A decision keeps a snapshot of its row. A row of a
newer reading goes on under the key of a snapshot only if both stand on the same words; a row that
is read no more stays, marked as gone, with what people decided on it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.review.paths import PLAIN_ROWS, ROWS, parse
from pipeline.schema import Event, Quote, Reading, Study
from pipeline.schema.codec import from_plain, to_plain

#: Hexadecimal digits of a key: of a thousand rows, two share one with a chance of 1 in a million.
DIGITS = 10
#: The words that name a row which stands on no quote.
_WORDS = ("label", "drug", "measure", "arm", "treatment")


@dataclass(frozen=True, slots=True)
class Row:
    """A row under its key; `item` is an Arm, Dose, Outcome or Reading.

    `gone` if the extractor reads it no more (`item` is then the snapshot), `item` None if a person
    added it.
    """

    kind: str
    key: str
    item: Any
    gone: bool = False

    @property
    def path(self) -> str:
        """The row's path."""
        return f"{self.kind}@{self.key}"

    @property
    def quote(self) -> Quote | None:
        """The phrase that the row stands on."""
        return self.item.quote if self.item is not None else None


def row_key(kind: str, phrase: str, place: int = 0) -> str:
    """Return the key of a row that stands on a phrase; `place` counts from 0 those that do."""
    said = json.dumps([kind, " ".join(phrase.split()), place])
    return hashlib.sha256(said.encode()).hexdigest()[:DIGITS]


def added_key(kind: str, evidence: Quote | None, words: Mapping[str, Any]) -> str:
    """Return the key of a row that a person adds; two who add the same row share it."""
    named = " | ".join(str(words[w]).casefold() for w in _WORDS if w in words)
    return row_key(f"added {kind}", f"{evidence.text if evidence else ''} | {named}")


def snapshot(item: Any) -> str:
    """Return a row as the JSON text that a decision keeps."""
    return json.dumps(to_plain(item), ensure_ascii=False, sort_keys=True)


def rows_of(study: Study, events: Iterable[Event] = ()) -> list[Row]:
    """Return the rows of a study under their keys, then those that only decisions know.

    Parameters
    ----------
    study : Study
        As an extractor reads it now.
    events : iterable of Event
        The decisions on it, in order.
    """
    kept = _snapshots(events)
    return [
        row
        for kind in (*ROWS, PLAIN_ROWS)
        for row in _matched(kind, getattr(study, kind), kept.get(kind, {}))
    ]


def _snapshots(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """Each row that events speak of, by list and key, as it was read; None if it never was."""
    kept: dict[str, dict[str, Any]] = {}
    for event in events:
        path = parse(event.decision.field)
        if path is None or not path.rows:
            continue
        of_kind = kept.setdefault(path.rows, {})
        of_kind[path.key] = _restored(path.rows, event.decision.snapshot) or of_kind.get(path.key)
    return kept


def _restored(kind: str, text: str | None) -> Any:
    """A row from its snapshot; None where there is none, or none that this version can read."""
    if text is None:
        return None
    try:
        plain = json.loads(text)
        return from_plain(ROWS[kind], plain) if kind in ROWS else from_plain(Reading[str], plain)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return None


def _matched(kind: str, items: Sequence[Any], kept: Mapping[str, Any]) -> list[Row]:
    """The rows of one list: those that are read, in their order, then those that are gone."""
    fresh = _keys(kind, items)
    phrases = Counter(_phrase(item) for item in items)
    ranked = sorted(
        (
            (-likeness, old, i)
            for old, was in kept.items()
            for i, item in enumerate(items)
            if (likeness := _likeness(item, was, fresh[i] == old, phrases[_phrase(item)] == 1))
        ),
    )
    taken: dict[int, str] = {}
    for _, old, i in ranked:
        if i not in taken and old not in taken.values():
            taken[i] = old
    used = set(kept) | set(taken.values())
    rows = []
    for i, item in enumerate(items):
        key = taken[i] if i in taken else _unused(kind, fresh[i], used)
        used.add(key)
        rows.append(Row(kind, key, item))
    lost = [(key, was) for key, was in kept.items() if key not in taken.values()]
    return rows + [Row(kind, key, was, gone=was is not None) for key, was in sorted(lost, key=str)]


def _keys(kind: str, items: Sequence[Any]) -> list[str]:
    """The key of each row of a list."""
    places: Counter[str] = Counter()
    keys = []
    for item in items:
        phrase = _phrase(item)
        keys.append(row_key(kind, phrase, places[phrase]))
        places[phrase] += 1
    return keys


def _unused(kind: str, key: str, used: set[str]) -> str:
    """The key of a row that is new; another where a row that it is not stands under it."""
    place = 0
    while key in used:
        place += 1
        key = row_key(f"another {kind}", key, place)
    return key


def _phrase(item: Any) -> str:
    """What a row stands on: the text of its quote, else its words."""
    if item.quote is not None:
        return " ".join(item.quote.text.split())
    return " | ".join(str(getattr(item, word, "")) for word in _WORDS)


def _likeness(item: Any, was: Any, same_key: bool, alone: bool) -> int:
    """How surely a row is the one of a snapshot: 0 for not at all.

    Readings that stand on the same words count; a row whose numbers stand on other words is
    another one, unless it is the only one on its phrase and named alike.
    """
    if was is None:
        return 0
    now, then = _grounds(item), _grounds(was)
    shared, named = len(now & then), _named(item) == _named(was)
    if same_key and alone and (shared or named):
        return 1000 + shared
    if same_key and (shared or (named and not now and not then)):
        return 500 + shared
    return shared if 2 * shared > len(then) else 0


def _named(item: Any) -> list[str]:
    """The words that name a row."""
    return [str(getattr(item, word, "")).casefold() for word in _WORDS]


def _grounds(item: Any) -> set[tuple[str, str]]:
    """The words that each reading of a row stands on."""
    if isinstance(item, Reading):
        return {("", str(item.value))}
    named = ((name, getattr(item, name)) for name in item.__slots__)
    return {(name, r.quote.text) for name, r in named if isinstance(r, Reading) and r.quote}
