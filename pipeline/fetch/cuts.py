"""Cuts out of XML, before it is parsed, what is never read: reference lists fill half a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: What ends an entry: it stands in no list, unless the list's tags stand in comments.
_ENTRY = b"Article>"


def without(pieces: Iterable[bytes], tag: bytes, *, longest: int) -> Iterator[bytes]:
    """Yield XML without the elements that have a tag and no attribute; their line ends stay.

    What was cut is not checked to be well-formed. Kept as they are: what is not closed, what is
    longer than `longest` bytes, what holds the end of an entry, and an element around another of
    its tag, of which the inner one goes.
    """
    start, end = b"<%s>" % tag, b"</%s>" % tag
    rest = b""
    for piece in pieces:
        rest += piece
        kept, rest = _cut(rest, start, end)
        yield kept
        if len(rest) > longest:
            yield rest
            rest = b""
    yield rest


def _cut(text: bytes, start: bytes, end: bytes) -> tuple[bytes, bytes]:
    """What of a text is done with, less its elements, and what waits for the next piece."""
    kept, done = [], 0
    while (first := text.find(start, done)) >= 0 and (last := text.find(end, first)) >= 0:
        first = text.rfind(start, first, last)  # the innermost
        after = last + len(end)
        whole = text.find(_ENTRY, first, last) >= 0
        lines = b"\n" * text.count(b"\n", first, last)
        kept += [text[done:first], text[first:after] if whole else lines]
        done = after
    split = first if first >= 0 else max(done, len(text) - len(start))
    return b"".join([*kept, text[done:split]]), text[split:]
