"""Numbers as abstracts print them: digits in every notation, and English number words."""

from __future__ import annotations

import pytest

from pipeline.extract.numbers import parse_count, parse_number, parse_words


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("0.4", 0.4),
        (".05", 0.05),
        ("33·5", 33.5),
        ("33∙5", 33.5),
        ("·05", 0.05),
        ("1,234", 1234),
        ("12,345,678", 12345678),
        ("1,234.5", 1234.5),
        ("13\u2009388", 13388),  # thin space
        ("13\u202f388", 13388),  # narrow no-break space
        ("13\u00a0388", 13388),  # no-break space
        ("-1.5", -1.5),
        ("\u22121.5", -1.5),  # minus sign
        ("\u20101.5", -1.5),  # hyphen
        ("\u20111.5", -1.5),  # no-break hyphen
        ("\u20121.5", -1.5),  # figure dash
        ("\u20131.5", -1.5),  # en dash
        ("\u2212\u20091.5", -1.5),
        ("+13", 13),
        (" 5 ", 5),
    ],
)
def test_digits_in_every_notation(text: str, number: float) -> None:
    assert parse_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("zero", 0),
        ("five", 5),
        ("Twelve", 12),
        ("twenty-two", 22),
        ("thirty nine", 39),
        ("ninety–nine", 99),
        ("one hundred", 100),
        ("two hundred and seven", 207),
        ("One hundred and nine", 109),
        ("three hundred eighty-three", 383),
        ("two thousand and five", 2005),
        ("nine thousand nine hundred and ninety-nine", 9999),
    ],
)
def test_number_words(text: str, number: float) -> None:
    assert parse_words(text) == number
    assert parse_number(text) == number


@pytest.mark.parametrize("text", ["", " ", "several", "and", "five patients", "1.2.3", "-"])
def test_what_prints_no_number_has_none(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("text", "count"), [("12", 12), ("nine", 9), ("1,024", 1024), ("2.5", None)]
)
def test_a_count_is_whole(text: str, count: int | None) -> None:
    assert parse_count(text) == count
