"""Prepares the part of the studies: what was read from each, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.report.data import ReportData
from pipeline.report.html_table import HtmlTable, links, make_table, quote_cell, solid, study_link
from pipeline.report.readings import ReadValue, read_values
from pipeline.report.wording import minus
from pipeline.schema import Study


def studies_table(data: ReportData) -> HtmlTable:
    """Return one row a study."""
    rows = tuple(
        (
            study_link(data, s.record_id, s.slab or s.record_id),
            s.design.value.replace("_", " "),
            s.condition.value if s.condition else "not read",
            s.comparison_class.value if s.comparison_class else "not read",
            str(s.n_total.value) if s.n_total else "not read",
            "; ".join(_arm_text(a.label, a.n.value if a.n else None) for a in s.arms),
            "; ".join(_dose_text(read_values(s), i) for i in range(len(s.doses))),
            str(len(s.outcomes)),
            review_text(data, s),
        )
        for s in data.studies
    )
    header = (
        "Study",
        "Design",
        "Condition",
        "Comparison",
        "n",
        "Arms",
        "Doses",
        "Outcomes",
        "Review",
    )
    n, m = sum(s.record_id not in data.reviewed for s in data.studies), len(data.studies)
    flag = f"{n} of {m} studies unreviewed (machine-read values)" if n else "all reviewed"
    return make_table("What was read from the studies", header, rows, flag)


def review_text(data: ReportData, study: Study) -> str:
    """Return whether a person has checked a study's readings, or how many of them."""
    if study.record_id in data.reviewed:
        return "reviewed"
    values = read_values(study)
    n = sum(bool(v.reviewed) for v in values)
    return f"unreviewed ({n} of {len(values)} values reviewed)" if n else "unreviewed"


def _arm_text(label: str, n: int | None) -> str:
    """An arm with its size."""
    return label if n is None else f"{label} {solid(f'(n = {n})')}"


def _dose_text(values: Sequence[ReadValue], i: int) -> str:
    """A dose in the words of its fields."""
    found = {v.path.removeprefix(f"doses[{i}]."): v.value for v in values}
    parts = [_text(found[k]) for k in ("drug", "amount", "unit") if k in found]
    per = f" per {found['per']}" if "per" in found else ""
    days = f" over {_text(found['duration_days'])} days" if "duration_days" in found else ""
    return " ".join(parts) + per + days


def _text(value: str | float) -> str:
    """A value as text: 2.0 is "2"."""
    return value if isinstance(value, str) else minus(f"{value:g}" if value % 1 else f"{value:.0f}")


def values_table(data: ReportData, study: Study) -> HtmlTable:
    """Return every value of a study with its quote and its rule."""
    values = read_values(study)
    begun = any(v.reviewed for v in values)
    rows = tuple(
        (
            field_label(v.path),
            _text(v.value),
            quote_cell([v.quote] if v.quote else []),
            v.derived,
            v.reviewed.replace("_", " ") or "unreviewed" if begun else "",
        )
        for v in values
    )
    said = review_text(data, study)
    words = {"reviewed": "", "unreviewed": "unreviewed (machine-read values)"}
    caption = f"Values read: {study.slab or study.record_id}"
    return make_table(
        caption, ("Field", "Value", "Quote", "Derived by", "Review"), rows, words.get(said, said)
    )


def field_label(path: str) -> str:
    """Return a field's path in words: "outcomes[0].comparator_n" is "outcome 1: comparator n"."""
    words = re.sub(r"(\w+?)s\[(\d+)\]", lambda m: f"{m[1]} {int(m[2]) + 1}", path)
    return words.replace(".", ": ", 1).replace(".", " ").replace("_", " ")


def excluded_table(data: ReportData) -> HtmlTable:
    """Return the records that screening left out."""
    rows = []
    for s in (s for s in data.screenings if not s.include):
        record = data.record(s.record_id)
        title = record.title if record else s.record_id
        quotes = quote_cell([s.quote] if s.quote else [])
        year = str(record.year) if record and record.year else ""
        rows.append((title, year, links(record), s.code, s.reason, quotes))
    header = ("Record", "Year", "Links", "Rule", "Reason", "Quote")
    return make_table("Records excluded, by rule", header, tuple(rows))
