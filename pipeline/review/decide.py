"""Makes a decision of what a person does to a field, and refuses what cannot be decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError
from pipeline.review.paths import PLAIN_ROWS, ROWS, Path, parse, plain_of, value_of
from pipeline.review.rows import added_key
from pipeline.review.states import FieldState
from pipeline.schema import SCREENING, WHOLE, Decision, Event, Quote, Record

#: What may be said of a value.
VALUE_VERDICTS = ("accepted", "corrected", "rejected", "not_reported", "adjudicated")
#: Longest reason or comment, and longest name of a person.
MAX_REASON, MAX_NAME = 5000, 200


@dataclass(frozen=True, slots=True)
class Writer:
    """Who decides, when (ISO 8601 UTC, with microseconds), with which software."""

    who: str
    when: str
    software: str = ""

    def __post_init__(self) -> None:
        if not self.who.strip() or len(self.who) > MAX_NAME or not self.who.isprintable():
            raise InputError(f"Invalid reviewer {self.who!r:.80}; must be a name of one line.")


def decide(
    state: FieldState,
    verdict: str,
    writer: Writer,
    record: Record,
    *,
    value: Any = None,
    evidence: Quote | None = None,
    reason: str = "",
) -> Decision:
    """Return a person's decision on a field.

    Parameters
    ----------
    state : FieldState
        The field as the person saw it.
    verdict : str
        "accepted" takes what is shown; "corrected" and "adjudicated" say `value`; "rejected" and
        "not_reported" say that there is none. On a row as a whole, "rejected" takes the row out.
    writer : Writer
    record : Record
        The record as the person saw it.
    value : object
        As JSON has it: a number, a list of two, a text, an object of a row's words; None, for
        "adjudicated", settles that there is no value.
    evidence : Quote, optional
        The phrase that the value stands on; of what is accepted, the suggestion's.
    reason : str

    Raises
    ------
    InputError
        If the verdict does not fit, the field cannot have the value, or the evidence is not in the
        record's text.
    """
    path = parse(state.field.path)
    if verdict not in VALUE_VERDICTS or path is None:
        raise InputError(
            f"Invalid verdict {verdict!r}; must be one of {', '.join(VALUE_VERDICTS)}."
        )
    shown = state.value if state.reviewed else state.field.suggestion
    if verdict == "accepted":
        if shown is None:
            raise InputError(f"There is nothing to accept in {state.field.path}.")
        value, evidence = shown, evidence or state.evidence or state.field.quote
    elif verdict in ("rejected", "not_reported"):
        value = None
    elif verdict == "corrected" and value is None:
        raise InputError(f"A correction of {state.field.path} must say the value.")
    said = plain_of(value)
    value_of(path, said)
    return Decision(
        record.record_id,
        state.field.path,
        verdict,
        writer.who,
        writer.when,
        said,
        _reason(reason),
        plain_of(state.field.suggestion),
        _in_text(evidence, record),
        state.field.snapshot,
        content_hash=record.content_hash,
        software=writer.software,
    )


def add_row(
    kind: str,
    words: Mapping[str, Any],
    evidence: Quote,
    writer: Writer,
    record: Record,
    *,
    reason: str = "",
) -> Decision:
    """Return the decision that adds a row which the extractor did not read.

    Parameters
    ----------
    kind : str
        "arms", "doses", "outcomes" or "registry_ids".
    words : mapping
        The row's words, and its numbers: {"measure": "pain", "type": "count", "events": 12}; of a
        registration {"number": "NCT..."}.
    evidence : Quote
        The phrase that it stands on. Two who add a row of the same words on the same phrase have
        added the same row.
    """
    if kind not in (*ROWS, PLAIN_ROWS):
        raise InputError(f"Invalid row {kind!r}; must be one of {', '.join((*ROWS, PLAIN_ROWS))}.")
    path = Path("", kind, added_key(kind, evidence, words))
    said = plain_of(words.get("number") if kind == PLAIN_ROWS else dict(words))
    if value_of(path, said) is None:
        raise InputError(f"A row of {kind} must say something.")
    return Decision(
        record.record_id,
        path.row,
        "corrected",
        writer.who,
        writer.when,
        said,
        _reason(reason),
        None,
        _in_text(evidence, record),
        content_hash=record.content_hash,
        software=writer.software,
    )


def screen_by_hand(
    verdict: str, writer: Writer, record: Record, *, code: str = "", reason: str = ""
) -> Decision:
    """Return a person's "included", "excluded", "unsure" or "adjudicated" on a record.

    `code` is the rule of an exclusion ("population"), or, of an adjudication, "included" or
    "excluded".
    """
    if verdict not in ("included", "excluded", "unsure", "adjudicated"):
        raise InputError(f"Invalid verdict {verdict!r} on the screening of {record.record_id}.")
    if verdict == "adjudicated" and code not in ("included", "excluded"):
        raise InputError("An adjudication of a screening must say included or excluded.")
    if len(code) > 40 or (not code.replace("_", "").isalnum() and code):
        raise InputError(f"Invalid code {code!r:.80}; must be a word.")
    return _plain_word(record, SCREENING, verdict, writer, reason, plain_of(code or None))


def finish(writer: Writer, record: Record, reason: str = "") -> Decision:
    """Return the word that a person has checked a record's readings."""
    return _plain_word(record, WHOLE, "finished", writer, reason)


def undo(event: Event, writer: Writer, reason: str = "") -> Decision:
    """Return the decision that takes an own one back."""
    was = event.decision
    if was.who != writer.who or was.verdict == "undone":
        raise InputError(f"{writer.who} cannot undo the decision {event.event_id}.")
    return Decision(
        was.record_id,
        was.field,
        "undone",
        writer.who,
        writer.when,
        reason=_reason(reason),
        undoes=event.event_id,
        content_hash=was.content_hash,
        software=writer.software,
    )


def comment(record: Record, field: str, text: str, writer: Writer) -> Decision:
    """Return a remark on a field, which decides nothing."""
    if not text.strip() or parse(field) is None:
        raise InputError(f"A comment must say something, and be on a field; not {field!r:.80}.")
    return _plain_word(record, field, "comment", writer, text)


def _plain_word(
    record: Record, field: str, verdict: str, writer: Writer, reason: str, value: str | None = None
) -> Decision:
    """A decision that rests on no reading."""
    return Decision(
        record.record_id,
        field,
        verdict,
        writer.who,
        writer.when,
        value,
        _reason(reason),
        content_hash=record.content_hash,
        software=writer.software,
    )


def _reason(text: str) -> str:
    """A reason that may be stored."""
    if len(text) > MAX_REASON or "\0" in text:
        raise InputError(f"A reason may have {MAX_REASON} characters, none of them NUL.")
    return text


def _in_text(quote: Quote | None, record: Record) -> Quote | None:
    """Evidence that stands in the record's text."""
    if quote is None:
        return None
    own = quote.record_id == record.record_id
    if not own or not quote.text or record.text[quote.start : quote.end] != quote.text:
        raise InputError(
            f"Invalid evidence {quote.text!r:.80}; it does not stand at {quote.start}..{quote.end} "
            f"of {record.record_id}."
        )
    return quote
