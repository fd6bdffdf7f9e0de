"""Places of the names of arms: phrases, words, abbreviations, letters, parts of a trial."""

from __future__ import annotations

import pytest

from pipeline.extract.arm_aliases import Alias, Page, stands_in


@pytest.mark.parametrize(
    ("alias", "text", "found"),
    [
        (Alias("usual care", "phrase"), "Usual  care or usual cares", ["Usual  care"]),
        (Alias("brace", "word"), "Braces, a brace, embrace, knee-brace", ["Braces", "brace"]),
        (Alias("AB", "short"), "AB, ab, AB-C and ABC", ["AB"]),
        (Alias("A", "letter"), "Group A, arm A, group a", ["Group A", "arm A"]),
        (Alias("control", "part"), "Control patients, than control (5%), pain control",
         ["Control", "control"]),
        (Alias("combination", "joint"), "on the combination therapy",
         ["the combination therapy"]),
    ],
)  # fmt: skip
def test_what_an_alias_finds(alias: Alias, text: str, found: list[str]) -> None:
    assert [text[a:b] for a, b in Page(text).occurrences([alias])] == found


def test_of_two_the_longer_is_taken() -> None:
    page = Page("tamoxifen alone")
    aliases = [Alias("tamoxifen", "word"), Alias("tamoxifen alone", "phrase")]
    assert page.occurrences(aliases) == [(0, 15)]


@pytest.mark.parametrize(("name", "held"), [("a plus b", True), ("a-b", False), ("ab", False)])
def test_a_name_holds_another_as_a_word(name: str, held: bool) -> None:
    assert stands_in(name, "a") is held
