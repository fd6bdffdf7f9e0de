"""Streams the entries of an XML file: one at a time, and never what the file points to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import TypedDict, cast

from lxml import etree

from pipeline.errors import InputError

#: The most bytes that one entry may take: the longest of PubMed, of some thousand authors with
#: their addresses, take three million. It bounds the memory that any input can ask for.
LARGEST_ENTRY = 1 << 24


class _Safe(TypedDict):
    """The parser's options."""

    resolve_entities: bool
    no_network: bool
    load_dtd: bool
    huge_tree: bool


#: Never add `collect_ids=False`, the known way to save time: lxml 6.1 then opens the DTD.
SAFE = _Safe(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def root_tag(head: bytes, name: str) -> str:
    """Return the tag of the root of an XML file that begins with `head`.

    Raises
    ------
    InputError
        If no element begins there, or what stands before it is not XML.
    """
    parser = etree.XMLPullParser(events=("start",), **SAFE)
    fault = _fed(parser, head)
    for _, node in parser.read_events():
        return str(cast(etree._Element, node).tag)
    try:
        return str(parser.close().tag)  # of a few bytes, which the parser keeps until then
    except etree.XMLSyntaxError as error:
        raise _broken(fault or error, name) from error


def elements(
    pieces: Iterable[bytes], tags: tuple[str, ...], name: str, before: Iterable[bytes] = ()
) -> Iterator[etree._Element]:
    """Yield each element with one of the tags, and at last the root if it has another.

    An element is emptied once the next is asked for, and what stands before it is dropped.
    `before` is the beginning, until in the root, where it is known to be well-formed.

    Raises
    ------
    InputError
        Naming `name` and the line, if the XML is not well-formed or is cut off, after the
        elements before the fault; or if one entry is longer than `LARGEST_ENTRY`.
    """
    parser = etree.XMLPullParser(events=("end",), tag=tags, **SAFE)
    for piece in before:
        parser.feed(piece)
    waiting = 0
    for piece in pieces:
        fault = _fed(parser, piece)
        waiting += len(piece)
        for _, node in parser.read_events():
            yield (element := cast(etree._Element, node))
            _free(element)
            waiting = 0
        if fault:
            raise _broken(fault, name)
        if waiting > LARGEST_ENTRY:
            raise InputError(f"{name} holds an entry of more than {LARGEST_ENTRY} bytes.")
    try:
        root = parser.close()
    except etree.XMLSyntaxError as error:
        raise _broken(error, name) from error
    if root.tag not in tags:
        yield root


def strangers(node: etree._Element, tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """Yield what stands before an element with one of the tags, or in a root, and has none."""
    if node.tag in tags:
        beside = takewhile(lambda n: n.tag not in tags, node.itersiblings(preceding=True))
        return (n for n in beside if isinstance(n.tag, str))
    return (n for n in node if isinstance(n.tag, str) and n.tag not in tags)


def _fed(parser: etree.XMLPullParser, piece: bytes) -> etree.XMLSyntaxError | None:
    """Give a piece to the parser; the fault in it, if it has one."""
    try:
        parser.feed(piece)
    except etree.XMLSyntaxError as error:
        return error
    return None


def _free(node: etree._Element) -> None:
    """Empty an element and drop what stands before it."""
    node.clear()
    parent = node.getparent()
    while parent is not None and (before := node.getprevious()) is not None:
        parent.remove(before)


def _broken(error: etree.XMLSyntaxError, name: str) -> InputError:
    """The parser's fault as ours."""
    return InputError(f"{name}, line {error.lineno}: not well-formed XML: {error.msg}.")
