"""The state of one field: what was read, what people said, and what counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.review.fields import Field
from pipeline.review.resolve import Resolution
from pipeline.schema import Quote


@dataclass(frozen=True, slots=True)
class FieldState:
    """A field with what people made of it.

    `value` is what counts now, None for nothing; `reviewed` whether a person's word stands behind
    it. `version` counts the events on the field. `difference` says that a newer reading is not what
    the decision was made on, `moved` that the evidence is not found in the text any more.
    """

    field: Field
    resolution: Resolution
    value: Any
    version: int
    evidence: Quote | None = None
    difference: str = ""
    moved: bool = False

    @property
    def state(self) -> str:
        """What the field is, one of `STATES`."""
        return self.resolution.state

    @property
    def reviewed(self) -> bool:
        """Whether a person's word holds."""
        return self.resolution.reviewed
