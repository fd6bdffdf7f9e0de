"""Says which words name no outcome by themselves: patterns/no_names.jsonl."""

from __future__ import annotations

import re
from functools import cache

from pipeline.extract.lexicon import rules


def says_nothing(measure: str, *, is_open: bool = False) -> bool:
    """Return whether words name no outcome; more of them do not where no rule knows the outcome.

    Parameters
    ----------
    measure : str
        The words.
    is_open : bool
        Whether the outcome is named by its own words.
    """
    return _pattern(is_open=is_open).fullmatch(measure) is not None


@cache
def _pattern(*, is_open: bool) -> re.Pattern[str]:
    """The rows for outcomes that no rule knows, or those for any, as one pattern."""
    rows = (r for r in rules("no_names") if r.get("any", False) != is_open)
    return re.compile("|".join(f"(?:{r['pattern']})" for r in rows), re.IGNORECASE)
