"""Splits a record's text into sentences, and says of which part of the abstract each is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from spacy.attrs import IDX, IS_SPACE, SENT_START
from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract.extensions import record_of
from pipeline.extract.section_model import shipped

_BOUNDARY = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9⩾≥<>])|\n\s*")
_ABBREVIATION = re.compile(
    r"(?:\b(?:vs|e\.g|i\.e|al|cf|approx|ca|no|nos|dr|prof|st|fig|resp|incl|u\.s|v|s\.d|i\.v|s\.c)"
    r"|(?<![A-Za-z0-9])[A-Z])\.$",
    re.IGNORECASE,
)
#: A letter that is a group's name, and no initial: "in group B. All of them".
_LETTERED = re.compile(r"\b(?:groups?|arms?|cohort)\s[A-Z]\.$", re.IGNORECASE)
_LABEL = re.compile(
    r"([A-Z][A-Z &/,'-]{3,60}|[A-Z][a-z]+(?:(?: and|,) [a-z]+){0,3})\s?(?::\s|[-–—]\s?(?=[A-Z]))"
)
_LABELS = (
    ("objective", r"objective|aim|purpose|hypothesis|question|goal"),
    ("background", r"background|introduction|context|rationale|importance"),
    ("results", r"result|finding|outcomes? and|observations"),
    (
        "methods",
        r"method|design|setting|participant|patient|intervention|measure|material|procedure",
    ),
    ("conclusions", r"conclusion|interpretation|discussion|significance|comment|summary"),
    ("other", r"trial registration|funding|classification|registration|clinicaltrials|keywords"),
)
#: An abstract of fewer sentences has no parts to speak of.
FEWEST = 3
#: What the rules are told of the model's findings, and from which probability on: a result that
#: only the conclusions print would be lost, so they are left open (docs/extraction.md, "Parts").
ACTED_ON, SURE = ("objective", "methods"), 0.95


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence by character offsets; `part` is title, objective, methods, results ... or "".

    The rules go by `part`, which a label names, or of an abstract without labels the model where
    it is sure; `likely` is what the model finds likeliest, "" where there are labels.
    """

    start: int
    end: int
    part: str
    likely: str = ""


@Language.component(
    "evipool_sentences",
    assigns=["token.is_sent_start", "doc._.record", "doc._.source", "doc._.sentences"],
)
def sentences(doc: Doc) -> Doc:
    """Set sentence starts, `doc._.source`, `doc._.sentences`, and a `doc._.record` if none is set.

    The source is `doc.text`, which spaCy joins anew at each call, if none is set.
    """
    text: str = doc.text if doc._.source is None else doc._.source
    if doc._.record is None:
        doc._.record = record_of(text)
    doc._.source = text
    spans = split(text)
    doc._.sentences = tuple(_with_likely_parts(text, _with_parts(text, spans)))
    doc.from_array([SENT_START], _starts(doc, {start for start, _ in spans}))
    return doc


def _starts(doc: Doc, starts: set[int]) -> npt.NDArray[np.uint64]:
    """1 for each token that begins a sentence, else -1: all at once, since spaCy's setter is slow.

    White space begins none: the token after it does.
    """
    places, blanks = doc.to_array([IDX, IS_SPACE]).T
    flags = np.full(len(doc), -1, dtype=np.int64)
    words = np.flatnonzero(blanks == 0)
    wanted = np.array(sorted(starts), dtype=places.dtype)
    first = np.searchsorted(places, wanted)
    first = first[np.take(places, first, mode="clip") == wanted]
    after = np.searchsorted(words, first)
    flags[words[after[after < len(words)]]] = 1
    return flags.astype(np.uint64)


def split(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence of `text`, white space trimmed."""
    title_end = text.find("\n")
    cuts = [
        m
        for m in _BOUNDARY.finditer(text)
        if (_ends_line(text, m, title_end) if "\n" in m.group() else _ends_sentence(text, m))
    ]
    starts = [0, *(m.end() for m in cuts)]
    ends = [*(m.start() for m in cuts), len(text)]
    spans = ((s, e) for s, e in zip(starts, ends, strict=True) if text[s:e].strip())
    return [_trim(text, s, e) for s, e in spans]


def _ends_line(text: str, boundary: re.Match[str], title_end: int) -> bool:
    """Whether a line break ends a sentence: the title's, a blank line, a full stop, a label.

    Any other stands inside a sentence that was wrapped.
    """
    if boundary.start() <= title_end < boundary.end() or boundary.group().count("\n") > 1:
        return True
    before = text[max(0, boundary.start() - 3) : boundary.start()].rstrip()
    return before[-1:] in ".!?:;" or _LABEL.match(text, boundary.end()) is not None


def _ends_sentence(text: str, boundary: re.Match[str]) -> bool:
    """Whether the full stop before a boundary ends a sentence: not "vs.", not "0. 001"."""
    before = text[max(0, boundary.start() - 12) : boundary.start()]
    if re.search(r"(?<!\d)0\.$", before) and text[boundary.end() : boundary.end() + 1].isdigit():
        return False
    return _LETTERED.search(before) is not None or not _ABBREVIATION.search(before)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out white space at both ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - (len(piece) - len(piece.rstrip()))


def _with_parts(text: str, spans: list[tuple[int, int]]) -> list[Sentence]:
    """Give each sentence the part of the abstract that the label at its line's start names."""
    title_end = text.find("\n") if "\n" in text else len(text)
    part, found = "", []
    for start, end in spans:
        new_line = start == 0 or text[start - 1] == "\n"
        label = _LABEL.match(text, start, end)
        named = part_of(label.group(1)) if label else ""
        if label and (new_line or named):
            part = named
        found.append(Sentence(start, end, "title" if start < title_end else part))
    return found


def _with_likely_parts(text: str, found: list[Sentence]) -> list[Sentence]:
    """Give the sentences of an abstract without labels the parts that the model finds."""
    body = [s for s in found if s.part != "title"]
    if len(body) < FEWEST or any(s.part for s in body):
        return found
    parts = shipped().parts([text[s.start : s.end] for s in body])
    told = [
        replace(s, part=part if part in ACTED_ON and chance >= SURE else "", likely=part)
        for s, (part, chance) in zip(body, parts, strict=True)
    ]
    return [*found[: len(found) - len(body)], *told]


def part_of(label: str) -> str:
    """Return the part of an abstract that a section label names, "" if it names none."""
    label = label.lower()
    return next((part for part, rx in _LABELS if re.search(rf"\b(?:{rx})", label)), "")
