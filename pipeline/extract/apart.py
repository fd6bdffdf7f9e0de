"""Says which values tell how far two groups are apart, and are no value of either."""

from __future__ import annotations

import re

from pipeline.extract.measurements import Measurement
from pipeline.extract.naming import LESS_RISK, Name

_BETWEEN_GROUPS = (
    r"\bbetween[\s-](?:the\s)?groups?\s(?:\w+\s){0,2}?"
    r"(?:differences?|reductions?|changes?)\b[^.;]{0,50}$"
)
_GROUPS_APART = re.compile(
    rf"{_BETWEEN_GROUPS}"
    r"|\b(?:treatment|absolute|risk|mean|median)\s+(?:differences?|reductions?)\s*(?:of|was|[,:=(])*\s*$"
    r"|\b(?:noninferiority|non-inferiority|equivalence)\b[^.;]{0,40}$",
    re.I,
)
_RATIO = re.compile(
    r"\b(?:hazard|odds|risk|rate)\s+ratios?\b[^;()\d]{0,70}$|\bp[\s-]values?\b[^;\d]{0,100}$"
    rf"|{_BETWEEN_GROUPS}",
    re.I,
)
_MEAN = re.compile(r"\b(?:mean|average)\b", re.I)
_RATE_NAME = re.compile(
    r"\b(?:rates?|risks?|incidences?|proportions?|probability|prevalence|frequency)\b(?!.*\b(?:change|reduction))",
    re.I,
)
_LESS_THAN = re.compile(
    r"\s*(?:[\w²³%]+\s+)?(?:less|more|lower|higher|greater|shorter|longer)\s+than\b", re.I
)
_THAN_AFTER = re.compile(
    r"\s*(?:higher|lower|greater|less|more|longer|shorter|better|worse)\b", re.I
)
#: "Tamoxifen reduced the risk of relapse by 41%": an effect, and no value of an arm.
_REDUCED_BY = re.compile(
    r"\b(?:reduc|lower|increas|decreas|improv)\w+\s(?!.*\bfrom\b)[^.;,\d]{0,50}\bby\s(?:an?\s|about\s|approximately\s)?$",
    re.I,
)


def is_relation(text: str, m: Measurement) -> bool:
    """Whether a value says how far two groups are apart: "reduced by 40%", "13% higher than"."""
    end = m.value.end if m.value is not None else m.end
    before, after = text[max(0, m.start - 70) : m.start], text[end : end + 30]
    if _GROUPS_APART.search(before) or (m.kind != "count" and LESS_RISK.match(after)):
        return True
    if m.kind != "count" and _LESS_THAN.match(after):
        return True
    if m.unit != "%" or m.kind == "count" or m.spread is not None:
        return False
    return bool(_THAN_AFTER.match(after) or _REDUCED_BY.search(before))


def is_ratio(text: str, m: Measurement) -> bool:
    """Whether a value is a ratio or a difference of two groups, or a p value, by its name."""
    return _RATIO.search(text[max(0, m.start - 110) : m.start]) is not None


def is_rate(text: str, name: Name) -> bool:
    """Whether an outcome's name says that its percentages are shares, and no changes or means."""
    before = text[max(0, name.span[0] - 20) : name.span[0]]
    return bool(_RATE_NAME.search(name.measure)) and not _MEAN.search(before)
