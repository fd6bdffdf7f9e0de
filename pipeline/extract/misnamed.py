"""Says when the words that would name a row of results are not what its numbers measure."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import lexicon
from pipeline.extract.measurements import Measurement
from pipeline.extract.naming import Name
from pipeline.extract.no_names import says_nothing
from pipeline.extract.numbers import COUNT

#: How far before a name the words are read.
_REACH = 60
#: Whom a name tells of: "patients without a block (8 of 13)", "those who had finished".
_OF_WHOM = re.compile(
    rf"\b(?:{PEOPLE}|those|ones)\s+(?:with(?:out)?|who|whose|in\s+whom)\s+(?:(?!had\b)[\w'’-]+\s+){{0,3}}$",
    re.IGNORECASE,
)
#: A group that is called by what befell it: "eight of the 12 completers".
_OF_GROUP = re.compile(
    r"\b(?:of|among|in)\s+(?:the\s+|these\s+|our\s+|all\s+)?(?:[\w-]+\s+){0,2}$", re.IGNORECASE
)
_GROUP = re.compile(r"(?:non-?)?(?:respond|complet|surviv)(?:ers|ors)\b", re.IGNORECASE)
#: What a name is only set against: "a better yield than serological markers (82% v 44%)".
_SET_AGAINST = re.compile(
    r"\b(?:compared\s+(?:to|with)|than|versus|vs\.?|relative\s+to)\s+(?:the\s+|in\s+|that\s+of\s+)?$",
    re.IGNORECASE,
)
#: A clause of its own between a number and the name behind it.
_ANOTHER_CLAUSE = re.compile(
    r"\b(?:when|if|whereas|while|because|although|once|after\s+which|who\s+(?:had|were\s+still))\b|;|,\s*but\b",
    re.IGNORECASE,
)
#: A number that begins a clause, and what makes one of it.
_CLAUSE = re.compile(
    r"(?:;|,\s*(?:and|whereas|while|but)|\b(?:and|whereas|while|but))\s+$", re.IGNORECASE
)
_VERB = re.compile(
    rf"\s*(?:[(\[]\s*[\d.·]+\s?%\s*[)\]]\s*)?(?:(?:other\s+)?(?:{PEOPLE})\b(?!\s+(?:at|after|by|in|on)\b)|had\b|were\b|was\b|did\b|went\b|could\b|needed\b"
    r"|became\b|[a-z]{3,12}ed\b)",
    re.IGNORECASE,
)
#: What those did, or had, whom a number behind a comma counts: ", two having mild deficits".
_OF_ITS_OWN = re.compile(
    rf"\s*(?:having\b|(?:{PEOPLE})\s+(?:entered|withdrew|left|stopped|had|needed|required|developed)\b)",
    re.IGNORECASE,
)
#: What of an instrument is timed, and not its value: "onset of recovery of muscle power".
_TIMED = re.compile(
    r"\b(?:onset|recovery|start|beginning)\s+of\s+(?:[\w-]+\s+){0,3}$", re.IGNORECASE
)
#: What is called an adverse event as such.
_ADVERSE = re.compile(r"adverse|side|event|reaction|\bS?AEs?\b", re.IGNORECASE)
#: Kinds of adverse events behind their name: "adverse events were rash in 3, fever in 5".
_KINDS = re.compile(
    r"\s*(?:,|:|\b(?:were|was|included|comprised|consisted\s+of)\s+(?!(?:\w+ly\s+)?(?:seen|reported|noted|observed"
    r"|recorded|found|more|less|mild|similar|infrequent|frequent|rare|common|in|on|for|not)\b)[a-z])",
    re.IGNORECASE,
)
#: What was had, or a number of others with a verb of their own, before the name of a later clause.
_LATER_CLAUSE = re.compile(
    rf"[\s)\]]*(?:(?:{PEOPLE})\s+)?(?:had|showed|developed|experienced|reported)\b[^,;]{{1,80}},"
    rf"|\b(?:were|was|had|did)\b[^,;]{{1,60}}\band\s+{COUNT}\s+(?:[(\[]|(?:{PEOPLE})\b)",
    re.IGNORECASE,
)
#: "(94%) and remission in ... (44%)": the name of the number that follows.
_NEXT_NAME = re.compile(r"[%\s)\]]*\band\s+(?:the\s+)?", re.IGNORECASE)
_NUMBER_FOLLOWS = re.compile(r"[^.;]{0,100}?\d")
#: A clause with a subject and a verb of its own behind the name: ", and the titres fell by 35%".
_OWN_VERB = re.compile(
    r",\s*and\s+(?:[\w-]+\s+){1,4}?(?:decreased|increased|fell|rose|dropped|declined|averaged|ranged)\b[^;]{0,60}$",
    re.IGNORECASE,
)
#: "3 of the 4 patients with antibodies had a tremor", "women seen in winter (n = 14) were ...".
_PEOPLE_WITH = re.compile(
    rf"[\s)\]]*(?:[\w-]+\s+)?(?:(?:(?:{PEOPLE})|cases)\s+)?with\s+(?:[\w-]+\s+){{0,2}}$",
    re.IGNORECASE,
)
_DID = re.compile(r"\s+(?:[a-z]+ly\s+)?(?:had|have|did|was|were|[a-z]{3,12}ed)\b", re.IGNORECASE)
_PEOPLE_IN = re.compile(
    rf"\b(?:(?:{PEOPLE})|cases)\s+[a-z]{{2,12}}(?:ed|en)\s+(?:in|at|on|to|from|during)\s+(?:[\w-]+\s+){{0,2}}$",
    re.IGNORECASE,
)
#: Whom a name is said of: "one MMN and two CIDP patients".
_ADJECTIVE = re.compile(
    rf"\s+(?:(?:{PEOPLE})\b|and\s+{COUNT}\s+[\w-]+\s+(?:{PEOPLE})\b)", re.IGNORECASE
)
#: What became of a dose, and not of a patient: "the dose had increased in 2 patients".
_DOSED = re.compile(
    r"\b(?:doses?|dosages?|infusion\s+intervals?)\s+(?:(?:had|has|have|was|were|been|be|could)\s+){0,3}"
    r"(?:increased?|decreased?|reduced?|raised|lowered|unchanged|remained|stayed)\b[^.;]{0,90}$",
    re.IGNORECASE,
)
#: "Strength-duration", not "pain-free": a word of a compound.
_COMPOUND = re.compile(r"[-‐–](?!free\b|related\b|associated\b)[a-z]{3,}", re.IGNORECASE)
#: What was done with patients: "treated with the completion of five cycles".
_BY = re.compile(r"\bwith\s+(?:the\s+)?$", re.IGNORECASE)
#: How an illness runs by itself: "progression to the nadir".
_NADIR = re.compile(
    r"\s+(?:to|towards?|until|up\s+to)\s+(?:the\s+|its\s+|their\s+)?(?:maxim|nadir|peak|plateau|worst)",
    re.IGNORECASE,
)
#: How old somebody is, or was when ill.
_AGED = re.compile(r"\bages?\b(?:\s+at\s+(?:[\w-]+\s+){0,2}\w+)?[^.;,%\d]{0,12}$", re.IGNORECASE)


def is_misnamed(text: str, start: int, lead: Measurement, name: Name) -> bool:
    """Return whether a row's name belongs to something else than its numbers.

    Parameters
    ----------
    text : str
        The record's text.
    start : int
        Where the sentence starts.
    lead : Measurement
        The first of the row's measurements.
    name : Name
        The name found for it.
    """
    before = text[max(start, name.span[0] - _REACH) : name.span[0]]
    if name.is_open and (says_nothing(name.measure, is_open=True) or _is_treatment(name.measure)):
        return True
    if lead.kind in ("number", "time") and _AGED.search(
        text[max(start, lead.start - 40) : lead.start]
    ):
        return True
    if _SET_AGAINST.search(before):
        return True
    if name.is_open and (_ADJECTIVE.match(text, name.span[1]) or _is_disease(text, lead, name)):
        return True
    if is_compound(text, name.span) or (name.measure == "completion" and _BY.search(before)):
        return True
    if name.direction is not None and _DOSED.search(
        text[max(start, lead.start - 140) : max(lead.start, name.span[0])]
    ):
        return True
    if name.measure.endswith("worse") and _is_course(text, name.span[1]):
        return True
    if _GROUP.search(text, *name.span) and _OF_GROUP.search(before):
        return True
    if name.span[0] >= lead.end:
        return _is_another_behind(text, lead, name)
    return name.span[1] <= lead.start and _is_another_before(text, start, lead, name)


def _is_another_behind(text: str, lead: Measurement, name: Name) -> bool:
    """Whether a name behind its numbers belongs to something else."""
    gap = text[lead.end : name.span[0]]
    listed = not name.is_open and ("," in gap if name.direction is None else gap[:1] == ",")
    return listed or bool(_ANOTHER_CLAUSE.search(gap)) or _is_of_next(text, lead, name)


def _is_another_before(text: str, start: int, lead: Measurement, name: Name) -> bool:
    """Whether a name before its numbers belongs to something else."""
    before = text[max(start, name.span[0] - _REACH) : name.span[0]]
    return (
        bool(_OF_WHOM.search(before))
        or (name.is_open and bool(_PEOPLE_IN.search(before)))
        or (lead.kind == "percent" and bool(_OWN_VERB.search(text[name.span[1] : lead.start])))
        or _is_of_a_clause_before(text, start, lead)
        or (lead.kind in ("number", "time") and bool(_TIMED.search(before)))
        or (name.measure == "adverse events" and _is_of_a_kind(text, lead, name))
    )


def is_compound(text: str, span: tuple[int, int]) -> bool:
    """Whether a word is the first of a compound, which names another thing: "strength-duration"."""
    return _COMPOUND.match(text, span[1]) is not None


def _is_disease(text: str, lead: Measurement, name: Name) -> bool:
    """Whether a name is the disease that those have who are counted: "two patients with lupus"."""
    gap = text[lead.end : name.span[0]]
    return bool(_PEOPLE_WITH.fullmatch(gap)) and bool(lexicon("diseases").find(name.measure))


def _is_course(text: str, at: int) -> bool:
    """Whether words behind a worsening say that it is how the illness runs: "to its nadir"."""
    return _NADIR.match(text, at) is not None


def _is_of_next(text: str, lead: Measurement, name: Name) -> bool:
    """Whether a name behind a number is another's, or says only who was counted."""
    gap = text[lead.end : name.span[0]]
    if lead.kind in ("count", "percent"):
        joined = _NEXT_NAME.fullmatch(gap) and _NUMBER_FOLLOWS.match(text, name.span[1])
        if joined or _LATER_CLAUSE.search(gap):
            return True
    whom = name.direction is None and _PEOPLE_WITH.fullmatch(gap)
    return bool(whom) and _DID.match(text, name.span[1]) is not None


def _is_of_a_clause_before(text: str, start: int, lead: Measurement) -> bool:
    """Whether a count begins a clause of its own, behind the one that holds the name."""
    if lead.kind not in ("count", "percent"):
        return False
    before = text[max(start, lead.start - 12) : lead.start]
    if _CLAUSE.search(before) and _VERB.match(text, lead.end):
        return True
    return before.endswith(", ") and _OF_ITS_OWN.match(text, lead.end) is not None


def _is_of_a_kind(text: str, lead: Measurement, name: Name) -> bool:
    """Whether a count behind "adverse events" is of one kind of them."""
    return _KINDS.match(text, name.span[1], lead.start) is not None


def _is_treatment(measure: str) -> bool:
    """Whether a row would be named by a listed treatment and nothing else."""
    found = lexicon("treatments").find(measure)
    return bool(found) and len(measure) - (found[-1].end - found[0].start) <= 1


def kind_of(text: str, name: Name) -> Name:
    """Return an adverse event by its own name: "headache" is one kind of them."""
    called = text[slice(*name.span)]
    if name.measure != "adverse events" or _ADVERSE.search(called):
        return name
    return replace(name, measure=called.lower())
