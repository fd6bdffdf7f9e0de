"""Finds the arms of a trial of whatever treatments, their names and their roles."""

from __future__ import annotations

import re

from pipeline.extract import arm_groups, arm_lists
from pipeline.extract.arm_mentions import Named, definitions, places
from pipeline.extract.arm_names import is_comparator, is_generic
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.arm_text import Listed, masks
from pipeline.extract.lexicon import lexicon
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]

#: A list of names with less evidence than this names no arms.
THRESHOLD = 2.0
#: The evidence that a study not said to be a trial has arms.
STRONG = 5.0


_GIVEN = re.compile(
    r"\b(?:receiv(?:ed|ing|e)|treated\s+with|given|assigned\s+to|on|versus|vs\.?|than)\s+(?:the\s+)?$"
)
_GROUP = re.compile(
    r"(?:-treated|\s*(?:[(][^()]{1,20}[)])?\s*(?:groups?|arms?|treated))\b", re.IGNORECASE
)
_SIZE = re.compile(r"\s*[(\[,][^()\[\]]{0,50}\bn\s*=", re.IGNORECASE)


def find(text: str, sentences: tuple[Sentence, ...], *, least: float = THRESHOLD) -> list[ArmSpan]:
    """Return the arms that a text compares, or none.

    Parameters
    ----------
    text : str
    sentences : tuple of Sentence
        Its sentences; the first stands for the title where the record has none.
    least : float
        The evidence below which a list of names is none of arms.
    """
    page = masks(text, sentences)
    if not sentences:
        return []
    lists = list(arm_lists.find(page))
    title_end = sentences[min(1, len(sentences) - 1)].end
    scores = [_evidence(text, found, title_end) for found in lists]
    if not lists or max(scores) < least:
        return []
    best = lists[scores.index(max(scores))]
    defined = definitions(text)
    names = _named(text, best, defined)
    ordered = best.ordered
    for found, score in zip(lists, scores, strict=True):
        if found is not best and score >= THRESHOLD:
            ordered |= _merge(names, _named(text, found, defined), found.ordered and not ordered)
    return _arms(text, names, arm_groups.subject(page), ordered, defined)


def _named(text: str, found: Listed, defined: dict[str, str]) -> list[Named]:
    """The names of a list with what stands beside them."""
    pairs = zip(found.names, found.pieces, strict=True)
    names = [Named(text, name, piece, defined) for name, piece in pairs]
    for name, letter in zip(names, found.letters, strict=False):
        name.shorts.add(letter)
    return names


def _evidence(text: str, found: Listed, title_end: int) -> float:
    """How much a list looks like the arms of a trial.

    Sizes, "group" or "receiving" beside the names and a name that says comparator speak for it.
    """
    names = [text[slice(*span)] for span in found.names]
    points = [_name_evidence(text, name, title_end) for name in names]
    cue = any(is_comparator(n) for n in names)
    generic = 1.5 * sum(map(is_generic, names)) / len(names)
    return found.trust + sum(points) / len(points) + min(points) + 2.0 * cue - generic


def _name_evidence(text: str, name: str, title_end: int) -> float:
    """How much the places of a name look like an arm's."""
    lower, key = text.lower(), name.lower()
    given = group = size = title = 0.0
    place = lower.find(key)
    for _ in range(12):
        if place < 0:
            break
        end = place + len(key)
        given += 0.3 * bool(_GIVEN.search(lower[max(0, place - 24) : place]))
        group += 0.5 * bool(_GROUP.match(text, end))
        size += bool(_SIZE.match(text, end))
        title += 0.5 * (place < title_end)
        place = lower.find(key, end)
    return sum(min(p, 1.0) for p in (given, group, size, title))


def _merge(names: list[Named], others: list[Named], ordered: bool) -> bool:
    """Add the names of another list to the arms they stand for: by shared words, else by role.

    Returns whether the other list says which arm is compared with.
    """
    if len(names) != 2 or len(others) != 2:
        return False
    turned = _turned(names, others)
    if turned is None:
        return False
    pairs = list(zip(names, others[::-1] if turned else others, strict=True))
    strange = [pair for pair in pairs if not pair[0].likeness(pair[1])]
    if len(strange) == 1 and not _may_be_one(*strange[0]):
        return False
    for name, other in pairs:
        name.add(other)
    if ordered and turned:
        names.reverse()
    return ordered


def _turned(names: list[Named], others: list[Named]) -> bool | None:
    """Whether another list names the two arms in the other order; None where none can tell."""
    straight = sum(a.likeness(b) for a, b in zip(names, others, strict=True))
    crossed = sum(a.likeness(b) for a, b in zip(names, reversed(others), strict=True))
    if straight != crossed:
        return crossed > straight
    mine, theirs = ([n.comparator for n in some] for some in (names, others))
    return mine != theirs if sorted(mine) == sorted(theirs) == [False, True] else None


def _may_be_one(one: Named, other: Named) -> bool:
    """Whether two names without a common word may be one arm's: a part, or both compared with."""
    return one.generic or other.generic or (one.comparator and other.comparator)


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
        arms.append(ArmSpan(label, role, kind, _treatment(label), span, spans, name.n))
    return arms if all(arm.mentions for arm in arms) else []


def _treatment(label: str) -> str:
    """What an arm had: a known treatment's common name, else the label."""
    terms = lexicon("treatments").find(label)
    whole = len(terms) == 1 and terms[0].end - terms[0].start == len(label)
    return str(terms[0].name) if whole else label


def _about(text: str, tried: Named, other: Named, subject: Span, defined: dict[str, str]) -> None:
    """The title is about the arm that is tried, where it shares no word with the comparator."""
    title = Named(text, subject, subject, defined)
    if not title.likeness(other):
        tried.titles += [*title.names, *sorted(title.shorts)]
        if all(is_generic(n) for n in tried.names):
            tried.spans.append(subject)


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
    less = less or [k for k, n in enumerate(names) if any(o.holds(n) for o in names if o is not n)]
    return less[0] if len(less) == 1 else len(names) - 1
