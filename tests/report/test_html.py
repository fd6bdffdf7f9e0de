"""The page: everything in it, nothing of a stranger's text running, nothing from the network."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.report import write_report
from pipeline.report.data import ReportData
from pipeline.report.html_table import make_table, study_anchor
from pipeline.report.readings import quotes_of
from pipeline.schema import Screening, SmallStudyTest, StudyInfluence

from .conftest import HOSTILE, make_data

VOID = {"meta", "link", "br", "img", "path"}


class Page(HTMLParser):
    """Collects a page's elements, ids, links and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [v for n, v in attrs if n == "id" and v]
        self.links += [v for n, v in attrs if n in ("href", "src") and v]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))


@pytest.fixture(scope="module")
def folder(data: ReportData, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A written report."""
    folder = tmp_path_factory.mktemp("report")
    write_report(data, folder)
    return folder


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    """The page's source."""
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    """The page, parsed; every element is closed."""
    page = Page(html)
    assert not page.open
    return page


def test_the_report_writes_what_it_says(data: ReportData, tmp_path: Path) -> None:
    written = write_report(data, tmp_path / "new" / "folder")
    on_disk = {p for p in (tmp_path / "new" / "folder").rglob("*") if p.is_file()}
    assert set(written) == on_disk
    names = {p.name for p in written}
    assert {"report.html", "estimates.csv", "forest_bcg.svg", "forest_bcg.png"} <= names
    assert not any(n.startswith("forest_no_study") for n in names)


def test_a_folder_that_cannot_be_written_is_named_with_the_reason(
    data: ReportData, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    with pytest.raises(OutputError, match=r"file: (File exists|Not a directory)\.$"):
        write_report(data, blocked)
    assert blocked.read_text() == "in the way"


def test_the_page_needs_neither_network_nor_scripts(html: str, page: Page) -> None:
    assert not page.tags["script"] and not page.tags["img"] and not page.tags["iframe"]
    assert not [a for a in page.attributes if a[1].startswith("on")]
    allowed = ("#", "data:,", "https://pubmed.ncbi.nlm.nih.gov/", "https://doi.org/10.")
    assert all(link.startswith(allowed) for link in page.links)
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in unescape(html)
    assert "@import" not in html and "url(" not in html


def test_a_strangers_text_stays_text(html: str, page: Page) -> None:
    assert "<script" not in html and "<img" not in html
    assert "\u202e" not in html
    shown = "".join(text for _, text in page.words)
    assert HOSTILE.replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]") in shown


def test_hostile_text_in_every_field_of_the_report_stays_text(tmp_path: Path) -> None:
    bad = '"><svg onload=alert(1)>\u202e'
    data = make_data()
    result = data.results[0]
    effects = tuple(
        replace(e, slab=bad, subgroup=bad, recovered=(bad,), columns=((bad, bad),))
        for e in result.effects
    )
    groups = tuple(replace(g, label=bad) for g in result.subgroups)
    result = replace(
        result,
        title=bad,
        effects=effects,
        subgroups=groups,
        warnings=(bad,),
        assumptions=(bad,),
        not_pooled=tuple(replace(n, slab=bad, reason=bad, printed=bad) for n in result.not_pooled),
    )
    studies = tuple(
        replace(s, record_id=f"{i}{bad}", slab=bad, condition_mesh=bad)
        for i, s in enumerate(data.studies)
    )
    hostile = replace(
        data,
        title=bad,
        results=(result,),
        studies=studies,
        assumptions=(bad,),
        favours={"responders": (bad, bad)},
        search=replace(data.search, query=bad, translation=bad, warnings=(bad,)),
        screenings=(Screening(bad, False, bad, bad),),
    )
    write_report(hostile, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    parsed = Page(text)
    assert not [a for a in parsed.attributes if a[1] == "onload"]
    assert parsed.tags["svg"] == 1
    assert "\u202e" not in text
    assert not parsed.open


def test_no_id_stands_twice_and_every_inner_link_leads_somewhere(page: Page) -> None:
    twice = [i for i, n in Counter(page.ids).items() if n > 1]
    assert not twice
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_anchors_of_different_records_differ() -> None:
    assert study_anchor("pmid1") == "study-pmid1"
    assert len({study_anchor(x) for x in ("a b", "a-b", "a_b", "a20b", "ab")}) == 5


def test_every_table_has_a_caption_and_heads_with_a_scope(html: str, page: Page) -> None:
    assert page.tags["table"] == page.tags["caption"] > 10
    assert page.tags["th"] == len([a for a in page.attributes if a[:2] == ("th", "scope")])


def test_the_page_names_its_language_and_title(page: Page) -> None:
    assert ("html", "lang", "en") in page.attributes
    assert ("title", "Intravenous immunoglobulin for neuropathies") in page.words
    assert page.tags["h1"] == 1


def test_every_quote_is_marked_in_its_text(data: ReportData, html: str) -> None:
    for study in data.studies:
        part = html.partition(f'<details id="{study_anchor(study.record_id)}">')[2]
        text = part.partition('class="text"')[2].partition("</div>")[0]
        marks = unescape("|".join(re.findall(r"<mark[^>]*>(.*?)</mark>", text)))
        quotes = {q.text for _, q in quotes_of(study)}
        assert len(quotes) == 6
        assert all(quote in marks for quote in quotes)


def test_every_figure_is_inline_with_a_text_in_its_place(data: ReportData, page: Page) -> None:
    figures = [r for r in data.results if r.effects]
    labels = [v for tag, name, v in page.attributes if tag == "svg" and name == "aria-label"]
    assert page.tags["svg"] == page.tags["figure"] == len(labels) == len(figures)
    assert any("0.49 [0.34, 0.70]" in label for label in labels)


def test_what_nobody_reviewed_is_labelled_on_figures_and_tables(html: str) -> None:
    part = html.partition('<article id="q-responders"')[2].partition("</article>")[0]
    label = "2 of 4 studies unreviewed (machine-read values)"
    assert label in part.partition("<figcaption>")[2].partition("</figcaption>")[0]
    captions = re.findall(r"<caption>(.*?)</caption>", part, flags=re.DOTALL)
    assert len(captions) == 5
    assert all("unreviewed" in c for c in captions)
    reviewed = html.partition('<article id="q-bcg"')[2].partition("</article>")[0]
    assert "unreviewed" not in reviewed


def test_the_flow_adds_up(data: ReportData, html: str) -> None:
    part = html.partition('<ol class="flow">')[2].partition("</ol>")[0]
    n = [int(x) for x in re.findall(r"<strong>n = (\d+)</strong>", part)]
    identified, duplicates, screened, excluded, included, none, pooled = n
    assert identified - duplicates == screened
    assert screened - excluded == included
    assert included - none == pooled
    assert n == [7, 1, 6, 1, 5, 1, 4]
    assert "design not eligible: 1" in part


def test_the_estimate_is_given_in_numbers(html: str) -> None:
    text = unescape(html)
    assert "Pooled risk ratio: 0.49 [0.34, 0.70] (95% CI; k = 13, n = 357\u202f347)." in text
    assert "95% prediction interval: [0.15, 1.55]." in text
    assert "Not pooled (k = 1): one study only; a pool needs two." in text
    assert "Not pooled (k = 0): no study prints the numbers that the risk ratio needs." in text


def test_what_was_not_pooled_stands_with_its_printed_value(html: str) -> None:
    part = html.partition("<caption>Not pooled: Strength")[2].partition("</table>")[0]
    assert "the number of responders per arm is not printed" in part
    assert "<q>about half of the patients</q>" in part


def test_search_excluded_records_assumptions_and_problems_are_shown(page: Page) -> None:
    shown = "".join(text for _, text in page.words)
    for words in (
        'ivig[tiab] AND "CIDP"[tiab] <b>',
        "Phrase not found: <b>",
        "2026-11-20",
        "the design is not eligible: =animal",
        "r = 0.5 where a paper prints no correlation.",
        "Record 7 could not be read: <broken>.",
        "The arms' sum differs from the n of the title.",
        "Evipool 0.1.0",
    ):
        assert words in shown


def test_an_empty_review_is_a_page_too(data: ReportData, tmp_path: Path) -> None:
    empty = replace(
        data, records=(), studies=(), screenings=(), results=(), problems=(), assumptions=()
    )
    written = write_report(empty, tmp_path)
    assert Page((tmp_path / "report.html").read_text(encoding="utf-8")).tags["h2"] == 7
    assert {p.name for p in written} == {
        "report.html",
        "estimates.csv",
        "checks.csv",
        "not_pooled.csv",
        "extraction.csv",
        "screening.csv",
    }


def test_a_table_drops_empty_columns_and_knows_its_numbers() -> None:
    table = make_table("c", ("a", "b", "n", "x"), [("", "", "−1.5", "p"), ("", "", "12%", "1")])
    assert table.header == ("a", "n", "x")
    assert table.numeric == {1}


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_has_the_contrast_of_wcag_aa(html: str, scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", html, flags=re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", blocks[scheme]))
    pairs = [(ink, paper) for ink in ("ink", "soft", "link") for paper in ("paper", "band")]
    for ink, paper in [*pairs, ("mark-ink", "mark"), ("warn", "warn-paper")]:
        one, other = sorted((luminance(colours[ink]), luminance(colours[paper])))
        assert (other + 0.05) / (one + 0.05) >= 4.5, (ink, paper)


def test_the_page_says_how_many_numbers_were_recovered(data: ReportData, tmp_path: Path) -> None:
    first, *rest = data.results
    effects = tuple(replace(e, numbers=4, unprinted=("x",)) for e in first.effects)
    write_report(replace(data, results=(replace(first, effects=effects), *rest)), tmp_path)
    n = len(effects)
    said = f"{n} of {4 * n} numbers of this pool are not printed but recovered: x ({n})."
    assert (tmp_path / "report.html").read_text().count(said) == 1


def test_the_page_shows_the_checks_and_what_was_not_made(data: ReportData, tmp_path: Path) -> None:
    first, *rest = data.results
    tests = (
        SmallStudyTest("Egger's regression", -1.5, 8, 0.17, 0.0, -0.1, 0.1),
        SmallStudyTest("Begg's rank correlation", note="the variances are equal"),
    )
    one = (StudyInfluence("Abel 2001", 2.5, 1.2, 0.9, 1.1, 0.3, 1.25, True),)
    lines = ("Leaving one study out needs 3 or more; this pool has 2.",)
    checked = replace(first, small_studies=tests, influence=one, check_notes=lines)
    write_report(replace(data, results=(checked, *rest)), tmp_path)
    page = unescape((tmp_path / "report.html").read_text())
    said = ("Egger's regression", "1.00 [0.90, 1.11]", "variances are equal", "influential")
    for words in (*said, "Notes on the checks", lines[0]):
        assert words in page.replace("\N{NO-BREAK SPACE}", " "), words


def test_a_model_without_weights_is_shown_without_them(data: ReportData, tmp_path: Path) -> None:
    """A GLMM gives its studies no weights; metafor's weights() refuses it too."""
    by_glmm = [
        replace(r, pooled=r.pooled and replace(r.pooled, method="GLMM", weights=()))
        for r in data.results
    ]
    write_report(replace(data, results=tuple(by_glmm)), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "generalised linear mixed model (GLMM)" in page
    assert "Weight" not in page
    assert "never narrower than the normal one" not in page
