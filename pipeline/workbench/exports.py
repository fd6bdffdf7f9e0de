"""Writes what the workbench holds as files: decisions, studies, fields, risk of bias."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from pipeline.report.csv_table import Cell, CsvTable
from pipeline.review.exchange import write_events
from pipeline.schema.codec import study_record
from pipeline.workbench.audit import audit_table
from pipeline.workbench.desk import Desk, grouped
from pipeline.workbench.rob import TOOLS, judgements_table
from pipeline.workbench.sheet import state_name, states_of
from pipeline.workbench.show import shown

Writer = Callable[[Desk, str], bytes]


def decisions_file(desk: Desk, who: str) -> bytes:
    """Return the decisions as JSON Lines."""
    return "".join(write_events(desk.events(who))).encode()


def audit_file(desk: Desk, who: str) -> bytes:
    """Return the audit log as a table."""
    return audit_table(desk.events(who)).encode()


def studies_file(desk: Desk, who: str) -> bytes:
    """Return the studies as they count, as JSON Lines of docs/record.md."""
    held, by_record = desk.holdings, grouped(desk.events(who))
    lines = []
    for record_id in held.studies:
        own, text = by_record.get(record_id, []), held.records[record_id].text
        line = study_record(desk.counted(record_id, own), desk.screened(record_id, own), text)
        lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "replace")


def fields_file(desk: Desk, who: str) -> bytes:
    """Return every field with its reading, its value and its state."""
    header = ("study", "record_id", "row", "field", "read", "value", "state", "who", "quote")
    by_record = grouped(desk.events(who))
    rows: list[tuple[Cell, ...]] = []
    for record_id, record in desk.holdings.records.items():
        for state in states_of(desk, record_id, by_record.get(record_id, [])):
            name, field = state_name(state), state.field
            if name == "empty":
                continue
            quote = state.evidence or field.quote
            rows.append(
                (
                    record.slab,
                    record_id,
                    field.heading,
                    field.label,
                    "" if field.suggestion is None else shown(field.suggestion),
                    "" if state.value is None else shown(state.value),
                    name,
                    "; ".join(state.resolution.by),
                    quote.text if quote else "",
                )
            )
    return CsvTable("fields", header, tuple(rows)).encode()


def _judgements(tool: str) -> Writer:
    """The judgements of a tool as a table."""

    def write(desk: Desk, who: str) -> bytes:
        held = desk.holdings.records
        return judgements_table(tool, held, grouped(desk.events(who))).encode()

    return write


#: File name -> what it holds, and how it is written.
FILES: Mapping[str, tuple[str, Writer]] = {
    "decisions.jsonl": ("every decision, for `evipool import` on another machine", decisions_file),
    "audit.csv": ("every decision, for a spreadsheet", audit_file),
    "studies.jsonl": ("the studies as they count, with phrases and states", studies_file),
    "fields.csv": ("every field: what was read, what holds, its state", fields_file),
    **{
        f"{tool}.csv": (f"the judgements of {name}, as robvis reads them", _judgements(tool))
        for tool, name in TOOLS.items()
    },
}
