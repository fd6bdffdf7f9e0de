"""Every figure of a table: safe, legible, the same bytes, whatever the studies are like."""

from __future__ import annotations

import filecmp
import re
import subprocess
import sys
from itertools import combinations
from math import isfinite
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from pipeline.config import ModelSpec
from pipeline.effects.formulas import FORMULAS
from pipeline.errors import OutputError, PoolError
from pipeline.pool import pool
from pipeline.pool.influence import influence
from pipeline.pool.robustness import baujat, cumul, gosh, leave1out
from pipeline.report.figures.baujat import baujat_plot
from pipeline.report.figures.bubble import Curve, bubble_plot
from pipeline.report.figures.drawing import Drawing
from pipeline.report.figures.forest import (
    Refitted,
    cumulative_forest,
    forest_plot,
    leave1out_forest,
)
from pipeline.report.figures.funnel import Line, funnel_plot
from pipeline.report.figures.gosh import gosh_plot
from pipeline.report.figures.influence import Case, influence_plot
from pipeline.report.figures.labbe import labbe_plot
from pipeline.report.figures.profile import profile_plot
from pipeline.report.figures.radial import radial_plot
from pipeline.report.figures.studies import Studies, view_of
from pipeline.schema import EffectSize
from tests.report.svg import Read
from tests.report.test_forest import boxes, overlap

REPO = Path(__file__).parents[2]
HOSTILE = "<script>alert('x')</script> \"q\" & <img src=x onerror=1> \u202eevil\u202c $x^2$ ]]> --"
SPEC = ModelSpec()
K3 = ([0.3, -0.2, 0.5], [0.1, 0.05, 0.2])
#: Name: effects, variances, measure.
TABLES: dict[str, tuple[list[float], list[float], str]] = {
    "one": ([0.3], [0.1], "RR"),
    "two": ([0.3, -0.2], [0.1, 0.05], "MD"),
    "three": (*K3, "PLO"),
    "identical": ([0.5] * 6, [0.1] * 6, "RR"),
    "one far off": ([0.0, 1.0, 0.5, 0.2, 0.1, 0.3, 1e9], [0.1] * 6 + [1e12], "MD"),
    "ratios without bounds": ([800.0, -700.0, 3.0, 0.0, 1.0], [1e-6, 1e4, 1.0, 1.0, 1.0], "OR"),
    "tiny": ([1e-12, 2e-12, 3e-12, 1.5e-12], [1e-25, 2e-25, 1e-25, 3e-25], "MD"),
    "huge": ([1e12, 2e12, 3e12, 1.5e12], [1e21, 2e21, 1e23, 3e24], "MD"),
    "proportions near all": ([6.0, 5.0, 9.0, 7.5], [1.0, 2.0, 1.0, 0.5], "PLO"),
    "correlations": ([2.0, -2.5, 0.1, 1.0], [0.1, 0.2, 0.1, 0.05], "ZCOR"),
    "arcsines": ([1.5, 1.6, 0.1, -0.1], [0.1, 0.2, 0.1, 0.05], "PAS"),
}


def every(slab: list[str], yi: list[float], vi: list[float], code: str) -> dict[str, Drawing]:
    """Each figure that these studies can carry, by name, with long and hostile words."""
    measure = view_of(code, FORMULAS[code].name, FORMULAS[code].scale, unit=HOSTILE)
    y, v, k = np.array(yi), np.array(vi), len(yi)
    effects = [EffectSize(str(i), slab[i], code, yi[i], vi[i]) for i in range(k)]
    pooled = pool(effects, SPEC) if k > 1 else None
    data = Studies(tuple(slab), tuple(yi), tuple(vi), pooled.weights if pooled else ())
    words = {"title": f"{HOSTILE} {HOSTILE}", "note": HOSTILE}
    x = np.linspace(0, 2, 9)
    parts = (x, x * yi[0], x * yi[0] - abs(x) * 1e3, x * yi[0] + abs(x) * 1e3)
    curve = Curve(*(tuple(float(a) for a in part) for part in parts))
    risks = [abs(float(np.sin(i))) for i in range(k)]
    made = {
        "forest": forest_plot(data, pooled, measure, reason=HOSTILE, **words),
        "funnel": funnel_plot(data, pooled, measure, egger=Line(0.1, -0.3), **words),
        "contours": funnel_plot(data, pooled, measure, contours=True, filled=data, **words),
        "bubble": bubble_plot(
            *(data, list(range(k)), curve, measure),
            x_name=HOSTILE,
            names=True,
            knots=(0.5,),
            caption=HOSTILE,
            title=HOSTILE,
        ),
        "labbe": labbe_plot(slab, risks, risks[::-1], arms=("W" * 30, HOSTILE), **words),
    }
    if pooled is None:
        return made
    rows = {"loo": leave1out(y, v, SPEC), "cumulative": cumul(y, v, SPEC)}
    refits = {
        name: [Refitted(slab[r.row], r.k, r.estimate, r.ci_lb, r.ci_ub, r.tau2, r.i2) for r in fit]
        for name, fit in rows.items()
    }
    made["loo"] = leave1out_forest(refits["loo"], pooled, measure, **words)
    made["cumulative"] = cumulative_forest(refits["cumulative"], pooled, measure, **words)
    made["radial"] = radial_plot(data, pooled, measure, **words)
    heights = (-(np.linspace(0, 2, 30) ** 2)).tolist()
    made["profile"] = profile_plot(
        np.linspace(0, 2, 30).tolist(), heights, k=k, estimate=0.0, ci_lb=0.0, ci_ub=1.4, **words
    )
    return made | (_of_three(slab, y, v, pooled, measure, words) if k > 2 else {})


def _of_three(slab, y, v, pooled, measure, words) -> dict[str, Drawing]:  # type: ignore[no-untyped-def]
    """The figures that need three studies."""
    places, subsets = baujat(y, v, SPEC), gosh(y, v, SPEC, subsets=200)
    names = [n for n in Case.__dataclass_fields__ if n != "slab"]
    with np.errstate(all="ignore"):
        found = influence(y, v, SPEC)
    cases = [Case(slab[c.row], **{n: getattr(c, n) for n in names}) for c in found]
    across, up = [p.x for p in places], [p.y for p in places]
    pairs = [s.estimate for s in subsets], [s.i2 for s in subsets]
    return {
        "baujat": baujat_plot(slab, across, up, pooled, **words),
        "influence": influence_plot(cases, pooled, **words),
        "gosh": gosh_plot(*pairs, measure, pooled, **words),
    }


def table(name: str) -> dict[str, Drawing]:
    """The figures of a table of `TABLES`, or what its pool refuses to give."""
    yi, vi, code = TABLES[name]
    slab = [HOSTILE, "W" * 200, *(f"Study {i}" for i in range(len(yi)))][: len(yi)]
    try:
        return every(slab, yi, vi, code)
    except PoolError as refused:
        pytest.skip(f"not pooled: {refused}")


@pytest.mark.parametrize("name", TABLES)
def test_no_text_leaves_the_page_or_touches_another(name: str) -> None:
    for figure, drawing in table(name).items():
        placed = boxes(drawing.figure)
        right, top = drawing.figure.bbox.x1, drawing.figure.bbox.y1
        for text, box in placed:
            assert box.x0 >= 0 and box.x1 <= right + 0.5, f"{figure}: {text!r} leaves the page"
            assert box.y0 >= 0 and box.y1 <= top + 0.5, f"{figure}: {text!r} leaves the page"
        for (one, a), (other, b) in combinations(placed, 2):
            assert not overlap(a, b), f"{figure}: {one!r} touches {other!r}"


@pytest.mark.parametrize("name", TABLES)
def test_every_mark_lies_on_the_page(name: str) -> None:
    for figure, drawing in table(name).items():
        svg = Read(drawing.svg())
        _, _, width, height = map(float, svg.root.attrib["viewBox"].split())
        for gid in svg.groups:
            if svg.groups[gid].find("{http://www.w3.org/2000/svg}path") is None:
                continue
            for x, y in svg.points(gid):
                assert isfinite(x) and -0.5 <= x <= width + 0.5, f"{figure}: {gid}"
                assert isfinite(y) and -0.5 <= y <= height + 0.5, f"{figure}: {gid}"


def test_two_hundred_studies_are_drawn_whole() -> None:
    rng = np.random.default_rng(4)
    vi = rng.uniform(0.01, 0.4, 200)
    yi = rng.normal(0.3, 0.2, 200) + rng.normal(0, 1, 200) * np.sqrt(vi)
    made = every([f"Study {i}" for i in range(200)], yi.tolist(), vi.tolist(), "SMD")
    assert len(made) == 12
    for name, drawing in made.items():
        svg = drawing.svg()
        assert len(svg) < 400_000, name
        marks = {
            "forest": "square-",
            "loo": "square-",
            "cumulative": "square-",
            "gosh": "cells-",
            "influence": "points-",
            "profile": "profile",
        }
        found = Read(svg).named(marks.get(name, "point-"))
        assert len(found) == {"gosh": 2, "influence": 8, "profile": 1}.get(name, 200), name


@pytest.mark.parametrize("name", ["one", "three"])
def test_a_figure_is_named_for_screen_readers_and_hostile_words_stay_words(name: str) -> None:
    for drawing in table(name).values():
        text = drawing.svg()
        svg = Read(text)
        assert svg.root.attrib["role"] == "img"
        title, desc = list(svg.root)[:2]
        assert (title.tag, desc.tag) == tuple(
            f"{{http://www.w3.org/2000/svg}}{t}" for t in ("title", "desc")
        )
        labels = svg.root.attrib["aria-labelledby"].split()
        assert labels == [title.attrib["id"], desc.attrib["id"]]
        assert title.text
        assert desc.text
        tags = {e.tag.rpartition("}")[2] for e in svg.root.iter()}
        assert tags <= {"svg", "title", "desc", "defs", "style", "g", "path", "text", "tspan"}
        assert "\u202e" not in text
        assert not re.search(r"<script|<img|href|onerror=[^1]|url\(", text)
        assert not [a for e in svg.root.iter() for a in e.attrib if a.startswith("on")]


def test_ids_of_a_figure_differ() -> None:
    for drawing in table("three").values():
        ids = re.findall(r'\bid="([^"]+)"', drawing.svg())
        assert len(ids) == len(set(ids))


def test_the_same_data_give_the_same_bytes_whatever_matplotlib_is_told() -> None:
    first = {name: (d.svg(), d.png()) for name, d in table("three").items()}
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "axes.grid": True}):
        again = {name: (d.svg(), d.png()) for name, d in table("three").items()}
    assert first == again


def test_a_figure_is_written_as_svg_or_png(tmp_path: Path) -> None:
    drawing = table("two")["funnel"]
    assert drawing.save(tmp_path / "a" / "f.svg").read_text(encoding="utf-8") == drawing.svg()
    assert drawing.save(tmp_path / "f.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"Cannot write f\.svg"):
        drawing.save(tmp_path / "file" / "f.svg")


def test_the_samples_of_the_document_are_what_the_command_draws(tmp_path: Path) -> None:
    """Renew them with `python tests/report/figures_sample.py docs/figures`."""
    stored = REPO / "docs" / "figures"
    subprocess.run(
        [sys.executable, "tests/report/figures_sample.py", str(tmp_path)],
        cwd=REPO,
        check=True,
        env={"PYTHONHASHSEED": "7", "MPLBACKEND": "svg", "PYTHONPATH": str(REPO)},
    )
    names = sorted(p.name for p in stored.glob("*.svg"))
    assert names == sorted(p.name for p in tmp_path.iterdir())
    same, different, broken = filecmp.cmpfiles(stored, tmp_path, names, shallow=False)
    assert (different, broken) == ([], [])
    text = (REPO / "docs" / "figures.md").read_text(encoding="utf-8")
    assert all(f"(figures/{name})" in text for name in same)
