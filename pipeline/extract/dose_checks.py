"""Says which doses lie outside what is given of a drug: they stay as printed, with a problem."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pipeline.extract.doses import DoseSpan
from pipeline.extract.lexicon import rules


def implausible(dose: DoseSpan) -> str | None:
    """Return what is wrong with a dose's size, or None.

    The ranges are those of patterns/plausibility.jsonl: the drug's own, else any drug's in that
    unit. They are wide; what lies outside is a misprint or was misread. A course's total is held
    against the drug's range too.
    """
    row = _ranges(dose.drug.casefold()).get(dose.unit)
    ends = dose.amount if isinstance(dose.amount, tuple) else (dose.amount,)
    if row and not all(row["low"] <= end <= row["high"] for end in ends):
        return _message(dose, f"{'-'.join(f'{e:g}' for e in ends)} {dose.unit}", row)
    course = _ranges(dose.drug.casefold()).get("g/kg")
    if course and dose.total is not None and dose.total > course["high"]:
        return _message(dose, f"{dose.total:g} g/kg a course", course)
    return None


def _message(dose: DoseSpan, size: str, row: dict[str, Any]) -> str:
    """What a reviewer is told."""
    return (
        f"Implausible dose {size} of {dose.drug or 'a drug'}; "
        f"expected {row['low']:g} to {row['high']:g} {row['unit']}."
    )


@lru_cache(maxsize=1000)
def _ranges(drug: str) -> dict[str, dict[str, Any]]:
    """Unit -> range for a drug, its own rows before those of any drug."""
    found: dict[str, dict[str, Any]] = {}
    for row in rules("plausibility"):
        if not row["drugs"] or drug in (name.casefold() for name in row["drugs"]):
            found.setdefault(row["unit"], row)
    return found
