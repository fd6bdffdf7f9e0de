"""Finds the places of the names of arms in a text, without a pattern for each name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extract.arm_names import words

Span = tuple[int, int]

_GROUP = re.compile(r"(?<![\w-])(?:groups?|arms?)\s+(?P<x>\w+)", re.IGNORECASE)
_JOINT = re.compile(
    r"(?<![\w-])(?:the\s+)?combination(?:\s+\w+)?\s+(?:group|arm|therapy|treatment|chemotherapy)(?!\w)",
    re.IGNORECASE,
)
_WHO = re.compile(rf"\s+(?:{'|'.join(sorted(words('part_of')))})\b", re.IGNORECASE)
_LEAD = re.compile(r"(?:\b(?:the|and|vs\.?|versus|or|to|than)\s|[(,;:]\s|[(])\Z", re.IGNORECASE)
_BEHIND = re.compile(r"\s*[,.;:()=]|\s+(?:and|versus|vs|n)\b|\s+-?\d", re.IGNORECASE)
_MORE = re.compile(r"[-/+][A-Za-z]")


@dataclass(frozen=True, slots=True)
class Alias:
    """What may stand for an arm, and how it is found.

    `kind` is phrase (any white space, either case), word (also in the plural), short (as printed),
    part ("control" where it names an arm, not "glycaemic control"), letter (of a group) or joint
    ("the combination arm").
    """

    text: str
    kind: str


class Page:
    """A text in which aliases are found."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lower = _lower(text)

    def occurrences(self, aliases: list[Alias]) -> list[Span]:
        """Every place where one of the aliases stands as a whole word, the longest where two do."""
        found = {span for alias in aliases for span in self._of(alias)}
        apart: list[Span] = []
        for span in sorted(found, key=lambda s: (s[0], -s[1])):
            if not apart or span[0] >= apart[-1][1]:
                apart.append(span)
        return apart

    def _of(self, alias: Alias) -> Iterator[Span]:
        """The places of one alias."""
        if alias.kind == "letter":
            groups = _GROUP.finditer(self.text)
            yield from (m.span() for m in groups if m["x"] == alias.text)
        elif alias.kind == "joint":
            yield from (m.span() for m in _JOINT.finditer(self.text))
        elif alias.kind == "short":
            yield from (s for s in self._short(alias.text))
        elif alias.kind == "part":
            yield from (s for s in self._phrase(alias.text) if self._names_arm(s))
        else:
            yield from self._phrase(alias.text, plural=alias.kind == "word")

    def _short(self, short: str) -> Iterator[Span]:
        """The places of an abbreviation, which is no part of a longer one."""
        for start in _finds(self.text, short):
            end = start + len(short)
            if self._whole(start, end) and not _MORE.match(self.text, end):
                yield start, end

    def _phrase(self, phrase: str, *, plural: bool = False) -> Iterator[Span]:
        """The places of words with any white space between them."""
        first, *rest = _lower(phrase).split() or [""]
        for start in _finds(self.lower, first) if first else ():
            end = self._behind(start + len(first), rest)
            if end is None:
                continue
            if plural and self.lower.startswith("s", end) and self._whole(start, end + 1):
                end += 1
            if self._whole(start, end):
                yield start, end

    def _behind(self, end: int, rest: list[str]) -> int | None:
        """Where the further words of a phrase end, None if others stand there."""
        for word in rest:
            at = end
            while self.lower[at : at + 1].isspace():
                at += 1
            if at == end or not self.lower.startswith(word, at):
                return None
            end = at + len(word)
        return end

    def _whole(self, start: int, end: int) -> bool:
        """Whether no word goes on before or behind a stretch."""
        return not (
            _in_word(self.text[start - 1 : start])
            or self.text[start - 1 : start] == "-"
            or _in_word(self.text[end : end + 1])
        )

    def _names_arm(self, span: Span) -> bool:
        """Whether a part of a trial stands for an arm: "control group", "than control (5%)"."""
        start, end = span
        if _WHO.match(self.text, end):
            return True
        return bool(_LEAD.search(self.text, max(0, start - 8), start)) and bool(
            _BEHIND.match(self.text, end)
        )


def stands_in(name: str, part: str) -> bool:
    """Whether a name holds another as a whole word that no hyphen joins to more."""
    return any(
        not (_joined(name[at - 1 : at]) or _joined(name[at + len(part) : at + len(part) + 1]))
        for at in _finds(name, part)
    )


def _joined(symbol: str) -> bool:
    """Whether a symbol joins what is on its two sides to one word."""
    return _in_word(symbol) or symbol == "-"


def _in_word(symbol: str) -> bool:
    """Whether a symbol is part of a word."""
    return symbol.isalnum() or symbol == "_"


def _lower(text: str) -> str:
    """A text in small letters, each at its place: one capital has two of them."""
    return text.replace("İ", "i").lower()


def _finds(text: str, part: str) -> Iterator[int]:
    """The places of a string."""
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)
