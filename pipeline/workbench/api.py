"""The writes: each is one decision or more, appended; nothing is overwritten."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from pipeline.errors import InputError
from pipeline.review.decide import screen_by_hand, undo
from pipeline.review.exchange import read_events
from pipeline.schema import SCREENING, Decision, Quote, Record
from pipeline.workbench import conflicts, entry, rob
from pipeline.workbench.desk import Desk
from pipeline.workbench.pages import desk_of, field_row, missing, part, who_of
from pipeline.workbench.preview import sensitivity
from pipeline.workbench.screening import word_of
from pipeline.workbench.screens import full_sheet
from pipeline.workbench.sheet import Sheet

router = APIRouter(prefix="/api")


def _storable(text: str) -> str:
    """Refuse what a database cannot hold."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    return text


Short = Annotated[str, Field(max_length=300), AfterValidator(_storable)]
Long = Annotated[str, Field(max_length=5000), AfterValidator(_storable)]
Version = Annotated[int, Field(ge=0, le=1_000_000_000)]
Offset = Annotated[int, Field(ge=0, le=10_000_000)]


class Body(BaseModel):
    """What a page sends; unknown names are refused."""

    model_config = ConfigDict(extra="forbid")


class Evidence(Body):
    """A selected phrase: offsets in characters, and its text as the page shows it."""

    start: Offset
    end: Offset
    text: Annotated[str, Field(max_length=20_000), AfterValidator(_storable)]


class FieldDecision(Body):
    """A decision on a field of a study."""

    record_id: Short
    field: Short
    version: Version
    verdict: Literal[
        "accepted", "corrected", "rejected", "not_reported", "undone", "comment", "finished"
    ]
    value: Long | dict[Short, Long] | None = None
    reason: Long = ""
    evidence: Evidence | None = None


class NewRow(Body):
    """A row that the extractor did not read."""

    record_id: Short
    kind: Literal["arms", "doses", "outcomes"]
    words: dict[Short, Long]
    evidence: Evidence


class ScreenDecision(Body):
    """A decision on a record's eligibility; `code` is the rule of an exclusion."""

    record_id: Short
    version: Version
    verdict: Literal["included", "excluded", "unsure", "undone"]
    code: Short = ""
    reason: Long = ""


class Settled(Body):
    """An adjudication."""

    record_id: Short
    field: Short
    version: Version
    value: Long = ""
    none: bool = False
    reason: Long = ""


class RobAnswer(Body):
    """An answer of a form of risk of bias."""

    record_id: Short
    field: Short
    version: Version
    value: Long


class Variation(Body):
    """A choice of studies to keep under a name."""

    question: Short
    name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_storable)]
    without: Annotated[list[Short], Field(max_length=10_000)]


class Undo(Body):
    """An own event to take back."""

    event_id: Short


def _record(desk: Desk, record_id: str) -> Record:
    """A record that was read."""
    record = desk.holdings.records.get(record_id)
    if record is None:
        raise missing("such record")
    return record


def _evidence(record: Record, sent: Evidence | None) -> Quote | None:
    """The phrase that was selected."""
    return entry.evidence_at(record, sent.start, sent.end, sent.text) if sent else None


@router.post("/decide")
def decide(request: Request, sent: FieldDecision) -> dict[str, Any]:
    """Decide on a field; return the parts of the page that changed."""
    desk, who = desk_of(request), who_of(request)
    record = _record(desk, sent.record_id)
    said = entry.Said(
        sent.verdict, sent.value, sent.reason.strip(), _evidence(record, sent.evidence)
    )
    before = full_sheet(desk, who, sent.record_id)
    made = entry.field_decision(desk, who, record, sent.field, said)
    desk.write(made, expected=sent.version)
    after = full_sheet(desk, who, sent.record_id)
    return {"said": _saved(made), "parts": _parts(before, after, sent.field)}


def _saved(made: Decision) -> str:
    """What was saved, in a word."""
    return f"Saved: {made.verdict.replace('_', ' ')}."


def _parts(before: Sheet | None, after: Sheet | None, path: str) -> dict[str, str]:
    """The parts of the page that a decision changes; all fields where rows came or went."""
    if before is None or after is None:
        return {}
    parts = {
        "marks": part("marks", sheet=after),
        "derived": part("derived", sheet=after),
    }
    view, ids = after.field(path), [[f.id for f in g.fields] for g in after.groups]
    whole = view is None or view.kind == "row" or "@" not in path
    if whole or ids != [[f.id for f in g.fields] for g in before.groups]:
        return {**parts, "fields": part("fields", sheet=after)}
    assert view is not None  # noqa: S101 - `whole` says so
    return {**parts, view.id: field_row(view, after), "progress": part("progress", sheet=after)}


@router.post("/row")
def row(request: Request, sent: NewRow) -> dict[str, Any]:
    """Add a row."""
    desk, who = desk_of(request), who_of(request)
    record = _record(desk, sent.record_id)
    quote = _evidence(record, sent.evidence)
    assert quote is not None  # noqa: S101 - the body must hold it
    made = entry.new_row(record, sent.kind, sent.words, quote, desk.writer(who))
    desk.write(made, expected=None)
    after = full_sheet(desk, who, sent.record_id)
    said = "Saved: a row was added."
    return {"said": said, "field": made.field, "parts": _parts(after, after, made.field)}


@router.post("/screen")
def screen(request: Request, sent: ScreenDecision) -> dict[str, Any]:
    """Decide on a record's eligibility."""
    desk, who = desk_of(request), who_of(request)
    record = _record(desk, sent.record_id)
    writer = desk.writer(who)
    own = [e for e in desk.events(who, record.record_id) if e.decision.field == SCREENING]
    if sent.verdict == "undone":
        made = undo(entry.undoable(own, who), writer)
    else:
        code, reason = sent.code if sent.verdict == "excluded" else "", sent.reason.strip()
        if sent.verdict == "excluded" and not (code or reason):
            raise InputError("an exclusion needs its reason.")
        made = screen_by_hand(sent.verdict, writer, record, code=code, reason=reason)
    desk.write(made, expected=sent.version)
    events = desk.events(who, record.record_id)
    return {
        "said": _saved(made),
        "word": word_of(desk, record.record_id, who, events),
        "version": desk.version(who, record.record_id, SCREENING),
    }


@router.post("/adjudicate")
def adjudicate(request: Request, sent: Settled) -> dict[str, Any]:
    """Settle a conflict."""
    desk, who = desk_of(request), who_of(request)
    record = _record(desk, sent.record_id)
    if not sent.none and not sent.value.strip():
        raise InputError("write the value.")
    value = "" if sent.none else sent.value
    made = conflicts.adjudication(desk, who, record, sent.field, value, sent.reason.strip())
    desk.write(made, expected=sent.version)
    return {"said": "Saved: settled."}


@router.post("/rob")
def risk_of_bias(request: Request, sent: RobAnswer) -> dict[str, Any]:
    """Answer a question on risk of bias."""
    desk, who = desk_of(request), who_of(request)
    record = _record(desk, sent.record_id)
    made = rob.rob_decision(desk, who, record, sent.field, sent.value.strip())
    desk.write(made, expected=sent.version)
    return {"said": "Saved.", "version": desk.version(who, record.record_id, sent.field)}


@router.post("/sensitivity")
def keep_sensitivity(request: Request, sent: Variation) -> dict[str, Any]:
    """Keep a choice of studies."""
    desk, who = desk_of(request), who_of(request)
    question = next((q for q in desk.config.questions if q.id == sent.question), None)
    if question is None:
        raise missing("such question")
    name = sent.name.strip()
    if not name or not name.isprintable():
        raise InputError("the name must be one line of text.")
    made = sensitivity(desk, who, question, name, sent.without)
    desk.write(made, expected=None)
    return {"said": "Saved."}


@router.post("/undo")
def take_back(request: Request, sent: Undo) -> dict[str, Any]:
    """Take an own decision back."""
    desk, who = desk_of(request), who_of(request)
    found = next((e for e in desk.events(who) if e.event_id == sent.event_id), None)
    if found is None:
        raise missing("such decision")
    own = [e for e in desk.events(who, found.decision.record_id) if e.decision == found.decision]
    if not own or found.decision.who != who:
        raise InputError("it is not yours.")
    desk.write(undo(found, desk.writer(who)), expected=None)
    return {"said": "Saved: undone."}


@router.post("/import")
async def import_decisions(request: Request) -> dict[str, Any]:
    """Merge a file of decisions; the whole of it, or nothing.

    Where names are bound to tokens, nobody may bring decisions in another's name.
    """
    if request.app.state.access.bound:
        raise InputError(
            "here decisions are imported with `evipool import`, by who runs the server."
        )
    desk, body = desk_of(request), await request.body()
    events = await run_in_threadpool(read_events, body.splitlines(), "the file")
    new = await run_in_threadpool(desk.store.merge_events, events)
    return {"said": f"Saved: {len(new)} decisions are new, {len(events) - len(new)} were here."}
