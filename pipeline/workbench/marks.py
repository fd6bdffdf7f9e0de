"""Renders a record's text for the workbench: marks for what was read, offsets for selections.

Every piece of text stands in an element with `data-at`, the offset of its first character
(code point) in `Record.text`; a control character stands alone, written out as "[U+202E]", with
`data-raw`. A selection in the browser thus finds its way back to the text, however it is marked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from pipeline.report.plain import visible

#: How many colours of marks the style sheet knows.
COLOURS = 6


@dataclass(frozen=True, slots=True)
class Span:
    """A phrase to mark: where it stands, the element that shows its field, colour and label."""

    start: int
    end: int
    field: str
    label: str
    colour: int = 0


def mark_text(text: str, spans: Iterable[Span]) -> Markup:
    """Return the text with every span inside ``<mark>``.

    Spans may overlap, nest or touch: the text is cut at every border, and a piece is marked once,
    in the colour of the shortest span over it, with all their fields. A span's first piece prints
    its label and is reached by Tab.
    """
    kept = [s for s in spans if 0 <= s.start < s.end <= len(text)]
    borders = {0, len(text), *(s.start for s in kept), *(s.end for s in kept)}
    return Markup("").join(
        _piece(text[start:end], start, [s for s in kept if s.start <= start and end <= s.end])
        for start, end in pairwise(sorted(borders))
    )


def _piece(text: str, at: int, over: Sequence[Span]) -> Markup:
    """A piece between two borders, marked where a span lies over it."""
    inner = _plain(text, at)
    if not over:
        return inner
    nearest = min(over, key=lambda s: s.end - s.start)
    begun = dict.fromkeys(s.label for s in over if s.start == at)
    head = (
        Markup(' tabindex="0" role="button" data-label="{}" aria-label="{}"').format(
            visible("; ".join(begun)), visible(f"{'; '.join(begun)}: {text}")
        )
        if begun
        else ""
    )
    fields = " ".join(dict.fromkeys(s.field for s in sorted(over, key=lambda s: s.end - s.start)))
    return Markup('<mark class="c{}" data-fields="{}"{}>{}</mark>').format(
        nearest.colour % COLOURS, fields, head, inner
    )


def _plain(text: str, at: int) -> Markup:
    """Escaped text in elements that know their offsets; control characters written out."""
    out = Markup("")
    for run in _runs(text):
        shown = visible(run)
        raw = Markup(' class="raw" data-raw="1"') if shown != run else ""
        out += Markup('<span data-at="{}"{}>{}</span>').format(at, raw, escape(shown))
        at += len(run)
    return out


def _runs(text: str) -> list[str]:
    """The text cut so that each control character stands alone."""
    shown = visible(text)
    if shown == text:
        return [text]
    controls = "".join({c for c in text if visible(c) != c})
    return [run for run in re.split(f"([{re.escape(controls)}])", text) if run]
