"""The forest plot: what it shows, where, and that the same data give the same bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from math import log
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from pipeline.errors import PipelineError
from pipeline.report import canvas
from pipeline.report.canvas import figure_bytes, text_width, wrap
from pipeline.report.data import MeasureView, ReportData
from pipeline.report.forest import forest_plot
from pipeline.report.forest_area import LARGEST, SMALLEST, square_side
from pipeline.report.forest_axis import fit_axis
from pipeline.schema import QuestionResult

HERE = Path(__file__).parent
PLOTTED = ("responders", "bcg", "single_arm", "pain", "one_study")
RR = MeasureView("RR", "Risk ratio", "Risk ratio", 1.0, True, "exp")
MD = MeasureView("MD", "Mean difference", "Mean difference", 0.0)


def draw(data: ReportData, result: QuestionResult, style: str = "revman") -> Figure:
    """The plot as the report draws it."""
    favours = data.favours.get(result.question_id)
    foot = "Evipool 0.1.0. Search of 2026-11-20."
    measure = data.measures[result.measure]
    return forest_plot(result, measure, style=style, favours=favours, footnote=foot)


def texts(figure: Figure) -> list[str]:
    """Every text of a figure."""
    return [t.get_text() for t in figure.findobj(Text) if t.get_text()]


def named(figure: Figure, start: str) -> dict[str, Any]:
    """The shapes and lines whose name begins so."""
    artists = figure.axes[0].get_children()
    return {a.get_gid(): a for a in artists if (a.get_gid() or "").startswith(start)}


def boxes(figure: Figure) -> list[tuple[str, Any]]:
    """Every text with its box on the page."""
    with canvas.settings():
        figure.canvas.draw()
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        found = [t for t in figure.findobj(Text) if t.get_text()]
        return [(t.get_text(), t.get_window_extent(renderer)) for t in found]


def overlap(a: Any, b: Any) -> bool:
    """Whether two boxes share more than a hair."""
    wide = min(a.x1, b.x1) - max(a.x0, b.x0)
    high = min(a.y1, b.y1) - max(a.y0, b.y0)
    return bool(wide > 0.5 and high > 0.5)


def crowded(result: QuestionResult) -> QuestionResult:
    """The same question with long, hostile and wide texts."""
    first = result.effects[0]
    wide = replace(
        first,
        slab="W" * 300 + " <b>&\u202e 中文 $x^2$",
        columns=(
            ("Events 1", "123456789"),
            ("Total 1", "987654321"),
            ("A very long header " * 9, "x"),
        ),
    )
    return replace(result, title="Very long words " * 30, effects=(wide, *result.effects[1:]))


@pytest.mark.parametrize("style", ["revman", "bmj", "jama"])
@pytest.mark.parametrize("question", PLOTTED)
def test_no_text_touches_another_or_leaves_the_page(
    data: ReportData, results: dict[str, QuestionResult], question: str, style: str
) -> None:
    for result in (results[question], crowded(results[question])):
        figure = draw(data, result, style)
        placed = boxes(figure)
        for (one, a), (other, b) in combinations(placed, 2):
            assert not overlap(a, b), f"{one!r} touches {other!r}"
        for text, box in placed:
            assert box.x0 >= 0 and box.x1 <= figure.bbox.x1, text
            assert box.y0 >= 0 and box.y1 <= figure.bbox.y1, text


def test_no_text_reaches_into_the_plot(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    for question in PLOTTED:
        figure = draw(data, crowded(results[question]))
        cells = [
            t for t in figure.findobj(Text) if (t.get_gid() or "").startswith(("cell", "line"))
        ]
        left = named(figure, "axis")["axis"].get_xdata()[0]
        edge = figure.axes[0].transData.transform((left, 0))[0]
        with canvas.settings():
            renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
            assert all(c.get_window_extent(renderer).x1 < edge for c in cells)


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_figure_gives_the_same_bytes(
    data: ReportData, results: dict[str, QuestionResult], kind: str
) -> None:
    result = results["responders"]
    assert figure_bytes(draw(data, result), kind) == figure_bytes(draw(data, result), kind)


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from conftest import make_data;"
        "from pipeline.report import write_report; write_report(make_data(), Path(sys.argv[1]))"
    )
    hashes = []
    for name, seed in (("a", "1"), ("b", "2")):
        subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)],
            check=True,
            cwd=HERE,
            env={"PYTHONHASHSEED": seed, "MPLBACKEND": "svg", "TZ": "Asia/Tokyo"},
        )
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        hashes.append(
            {
                str(p.relative_to(tmp_path / name)): hashlib.sha256(p.read_bytes()).hexdigest()
                for p in files
            }
        )
    assert len(hashes[0]) == 22
    assert hashes[0] == hashes[1]


def test_a_users_matplotlib_settings_do_not_matter(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    plain = figure_bytes(draw(data, results["pain"]), "svg")
    with canvas.mpl.rc_context({"font.size": 33, "lines.linewidth": 9, "svg.fonttype": "path"}):
        assert figure_bytes(draw(data, results["pain"]), "svg") == plain


def test_svg_is_xml_with_real_text_and_no_script(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    hostile = replace(
        results["pain"].effects[0], slab="<script>1</script> & \x00\u202e \"'", columns=()
    )
    result = replace(results["pain"], effects=(hostile, *results["pain"].effects[1:]))
    svg = figure_bytes(draw(data, result), "svg")
    root = ET.fromstring(svg)  # noqa: S314
    tags = {e.tag.rpartition("}")[2] for e in root.iter()}
    assert tags <= {"svg", "defs", "style", "g", "path", "text", "metadata"}
    shown = [e.text for e in root.iter() if e.tag.endswith("text")]
    assert "<script>1</script> & [U+0000][U+202E] \"'" in shown
    assert b"Matplotlib" not in svg and b"date" not in svg


def test_hidden_mathematics_stays_text(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    effect = replace(results["pain"].effects[0], slab="Costs $5 and $7 {x}")
    result = replace(results["pain"], effects=(effect, *results["pain"].effects[1:]))
    assert "Costs $5 and $7 {x}" in texts(draw(data, result))
    assert b"Costs $5 and $7 {x}" in figure_bytes(draw(data, result), "svg")


def test_the_pooled_row_and_the_lines_are_revmans(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    shown = texts(draw(data, results["bcg"]))
    # metafor predict(res, transf=exp): 0.4894 [0.3441, 0.6962], PI 0.1546 to 1.5490
    for text in (
        "0.49 [0.34, 0.70]",
        "Total (95% CI)",
        "100.0%",
        "Prediction interval",
        "[0.15, 1.55]",
        "REML, Wald 95% CI",
        "191064",
        "166283",
        "Experimental",
        "Control",
        "0.41 [0.13, 1.26]",
    ):
        assert text in shown
    assert any(t.startswith("Heterogeneity: Tau² = 0.31 [0.12, 1.11]") for t in shown)


def test_one_study_is_shown_without_a_diamond_and_with_the_reason(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    figure = draw(data, results["one_study"])
    assert not named(figure, "diamond")
    assert len(named(figure, "square-study")) == 1
    assert "Not pooled: one study only; a pool needs two" in texts(figure)
    assert "Weight" not in texts(figure)


def test_no_study_is_no_figure(data: ReportData, results: dict[str, QuestionResult]) -> None:
    with pytest.raises(PipelineError, match="no_study"):
        draw(data, results["no_study"])


def test_a_subgroup_of_one_has_no_diamond(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    figure = draw(data, results["responders"])
    assert set(named(figure, "diamond")) == {"diamond-total", "diamond-subtotal-0"}
    assert texts(figure).count("Subtotal (95% CI)") == 1
    for label in ("CIDP", "post-polio syndrome"):
        assert label in texts(figure)


def test_a_prediction_interval_is_a_bar_and_not_a_diamond(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    figure = draw(data, results["bcg"])
    assert set(named(figure, "diamond")) == {"diamond-total"}
    assert named(figure, "pi")["pi"].get_xdata()[0] < named(figure, "null")["null"].get_xdata()[0]


def side(patch: Any) -> float:
    """The width of a square in points."""
    xs = patch.get_xy()[:, 0]
    return float(max(xs) - min(xs))


def test_a_squares_area_follows_its_weight(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    result = results["bcg"]
    assert result.pooled is not None
    squares, weights = named(draw(data, result), "square-study"), result.pooled.weights
    ratios = [side(squares[f"square-study-{i}"]) ** 2 / w for i, w in enumerate(weights)]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-6)
    assert max(side(s) for s in squares.values()) == pytest.approx(LARGEST)


@given(st.floats(1e-6, 100), st.floats(1e-6, 100))
def test_a_heavier_study_has_no_smaller_square(one: float, other: float) -> None:
    heavy, light = max(one, other), min(one, other)
    assert SMALLEST <= square_side(light, heavy) <= square_side(heavy, heavy) == LARGEST


@pytest.mark.parametrize("question", PLOTTED)
def test_every_figure_says_what_nobody_has_reviewed(
    data: ReportData, results: dict[str, QuestionResult], question: str
) -> None:
    result = results[question]
    figure = draw(data, result)
    n, m = sum(not e.reviewed for e in result.effects), len(result.effects)
    hollow = [
        s for s in named(figure, "square-study").values() if s.get_facecolor()[:3] == (1, 1, 1)
    ]
    assert len(hollow) == n
    assert bool(named(figure, "key-unreviewed")) == bool(n)
    words = [t for t in texts(figure) if "reviewed" in t]
    if n:
        assert words[0].startswith(f"{n} of {m} ") and words[0].endswith("(machine-read values)")
    else:
        assert words == ["All 13 studies reviewed"]


def test_numbers_have_a_real_minus(data: ReportData, results: dict[str, QuestionResult]) -> None:
    shown = texts(draw(data, results["pain"]))
    assert "−3.2" in shown and "−3.20 [−4.28, −2.12]" in shown  # -3.2 -+ 1.96 x 1.9 / sqrt(12)
    assert not any(t.startswith("-") for t in shown)


def test_a_clipped_interval_ends_in_an_arrow(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    figure = draw(data, results["responders"])
    assert set(named(figure, "arrow")) == {"arrow-high-ci-study-2"}  # 17.88 [1.13, 282.72]
    assert not named(draw(data, results["bcg"]), "arrow")


def test_a_pool_of_two_with_an_endless_interval_is_drawn(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    whole = results["responders"]
    assert whole.pooled is not None
    pooled = replace(
        whole.pooled,
        test="knha",
        df=1.0,
        k=2,
        weights=(40.0, 60.0),
        ci_lb=-21.4,
        ci_ub=13.3,
        pi_lb=-1000.0,
        pi_ub=1000.0,
    )
    result = replace(
        whole, effects=whole.effects[:2], subgroups=(), subgroup_test=None, pooled=pooled
    )
    figure = draw(data, result)
    assert "[0.00, ∞]" in texts(figure)
    arrows = {
        "arrow-low-diamond-total",
        "arrow-high-diamond-total",
        "arrow-low-pi",
        "arrow-high-pi",
    }
    assert arrows <= set(named(figure, "arrow"))
    assert not any(overlap(a, b) for (_, a), (_, b) in combinations(boxes(figure), 2))


def test_a_proportion_stands_on_0_to_100_without_a_null_line(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    figure = draw(data, results["single_arm"])
    assert not named(figure, "null")
    assert {"0", "20", "40", "60", "80", "100", "Proportion, %"} <= set(texts(figure))
    assert not any(t.startswith("Test for overall effect") for t in texts(figure))
    assert "60.0 [38.0, 78.6]" in texts(figure)  # 12/20, logit -+ 1.96 sqrt(1/12 + 1/8)


def test_favours_stand_on_their_side_of_no_effect_and_only_where_given(
    data: ReportData, results: dict[str, QuestionResult]
) -> None:
    assert not any(t.startswith("Favours") for t in texts(draw(data, results["bcg"])))
    for question in ("responders", "pain"):
        figure = draw(data, results[question])
        null = named(figure, "null")["null"].get_xdata()[0]
        with canvas.settings():
            renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
            for text in figure.findobj(Text):
                box = text.get_window_extent(renderer).transformed(
                    figure.axes[0].transData.inverted()
                )
                if (text.get_gid() or "").startswith("favours-0"):
                    assert box.x1 < null
                if (text.get_gid() or "").startswith("favours-1"):
                    assert box.x0 > null


@pytest.mark.parametrize(
    ("style", "text"), [("bmj", "0.49 (0.34 to 0.70)"), ("jama", "0.49 (0.34-0.70)")]
)
def test_styles(
    data: ReportData, results: dict[str, QuestionResult], style: str, text: str
) -> None:
    assert text in texts(draw(data, results["bcg"], style))


# The axis


def test_a_ratios_axis_has_ticks_at_1_2_and_5() -> None:
    axis = fit_axis(RR, [(0.13, 0.41, 1.26), (0.15, 0.5, 6.5)])
    assert axis.log
    assert axis.ticks == (0.1, 0.2, 0.5, 1, 2, 5, 10)


def test_an_axis_clips_what_is_much_wider_than_the_rest() -> None:
    usual = [(0.5, 0.8, 1.3), (0.4, 0.7, 1.2)]
    axis = fit_axis(RR, [*usual, (0.0001, 0.9, 9000.0)])
    assert axis.lo >= 0.1 and axis.hi <= 10
    alone = fit_axis(RR, [(0.01, 0.9, 90.0)])
    assert alone.lo <= 0.01 and alone.hi >= 90


@st.composite
def intervals(draw: st.DrawFn) -> tuple[float, float, float]:
    """An interval with its estimate, on the scale of analysis."""
    mid = draw(st.floats(-8, 8))
    return mid - draw(st.floats(0.01, 5)), mid, mid + draw(st.floats(0.01, 5))


@given(st.lists(intervals(), min_size=1, max_size=12), st.booleans())
@settings(max_examples=200)
def test_every_estimate_and_no_effect_are_on_the_axis(
    found: list[tuple[float, float, float]], ratio: bool
) -> None:
    measure = RR if ratio else MD
    natural = [tuple(map(measure.natural, i)) for i in found]
    axis = fit_axis(measure, natural)  # type: ignore[arg-type]
    null = measure.null or 0.0
    for value in (null, *(mid for _, mid, _ in natural)):
        assert axis.lo <= value * (1 + 1e-9) + 1e-12 and value * (1 - 1e-9) - 1e-12 <= axis.hi
    assert 2 <= len(axis.ticks) <= 12
    assert list(axis.ticks) == sorted(set(axis.ticks))
    assert (axis.position(axis.lo), axis.position(axis.hi)) == (0, 1)
    assert 0.15 <= axis.position(null) <= 0.85


def test_a_log_axis_spaces_ratios_evenly() -> None:
    axis = fit_axis(RR, [(0.2, 0.5, 4.0)])
    assert axis.position(2) - axis.position(1) == pytest.approx(
        axis.position(1) - axis.position(0.5)
    )
    assert axis.position(2) - axis.position(1) == pytest.approx(log(2) / log(axis.hi / axis.lo))


# Text


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N", "Zs"]), max_size=200),
    st.floats(40, 300),
)
def test_wrapped_text_fits_and_loses_nothing(text: str, width: float) -> None:
    lines = wrap(text, width, 9.0)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 9.0) <= width or len(line) == 1 for line in lines)
