"""Where numbers and people stand in a text, and patterns that are tried only there."""

from __future__ import annotations

import re

from pipeline.extract.anchors import anchors
from pipeline.extract.places import matches, within


def test_numbers_and_people_are_found_in_order() -> None:
    found = anchors("Twenty women and 30 men, of IL6.")
    assert (found.numbers, found.people) == ((0, 17), (7, 20))


def test_places_of_a_stretch() -> None:
    assert within((1, 5, 9), 5, 9) == (5,)


def test_no_match_lies_over_another() -> None:
    found = matches(re.compile(r"\d \d"), "1 2 3", (0, 2, 4), 5)
    assert [m.span() for m in found] == [(0, 3)]
