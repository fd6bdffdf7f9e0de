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
    kept = _kept(events)
    return [
        row
        for kind in (*ROWS, PLAIN_ROWS)
        for row in _matched(kind, getattr(study, kind), kept.get(kind, {}))
    ]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A row that decisions speak of: as it was read, or, if a person added it, as they said it."""

    item: Any = None
    words: Mapping[str, Any] | None = None
    evidence: Quote | None = None


def _kept(events: Iterable[Event]) -> dict[str, dict[str, _Kept]]:
    """Each row that events speak of, by list and key; the latest word of it."""
    kept: dict[str, dict[str, _Kept]] = {}
    for event in events:
        decision, path = event.decision, parse(event.decision.field)
        if path is None or not path.rows:
            continue
        of_kind = kept.setdefault(path.rows, {})
        item = _restored(path.rows, decision.snapshot)
        was = of_kind.get(path.key, _Kept())
        if item is not None:
            of_kind[path.key] = _Kept(item)
        elif was.item is None and not path.name and decision.verdict == "corrected":
            of_kind[path.key] = _Kept(None, _words(decision.value), decision.evidence)
        else:
            of_kind[path.key] = was
    return kept


def _words(text: str | None) -> dict[str, Any]:
    """The words of a row that a person added."""
    try:
        plain = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return plain if isinstance(plain, dict) else {"number": plain}


def _restored(kind: str, text: str | None) -> Any:
    """A row from its snapshot; None where there is none, or none that this version can read."""
    if text is None:
        return None
    try:
        plain = json.loads(text)
        return from_plain(ROWS[kind], plain) if kind in ROWS else from_plain(Reading[str], plain)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        return None


def _matched(kind: str, items: Sequence[Any], kept: Mapping[str, _Kept]) -> list[Row]:
    """The rows of one list: those that are read, in their order, then those that are gone."""
    fresh = _keys(kind, items)
    taken = _taken(items, fresh, kept)
    used = {*kept}
    rows = []
    for i, item in enumerate(items):
        key = taken[i] if i in taken else _unused(kind, fresh[i], used)
        used.add(key)
        rows.append(Row(kind, key, item))
    lost = sorted(key for key in kept if key not in taken.values())
    return rows + [Row(kind, k, kept[k].item, gone=kept[k].item is not None) for k in lost]


def _taken(items: Sequence[Any], fresh: Sequence[str], kept: Mapping[str, _Kept]) -> dict[int, str]:
    """Which row that is read goes on under which key, the surest first, each once."""
    phrases = Counter(_phrase(item) for item in items)
    now = [_Looks.of(item) for item in items]
    ranked = []
    for key, was in kept.items():
        then = _Looks.of(was.item) if was.item is not None else None
        for i, item in enumerate(items):
            if then is None:
                likeness = 300 if was.words and _is_added(item, was) else 0
            else:
                alone = phrases[now[i].phrase] == 1
                likeness = _likeness(now[i], then, fresh[i] == key, alone)
            if likeness:
                ranked.append((-likeness, key, i))
    taken: dict[int, str] = {}
    used: set[str] = set()
    for _, key, i in sorted(ranked):
        if i not in taken and key not in used:
            taken[i] = key
            used.add(key)
    return taken


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


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a row is recognised by: its words, what each reading stands on, and its phrase."""

    names: tuple[str, ...]
    grounds: frozenset[tuple[str, str]]
    phrase: str

    @classmethod
    def of(cls, item: Any) -> _Looks:
        """The looks of a row."""
        return cls(_named(item), _grounds(item), _phrase(item))


def _likeness(now: _Looks, then: _Looks, same_key: bool, alone: bool) -> int:
    """How surely a row is the one of a snapshot: 0 for not at all.

    Readings that stand on the same words count; a row whose numbers stand on other words is
    another one, unless it is the only one on its phrase and named alike.
    """
    shared, named = len(now.grounds & then.grounds), now.names == then.names
    if same_key and alone and (shared or named):
        return 1000 + shared
    if same_key and (shared or (named and not now.grounds and not then.grounds)):
        return 500 + shared
    return shared if 2 * shared > len(then.grounds) else 0


def _is_added(item: Any, kept: _Kept) -> bool:
    """Whether a row that is read now is one that a person added before.

    It is one that is named alike on a phrase that holds the evidence, or stands in it.
    """
    words, evidence = kept.words or {}, kept.evidence
    if isinstance(item, Reading):
        return str(item.value).casefold() == str(words.get("number", "")).casefold()
    named = tuple(str(words.get(word, "") or "").casefold() for word in _WORDS)
    phrase = _phrase(item)
    said = " ".join(evidence.text.split()) if evidence else ""
    return bool(said) and _named(item) == named and (said in phrase or phrase in said)


def _named(item: Any) -> tuple[str, ...]:
    """The words that name a row."""
    return tuple(str(getattr(item, word, "")).casefold() for word in _WORDS)


def _grounds(item: Any) -> frozenset[tuple[str, str]]:
    """The words that each reading of a row stands on."""
    if isinstance(item, Reading):
        return frozenset({("", str(item.value))})
    named = ((name, getattr(item, name)) for name in item.__slots__)
    return frozenset((n, r.quote.text) for n, r in named if isinstance(r, Reading) and r.quote)
