"""Finds the groups that one sentence of results compares, where the study's arms are not known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.local_names import GroupName, key, names
from pipeline.extract.measurements import Measurement

Span = tuple[int, int]

_COMPARATOR = re.compile(
    r"\b(?:placebo|controls?|usual|standard|conventional|no|alone|observation|sham|wait\w*|without|"
    r"untreated|routine|saline|vehicle)\b",
    re.I,
)
#: What stands between two values that are compared.
_VERSUS = re.compile(
    r"\s*(?:[a-z/%]{1,8}\s?){0,2}(?:vs?\.?|versus|compared\s+(?:with|to))\s*", re.I
)


def find(text: str, start: int, end: int, measured: Sequence[Measurement]) -> tuple[ArmSpan, ...]:
    """Return the groups that ``text[start:end]`` names; one alone must be called a group.

    Parameters
    ----------
    text : str
        The record's text.
    start, end : int
        Where the sentence stands.
    measured : sequence of Measurement
        The sentence's measurements: a group's name often stands behind its number.
    """
    groups: dict[str, list[GroupName]] = {}
    for name in names(text, start, end, measured):
        own = key(text[name.start : name.end])
        if own:
            same = next((k for k in groups if _same(k, own)), own)
            groups.setdefault(same, []).append(name)
    strength = {k: sum(n.weight for n in names) for k, names in groups.items()}
    best = sorted(groups, key=lambda k: -strength[k])[:3]
    called = sum(strength[k] >= 3 for k in best) > 1
    chosen = [k for k in best if strength[k] >= (3 if called else 2)]
    ordered = sorted(chosen, key=lambda k: min(n.start for n in groups[k]))
    sure = len(ordered) > 1 or any(strength[k] >= 3 for k in ordered)
    sure = sure or _is_compared(text, measured)
    return tuple(_arms(text, start, end, [groups[k] for k in ordered])) if sure else ()


def _is_compared(text: str, measured: Sequence[Measurement]) -> bool:
    """Whether two values stand against each other: "12% v 30%"."""
    return any(_VERSUS.fullmatch(text, a.end, b.start) for a, b in pairwise(measured))


def _same(a: str, b: str) -> bool:
    """Whether two names have the same words; of two amounts the same, of one none is asked."""
    words = [{w for w in k.split() if not w[0].isdigit()} or set(k.split()) for k in (a, b)]
    amounts = [{w for w in k.split() if w[0].isdigit()} for k in (a, b)]
    return words[0] == words[1] and (not all(amounts) or amounts[0] == amounts[1])


def _arms(text: str, start: int, end: int, groups: list[list[GroupName]]) -> Iterator[ArmSpan]:
    """An arm of each group: the one called control is the comparator, else the second."""
    labels = [text[g[0].start : g[0].end] for g in groups]
    cues = [bool(_COMPARATOR.search(label)) for label in labels]
    second = cues.index(True) if any(cues) else 1  # of one alone, none
    for k, (group, label) in enumerate(zip(groups, labels, strict=True)):
        places = {(n.start, n.end) for n in group} | set(_others(text, start, end, label))
        role = "comparator" if k == second else "intervention"
        first = min(places)
        yield ArmSpan(label, role, "group", label, first, tuple(_apart(places)))


def _others(text: str, start: int, end: int, label: str) -> Iterator[Span]:
    """Where else a sentence prints a group's name; a letter or a digit must be called a group."""
    bare = len(label) == 1 or label.isdigit()
    before = r"\b(?:groups?|arms?|cohort)\s" if bare else r"(?<![\w-])"
    own = re.compile(rf"{before}(?P<n>{re.escape(label)})(?![\w]|[.·]\d)", re.I)
    yield from (m.span("n") for m in own.finditer(text, start, end))


def _apart(places: set[Span]) -> Iterator[Span]:
    """The places that do not lie in one another, in order."""
    last = -1
    for start, end in sorted(places, key=lambda s: (s[0], -s[1])):
        if start >= last:
            yield start, end
            last = end
