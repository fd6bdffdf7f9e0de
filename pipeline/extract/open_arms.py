"""Finds two arms of whatever treatment: "assigned to X or Y", "X versus Y"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.lexicon import rules

Span = tuple[int, int]

_PHRASE = r"[A-Za-z0-9][^.;:]{1,90}?"
_END = (
    r"(?=\s*(?:[.;:,]|$)|\s+(?:for|in|after|before|during|every|within|at|as|when|followed|given|once|daily|"
    r"using|over|until|on|among|if|by|from|were|was)\b)"
)
_ASSIGNED = re.compile(
    r"\b(?:randomi[sz]ed|randomi[sz]ation|randomly\s+(?:assigned|allocated)|assigned|allocated)\b[^.;]{0,80}?"
    r"\b(?:to\s+receive|to|between|receive)\s+(?:either\s+)?"
    rf"(?P<x>{_PHRASE})\s*,?\s+(?:or|versus|vs\.?|and)\s+(?:to\s+)?(?P<y>{_PHRASE}){_END}",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:compar(?:ed|ing|es|ison\s+of|ison\s+between)|trial\s+of|study\s+of|effects?\s+of|efficacy\s+of|between)\s+"
    rf"(?P<x>{_PHRASE})\s+(?:with|to|versus|vs\.?|and|or)\s+(?P<y>{_PHRASE}){_END}",
    re.IGNORECASE,
)
_VERSUS = re.compile(
    rf"(?:^|[.:]\s+|\bof\s+|\b(?:to|with)\s+)(?P<x>{_PHRASE})\s+(?:versus|vs\.?|compared\s+(?:with|to))\s+(?P<y>{_PHRASE}){_END}",
    re.IGNORECASE | re.MULTILINE,
)
_NOISE = re.compile(
    r"^(?:(?:a|an|the|either|receive|receiving|treatment|therapy|with|of|to|adjuvant|oral|additional|"
    r"\d+|one|two|three|four|six|cycles|courses|weeks|months|years|mg|g|phase|III?|randomi[sz]ed|trial|study)\s+)+",
    re.IGNORECASE,
)
_COMPARATOR = re.compile(
    r"\b(?:placebo|controls?|usual|standard|conventional|no|alone|observation|sham|wait\w*|without|routine|delayed)\b",
    re.I,
)
#: Words that name no treatment.
_COMMON = frozenset(word for row in rules("common_words") for word in row["terms"])
_ABBREVIATION = re.compile(r"\s*\(\s*([A-Z][A-Za-z+/-]{1,11})\b(?!\s*=)")


def find(text: str) -> list[ArmSpan]:
    """Return the two arms that a text compares, or none.

    The comparator is the one called placebo, control, usual or standard, else the second named.
    """
    masked = _mask(text)
    for pattern in (_ASSIGNED, _VERSUS, _COMPARED):
        for match in pattern.finditer(masked):
            pair = [_trim(text, match.span(name)) for name in ("x", "y")]
            arms = _arms(text, pair)
            if len(arms) == 2:
                return arms
    return []


def _mask(text: str) -> str:
    """Blank out what stands in brackets, and the points of decimals, at the same offsets."""
    for _ in range(2):
        text = re.sub(r"[(\[][^()\[\]]*[)\]]", lambda m: " " * len(m.group()), text)
    return re.sub(r"(?<=\d)\.(?=\d)", "·", text)


def _trim(text: str, span: Span) -> Span:
    """Leave out leading words that name no treatment and a trailing dose or bracket."""
    start, end = span
    lead = _NOISE.match(text[start:end])
    start += lead.end() if lead else 0
    stop = re.search(r"\s*[(\[]|\s+\d|,", text[start:end])
    return start, start + stop.start() if stop and stop.start() > 2 else end


def _arms(text: str, pair: list[Span]) -> list[ArmSpan]:
    """Build the arms, each with the words that name it and not the other."""
    words = [list(_words(text, span)) for span in pair]
    shared = {w.lower() for w in words[0]} & {w.lower() for w in words[1]}
    own = [[w for w in some if w.lower() not in shared][:6] for some in words]
    names = [text[a:b].strip() for a, b in pair]
    if not all(names) or not any(own) or names[0].lower() == names[1].lower():
        return []
    cues = [bool(_COMPARATOR.search(name)) for name in names]
    second = cues[1] or not cues[0]
    found = []
    for k, (name, span) in enumerate(zip(names, pair, strict=True)):
        comparator = second == (k == 1)
        places = _mentions(text, own[k] or [name], comparator=comparator)
        kind = "placebo" if "placebo" in name.lower() else "open"
        found.append(
            ArmSpan(name, "comparator" if comparator else "intervention", kind, name, span, places)
        )
    return found if all(arm.mentions for arm in found) else []


def _words(text: str, span: Span) -> Iterator[str]:
    """The words of a phrase that name a treatment, and the abbreviation behind it."""
    for word in re.findall(r"[A-Za-z][A-Za-z0-9+-]{2,}", text[slice(*span)]):
        if word.lower() not in _COMMON:
            yield word
    short = _ABBREVIATION.match(text, span[1])
    if short:
        yield short.group(1)
    if "control" in text[slice(*span)].lower():
        yield "control"


def _mentions(text: str, words: list[str], *, comparator: bool) -> tuple[Span, ...]:
    """Every place where one of the words stands, or the arm is called by its role."""
    role = (
        r"controls?(?:\s+(?:group|arm))?"
        if comparator
        else r"(?:intervention|experimental)\s+(?:group|arm)"
    )
    body = "|".join([*(rf"{re.escape(w)}s?" for w in words), role])
    return tuple(
        m.span() for m in re.finditer(rf"(?<![\w-])(?:{body})(?![\w])", text, re.IGNORECASE)
    )
