"""Each screen answers, holds nothing that the policy forbids, and shows a hostile text as text."""

from __future__ import annotations

import inspect
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli import review
from pipeline.effects.measures import MEASURES
from pipeline.schema import Batch, Record
from pipeline.workbench import pages, rob
from pipeline.workbench.derived import FORMULAS
from pipeline.workbench.exports import FILES
from pipeline.workbench.glossary import KEYS
from pipeline.workbench.sheet import STATES

STATIC = Path(rob.__file__).parent / "static"
HOSTILE = "pmid999"
SCREENS = (
    "/",
    "/?q=evil",
    "/study/",
    f"/study/{HOSTILE}",
    "/screen/",
    f"/screen/{HOSTILE}",
    "/conflicts",
    f"/conflict/{HOSTILE}",
    "/analysis/",
    "/analysis/single_arm_responders?unreviewed=1",
    "/analysis/single_arm_responders?unreviewed=1&chosen=1&in=pmid999&in=x",
    "/rob/",
    f"/rob/{HOSTILE}?tool=robins_i",
    "/audit",
    "/audit?who=a&verdict=accepted&skip=5",
    "/export",
    "/help",
)


@pytest.fixture
def ada(bench: Any) -> Any:
    """A reviewer who has decided something."""
    made = bench()
    made.decide("Ada", HOSTILE, "n_total", "corrected", value="39", reason="<b>why</b>")
    return made.client("Ada")


@pytest.mark.parametrize("address", SCREENS)
def test_a_screen_holds_no_inline_code_and_no_foreign_address(ada: Any, address: str) -> None:
    answer = ada.get(address)
    assert answer.status_code == 200
    page = answer.text
    assert not re.search(r"<script(?![^>]* src=\"/static/)", page)
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page)
    assert "<img src=x" not in page
    assert "<style" not in page
    links = re.findall(r'(?:href|src)="([^"]*)"', page)
    own = ("/", "#", "data:,", "https://pubmed.ncbi.nlm.nih.gov/", "https://doi.org/")
    assert all(link.startswith(own) and not link.startswith("//") for link in links)
    assert len(re.findall(r"<h1", page)) == 1
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    "address",
    [
        "/nothing",
        "/study/none",
        "/screen/none",
        "/conflict/none",
        "/rob/none",
        "/analysis/none",
        "/analysis/pain_before_after/forest.svg",
        "/audit.exe",
        "/export/none",
        "/docs",
        "/redoc",
        "/openapi.json",
    ],
)
def test_what_is_not_there_is_said_on_a_page(ada: Any, address: str) -> None:
    answer = ada.get(address)
    assert answer.status_code == 404
    assert "<h1>Not found</h1>" in answer.text


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_is_kept_and_not_opened(ada: Any, name: str) -> None:
    answer = ada.get(f"/export/{name}")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert not answer.headers["content-type"].startswith("text/html")


def test_a_table_holds_no_formula(bench: Any) -> None:
    made = bench()
    made.decide("Ada", HOSTILE, "n_total", "accepted", reason="=1+1")
    assert "'=1+1" in made.client("Ada").get("/audit.csv").text


def test_the_log_is_filtered_and_may_be_taken_back(bench: Any) -> None:
    made = bench()
    made.decide("Ada", HOSTILE, "n_total", "accepted")
    made.decide("Ben", HOSTILE, "condition", "rejected")
    page = made.client("Ada").get("/audit?who=ben").text
    assert page.count("<tr>") == 2
    assert "rejected" in page
    assert "data-event" not in page
    assert "data-event" in made.client("Ada").get("/audit?who=ada").text
    assert made.client("Ada").get("/audit.jsonl?study=evil&field=cond").text.count("\n") == 1


def test_the_search_finds_studies_by_any_word(ada: Any) -> None:
    rows = ada.get("/?q=evil 2024").text.partition('id="s-head"')[2]
    assert rows.count("<tr>") == 2
    assert "No study." in ada.get("/?q=nosuchword").text


def test_a_preview_holds_reviewed_studies_alone_unless_asked(bench: Any) -> None:
    made = bench()
    ada, address = made.client("Ada"), "/analysis/single_arm_responders"
    assert "It uses 0 of" in ada.get(address).text
    assert ada.get(f"{address}/forest.svg").status_code == 404
    for name in (".events", ".n"):
        made.decide("Ada", HOSTILE, made.path(HOSTILE, name), "accepted")
    row = made.path(HOSTILE, ".events").rpartition(".")[0]
    for field in (row, "design", "condition", "comparison_class"):
        assert "It uses 0 of" in ada.get(address).text
        made.decide("Ada", HOSTILE, field, "accepted")
    assert "It uses 1 of" in ada.get(address).text
    svg = ada.get(f"{address}/forest.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert b"Evil" in svg.content
    assert b"Kuwabara" not in svg.content
    assert b"Kuwabara" in ada.get(f"{address}/forest.svg?unreviewed=1").content
    without = ada.get(f"{address}/forest.svg?unreviewed=1&chosen=1&in={HOSTILE}").content
    assert b"Kuwabara" not in without


def test_the_derived_effect_names_its_formula(ada: Any) -> None:
    page = ada.get(f"/study/{HOSTILE}").text
    assert "y = ln[x / (n − x)] = −0.847; SE = √v = 0.345" in page  # ln(12/28), √(1/12 + 1/28)


def test_every_measure_has_its_formula() -> None:
    assert set(FORMULAS) == set(MEASURES)


def test_every_key_of_the_pages_is_explained() -> None:
    script = (STATIC / "common.js").read_text(encoding="utf-8")
    table = script.partition("DEFAULTS = {")[2].partition("}")[0]
    assert set(re.findall(r"(\w+):", table)) == {name for name, _ in KEYS}


def test_every_state_has_a_sign_and_a_word() -> None:
    from pipeline.review.resolve import STATES as KNOWN  # noqa: PLC0415

    assert set(KNOWN) - {"included", "excluded"} <= set(STATES)


def test_the_forms_hold_the_published_domains() -> None:
    found: dict[str, list[str]] = {}
    for form in rob.forms():
        found.setdefault(form["tool"], []).append(form["domain"])
    assert found["rob2"] == ["1", "2", "3", "4", "5", "overall"]
    assert found["robins_i"] == ["B", "1A", "1B", "2", "3", "4", "5", "6", "overall"]
    counts = [len(f["questions"]) for f in rob.forms() if f["tool"] == "rob2"]
    assert counts == [3, 7, 4, 5, 3, 0]


def test_the_static_files_name_no_other_machine() -> None:
    for path in STATIC.iterdir():
        assert "//" not in re.sub(r"(?m)(^|\s)//.*$", "", path.read_text(encoding="utf-8")), path


def test_the_document_names_every_screen_and_option() -> None:
    text = (Path(__file__).parents[2] / "docs" / "workbench.md").read_text(encoding="utf-8")
    for _, address in pages.SCREENS:
        assert f"`{address}`" in text
    for parameter in inspect.signature(review.review).parameters:
        if parameter != "config":
            assert f"`--{parameter.replace('_', '-')}`" in text


def test_the_dashboard_says_what_is_new(bench: Any) -> None:
    made = bench()
    ada, store = made.client("Ada"), made.desk.store
    assert "new since" not in ada.get("/").text
    store.start_run("r1", started="2026-11-01", argv=[], config_sha256="")
    store.finish_run("r1", finished="2026-11-01", status="complete", search_id="s1")
    held = made.desk.holdings
    added = Record("pmid1000", "A new trial", pmid="1000", year=2026)
    ids = (*held.ids, "pmid1000")
    store.save_search(replace(held.search, search_id="s2", date="2026-11-20", record_ids=ids))
    batch = Batch("all.xml", "application/xml", b"<xml/>", (*held.records.values(), added))
    store.save_batch("s2", batch, fetched_at="2026-11-20T00:00:00Z")
    time.sleep(1.1)
    assert "Search of 2026-11-20" in ada.get("/").text
    assert "1 of them new since the run before" in ada.get("/").text
