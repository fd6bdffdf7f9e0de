"""Finds every place that names an arm: its name, abbreviation, alias, letter or part."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.extract.arm_aliases import Alias, Page, stands_in
from pipeline.extract.arm_names import is_comparator, is_generic, listed, words
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import rules
from pipeline.extract.numbers import COUNT, parse_count
from pipeline.extract.population import Count

Span = tuple[int, int]
Place = tuple[int, int, int]

#: Words that tell no arm from another.
_COMMON = frozenset(word for row in rules("common_words") for word in row["terms"])
_PARTS = words("generic") | words("generic_control")
_SHORT = re.compile(r"[(\[]\s*(?:the\s+)?(?P<inside>[^()\[\]]{1,60})[)\]]")
_LETTER = re.compile(r"(?:groups?|arms?)\s+(?P<x>[A-Z]|\d|I{1,3}|IV)", re.IGNORECASE)
_ABBREVIATION = re.compile(
    r"(?:[A-Z][A-Za-z]{0,3}[A-Z0-9+/-][\w+/-]{0,9}|[A-Za-z]{0,3}[A-Z]{2,8}\w{0,3}|[A-Z]{1,4}-[A-Z]{1,4})[+-]?"
)
_DEFINED = re.compile(r"[(\[](?P<short>[A-Za-z][\w+/-]{1,11})(?=[)\];,])")
_NEGATED = re.compile(r"\b(?:no|without|not\s+\w+|non)[\s-]+(?:[\w-]+\s+)?$", re.IGNORECASE)
_COMBINES = re.compile(r"\b(?:plus|combin\w+|and)\b|[+/]", re.IGNORECASE)
_SIZE = re.compile(
    rf"\bn\s*=\s*(?P<n>\d{{1,3}}(?:[,\u2009\u202f]\d{{3}})+|\d+)(?!\s*/)"
    rf"|[(\[;,]\s*(?P<m>{COUNT})\s+(?:{PEOPLE})\s*(?=[)\],;])",
    re.IGNORECASE,
)
_DUMMY = re.compile(r"\b(?:placebo|sham|vehicle)\b", re.IGNORECASE)
#: What joins drugs to one word, which is longer than this: "lapatinib-capecitabine".
_JOINS, _JOINT = re.compile(r"[-/+]"), 12
_ABSENT = re.compile(r"(?:no|without)\s", re.IGNORECASE)
_DRUG = re.compile(
    r"\w{2,}(?:mab|ib|taxel|platin|rubicin|fen|fene|zole|trozole|stane|statin|pril|sartan|olol|azine|"
    r"amine|idine|icin|mycin|cillin|vir|ide|ate|one|ine|in|ol|ane|ium|yl)$"
)
#: Of a longer name only the words of drugs stand for the arm on their own.
_MOST_TELLING = 3
#: The least length of a lower-case word that may stand for an arm.
_LEAST = 4


def definitions(text: str) -> dict[str, str]:
    """Return the abbreviations of a text with the words that they stand for."""
    found: dict[str, str] = {}
    for match in _DEFINED.finditer(text):
        short = match["short"]
        if not _ABBREVIATION.fullmatch(short) or short in found:
            continue
        before = text[max(0, match.start() - 90) : match.start()].rstrip()
        before = re.split(r"[.;:()\[\],]", before)[-1]
        long = _long_form(short, before.split())
        if long:
            found[short] = long
    return found


def _long_form(short: str, before: list[str]) -> str:
    """The words before a bracket that the abbreviation in it is made of, "" if it is not."""
    letters = re.sub(r"[^a-z]", "", short.lower())
    if letters.endswith("s") and short[-1] == "s":
        letters = letters[:-1]
    for count in range(1, min(len(before), len(letters) + 3) + 1):
        some = " ".join(before[-count:]).lower()
        if letters and some[0] == letters[0] and _within(letters, some):
            return " ".join(before[-count:])
    return ""


def _within(letters: str, phrase: str) -> bool:
    """Whether the letters stand in a phrase in this order."""
    rest = iter(phrase)
    return all(letter in rest for letter in letters)


class Named:
    """An arm under all the names that a text gives it.

    `piece` is the stretch of a list in which the name stands: brackets in it may hold a short name.
    """

    def __init__(self, text: str, span: Span, piece: Span, defined: dict[str, str]) -> None:
        self.text = text
        self.spans = [span]
        self.titles: list[str] = []
        self.n = _size_in(text, span, piece)
        self.defined = defined
        self.shorts = set(_shorts(text, span, piece))
        self.shorts |= set(_known(text[slice(*span)], defined))

    @property
    def names(self) -> list[str]:
        """The names as printed."""
        return [self.text[a:b] for a, b in self.spans]

    @property
    def label(self) -> Span:
        """The first name that tells more than the arm's part in the trial, else the first."""
        return next((s for s in self.spans if not is_generic(self.text[slice(*s)])), self.spans[0])

    @property
    def words(self) -> frozenset[str]:
        """The words of the first name that tell arms apart, abbreviations written out."""
        return self._words(self.names[:1])

    @property
    def all_words(self) -> frozenset[str]:
        """The words of all names, and the abbreviations."""
        return self._words(self.names) | {s.lower() for s in self.shorts}

    def _words(self, names: list[str]) -> frozenset[str]:
        """The telling words of names."""
        plain = [w for n in names if not _ABSENT.match(n) for w in listed(n)]
        long = [w for p in plain for w in listed(self.defined.get(p, ""))]
        joint = [w for p in plain if len(p) > _JOINT for w in _JOINS.split(p)]
        return frozenset(w.lower() for w in [*plain, *long, *joint] if telling(w))

    @property
    def comparator(self) -> bool:
        """Whether one of the names says that the others are compared with this arm."""
        return any(is_comparator(n) for n in self.names)

    @property
    def generic(self) -> bool:
        """Whether all names say only which part of the trial the arm is."""
        return all(map(is_generic, self.names))

    @property
    def generic_control(self) -> bool:
        """Whether a name is placebo, control or the like."""
        pure = words("generic_control") | {"placebo", "sham"}
        return any(set(map(str.lower, listed(n))) & pure for n in self.names)

    def holds(self, other: Named) -> bool:
        """Whether a name joins the other arm's to something more: "DE plus X" and "DE"."""
        short = {n.lower() for n in (*other.names, *other.shorts)}
        joint = [n.lower() for n in (*self.names, *self.shorts) if _COMBINES.search(n)]
        return any(len(n) > len(s) and stands_in(n, s) for s in short for n in joint)

    def likeness(self, other: Named) -> int:
        """How many telling words two arms share."""
        return len(self.all_words & other.all_words)

    def add(self, other: Named) -> None:
        """Take over the names of another."""
        known = {n.lower() for n in self.names}
        self.spans += [s for s in other.spans if self.text[slice(*s)].lower() not in known]
        self.shorts |= other.shorts
        self.n = self.n or other.n


def telling(word: str) -> bool:
    """Whether a word may tell one arm from another."""
    return (
        word.lower() not in _COMMON
        and word.lower() not in _PARTS
        and (len(word) >= _LEAST or (len(word) > 1 and word.isupper()))
    )


def _shorts(text: str, span: Span, piece: Span) -> Iterator[str]:
    """The abbreviations and letters printed in brackets behind a name."""
    near = _SHORT.match(text, span[1] + (text[span[1] : span[1] + 1] == " "))
    if near and any(c.isdigit() for c in near["inside"]):  # "X (10 mg/day) (XA)"
        near = _SHORT.match(text, near.end() + (text[near.end() : near.end() + 1] == " "))
    inside = [
        m for m in _SHORT.finditer(text, span[1], piece[1]) if re.search(r"\bn\s*=", m.group())
    ]
    for match in [near, *inside]:
        for part in re.split(r"[;,:]\s*", match["inside"]) if match else ():
            if _LETTER.fullmatch(part.strip()) or _ABBREVIATION.fullmatch(part.strip()):
                yield part.strip()


def _size_in(text: str, span: Span, piece: Span) -> Count | None:
    """The size that is marked in the stretch in which a name is listed: "X 20 mg (n = 59)"."""
    match = _SIZE.search(text, span[1], max(span[1], piece[1]))
    n = parse_count(match["n"] or match["m"]) if match else None
    return Count(n, match.span("n" if match["n"] else "m")) if match and n else None


def _known(name: str, defined: dict[str, str]) -> Iterator[str]:
    """The abbreviation whose long form is the name, and the long form of one that is the name."""
    plain = " ".join(name.lower().split())
    for short, long in defined.items():
        full = " ".join(long.lower().split())
        if plain == short.lower():
            yield long
        elif full == plain or plain.endswith(" " + full) or plain.startswith(full + " "):
            yield short


def places(text: str, names: list[Named], compared: int) -> list[tuple[Span, ...]]:
    """Return for each arm the places that name it, in order; no place names two arms."""
    page = Page(text)
    aliases = [_aliases(names, k, compared) for k in range(len(names))]
    found = [(a, b, k) for k, some in enumerate(aliases) for a, b in page.occurrences(some)]
    taken: list[Place] = []
    for a, b, k in sorted(found, key=lambda f: (f[0], -f[1], f[2] != compared)):
        if not taken or a >= taken[-1][1]:
            taken.append((a, b, k))
    settled = [_negated(text, place, names, compared) for place in taken]
    return [tuple((a, b) for a, b, k in settled if k == arm) for arm in range(len(names))]


def _negated(text: str, place: Place, names: list[Named], compared: int) -> Place:
    """ "without X" names those compared with, where these are named so; else no arm (-1)."""
    start, end, arm = place
    if arm == compared or not _NEGATED.search(text[max(0, start - 30) : start]):
        return place
    return (start, end, compared if names[compared].comparator else -1)


def _aliases(names: list[Named], k: int, compared: int) -> list[Alias]:
    """All that may stand for arm number `k`."""
    me, rest = names[k], [n for i, n in enumerate(names) if i != k]
    theirs = frozenset[str]().union(*(n.all_words for n in rest))
    found = [Alias(n, "part" if is_generic(n) else "phrase") for n in me.names]
    found += [_short(s) for s in sorted(me.shorts)]
    for name in me.names:
        own = () if is_generic(name) else _own_words(_without_background(name))
        found += [_word(w) for w in own if w.lower() not in theirs]
    found += [Alias(t, "phrase") for t in me.titles]
    if k == compared:
        found += [
            Alias("control", "part"),
            *(Alias(w, "phrase") for w in ("controls", "comparator")),
        ]
    elif len(names) == 2:
        found += [Alias(w, "part") for w in ("intervention", "experimental", "investigational")]
    if len(names) == 2 and [bool(_COMBINES.search(n.names[0])) for n in names].count(True) == 1:
        joint = bool(_COMBINES.search(me.names[0]))
        found.append(Alias("combination", "joint") if joint else Alias("monotherapy", "phrase"))
    return list(dict.fromkeys(found))


def _without_background(name: str) -> str:
    """Of "placebo plus X" the placebo: X is what all arms had."""
    dummy = _DUMMY.search(name)
    return dummy.group() if dummy and _COMBINES.search(name) else name


def _own_words(name: str) -> list[str]:
    """The words that stand for a name on their own: all of a short one, of a long one its drugs."""
    own = [w for w in listed(name) if telling(w)]
    if len(own) <= _MOST_TELLING:
        return own
    return [w for w in own if _DRUG.match(w.lower()) or any(c.isupper() for c in w[1:])][:6]


def _word(word: str) -> Alias:
    """A word that stands for an arm; one in capitals is matched as printed."""
    return _short(word) if word.isupper() else Alias(word, "word")


def _short(word: str) -> Alias:
    """An abbreviation, as printed; a long form in either case."""
    letter = _LETTER.fullmatch(word)
    if letter:
        return Alias(letter["x"], "letter")
    return Alias(word, "phrase" if " " in word else "short")
