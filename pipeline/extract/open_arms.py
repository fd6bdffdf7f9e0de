"""Finds the arms of a trial of whatever treatments: "assigned to X or Y", "X versus Y"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extract.arm_mentions import Named, places
from pipeline.extract.arm_names import is_comparator, is_generic, is_name, mask, trim, words
from pipeline.extract.arm_sizes import ArmSpan
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]
Spans = list[Span]

#: More arms than this are a list of something else.
MOST = 5
#: How far behind "randomised" the names of the arms are looked for.
REACH = 330
_RANDOMISED = re.compile(
    r"\b(?:randomi[sz]ed|randomi[sz]ation|randomly|assigned|allocated|divided|categori[sz]ed)\b",
    re.IGNORECASE,
)
_INTO = re.compile(
    r"\b(?:to\s+(?:either\s+)?(?:receiv(?:e|ing)|undergo|have|take|get|be\s+(?:treated|given)\s*(?:with)?)"
    r"|receiv(?:e|ed|ing)|underwent|treated\s+with"
    r"|into(?:\s+[\w-]+){0,4}\s+(?:groups?|arms)\s*(?:[:,]|of|as|to\s+receive|receiving)?"
    r"|to(?:\s+[\w-]+){1,5}\s+(?:groups?|arms)\s*[:,]|to|between|into|in)\b\s*[:,]?\s*",
    re.IGNORECASE,
)
_OR = re.compile(r"\s*,?\s+(?:or|versus|vs|v)\s+(?:to\s+(?:receive\s+)?)?", re.IGNORECASE)
_AND = re.compile(r"\s*,?\s+and\s+(?:to\s+(?:receive\s+)?)?|\s*,\s+", re.IGNORECASE)
_COMMA = re.compile(r"\s*,\s+(?:(?:or|and)\s+)?(?:to\s+(?:receive\s+)?)?")
_VERSUS = re.compile(
    r"\s(?:versus|vs|v|compared\s+(?:with|to|against)|in\s+comparison\s+(?:with|to)|against)\s",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:^|[.:;,?]|\b(?:of|comparing|comparison|between|evaluating|evaluated|evaluates|that|assess|testing|"
    r"whether|is|are|was|were|compared|compares|compare|investigating|receiving|given|for|in|on|adding)\b)\s*"
    r"(?=[^.:;?]{1,110}$)",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\b(?:compar(?:e|ed|es|ing|isons?\s+(?:of|between))|difference\s+between|between)\s+",
    re.IGNORECASE,
)
_OF_BOTH = re.compile(
    r"^[^.;:]{0,90}?\b(?:efficacy|safety|effects?|effectiveness|tolerability|toxicity|activity|outcomes?|"
    r"survival|quality|impact|use|results?|rates?|costs?|incidence|benefits?|influence|profiles?)\b[^.;:]{0,50}?"
    r"\b(?:of|between|with|for)\s+",
    re.IGNORECASE,
)
_AGAINST = re.compile(r"\s+(?:with|to|versus|vs|against)\s+(?:that\s+of\s+)?", re.IGNORECASE)
_GROUP = re.compile(r"\b(?:groups?|arms?)\b", re.IGNORECASE)
_BACK = re.compile(
    r"(?:^|[\s(/,])(?:the|a|an|in|of|for|to|with|between|among|both|from|than|by|versus|vs|or|as|each|on|within|"
    r"this|that|our|is|was|were|are|had|per|into|formed|called|all|we|two|three)\s+(?=[^,.;:()]{2,50}$)",
    re.IGNORECASE,
)
_WITHOUT = re.compile(
    r"\bwith\s+(?P<x>or|and|versus|vs)\s+(?P<y>without)\s+(?P<name>[A-Za-z][^.;:,]{2,60})",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^\W*(?:[^.:]{0,90}?\b(?:effects?|efficacy|effectiveness|impact|influence|role|benefits?|use|safety|"
    r"trial|study|evaluation|addition|adding|assessment|feasibility|value|activity)\s+"
    r"(?:and\s+\w+\s+)?(?:of|with)\s+(?P<of>[^.:]{3,120})"
    r"|(?P<first>[^.:]{3,120}))",
    re.IGNORECASE,
)
_SUBJECT_END = re.compile(
    r"\s+(?:on|in|for|to|as|during|after|before|and\s+(?:its|the|their)|among|improves?|reduces?|does|do|"
    r"may|can|following|among|decreases?|increases?|prevents?|enhances?|is|are|has|have|alleviates?|attenuates?|"
    r"using|at|with|versus|vs|compared|plus\s+standard|by|from|through|protects?|influences?|affects?)\s",
    re.IGNORECASE,
)
_CONTROL_WORD = re.compile(
    r"\b(?P<placebo>placebo|sham)\b|\b(?P<care>(?:usual|standard|routine)\s+care|observation|no\s+(?:further\s+)?"
    r"treatment|wait(?:ing)?[\s-]?list)\b|\b(?P<control>controls?)\b(?=\s+(?:groups?|arms?|subjects|"
    r"patients|participants|women)\b|\s*[.,;)(])",
    re.IGNORECASE,
)
_LETTER = re.compile(r"\b(?:groups?|arms?)\s+(?P<x>[A-D]|[1-4]|I{1,3}|IV)\b(?!\s*[/%])", re.I)
_SIZE = re.compile(
    rf"(?:[(\[]|[,;]\s)\s*(?:[^()\[\]=]{{0,40}}[;,]\s*)?(?:n\s*=\s*(?P<n>\d[\d,]*)|(?P<m>{COUNT})"
    rf"(?:\s+(?:{PEOPLE}))?)\s*[)\];,]",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The arms that one phrase names, in its order."""

    spans: tuple[Span, ...]
    strength: int


def find(text: str, sentences: tuple[Sentence, ...]) -> list[ArmSpan]:
    """Return the arms that a text compares, or none.

    Parameters
    ----------
    text : str
    sentences : tuple of Sentence
        Its sentences; the first stands for the title where the record has none.
    """
    masked = mask(text)
    lists = list(_lists(text, masked, sentences))
    if not lists:
        return []
    first = lists[0]
    names = [Named(text, span) for span in first]
    for other in lists[1:]:
        _merge(names, [Named(text, span) for span in other])
    subject = _subject(masked, sentences)
    return _arms(text, masked, names, subject)


def _lists(text: str, masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """Yield the lists of names that speak of arms, the surest first."""
    finders = (_assigned, _versus, _with_or_without, _groups, _compared)
    for finder in finders:
        for spans in finder(masked, sentences):
            if 2 <= len(spans) <= MOST and _differ(text, spans):
                yield spans
                break
    one = _one_sided(masked, sentences)
    if len(one) == 2 and _differ(text, one):
        yield one


def _differ(text: str, spans: Spans) -> bool:
    """Whether the names of a list are not the same."""
    names = [re.sub(r"\W+", " ", text[a:b]).strip().lower() for a, b in spans]
    return len(set(names)) == len(names)


def _assigned(masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """ "randomised to X or Y", "randomly divided into two groups: X and Y"."""
    for match in _RANDOMISED.finditer(masked):
        end = _clause_end(masked, match.end(), match.end() + REACH)
        for into in _INTO.finditer(masked, match.end(), end):
            spans = _coordinated(masked, into.end(), end)
            if len(spans) > 1:
                yield spans
                break


def _clause_end(masked: str, start: int, limit: int) -> int:
    """Where the sentence ends: a full stop before a blank, or a semicolon."""
    stop = re.compile(r"[.;](?=\s|$)|\n").search(masked, start, min(limit, len(masked)))
    return stop.start() if stop else min(limit, len(masked))


def _coordinated(masked: str, start: int, end: int) -> Spans:
    """The names that stand side by side: "X or Y", "X, Y, or Z"; "X and Y" without an "or"."""
    pieces = _split(masked, start, end, _OR)
    if len(pieces) > 1:
        head = pieces[0]
        parts = _split(masked, *head, _COMMA) if _plain_list(masked, head) else [head]
        return _names(masked, [*parts, *pieces[1:]])
    both = _split(masked, start, end, _AND)
    return _names(masked, both[:MOST]) if len(both) > 1 else []


def _plain_list(masked: str, span: Span) -> bool:
    """Whether commas separate arms here, not the drugs of one: "A, B" before "or C"."""
    return not re.search(r"\b(?:and|plus|with|followed)\b|\+", masked[slice(*span)])


def _split(masked: str, start: int, end: int, at: re.Pattern[str]) -> Spans:
    """The pieces of a stretch between the matches of a pattern."""
    cuts = list(at.finditer(masked, start, end))
    starts = [start, *(m.end() for m in cuts)]
    return list(zip(starts, [*(m.start() for m in cuts), end], strict=True))


def _names(masked: str, pieces: Spans) -> Spans:
    """The names that pieces hold; none if the first two do not both hold one."""
    found: Spans = []
    for piece in pieces:
        name = trim(masked, *piece)
        if name is None:
            break
        found.append(name)
        if _ends_early(masked, name, piece):
            rest = masked[name[1] : piece[1]]
            if piece != pieces[-1] and len(rest.strip()) > 60:
                break
    return found


def _ends_early(masked: str, name: Span, piece: Span) -> bool:
    """Whether a piece goes on behind its name."""
    return len(masked[name[1] : piece[1]].strip()) > 0


def _versus(masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """ "X versus Y", in the title first."""
    for sentence in sentences[:8]:
        for match in _VERSUS.finditer(masked, sentence.start, sentence.end):
            low = max(sentence.start, match.start() - 130)
            left = [m.end() for m in _LEFT.finditer(masked, low, match.start())]
            for start in sorted({low, *left}) if left else [low]:
                one = trim(masked, start, match.start())
                two = trim(masked, match.end(), _clause_end(masked, match.end(), sentence.end))
                if one and two and masked[one[1] : match.start()].strip() == "":
                    yield [one, two]
                    break


def _compared(masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """ "comparing X with Y", "compare the efficacy and safety of X and Y"."""
    for sentence in sentences:
        for match in _COMPARE.finditer(masked, sentence.start, sentence.end):
            end = _clause_end(masked, match.end(), min(sentence.end, match.end() + 220))
            prefix = _OF_BOTH.match(masked[match.end() : end])
            start = match.end() + (prefix.end() if prefix else 0)
            for at in (_AGAINST, _AND):
                pieces = _split(masked, start, end, at)[:2]
                spans = _names(masked, pieces) if len(pieces) > 1 else []
                if len(spans) == 2:
                    yield spans


def _with_or_without(masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """ "chemotherapy with or without X"."""
    for match in _WITHOUT.finditer(masked):
        name = trim(masked, *match.span("name"))
        if name:
            yield [name, (match.start("y"), name[1])]


def _groups(masked: str, sentences: tuple[Sentence, ...]) -> Iterator[Spans]:
    """Names that stand before "group" or "arm", those that the text uses most."""
    seen: dict[str, Span] = {}
    counts: Counter[str] = Counter()
    for match in _GROUP.finditer(masked):
        for name in _before_group(masked, match.start()):
            key = masked[slice(*name)].lower()
            seen.setdefault(key, name)
            counts[key] += 1
    often = [k for k, c in counts.most_common(4) if c > 1] or list(counts)
    if len(often) == 1:
        often = [*often, *(k for k in counts if k not in often)]
    best = [seen[k] for k in often[:2]]
    if len(best) == 2:
        yield sorted(best)


def _before_group(masked: str, end: int) -> Spans:
    """The one or two names before "group": "the X group", "the X and Y groups"."""
    low = max(0, end - 60)
    back = list(_BACK.finditer(masked, low, end))
    if not back:
        return []
    start = back[-1].end()
    parts = _split(masked, start, end, re.compile(r"\s+(?:and|or)\s+"))
    found = []
    for a, b in parts:
        name = trim(masked, a, b)
        if name and name[1] == b - (len(masked[a:b]) - len(masked[a:b].rstrip(" -"))):
            found.append(name)
    return found if len(found) == len(parts) and len(found) < 3 else []


def _one_sided(masked: str, sentences: tuple[Sentence, ...]) -> Spans:
    """What the title tries, and the placebo or control that the text names."""
    subject = _subject(masked, sentences)
    controls = list(_CONTROL_WORD.finditer(masked))
    if subject is None or not controls:
        return []
    order = {"placebo": 0, "care": 1, "control": 2}
    best = min(controls, key=lambda m: (order[str(m.lastgroup)], m.start()))
    return [subject, best.span()]


def _subject(masked: str, sentences: tuple[Sentence, ...]) -> Span | None:
    """The treatment that the title is about: "Effect of X on ...", "X in patients with ..."."""
    if not sentences:
        return None
    start, end = sentences[0].start, sentences[0].end
    match = _SUBJECT.match(masked[start:end])
    if match is None:
        return None
    which = "of" if match["of"] else "first"
    low, high = (start + k for k in match.span(which))
    stop = _SUBJECT_END.search(masked, low, high)
    if stop is None and which == "first":
        return None
    name = trim(masked, low, stop.start() if stop else high)
    return name if name and not is_comparator(masked[slice(*name)]) else None


def _merge(names: list[Named], others: list[Named]) -> None:
    """Add the names of another list to the arms they stand for: by shared words, else by role."""
    if len(names) != 2 or len(others) != 2:
        return
    straight = sum(a.likeness(b) for a, b in zip(names, others, strict=True))
    crossed = sum(a.likeness(b) for a, b in zip(names, reversed(others), strict=True))
    if straight == crossed:
        mine, theirs = ([n.comparator for n in some] for some in (names, others))
        if sorted(mine) != [False, True] or sorted(theirs) != [False, True]:
            return
        straight, crossed = (1, 0) if mine == theirs else (0, 1)
    pairs = zip(names, others if straight > crossed else reversed(others), strict=True)
    for name, other in pairs:
        name.add(other)


def _arms(text: str, masked: str, names: list[Named], subject: Span | None) -> list[ArmSpan]:
    """Build the arms with their roles and the places that name them."""
    compared = _comparator(names)
    if subject and len(names) == 2:
        tried = names[1 - compared]
        if all(is_generic(n) for n in tried.names):
            tried.add(Named(text, subject))
    found = places(text, masked, names, compared)
    arms = []
    for k, (name, spans) in enumerate(zip(names, found, strict=True)):
        span = name.label
        label = text[slice(*span)]
        kind = "placebo" if "placebo" in label.lower() else "open"
        role = "comparator" if k == compared else "intervention"
        arms.append(ArmSpan(label, role, kind, label, span, spans))
    return arms if all(arm.mentions for arm in arms) else []


def _comparator(names: list[Named]) -> int:
    """Which arm the others are compared with.

    The one called placebo, control, usual or alone; else the one whose treatments the other also
    had; else the last.
    """
    cues = [k for k, n in enumerate(names) if n.comparator]
    if cues:
        pure = [k for k in cues if names[k].generic_control]
        return (pure or cues)[-1]
    parts = [n.words for n in names]
    less = [k for k in range(len(names)) if any(parts[k] < p for p in parts)]
    return less[0] if len(less) == 1 else len(names) - 1
