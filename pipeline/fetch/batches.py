"""Parses the entries of an XML file some at a time: quicker than to wait for the end of each.

Bytes are cut where an entry ends, and what is between two cuts is parsed as a file of its own.
From where that is not well-formed or holds anything but entries, `stream` reads on: so a fault is
found, named and placed as if nothing had been cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import cast

from lxml import etree

from pipeline.fetch.stream import SAFE, elements

#: How many bytes are parsed at once, and how many are kept at most until an entry ends.
BATCH = 1 << 16
MOST = 1 << 20
#: The usual beginning: UTF-8, no DTD of its own, a root without attributes.
_HEAD = re.compile(
    rb"(<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?i:utf-8)[\"'])? ?\?>)?"
    rb"(\s*+(?:<!DOCTYPE [^\[\]<>]*+>)?\s*+<(\w++)>)"
)
_LINES = b"\n" * (1 << 16)


def entries(
    pieces: Iterable[bytes], tags: tuple[str, ...], name: str
) -> Iterator[tuple[etree._Element, int]]:
    """Yield as `stream.elements`, each element with its line; the first piece holds the root.

    Raises
    ------
    InputError
        As `stream.elements`.
    """
    source = iter(pieces)
    rest = next(source, b"")
    start = _HEAD.match(rest)
    if start is None or start[3].decode() in tags:
        yield from _streamed(chain([rest], source), tags, name)
        return
    rest, above = rest[start.end() :], 0
    parser = etree.XMLParser(**SAFE)
    for piece in source:
        rest += piece
        if len(rest) < BATCH:
            continue
        end = next((end for tag in tags if (end := _after(rest, tag))), 0)
        nodes = _parsed(b"%s%s</%s>" % (start[0], rest[:end], start[3]), tags, parser)
        if (end and nodes is None) or len(rest) - end > MOST:
            break
        for node in nodes or ():
            yield node, cast(int, node.sourceline) + above
        above += rest.count(b"\n", 0, end)
        rest = rest[end:]
    before = filter(None, chain([start[1]], _lines(above), [start[2]]))
    yield from _streamed(chain([rest], source), tags, name, before)


def _streamed(
    pieces: Iterable[bytes], tags: tuple[str, ...], name: str, before: Iterable[bytes] = ()
) -> Iterator[tuple[etree._Element, int]]:
    """The elements of a stream, each with its line."""
    nodes = elements(pieces, tags, name, before)
    return ((node, cast(int, node.sourceline)) for node in nodes)


def _after(text: bytes, tag: str) -> int:
    """Where the last element with a tag ends, 0 if none does."""
    end = b"</%s>" % tag.encode()
    start = text.rfind(end)
    return start + len(end) if start >= 0 else 0


def _parsed(
    text: bytes, tags: tuple[str, ...], parser: etree.XMLParser
) -> list[etree._Element] | None:
    """What the root of an XML file holds, if all of it has one of the tags; else None."""
    try:
        nodes = list(etree.fromstring(text, parser))
    except etree.XMLSyntaxError:
        return None
    return nodes if all(node.tag in tags for node in nodes) else None


def _lines(number: int) -> Iterator[bytes]:
    """So many empty lines."""
    yield from repeat(_LINES, number // len(_LINES))
    yield b"\n" * (number % len(_LINES))
