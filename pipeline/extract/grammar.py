"""The grammar of numeric expressions: patterns in the order they are tried.

White space in a pattern stands for nothing (re.VERBOSE); case does not matter. The named groups
are what the builders in `quantities` read: v value, hi and lo ends, s spread, a of b, label.
"""

from __future__ import annotations

import re

from pipeline.extract.lexicon import any_of, rules
from pipeline.extract.numbers import COUNT, DIGITS, SIGNED, TO, WORDS

#: What a count of people is counted in.
PEOPLE = any_of(t for r in rules("people") for t in r["terms"])
#: "29 in each group"
IN_EACH = re.compile(r"\b(?:in|of|from)\s+(?:each|both)\s+(?:groups?|arms?)\b", re.IGNORECASE)
#: What is counted in an abstract and is no patient.
THINGS = (
    "muscle groups", "nerves", "segments", "eyes", "centres", "centers", "scales", "trials",
    "studies", "infusions", "points",
)  # fmt: skip
TIME_UNIT = r"(?:days?|weeks?|wks?|months?|mo|years?|yrs?|hours?|h|minutes?)"

_D = f"(?:{DIGITS})"
_PERCENT = r"(?:%|percent\b|per\s?cent\b)"
_BETWEEN = rf"(?:{TO}|\s*[,;]\s*|\s+and\s+)"
_OPEN, _CLOSE = r"[\[(]\s*", r"\s*[\])]"
_IN_BRACKETS = rf"(?:\s*{_OPEN}[^)\]]{{0,30}}[)\]])?"
_THINGS = any_of(THINGS)
_MONTH = r"""(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|
    Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"""
_SPREAD = r"""(?P<label>s\.?d\.?|standard\sdeviation|s\.?e\.?m?\.?
    |standard\serrors?(?:\sof\sthe\smean)?)"""
_RANGE = r"(?P<label>IQR|interquartile\srange|inter-quartile\srange|range|min(?:imum)?)"
_PRODUCT = r"""(?:IVIG|IV\s?Ig|IGIV|SCIG|immune|immuno|saline|albumin|caprylate|dextrose|glucose|
    solution|lidocaine|capsaicin|pilocarpine|cream|gel|patch|sucrose)"""

#: (kind, pattern) in order; a character belongs to the first pattern that takes it.
GRAMMAR: tuple[tuple[str, str], ...] = (
    (
        "registry",
        r"""\b(?: NCT\s?\d{8} | ISRCTN\s?\d{8}
        | EudraCT(?:\s*(?:number|no\.?))?[:\s]*\d{4}-\d{6}-\d{2}
        | ACTRN\s?\d{14} | UMIN\s?\d{9} | DRKS\s?\d{8} | ChiCTR[-\w]*\d{6,} | jRCT\w?\d{9,} )\b""",
    ),
    (
        "p_value",
        r"""(?<![a-z])p(?:[\s-]*values?)?\s*(?:was\s*|of\s*|were\s*)?(?P<op>=|<|>|≤|≥|⩽|⩾)\s*
        (?P<v>0?\s?[.·](?:\s?\d(?!\d))+(?=\s*[;,.)\]]) | (?:\d\s?)?[.·]\s?\d+ | \d(?![\d.·]))""",
    ),
    (
        "ci",
        rf"""(?:9\d(?:\.\d)?\s*{_PERCENT}\s*)?
        (?:confidence\s+intervals?|confidence\s+limits?|credible\s+intervals?|\bCIs?\b|\bCrI\b)
        (?:\s*9\d\s*%)?(?:\s*{_OPEN}(?:9\d\s*%\s*)?CI{_CLOSE})?\s*[:=,]?\s*(?:of\s+|was\s+|from\s+)?
        [\[(]?\s*(?P<lo>{SIGNED})(?:\s*{_PERCENT})?{_BETWEEN}(?P<hi>{SIGNED})(?:\s*{_PERCENT})?""",
    ),
    (
        "age",
        rf"""\b(?:\d{{1,3}}|one|two|three|four|five|six|seven|eight|nine|ten)[\s-]?
            (?:year|yr|month|week|day)s?[\s-]old\b
        | \bage[ds]?\b(?:\s+(?:of|was|between|from|range|ranged|over|under|above|below))*[\s:,(]*
            {_D}(?:{TO}{_D})?(?:\s*(?:±|\+/-)\s*{_D})?(?:\s*years?)?{_IN_BRACKETS}
        | \bage\s+(?:of\s+\w+\s+)?(?:was\s+)?{_D}\s+years?{_IN_BRACKETS}
        | \b(?:younger|older)\s+than\s+{_D}\s+years? | {_D}\s+years\s+(?:of\sage|old)""",
    ),
    (
        "date",
        rf"""\b{_MONTH}\.?\s+(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s+)?(?:19|20)\d\d\b
        | \b(?:in|from|since|until|between|during|and|to|of|by)\s+(?:19|20)\d\d
            (?![\d.·]|\s*(?:{PEOPLE}|mg|g|ml)\b)
        | \b\d{{1,2}}/(?:19|20)\d\d\b
        | \b\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}\b | (?:19|20)\d\d\s*[-–]\s*(?:19|20)\d\d""",
    ),
    ("ratio", rf"(?<![\d.]){_D}\s?:\s?{_D}(?:\s?:\s?{_D})?(?!\s*\d)"),
    (
        "base",
        r"""\bper\s+(?:1[\s,]?)?[10]0+(?:[\s,]?000)?\b | \b10\s?(?:\(\d{1,2}\)|\^\d{1,2})
        | (?<![a-z])[cm]?m\s?\(-?\d\) | (?<=[a-z])[-]\d++(?![.·\d]|\s*%)
        | \b\d{1,3}(?:st|nd|rd|th)\b(?!\s+(?:day|week|month|year))""",
    ),
    (
        "level",
        rf"\bCI\s*9\d\s*%|9\d(?:\.\d)?\s*{_PERCENT}\s*\[?(?:CIs?\b|confidence|credible|prediction)",
    ),
    (
        "statistic",
        rf"""(?-i:(?<![\w-])(?:F|t|z|Z|r|rs|R2|d|B|β|beta|χ2?|ES|AUC|ICC|SMR))\s*
            (?:\(\s*{_D}(?:\s*,\s*{_D})?\s*\))?\s*=\s*{SIGNED}(?![\d.·]*\s*%)
        | \b(?:effect\s+size|Cohen['’]?s?\s+d|kappa|chi[\s-]squared?)\s*(?:\([^()]{{0,12}}\))?\s*
            (?:=|of|was|:)?\s*{SIGNED}""",
    ),
    (
        "level",
        r"""\b(?:grades?|stages?)\s+(?:[IVX]+|\d)(?:\s*(?:[-–/]|to|or|and)\s*(?:[IVX]+|\d))\b(?![.·]\d|\s*%)
        | \b(?:class|grade|stage|level|phase|type|study|group|part|step|cycle|visit|cohort|table)\s+
        (?:[IVX]+|\d)\b(?!\s*[/%]|\s*\(\s*\d)""",
    ),
    (
        "threshold",
        rf"""(?:[<>]\s?(?:/\s?)?or\s?=\s?(?:to\s)?|[<>]\s?/?\s?=|[≥≤⩾⩽>]|\bat\sleast|\bmore\sthan|\bless\sthan|\bgreater\sthan|\bat\smost|\bup\sto
            |\bover(?=\s+\d)|\bno\smore\sthan|\b(?:below|under|above|exceed(?:s|ed|ing)?)(?=\s+\d)|<(?=\s*\d))\s*(?:an?\s+)?
            (?:{DIGITS}|one|two|three|four|five|six)[\s-]*(?:%|{TIME_UNIT}|points?|grades?|mm|cm|kg)?
        | \b(?:{DIGITS}|one|two|three)\s*
            (?:%\s*|points?\s+|grades?\s+|steps?\s+|mm\s?Hg\s+|{TIME_UNIT}\s+)?
            or\s+(?:more|less|greater|lower|higher|fewer|better|worse)\b(?:\s+points?)?
        | \b(?:{DIGITS}|one|two)\s+SDs?\s+(?:above|below)
        | \btarget\s+(?:[\w-]+\s+){{1,3}}?of\s+{_D}(?:\s*(?:%|mm\s?Hg|points?|{TIME_UNIT}))?
        | \b(?:{DIGITS}|one|two|three)[\s-]points?\s+
            (?:or\smore|fall|drop|decrease|increase|improvement)""",
    ),
    (
        "concentration",
        rf"""{_D}\s*%\s*(?:(?:liquid|human|freeze-dried|intravenous|topical)\s+)?(?={_PRODUCT}\w*)
        | (?<=IVIg\s){_D}\s*% | (?<=immunoglobulin\s){_D}\s*%
        | \b(?:pilocarpine|liquid)\s+{_D}\s*%""",
    ),
    (
        "fraction",
        rf"""(?:\bn\s*=\s*)?(?<![\w/.·])(?P<a>\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}})\s?/\s?
        (?P<b>\d{{1,3}}(?:,\d{{3}})+|\d{{1,5}})
        (?![\d/]|[.·,]\d|\s?(?:kg|m2|d\b|day|week|mo|min|h\b|mm))(?:\s+(?P<noun>{PEOPLE})\b)?""",
    ),
    (
        "fraction",
        rf"""\b(?P<a>all|both)\s+(?:of\s+)?(?:the\s+|our\s+|these\s+)?(?P<b>{COUNT})\s+
        (?:[\w-]+\s+)?(?:{PEOPLE})\b""",
    ),
    (
        "all",
        rf"""(?<!of\s)(?<!for\s)(?<!but\s)\ball(?:\s+of)?(?:\s+the|\s+our|\s+these)?\s+(?:{PEOPLE})\b
        | (?<!of\s)\ball(?=\s+(?:were|had|walked|improved|responded|recovered|showed)\b)
        | (?<=\bin\s)all\b(?=\s*[,.;)(])""",
    ),
    (
        "fraction",
        rf"""(?<![\w.·,/%-])(?P<a>{COUNT}|\ball\b|\bnone\b)(?:\s+(?:{PEOPLE}))?
        (?:\s*{_OPEN}(?P<pct>{DIGITS})\s*%{_CLOSE})?
        \s+(?:out\s+of|of|from)\s+(?:the\s+|these\s+|those\s+|all\s+|our\s+)?(?P<b>{COUNT})
        (?!\s*(?:%|{TIME_UNIT}\b))
        (?:\s+(?:[\w-]+\s+){{0,2}}?(?P<noun>{PEOPLE}|{_THINGS}|responders)\b)?""",
    ),
    (
        "mean_spread",
        rf"""(?P<v>{SIGNED})\s*%?\s*(?:±|\+\s?/\s?[-–−]|\+-)\s*(?P<s>{DIGITS})(?:\s*%)?
        (?:\s*\(?(?P<label>SD|SEM?)\b\)?)?""",
    ),
    (
        "spread",
        rf"""{_OPEN}(?:{_SPREAD}\s*[:=,]?\s*(?:±\s*)?|(?:±|\+/-)\s*)(?P<s>{DIGITS})\s*%?
        (?:{_CLOSE}|(?=\s*[;,]))""",
    ),
    ("spread", rf"""\s*,?\s+(?P<label>SD|SEM?|S\.D\.)\s*[:=,]?\s*(?P<s>{DIGITS})(?![\d%])"""),
    (
        "interval",
        rf"""[\[(]?\s*\b{_RANGE}\s*[:=,]?\s*(?:of\s+|from\s+|was\s+)?(?P<lo>{SIGNED})\s*%?{_BETWEEN}
        (?:max(?:imum)?\s*)?(?P<hi>{SIGNED})(?:\s*%)?(?:\s*(?:{TIME_UNIT}|points?|mm|cm))?\s*[\])]?""",
    ),
    (
        "interval",
        rf"""{_OPEN}(?P<lo>{SIGNED})\s*%?(?:{TO}|\s*[,;]\s*)(?P<hi>{SIGNED})\s*%?
        (?:\s*{TIME_UNIT})?{_CLOSE}""",
    ),
    ("n", r"\bn\s*=\s*(?P<v>\d{1,3}(?:,\d{3})+|\d+)(?![\d.]|\s*/)"),
    (
        "timepoint",
        r"""\b(?P<label>days?|weeks?|months?|years?)\s+(?P<v>\d+(?:\.\d+)?)
        (?:\s*(?:[-–]|to|and)\s*(?P<hi>\d+))?\b(?!\s*[%(]|[./]\d)""",
    ),
    (
        "timepoint",
        rf"""(?P<v>{COUNT})(?:th|st|nd|rd)?[\s-]+(?:consecutive\s+)?
        (?P<label>day|week|month|year)\b(?!s)""",
    ),
    ("percent", rf"(?P<v>{SIGNED}|{WORDS})\s*{_PERCENT}"),
    ("timepoint", rf"(?<![\d.·])(?P<v>{DIGITS}){TO}(?P<hi>{DIGITS})\s*(?P<label>{TIME_UNIT})\b"),
    ("timepoint", rf"(?P<v>{COUNT}|{DIGITS})\s+(?P<label>{TIME_UNIT})\b"),
    ("interval", rf"(?<![\w.·,/])(?P<lo>{DIGITS}){TO}(?P<hi>{DIGITS})(?![\w/])"),
    ("number", rf"(?P<v>(?<![\w/])(?:{SIGNED})(?![\w/]|[.·,]\d)|\b(?:both|none)\b|{COUNT})"),
)
