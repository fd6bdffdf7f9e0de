"""Says whether a sentence of an abstract without labels tells of methods or of results."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.extract.quantities import Quantity
from pipeline.extract.starts import Starts

_PLAN = Starts(
    re.compile(
        r"""\b(?:randomi[sz]ed\s+(?:to|between|in|into|patients|controlled|study|trial)
      |randomi[sz]ed\s+[^.;]{0,80}?\bagainst\b
      |(?:were|was|been)\s+(?:then\s+)?(?:randomi[sz]ed|stratified|enrolled|recruited|eligible
        |invited|scheduled|allocated|assigned|included|screened|approached|planned|selected)
      |randomly|assigned\s+to|allocated\s+to|allocation|recruited|enrol(?:l?ed|ment)|to\s+receive|will\s+be
      |(?:aim|aims|aimed|purpose|objectives?)\b|hypothes\w+|endpoints?\s+(?:was|were|included)
      |outcomes?\s+(?:measures?\s+)?(?:was|were|included|is|are)\s+(?!significant|similar|better|worse)
      |enrolling|planned\s+to|we\s+expect|expected\s+to|planned\s+(?:at|after|for|when)|remained\s+for|eligib\w+|inclusion|exclusion|sample\s+size|power\s+(?:of|to)|designed\s+to|powered
      |(?:we|this\s+(?:study|trial|analysis))\s+(?:\w+ly\s+)?(?:compared|conducted|investigated|evaluated|assessed
        |examined|studied|tested|performed|aimed|sought|undertook|determined|analy[sz]ed|included))\b""",
        re.IGNORECASE | re.VERBOSE,
    )
)
#: What is said of methods, and of results too.
_DONE = Starts(
    re.compile(
        r"""\b(?:(?:were|was)\s+(?:measured|assessed|evaluated|collected|recorded|defined|obtained|performed
        |calculated|analy[sz]ed|evaluable|assessable|available|accrued|treated|estimated|administered|followed|monitored|interviewed)\b
      |(?:patients|women|participants|subjects)\s+(?:\w+\s+){0,3}received
      |(?:study|trial)\s+(?:was\s+conducted|evaluating|comparing|investigating|assessing)|population\s+comprised|provided?\s+(?:\w+\s+){0,2}consent)\b""",
        re.IGNORECASE | re.VERBOSE,
    )
)
_FOUND = Starts(
    re.compile(
        r"""\b(?:significan\w+|compared\s+(?:with|to)\s+\d|(?:vs\.?|versus|v)\s+[+-]?\d
      |occurred|developed|died|improved|experienced|relapsed|survival\s+(?:\w+\s+)?(?:was|were)
      |higher|lower|longer|shorter|fewer|more\s+(?:frequent|common|likely))\b""",
        re.IGNORECASE | re.VERBOSE,
    )
)


def is_plan(text: str, start: int, end: int, found: Sequence[Quantity]) -> bool:
    """Whether ``text[start:end]`` tells what was planned or done, and no result.

    Parameters
    ----------
    text : str
        The record's text.
    start, end : int
        Where the sentence stands.
    found : sequence of Quantity
        The sentence's quantities.
    """
    if any(q.kind in ("p_value", "ci") for q in found):
        return False
    if _FOUND.search(text, start, end):
        return False
    shares = sum(q.kind in ("percent", "fraction") for q in found)
    done = shares < 2 and _DONE.search(text, start, end)
    return bool(done or _PLAN.search(text, start, end))
