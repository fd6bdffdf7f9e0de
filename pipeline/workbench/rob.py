"""Prepares the forms of risk of bias: RoB 2 and ROBINS-I V2; a person judges, nothing else does.

The domains and signalling questions are those of RoB 2 (Sterne et al. 2019, BMJ 366:l4898) and of
ROBINS-I V2 (Sterne et al., riskofbias.info, revision of November 2025), worded shortly by us: the
guidance of the tools says what each means.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from pipeline.errors import InputError
from pipeline.report.csv_table import Cell, CsvTable
from pipeline.report.plain import one_line
from pipeline.review.paths import plain_of
from pipeline.review.resolve import live
from pipeline.schema import Decision, Event, Record
from pipeline.workbench.desk import Desk, address
from pipeline.workbench.marks import mark_text
from pipeline.workbench.show import banners, field_id, links

TOOLS = {"rob2": "RoB 2", "robins_i": "ROBINS-I V2"}
ABOUT = {
    "rob2": "For a result of a randomised trial, the effect of assignment. Y yes, PY probably yes, "
    "PN probably no, N no, NI no information.",
    "robins_i": "For a result of a non-randomised study of follow-up; the tool is still a draft. "
    "Y yes, PY probably yes, PN probably no, N no, NI no information; SY, WY, WN, SN: strongly or "
    "weakly yes or no.",
}
LONGEST = 5000


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with the answers it may have, and the one it has."""

    id: str
    field: str
    number: str
    text: str
    when: str
    answers: tuple[str, ...]
    value: str
    version: int


@dataclass(frozen=True, slots=True)
class Domain:
    """A domain: its questions, the judgement of a person, and what supports it."""

    title: str
    questions: tuple[Answer, ...]
    judgement: Answer | None
    support: Answer


@dataclass(frozen=True, slots=True)
class RobSheet:
    """A study's form."""

    record_id: str
    slab: str
    title: str
    links: tuple[tuple[str, str], ...]
    banners: tuple[str, ...]
    text: Markup
    tool: str
    tool_name: str
    tools: tuple[tuple[str, str], ...]
    about: str
    base: str
    domains: tuple[Domain, ...]
    before: str = ""
    after: str = ""


def rob_sheet(desk: Desk, who: str, record_id: str, tool: str) -> RobSheet | None:
    """Return the form of a study; without a tool, the one that fits its design."""
    record, study = desk.holdings.records.get(record_id), desk.holdings.studies.get(record_id)
    if record is None or study is None:
        return None
    chosen = tool if tool in TOOLS else tool_for(study.design.value)
    return RobSheet(
        record_id,
        one_line(record.slab, 60),
        one_line(record.title, 300),
        links(record),
        banners(record),
        mark_text(record.text, ()),
        chosen,
        TOOLS[chosen],
        tuple(TOOLS.items()),
        ABOUT[chosen],
        address("rob", record_id),
        domains(chosen, desk.events(who, record_id)),
    )


@cache
def forms() -> tuple[Mapping[str, Any], ...]:
    """Return the domains of all tools."""
    path = Path(__file__).parent / "forms" / "risk_of_bias.jsonl"
    return tuple(json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())


@cache
def answers() -> Mapping[str, tuple[str, ...]]:
    """Return what each field of the forms may hold; nothing for a text."""
    known: dict[str, tuple[str, ...]] = {}
    for form in forms():
        base = f"rob:{form['tool']}:{form['domain']}"
        for question in form["questions"]:
            known[f"{base}:{question['id']}"] = tuple(question["answers"])
        if form["judgements"]:
            known[f"{base}:judgement"] = tuple(form["judgements"])
        known[f"{base}:support"] = ()
    return known


def tool_for(design: str) -> str:
    """Return the tool that fits a design: a suggestion of the form, not of a judgement."""
    return "rob2" if design.startswith("rct") else "robins_i"


def domains(tool: str, events: Sequence[Event]) -> tuple[Domain, ...]:
    """Return the filled form of a study, as far as events tell."""
    return tuple(_domain(f, events) for f in forms() if f["tool"] == tool)


def _domain(form: Mapping[str, Any], events: Sequence[Event]) -> Domain:
    """A domain with its answers."""
    base = f"rob:{form['tool']}:{form['domain']}"
    number = str(form["domain"])

    def answer(key: str, number: str = "", text: str = "", when: str = "") -> Answer:
        field = f"{base}:{key}"
        own = [e for e in events if e.decision.field == field]
        value = held(own)
        return Answer(field_id(field), field, number, text, when, answers()[field], value, len(own))

    title = form["name"] if number == "overall" else f"{number} {form['name']}"
    return Domain(
        title,
        tuple(answer(q["id"], q["id"], q["text"], q["when"]) for q in form["questions"]),
        answer("judgement") if form["judgements"] else None,
        answer("support"),
    )


def held(events: Sequence[Event]) -> str:
    """Return the latest answer among the events on a field."""
    said = [e.decision for e in live(events) if e.decision.verdict in ("corrected", "rejected")]
    return str(json.loads(said[-1].value)) if said and said[-1].value else ""


def rob_decision(desk: Desk, who: str, record: Record, field: str, value: str) -> Decision:
    """Return an answer as a decision; an empty one takes the answer away.

    Raises
    ------
    InputError
        If no form has the field, or it may not hold the value.
    """
    known = answers().get(field)
    if known is None:
        raise InputError("no form has this question.")
    if value and known and value not in known:
        raise InputError(f"the answer must be one of {', '.join(known)}.")
    if len(value) > LONGEST:
        raise InputError(f"longer than {LONGEST} characters.")
    writer = desk.writer(who)
    return Decision(
        record.record_id,
        field,
        "corrected" if value else "rejected",
        who,
        writer.when,
        plain_of(value or None),
        content_hash=record.content_hash,
        software=writer.software,
    )


def judgements_table(
    tool: str, records: Mapping[str, Record], events: Mapping[str, Sequence[Event]]
) -> CsvTable:
    """Return the judgements in the layout that robvis reads: Study, D1 ..., Overall."""
    keys = [f["domain"] for f in forms() if f["tool"] == tool and f["judgements"]]
    header = ["Study", *("Overall" if k == "overall" else f"D{k}" for k in keys)]
    rows: list[tuple[Cell, ...]] = []
    for record_id, record in records.items():
        own = events.get(record_id, ())
        found = [
            held([e for e in own if e.decision.field == f"rob:{tool}:{k}:judgement"]) for k in keys
        ]
        if any(found):
            rows.append((record.slab, *found))
    return CsvTable(f"{tool}", tuple(header), tuple(rows))
