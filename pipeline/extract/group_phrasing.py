"""Phrasings in which a sentence names a group as the subject or the term of a comparison."""

from __future__ import annotations

import re

NAME = r"[A-Za-z][\w+/.'’-]{0,40}(?:\s[A-Za-z0-9][\w+/.'’-]{0,40}){0,4}?"
_WHO = r"(?:\s(?:patients|women|men|subjects|participants|eyes|cases|children|recipients))?"
#: A treatment that does something: "Latanoprost lowered the pressure more than timolol".
_SUBJECT = re.compile(
    rf"(?:^(?:[A-Z]{{6,}}:?\s+){{0,2}}|(?:[,;:]\s)?\b(?:whereas|while|but|and)\s|[,;:]\s)(?:[Tt]he\s)?(?P<n>{NAME}){_WHO}"
    r"\s(?:\w{3,15}ly\s)?(?:(?:reduced|lowered|increased|improved|decreased|prolonged|showed|had|produced|achieved"
    r"|caused|provided|yielded|prevented)(?!\s(?:in|by|from|after|to|with|at|than|for|during|on)\b)|resulted\sin|led\sto"
    r"|(?:was|were)\s(?:associated\swith|superior\sto|(?:more|less|equally|as)\s(?:effective|efficacious|potent)))"
)
#: Those with a treatment who had something: "Patients with a pump had a lower rate than".
_WHO_HAD = re.compile(
    rf"(?:^(?:[A-Z]{{6,}}:?\s+){{0,2}}|[;:]\s)(?:[Tt]hose|[Pp]atients|[Ww]omen|[Mm]en|[Ss]ubjects|[Pp]articipants|[Cc]hildren|[Ee]yes)"
    rf"\s(?:with|on|in|given|after)\s(?:the\s|an?\s)?(?P<n>{NAME})\s(?:had|showed|achieved|experienced|reported)\b(?=.*\b(?:than|compared)\b)"
)
#: The second of two subjects of one verb: "A lowered it by 8 mm Hg and B by 9".
_BY = re.compile(rf"\b(?:and|whereas|while|but)\s(?P<n>{NAME})\sby\s+(?=\d)")
_MORE = re.compile(
    rf"\b(?:[Mm]ore|[Ff]ewer)\s(?P<n>{NAME})\s(?:patients|women|men|subjects|participants|children)\b"
)
#: What a value is compared under: "was higher with A (12% v 30%)".
_COMPARED = re.compile(
    rf"\b(?:favou?red\s(?:the\s)?(?P<f>{NAME})\s?[(\[][^()\[\]]{{0,40}}\d\s?%?\s(?:v|vs\.?|versus)\s|(?:higher|lower|more|less|fewer|greater|better|worse|longer|shorter|superior|inferior|reduced|increased)\b"
    rf"[^.;()\d]{{0,60}}\b(?:with|after|on|receiving)\s(?:the\s)?(?P<n>{NAME})\s?[(\[][^()\[\]]{{0,60}}\d\s?%?\s(?:v|vs\.?|versus)\s)",
    re.I,
)
#: Two treatments that are alike: "A and B were comparable with respect to survival".
_ALIKE = re.compile(
    rf"(?:^(?:[A-Z]{{6,}}:?\s+){{0,2}}|[;:]\s)(?:Both\s)?(?:[Tt]he\s)?(?P<n>{NAME})\sand\s(?:the\s)?(?P<o>{NAME})\s"
    r"(?:(?:was|were)\s(?:\w{3,15}ly\s)?(?:(?:comparable|similar|equivalent|equal|alike|effective)"
    r"\s(?:with\srespect|in\sterms|in\s|for\s|with\sregard|to\seach)|rated\b(?=.*\brespectively))"
    r"|(?:showed|required|achieved|produced|yielded|reduced|lowered|increased|improved|resulted\sin|led\sto)\s(?=.*\brespectively))"
)

#: The patterns whose named groups are groups of patients.
SUBJECTS = (_SUBJECT, _WHO_HAD, _BY, _MORE, _COMPARED, _ALIKE)
