"""Turns a record's text into HTML with the phrases that were read marked."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from markupsafe import Markup, escape

from pipeline.report.plain import visible
from pipeline.schema import Quote, Record

Span = tuple[int, int, str]


def mark_text(text: str, spans: Iterable[Span]) -> Markup:
    """Return escaped text with every span inside ``<mark>``.

    Parameters
    ----------
    text : str
        The text that the offsets count in, in characters.
    spans : iterable of (start, end, label)
        They may overlap, nest or touch: the text is cut at every border, and a piece is marked
        once, with the labels of all spans over it as its title.
    """
    kept = [s for s in spans if 0 <= s[0] < s[1] <= len(text)]
    cuts = sorted({0, len(text), *(s for s, _, _ in kept), *(e for _, e, _ in kept)})
    pieces = []
    for start, end in pairwise(cuts):
        labels = dict.fromkeys(label for s, e, label in kept if s <= start and end <= e)
        piece = escape(visible(text[start:end]))
        if labels:
            title = escape(visible("; ".join(labels)))
            piece = Markup('<mark title="{}">{}</mark>').format(title, piece)
        pieces.append(piece)
    return Markup("").join(pieces)


def mark_record(record: Record, quotes: Iterable[tuple[str, Quote]]) -> Markup:
    """Return a record's text with its quotes marked; a quote that does not fit its text is not."""
    return mark_text(
        record.text,
        (
            (q.start, q.end, label)
            for label, q in quotes
            if q.record_id == record.record_id and record.text[q.start : q.end] == q.text
        ),
    )
