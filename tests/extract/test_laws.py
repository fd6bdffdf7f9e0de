"""Laws of the extractor that hold for any text: quotes, number words, units, order, repetition."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.extract.numbers import parse_count, parse_number, parse_words
from pipeline.extract.reader import Reader
from pipeline.schema import Quote, Record, Section, Study
from pipeline.schema.codec import study_record
from pipeline.schema.decision import Screening
from tests.extract.conftest import Read

TITLES = (
    "IVIg in CIDP: a randomised placebo-controlled trial",
    "Open-label study of IVIg in small fibre neuropathy",
    "A text about something else",
)
#: Pieces of abstracts, which arbitrary text alone would hardly ever hold.
PHRASES = (
    "We randomised 117 patients to IVIg (n = 59) or placebo (n = 58).",
    "Twenty patients were treated with IVIg (0.4 g/kg/day for 5 days).",
    "12 of 59 (20%) patients on IVIg",
    "and 30/58 on placebo relapsed (p < 0.001).",
    "Mean VAS pain fell from 7.2 ± 1.1 to 3.1 ± 2.0 at 12 weeks.",
    "odds ratio 0.24, 95% CI 0.10 to 0.55",
    "All five patients improved.",
    "RESULTS:",
    "NCT00220740",
    "−33·5%",
    "eleven men and 4 women",
    "Median INCAT score was 3 (IQR 2-5).",
    "The benefit lasted 2 to 6 months.",
)
#: What a record may hold though no printed abstract should.
ODDITIES = (
    "\U0001f489",  # a character beyond the Basic Multilingual Plane
    "\U0001d7d8\U0001d7d9",  # mathematical digits
    "\x00",
    "\x1f",
    "\u2028",  # line separator
    "\u202e",  # right-to-left override
    "שלום",
    "٣٤",  # Arabic-Indic digits
    "²",
    "½",
    "e\u0301",
    "<sub>2</sub>",
    "&lt;0.05",
    "<b>12 of 59</b>",
    "((((",
    "]",
)
TEXTS = st.lists(
    st.one_of(st.sampled_from(PHRASES), st.sampled_from(ODDITIES), st.text(max_size=12)),
    max_size=8,
).flatmap(lambda parts: st.sampled_from((" ", "", "\n")).map(lambda by: by.join(parts)))


def quotes(value: Any) -> Iterator[Quote]:
    """Every quote inside a study."""
    if isinstance(value, Quote):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from quotes(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from quotes(getattr(value, field.name))


def published(study: Study, record: Record) -> bytes:
    """The study as the published record, one line of JSON."""
    screening = Screening(study.record_id, True, "eligible", "")
    return json.dumps(study_record(study, screening, record.text), ensure_ascii=True).encode()


@settings(max_examples=300)
@given(title=st.sampled_from(TITLES), text=TEXTS)
def test_every_quote_is_the_slice_of_the_text_that_it_names(
    reader: Reader, title: str, text: str
) -> None:
    record = Record("r1", title, (Section(text),))
    for quote in quotes(reader.read(record)):
        assert quote.record_id == "r1"
        assert record.text[quote.start : quote.end] == quote.text


def test_the_law_on_quotes_sees_quotes(reader: Reader) -> None:
    """The phrases above give quotes to look at, also behind characters of two code units."""
    text = "\U0001f489\U0001f489 " + " ".join(PHRASES)
    record = Record("r1", TITLES[0], (Section(text),))
    found = list(quotes(reader.read(record)))
    assert len(found) > 30
    assert all(record.text[q.start : q.end] == q.text for q in found)


# Numbers

UNITS = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen",
)
TENS = re.findall(r"\S+", "- - twenty thirty forty fifty sixty seventy eighty ninety")


def spell(number: int, *, joint: str = "-", link: str = " and ") -> str:
    """Spell 0 to 9999 in English; `joint` stands in twenty-two, `link` in one hundred and two."""
    if number < 20:
        return UNITS[number]
    if number < 100:
        ten, one = divmod(number, 10)
        return TENS[ten] + (joint + UNITS[one] if one else "")
    size, word = (1000, "thousand") if number >= 1000 else (100, "hundred")
    head, rest = divmod(number, size)
    spelt = f"{spell(head, joint=joint, link=link)} {word}"
    if not rest:
        return spelt
    return spelt + (link if rest < 100 else " ") + spell(rest, joint=joint, link=link)


@pytest.mark.parametrize("joint", ["-", " "])
@pytest.mark.parametrize("link", [" and ", " "])
def test_number_words_are_read_back_up_to_9999(joint: str, link: str) -> None:
    wrong = [i for i in range(10_000) if parse_words(spell(i, joint=joint, link=link)) != i]
    assert wrong == []


@given(number=st.integers(2, 9999), capital=st.booleans())
@settings(max_examples=60)
def test_a_sample_size_in_words_is_the_same_in_digits(
    read: Read, number: int, capital: bool
) -> None:
    words = spell(number)
    words = words.capitalize() if capital else words
    for printed in (words, str(number)):
        study = read(f"{printed} patients were treated with IVIg.", TITLES[1])
        assert study.n_total is not None
        assert study.n_total.value == number


@given(number=st.integers(0, 10**9))
def test_thousands_may_be_set_apart(number: int) -> None:
    for mark in (",", "\u2009", "\u202f", "\u00a0"):
        assert parse_count(f"{number:,}".replace(",", mark)) == number


@given(number=st.decimals(0, 1000, places=3), mark=st.sampled_from(".·"))
def test_every_dash_is_a_minus_and_every_point_a_point(number: Any, mark: str) -> None:
    printed = str(number).replace(".", mark)
    assert parse_number(printed) == float(number)
    for minus in "-\u2212\u2010\u2011\u2012\u2013":
        assert parse_number(minus + printed) == -float(number)


# Doses


@given(grams=st.integers(1, 30).map(lambda tenths: tenths / 10), days=st.integers(1, 10))
@settings(max_examples=60)
def test_milligrams_and_grams_make_the_same_course(read: Read, grams: float, days: int) -> None:
    totals = []
    for amount in (f"{grams:g} g/kg", f"{grams * 1000:g} mg/kg"):
        (dose,) = read(f"Patients had IVIg {amount} daily for {days} days.", TITLES[1]).doses
        assert dose.total_per_course_g_per_kg is not None
        totals.append(dose.total_per_course_g_per_kg.value)
    assert totals[0] == pytest.approx(totals[1], abs=1e-9)
    assert totals[0] == pytest.approx(grams * days, abs=1e-6)


# What else the text holds

WORDS_ONLY = (
    "Further studies are needed.",
    "The treatment was well tolerated.",
    "These findings need to be confirmed.",
    "Funding came from a public body.",
)


def figures(study: Study) -> str:
    """Every number that was read, with its field and place."""
    shown = study_record(study, Screening(study.record_id, True, "", ""))
    kept = ("n_total", "n_enrolled", "n_completed", "arms", "doses", "outcomes")
    return json.dumps({k: shown[k] for k in kept}, sort_keys=True)


@given(parts=st.lists(st.sampled_from(PHRASES), max_size=6), last=st.sampled_from(WORDS_ONLY))
@settings(max_examples=80)
def test_a_last_sentence_without_numbers_changes_no_number(
    read: Read, parts: list[str], last: str
) -> None:
    text = " ".join(parts)
    if text and not text.endswith("."):
        text += "."
    assert figures(read(f"{text} {last}", TITLES[0])) == figures(read(text, TITLES[0]))


# The same text, the same bytes


@given(title=st.sampled_from(TITLES), text=TEXTS)
@settings(max_examples=60)
def test_one_reader_reads_one_text_alike_twice(reader: Reader, title: str, text: str) -> None:
    record = Record("r1", title, (Section(text),))
    first = published(reader.read(record), record)
    reader.read(Record("r2", TITLES[1], (Section(PHRASES[0]),)))  # in between, another text
    assert published(reader.read(record), record) == first


def test_two_readers_read_alike(reader: Reader, config: Config) -> None:
    other = Reader(config.eligibility, config.outcomes)
    for title in TITLES:
        record = Record("r1", title, (Section(" ".join(PHRASES)),))
        assert published(reader.read(record), record) == published(other.read(record), record)


# Whatever comes, a study comes out

STRANGE = {
    "empty": "",
    "blank": " \n\t ",
    "emoji": "\U0001f489\U0001f600 12 of 59 \U0001f1eb\U0001f1f7 patients improved",
    "French": "Douze patients (âge moyen : 54,2 ans) ont reçu 0,4 g/kg/j d'IgIV pendant 5 jours.",
    "only digits": "1234567890 " * 200,
    "one number": "9" * 5000,
    "nested brackets": "(" * 300 + "12 of 59 (20%)" + ")" * 300,
    "no end": "12 of 59 patients improved (20%, 95% CI 10 to",
    "control characters": "".join(map(chr, range(32))) + " 12 of 59 improved",
    "superscripts": "p < 10⁻⁵, n = ², ½ of ٣٤ patients improved",
    "zeros": "0 of 0 patients improved (0/0, 0%), n = 0, 0 g/kg for 0 days",
    "more than all": "70 of 59 patients improved (118.6%)",
    "huge": "10000000000000000000000 of 59 patients improved",
}


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_no_text_raises(reader: Reader, text: str, title: str) -> None:
    record = Record("r1", title, (Section(text),))
    study = reader.read(record)
    assert study.record_id == "r1"
    assert all(record.text[q.start : q.end] == q.text for q in quotes(study))


def test_a_text_of_100000_characters_is_read(reader: Reader) -> None:
    text = " ".join(PHRASES * 300)[:100_000]
    study = reader.read(Record("r1", TITLES[0], (Section(text),)))
    assert study.n_total is not None
    assert study.n_total.value == 117


def test_a_record_of_nothing_is_a_study_of_nothing(reader: Reader) -> None:
    study = reader.read(Record("r1", ""))
    assert (study.design.value, study.n_total, study.condition) == ("other", None, None)
    assert (study.arms, study.doses, study.outcomes) == ((), (), ())


def test_a_rate_has_patients_to_be_of(read: Read) -> None:
    study = read(STRANGE["zeros"], TITLES[1])
    assert [o for o in study.outcomes if o.n is not None and o.n.value == 0] == []
