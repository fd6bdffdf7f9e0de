"""`pipeline.fetch.batches`: parsing some entries at a time finds what a stream finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from pipeline.errors import InputError
from pipeline.fetch import batches
from pipeline.fetch.stream import elements, strangers
from pipeline.fetch.xml import read_entries
from pipeline.schema import Problem, Record

TAGS = ("A", "B")
ENTRY = "<PubmedArticle>\n<MedlineCitation><PMID>{}</PMID></MedlineCitation>\n</PubmedArticle>\n"
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE PubmedArticleSet SYSTEM "x.dtd">\n'


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of a few entries."""
    monkeypatch.setattr(batches, "BATCH", 200)
    monkeypatch.setattr(batches, "MOST", 2000)


def whole(body: str, *, head: str = HEAD) -> bytes:
    """A set of articles."""
    return f"{head}<PubmedArticleSet>\n{body}</PubmedArticleSet>\n".encode()


def articles(first: int, last: int) -> str:
    """Articles of these PMIDs, three lines each."""
    return "".join(ENTRY.format(n) for n in range(first, last + 1))


def read(raw: bytes) -> tuple[list[str], str]:
    """The PMIDs and messages in what is read, in order, and the fault at which it ends."""
    found: list[str] = []
    try:
        for entry in read_entries(raw, name="x"):
            found.append(entry.pmid or "" if isinstance(entry, Record) else entry.message)
    except InputError as fault:
        return found, str(fault)
    return found, ""


def cut(raw: bytes, size: int) -> Iterator[bytes]:
    """A text in pieces of `size` bytes."""
    return (raw[i : i + size] for i in range(0, len(raw), size))


def described(node: etree._Element, line: int) -> tuple[object, ...]:
    """What of an element is used: of the root that comes last, only what stands in it."""
    beside = [stranger.tag for stranger in strangers(node, TAGS)]
    if node.tag not in TAGS:
        return node.tag, beside
    return node.tag, beside, line, etree.tostring(node, encoding="unicode", with_tail=False)


def seen(nodes: Iterator[object]) -> tuple[list[object], bool]:
    """What is yielded, and whether a fault ends it."""
    found: list[object] = []
    try:
        for node in nodes:
            found.append(node)
    except InputError:
        return found, True
    return found, False


#: What a file may hold after its root has begun: entries, and all that may mislead a cut.
PARTS = [
    "<A>\n<x>one</x></A>",
    "<B/>",
    "<B>two</B>\n",
    "\r\n",
    "<A>&lt;/A></A>",
    "<A><!-- </A> --></A>",
    "<!--\n</A> -->",
    "<A><![CDATA[</A>]]></A>",
    "<?p </A> ?>",
    "<odd>\n</odd>",
    "<odd><A>in</A></odd>",
    "text",
    "<A><x></A>",
    "<A>&undeclared;</A>",
    "</R>",
    "<R>",
    "<A>" + "long " * 30 + "</A>",
]


@given(st.lists(st.sampled_from(PARTS), max_size=30), st.integers(5, 80), st.booleans())
def test_a_batch_finds_what_a_stream_finds(parts: list[str], size: int, doctype: bool) -> None:
    """The same elements at the same lines, and a fault where there is one."""
    head = '<?xml version="1.0"?>\n' + '<!DOCTYPE R SYSTEM "r.dtd">\n' * doctype + "<R>\n"
    raw = "".join(parts).encode() + b"</R>"

    def found(limit: int) -> tuple[list[object], bool]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batches, "BATCH", limit)
            content = [head.encode(), *cut(raw, size)]
            nodes = batches.entries(content, TAGS, "x")
            return seen(described(node, line) for node, line in nodes)

    assert found(60) == found(1 << 20)


@pytest.mark.usefixtures("small")
def test_records_and_the_tags_that_end_late_are_all_read() -> None:
    assert read(whole(articles(1, 50))) == ([str(n) for n in range(1, 51)], "")


@pytest.mark.usefixtures("small")
def test_a_fault_keeps_its_line_and_the_records_before_it() -> None:
    found, fault = read(whole(articles(1, 30) + "<Broken>\n" + articles(31, 40)))
    assert found == [str(n) for n in range(1, 41)]
    assert "Broken line 94 and PubmedArticleSet" in fault
    assert fault.startswith("x, line 125: not well-formed")


@pytest.mark.usefixtures("small")
def test_a_file_that_is_cut_off_is_a_fault() -> None:
    found, fault = read(whole(articles(1, 30))[:-60])
    assert found == [str(n) for n in range(1, 30)]
    assert fault.startswith("x, line 9")


@pytest.mark.usefixtures("small")
def test_what_stands_between_entries_is_named_where_it_stands() -> None:
    found, fault = read(whole(articles(1, 20) + "<ERROR/>" + articles(21, 40) + "<Late/>"))
    message = "x: the element <{}> beside the records was not read."
    expected = [*map(str, range(1, 21)), message.format("ERROR"), *map(str, range(21, 41))]
    assert (found, fault) == ([*expected, message.format("Late")], "")


@pytest.mark.usefixtures("small")
def test_an_end_in_a_comment_is_none() -> None:
    body = articles(1, 9) + f"<!-- {articles(10, 20)} -->" + articles(21, 30)
    assert read(whole(body)) == ([*map(str, range(1, 10)), *map(str, range(21, 31))], "")


@pytest.mark.parametrize(
    "head",
    [
        "",
        "\n\n",
        "<?xml version='1.0'?>",
        '<?xml version="1.0" standalone="yes"?>\n',
        '<!DOCTYPE PubmedArticleSet [<!ENTITY e "7">]>\n',
        '<!-- <PubmedArticleSet> -->\n<!DOCTYPE PubmedArticleSet SYSTEM "a>b">\n',
        "\ufeff",
    ],
)
@pytest.mark.usefixtures("small")
def test_a_file_may_begin_in_any_way(head: str) -> None:
    head = head.lstrip("\n") if "?" in head else head
    assert read(whole(articles(1, 30), head=head)) == ([str(n) for n in range(1, 31)], "")


def test_lines_are_counted_beyond_the_parsers_own_limit() -> None:
    """libxml2 keeps 16 bits for the line of an element."""
    raw = whole(articles(1, 40_000) + ENTRY.format("x") + articles(1, 2000))
    (problem,) = [e for e in read_entries(raw, name="x") if isinstance(e, Problem)]
    assert problem.message == "x, line 120004: Invalid PMID 'x'; must be digits."


def test_lines_before_a_stream_are_counted_however_many() -> None:
    lines = batches._lines(200_000)
    nodes = elements([b"<A/>\n<B></R>"], TAGS, "x", [*lines, b"<R>\n"])
    assert next(nodes).tag == "A"
    with pytest.raises(InputError, match="x, line 200003"):
        next(nodes)
