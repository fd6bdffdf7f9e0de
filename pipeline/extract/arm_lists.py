"""Finds the phrases of a text that list the arms of a trial: "assigned to X or Y", "X versus Y"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.extract.arm_names import is_comparator, mask_brackets, mask_doses, trim
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.numbers import COUNT
from pipeline.extract.sentences import Sentence

Span = tuple[int, int]
Spans = list[Span]
Sentences = tuple[Sentence, ...]

#: More arms than this are a list of something else.
MOST = 5
#: How many lists a finder may offer.
KEPT = 4
#: How far behind "randomised" the names of the arms are looked for.
REACH = 330
_RANDOMISED = re.compile(
    r"\b(?:randomi[sz]ed|randomi[sz]ation|randomly|assigned|allocated|divided|categori[sz]ed|"
    r"assigning|received|receiving|treated\s+with|underwent)\b",
    re.IGNORECASE,
)
_INTO = re.compile(
    r"\b(?:to\s+(?:either\s+)?(?:receiv(?:e|ing)|undergo|have|take|get|be\s+(?:treated|given)\s*(?:with)?)"
    r"|receiv(?:e|ed|ing)|underwent|treated\s+with"
    r"|into(?:\s+[\w-]+){0,4}\s+(?:groups?|arms)\s*(?:[:,]|of|as|to\s+receive|receiving)?"
    r"|to(?:\s+[\w-]+){1,5}\s+(?:groups?|arms)\s*[:,]|to|between|into)\b\s*[:,]?\s*",
    re.IGNORECASE,
)
_EITHER = re.compile(r"\b(?:either|one\s+of\s+(?:two|three|four|2|3|4)\s+\w+\s*:)\s+", re.IGNORECASE)
_OR = re.compile(r"(?<!\s)\s*,?\s+(?:or|versus|vs|v)\s+(?:to\s+(?:receive\s+)?)?", re.IGNORECASE)
_AND = re.compile(r"(?<!\s)\s*,?\s+and\s+(?:to\s+(?:receive\s+)?)?|(?<!\s)\s*,\s+", re.IGNORECASE)
_COMMA = re.compile(r"(?<!\s)\s*,\s+(?:(?:or|and)\s+)?(?:to\s+(?:receive\s+)?)?")
_COMBINES = re.compile(r"\b(?:and|plus|with|followed)\b|\+", re.IGNORECASE)
_VERSUS = re.compile(
    r"\s(?:versus|vs|v|(?:(?:was|were|is|are|as)\s+)?compared\s+(?:with|to|against)"
    r"|in\s+comparison\s+(?:with|to)|against|(?:or|and)(?=\s+(?:matching\s+)?placebo\b))\s",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:[.:;,?]|\b(?:of|comparing|comparison|between|evaluating|evaluated|evaluates|that|assess|testing|"
    r"whether|is|are|was|were|compared|compares|compare|investigating|receiving|given|for|in|on|adding|to|after|following)\b)\s*",
    re.IGNORECASE,
)
_COMPARE = re.compile(
    r"\b(?:compar(?:e|ed|es|ing|isons?\s+(?:of|between))|differences?\s+between|between)\s+",
    re.IGNORECASE,
)
_OF_BOTH = re.compile(
    r"[^.;:]{0,90}?\b(?:efficacy|safety|effects?|effectiveness|tolerability|toxicity|activity|outcomes?|"
    r"survival|quality|impact|use|results?|rates?|costs?|incidence|benefits?|influence|profiles?)\b[^.;:]{0,50}?"
    r"\b(?:of|between|with|for)\s+",
    re.IGNORECASE,
)
_AGAINST = re.compile(r"(?<!\s)\s+(?:with|to|versus|vs|against)\s+(?:that\s+of\s+)?", re.IGNORECASE)
_BOTH = re.compile(r"(?<!\s)\s+(?:and|or)\s+")
_GROUP = re.compile(r"\b(?:groups?|arms?)\b", re.IGNORECASE)
_BACK = re.compile(
    r"(?:[\s(/,])(?:the|a|an|in|of|for|to|with|between|among|both|from|than|by|versus|vs|or|as|each|on|within|"
    r"this|that|our|is|was|were|are|had|per|into|formed|called|all|we|two|three)\s+(?=[^,.;:()]{2,50}$)",
    re.IGNORECASE,
)
_OF_PEOPLE = re.compile(rf"\b(?:{PEOPLE}|those|mice|rats)\s+$", re.IGNORECASE)
_COUNTED = re.compile(
    rf"(?<![\w.·,/=-])(?P<n>{COUNT})\s+(?:(?:[\w-]+\s+)?(?:{PEOPLE})\s+)?(?:(?:were|was|to|had)\s+)?(?:randomly\s+)?"
    r"(?:(?:assigned|allocated|randomi[sz]ed)\s+to(?:\s+receive)?|received|receiving|given|treated\s+with|underwent|"
    r"to(?:\s+receive)?)\s+",
    re.IGNORECASE,
)
_WERE_COMPARED = re.compile(
    r"\b(?:of|effects|between)\s+(?P<x>[A-Za-z][^.;:]{2,70}?)\s+and\s+(?P<y>[A-Za-z][^.;:]{2,70}?)\s+(?:were|was)\s+"
    r"(?:then\s+)?compared\b",
    re.IGNORECASE,
)
_OR_PLACEBO = re.compile(
    r"(?P<x>[A-Za-z][\w-]{2,30}(?:\s+[\w-]{3,30})?)\s+(?:or|and|versus|vs\.?|than(?:\s+with)?)\s+(?:with\s+)?"
    r"(?:an?\s+|the\s+)?(?:matching\s+|identical\s+)?(?P<y>placebo)\b"
    r"|\b(?P<b>placebo)\s+(?:or|and|versus|vs\.?)\s+(?P<a>[A-Za-z][\w-]{3,30})",
    re.IGNORECASE,
)
_TRIED = re.compile(
    r"\b(?P<x>intervention|experimental|treatment|study|test|exercise|training)"
    r"(?:\s+(?:and|or|versus|vs)\s+\w+)?\s+(?:groups?|arms?)\b",
    re.IGNORECASE,
)
_CONTROLS = re.compile(
    r"\b(?P<x>controls?|placebo|comparison|usual[ -]care|sham)(?:\s+(?:and|or)\s+\w+)?\s+(?:groups?|arms?)\b"
    r"|\b(?P<y>controls)\b",
    re.IGNORECASE,
)
_WITHOUT = re.compile(
    r"\bwith\s+(?:or|and|versus|vs)\s+(?P<y>without)\s+(?P<name>[A-Za-z][^.;:,]{2,90})",
    re.IGNORECASE,
)
_MARKED = re.compile(
    rf"[(\[](?=[^()\[\]]{{0,60}}(?:\bn\s*=\s*\d|\b(?:groups?|arm)\s+(?:[A-D1-5]|I{{1,3}}|IV)\b|\d\s+(?:{PEOPLE})\b))"
    r"[^()\[\]]{1,120}[)\]]",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"\b(?P<word>group|arm|cohort)\s+(?P<x>(?-i:[A-Z])|[1-5]|(?-i:I{1,3}|IV))\b(?![./%-])", re.IGNORECASE
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
_CONTROL_WORD = re.compile(
    r"\b(?P<placebo>placebo|sham)\b|\b(?P<care>(?:usual|standard|routine)\s+care|observation|no\s+(?:further\s+)?"
    r"treatment|wait(?:ing)?[\s-]?list)\b|\b(?P<control>controls?)\b(?=\s+(?:groups?|arms?|subjects|"
    r"patients|participants|women)\b|\s*[.,;)(])",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text, the same without doses and lengths of time, and that without brackets."""

    text: str
    plain: str
    masked: str
    sentences: Sentences


def masks(text: str, sentences: Sentences) -> Text:
    """Return a text with what stands in the way of its names blanked out."""
    plain = mask_doses(text)
    return Text(text, plain, mask_brackets(plain), sentences)


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


def find(page: Text) -> Iterator[Listed]:
    """Yield the lists of names, of each finder the first few."""
    for finder in FINDERS:
        kept = 0
        for found in finder(page):
            if 2 <= len(found.names) <= MOST and _differ(page.text, found.names):
                yield found
                kept += 1
            if kept == KEPT:
                break


def _differ(text: str, spans: tuple[Span, ...]) -> bool:
    """Whether the names of a list are not the same."""
    names = [re.sub(r"\W+", " ", text[a:b]).strip().lower() for a, b in spans]
    return len(set(names)) == len(names)


def _assigned(page: Text) -> Iterator[Listed]:
    """ "randomised to X or Y", "randomly divided into two groups: X and Y"."""
    masked = page.masked
    for match in _RANDOMISED.finditer(masked):
        sure = match.group().lower()[:4] not in ("rece", "trea", "unde")
        start = match.end() if sure else match.start()
        end = clause_end(masked, start, start + REACH)
        for into in _INTO.finditer(masked, start, end):
            names, pieces = _coordinated(masked, into.end(), end, both=sure)
            if len(names) > 1:
                yield Listed(tuple(names), tuple(pieces), 3.0 if sure else 0.5)
                break


def clause_end(masked: str, start: int, limit: int) -> int:
    """Where the sentence ends: a full stop before a blank, or a semicolon."""
    stop = re.compile(r"[.;](?=\s|$)|\n").search(masked, start, min(limit, len(masked)))
    return stop.start() if stop else min(limit, len(masked))


def _coordinated(masked: str, start: int, end: int, *, both: bool) -> tuple[Spans, Spans]:
    """The names that stand side by side: "X or Y", "X, Y, or Z"; "X and Y" without an "or"."""
    pieces = _split(masked, start, end, _OR)
    if len(pieces) > 1:
        head = _after_either(masked, pieces[0])
        parts = _split(masked, *head, _COMMA) if _plain_list(masked, head) else [head]
        return _names(masked, [*parts, *pieces[1:]])
    parts = _split(masked, start, end, _AND) if both else []
    return _names(masked, parts[:MOST]) if len(parts) > 1 else ([], [])


def _after_either(masked: str, piece: Span) -> Span:
    """What stands behind "either", which begins the alternatives."""
    either = list(_EITHER.finditer(masked, *piece))
    return (either[-1].end(), piece[1]) if either else piece


def _plain_list(masked: str, span: Span) -> bool:
    """Whether commas separate arms here, not the drugs of one: "A, B" before "or C"."""
    return not _COMBINES.search(masked, *span)


def _split(masked: str, start: int, end: int, at: re.Pattern[str]) -> Spans:
    """The pieces of a stretch between the matches of a pattern."""
    cuts = list(at.finditer(masked, start, end))
    starts = [start, *(m.end() for m in cuts)]
    return list(zip(starts, [*(m.start() for m in cuts), end], strict=True))


def _names(masked: str, pieces: Spans) -> tuple[Spans, Spans]:
    """The names that pieces hold, up to the first that holds none or goes on as a clause."""
    found: Spans = []
    for piece in pieces:
        name = trim(masked, *piece)
        if name is None:
            break
        found.append(name)
        if len(masked[name[1] : piece[1]].split()) > 9:
            break
    return found, pieces[: len(found)]


def _versus(page: Text) -> Iterator[Listed]:
    """ "X versus Y", in the title first."""
    masked, sentences = page.masked, page.sentences
    for order, sentence in enumerate(sentences[:9]):
        for match in _VERSUS.finditer(masked, sentence.start, sentence.end):
            low = max(sentence.start, match.start() - 130)
            left = [m.end() for m in _LEFT.finditer(masked, low, match.start())]
            end = clause_end(masked, match.end(), min(sentence.end, match.end() + 150))
            two = trim(masked, match.end(), end)
            for start in sorted({*([low] if low == sentence.start else []), *left}):
                one = trim(masked, start, match.start()) if two else None
                if one and two and not masked[one[1] : match.start()].strip(" ,"):
                    pieces = ((start, match.start()), (match.end(), end))
                    yield Listed((one, two), pieces, 3.0 if order < 3 else 1.0, True)
                    break


def _compared(page: Text) -> Iterator[Listed]:
    """ "comparing X with Y", "compare the efficacy and safety of X and Y"."""
    masked, sentences = page.masked, page.sentences
    for order, sentence in enumerate(sentences):
        for match in _COMPARE.finditer(masked, sentence.start, sentence.end):
            end = clause_end(masked, match.end(), min(sentence.end, match.end() + 220))
            prefix = _OF_BOTH.match(masked, match.end(), end)
            start = prefix.end() if prefix else match.end()
            for at in (_AGAINST, _AND):
                pieces = _split(masked, start, end, at)[:2]
                names, kept = _names(masked, pieces) if len(pieces) > 1 else ([], [])
                if len(names) == 2:
                    trust = 2.5 if not order else 1.5 if order < 4 else 1.0
                    yield Listed(tuple(names), tuple(kept), trust, at is _AGAINST)
                    break


def _with_or_without(page: Text) -> Iterator[Listed]:
    """ "chemotherapy with or without X"."""
    masked = page.masked
    for match in _WITHOUT.finditer(masked):
        name = trim(masked, *match.span("name"))
        if name and not _OF_PEOPLE.search(masked, max(0, match.start() - 25), match.start()):
            spans = (name, (match.start("y"), name[1]))
            yield Listed(spans, spans, 1.5, True)


def _groups(page: Text) -> Iterator[Listed]:
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
    parts = _split(masked, back[-1].end(), end, _BOTH)
    found = []
    for a, b in parts:
        name = trim(masked, a, b)
        if name and not masked[name[1] : b].strip(" -"):
            found.append(name)
    return found if len(found) == len(parts) < 3 else []


def _sized(page: Text) -> Iterator[Listed]:
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


def _before_mark(masked: str, low: int, end: int, *, first: bool) -> Span | None:
    """The name that ends at a bracket: what stands between two, or behind "to receive"."""
    starts = [low]
    if first:
        into = [m.end() for m in _INTO.finditer(masked, low, end)]
        starts = [*into, *(m.end() for m in _BOUND.finditer(masked, low, end))]
    for start in starts:
        name = trim(masked, start, end)
        if name and not masked[name[1] : end].strip(" ,"):
            return name
    return None


def _counted(page: Text) -> Iterator[Listed]:
    """ "20 received X and 17 received Y", "214 to X and 217 to Y"."""
    masked, sentences = page.masked, page.sentences
    for sentence in sentences:
        found = list(_COUNTED.finditer(masked, sentence.start, sentence.end))[:MOST]
        nexts = [*(m.start() for m in found[1:]), sentence.end]
        pieces = [(m.end(), stop) for m, stop in zip(found, nexts, strict=False)]
        names = [n for piece in pieces if (n := trim(masked, *piece)) is not None]
        if len(names) == len(pieces) > 1:
            yield Listed(tuple(names), tuple(names), 2.5)


def _were_compared(page: Text) -> Iterator[Listed]:
    """ "The effects of X and Y were compared"."""
    for match in _WERE_COMPARED.finditer(page.masked):
        names = [trim(page.masked, *match.span(g)) for g in ("x", "y")]
        spans = tuple(n for n in names if n is not None)
        if len(spans) == 2:
            yield Listed(spans, spans, 2.0)


def _lettered(page: Text) -> Iterator[Listed]:
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
            pieces[letter] = (match.end(), min(stop, clause_end(text, match.end(), match.end() + 120)))
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


def _parts(page: Text) -> Iterator[Listed]:
    """ "the intervention group" and "the control group"."""
    tried, compared = _TRIED.search(page.masked), _CONTROLS.search(page.masked)
    if tried and compared:
        spans = (tried.span("x"), compared.span(compared.lastgroup or "x"))
        yield Listed(spans, spans, 2.0, True)


def _or_placebo(page: Text) -> Iterator[Listed]:
    """ "X or placebo" anywhere, in brackets too."""
    for match in _OR_PLACEBO.finditer(page.plain):
        x, y = ("x", "y") if match["x"] else ("a", "b")
        name = trim(page.plain, *match.span(x))
        if name:
            spans = (name, match.span(y))
            yield Listed(spans, spans, 0.5, True)


def _one_sided(page: Text) -> Iterator[Listed]:
    """What the title tries, and the placebo or control that the text names."""
    masked, sentences = page.masked, page.sentences
    tried = subject(page)
    controls = list(_CONTROL_WORD.finditer(masked))
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


FINDERS = (
    _assigned,
    _versus,
    _with_or_without,
    _sized,
    _counted,
    _were_compared,
    _lettered,
    _groups,
    _parts,
    _compared,
    _or_placebo,
    _one_sided,
)
