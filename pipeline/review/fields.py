"""Flattens a study into the fields that a person checks, in the order of the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from pipeline.review.paths import HEAD, PLAIN_ROWS, STUDY_FIELDS, Slot, row_slots, slots
from pipeline.review.rows import Row, rows_of, snapshot
from pipeline.schema import Event, Quote, Reading, Study, Timepoint

#: What each list of rows is called, one of them.
GROUPS = {"arms": "arm", "doses": "dose", "outcomes": "outcome", PLAIN_ROWS: "registration"}
#: Fields that are asked for even where nothing was read, by list and, of outcomes, by type.
ASKED = {"study": ("design", "condition", "comparison_class", "n_total"), "arms": ("n",)}
ASKED_OF = {
    "count": ("events", "n"),
    "proportion": ("value", "n"),
    "mean": ("value", "sd", "n"),
    "mean_change": ("value", "sd", "n"),
    "percent_change": ("value", "n"),
    "median": ("value", "iqr", "n"),
    "difference": ("effect", "effect_ci_low", "effect_ci_high"),
    "ratio": ("effect_measure", "effect", "effect_ci_low", "effect_ci_high"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a study, as a person checks it.

    `suggestion` is what the extractor reads, None for nothing; a row's head has the object of its
    words. `quote` and `confidence` are the suggestion's, `derived` the rule that made it. `heading`
    names its row, `asked` says whether it is asked for though nothing was read, `gone` that the
    extractor reads the row no more, `added` that a person added it; `snapshot` is the row's JSON,
    which a decision keeps.
    """

    path: str
    label: str
    group: str
    kind: str
    suggestion: Any = None
    quote: Quote | None = None
    confidence: float | None = None
    derived: str = ""
    choices: tuple[str, ...] = ()
    row: str = ""
    heading: str = ""
    asked: bool = True
    whole: bool = False
    pair: bool = False
    gone: bool = False
    added: bool = False
    snapshot: str | None = None

    @property
    def present(self) -> bool:
        """Whether there is something to accept."""
        return self.suggestion is not None and not self.gone


def fields_of(
    study: Study, events: Iterable[Event] = (), rows: Sequence[Row] | None = None
) -> list[Field]:
    """Return the fields of a study that people check.

    Parameters
    ----------
    study : Study
        As the extractor reads it now.
    events : iterable of Event
        The decisions on it: rows that only they know are fields too.
    rows : sequence of Row, optional
        Its rows, if `rows_of` has found them before.

    Returns
    -------
    list of Field
        A row's fields stand together, its head first; rows and fields of the study in the order of
        their phrases in the text, those without a phrase last.
    """
    known = slots(Study)
    blocks = [[_study_field(study, known[name])] for name in STUDY_FIELDS]
    found = rows_of(study, events) if rows is None else rows
    blocks += [row_fields(row, i) for i, row in _numbered(found)]
    return [field for block in sorted(blocks, key=_start) for field in block]


def _numbered(rows: Sequence[Row]) -> Iterator[tuple[int, Row]]:
    """Each row with its number within its list, from 1."""
    counts = dict.fromkeys(GROUPS, 0)
    for row in rows:
        counts[row.kind] += 1
        yield counts[row.kind], row


def _start(block: Sequence[Field]) -> float:
    """Where a block's first field with a quote stands in the text."""
    return next((float(f.quote.start) for f in block if f.quote and not f.gone), inf)


def _study_field(study: Study, slot: Slot) -> Field:
    """A field of the study itself."""
    value, quote, confidence, derived = content(study, slot.name)
    return Field(
        slot.name,
        label_of(slot.name),
        "study",
        slot.kind,
        value,
        quote,
        confidence,
        derived,
        slot.choices,
        asked=value is not None or slot.name in ASKED["study"],
        whole=slot.whole,
        pair=slot.pair,
    )


def row_fields(row: Row, number: int) -> list[Field]:
    """Return the fields of a row, its head first.

    Parameters
    ----------
    row : Row
    number : int
        Its place in its list, for the heading.
    """
    head = _head(row, number)
    if row.kind == PLAIN_ROWS:
        return [head]
    asked = _asked(row)
    return [head, *(_row_field(row, s, asked, head) for s in row_slots(row.kind).values())]


def _head(row: Row, number: int) -> Field:
    """The field of a row as a whole."""
    words = head_of(row)
    group = GROUPS[row.kind]
    named = ", ".join(str(v) for k, v in words.items() if k != "type" and v) if words else ""
    if isinstance(row.item, Reading):
        named = str(row.item.value)
    plain = row.item.value if isinstance(row.item, Reading) else words or None
    return Field(
        row.path,
        f"{group} {number}",
        group,
        "text" if row.kind == PLAIN_ROWS else "row",
        plain,
        row.quote,
        row=row.path,
        heading=f"{group} {number}: {named}" if named else f"{group} {number}",
        gone=row.gone,
        added=row.item is None,
        snapshot=snapshot(row.item) if row.item is not None else None,
    )


def head_of(row: Row) -> dict[str, Any]:
    """Return the words that a row's head says, those that are there."""
    if row.item is None or row.kind == PLAIN_ROWS:
        return {}
    named = {name: getattr(row.item, name) for name in HEAD[row.kind]}
    return {name: value for name, value in named.items() if value}


def _row_field(row: Row, slot: Slot, asked: Sequence[str], head: Field) -> Field:
    """A field of a row."""
    value, quote, confidence, derived = content(row.item, slot.name)
    if slot.word and quote is None and value is not None:
        quote = row.quote
    return Field(
        f"{row.path}.{slot.name}",
        label_of(slot.name),
        head.group,
        slot.kind,
        value,
        quote,
        confidence,
        derived,
        slot.choices,
        row.path,
        head.heading,
        asked=value is not None or slot.name in asked,
        whole=slot.whole,
        pair=slot.pair,
        gone=head.gone,
        added=head.added,
        snapshot=head.snapshot,
    )


def _asked(row: Row) -> tuple[str, ...]:
    """The fields that a row is asked for."""
    if row.kind != "outcomes":
        return ASKED.get(row.kind, ())
    wanted = ASKED_OF.get(row.item.type, ()) if row.item is not None else ()
    two = row.item is not None and any(n.startswith("comparator_") for n in row.item.readings())
    return (*wanted, *(f"comparator_{n}" for n in wanted if two and not n.startswith("effect")))


def content(item: Any, name: str) -> tuple[Any, Quote | None, float | None, str]:
    """Return what a study or row holds in a field: value, quote, confidence and rule.

    A range is a list, as JSON has it.
    """
    whole, _, part = name.partition(".")
    held = getattr(item, whole, None)
    if isinstance(held, Timepoint):
        value = held.text or None if part == "text" else _listed(held.days)
        return value, held.quote, None, "days of the phrase" if part == "days" and value else ""
    if isinstance(held, Reading):
        return _listed(held.value), held.quote, held.confidence, held.derived
    return held or None, None, None, ""


def _listed(value: Any) -> Any:
    """A range as a list."""
    return list(value) if isinstance(value, tuple) else value


def label_of(name: str) -> str:
    """Return a field's name in words: "comparator_n" is "comparator n"."""
    return name.replace("_", " ").replace(".", " ")
