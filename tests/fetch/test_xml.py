"""Reading PubMed XML: fields, markup, faults and hostile input."""

from __future__ import annotations

import gzip
import io
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.fetch.fields import clean
from pipeline.fetch.xml import read_entries, read_pubmed_xml
from pipeline.schema import (
    Author,
    Chemical,
    Correction,
    Dates,
    Grant,
    MeshHeading,
    OtherAbstract,
    Problem,
    Record,
    Section,
)


@pytest.fixture
def records(data: Path) -> list[Record]:
    return list(read_pubmed_xml((data / "articles.xml").read_bytes()))


def article(body: str, *, doctype: str = "", pmid: str = "<PMID>1</PMID>") -> bytes:
    """A set with one article whose abstract holds `body`."""
    return (
        f"{doctype}<PubmedArticleSet><PubmedArticle><MedlineCitation>{pmid}<Article>"
        f"<ArticleTitle>T</ArticleTitle><Abstract><AbstractText>{body}</AbstractText></Abstract>"
        "</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"
    ).encode()


def abstract(body: str) -> str:
    """What is read of an abstract that holds `body`."""
    (record,) = read_pubmed_xml(article(body))
    return record.sections[0].text


def test_every_field_of_an_article_is_read(records: list[Record]) -> None:
    """The values stand in data/articles.xml, which was written for this test."""
    assert records[0] == Record(
        record_id="pmid90000001",
        title="Intravenous immunoglobulin for invented neuropathy: a trial.",
        sections=(
            Section(
                "Platelets were above 50\u2009×\u200910^9/L, CD4+ cells < 3.7 × 10^3.",
                "BACKGROUND",
                "BACKGROUND",
            ),
            Section("We gave 0.4 g/kg; the IC₅₀ was 2 (Cmax 9).", "RESULTS", "RESULTS"),
            Section("Last words."),
        ),
        pmid="90000001",
        doi="10.5555/article",
        pmcid="PMC9999999",
        year=2019,
        journal="J Invent Trials",
        volume="7(2)",
        pages="136-44",
        language="eng,fre",
        authors=("van der Berg, AM", "Solo", "Invented Study Group"),
        mesh=(
            MeshHeading("Humans", "D006801"),
            MeshHeading(
                "Immunoglobulins, Intravenous",
                "D016756",
                major=True,
                qualifiers=("adverse effects", "therapeutic use"),
                qualifier_uis=("Q000009", "Q000627"),
                major_names=("therapeutic use",),
            ),
            MeshHeading(
                "Polyradiculoneuropathy",
                "D011129",
                major=True,
                major_names=("Polyradiculoneuropathy",),
                automatic=True,
            ),
        ),
        publication_types=("Journal Article", "Randomized Controlled Trial"),
        registry_ids=("NCT09999991", "NCT09999992", "ISRCTN00000001"),
        corrections=(
            Correction("RetractionIn", "90000099", "J Invent Trials. 2020;8:1"),
            Correction("ErratumIn", None, "J Invent Trials. 2019;7(3):200", "Table 2"),
        ),
        version=2,
        other_abstracts=(OtherAbstract("Publisher", "fre", (Section("Raconté.", "BUT"),)),),
        plain_language_summaries=(
            OtherAbstract("plain-language-summary", "eng", (Section("Told simply."),)),
        ),
        byline=(
            Author("van der Berg", "Anna Maria", "AM", "Jr", orcid="0000-0002-1825-0097"),
            Author("Solo"),
            Author(collective="Invented Study Group"),
        ),
        publication_type_uis=("D016428", "D016449"),
        chemicals=(Chemical("Immunoglobulins, Intravenous", "D016756", "0"),),
        keywords=("IVIg", "CD4+"),
        dates=Dates(
            entrez="2019-01-02",
            pubmed="2019-01-03",
            medline="2019-04-02",
            completed="2019-04-01",
            revised="2020-01-09",
            published="2019 Feb",
            electronic="2018-12-30",
        ),
        grants=(
            Grant("R01 NS000001", "NINDS NIH HHS", "United States", "NS"),
            Grant(agency="Nobody's Trust"),
        ),
    )
    assert records[0].other_abstracts[0].text == "BUT: Raconté."


def test_what_an_article_lacks_is_taken_from_where_else_it_stands(records: list[Record]) -> None:
    """Vernacular title, MedlineDate, full journal title, start and end page, valid location DOI."""
    second = records[1]
    assert (second.title, second.year) == ("Une étude inventée.", 1978)
    assert (second.journal, second.pages) == ("Revue inventee", "5-9")
    assert (second.doi, second.sections) == ("10.5555/only-location", ())
    assert second.authors == ("Groupe d'étude",)
    assert second.vernacular_title == "Une étude inventée."
    assert second.dates == Dates(published="1978 Dec-1979 Jan")


def test_a_book_chapter_is_a_record(records: list[Record]) -> None:
    book = records[2]
    assert (book.record_id, book.title) == ("pmid90000003", "Immunoglobulin, a chapter")
    assert (book.journal, book.year, book.doi) == ("Invented Reviews", 2021, "10.5555/book")
    assert book.authors == ("Chapter, C",)
    assert (book.publication_types, book.publication_type_uis) == (("Review",), ("D016454",))
    assert (book.keywords, book.language) == (("Vein",), "eng")
    assert book.dates == Dates(
        entrez="2021-03-05", created="2020-12-01", revised="2021-03-04", published="2021"
    )
    assert book.text.endswith("It is given into a vein.")


def test_the_study_label_is_the_first_surname(records: list[Record]) -> None:
    assert [r.slab for r in records] == ["van der Berg 2019", "Groupe d'étude 1978", "Chapter 2021"]


def test_other_abstracts_and_copyright_are_not_the_abstract(records: list[Record]) -> None:
    text = records[0].text
    assert "Told simply" not in text
    assert "Copyright" not in text


def test_each_deleted_citation_is_a_problem_that_names_it(data: Path) -> None:
    entries = list(read_entries((data / "articles.xml").read_bytes(), name="day.xml"))
    problems = [e for e in entries if isinstance(e, Problem)]
    assert [(p.code, p.record_id) for p in problems] == [
        ("delete_citation", "pmid90000004"),
        ("delete_citation", "pmid90000005"),
    ]
    assert problems[1].message == "day.xml: PubMed has deleted version 2 of 90000005."


def test_an_article_without_a_pmid_is_a_problem_and_costs_no_other(data: Path) -> None:
    whole = (data / "articles.xml").read_text(encoding="utf-8")
    broken = whole.replace('<PMID Version="1">90000002</PMID>', "").encode()
    entries = list(read_entries(broken, name="day.xml"))
    assert [e.record_id for e in entries if isinstance(e, Record)] == [
        "pmid90000001",
        "pmid90000003",
    ]
    assert "no_pmid" in {e.code for e in entries if isinstance(e, Problem)}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("10<sup>3</sup>", "10^3"),
        ("10<sup>-7</sup> cm", "10^-7 cm"),
        ("10<sup> 9</sup>/L", "10^9/L"),
        ("10<sup><i>3</i></sup>", "10^3"),
        ("155<sup>+/+</sup> mice", "155+/+ mice"),
        ("the 1<sup>st</sup> day", "the 1st day"),
        ("placebo<sup>12</sup> was", "placebo^12 was"),
        ("H<sub>2</sub>O and t<sub>1/2</sub>", "H₂O and t₁/₂"),
        ("2<sub>3</sub>", "2₃"),
        ("a<b> b</b> <i>c </i>d", "a b c d"),
        ("one<!-- 7 --> two<?x 8?> three", "one two three"),
        ("p &lt; 0.05 &amp; n &gt; 3", "p < 0.05 & n > 3"),
        ("&lt;sup&gt;", "<sup>"),
        ("line\n      break\tand\u2028more", "line break and more"),
        ("it ends\n", "it ends"),
        ("\n it begins", "it begins"),
        ("it ends\u2028", "it ends"),
        ("it ends\u00a0", "it ends\u00a0"),
        ("13\u2009388 and 13\u00a0388", "13\u2009388 and 13\u00a0388"),
    ],
)
def test_markup_becomes_plain_text_with_its_numbers_whole(body: str, text: str) -> None:
    assert abstract(body) == text


@pytest.mark.parametrize(
    ("math", "text"),
    [
        ("<msup><mn>10</mn><mn>3</mn></msup>", "10^3"),
        ("<msup><mi>R</mi><mrow> <mn>2</mn> </mrow></msup>", "R^2"),
        ("<msup><mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow><mn>2</mn></msup>", "(a+b)^2"),
        ("<msup><mn>10</mn><mrow><mo>-</mo><mn>4</mn></mrow></msup>", "10^-4"),
        ("<msub><mi>T</mi><mn>1</mn></msub>", "T₁"),
        ("<msubsup><mi>T</mi><mn>2</mn><mo>*</mo></msubsup>", "T₂^*"),
        ("<mfrac><mn>1</mn><mn>3</mn></mfrac>", "1/3"),
        ("<msqrt><mn>5</mn></msqrt>", "√(5)"),
        ("<mfenced><mn>1</mn><mn>2</mn></mfenced>", "(1,2)"),
    ],
)
def test_mathml_keeps_powers_and_fractions(math: str, text: str) -> None:
    namespaced = math.replace("</", "</m:").replace("<m", "<m:m", -1).replace("</m:m:m", "</m:m")
    body = f'<m:math xmlns:m="http://www.w3.org/1998/Math/MathML">{namespaced}</m:math>'
    assert abstract(body) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1))
@settings(deadline=None)
def test_text_without_markup_reads_back_as_it_was_written(text: str) -> None:
    """Write then read: only blanks may change."""
    if not clean(text) or "\ufffe" in text or "\uffff" in text:
        return
    assert abstract(escape(text)) == clean(text)


@given(st.integers(0, 10**6), st.integers(-99, 99))
@settings(deadline=None)
def test_a_power_never_runs_into_its_base(base: int, power: int) -> None:
    assert abstract(f"{base}<sup>{power}</sup>") == f"{base}^{power}"


def test_gzip_and_open_files_are_read_alike(data: Path, records: list[Record]) -> None:
    raw = (data / "articles.xml").read_bytes()
    assert list(read_pubmed_xml(gzip.compress(raw, mtime=0))) == records
    assert list(read_pubmed_xml(io.BytesIO(raw))) == records
    with (data / "articles.xml").open("rb") as file:
        assert list(read_pubmed_xml(file)) == records


def test_broken_xml_is_an_error_that_names_file_and_line(data: Path) -> None:
    """The records before the fault must not pass for the whole."""
    raw = (data / "articles.xml").read_bytes()
    cut = raw[: raw.index(b"90000003")]
    line = cut.count(b"\n") + 1
    read: list[Record] = []
    with pytest.raises(InputError, match=rf"day\.xml, line {line}: not well-formed"):
        read.extend(read_pubmed_xml(cut, name="day.xml"))
    whole = read_pubmed_xml(cut, name="day.xml")
    assert next(whole).record_id == "pmid90000001"
    with pytest.raises(InputError):
        list(whole)


def test_cut_gzip_is_an_error(data: Path) -> None:
    cut = gzip.compress((data / "articles.xml").read_bytes(), mtime=0)[:-40]
    with pytest.raises(InputError, match=r"day\.xml"):
        list(read_pubmed_xml(cut, name="day.xml"))


@pytest.mark.parametrize("xml", [b"<eSearchResult><Count>0</Count></eSearchResult>", b"<a/>"])
def test_other_xml_is_refused(xml: bytes) -> None:
    with pytest.raises(InputError, match=r"is not PubMed XML: its root is <(eSearchResult|a)>"):
        list(read_pubmed_xml(xml))


def test_an_empty_set_has_no_records() -> None:
    assert list(read_pubmed_xml(b"<PubmedArticleSet></PubmedArticleSet>")) == []


def test_an_external_entity_is_never_opened(tmp_path: Path) -> None:
    """The XXE canary: CVE-2026-41066 let iterparse read local files."""
    canary = tmp_path / "canary.txt"
    canary.write_text("CANARY-7731", encoding="utf-8")
    doctype = f'<!DOCTYPE PubmedArticleSet [<!ENTITY xxe SYSTEM "{canary.as_uri()}">]>'
    (record,) = read_pubmed_xml(article("before &xxe; after", doctype=doctype))
    assert "CANARY" not in record.text
    assert record.sections[0].text == "before &xxe; after"


def test_an_external_dtd_is_never_opened(tmp_path: Path) -> None:
    dtd = tmp_path / "evil.dtd"
    dtd.write_text('<!ENTITY word "CANARY-7731">', encoding="utf-8")
    doctype = f'<!DOCTYPE PubmedArticleSet SYSTEM "{dtd.as_uri()}">'
    (record,) = read_pubmed_xml(article("&word;", doctype=doctype))
    assert "CANARY" not in record.text


def test_an_entity_bomb_is_refused() -> None:
    """Billion laughs: ten entities, each ten of the last."""
    bomb = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 11)
    )
    doctype = f"<!DOCTYPE PubmedArticleSet [{bomb}]>"
    with pytest.raises(InputError, match="amplification"):
        list(read_pubmed_xml(article("&a10;", doctype=doctype)))
