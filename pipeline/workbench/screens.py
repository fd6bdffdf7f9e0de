"""The screens: what is read with GET; nothing is changed here."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from pipeline.config import Question
from pipeline.review.exchange import write_events
from pipeline.review.resolve import live
from pipeline.schema import SCREENING, VERDICTS
from pipeline.workbench import audit, conflicts, exports, queues, rob
from pipeline.workbench.derived import derived_lines
from pipeline.workbench.desk import Desk, address, grouped
from pipeline.workbench.glossary import KEYS, WORDS
from pipeline.workbench.pages import desk_of, missing, page, session_of, who_of
from pipeline.workbench.preview import Choice, forest_svg, preview
from pipeline.workbench.screening import screen_sheet
from pipeline.workbench.sheet import Sheet, hides, sheet_of

router = APIRouter()
Text = Annotated[str, Query(max_length=200)]


@router.get("/")
def dashboard(request: Request, q: Text = "") -> Response:
    """Queues, flow, people, studies."""
    board = queues.board(desk_of(request), who_of(request), q)
    return page(request, "dashboard", "Dashboard", board=board, query=q)


def eligible_ids(desk: Desk, who: str) -> list[str]:
    """Return the studies that are checked: those that screening lets in."""
    events = grouped(desk.events(who))
    return [r for r in desk.holdings.ids if desk.screened(r, events.get(r, ())).include]


def placed(sheet: Any, screen: str, ids: list[str]) -> Any:
    """Return a sheet with the addresses before and after it."""
    before, after = queues.neighbours(ids, sheet.record_id)
    return replace(
        sheet,
        before=address(screen, before) if before else "",
        after=address(screen, after) if after else "",
    )


def full_sheet(desk: Desk, who: str, record_id: str) -> Sheet | None:
    """Return a study's page with what follows for the pools."""
    sheet = sheet_of(desk, who, record_id)
    if sheet is None:
        return None
    events = desk.events(who, record_id)
    if hides(desk, who, record_id, events):
        return sheet  # an effect would tell what was read
    study = desk.counted(record_id, events)
    return replace(sheet, derived=derived_lines(desk, study))


@router.get("/study/")
def next_to_check(request: Request) -> Response:
    """The first eligible study that is not checked."""
    desk, who = desk_of(request), who_of(request)
    stand = queues.standings(desk, grouped(desk.events(who)))
    waiting = [s for s in stand if s.include]
    first = next((s for s in waiting if not s.checked), waiting[0] if waiting else None)
    return RedirectResponse(address("study", first.record_id) if first else "/", 303)


@router.get("/study/{record_id:path}")
def study(request: Request, record_id: str) -> Response:
    """The extraction check of a study."""
    desk, who = desk_of(request), who_of(request)
    sheet = full_sheet(desk, who, record_id)
    if sheet is None:
        raise missing("such study")
    return page(request, "study", "Check", sheet=placed(sheet, "study", eligible_ids(desk, who)))


@router.get("/screen/")
def next_to_screen(request: Request) -> Response:
    """The first record that nobody has screened."""
    desk = desk_of(request)
    said = [e.decision for e in live(desk.events(who_of(request)))]
    done = {d.record_id for d in said if d.field == SCREENING}
    ids = desk.holdings.ids
    first = next((r for r in ids if r not in done), ids[0] if ids else None)
    return RedirectResponse(address("screen", first) if first else "/", 303)


@router.get("/screen/{record_id:path}")
def screen(request: Request, record_id: str) -> Response:
    """The screening of a record."""
    desk = desk_of(request)
    sheet = screen_sheet(desk, who_of(request), record_id)
    if sheet is None:
        raise missing("such record")
    ids = list(desk.holdings.ids)
    return page(request, "screen", "Screening", sheet=placed(sheet, "screen", ids))


@router.get("/conflicts")
def conflict_list(request: Request) -> Response:
    """The studies with conflicts."""
    found = conflicts.conflict_lines(desk_of(request), who_of(request))
    return page(request, "conflicts", "Conflicts", conflicts=found)


@router.get("/conflict/{record_id:path}")
def conflict(request: Request, record_id: str) -> Response:
    """The conflicts of a study."""
    desk, who = desk_of(request), who_of(request)
    sheet = conflicts.conflict_sheet(desk, who, record_id)
    if sheet is None:
        raise missing("such study")
    ids = [r for r, _ in _with_conflicts(desk, who)]
    return page(request, "conflict", "Conflicts", sheet=placed(sheet, "conflict", ids))


def _with_conflicts(desk: Desk, who: str) -> list[tuple[str, str]]:
    """The studies with conflicts, by id and address."""
    known = {c.address: c.slab for c in conflicts.conflict_lines(desk, who)}
    return [(r, known[a]) for r in desk.holdings.ids if (a := address("conflict", r)) in known]


def _question(desk: Desk, question_id: str) -> Question:
    """A question of the protocol."""
    for question in desk.config.questions:
        if question.id == question_id:
            return question
    raise missing("such question")


def _choice(desk: Desk, who: str, question: Question, request: Request) -> Choice:
    """What the address says of a preview: the studies that are ticked, once any were."""
    params = request.query_params
    unreviewed = params.get("unreviewed") == "1"
    if params.get("chosen") != "1":
        return Choice(unreviewed)
    everyone = {s.id for s in preview(desk, who, question, Choice()).studies}
    return Choice(unreviewed, frozenset(everyone - set(params.getlist("in"))))


@router.get("/analysis/")
def analyses(request: Request) -> Response:
    """The first question."""
    return RedirectResponse(f"/analysis/{desk_of(request).config.questions[0].id}", 303)


@router.get("/analysis/{question_id}")
def analysis(request: Request, question_id: str) -> Response:
    """The preview of a question."""
    desk, who = desk_of(request), who_of(request)
    question = _question(desk, question_id)
    choice = _choice(desk, who, question, request)
    return page(request, "analysis", "Analysis", page=preview(desk, who, question, choice))


@router.get("/analysis/{question_id}/forest.svg")
def forest(request: Request, question_id: str) -> Response:
    """The forest plot of a preview."""
    desk, who = desk_of(request), who_of(request)
    question = _question(desk, question_id)
    svg = forest_svg(desk, who, question, _choice(desk, who, question, request))
    if svg is None:
        raise missing("study to plot")
    return Response(svg, media_type="image/svg+xml")


@router.get("/rob/")
def next_to_assess(request: Request) -> Response:
    """The first eligible study without any answer on its risk of bias."""
    desk, who = desk_of(request), who_of(request)
    said = [e.decision for e in live(desk.events(who))]
    begun = {d.record_id for d in said if d.field.startswith("rob:")}
    ids = eligible_ids(desk, who)
    first = next((r for r in ids if r not in begun), ids[0] if ids else None)
    return RedirectResponse(address("rob", first) if first else "/", 303)


@router.get("/rob/{record_id:path}")
def risk_of_bias(request: Request, record_id: str, tool: Text = "") -> Response:
    """The form of a study's risk of bias."""
    desk, who = desk_of(request), who_of(request)
    sheet = rob.rob_sheet(desk, who, record_id, tool)
    if sheet is None:
        raise missing("such study")
    return page(request, "rob", "Risk of bias", sheet=placed(sheet, "rob", eligible_ids(desk, who)))


@router.get("/audit")
def audit_log(
    request: Request,
    who: Text = "",
    study: Text = "",
    field: Text = "",
    verdict: Text = "",
    skip: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    """Who decided what, and when."""
    desk, reader = desk_of(request), who_of(request)
    by = audit.Filter(who, study, field, verdict)
    seen = desk.events(reader)
    found = audit.wanted(desk, seen, by)
    shown = found[skip : skip + audit.PAGE]
    asked = urlencode({k: getattr(by, k) for k in ("who", "study", "field", "verdict")})
    more = len(found) > skip + audit.PAGE
    bound = request.app.state.access.bound
    values = {
        "lines": audit.entries(desk, reader, shown, seen),
        "filter": by,
        "query": asked,
        "verdicts": VERDICTS,
        "older": f"/audit?{asked}&skip={skip + audit.PAGE}" if more else "",
        "identity": "Names are bound to tokens." if bound else "Names are claimed, not proven.",
    }
    return page(request, "audit", "Audit log", page=values)


@router.get("/audit.{kind}")
def audit_file(
    request: Request,
    kind: str,
    who: Text = "",
    study: Text = "",
    field: Text = "",
    verdict: Text = "",
) -> Response:
    """The audit log as a file."""
    desk = desk_of(request)
    by = audit.Filter(who, study, field, verdict)
    found = audit.wanted(desk, desk.events(who_of(request)), by)[::-1]
    if kind == "csv":
        return _download("audit.csv", audit.audit_table(found).encode())
    if kind == "jsonl":
        return _download("audit.jsonl", "".join(write_events(found)).encode())
    raise missing("such file")


def _download(name: str, content: bytes) -> Response:
    """A file to keep, which no browser opens by itself."""
    kind = "text/csv" if name.endswith(".csv") else "application/x-ndjson"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=f"{kind}; charset=utf-8", headers=headers)


@router.get("/export")
def export_list(request: Request) -> Response:
    """The files."""
    files = [(name, said) for name, (said, _) in exports.FILES.items()]
    bound = request.app.state.access.bound
    return page(request, "export", "Export", files=files, bound=bound)


@router.get("/export/{name}")
def export(request: Request, name: str) -> Response:
    """A file."""
    if name not in exports.FILES:
        raise missing("such file")
    return _download(name, exports.FILES[name][1](desk_of(request), who_of(request)))


@router.get("/help")
def help_page(request: Request) -> Response:
    """Keys and words."""
    session_of(request)
    return page(request, "help", "Help", keys=KEYS, words=WORDS)
