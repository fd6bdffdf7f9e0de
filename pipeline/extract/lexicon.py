"""Loads the rule files (patterns/*.jsonl) and finds their terms in a text."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.extract.starts import Starts

#: Symbols with what may follow them; "" where a phrase ends.
Tree = dict[str, "Tree"]

#: So many phrases are worth taking their pattern apart; an abstract's own abbreviations are not.
MANY = 12
PATTERNS = Path(__file__).parent / "patterns"


@dataclass(frozen=True, slots=True)
class Term:
    """A term found in a text: what it is (`entry`) and where."""

    name: str
    start: int
    end: int
    entry: Mapping[str, Any]


class Lexicon:
    """Entries with phrases, found longest first, whole words, any white space or hyphen.

    A phrase of capitals and digits alone ("PE", "GBS") is matched as printed; any other in
    either case.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.entries = tuple(entries)
        self._owner: dict[str, Mapping[str, Any]] = {}
        exact: list[str] = []
        loose: list[str] = []
        for entry in self.entries:
            for phrase in entry["terms"]:
                self._owner.setdefault(_key(phrase), entry)
                (exact if _is_acronym(phrase) else loose).append(phrase)
        self._exact = _compile(exact, 0)
        self._loose = _compile(loose, re.IGNORECASE)

    def find(self, text: str, start: int = 0, end: int | None = None) -> list[Term]:
        """Return the terms in ``text[start:end]``, in order, the longest where two overlap."""
        stop = len(text) if end is None else end
        found = [
            m.span()
            for rx in (self._exact, self._loose)
            if rx
            for m in rx.finditer(text, start, stop)
        ]
        owners = ((self._owner[_key(text[a:b])], a, b) for a, b in found)
        return merged([Term(entry["name"], a, b, entry) for entry, a, b in owners])


def merged(*found: list[Term]) -> list[Term]:
    """Return terms in their order, the longest where two overlap."""
    terms: list[Term] = []
    for term in sorted(chain(*found), key=lambda t: (t.start, -t.end)):
        if not terms or term.start >= terms[-1].end:
            terms.append(term)
    return terms


@cache
def rules(name: str) -> tuple[dict[str, Any], ...]:
    """Return the lines of patterns/<name>.jsonl, which is read once."""
    return tuple(_lines((PATTERNS / f"{name}.jsonl").read_text(encoding="utf-8")))


@cache
def lexicon(name: str) -> Lexicon:
    """Return the lexicon of patterns/<name>.jsonl."""
    return Lexicon(rules(name))


@cache
def code_hash() -> str:
    """Return the SHA-256 over the rule files, the learned weights and the code beside them."""
    digest = hashlib.sha256()
    folder = PATTERNS.parent
    for path in sorted([*PATTERNS.glob("*.jsonl"), *folder.glob("*.py"), *folder.glob("*/*.npy")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _lines(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of a file, one a line; blank lines are passed over."""
    for line in text.splitlines():
        if line.strip():
            yield json.loads(line)


def _is_acronym(phrase: str) -> bool:
    """Whether a phrase is written in capitals and must be found so."""
    letters = [c for c in phrase if c.isalpha()]
    return bool(letters) and all(c.isupper() for c in letters)


def _key(phrase: str) -> str:
    """Fold a phrase: case, white space, hyphens and apostrophes do not matter."""
    return re.sub(r"[-\s‐‑–]+", " ", phrase.replace("’", "'")).casefold()


def _compile(phrases: list[str], flags: int) -> Starts | re.Pattern[str] | None:
    """Compile phrases to one regex of whole words, the longest that fits."""
    if not phrases:
        return None
    folded = [p.lower() for p in phrases] if flags & re.IGNORECASE else phrases
    body = any_of(folded)
    pattern = re.compile(rf"(?<![A-Za-zÀ-ÿ0-9_]){body}(?![A-Za-zÀ-ÿ0-9_])", flags)
    return Starts(pattern) if len(phrases) > MANY else pattern


def any_of(phrases: Iterable[str]) -> str:
    """Return a regex of phrases, the longest that fits: a tree, quicker than one after another."""
    return f"(?:{_tree_regex(_tree(phrases))})"


def _tree(phrases: Iterable[str]) -> Tree:
    """The phrases as a tree of their symbols, so that a word is not tried against each phrase."""
    root: Tree = {}
    for phrase in phrases:
        node = root
        for symbol in _symbols(phrase):
            node = node.setdefault(symbol, {})
        node[""] = {}
    return root


def _symbols(phrase: str) -> Iterator[str]:
    """A phrase's symbols as regexes: a space or hyphen matches any of them, ' also ’."""
    for part in re.findall(r"[-\s]+|[^-\s]", phrase):
        if part[0] in "-" or part[0].isspace():
            yield r"[-\s‐‑–]+"
        else:
            yield "['’]" if part in "'’" else re.escape(part)


def _tree_regex(tree: Tree) -> str:
    """The regex of a tree; where a phrase ends inside a longer one, the longer is tried first."""
    more = [symbol + _tree_regex(rest) for symbol, rest in sorted(tree.items()) if symbol]
    if not more:
        return ""
    if len(more) == 1 and "" not in tree:
        return more[0]
    return f"(?:{'|'.join(more)})" + ("?" if "" in tree else "")
