"""Prepares the screening of a record: its text, the criteria, and what was said so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from pipeline.config import Eligibility
from pipeline.report.plain import one_line, visible
from pipeline.review.resolve import live
from pipeline.schema import SCREENING, Event
from pipeline.screen import RULES
from pipeline.workbench.desk import Desk, own_last
from pipeline.workbench.marks import Span, mark_text
from pipeline.workbench.sheet import Act
from pipeline.workbench.show import banners, links, stands_in

ACTS = (
    Act("include", "Include"),
    Act("exclude", "Exclude"),
    Act("unsure", "Unsure"),
    Act("undo", "Undo"),
)


@dataclass(frozen=True, slots=True)
class ScreenSheet:
    """A record's page."""

    record_id: str
    slab: str
    title: str
    links: tuple[tuple[str, str], ...]
    banners: tuple[str, ...]
    text: Markup
    rule: str
    word: str
    version: int
    reasons: tuple[str, ...]
    others: tuple[tuple[str, str], ...]
    comments: tuple[str, ...]
    criteria: tuple[tuple[str, str], ...]
    acts: tuple[Act, ...] = ACTS
    before: str = ""
    after: str = ""


def screen_sheet(desk: Desk, who: str, record_id: str) -> ScreenSheet | None:
    """Return the page of a record for a reviewer; None where no such record was read."""
    held = desk.holdings
    record, rule = held.records.get(record_id), held.rules.get(record_id)
    if record is None or rule is None:
        return None
    events = desk.events(who, record_id)
    own = [e for e in events if e.decision.field == SCREENING]
    quote = rule.quote
    spans = (
        [Span(quote.start, quote.end, "", "rule", 0)] if quote and stands_in(record, quote) else []
    )
    verdict = "eligible" if rule.include else "excluded"
    return ScreenSheet(
        record_id,
        one_line(record.slab, 60),
        one_line(record.title, 300),
        links(record),
        banners(record),
        mark_text(record.text, spans),
        f"{verdict}: {visible(rule.reason)}",
        word_of(desk, record_id, who, events),
        len(own),
        tuple(code for code, _ in RULES),
        tuple((r.record_id, one_line(r.slab, 60)) for r in held.records.values() if r != record),
        tuple(
            f"{visible(e.decision.who)}: {one_line(e.decision.reason)}"
            for e in own
            if e.decision.reason
        ),
        criteria(desk.config.eligibility),
    )


def word_of(desk: Desk, record_id: str, who: str, events: Sequence[Event]) -> str:
    """Return what people said of a record's eligibility, in a sentence."""
    own = [e for e in events if e.decision.field == SCREENING]
    mine = own_last(own, who)
    said = [f"You said: {mine.decision.verdict}."] if mine else []
    others = sorted({e.decision.who for e in live(own)} - {who})
    for name in others:
        last = own_last(own, name)
        if last is not None:
            said.append(f"{visible(name)} said: {last.decision.verdict}.")
    if not said:
        return "Nobody has decided yet."
    counted = desk.screened(record_id, events)
    return " ".join(
        [*said, "It counts as eligible." if counted.include else "It counts as excluded."]
    )


def criteria(eligibility: Eligibility) -> tuple[tuple[str, str], ...]:
    """Return the protocol's criteria in words."""
    treatment = eligibility.intervention
    return (
        ("Population", ", ".join(c.name for c in eligibility.population)),
        ("Intervention", f"{treatment.name} ({', '.join(treatment.terms[:8])} …)"),
        ("Designs", ", ".join(d.replace("_", " ") for d in eligibility.designs)),
        ("Smallest n", str(eligibility.min_n)),
    )
