"""A record, what was read from it, and people who decide on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.review import FieldState, Reviewed, Writer, decide, lay
from pipeline.schema import (
    Arm,
    Decision,
    Dose,
    Event,
    Extractor,
    Outcome,
    Reading,
    Record,
    Section,
    Study,
    Timepoint,
)

TEXT = (
    "Forty patients were randomised to Ig 2 g/kg or placebo. Pain fell in 12 of 20 given Ig and in "
    "5 of 20 given placebo at 4 weeks. Strength rose in 9 of 20. Trial NCT01234567."
)
RECORD = Record("pmid1", "Ig for neuropathy", (Section(TEXT),), pmid="1", year=2020)


def at(words: str, record: Record = RECORD) -> Any:
    """The quote of words in the record's text."""
    start = record.text.index(words)
    return record.quote(start, start + len(words))


def read(words: str, value: Any, record: Record = RECORD) -> Reading[Any]:
    """A reading of words."""
    return Reading(value, at(words, record), confidence=0.9)


PAIN = "Pain fell in 12 of 20 given Ig and in 5 of 20 given placebo"


def study(record: Record = RECORD) -> Study:
    """What an extractor reads in the record."""
    pain = Outcome(
        "pain responder",
        "count",
        "Ig vs placebo",
        events=read("12", 12, record),
        n=read("12 of 20", 20, record),
        comparator_events=read("5 of", 5, record),
        comparator_n=read("5 of 20", 20, record),
        timepoint=Timepoint("4 weeks", 28.0, at("4 weeks", record)),
        quote=at(PAIN, record),
    )
    strength = Outcome(
        "strength responder",
        "count",
        "Ig",
        events=read("9", 9, record),
        n=read("9 of 20", 20, record),
        quote=at("Strength rose in 9 of 20", record),
    )
    return Study(
        "pmid1",
        read("randomised", "rct_parallel", record),
        pmids=("1",),
        condition=read("neuropathy", "Neuropathy", record),
        condition_mesh="Polyneuropathies",
        comparison_class=read("placebo", "Ig vs placebo", record),
        n_total=read("Forty", 40, record),
        arms=(
            Arm("Ig", "intervention", "Ig", quote=at("Ig 2 g/kg", record)),
            Arm("placebo", "comparator", quote=at("placebo", record)),
        ),
        doses=(Dose("Ig", read("2", 2.0, record), "g/kg", quote=at("2 g/kg", record)),),
        outcomes=(pain, strength),
        registry_ids=(read("NCT01234567", "NCT01234567", record),),
        extractor=Extractor("rules", "1", "a"),
    )


@dataclass
class Desk:
    """People at work on a study: each word becomes an event."""

    study: Study = field(default_factory=study)
    mode: str = "verify"
    record: Record = RECORD
    events: list[Event] = field(default_factory=list)
    consensus: bool = False

    def lay(self, events: Sequence[Event] | None = None) -> Reviewed:
        """The study with the decisions laid over it."""
        said = self.events if events is None else events
        return lay(self.study, said, self.mode, text=self.record.text, consensus=self.consensus)

    def state(self, path: str) -> FieldState:
        """The state of a field, by path; "outcomes/0.n" is that of the first row read."""
        return next(s for s in self.lay().states if s.field.path == self.path(path))

    def path(self, short: str) -> str:
        """The path of "outcomes/0.n"."""
        rows, slash, rest = short.partition("/")
        if not slash:
            return short
        number, dot, name = rest.partition(".")
        heads = [s.field for s in self.lay().states if s.field.path.startswith(f"{rows}@")]
        keys = list(dict.fromkeys(f.row for f in heads))
        return keys[int(number)] + dot + name

    def writer(self, who: str) -> Writer:
        """A person, a second later than the one before."""
        return Writer(who, f"2026-11-23T10:{len(self.events):02d}:00.000000Z", "test 1")

    def says(self, who: str, verdict: str, path: str, **more: Any) -> Event:
        """A person decides on a field."""
        made = decide(self.state(path), verdict, self.writer(who), self.record, **more)
        return self.add(made)

    def add(self, decision: Decision) -> Event:
        """Append a decision."""
        turns = [e.turn for e in self.events if e.decision.field == decision.field]
        made = Event(f"e{len(self.events)}", decision, max(turns, default=0) + 1)
        self.events.append(made)
        return made

    def accepts_all(self, who: str) -> None:
        """A person accepts whatever is suggested."""
        for path in [s.field.path for s in self.lay().states if s.field.present]:
            self.says(who, "accepted", path)

    @property
    def result(self) -> Study:
        """The study that counts."""
        return self.lay().study


def with_events(study: Study, number: int, phrase: str) -> Study:
    """The study with other events in its first outcome."""
    pain = replace(study.outcomes[0], events=read(phrase, number))
    return replace(study, outcomes=(pain, *study.outcomes[1:]))
