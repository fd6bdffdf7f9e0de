"""Turns the tree of a query into SQL, and says what in it was not found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.eutils_server.fields import ALL_FIELDS, SUBSETS
from pipeline.eutils_server.index import BEGIN, END, Condition
from pipeline.eutils_server.query import Chain, Earlier, Group, Node, Operator, Range, Term, joined

_DATE = re.compile(r"(\d{4})(?:/(\d{1,2})(?:/(\d{1,2}))?)?")
_WORD = re.compile(r"[^\W_]")
_OPERATORS = {"AND": "AND", "OR": "OR", "NOT": "AND NOT"}
NOTHING = Condition("0")
Exists = Callable[[Condition], bool]
History = Callable[[int], Sequence[int]]


@dataclass(slots=True)
class Notes:
    """What PubMed says of a query.

    `phrases` are terms that no record has, `quoted` phrases in quotation marks that no record has
    and whose words were looked up instead.
    """

    phrases: list[str] = field(default_factory=list)
    quoted: list[str] = field(default_factory=list)


def settle(tree: Node, exists: Exists, notes: Notes) -> Node:
    """Return the tree as it is searched.

    A quoted phrase that no record has is searched word by word, as PubMed does; it and each term
    that no record has go into `notes`.
    """
    if isinstance(tree, Chain):
        return Chain(tuple((o, settle(node, exists, notes)) for o, node in tree.links))
    if isinstance(tree, Group):
        return Group(settle(tree.inside, exists, notes))
    if not isinstance(tree, Term) or exists(_term(tree)):
        return tree
    words = tree.text.split()
    if tree.quoted and tree.field.kind == "words" and len(words) > 1:
        notes.quoted.append(f'"{tree.text}"' + _tag(tree))
        return joined([settle(Term(w, tree.field), exists, notes) for w in words])
    notes.phrases.append(tree.text + _tag(tree))
    return tree


def _tag(term: Term) -> str:
    """The tag of a term as a note shows it, none where none was given."""
    return "" if term.field is ALL_FIELDS else f"[{term.field.tags[0]}]"


def condition_of(tree: Node, history: History) -> Condition:
    """Return the SQL of a tree; `history` gives the PMIDs of #1, #2 ..."""
    if isinstance(tree, Chain):
        (_, first), *rest = ((o, condition_of(node, history)) for o, node in tree.links)
        for operator, condition in rest:
            first = _both(operator, first, condition)
        return first
    if isinstance(tree, Group):
        return condition_of(tree.inside, history)
    if isinstance(tree, Earlier):
        listed = json.dumps(history(tree.key))
        return Condition("pmid IN (SELECT value FROM json_each(?))", (listed,))
    return _range(tree) if isinstance(tree, Range) else _term(tree)


def _both(operator: Operator, left: Condition, right: Condition) -> Condition:
    """Two conditions as one; a run of one operator stays flat, since SQLite nests only so far."""
    joint = "OR" if operator == "OR" else "AND"
    first = left.sql if left.joint in ("", joint) else f"({left.sql})"
    second = f"({right.sql})" if right.joint else right.sql
    return Condition(f"{first} {_OPERATORS[operator]} {second}", left.values + right.values, joint)


def _range(tree: Range) -> Condition:
    """PMIDs or dates between two bounds; nothing where a bound cannot be read."""
    low, high = (
        _uid(t) if tree.field.kind == "uid" else _day(t, end=e)
        for t, e in ((tree.low, False), (tree.high, True))
    )
    if low is None or high is None:
        return NOTHING
    column = tree.field.columns[0]
    # A record without that date is not in the range, so that NOT finds it.
    value = column if tree.field.kind == "uid" else f"coalesce({column}, -1)"
    return Condition(f"{value} BETWEEN ? AND ?", (low, high))


def _uid(text: str) -> int | None:
    """A PMID."""
    return int(text) if text.isdecimal() and len(text) < 18 else None


def _day(text: str, *, end: bool) -> int | None:
    """A date as a number; of a year or month the first day, or the last."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups()
    last_month, last_day = (12, 31) if end else (1, 1)
    return int(year) * 10_000 + int(month or last_month) * 100 + int(day or last_day)


def _term(term: Term) -> Condition:
    """A term in the columns of its field."""
    if term.field.kind == "subset":
        return Condition(SUBSETS.get(term.text.lower(), "0"))
    text = term.text.replace('"', " ").strip()
    if not _WORD.search(text):
        return NOTHING
    phrase, star = f'"{text}"', "*" if term.cut else ""
    if term.field.kind in ("whole", "author"):
        whole = term.field.kind == "whole" or term.quoted
        phrase = f'"{BEGIN} {text} {END}"' if whole and not star else f'"{BEGIN} {text}"'
        star = "*" if not whole and " " in text else star
    columns = f"{{{' '.join(term.field.columns)}}} : " if term.field.columns else ""
    match = f"{columns}{phrase}{star}"
    return Condition("id IN (SELECT rowid FROM words WHERE words MATCH ?)", (match,))
