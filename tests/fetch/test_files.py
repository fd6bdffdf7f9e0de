"""The source `files`: formats known by content, bad lines that cost nothing else."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.errors import ConfigError, InputError, NothingFoundError
from pipeline.fetch import files
from pipeline.fetch.files import parse_json_line, read_records
from pipeline.schema import (
    Author,
    Chemical,
    Correction,
    Dates,
    Grant,
    MeshHeading,
    OtherAbstract,
    Record,
    Section,
)

GROUP = "A Collaborative Group With a Name So Long That the Export Folds It Into a Second Line"
LINE = {
    "record_id": "pmid90000021",
    "pmid": "90000021",
    "doi": None,
    "title": "A title",
    "abstract": "Of 44 adults, 7 got worse.",
    "mesh": ["Humans", "Pain / drug therapy*"],
    "year": 2013,
    "journal": "J Invent",
    "volume": "18(4)",
    "pages": "321-30",
    "authors": ["Hahn", "Beydoun"],
    "publication_types": ["Clinical Trial"],
    "colour": "green",
}


def write(path: Path, *lines: object) -> Path:
    """Write JSON Lines; a str is written as it is."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


def test_a_json_line_is_a_record() -> None:
    assert parse_json_line(json.dumps(LINE)) == Record(
        record_id="pmid90000021",
        pmid="90000021",
        title="A title",
        sections=(Section("Of 44 adults, 7 got worse."),),
        year=2013,
        journal="J Invent",
        volume="18(4)",
        pages="321-30",
        authors=("Hahn", "Beydoun"),
        mesh=(
            MeshHeading("Humans"),
            MeshHeading(
                "Pain", major=True, qualifiers=("drug therapy",), major_names=("drug therapy",)
            ),
        ),
        publication_types=("Clinical Trial",),
    )


def test_a_json_line_needs_little() -> None:
    record = parse_json_line('{"pmid": 7, "title": "T", "year": "2009 Apr", "abstract": "a\\nb "}')
    assert (record.record_id, record.year, record.text) == ("pmid7", 2009, "T\na\nb")


@pytest.mark.parametrize(
    ("line", "record_id"),
    [
        ('{"record_id": "a", "pmid": "7", "title": "T"}', "a"),
        ('{"pmid": "7"}', "pmid7"),
        ('{"pmcid": "PMC5", "id": "9", "text": "A."}', "PMC5"),
        ('{"id_type": "ohsumed_seq", "id": "0006380", "text": "A."}', "ohsumed_seq0006380"),
        ('{"id_type": "none", "id": null, "title": "T"}', "sha678f81a714fb"),
    ],
)
def test_a_json_record_is_called_by_the_first_id_it_has(line: str, record_id: str) -> None:
    assert parse_json_line(line).record_id == record_id


def test_the_text_of_a_json_record_stands_in_for_its_abstract() -> None:
    record = parse_json_line('{"pmid": "7", "title": "T", "text": "Two  blanks.\\nA line."}')
    assert record.text == "T\nTwo  blanks.\nA line."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[1, 2]", "it holds list"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"journal": "J"}', "no id, no title and no abstract"),
        ('{"pmid": "1", "abstract": ["a"]}', "Invalid abstract"),
        ('{"pmid": "12a", "title": "T"}', "Invalid pmid '12a'"),
        ('{"pmid": "1", "title": ["T"]}', "Invalid title"),
        ('{"pmid": "1", "title": true}', "Invalid title"),
        ('{"pmid": "1", "title": "T", "year": 20133}', "Invalid year"),
        ('{"pmid": "1", "title": "T", "mesh": "Humans"}', "Invalid mesh 'Humans'"),
        ('{"pmid": "1", "title": "T", "authors": [1]}', "Invalid authors"),
        ('{"pmid": "1", "title": "half \\ud83d of one"}', "half of a character"),
    ],
)
def test_a_wrong_json_line_is_refused_in_words(line: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_json_line(line)


@given(st.text(min_size=1), st.text())
@settings(deadline=None)
def test_any_text_is_read_or_refused(title: str, abstract: str) -> None:
    """Nothing but InputError comes out, and what is read can be hashed and stored."""
    try:
        record = parse_json_line(json.dumps({"pmid": "1", "title": title, "abstract": abstract}))
    except InputError:
        return
    assert record.content_hash
    assert len(record.text.encode())


def test_a_bad_line_is_a_problem_and_loses_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", LINE, "{broken", "", {**LINE, "record_id": "b"}, "[]")
    records, problems = read_records(path)
    assert [r.record_id for r in records] == ["pmid90000021", "b"]
    assert [p.code for p in problems] == ["unread_line", "unread_line"]
    assert f"{path}, line 2:" in problems[0].message
    assert f"{path}, line 5:" in problems[1].message


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    """U+2028 and U+0085 may stand inside a JSON text and an nbib field; splitlines() cuts there."""
    mixed = {**LINE, "abstract": "of 44\u2028adults\u0085seven"}
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(mixed, ensure_ascii=False), encoding="utf-8")
    records, problems = read_records(path)
    assert (records[0].sections[0].text, problems) == (mixed["abstract"], [])
    path.write_text("PMID- 5\nTI  - of 44\u2028PMC - adults\u0085seven\n", encoding="utf-8")
    (record,), _ = read_records(path)
    assert (record.title, record.pmcid) == ("of 44 PMC - adults seven", None)


def test_a_file_that_unzips_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST", 1000)
    path = tmp_path / "in.jsonl"
    path.write_bytes(gzip.compress(json.dumps(LINE).encode() + b"\n" * 1000, mtime=0))
    with pytest.raises(InputError, match="holds more than 1000 bytes"):
        read_records(path)


def test_the_content_decides_not_the_name(tmp_path: Path, data: Path) -> None:
    for source, name in (("articles.xml", "a.nbib"), ("export.nbib", "b.xml")):
        shutil.copy(data / source, tmp_path / name)
    (tmp_path / "c.txt").write_bytes(gzip.compress((data / "articles.xml").read_bytes(), mtime=0))
    (tmp_path / "d.xml").write_bytes(gzip.compress((data / "export.nbib").read_bytes(), mtime=0))
    write(tmp_path / "e.xml", LINE)
    counts = [len(read_records(tmp_path / name)[0]) for name in sorted(_names(tmp_path))]
    assert counts == [3, 2, 3, 2, 1]


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_every_field_of_an_nbib_record_is_read(data: Path) -> None:
    """The values stand in data/export.nbib, which was written for this test."""
    records, problems = read_records(data / "export.nbib")
    assert problems == []
    assert records[0] == Record(
        record_id="pmid90000011",
        title="Intravenous immunoglobulin treatment for invented painful sensory neuropathy.",
        sections=(
            Section(
                "BACKGROUND: Five patients were given 0.4 g/kg/day for 5 days. "
                "RESULTS: The score fell by 73.4%."
            ),
        ),
        pmid="90000011",
        doi="10.5555/nbib",
        pmcid="PMC9999998",
        year=2009,
        journal="J Neurol Sci",
        volume="279(1-2)",
        pages="57-61",
        language="eng",
        authors=(
            "van Doorn, PA",
            "Müller, J",
            GROUP,
        ),
        mesh=(
            MeshHeading("Humans"),
            MeshHeading(
                "Immunoglobulins, Intravenous",
                major=True,
                qualifiers=("administration & dosage", "therapeutic use"),
                major_names=("therapeutic use",),
            ),
        ),
        publication_types=("Clinical Trial", "Journal Article"),
        registry_ids=("NCT09999993",),
        corrections=(
            Correction("CommentIn", None, "J Neurol Sci. 2010;281:7"),
            Correction(
                "ErratumIn", "90000012", "J Neurol Sci. 2010 Jan 1;280(1):9. PMID: 90000012"
            ),
        ),
        vernacular_title="Une étude inventée.",
        other_abstracts=(OtherAbstract("", "fre", (Section("Publisher: Raconté."),)),),
        byline=(
            Author("van Doorn", "Pieter A", "PA", orcid="0000-0002-1825-0097"),
            Author("Müller", "Jörg", "J"),
            Author(collective=GROUP),
        ),
        chemicals=(Chemical("Immunoglobulins, Intravenous", number="0"),),
        keywords=("IVIg",),
        dates=Dates(
            entrez="2009-01-14",
            pubmed="2009-01-15",
            medline="2009-05-01",
            completed="2009-04-30",
            revised="2016-11-25",
            published="2009 Apr 15",
            electronic="2009-01-12",
        ),
        grants=(
            Grant("R01 NS000001", "NINDS NIH HHS", "United States", "NS"),
            Grant("076053/Z/04/Z", "Wellcome Trust", "United Kingdom"),
        ),
    )
    assert (records[1].title, records[1].year) == ("A title alone.", 2001)


def test_text_before_the_first_nbib_record_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.nbib"
    path.write_text("TI  - Orphan.\n\nPMID- 5\nTI  - T\n\nPMID- 6x\nTI  - U\n", encoding="utf-8")
    records, problems = read_records(path)
    assert [r.record_id for r in records] == ["pmid5"]
    assert [p.code for p in problems] == ["unread_lines", "unread_record"]
    assert f"{path}, line 6" in problems[1].message


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path, data: Path) -> None:
    raw = (data / "export.nbib").read_bytes()
    path = tmp_path / "x.nbib"
    path.write_bytes(b"\xef\xbb\xbf" + raw.lstrip(b"\n").replace(b"\n", b"\r\n"))
    assert read_records(path) == read_records(data / "export.nbib")


def test_other_encodings_are_read_as_windows_writes_with_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "x.nbib"
    path.write_bytes("PMID- 5\nTI  - Guillain-Barré, 15–20\n".encode("cp1252"))
    records, problems = read_records(path)
    assert records[0].title == "Guillain-Barré, 15–20"
    assert [p.code for p in problems] == ["encoding"]
    assert f"{path}, line 2" in problems[0].message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        (gzip.compress(b"", mtime=0), "is empty"),
        (b"name,age\nA,1\n", "neither PubMed or EndNote XML, nor nbib, RIS, JSON Lines, or CSV"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "neither PubMed or EndNote XML"),
        (b"<html><body>Sign in</body></html>", "is not PubMed XML"),
        (b"<PubmedArticleSet><PubmedArticle>", "line 1: not well-formed"),
        (gzip.compress(b"PMID- 5\n" * 50_000, mtime=0)[:-20], "cannot be unzipped"),
    ],
)
def test_what_is_no_file_of_records_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "input"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read_records(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read .*gone\.xml: No such file"):
        read_records(tmp_path / "gone.xml")


class TestSource:
    """`search` and `fetch` over files named in the configuration."""

    @pytest.fixture
    def config(self, tmp_path: Path, data: Path, make_config: Callable[..., Config]) -> Config:
        write(tmp_path / "in.jsonl", LINE, "oops", {**LINE, "title": "A later title"})
        return make_config(
            source="files", files=[str(data / "articles.xml"), str(tmp_path / "in.jsonl")]
        )

    def test_a_search_lists_each_record_once_in_order(self, config: Config) -> None:
        found = files.search(config, today="2026-11-22")
        assert found.record_ids == ("pmid90000001", "pmid90000002", "pmid90000003", "pmid90000021")
        assert (found.count, found.duplicates) == (5, 1)
        assert (found.date, found.source) == ("2026-11-22", "files")
        assert "articles.xml (SHA-256 " in found.query

    def test_fetching_gives_a_batch_a_file_with_its_bytes(self, config: Config, data: Path) -> None:
        found = files.search(config, today="2026-11-22")
        steps: list[tuple[int, int]] = []
        first, second = files.fetch(found, config, progress=lambda *step: steps.append(step))
        assert first.raw == (data / "articles.xml").read_bytes()
        assert first.media_type == "application/xml"
        assert [p.code for p in first.problems] == ["delete_citation"] * 2
        assert [r.title for r in second.records] == ["A later title"]
        assert [p.code for p in second.problems] == ["unread_line", "repeated_record"]
        assert steps == [(3, 4), (4, 4)]

    def test_known_records_are_left_out(self, config: Config) -> None:
        found = files.search(config, today="2026-11-22")
        first, _ = files.fetch(found, config, skip={"pmid90000001", "pmid90000021"})
        assert [r.record_id for r in first.records] == ["pmid90000002", "pmid90000003"]

    def test_a_file_that_changed_is_another_search(self, config: Config) -> None:
        before = files.search(config, today="2026-11-22")
        write(config.files[1], {**LINE, "abstract": "Of 45 adults, 7 got worse."})
        with pytest.raises(InputError, match="changed since the search"):
            next(files.fetch(before, config))
        after = files.search(config, today="2026-11-22")
        assert after.record_ids == before.record_ids
        assert after.search_id != before.search_id

    def test_each_file_is_told_and_how_many_records_are_there_twice(self, config: Config) -> None:
        told: list[dict[str, object]] = []
        files.search(
            config, today="2026-11-22", tell=lambda event, /, **said: told.append({event: said})
        )
        step = {"step": "fetch"}
        first = {"file": "articles.xml", "kind": "PubMed XML", "records": 3}
        second = {"file": "in.jsonl", "kind": "JSON Lines", "records": 2}
        problems = {"repeated_record": 1, "unread_line": 1}
        assert told == [
            {"file": {**step, **first, "problems": {"delete_citation": 2}}},
            {"file": {**step, **second, "problems": problems}},
            {"duplicates": {**step, "records": 5, "removed": {"PMID": 1}, "candidates": 0}},
        ]

    def test_a_file_that_is_named_twice_is_read_once(
        self, data: Path, tmp_path: Path, make_config: Callable[..., Config]
    ) -> None:
        shutil.copy(data / "articles.xml", tmp_path / "copy.xml")
        paths = [str(data / "articles.xml"), str(tmp_path / "copy.xml")]
        config = make_config(source="files", files=paths)
        found = files.search(config, today="2026-11-22")
        assert (found.count, found.duplicates) == (3, 0)
        (batch,) = files.fetch(found, config)
        assert batch.problems[-1].code == "repeated_file"
        assert "copy.xml holds the same bytes as articles.xml" in batch.problems[-1].message

    def test_a_file_of_duplicates_alone_is_kept_with_its_problems(
        self, tmp_path: Path, make_config: Callable[..., Config]
    ) -> None:
        both = {**LINE, "doi": "10.5555/x"}
        write(tmp_path / "a.jsonl", both)
        write(tmp_path / "b.jsonl", {**both, "record_id": "mine-1", "pmid": None})
        config = make_config(files=[str(tmp_path / name) for name in ("a.jsonl", "b.jsonl")])
        found = files.search(config, today="2026-11-22")
        assert (found.record_ids, found.duplicates) == (("pmid90000021",), 1)
        first, second = files.fetch(found, config)
        assert [len(b.records) for b in (first, second)] == [1, 0]
        assert [p.code for p in second.problems] == ["duplicate_record"]

    def test_no_file_is_a_configuration_error(self, make_config: Callable[..., Config]) -> None:
        with pytest.raises(ConfigError, match="`files`"):
            files.search(make_config(source="files"), today="2026-11-22")

    def test_files_without_a_record_find_nothing(
        self, tmp_path: Path, make_config: Callable[..., Config]
    ) -> None:
        path = tmp_path / "empty.xml"
        path.write_text("<PubmedArticleSet></PubmedArticleSet>", encoding="utf-8")
        with pytest.raises(NothingFoundError, match=r"empty\.xml"):
            files.search(make_config(files=[str(path)]), today="2026-11-22")
