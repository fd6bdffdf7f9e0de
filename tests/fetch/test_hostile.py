"""Hostile input: what it asks for is not done, and it cannot take memory without bound."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.fetch import files, stream, unzip
from pipeline.fetch.endnote import read_endnote
from pipeline.fetch.files import read_file, read_records
from pipeline.fetch.xml import read_entries, read_pubmed_xml
from pipeline.schema import Problem, Record

MB = 1 << 20
DATA = Path(__file__).parent / "data"
#: One article in some 700 bytes.
ARTICLE = (
    b"<PubmedArticle><MedlineCitation><PMID>%d</PMID><Article><ArticleTitle>T</ArticleTitle>"
    b"<Abstract><AbstractText>" + b"of 44 adults, 7 " * 40 + b"</AbstractText></Abstract></Article>"
    b"</MedlineCitation></PubmedArticle>"
)


class Endless(io.RawIOBase):
    """A file made while it is read, and how much of it was."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self.blocks, self.rest, self.given, self.first = blocks, b"", 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.given

    def seek(self, offset: int, whence: int = 0) -> int:
        """Only back to the start, before anything but the first two bytes was read."""
        assert (offset, whence) == (0, 0)
        self.rest, self.given = self.first + self.rest, 0
        return 0

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < size and (block := next(self.blocks, b"")):
            self.rest += block
        piece, self.rest = self.rest[:size], self.rest[size:]
        self.first = self.first or piece
        self.given += len(piece)
        return piece


def endless(head: bytes, block: bytes, times: int, tail: bytes = b"") -> BinaryIO:
    """A file of `head`, `block` so many times, and `tail`."""

    def blocks() -> Iterator[bytes]:
        yield head
        for _ in range(times):
            yield block
        yield tail

    return cast(BinaryIO, Endless(blocks()))


def peak_of(call: Callable[[], object]) -> int:
    """The bytes that a call held at once in Python's own memory."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def refused(file: BinaryIO, said: str) -> None:
    """Reading the file ends in an InputError with these words."""
    with pytest.raises(InputError, match=said):
        for _ in read_entries(file, name="answer"):
            pass


@pytest.mark.parametrize(
    ("head", "block", "said"),
    [
        (b"<PubmedArticleSet><PubmedArticle>", b"<x>" + b"y" * 1000 + b"</x>", "holds an entry"),
        (b"<PubmedArticleSet>", b"<x>" + b"y" * 1000 + b"</x>", "holds an entry"),
        (b"<PubmedArticleSet><PubmedArticle><x>", b"y" * 1000, "not well-formed|holds an entry"),
        (b"<PubmedArticleSet><PubmedArticle x='", b"y" * 1000, "not well-formed|holds an entry"),
        (b"<PubmedArticleSet>", b"<x>", "not well-formed"),
        (b"<PubmedArticleSet><!--", b"-" + b"y" * 1000, "not well-formed|holds an entry"),
        (b"<!DOCTYPE PubmedArticleSet [", b"<!ENTITY a 'b'>", "not well-formed|no element"),
        (b"<eSummaryResult>", b"<x/>", "its root is <eSummaryResult>"),
        (b"<P", b" " * 1000, "not well-formed"),
    ],
)
def test_two_gigabytes_without_a_record_are_refused_early(
    head: bytes, block: bytes, said: str
) -> None:
    """Each would go on for 2 GB; a hundredth of it is read, which bounds the parser's memory."""
    file = endless(head, block, 2048 * MB // len(block))
    peak = peak_of(lambda: refused(file, said))
    assert file.tell() <= 20 * MB
    assert peak < 4 * MB


def test_a_long_answer_of_records_is_streamed() -> None:
    """16 MB of articles: only the one at hand is held."""
    block = b"".join(ARTICLE % i for i in range(1, 100))
    file = endless(b"<PubmedArticleSet>", block, 16 * MB // len(block), b"</PubmedArticleSet>")
    counts: list[int] = []
    peak = peak_of(lambda: counts.append(sum(1 for _ in read_pubmed_xml(file))))
    assert counts[0] > 15_000
    assert peak < 2 * MB


def test_an_answer_beyond_the_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unzip, "LARGEST", 100)
    with pytest.raises(InputError, match="answer holds more than 100 bytes"):
        list(unzip.pieces(b"x" * 101, "answer", largest=unzip.LARGEST))


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (b"<PubmedArticleSet>", "Text node too long"),
        (b"<PubmedArticleSet><PubmedArticle>", "Text node too long"),
        (b'{"pmid": 1}\n', "unzips to more than 200 times"),
        (b"PMID- 1\n", "unzips to more than 200 times"),
        (b"", "is empty"),
    ],
)
def test_a_gzip_bomb_is_refused(tmp_path: Path, inside: bytes, said: str) -> None:
    """300 MB of blanks in 300 kB, after a beginning of any format."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(inside)
    for _ in range(300):
        bomb += packer.compress(b" " * MB)
    bomb += packer.flush()
    path = tmp_path / "x"
    path.write_bytes(bomb)
    assert len(bomb) < MB

    def read() -> None:
        with pytest.raises(InputError, match=said):
            read_records(path)

    assert peak_of(read) < 100 * MB


def test_genuine_zips_are_no_bombs() -> None:
    """The same article 30,000 times, 20 MB, unzips to 100 times its size and is read."""
    raw = b"<PubmedArticleSet>" + b"".join(ARTICLE % i for i in range(1, 30_000))
    zipped = gzip.compress(raw + b"</PubmedArticleSet>", mtime=0)
    assert len(raw) / len(zipped) > 50
    assert sum(1 for _ in read_pubmed_xml(zipped)) == 29_999


@pytest.mark.parametrize("pmid", ["../../etc/passwd", "C:\\x", "1/2", "<b>1</b>x", "٣", "1\u202e2"])
def test_a_path_in_the_place_of_a_pmid_makes_no_record(pmid: str) -> None:
    raw = f"<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>{pmid}</PMID>"
    raw += "</MedlineCitation></PubmedArticle></PubmedArticleSet>"
    (entry,) = read_entries(raw.encode())
    assert isinstance(entry, Problem)
    assert entry.code == "invalid_pmid"


def test_numbers_without_end_are_no_numbers() -> None:
    """Python refuses to make an int of 5,000 digits; no record must be lost for it."""
    long = "9" * 5000
    raw = (ARTICLE % 1).replace(b"<PMID>", f'<PMID Version="{long}">'.encode())
    date = f"<DateRevised><Year>2020</Year><Month>{long}</Month><Day>{long}</Day></DateRevised>"
    raw = raw.replace(b"<Article>", date.encode() + b"<Article>")
    (record,) = read_pubmed_xml(raw)
    assert (record.pmid, record.version, record.dates.revised) == ("1", 1, "2020")


@given(st.data())
def test_a_damaged_file_is_read_or_refused_in_words(data: st.DataObject) -> None:
    """Bytes of the test files changed, dropped or doubled: InputError, or entries."""
    name = data.draw(st.sampled_from(["articles.xml", "endnote.xml"]))
    raw = bytearray((DATA / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, len(raw) - 1))
        size = data.draw(st.integers(0, 30))
        raw[at : at + size] = data.draw(st.binary(max_size=8) | st.just(bytes(raw[at : at + 200])))
    read = read_endnote if name == "endnote.xml" else lambda b, n: read_entries(b, name=n)
    try:
        entries = list(read(bytes(raw), "x.xml"))
    except InputError as error:
        assert str(error).startswith("x.xml")
        return
    assert all(e.content_hash for e in entries if isinstance(e, Record))


def test_paths_and_markup_in_other_fields_stay_text(data: Path) -> None:
    """They reach no file name: a record's id and a batch's name are made of safe characters."""
    raw = (data / "articles.xml").read_text(encoding="utf-8")
    hostile = "../../x&lt;script&gt;"
    for field in ("10.5555/article", "PMC9999999", "J Invent Trials", "D006801", "Solo"):
        raw = raw.replace(field, hostile)
    first, *_ = read_pubmed_xml(raw.encode())
    assert (first.record_id, first.journal) == ("pmid90000001", "../../x<script>")


def test_a_file_name_cannot_lead_a_batch_elsewhere(tmp_path: Path, data: Path) -> None:
    path = tmp_path / "..;rm -rf ~.xml"
    path.write_bytes((data / "articles.xml").read_bytes())
    found = files.search_files([path], source="files", date="2026-11-22")
    (batch,) = files.batches(found, [path])
    assert batch.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert ".." not in batch.name


def test_endnote_opens_no_entity(tmp_path: Path) -> None:
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY-7731", encoding="utf-8")
    raw = (
        f'<!DOCTYPE xml [<!ENTITY xxe SYSTEM "{canary.as_uri()}">]><xml><records><record><titles>'
        "<title>a &xxe; b</title></titles></record></records></xml>"
    )
    (record,) = read_endnote(raw.encode(), "x.xml")
    assert isinstance(record, Record)
    assert record.title == "a &xxe; b"


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE PubmedArticleSet SYSTEM "http://127.0.0.1:9/x.dtd">',
        '<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//X" "https://dtd.nlm.nih.gov/x.dtd">',
        '<!DOCTYPE PubmedArticleSet [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>',
        '<!DOCTYPE PubmedArticleSet [<!ENTITY e SYSTEM "http://127.0.0.1:9/e">]>',
    ],
)
def test_no_address_is_looked_up(doctype: str) -> None:
    """Sockets are closed to this test (conftest), so an attempt would be a failure."""
    raw = f"{doctype}<PubmedArticleSet>{(ARTICLE % 1).decode()}</PubmedArticleSet>"
    (record,) = read_pubmed_xml(raw.encode())
    assert record.pmid == "1"


def test_a_local_dtd_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """lxml 6.1 opens it where `collect_ids=False` is asked for, and then reads the entity."""
    dtd = tmp_path / "x.dtd"
    dtd.write_text('<!ENTITY e "CANARY-7731">', encoding="utf-8")
    raw = f'<!DOCTYPE PubmedArticleSet SYSTEM "{dtd.as_uri()}"><PubmedArticleSet>'
    raw += (ARTICLE % 1).decode().replace("<ArticleTitle>T", "<ArticleTitle>&e;")
    (record,) = read_pubmed_xml((raw + "</PubmedArticleSet>").encode())
    assert record.title == "&e;"
    assert "collect_ids" not in stream.SAFE


def test_the_same_bytes_give_the_same_records(tmp_path: Path, data: Path) -> None:
    """Read again from the raw bytes that a batch keeps, to the hash."""
    for name in ("articles.xml", "export.nbib", "references.ris", "endnote.xml"):
        first = read_file(data / name)
        again = tmp_path / "raw"
        again.write_bytes(first.raw)
        second = read_file(again)
        assert [r.content_hash for r in second.records] == [r.content_hash for r in first.records]


def test_what_stands_beside_the_records_is_a_problem() -> None:
    """EFetch puts an error between records; it must not be dropped in silence."""
    raw = b"<PubmedArticleSet>%s<ERROR>x</ERROR>%s<Y/></PubmedArticleSet>"
    entries = list(read_entries(raw % (ARTICLE % 1, ARTICLE % 2), name="answer"))
    assert [e.pmid for e in entries if isinstance(e, Record)] == ["1", "2"]
    assert [e.message for e in entries if isinstance(e, Problem)] == [
        "answer: the element <ERROR> beside the records was not read.",
        "answer: the element <Y> beside the records was not read.",
    ]
