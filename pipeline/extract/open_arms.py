"""Finds the arms of a trial of whatever treatments, their names and their roles."""

from __future__ import annotations

import re

from pipeline.extract import arm_lists
from pipeline.extract.arm_lists import Listed
from pipeline.extract.arm_mentions import Named, definitions, places
from pipeline.extract.arm_names import is_generic, mask
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]

#: A list of names with less evidence than this names no arms.
THRESHOLD = 3.0


def find(text: str, sentences: tuple[Sentence, ...]) -> list[ArmSpan]:
    """Return the arms that a text compares, or none.

    Parameters
    ----------
    text : str
    sentences : tuple of Sentence
        Its sentences; the first stands for the title where the record has none.
    """
    masked = mask(text)
    lists = list(arm_lists.find(text, masked, sentences))
    scores = [_evidence(text, found, sentences) for found in lists]
    if not lists or max(scores) < THRESHOLD:
        return []
    best = lists[scores.index(max(scores))]
    defined = definitions(text)
    names = _named(text, best, defined)
    ordered = best.ordered
    for found, score in zip(lists, scores, strict=True):
        if found is not best and score >= THRESHOLD:
            ordered |= _merge(names, _named(text, found, defined), found.ordered)
    return _arms(text, names, arm_lists.subject(masked, sentences), ordered, defined)


def _named(text: str, found: Listed, defined: dict[str, str]) -> list[Named]:
    """The names of a list with what stands beside them."""
    pairs = zip(found.names, found.pieces, strict=True)
    return [Named(text, name, piece, defined) for name, piece in pairs]


def _evidence(text: str, found: Listed, sentences: tuple[Sentence, ...]) -> float:
    """How much a list looks like the arms of a trial.

    Sizes, "group" or "receiving" beside the names and a name that says comparator speak for it.
    """
    title_end = sentences[min(1, len(sentences) - 1)].end
    points = [_name_evidence(text, span, title_end) for span in found.names]
    names = [Named(text, span, span, {}) for span in found.names]
    cue = any(n.comparator for n in names)
    generic = 1.5 * sum(is_generic(n.names[0]) for n in names) / len(names)
    return found.trust + sum(points) / len(points) + min(points) + 1.5 * cue - generic


def _name_evidence(text: str, span: Span, title_end: int) -> float:
    """How much the places of a name look like an arm's."""
    name = re.escape(text[slice(*span)].strip()).replace(r"\ ", r"\s+")
    around = re.compile(
        rf"(?P<given>\b(?:receiv(?:ed|ing|e)|treated\s+with|given|assigned\s+to|on|versus|vs\.?|than)\s+(?:the\s+)?)?"
        rf"(?<![\w-]){name}(?:-treated)?(?P<group>\s*(?:[(][^()]{{1,20}}[)])?\s*(?:groups?|arms?|-treated)\b)?"
        r"(?P<size>\s*[(\[,][^()\[\]]{0,50}\bn\s*=)?(?!\w)",
        re.IGNORECASE,
    )
    points = {"given": 0.0, "group": 0.0, "size": 0.0, "title": 0.0}
    for match in list(around.finditer(text))[:12]:
        points["given"] += 0.3 * bool(match["given"])
        points["group"] += 0.5 * bool(match["group"])
        points["size"] += 1.0 * bool(match["size"])
        points["title"] += 0.5 * (match.start() < title_end)
    return sum(min(p, 1.0) for p in points.values())


def _merge(names: list[Named], others: list[Named], ordered: bool) -> bool:
    """Add the names of another list to the arms they stand for: by shared words, else by role.

    Returns whether the other list says which arm is compared with.
    """
    if len(names) != 2 or len(others) != 2:
        return False
    straight = sum(a.likeness(b) for a, b in zip(names, others, strict=True))
    crossed = sum(a.likeness(b) for a, b in zip(names, reversed(others), strict=True))
    if straight == crossed:
        mine, theirs = ([n.comparator for n in some] for some in (names, others))
        if sorted(mine) != [False, True] or sorted(theirs) != [False, True]:
            return False
        straight, crossed = (1, 0) if mine == theirs else (0, 1)
    pairs = zip(names, others if straight > crossed else reversed(others), strict=True)
    for name, other in pairs:
        name.add(other)
    if ordered and crossed > straight:
        names.reverse()
    return ordered


def _arms(
    text: str, names: list[Named], subject: Span | None, ordered: bool, defined: dict[str, str]
) -> list[ArmSpan]:
    """Build the arms with their roles and the places that name them."""
    compared = _comparator(names)
    if subject and len(names) == 2 and names[compared].comparator:
        _about(text, names[1 - compared], names[compared], subject, defined)
    found = places(text, names, compared)
    arms = []
    for k, (name, spans) in enumerate(zip(names, found, strict=True)):
        span = name.label
        label = text[slice(*span)]
        kind = "placebo" if "placebo" in label.lower() else "open"
        role = "comparator" if k == compared else "intervention"
        arms.append(ArmSpan(label, role, kind, label, span, spans))
    return arms if all(arm.mentions for arm in arms) else []


def _about(
    text: str, tried: Named, other: Named, subject: Span, defined: dict[str, str]
) -> None:
    """The title is about the arm that is tried, where it shares no word with the comparator."""
    title = Named(text, subject, subject, defined)
    if not title.likeness(other):
        tried.add(title)


def _comparator(names: list[Named]) -> int:
    """Which arm the others are compared with.

    The one called placebo, control, usual or alone; else the one whose treatments the other also
    had; else the last.
    """
    cues = [k for k, n in enumerate(names) if n.comparator]
    if cues and len(cues) < len(names):
        pure = [k for k in cues if names[k].generic_control]
        return (pure or cues)[-1]
    if cues:
        pure = [k for k in cues if names[k].generic_control] or cues
        return min(pure, key=lambda k: (len(names[k].words), -k))
    parts = [n.words for n in names]
    less = [k for k in range(len(names)) if any(parts[k] < p for p in parts)]
    return less[0] if len(less) == 1 else len(names) - 1
