"""Names an outcome that no rule knows by the noun phrase that a result stands with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.extract.lexicon import rules

Span = tuple[int, int]

_WORD = re.compile(r"[A-Za-zÀ-ÿα-ωµ][\wÀ-ÿα-ω'’/+-]*|[,;:()\[\]=<>]|\.(?=\s)|[\d±%≥≤·]+")
#: Words that may stand inside a phrase but neither begin nor end it.
_INNER = frozenset({"of", "the", "to", "a", "an", "any", "in", "from", "at", "or", "and"})
_FOR = re.compile(r"[\s)\]]*(?:\([^()]{0,40}\)\s*)?for\s+(?:the\s+)?", re.IGNORECASE)
#: What says when, with whom or by what means a result was found, and not what was measured.
_CIRCUMSTANCE = re.compile(
    r"\b(?:(?:after|before|during|following|until|despite|without|among|amongst|upon|by|since"
    r"|(?<!effect\s)(?<!effects\s)(?<!impact\s)on"
    r"|(?:patients|subjects|women|men|participants|children|those|cases|eyes)\s+with)\s+"
    r"(?:the\s+|an?\s+)?(?:(?:first|second|third|last|final|initial|each|all)\s+)?"
    r"|[Aa]t\s+(?:the\s+)?|\bto\s+[a-z]{3,12}(?:\s+and\s+[a-z]{3,12})?\s+the\s+|(?<!respect\s)(?<!regard\s)\bto\s+(?:[a-z]{3,12}\s+and\s+)?)$"
)
_END_POINT = re.compile(
    r"\b(?:primary|secondary|composite|combined|co-primary)\b.{0,60}"
    r"\b(?:end[ -]?points?|outcomes?)$",
    re.IGNORECASE,
)
_HAD = re.compile(
    r"[^.;\d]{0,90}?\b(?:had(?:\s(?:undergone|developed|experienced|achieved))?|achieved|developed|experienced"
    r"|underwent|required|suffered(?:\sfrom)?|reported|reached|maintained|met)\s+",
    re.IGNORECASE,
)
#: A unit of measurement: "mmol/mol", "mg/24", "beats/min".
_UNIT_WORD = re.compile(
    r"(?:[kcmµμnpd]?(?:g|l|L|m|mol|Eq|IU|U)|[mc]m\d?|microg|mcg|kcal|cells|beats|copies|dyn·?s?|s)"
    r"(?:/(?:[kcmµμnpd]?(?:g|l|L|mol|m\d?)|microL|min|minute|h|hr|day|d|week|year|\d+)){1,3}"
)
#: How far a phrase that is tied to a value may stand before it.
NEAREST = 70
#: How far before a value its bracket may open.
BRACKET = 160
#: How far what was had may stand behind its verb.
NEAR = 30
#: A verb or a sign that ties what was measured to the value behind it.
_BRACKET = re.compile(r"\s*[\[(]\s*")
#: What may stand between a name and the bracket of its values: its abbreviation.
_SHORT = re.compile(r"\s*(?:[(\[]\s*[A-Z][\w-]{0,9}\s*[)\]]\s*)?")
#: What tells of values in a bracket: "(hazard ratio, 0.8; median, 6 v 4 months)".
_TOLD = re.compile(r"\b(?:median|mean|average|ratio|HR|OR|RR|CI|SD)\b", re.I)
_PREPOSITION = re.compile(
    r"\b(?:in|with|on|for|of|by|to|than|at|from|after|versus|vs\.?|v)\s+(?:the\s+|an?\s+)?$", re.I
)
#: What changes in something: the words behind the preposition name the outcome.
_MOVE_IN = re.compile(
    r"\b(?:changes?|reductions?|improvements?|increases?|decreases?|differences?|declines?|baseline|rates?"
    r"|incidence|risk|numbers?|gains?|loss|better|worse|superior|inferior|efficacy)\s(?:in|of)\s+(?:the\s+|mean\s+|median\s+)?$",
    re.I,
)
_IS = re.compile(r"\s*(?:\([^()]{0,30}\)\s*)?(?:(?:was|were|averaged)\s+|[:=]\s*)")
_FOR_AHEAD = re.compile(r"\bfor\s+(?:the\s+)?$", re.IGNORECASE)
_THERE = re.compile(r"\s*[,:]\s*(?:there\s+(?:was|were)\s+|(?:it|they)\s+(?:was|were)\s+)?", re.I)
#: What an inner word may follow: "time to", "rate of", "death from".
_BEFORE_TO = frozenset(
    {"time", "times", "response", "responses", "adherence", "compliance", "return"}
)
#: Nouns of statistics that end a name well: "survival rate", not "survival".
_KEPT_LAST = frozenset(
    {"rate", "rates", "level", "levels", "ratio", "change", "changes", "reduction", "increase",
     "improvement", "number", "proportion", "cases", "time", "score", "scores"}
)  # fmt: skip
#: How a number in words begins: "thirty-two".
_TENS = tuple(
    f"{n}-"
    for n in "twenty thirty forty fifty sixty seventy eighty ninety".split()  # noqa: SIM905
)
#: Most words of a phrase.
_LONGEST = 9
#: A phrase farther from its value than this is no name of it, in characters and obstacles.
FAR = 170.0
#: A compared pair is a result: its name may stand farther.
PAIRED_FAR = 320.0
#: What a phrase of circumstance costs more.
CIRCUMSTANCE = 70.0


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of words that may name an outcome."""

    start: int
    end: int

    def text(self, text: str) -> str:
        """The phrase as printed."""
        return text[self.start : self.end]


def phrases(text: str, start: int, end: int, taken: Sequence[Span]) -> list[Phrase]:
    """Return the phrases of ``text[start:end]`` that may name an outcome, in order.

    `taken` are the places that name arms: they end a phrase and are none.
    """
    found: list[Phrase] = []
    run: list[re.Match[str]] = []
    for word in _WORD.finditer(text, start, end):
        if _goes_on(text, run, word, taken):
            run.append(word)
            continue
        found.extend(_phrase(run))
        run = []
    found.extend(_phrase(run))
    return found


def nearest(text: str, span: Span, found: Sequence[Phrase], far: float = FAR) -> Phrase | None:
    """Return the phrase that a value at `span` belongs to, those before it preferred."""

    def distance(p: Phrase) -> float:
        if p.start >= span[1]:
            gap = text[span[1] : p.start]
            return len(gap) + 32 + 30 * sum(gap.count(c) for c in ",(") + 60 * gap.count(";")
        gap = text[p.end : span[0]]
        total = len(gap) + 12 * gap.count(",") + 40 * gap.count(";")
        return total + (CIRCUMSTANCE if is_circumstance(text, p) else 0)

    best = min(found, key=distance, default=None)
    return best if best is not None and distance(best) < far else None


def behind(text: str, end: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return the phrase that "for" ties to a value that ends at `end`: "5% for relapse"."""
    return next((p for p in found if end < p.start and _FOR.fullmatch(text, end, p.start)), None)


def object_of(text: str, end: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return what those counted had or did: "12% and 30%, respectively, had a relapse"."""
    verb = _HAD.match(text, end)
    after = (p for p in found if verb and p.start >= verb.end())
    first = next(after, None)
    if verb is None or first is None or first.start - verb.end() > NEAR:
        return None
    between = text[verb.end() : first.start].lower().split()
    return first if all(w in _empty() or w in _INNER for w in between) else None


def _is_place(text: str, p: Phrase) -> bool:
    """Whether a preposition makes a phrase who or where, and not what: "lower in women (12%)"."""
    before = text[max(0, p.start - 40) : p.start]
    return _PREPOSITION.search(before) is not None and _MOVE_IN.search(before) is None


def is_circumstance(text: str, p: Phrase) -> bool:
    """Whether a phrase says when or with whom something was found, and not what."""
    return _CIRCUMSTANCE.search(text[max(0, p.start - 24) : p.start]) is not None


def tied(text: str, start: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return the phrase that a verb or "for" ties to a value at `start`: "survival was 12"."""
    for p in found:
        if not 0 <= start - p.end < NEAREST:
            continue
        if _IS.fullmatch(text, p.end, start):
            return p if not is_circumstance(text, p) else None
        listed = _BRACKET.fullmatch(text, p.end, start)
        if listed and not _is_place(text, p):
            return p
        ahead = _FOR_AHEAD.search(text[max(0, p.start - 12) : p.start])
        if ahead and _THERE.fullmatch(text, p.end, start):
            return p
    return _of_bracket(text, start, found)


def _of_bracket(text: str, start: int, found: Sequence[Phrase]) -> Phrase | None:
    """Return the phrase before the bracket of a value: "survival (ratio, 0.8; 6 v 4 months)"."""
    opened = _opened(text, start)
    if opened is None or not _TOLD.search(text, opened, start):
        return None
    if any(opened < p.start < start for p in found):
        return None
    near = (p for p in found if 0 <= opened - p.end < NEAR)
    own = next((p for p in near if _SHORT.fullmatch(text, p.end, opened)), None)
    return own if own is not None and not _is_place(text, own) else None


def _opened(text: str, at: int) -> int | None:
    """Where the bracket opens that a value stands in."""
    depth = 0
    for k in range(at - 1, max(0, at - BRACKET), -1):
        depth += (text[k] in ")]") - (text[k] in "([")
        if depth < 0:
            return k
    return None


def _goes_on(
    text: str, run: list[re.Match[str]], word: re.Match[str], taken: Sequence[Span]
) -> bool:
    """Whether a word belongs to the phrase that `run` has begun."""
    lower = word.group().lower()
    if not word.group()[0].isalpha() or len(run) >= _LONGEST:
        return False
    if any(a < word.end() and word.start() < b for a, b in taken):
        return False
    if run and text[run[-1].end() : word.start()].strip(" "):
        return False
    if lower in _INNER:
        return _may_join(run, lower)
    return lower not in _breaks() and not lower.startswith(_TENS)


def _may_join(run: list[re.Match[str]], lower: str) -> bool:
    """Whether an inner word joins what is before it to what follows."""
    if not run:
        return False
    last = run[-1].group().lower()
    if lower in ("the", "a", "an", "any"):
        return last in ("of", "to", "from")
    if lower == "of":
        return last not in _empty() or last in _KEPT_LAST
    if lower == "to":
        return last in _BEFORE_TO
    return lower == "from" and last in ("death", "deaths", "change", "changes", "freedom")


def _phrase(run: list[re.Match[str]]) -> Iterator[Phrase]:
    """The phrase of a run of words, without the empty words at its ends."""
    words = run
    named = _END_POINT.search(" ".join(w.group() for w in run))
    if named:
        yield Phrase(run[0].start(), run[-1].end())
        return
    if words and words[-1].group().lower() in _people():
        return  # "hematologic patients" are who was counted, not what
    while words and _is_empty(words[0].group()) and not _is_of(words):
        words = words[1:]
    while words and _is_empty(words[-1].group()) and words[-1].group().lower() not in _KEPT_LAST:
        words = words[:-1]
    alone = len(words) == 1 and words[0].group().lower().endswith("ed")
    says = any(not _is_empty(w.group()) for w in words)
    if says and not alone and sum(len(w.group()) for w in words) > 1:
        yield Phrase(words[0].start(), words[-1].end())


def _is_of(words: list[re.Match[str]]) -> bool:
    """Whether a phrase begins with a statistic of something: "rate of death"."""
    first, *rest = (w.group().lower() for w in words[:2])
    return first in _KEPT_LAST and rest == ["of"]


def _is_empty(word: str) -> bool:
    """Whether a word at an end of a phrase says nothing of an outcome."""
    lower = word.lower()
    if lower in _INNER or lower in _empty() or (lower.endswith("ly") and lower != "daily"):
        return True
    return len(word) == 1 or _UNIT_WORD.fullmatch(word) is not None


@cache
def _breaks() -> frozenset[str]:
    """Words that end a phrase: verbs, prepositions, conjunctions."""
    return _terms("words that end a phrase")


@cache
def _empty() -> frozenset[str]:
    """Words that name no outcome where they begin or end a phrase."""
    return _terms("words that name no outcome")


@cache
def _people() -> frozenset[str]:
    """What people are called."""
    return frozenset(t for row in rules("people") for t in row["terms"]) - {"cases"}


def _terms(name: str) -> frozenset[str]:
    """The terms of a row of patterns/outcome_words.jsonl."""
    return frozenset(
        t for row in rules("outcome_words") if row["name"] == name for t in row["terms"]
    )
