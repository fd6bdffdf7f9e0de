"""What people decide over what was read: fields, their states, and the study that counts."""

from __future__ import annotations

from pipeline.review.agreement import Agreement, agreement
from pipeline.review.build import checked, row_checked
from pipeline.review.decide import Writer, add_row, comment, decide, finish, screen_by_hand, undo
from pipeline.review.effective import Reviewed, effective, lay, seen_by
from pipeline.review.fields import Field, fields_of
from pipeline.review.screening import screened, screening_state
from pipeline.review.states import FieldState

__all__ = [
    "Agreement",
    "Field",
    "FieldState",
    "Reviewed",
    "Writer",
    "add_row",
    "agreement",
    "checked",
    "comment",
    "decide",
    "effective",
    "fields_of",
    "finish",
    "lay",
    "row_checked",
    "screen_by_hand",
    "screened",
    "screening_state",
    "seen_by",
    "undo",
]
