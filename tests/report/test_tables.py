"""The CSV tables: what stands in them, and that no spreadsheet runs a cell."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.csv_table import FORMULA, CsvTable, cell_text
from pipeline.report.data import ReportData
from pipeline.report.tables import all_tables
from pipeline.schema import QuestionResult, SmallStudyTest, StudyInfluence


def read(data: ReportData, name: str) -> list[dict[str, str]]:
    """A table as a reader of its file sees it."""
    table = next(t for t in all_tables(data) if t.name == name)
    return list(csv.DictReader(io.StringIO(table.encode().decode("utf-8"), newline="")))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-cmd", "'-cmd"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"), ("\rx", "'\rx"), ("-3.2", "-3.2"), ("−3.2", "-3.2"), (-3.2, "-3.2"),
        ("1-2", "1-2"), (None, ""), (True, "yes"), (False, "no"), (-0.0, "0.0"), (0.1, "0.1"),
        (1e-7, "1e-07"), (12, "12"), ("a = b", "a = b"),
    ],
)  # fmt: skip
def test_a_text_is_no_formula_and_a_number_keeps_its_minus(cell: object, text: str) -> None:
    assert cell_text(cell) == text  # type: ignore[arg-type]


@given(st.text(max_size=30))
def test_no_text_cell_begins_as_a_formula_unless_it_is_a_number(text: str) -> None:
    written = cell_text(text)
    assert not written.startswith(FORMULA) or float(written) is not None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_it_was(x: float) -> None:
    assert float(cell_text(x)) == x


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=4))
def test_a_written_row_is_read_back(cells: list[str]) -> None:
    table = CsvTable("t", tuple(f"h{i}" for i in range(len(cells))), (tuple(cells),))
    text = table.encode().decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[1] == [cell_text(c) for c in cells]
    assert text.startswith("h0,h1")


def test_lines_end_in_newline_alone_and_the_text_is_utf8(data: ReportData) -> None:
    for table in all_tables(data):
        content = table.encode()
        assert b"\r" not in content
        assert content.endswith(b"\n")
        content.decode("utf-8")


def test_every_question_has_its_table(data: ReportData) -> None:
    names = [t.name for t in all_tables(data)]
    assert names == [
        *(f"studies_{r.question_id}" for r in data.results),
        "estimates", "checks", "not_pooled", "extraction", "screening",
    ]  # fmt: skip


def test_checks_stand_in_one_table(data: ReportData) -> None:
    first, second, *rest = data.results
    tests = (SmallStudyTest("Egger's regression", -1.5, 8, 0.17, 0.2, -0.1, 0.5, "few"),)
    one = (StudyInfluence("Abel 2001", 2.5, 1.2, 0.9, 1.1, 0.3, 1.25, True),)
    checked = (
        replace(first, small_studies=tests, influence=one, check_notes=()),
        replace(second, check_notes=("Tests want more studies.",)),
    )
    rows = read(replace(data, results=(*checked, *rest)), "checks")
    assert [(r["question"], r["check"], r["label"]) for r in rows] == [
        (first.question_id, "small-study effects", "Egger's regression"),
        (first.question_id, "influence", "Abel 2001"),
        (second.question_id, "note", ""),
    ]
    assert (rows[0]["stat"], rows[0]["estimate"], rows[0]["note"]) == ("-1.5", "0.2", "few")
    assert (rows[1]["rstudent"], rows[1]["is_infl"], rows[1]["pval"]) == ("2.5", "yes", "")
    assert rows[2]["note"] == "Tests want more studies."


def test_the_studies_of_a_question(data: ReportData, results: dict[str, QuestionResult]) -> None:
    rows = read(data, "studies_responders")
    pooled = results["responders"].pooled
    assert pooled is not None
    assert [r["study"] for r in rows] == ["Abel 2001", "Brandt 2004", "Çelik 2010", "Dubois 2015"]
    assert (rows[0]["Events 1"], rows[0]["Total 1"]) == ("18", "30")
    assert rows[0]["link"] == "https://pubmed.ncbi.nlm.nih.gov/11111111/"
    assert float(rows[0]["effect"]) == pytest.approx((18 / 30) / (8 / 31))
    assert float(rows[0]["effect"]) == pytest.approx(exp(float(rows[0]["yi"])))
    assert [float(r["weight"]) for r in rows] == list(pooled.weights)
    assert [r["reviewed"] for r in rows] == ["yes", "yes", "no", "no"]
    assert rows[2]["recovered"] == "Çelik 2010: 1/2 added to each cell, as one is 0"
    assert rows[0]["quotes"] == "18 of 30 responded to IVIg and 8 of 31"


def test_one_row_a_question_a_subgroup_and_a_sensitivity_analysis(data: ReportData) -> None:
    rows = read(data, "estimates")
    mine = [(r["analysis"], r["label"]) for r in rows if r["question"] == "responders"]
    assert mine == [
        ("main", "Responders, IVIg against placebo, by condition"),
        ("subgroup", "CIDP"), ("subgroup", "post-polio syndrome"),
        ("sensitivity", "Printed events only"), ("sensitivity", "Leave out Abel 2001"),
    ]  # fmt: skip
    bcg = next(r for r in rows if r["question"] == "bcg")
    # metafor: -0.7145 (-1.0669, -0.3622), tau2 0.3132, I2 92.22 %, Q 152.2330, df 12; exp: 0.4894
    assert (bcg["estimate"], bcg["ci_lb"], bcg["ci_ub"]) == ("-0.7145", "-1.0669", "-0.3622")
    assert (bcg["tau2"], bcg["i2"], bcg["q"], bcg["q_df"]) == ("0.3132", "92.22", "152.233", "12")
    assert float(bcg["natural_estimate"]) == pytest.approx(0.4894, abs=1e-4)
    assert bcg["unreviewed"] == "0"
    single = next(r for r in rows if r["question"] == "one_study")
    assert single["estimate"] == ""
    assert single["note"] == "one study only; a pool needs two"


def test_proportions_are_percentages_on_the_natural_scale(data: ReportData) -> None:
    assert float(read(data, "studies_single_arm")[0]["effect"]) == pytest.approx(60.0)  # 12/20


def test_what_stayed_out_has_its_reason_and_quote(data: ReportData) -> None:
    row = next(r for r in read(data, "not_pooled") if r["question"] == "responders")
    assert row["reason"] == "the number of responders per arm is not printed"
    assert row["quote"] == row["printed"] == "about half of the patients"
    assert row["pmid"] == "55555555"


def test_every_read_value_has_its_quote_and_offsets_or_its_rule(data: ReportData) -> None:
    rows = read(data, "extraction")
    assert len(rows) == 4 * 27  # 4 of the study, 2 arms x 4, 5 of the dose, 10 of the outcome
    for row in rows:
        assert row["quote"] or row["derived"], row["field"]
        if row["quote"]:
            record = data.record(row["quote_record"])
            assert record is not None
            assert record.text[int(row["start"]) : int(row["end"])] == row["quote"]
    events = next(r for r in rows if r["field"] == "outcomes[0].events")
    assert (events["value"], events["pmid"], events["reviewed"]) == ("18", "11111111", "yes")
    assert next(r for r in rows if r["field"] == "n_total")["derived"] == "sum of arms"


def test_screening_shows_every_record_and_reason(data: ReportData) -> None:
    rows = read(data, "screening")
    assert [r["include"] for r in rows] == ["yes"] * 5 + ["no"]
    assert rows[-1]["code"] == "design"
    hostile = replace(data.screenings[-1], reason="=HYPERLINK(1)")
    table = read(replace(data, screenings=(hostile,)), "screening")
    assert table[0]["reason"] == "'=HYPERLINK(1)"
