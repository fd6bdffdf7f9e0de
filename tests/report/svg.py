"""Reads a figure's SVG back: where its marks stand, and what its axes say of that place."""

from __future__ import annotations

import re
from collections.abc import Callable
from math import isfinite
from xml.etree import ElementTree as ET

_SVG = "{http://www.w3.org/2000/svg}"
_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


class Read:
    """An SVG by the ids of its groups."""

    def __init__(self, svg: str) -> None:
        self.text = svg
        self.root = ET.fromstring(svg)  # noqa: S314 - our own figure
        self.groups = {e.attrib["id"]: e for e in self.root.iter(f"{_SVG}g") if "id" in e.attrib}

    def named(self, start: str) -> list[str]:
        """The ids that begin so, in the order of drawing."""
        return [name for name in self.groups if name.startswith(start)]

    def points(self, name: str) -> list[tuple[float, float]]:
        """All coordinates of an element's path."""
        return [point for part in self.parts(name) for point in part]

    def parts(self, name: str) -> list[list[tuple[float, float]]]:
        """The coordinates of each part of an element's path."""
        path = self.groups[name].find(f".//{_SVG}path")
        assert path is not None, f"{name} has no path"
        found = []
        for part in path.attrib["d"].split("M")[1:]:
            numbers = [float(n) for n in re.findall(_NUMBER, part)]
            assert all(isfinite(n) for n in numbers)
            found.append(list(zip(numbers[::2], numbers[1::2], strict=True)))
        return found

    def box(self, name: str) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of an element."""
        xs, ys = zip(*self.points(name), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def centre(self, name: str) -> tuple[float, float]:
        """The middle of an element."""
        left, top, right, bottom = self.box(name)
        return (left + right) / 2, (top + bottom) / 2

    def style(self, name: str, key: str) -> str:
        """A part of an element's style: "fill", "stroke"."""
        path = self.groups[name].find(f".//{_SVG}path")
        assert path is not None, f"{name} has no path"
        found = dict(p.split(": ", 1) for p in path.attrib["style"].split("; "))
        return found.get(key, "")

    def words(self, start: str = "") -> list[str]:
        """The texts of the groups whose ids begin so."""
        found = [self.groups[name].find(f"{_SVG}text") for name in self.named(start)]
        return [e.text or "" for e in found if e is not None]

    def ticks(self, start: str, side: str) -> list[tuple[float, float]]:
        """Each tick's labelled value, and where it stands on the page."""
        found = []
        for name in self.named(start):
            text = self.groups[name].find(f"{_SVG}text")
            assert text is not None and text.text is not None
            place = float(text.attrib[side]) - (2.9 if side == "y" else 0.0)
            found.append((float(text.text.replace("\N{MINUS SIGN}", "-")), place))
        return found

    def axis(
        self, side: str, scale: Callable[[float], float] = float, prefix: str = ""
    ) -> Callable[[float], float]:
        """Where a value stands by the labels of an axis; `scale` leads from them to the value."""
        ticks = self.ticks(f"{prefix}{side}-tick-", side)
        (a, x), (b, y) = ticks[0], ticks[-1]
        a, b = scale(a), scale(b)
        return lambda value: x + (value - a) * (y - x) / (b - a)
