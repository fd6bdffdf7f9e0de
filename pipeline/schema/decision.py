"""What was decided: eligibility by rule, and a person's word over a reading."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.schema.record import Quote

VERDICTS = ("accepted", "corrected", "rejected", "not_reported", "included", "excluded")


@dataclass(frozen=True, slots=True)
class Screening:
    """Whether a record enters the pools, by which rule, and why in a sentence."""

    record_id: str
    include: bool
    code: str
    reason: str
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A reviewer's word on one field of a study; it outranks the extractor's, both are kept.

    `field` is a path like "outcomes[1].events"; `when` an ISO 8601 UTC time; `value` JSON text.
    """

    record_id: str
    field: str
    verdict: str
    who: str
    when: str
    value: str | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(
                f"Invalid verdict {self.verdict!r}; must be one of {', '.join(VERDICTS)}."
            )
