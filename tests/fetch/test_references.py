"""References of other databases: RIS, CSV and EndNote XML become records like any other."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.fetch.files import read_file, read_records
from pipeline.fetch.reference import author, initials
from pipeline.fetch.ris import read_ris
from pipeline.fetch.table import read_table
from pipeline.schema import Author, Problem, Record, Section

GROUP = Author(collective="Invented Study Group")


class TestRis:
    """data/references.ris, which was written for this test."""

    @pytest.fixture
    def read(self, data: Path) -> tuple[list[Record], list[Problem]]:
        return read_records(data / "references.ris")

    def test_every_field_is_read(self, read: tuple[list[Record], list[Problem]]) -> None:
        assert read[0][0] == Record(
            record_id="pmid90000001",
            title="Immunoglobulin for invented neuropathy: a trial",
            sections=(Section("Of 44 adults, 7 got worse."),),
            pmid="90000001",
            doi="10.5555/article",
            year=2019,
            journal="Journal of Invented Trials",
            volume="7(2)",
            pages="136-144",
            language="eng",
            authors=("Doorn, PA", "Müller, J", "Invented Study Group"),
            byline=(Author("Doorn", "Pieter A. van", "PA"), Author("Müller", "J.", "J"), GROUP),
            keywords=("IVIg", "neuropathy"),
        )

    def test_an_accession_number_is_a_pmid_only_where_it_says_so(
        self, read: tuple[list[Record], list[Problem]]
    ) -> None:
        """Embase numbers its own; its note names the PMID."""
        assert (read[0][1].pmid, read[0][1].title, read[0][1].year) == (
            "90000002",
            "One of Embase",
            2020,
        )
        (alone,) = read_ris("TY  - JOUR\nTI  - T\nAN  - 12\nDB  - Embase\nER  - \n", "x")
        assert isinstance(alone, Record)
        assert alone.pmid is None
        assert alone.record_id.startswith("ris-")

    def test_what_is_not_read_is_said_and_loses_nothing_else(
        self, read: tuple[list[Record], list[Problem]], data: Path
    ) -> None:
        """rispy alone drops the last reference without a word."""
        records, problems = read
        assert [r.title for r in records[2:]] == ["Cut off"]
        assert [p.code for p in problems] == ["unread_lines", "unread_record", "no_end"]
        path = data / "references.ris"
        assert problems[1].message.startswith(f"{path}, line 35: ")
        assert problems[2].message.startswith(f"{path}, line 40: ")

    def test_a_missing_end_does_not_run_two_references_into_one(self) -> None:
        text = "TY  - JOUR\nTI  - First\nTY  - JOUR\nTI  - Second\nER  - \n"
        entries = list(read_ris(text, "x"))
        assert [e.title for e in entries if isinstance(e, Record)] == ["First", "Second"]

    def test_a_mark_windows_line_ends_and_gzip_change_nothing(
        self, tmp_path: Path, data: Path
    ) -> None:
        raw = (data / "references.ris").read_bytes()
        path = tmp_path / "x.xml"
        path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + raw.replace(b"\n", b"\r\n"), mtime=0))
        assert read_records(path)[0] == read_records(data / "references.ris")[0]
        path.write_bytes(raw.decode().encode("utf-16"))
        assert read_records(path)[0] == read_records(data / "references.ris")[0]

    def test_the_summary_says_what_was_read_and_what_not(self, data: Path) -> None:
        assert read_file(data / "references.ris").summary == (
            "references.ris: RIS, 3 records; 1 no_end, 1 unread_lines, 1 unread_record"
        )

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_a_problem(self, text: str) -> None:
        for entry in read_ris(f"TY  - JOUR\n{text}\nER  - \n", "x"):
            assert isinstance(entry, Record | Problem)


class TestCsv:
    """Tables with known headers, or with a mapping beside them."""

    def test_pubmeds_own_table_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "csv-set.csv"
        path.write_text(
            "\ufeffPMID,Title,Authors,Citation,First Author,Journal/Book,Publication Year,PMCID,DOI"
            '\n90000001,"A trial, invented","van Doorn PA, Müller J.",J. 2019,X,J Invent,2019,'
            "PMC9999999,10.5555/article\n",
            encoding="utf-8",
        )
        records, problems = read_records(path)
        assert problems == []
        assert records == [
            Record(
                record_id="pmid90000001",
                title="A trial, invented",
                pmid="90000001",
                doi="10.5555/article",
                pmcid="PMC9999999",
                year=2019,
                journal="J Invent",
                authors=("van Doorn, PA", "Müller, J"),
                byline=(Author("van Doorn", initials="PA"), Author("Müller", initials="J")),
            )
        ]

    @pytest.mark.parametrize("mark", [";", "\t"])
    def test_excels_separators_and_encodings_are_known(self, tmp_path: Path, mark: str) -> None:
        text = f'Title{mark}Abstract{mark}Year\nT{mark}"of 44\nadults"{mark}2013\n'
        for encoding in ("utf-8", "utf-16", "cp1252"):
            path = tmp_path / "x.csv"
            path.write_bytes(text.encode(encoding))
            (record,), problems = read_records(path)
            assert (record.title, record.sections[0].text, record.year, problems) == (
                "T",
                "of 44 adults",
                2013,
                [],
            )

    def test_a_mapping_beside_the_table_names_the_columns(self, tmp_path: Path) -> None:
        path = tmp_path / "x.csv"
        path.write_text("Kopf,Jahr,Wer\nEine Studie,2013,Müller J; Solo A\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"a mapping in x\.csv\.map\.yaml"):
            read_records(path)
        beside = tmp_path / "x.csv.map.yaml"
        beside.write_text("title: Kopf\nyear: Jahr\nauthors: Wer\n", encoding="utf-8")
        (record,), _ = read_records(path)
        assert (record.title, record.year) == ("Eine Studie", 2013)
        assert record.authors == ("Müller, J", "Solo, A")

    @pytest.mark.parametrize(
        ("mapping", "said"),
        [
            ("title: Nope\n", "has no column 'Nope'; its header is Kopf, Jahr"),
            ("colour: Kopf\n", "no field 'colour'; must be one of title"),
            ("- a\n", "must name a column for each field"),
            ("title: [\n", "is not YAML"),
        ],
    )
    def test_a_wrong_mapping_is_refused_in_words(
        self, tmp_path: Path, mapping: str, said: str
    ) -> None:
        path = tmp_path / "x.csv"
        path.write_text("Kopf,Jahr\nT,2013\n", encoding="utf-8")
        (tmp_path / "x.csv.map.yaml").write_text(mapping, encoding="utf-8")
        with pytest.raises(InputError, match=said):
            read_records(path)

    def test_a_bad_row_is_a_problem_and_loses_nothing_else(self) -> None:
        text = "title,pmid\nA,1\nB\nC,../../etc/passwd\n,3\nD,4\n"
        entries = list(read_table(text, "x.csv"))
        assert [e.record_id[:6] for e in entries if isinstance(e, Record)] == [
            "pmid1",
            entries[3].record_id[:6],
            "pmid4",
        ]
        problems = [e for e in entries if isinstance(e, Problem)]
        assert [p.code for p in problems] == ["unread_line", "invalid_pmid", "unread_record"]
        assert problems[0].message == (
            "x.csv, line 3: 1 cells under 2 columns; the row was not read."
        )
        assert entries[3].record_id.startswith("csv-")
        assert "/" not in entries[3].record_id

    def test_a_cell_of_a_megabyte_costs_only_its_row(self) -> None:
        text = f'title,pmid\n"{"x" * 1_000_000}",1\nB,2\n'
        entries = list(read_table(text, "x.csv"))
        assert isinstance(entries[0], Problem)
        assert [e.record_id for e in entries if isinstance(e, Record)] == ["pmid2"]

    def test_names_that_could_be_split_in_two_ways_are_kept_whole(self) -> None:
        (record,) = read_table('title,authors\nT,"Smith, John, Doe, Jane"\n', "x")
        assert isinstance(record, Record)
        assert len(record.authors) == 1


class TestEndnote:
    """data/endnote.xml, which was written for this test."""

    def test_every_field_is_read(self, data: Path) -> None:
        records, problems = read_records(data / "endnote.xml")
        assert records[0] == Record(
            record_id="pmid90000001",
            title="Above 10^9/L: a trial",
            sections=(Section("Of 44 adults, 7 got worse."),),
            pmid="90000001",
            doi="10.5555/article",
            pmcid="PMC9999999",
            year=2019,
            journal="Journal of Invented Trials",
            volume="7(2)",
            pages="136-144",
            language="eng",
            authors=("Doorn, PA", "Invented Study Group"),
            byline=(Author("Doorn", "Pieter A. van", "PA"), GROUP),
            keywords=("IVIg", "trial"),
        )
        assert (records[1].pmid, records[1].doi) == (None, "10.5555/elsewhere")
        assert [p.code for p in problems] == ["unread_record"]
        assert "line 29" in problems[0].message

    def test_cut_off_it_is_refused(self, tmp_path: Path, data: Path) -> None:
        path = tmp_path / "x.xml"
        path.write_bytes((data / "endnote.xml").read_bytes()[:-30])
        with pytest.raises(InputError, match="not well-formed"):
            read_records(path)


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Doorn, Pieter A. van", Author("Doorn", "Pieter A. van", "PA")),
        ("Doorn, P.A.", Author("Doorn", "P.A.", "PA")),
        ("Doorn, PA", Author("Doorn", "PA", "PA")),
        ("van Doorn PA", Author("van Doorn", initials="PA")),
        ("World Health Organization", Author(collective="World Health Organization")),
        ("Doorn", Author(collective="Doorn")),
    ],
)
def test_a_name_is_read_as_far_as_it_is_certain(name: str, read: Author) -> None:
    assert author(name) == read


def test_initials() -> None:
    assert [initials(n) for n in ("Jean-Marc", "J.-M.", "pieter", "")] == ["J", "J", "", ""]
