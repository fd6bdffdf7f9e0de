"""Says of each record that is not as it was what became of it, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.schema import Answered, Counted, RecordChange, Screening, Study, ValueChange
from pipeline.schema.codec import study_record

#: How PubMed's links to later notices are told.
NOTICES: Mapping[str, str] = {
    "RetractionIn": "retracted",
    "RetractedandRepublishedIn": "retracted and republished",
    "PartialRetractionIn": "partially retracted",
    "ErratumIn": "an erratum was published: check the readings again",
    "CorrectedandRepublishedIn": "corrected and republished: check the readings again",
    "ExpressionOfConcernIn": "an expression of concern was published",
    "UpdateIn": "updated by a later publication",
}
#: How a record ended that no search finds any more.
ENDED: Mapping[str, str] = {
    "deleted": "PubMed returns it no more: deleted or merged",
    "left_query": "the query finds it no more; it is kept",
}
#: Fields of a study's record that say nothing of the study itself.
_APART = frozenset({"text", "extractor", "problems", "include_in_pool", "include_reason"})

#: What a value with its phrase may hold.
_SCALAR = frozenset({"value", "quote", "derived", "confidence", "reviewed"})


def record_changes(before: Answered, after: Answered) -> tuple[RecordChange, ...]:
    """Return the records that came, went, or are read, decided or noticed otherwise."""
    old = {c.record_id: c for c in before.counted}
    new = {c.record_id: c for c in after.counted}
    told = set(before.ended)
    ended = {name: state for name, state in after.ended if (name, state) not in told}
    found: list[RecordChange] = []
    for record_id, counted in new.items():
        change = _change(old.get(record_id), counted, ended.get(record_id, ""))
        if change is not None:
            found.append(change)
    for record_id, counted in old.items():
        if record_id not in new:
            found.append(_gone(counted, ended.get(record_id, "")))
    return tuple(found)


def _gone(counted: Counted, state: str) -> RecordChange:
    """A record that is not here any more."""
    kind = "deleted" if state == "deleted" else "gone"
    cause = ENDED["deleted"] if kind == "deleted" else "the search finds it no more"
    return RecordChange(counted.record_id, counted.slab, kind, (cause,))


def _change(old: Counted | None, new: Counted, state: str) -> RecordChange | None:
    """What became of a record that is here; None if nothing did."""
    if old is None:
        status = "eligible" if new.screening.include else new.screening.reason
        notices = tuple(NOTICES[n.ref_type] for n in new.notices if n.ref_type in NOTICES)
        return RecordChange(new.record_id, new.slab, "new", (status, *notices))
    causes = tuple(_causes(old, new, state))
    values = tuple(value_changes(old.study, new.study))
    if not causes and not values and old.screening == new.screening:
        return None
    causes = tuple(dict.fromkeys(causes))
    retracted = new.screening.code == "retracted" != old.screening.code
    kind = "retracted" if retracted else "changed"
    return RecordChange(new.record_id, new.slab, kind, causes, values)


def _causes(old: Counted, new: Counted, state: str) -> Iterator[str]:
    """Why a record is not as it was."""
    if old.content_hash != new.content_hash:
        yield "the record was revised in its source"
    for notice in new.notices:
        if notice not in old.notices and notice.ref_type in NOTICES:
            yield NOTICES[notice.ref_type]
    decided = len(set(new.events) - set(old.events))
    if decided:
        yield f"{decided} {'decision' if decided == 1 else 'decisions'} of a reviewer"
    if old.study.extractor != new.study.extractor:
        yield "read by other rules"
    if new.screening.code == "retracted" != old.screening.code:
        yield "retracted"
    elif old.screening.include != new.screening.include:
        yield f"now {'included' if new.screening.include else 'excluded'}: {new.screening.reason}"
    elif old.screening.code != new.screening.code:
        yield f"still {'included' if new.screening.include else 'excluded'}, now because: " + (
            new.screening.reason
        )
    if state == "left_query":
        yield ENDED[state]


def value_changes(old: Study, new: Study) -> Iterator[ValueChange]:
    """Yield the values of a study that are not as they were, by a path a person can read."""
    before, after = values_of(old), values_of(new)
    for path in dict.fromkeys([*before, *after]):
        pair = before.get(path, ""), after.get(path, "")
        if pair[0] != pair[1]:
            yield ValueChange(path, *pair)


def values_of(study: Study) -> dict[str, str]:
    """Return the values of a study as text, by path: "arms[IVIg].n" -> "20"."""
    plain = study_record(study, Screening(study.record_id, True, "", ""))
    return {
        path: text
        for name, value in plain.items()
        if name not in _APART
        for path, text in _flat(name, value)
        if text
    }


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """The scalars of a value, each with its path; quotes are left out."""
    if isinstance(value, Mapping):
        if "value" in value and value.keys() <= _SCALAR:
            yield path, _text(value["value"])
            return
        for name, inner in value.items():
            if name not in _SCALAR - {"value"}:
                yield from _flat(f"{path}.{name}", inner)
    elif isinstance(value, list):
        seen: Counter[str] = Counter()
        for i, inner in enumerate(value):
            name = _row_name(inner) or str(i)
            seen[name] += 1
            which = name if seen[name] == 1 else f"{name} #{seen[name]}"
            yield from _flat(f"{path}[{which}]", inner)
    else:
        yield path, _text(value)


def _row_name(row: Any) -> str:
    """What names an arm, a dose or an outcome: its label, or its measure, arm and time."""
    if not isinstance(row, Mapping):
        return ""
    parts = [row.get(key) for key in ("label", "drug", "measure", "arm", "timepoint")]
    words = [p.get("value", p.get("text")) if isinstance(p, Mapping) else p for p in parts]
    return ", ".join(str(w) for w in words if w)


def _text(value: Any) -> str:
    """A scalar as text, "" for none."""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
