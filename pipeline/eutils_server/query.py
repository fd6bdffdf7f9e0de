"""Reads a PubMed query into a tree of terms, ranges, operators and parentheses.

The part of PubMed's language that is served:

- ``AND``, ``OR``, ``NOT`` in capitals, worked off from left to right; ``(`` and ``)``; two terms
  side by side are joined by AND.
- ``"phrase"``, ``word*``, ``term[tag]`` with the tags of `fields.FIELDS`. A tag takes all bare
  words before it: ``immunoglobulins, intravenous[mh]``.
- ``lo:hi[tag]`` and ``"lo"[tag] : "hi"[tag]`` of PMIDs and of dates (2020, 2020/01, 2020/01/31;
  3000 for no end).
- ``all[sb]``, ``pubmed books[sb]``, ``hasabstract[filter]``; ``#1`` for a query of the history.

Not served: PubMed's translation of untagged words into MeSH, and the MeSH tree: ``[mh]`` finds
the heading itself and not those under it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.eutils_server.fields import ALL_FIELDS, TAGS, Field

Operator = Literal["AND", "OR", "NOT"]
_TOKEN = re.compile(r'"[^"]*"|\[[^\]]*\]|[()]|[^\s()\[\]"]+')
_OPERATORS = ("AND", "OR", "NOT")
#: How deep parentheses may be nested; SQLite's own parser reads some 100.
DEEPEST = 40


class QueryError(Exception):
    """A query that PubMed's search refuses."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word, phrase or other value that is looked up in a field."""

    text: str
    field: Field = ALL_FIELDS
    quoted: bool = False
    cut: bool = False

    def __str__(self) -> str:
        """The term as QueryTranslation shows it."""
        text = f"{self.text}*" if self.cut else f'"{self.text}"'
        return f"{text}[{self.field.name}]"


@dataclass(frozen=True, slots=True)
class Range:
    """PMIDs or dates from `low` to `high`, both included, as they were written."""

    low: str
    high: str
    field: Field

    def __str__(self) -> str:
        """The range as QueryTranslation shows it."""
        return f"{self.low}:{self.high}[{self.field.name}]"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A query of the history, by its key."""

    key: int

    def __str__(self) -> str:
        """As it was written."""
        return f"#{self.key}"


@dataclass(frozen=True, slots=True)
class Chain:
    """Conditions side by side, worked off from left to right; an operator stands before each.

    The first condition's operator is AND, and means nothing.
    """

    links: tuple[tuple[Operator, Node], ...]

    def __str__(self) -> str:
        """From left to right."""
        first, *rest = self.links
        return f"{first[1]}" + "".join(f" {operator} {node}" for operator, node in rest)


@dataclass(frozen=True, slots=True)
class Group:
    """A condition in parentheses."""

    inside: Node

    def __str__(self) -> str:
        """In parentheses."""
        return f"({self.inside})"


Node = Term | Range | Earlier | Chain | Group


@dataclass(slots=True)
class _Reader:
    """The tokens of a query, and the tags among them that no field has."""

    tokens: list[str]
    at: int = 0
    depth: int = 0
    unknown: list[str] = field(default_factory=list)

    def peek(self) -> str:
        """The next token, "" at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        """The next token, gone past."""
        self.at += 1
        return self.tokens[self.at - 1]

    def tag(self) -> Field | None:
        """The field of the tag that stands next, if one does; an unknown one is all fields."""
        if not self.peek().startswith("["):
            return None
        name = self.take()[1:-1].strip()
        found = TAGS.get(name.lower())
        if found is None:
            self.unknown.append(name)
        return found or ALL_FIELDS


def parse(text: str) -> tuple[Node, tuple[str, ...]]:
    """Return the tree of a query and the tags in it that no field has.

    Raises
    ------
    QueryError
        If it is empty or nested too deeply, or its parentheses, quotes or brackets do not match.
    """
    if text.count('"') % 2:
        raise QueryError("a quotation mark without its partner")
    tokens = _TOKEN.findall(text)
    if "".join(text.split()) != "".join("".join(tokens).split()):
        raise QueryError("a bracket without its partner")
    reader = _Reader(tokens)
    tree = _chain(reader)
    if reader.peek():
        raise QueryError(f"{reader.peek()!r} without its partner")
    return tree, tuple(reader.unknown)


def _chain(reader: _Reader) -> Node:
    """Conditions and their operators up to the next closing parenthesis."""
    links: list[tuple[Operator, Node]] = [("AND", _operand(reader))]
    while reader.peek() not in ("", ")"):
        operator: Operator = "AND"
        if reader.peek() in _OPERATORS:
            operator = reader.take()  # type: ignore[assignment]
        links.append((operator, _operand(reader)))
    return Chain(tuple(links)) if len(links) > 1 else links[0][1]


def _operand(reader: _Reader) -> Node:
    """A condition: in parentheses, or a term with its tag."""
    token = reader.peek()
    if token == "(":  # noqa: S105 - a token of the query
        return _group(reader)
    if token in ("", ")", *_OPERATORS) or token.startswith("["):
        raise QueryError(f"a term is missing before {token!r}" if token else "a term is missing")
    if token.startswith('"'):
        return _quoted(reader)
    return _bare(reader)


def _group(reader: _Reader) -> Node:
    """A condition in parentheses."""
    reader.take()
    reader.depth += 1
    if reader.depth > DEEPEST:
        raise QueryError(f"its parentheses are nested more than {DEEPEST} times")
    inside = _chain(reader)
    if reader.peek() != ")":
        raise QueryError("'(' without its partner")
    reader.take()
    reader.depth -= 1
    return Group(inside)


def _quoted(reader: _Reader) -> Node:
    """A phrase in quotation marks, or a range of two of them."""
    text = reader.take()[1:-1].strip()
    where = reader.tag() or ALL_FIELDS
    if where.kind in ("date", "uid"):
        if reader.peek() == ":":
            reader.take()
            high = reader.take().strip('"') if reader.peek() else ""
            reader.tag()
            return Range(text, high, where)
        return _ranged(text, where)
    return Term(text.rstrip("*"), where, quoted=True, cut=text.endswith("*"))


def _bare(reader: _Reader) -> Node:
    """Words up to the next operator; one condition with a tag, one for each word without."""
    words = []
    while (token := reader.peek()) and token[0] not in '()["' and token not in _OPERATORS:
        words.append(reader.take())
    where = reader.tag()
    if where is not None and where.kind in ("date", "uid"):
        return _ranged(" ".join(words), where)
    terms = [" ".join(words)] if where is not None else words
    return joined([_term(text, where or ALL_FIELDS) for text in terms])


def joined(nodes: Sequence[Node]) -> Node:
    """Return conditions that must all be met, in parentheses where there are several."""
    return Group(Chain(tuple(("AND", node) for node in nodes))) if len(nodes) > 1 else nodes[0]


def _term(text: str, where: Field) -> Node:
    """A bare term, or a query of the history."""
    if re.fullmatch(r"#\d+", text):
        return Earlier(int(text[1:]))
    return Term(text.rstrip("*"), where, cut=text.endswith("*"))


def _ranged(text: str, where: Field) -> Range:
    """A PMID or date as a range, which it may be."""
    low, colon, high = (part.strip().strip('"') for part in text.partition(":"))
    return Range(low, high if colon else low, where)
