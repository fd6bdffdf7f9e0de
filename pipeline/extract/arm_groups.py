"""Finds arms by what stands beside their names: "group", a letter, a size, "placebo"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.extract.arm_names import is_comparator, trim
from pipeline.extract.arm_text import INTO, MOST, Listed, Span, Spans, Text, clause_end, split
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.starts import Starts

_BOTH = re.compile(r"(?<!\s)\s+(?:and|or)\s+")
_GROUP = Starts(re.compile(r"\b(?:groups?|arms?)\b", re.IGNORECASE))
_BACK = re.compile(
    r"(?:[\s(/,])(?:the|a|an|in|of|for|to|with|between|among|both|from|than|by|versus|vs|or|as|each|on|within|"
    r"this|that|our|is|was|were|are|had|per|into|formed|called|all|we|two|three)\s+(?=[^,.;:()]{2,50}$)",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(
    r"[(](?:n\s*=\s*)?\d{1,5}\s+(?:(?:in|to|on|with)\s+(?:the\s+)?)?(?P<x>[A-Za-z][^(),;:=%\d]{1,50})"
    r"\s*(?:[,;]|\band\b|\bvs\.?|\bversus\b)\s*(?:and\s+)?(?:n\s*=\s*)?\d{1,5}\s+"
    r"(?:(?:in|to|on|with)\s+(?:the\s+)?)?(?P<y>[A-Za-z][^(),;:=%\d]{1,50})[)]",
    re.IGNORECASE,
)
_TRIED = Starts(
    re.compile(
        r"\b(?P<x>intervention|experimental|treatment|study|test|exercise|training)"
        r"(?:\s+(?:and|or|versus|vs)\s+\w+)?\s+(?:groups?|arms?)\b",
        re.IGNORECASE,
    )
)
_CONTROLS = Starts(
    re.compile(
        r"\b(?P<x>controls?|placebo|comparison|usual[ -]care|sham)(?:\s+(?:and|or)\s+\w+)?"
        r"\s+(?:groups?|arms?)\b"
        r"|\b(?P<y>controls)\b",
        re.IGNORECASE,
    )
)
_MARKED = Starts(
    re.compile(
        rf"[(\[](?=[^()\[\]]{{0,60}}(?:\bn\s*=\s*\d|\b(?:groups?|arm)\s+(?:[A-D1-5]|I{{1,3}}|IV)\b|\d\s+(?:{PEOPLE})\b))"
        r"[^()\[\]]{1,120}[)\]]",
        re.IGNORECASE,
    )
)
_LETTER = Starts(
    re.compile(
        r"\b(?P<word>group|arm|cohort)\s+(?P<x>(?-i:[A-Z])|[1-5]|(?-i:I{1,3}|IV))\b(?![./%-])",
        re.IGNORECASE,
    )
)
_DESCRIBED = re.compile(
    r"\s*(?:[(\[:,]\s*(?:n\s*=\s*\d+\s*[)\];:,]\s*)?"
    r"|(?:[(\[]\s*n\s*=\s*\d+\s*[)\]]\s*)?(?:\w+\s+){0,2}(?:received|receiving|(?:was|were)\s+(?:given|treated\s+with)"
    r"|got|underwent|had|took|used)\s+)(?P<name>[A-Za-z0-9][^()\[\];:]{2,90})",
    re.IGNORECASE,
)
_BOUND = re.compile(
    r"(?:[,.;:()]|\b(?:to|or|and|receive|received|receiving|either|into|versus|vs|the|an|a|with|in|between|of|"
    r"underwent|for|group|arm)\b)\s*",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\W*(?:[^.:]{0,90}?\b(?:effects?|efficacy|effectiveness|impact|influence|role|benefits?|use|safety|"
    r"trial|study|evaluation|addition|adding|assessment|feasibility|value|activity)\s+"
    r"(?:and\s+\w+\s+)?(?:of|with)\s+(?P<of>[^.:]{3,120})|(?P<first>[^.:]{3,120}))",
    re.IGNORECASE,
)
_SUBJECT_END = re.compile(
    r"\s+(?:on|in|for|to|as|during|after|before|and\s+(?:its|the|their)|among|improves?|reduces?|does|do|"
    r"may|can|following|decreases?|increases?|prevents?|enhances?|is|are|has|have|alleviates?|attenuates?|"
    r"using|at|with|versus|vs|compared|plus\s+standard|by|from|through|protects?|influences?|affects?)\s",
    re.IGNORECASE,
)
_CONTROL_WORD = Starts(
    re.compile(
        r"\b(?P<placebo>placebo|sham)\b|\b(?P<care>(?:usual|standard|routine)\s+care|observation|no\s+(?:further\s+)?"
        r"treatment|wait(?:ing)?[\s-]?list)\b|\b(?P<control>controls?)\b(?=\s+(?:groups?|arms?|subjects|"
        r"patients|participants|women)\b|\s*[.,;)(])",
        re.IGNORECASE,
    )
)


def groups(page: Text) -> Iterator[Listed]:
    """Names that stand before "group" or "arm", those that the text uses most."""
    masked = page.masked
    seen: dict[str, Span] = {}
    counts: Counter[str] = Counter()
    for match in _GROUP.finditer(masked):
        for name in _before_group(masked, match.start()):
            key = masked[slice(*name)].lower()
            seen.setdefault(key, name)
            counts[key] += 1
    often = [seen[k] for k, _ in counts.most_common(3)]
    for other in often[1:]:
        spans = tuple(sorted((often[0], other)))
        yield Listed(spans, spans, 0.5)


def _before_group(masked: str, end: int) -> Spans:
    """The one or two names before "group": "the X group", "the X and Y groups"."""
    low = max(0, end - 60)
    back = list(_BACK.finditer(masked, low, end))
    if not back:
        return []
    parts = split(masked, back[-1].end(), end, _BOTH)
    found = []
    for a, b in parts:
        name = trim(masked, a, b)
        if name and not masked[name[1] : b].strip(" -"):
            found.append(name)
    return found if len(found) == len(parts) < 3 else []


def sized(page: Text) -> Iterator[Listed]:
    """Names with their sizes or letters in brackets: "X (n = 59) and Y (n = 58)"."""
    masked, text, sentences = page.masked, page.text, page.sentences
    for sentence in sentences:
        marks = list(_MARKED.finditer(text, sentence.start, sentence.end))[:MOST]
        names: Spans = []
        pieces: Spans = []
        for k, mark in enumerate(marks):
            low = marks[k - 1].end() if k else max(sentence.start, mark.start() - 150)
            name = _before_mark(masked, low, mark.start(), first=not k)
            if name:
                names.append(name)
                pieces.append((name[0], mark.end()))
        if len(names) > 1:
            yield Listed(tuple(names), tuple(pieces), 0.5)


def in_brackets(page: Text) -> Iterator[Listed]:
    """ "78 patients (40 diclofenac, 38 placebo)"."""
    for match in _IN_BRACKETS.finditer(page.plain):
        found = [trim(page.plain, *match.span(g)) for g in ("x", "y")]
        names = tuple(name for name in found if name is not None)
        if len(names) == 2:
            yield Listed(names, names, 1.5)


def _before_mark(masked: str, low: int, end: int, *, first: bool) -> Span | None:
    """The name that ends at a bracket: what stands between two, or behind "to receive"."""
    starts = [low]
    if first:
        into = [m.end() for m in INTO.finditer(masked, low, end)]
        starts = [*into, *(m.end() for m in _BOUND.finditer(masked, low, end))]
    for start in starts:
        name = trim(masked, start, end)
        if name and not masked[name[1] : end].strip(" ,"):
            return name
    return None


def lettered(page: Text) -> Iterator[Listed]:
    """Groups that are called by letters or numbers, each where it is described."""
    plain, text = page.plain, page.text
    first: dict[str, Span] = {}
    names: dict[str, Span] = {}
    pieces: dict[str, Span] = {}
    found = list(_LETTER.finditer(text))
    if len(found) < 2:
        return
    nexts = [*(m.start() for m in found[1:]), len(text)]
    for match, stop in zip(found, nexts, strict=True):
        letter = match["x"].upper()
        first.setdefault(letter, match.span())
        if letter not in pieces:
            pieces[letter] = (
                match.end(),
                min(stop, clause_end(text, match.end(), match.end() + 120)),
            )
        described = _DESCRIBED.match(plain, match.end())
        name = trim(plain, *described.span("name")) if described else None
        if name:
            names.setdefault(letter, name)
    letters = sorted(first)[:MOST]
    if len(letters) < 2:
        return
    labels = tuple(text[slice(*first[x])] for x in letters)
    if all(x in names for x in letters):
        spans = tuple(names[x] for x in letters)
        yield Listed(spans, tuple(pieces[x] for x in letters), 2.0, letters=labels)
    spans = tuple(first[x] for x in letters)
    often = len(found) > len(letters) and letters[0] in ("A", "1", "I")
    where = tuple(pieces[x] for x in letters)
    yield Listed(spans, where, 2.5 if often else 1.0, letters=labels)


def parts(page: Text) -> Iterator[Listed]:
    """ "the intervention group" and "the control group"."""
    tried = _TRIED.search(page.masked)
    compared = _CONTROLS.search(page.masked) if tried else None
    if tried and compared:
        spans = (tried.span("x"), compared.span(compared.lastgroup or "x"))
        yield Listed(spans, spans, 2.0, True)


def one_sided(page: Text) -> Iterator[Listed]:
    """What the title tries, and the placebo or control that the text names."""
    tried = subject(page)
    controls = list(_CONTROL_WORD.finditer(page.masked)) if tried is not None else []
    if tried is not None and controls:
        order = {"placebo": 0, "care": 1, "control": 2}
        best = min(controls, key=lambda m: (order[str(m.lastgroup)], m.start()))
        spans = (tried, best.span())
        yield Listed(spans, spans, 0.5, True)


def subject(page: Text) -> Span | None:
    """The treatment that the title is about: "Effect of X on ...", "X in patients with ..."."""
    masked, sentences = page.masked, page.sentences
    if not sentences:
        return None
    match = _SUBJECT.match(masked, sentences[0].start, sentences[0].end)
    if match is None:
        return None
    which = "of" if match["of"] else "first"
    low, high = match.span(which)
    stop = _SUBJECT_END.search(masked, low, high)
    if stop is None and which == "first":
        return None
    name = trim(masked, low, stop.start() if stop else high)
    return name if name and not is_comparator(masked[slice(*name)]) else None
