"""What the finders of arms share: a text without doses and brackets, and lists of names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.extract.arm_names import mask_brackets, mask_doses, trim
from pipeline.extract.sentences import Sentence
from pipeline.extract.starts import Starts

Span = tuple[int, int]
Spans = list[Span]
Sentences = tuple[Sentence, ...]
#: More arms than this are a list of something else.
MOST = 5
INTO = Starts(
    re.compile(
        r"\b(?:to\s+(?:either\s+)?(?:receiv(?:e|ing)|undergo|have|take|get|be\s+(?:treated|given)\s*(?:with)?)"
        r"|receiv(?:e|ed|ing)|underwent|treated\s+with"
        r"|into(?:\s+[\w-]+){0,4}\s+(?:groups?|arms)\s*(?:[:,]|of|as|to\s+receive|receiving)?"
        r"|to(?:\s+[\w-]+){1,5}\s+(?:groups?|arms)\s*[:,]|to|between|into)\b\s*[:,]?\s*",
        re.IGNORECASE,
    )
)
#: What joins two treatments of one arm.
_JOINS = re.compile(
    r"\b(?:(?:in|as)\s+(?:combination|association|conjunction)\s+(?:with|to)"
    r"|(?:combined|together|along|concomitantly|concurrently)\s+with|in\s+addition\s+to)\b",
    re.IGNORECASE,
)
_STOP = re.compile(r"[.;](?=\s|$)|\n")


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the same without doses and lengths of time, and that without brackets."""

    text: str
    plain: str
    masked: str
    sentences: Sentences


def masks(text: str, sentences: Sentences) -> Text:
    """Return a text with what stands in the way of its names blanked out."""
    plain = _JOINS.sub(_plus, mask_doses(text))
    return Text(text, plain, mask_brackets(plain), sentences)


def _plus(match: re.Match[str]) -> str:
    """A "plus" at the end of as many blanks as the match has characters more."""
    return "plus".rjust(len(match.group()))


@dataclass(frozen=True, slots=True)
class Listed:
    """Names of arms that one phrase lists, in its order, with the stretch that each stands in.

    `trust` says how surely such a phrase lists arms; `ordered` that the last is compared with.
    """

    names: tuple[Span, ...]
    pieces: tuple[Span, ...]
    trust: float
    ordered: bool = False
    letters: tuple[str, ...] = ()


def clause_end(masked: str, start: int, limit: int) -> int:
    """Where the sentence ends: a full stop before a blank, or a semicolon."""
    stop = _STOP.search(masked, start, min(limit, len(masked)))
    return stop.start() if stop else min(limit, len(masked))


def split(masked: str, start: int, end: int, at: re.Pattern[str]) -> Spans:
    """The pieces of a stretch between the matches of a pattern."""
    cuts = list(at.finditer(masked, start, end))
    starts = [start, *(m.end() for m in cuts)]
    return list(zip(starts, [*(m.start() for m in cuts), end], strict=True))


def names_in(masked: str, pieces: Spans) -> tuple[Spans, Spans]:
    """The names that pieces hold, up to the first that holds none or goes on as a clause."""
    found: Spans = []
    for piece in pieces:
        name = trim(masked, *piece)
        if name is None:
            break
        found.append(name)
        if len(masked[name[1] : piece[1]].split()) > 9:
            break
    stops = [*(start for start, _ in pieces[1:]), pieces[-1][1]]
    whole = [(start, stop) for (start, _), stop in zip(pieces, stops, strict=True)]
    return found, whole[: len(found)]
