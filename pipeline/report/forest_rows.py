"""Turns a question's result into the rows of its forest plot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.report.data import MeasureView
from pipeline.report.forest_axis import Interval
from pipeline.report.plain import one_line
from pipeline.report.wording import (
    effect_test_text,
    estimate_text,
    heterogeneity_text,
    interval_head,
    level_text,
    minus,
    study_interval,
    subgroup_test_text,
)
from pipeline.schema import PooledEstimate, QuestionResult, Subgroup

#: Letters of a label that a plot shows; more than any author's name and year.
LABEL_LIMIT = 44
#: Headers of columns whose numbers are patients, and of those that count events.
TOTALS, EVENTS = frozenset({"total", "n"}), frozenset({"events"})


@dataclass(frozen=True, slots=True)
class Row:
    """A row: `kind` is study, heading, pooled, interval (prediction interval), sums or note.

    `interval` is (low, estimate, high) on the natural scale, `cells` one text a data column.
    """

    kind: str
    label: str
    cells: tuple[str, ...] = ()
    weight: float | None = None
    text: str = ""
    interval: Interval | None = None
    reviewed: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """What a plot shows: its columns' headers, its rows, and the lines under them.

    `head` stands over the effects, `first` over the names.
    """

    headers: tuple[str, ...]
    head: tuple[str, str]
    rows: tuple[Row, ...]
    lines: tuple[str, ...]
    first: str = "Study or Subgroup"

    @property
    def heaviest(self) -> float:
        """The largest weight of a study; 0 where nothing is pooled."""
        return max((r.weight or 0.0 for r in self.rows if r.kind == "study"), default=0.0)


@dataclass(frozen=True, slots=True)
class _Plot:
    """What every row is made from."""

    result: QuestionResult
    measure: MeasureView
    style: str

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers of the data columns."""
        return data_headers(self.result)

    def text(self, estimate: float | None, lo: float, hi: float) -> str:
        """An estimate and its interval as printed."""
        return estimate_text(self.measure, estimate, lo, hi, style=self.style)

    def natural(self, lo: float, estimate: float, hi: float) -> Interval:
        """An interval on the natural scale."""
        natural = self.measure.natural
        return natural(lo), natural(estimate), natural(hi)


def build_table(result: QuestionResult, measure: MeasureView, *, style: str) -> Table:
    """Return headers, rows and lines of a question's forest plot."""
    plot = _Plot(result, measure, style)
    rows = list(_study_rows(plot))
    lines = []
    if result.pooled is None:
        lines.append(f"Not pooled: {one_line(result.reason) or 'one study.'}")
    else:
        rows += _total_rows(plot, result.pooled)
        lines.append(heterogeneity_text(result.pooled, style=style))
        if measure.null is not None:
            lines.append(effect_test_text(result.pooled, style=style))
    if result.subgroup_test is not None:
        lines.append(subgroup_test_text(result.subgroup_test, style=style))
    name = f"{measure.name}, %" if measure.percent else measure.name
    head = (name, interval_head(result.pooled))
    return Table(plot.headers, head, tuple(rows), tuple(lines))


def data_headers(result: QuestionResult) -> tuple[str, ...]:
    """Return the headers of all studies' data columns, in the order they first occur."""
    return tuple(dict.fromkeys(header for e in result.effects for header, _ in e.columns))


def split_header(header: str) -> tuple[str, int]:
    """Return a header without its arm's number, and that number (0 where there is none)."""
    found = re.fullmatch(r"(.+) ([12])", header)
    return (found[1], int(found[2])) if found else (header, 0)


def groups_of(result: QuestionResult) -> tuple[Subgroup, ...]:
    """Return the subgroups, and one more for the studies that none of them names."""
    grouped = {i for g in result.subgroups for i in g.members}
    rest = tuple(i for i in range(len(result.effects)) if i not in grouped)
    label = "No subgroup named" if result.subgroups else ""
    return (*result.subgroups, Subgroup(label, rest, None)) if rest else result.subgroups


def _study_rows(plot: _Plot) -> Iterator[Row]:
    """The studies, under their subgroups' headings where there are subgroups."""
    for j, group in enumerate(groups_of(plot.result)):
        if plot.result.subgroups:
            yield Row("heading", one_line(group.label, LABEL_LIMIT) or "(no name)")
        for i in group.members:
            yield _study_row(plot, i)
        if group.pooled is not None and group.pooled.k >= 2:
            yield _subtotal_row(plot, group, group.pooled, j)
            yield Row("note", heterogeneity_text(group.pooled, style=plot.style))


def _study_row(plot: _Plot, i: int) -> Row:
    """One study."""
    effect, pooled = plot.result.effects[i], plot.result.pooled
    lo, hi = study_interval(effect, 0.95 if pooled is None else pooled.level)
    cells = dict(effect.columns)
    return Row(
        "study",
        one_line(effect.slab, LABEL_LIMIT),
        tuple(minus(one_line(cells.get(h, ""), LABEL_LIMIT)) for h in plot.headers),
        None if pooled is None else pooled.weight(i),
        plot.text(effect.yi, lo, hi),
        plot.natural(lo, effect.yi, hi),
        effect.reviewed,
        f"study-{i}",
    )


def _pooled_row(plot: _Plot, pooled: PooledEstimate, label: str, members: Sequence[int]) -> Row:
    """A row with a diamond, with the sums of its studies."""
    lo, estimate, hi = pooled.ci_lb, pooled.estimate, pooled.ci_ub
    return Row(
        "pooled",
        f"{label} ({level_text(pooled.level)} CI)",
        _sums(plot.result, members, TOTALS),
        _weight(plot.result, members),
        plot.text(estimate, lo, hi),
        plot.natural(lo, estimate, hi),
        name=label.lower(),
    )


def _weight(result: QuestionResult, members: Sequence[int]) -> float | None:
    """The weight of some studies in the total, None where nothing is pooled."""
    return None if result.pooled is None else result.pooled.weight(*members)


def _subtotal_row(plot: _Plot, group: Subgroup, pooled: PooledEstimate, j: int) -> Row:
    """The diamond of a subgroup."""
    return replace(_pooled_row(plot, pooled, "Subtotal", group.members), name=f"subtotal-{j}")


def _total_rows(plot: _Plot, pooled: PooledEstimate) -> list[Row]:
    """The diamond of all studies, under it the prediction interval and the total events."""
    total = _pooled_row(plot, pooled, "Total", range(len(plot.result.effects)))
    if pooled.n is not None and not any(total.cells):
        total = replace(total, label=f"{total.label}, n = {pooled.n}")
    rows, events = [total], _sums(plot.result, range(len(plot.result.effects)), EVENTS)
    lo, hi = pooled.pi_lb, pooled.pi_ub
    if lo is not None and hi is not None:
        text, interval = plot.text(None, lo, hi), plot.natural(lo, pooled.estimate, hi)
        label = "Prediction interval"
        rows.append(Row("interval", label, text=text, interval=interval, name="pi"))
    return [*rows, Row("sums", "Total events", events)] if any(events) else rows


def _sums(
    result: QuestionResult, members: Sequence[int], wanted: frozenset[str]
) -> tuple[str, ...]:
    """The sum of each wanted column, "" where a study's cell is no whole number."""
    sums = []
    for header in data_headers(result):
        cells = [dict(result.effects[i].columns).get(header, "") for i in members]
        whole = split_header(header)[0].lower() in wanted and all(c.isdecimal() for c in cells)
        sums.append(str(sum(map(int, cells))) if whole else "")
    return tuple(sums)
