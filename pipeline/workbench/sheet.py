"""Prepares the extraction check of a study: its fields as a reviewer may see them, and its text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from markupsafe import Markup

from pipeline.report.plain import one_line, visible
from pipeline.review.fields import GROUPS, Field
from pipeline.review.paths import HEAD, ROWS, STUDY_FIELDS, slots
from pipeline.review.resolve import live, same
from pipeline.review.states import FieldState
from pipeline.schema import WHOLE, Event, Quote, Record
from pipeline.workbench.desk import Desk, finished_by, own_last
from pipeline.workbench.marks import Span, mark_text
from pipeline.workbench.show import banners, field_id, links, shown, stands_in, typed

Log = Mapping[str, Sequence[Event]]
#: A reading is doubtful where fewer like it were right on gold records.
DOUBTFUL = 0.8
#: State -> sign and words; never a colour alone.
STATES: Mapping[str, tuple[str, str]] = {
    "suggested": ("?", "suggested"),
    "empty": ("·", "nothing read"),
    "accepted": ("✓", "accepted"),
    "corrected": ("✎", "corrected"),
    "rejected": ("✗", "rejected"),
    "not_reported": ("∅", "not reported"),
    "agreed": ("✓✓", "agreed"),
    "conflict": ("≠", "conflict"),
    "adjudicated": ("⚖", "adjudicated"),
    "unsure": ("?", "unsure"),
}
#: States in which nobody has decided yet.
OPEN = ("suggested", "empty", "unsure")
#: States that one person's word made.
ONE_WORD = ("accepted", "corrected", "rejected", "not_reported")
#: The rows that a person may add: list, name, and its words with their closed lists.
NEW_ROWS = tuple(
    (kind, GROUPS[kind], {n: list(slots(cls)[n].choices) for n in HEAD[kind]})
    for kind, cls in ROWS.items()
)
#: The colour of each group; two outcomes that follow each other differ.
COLOUR = {"study": 0, "arm": 1, "dose": 2, "outcome": 3, "registration": 5}
ACTS = (
    ("accept", "Accept"),
    ("edit", "Edit"),
    ("reject", "Reject"),
    ("notReported", "Not reported"),
    ("evidence", "Selection as evidence"),
    ("comment", "Comment"),
    ("undo", "Undo"),
)


@dataclass(frozen=True, slots=True)
class Note:
    """A line under a field; `warn` if it asks for attention."""

    text: str
    warn: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """A button: the name of its key, and its words."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field as the page shows it; `edit` is the value as it is typed, `version` its events."""

    id: str
    path: str
    label: str
    kind: str
    colour: int
    state: str
    sign: str
    said: str
    value: str
    edit: str
    version: int
    options: Any
    notes: tuple[Note, ...]
    acts: tuple[Act, ...]
    quote: str = ""
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class GroupView:
    """The fields of the study itself, or of one of its rows; `missing` may be added."""

    id: str
    label: str
    colour: int
    fields: tuple[FieldView, ...]
    missing: tuple[str, ...]
    row: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A study's page."""

    record_id: str
    slab: str
    title: str
    links: tuple[tuple[str, str], ...]
    banners: tuple[str, ...]
    text: Markup
    groups: tuple[GroupView, ...]
    progress: str
    finish: str
    version: int
    derived: tuple[Any, ...] = ()
    before: str = ""
    after: str = ""
    rows: Any = NEW_ROWS

    def field(self, path: str) -> FieldView | None:
        """Return a field by its path."""
        return next((f for g in self.groups for f in g.fields if f.path == path), None)


def states_of(desk: Desk, record_id: str, events: Sequence[Event]) -> tuple[FieldState, ...]:
    """Return the fields of a study with what people made of them, as far as events tell."""
    found = desk.laid(record_id, events)
    lost = {s.field.row for s in found.states if is_out(s)}
    return tuple(s for s in found.states if is_out(s) or s.field.row not in lost)


def hides(desk: Desk, who: str, record_id: str, events: Sequence[Event]) -> bool:
    """Return whether a reviewer reads a text without the extractor's readings.

    The protocol's `review.show_suggestions` asks for it in mode "dual", until both have finished.
    """
    asked = desk.config.review.show_suggestions
    if not desk.blind or asked == "both" or len({e.decision.who for e in events}) > 1:
        return False
    return asked == "none" or desk.first_on(record_id) not in (None, who)


def masked(state: FieldState) -> FieldState:
    """Return a field without what the extractor reads; the own word stays."""
    heading = state.field.heading.partition(":")[0]
    bare = replace(state.field, suggestion=None, quote=None, confidence=None, derived="")
    own = state.value if state.resolution.said else None
    return replace(state, field=replace(bare, heading=heading), value=own)


def is_out(state: FieldState) -> bool:
    """Return whether a field is the head of a row that people took out of the study."""
    head = bool(state.field.row) and state.field.path == state.field.row
    return head and state.reviewed and state.value is None


def state_name(state: FieldState) -> str:
    """Return a field's state as the page names it: "empty" where nothing waits for a word."""
    return "empty" if state.state in OPEN and not state.field.present else state.state


def sheet_of(desk: Desk, who: str, record_id: str) -> Sheet | None:
    """Return the page of a study for a reviewer; None where no such record was read."""
    held = desk.holdings
    record = held.records.get(record_id)
    if record is None:
        return None
    events = desk.events(who, record_id)
    states = [s for s in states_of(desk, record_id, events) if s.field.asked or s.version]
    if hides(desk, who, record_id, events):
        states = [masked(state) for state in states]
    log = desk.by_field(events)
    groups = _groups(record, states, log, who)
    return Sheet(
        record_id,
        one_line(record.slab, 60),
        one_line(record.title, 300),
        links(record),
        banners(record),
        _text(record, groups),
        groups,
        _progress(states, events),
        "" if who in finished_by(events) else "I have finished this study",
        len(log.get(WHOLE, [])),
    )


def _groups(
    record: Record, states: Sequence[FieldState], log: Log, who: str
) -> tuple[GroupView, ...]:
    """The fields by study and row: the study's own first, then the rows in the text's order."""
    own = [s for s in states if not s.field.row]
    rows = [s for s in states if s.field.row]
    parts = [own] if own else []
    parts += [list(part) for _, part in groupby(rows, key=lambda s: s.field.row)]
    groups, outcomes = [], 0
    for members in parts:
        first = members[0].field
        outcomes += first.group == "outcome"
        colour = COLOUR[first.group] + (first.group == "outcome" and outcomes % 2 == 0)
        views = tuple(_view(record, s, colour, log.get(s.field.path, []), who) for s in members)
        name = field_id(f"group {first.row}")
        label = visible(_capital(first.heading.partition(":")[0] or "study"))
        groups.append(GroupView(name, label, colour, views, _missing(members), first.row))
    return tuple(groups)


def _capital(text: str) -> str:
    """A text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _missing(members: Sequence[FieldState]) -> tuple[str, ...]:
    """The fields of a study or row that are not shown: a person may add their values."""
    there = {s.field.path for s in members}
    first = members[0].field
    if not first.row:
        names = {name: name for name in STUDY_FIELDS}
    else:
        kind = first.row.partition("@")[0]
        known = slots(ROWS[kind]) if kind in ROWS else {}
        names = {f"{first.row}.{n}": n for n in known if n not in HEAD.get(kind, ())}
    return tuple(name for path, name in names.items() if path not in there)


def _view(
    record: Record, state: FieldState, colour: int, events: Sequence[Event], who: str
) -> FieldView:
    """A field as the page shows it."""
    field, name, quote = state.field, state_name(state), evidence_of(record, state)
    sign, said = STATES.get(name, ("?", name))
    return FieldView(
        field_id(field.path),
        field.path,
        _label(state),
        field.kind,
        colour,
        name,
        sign,
        f"{said}{_by(state, who)}",
        shown(state.value),
        typed(state.value),
        state.version,
        _options(field),
        tuple(_notes(state, name, events)),
        tuple(Act(*act) for act in ACTS if _offered(act[0], name, events, who)),
        one_line(quote.text, 300) if quote else "",
        quote.start if quote else None,
        quote.end if quote else None,
    )


def _label(state: FieldState) -> str:
    """A field's name; of a row's head, the words that it says."""
    if state.field.kind != "row":
        return visible(state.field.label)
    named = state.value if isinstance(state.value, dict) else state.field.suggestion
    words = named if isinstance(named, dict) else HEAD[state.field.row.partition("@")[0]]
    return ", ".join(words)


def evidence_of(record: Record, state: FieldState) -> Quote | None:
    """Return the phrase that a field rests on, where it stands in the text: a person's, else the
    extractor's.
    """
    for quote in (state.evidence, None if state.field.gone else state.field.quote):
        if quote is not None and stands_in(record, quote):
            return quote
    return None


def _offered(act: str, state: str, events: Sequence[Event], who: str) -> bool:
    """Whether an act makes sense: nothing that was not read can be accepted or rejected."""
    if act in ("accept", "reject"):
        return state != "empty"
    return act != "undo" or own_last(events, who) is not None


def _options(field: Field) -> Any:
    """The closed list of a field; of a row's head, its words with theirs."""
    if field.kind == "row":
        kind = field.row.partition("@")[0]
        return {n: list(slots(ROWS[kind])[n].choices) for n in HEAD[kind]}
    return list(field.choices) or None


def _by(state: FieldState, who: str) -> str:
    """Who decided, where it was somebody else."""
    others = [visible(name) for name in state.resolution.by if name != who]
    if not others or state.state not in ("agreed", *ONE_WORD):
        return ""
    both = state.state == "agreed" and who in state.resolution.by
    return f" {'with' if both else 'by'} {', '.join(others)}"


def _notes(state: FieldState, name: str, events: Sequence[Event]) -> list[Note]:
    """What is to be said of a field beside its value."""
    field, notes = state.field, []
    if field.gone and field.path == field.row:
        notes.append(Note("The extractor reads this row no more.", warn=True))
    if state.reviewed and field.present and not same(field.suggestion, state.value):
        notes.append(Note(f"The extractor reads {shown(field.suggestion)}."))
    if state.moved:
        notes.append(Note("The evidence is not in the text any more.", warn=True))
    if name == "suggested" and field.derived:
        notes.append(Note(f"Derived: {visible(field.derived)}."))
    if name == "suggested" and field.confidence is not None and field.confidence < DOUBTFUL:
        notes.append(Note(f"Readings like this were right in {field.confidence:.0%} of cases."))
    if name == "conflict":
        for said in state.resolution.said:
            notes.append(Note(f"{visible(said.who)}: {shown(said.value)}", warn=True))
    for event in live(events):
        if event.decision.reason:
            notes.append(Note(f"{visible(event.decision.who)}: {one_line(event.decision.reason)}"))
    return notes


def _text(record: Record, groups: Sequence[GroupView]) -> Markup:
    """The record's text with a mark for each field's evidence."""
    spans = [
        Span(
            f.start,
            f.end,
            f.id,
            g.label if f.kind == "row" else f.label,
            g.colour,
        )
        for g in groups
        for f in g.fields
        if f.start is not None and f.end is not None and f.state != "rejected"
    ]
    return mark_text(record.text, spans)


def _progress(states: Sequence[FieldState], events: Sequence[Event]) -> str:
    """How far the check has come."""
    wanted = [s for s in states if state_name(s) != "empty"]
    open_ = sum(s.state in OPEN for s in wanted)
    conflicts = sum(s.state == "conflict" for s in wanted)
    said = f"{len(wanted) - open_} of {len(wanted)} values decided"
    if conflicts:
        said += f", {conflicts} in conflict"
    names = sorted(finished_by(events))
    return f"{said}; finished by {', '.join(map(visible, names))}." if names else f"{said}."
