"""Lays what people decided on a record's eligibility over what the rules say."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from pipeline.review.paths import Path
from pipeline.review.resolve import Resolution, resolve
from pipeline.schema import SCREENING, Event, Screening

#: The code of a person's word that names no rule.
BY_HAND = "reviewer"


def screening_state(
    screening: Screening, events: Iterable[Event], mode: str, *, consensus: bool = False
) -> Resolution:
    """Return what holds for a record's screening; its value is "included" or "excluded"."""
    own = [e for e in events if e.decision.field == SCREENING]
    rule = "included" if screening.include else "excluded"
    return resolve(Path(SCREENING), own, mode, suggestion=rule, consensus=consensus)


def screened(
    screening: Screening, events: Iterable[Event], mode: str = "verify", *, consensus: bool = False
) -> Screening:
    """Return the screening that counts: a person's word outranks the rule's.

    Parameters
    ----------
    screening : Screening
        By rule.
    events : iterable of Event
        The decisions on the record.
    mode, consensus
        As in `pipeline.review.resolve.resolve`. In a conflict the rule's word stays.

    Returns
    -------
    Screening
        Its reason names who decided, their reason, and what the rule had said if it differs.
    """
    found = screening_state(screening, events, mode, consensus=consensus)
    event = found.event
    if not found.reviewed or event is None or found.value not in ("included", "excluded"):
        return screening
    include = found.value == "included"
    alone = found.state == "adjudicated"
    agree = [event.decision.who] if alone else [s.who for s in found.said if s.value == found.value]
    said = f"{found.value} by {' and '.join(agree)}" + (", who settled a conflict" if alone else "")
    if event.decision.reason:
        said += f": {event.decision.reason}"
    if include != screening.include:
        said += f" (by rule: {screening.reason})"
    code = "eligible" if include else _code(event, screening)
    quote = event.decision.evidence or (screening.quote if include == screening.include else None)
    return replace(screening, include=include, code=code, reason=said, quote=quote)


def _code(event: Event, screening: Screening) -> str:
    """The rule that an exclusion names; the one that had excluded the record before."""
    text = event.decision.value if event.decision.verdict == "excluded" else None
    try:
        plain = json.loads(text) if text else None
    except (ValueError, RecursionError):
        plain = None
    if isinstance(plain, str) and plain:
        return plain
    return BY_HAND if screening.include else screening.code
