"""Finds the arms of a study, their roles, their sizes, and every place that names them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.extract import open_arms, open_sizes
from pipeline.extract.anchors import anchors
from pipeline.extract.arm_sizes import (
    COMPARATIVE,
    ArmSpan,
    count_after,
    count_before,
    parts_of,
    sized,
)
from pipeline.extract.design import SECONDARY
from pipeline.extract.extensions import need
from pipeline.extract.grammar import PEOPLE
from pipeline.extract.lexicon import Term, lexicon
from pipeline.extract.numbers import COUNT, DIGITS, parse_count
from pipeline.extract.places import matches
from pipeline.extract.population import Count

Span = tuple[int, int]

#: A parallel trial has more patients than this.
FEWEST = 6
_VERSUS = (
    r"(?:vs\.?|versus|v\.?|against|or|compared\s+(?:with|to)|with|and|than|followed by|over|to)"
)
_GROUP_OF_DOSE = re.compile(
    rf"(?P<v>{DIGITS})[\s-]*(?P<u>g/kg|gm/kg|mg/kg|mg|g|days?)\s+(?:dose\s+)?(?:groups?|arms?|regimens?)\b",
    re.I,
)
_ABBREVIATED = re.compile(
    rf"[(](?P<a>[A-Za-z][A-Za-z-]{{1,8}})[)]\s*,?\s*{_VERSUS}\s+(?:[\w-]+\s+){{0,4}}?[(](?P<b>[A-Za-z][A-Za-z-]{{1,8}})[)]"
)
_GROUP_IN_LIST = re.compile(
    rf"(?P<n>{COUNT})\s+(?:{PEOPLE})\s+(?:(?:had|received|were\s+given|were\s+assigned\s+to)\s+)?"
    r"(?:an?\s+|the\s+)?(?P<name>[A-Za-z][\w -]{3,40}?)(?=\s*[(,.;]|\s+and\b)",
    re.IGNORECASE,
)
_BOTH = re.compile(
    r"\b(?:given|receiving|received|had|having|on)\s+both\b|\bcombined\s+(?:treatments?|therapy|group)\b",
    re.I,
)
#: What the intervention is to patients who are given another: "rituximab in IVIg-dependent CIDP".
_DEPENDENT = re.compile(
    r"[\s-](?:dependen\w+|refractory|resistant|na[iï]ve|non-?respon\w+)\b", re.IGNORECASE
)
_CASE_CONTROL = re.compile(r"\bcase-control\b", re.IGNORECASE)
_WITHDRAWAL = re.compile(r"\bwithdraw(?:al|ing)\b|\bdiscontinu(?:ation|ing)\b", re.I)


@Language.component(
    "evipool_arms",
    requires=[
        "doc._.record",
        "doc._.source",
        "doc._.sentences",
        "doc._.interventions",
        "doc._.quantities",
        "doc._.population",
        "doc._.design",
    ],
    assigns=["doc._.arms", "doc._.population"],
)
def arms(doc: Doc) -> Doc:
    """Set `doc._.arms`; their sum corrects a total that was one of them."""
    need(doc, "evipool_arms")
    found = _find(doc)
    of_any = len(found) > 1 and (not doc._.interventions or any(a.kind == "open" for a in found))
    if of_any:
        found = open_sizes.sized(doc, found)
        whole = open_sizes.whole(doc, found)
    else:
        whole = parts_of(doc, found)
    population = doc._.population
    if whole is not None:
        doc._.population = replace(population, total=whole, enrolled=None)
    elif _too_few(doc):
        doc._.population = replace(population, total=None)
    if not of_any:
        found = list(sized(doc, found))
    doc._.arms = tuple(found)
    return doc


def _too_few(doc: Doc) -> bool:
    """Whether a parallel trial's total can only be the number of some of its patients."""
    total: Count | None = doc._.population.total
    return doc._.design.design == "rct_parallel" and total is not None and total.n < FEWEST


def _find(doc: Doc) -> list[ArmSpan]:
    """Return the arms without their sizes; none for a review, a guideline or a protocol."""
    design = doc._.design.design
    if design in SECONDARY:
        return []
    if not doc._.interventions:
        return _open(doc)
    if design in COMPARATIVE:
        finders = (_withdrawal, _by_dose, _variants, _versus, _by_sum)
        found = next((found for find in finders if len(found := find(doc)) > 1), None)
        return found or _beside(doc) or _single(doc)
    listed = _listed(doc)
    return listed if len(listed) > 1 else _single(doc)


def _open(doc: Doc) -> list[ArmSpan]:
    """The arms where the intervention under review is not named: of whatever treatments.

    A study that is not said to compare needs more evidence of its arms.
    """
    text, sentences, design = doc._.source, doc._.sentences, doc._.design.design
    if design not in COMPARATIVE or _CASE_CONTROL.search(text):
        arms = open_arms.find(text, sentences, least=open_arms.STRONG)
        return [] if design == "case_report" else arms or _single(doc)
    doses = _by_dose(doc)
    return doses if len(doses) > 1 else open_arms.find(text, sentences) or _by_sum(doc)


def _beside(doc: Doc) -> list[ArmSpan]:
    """The intervention under review and what no list of treatments knows, as the text has them."""
    found = open_arms.find(doc._.source, doc._.sentences)
    own = [(t.start, t.end) for t in doc._.interventions]
    names = [any(a < d and c < b for a, b in arm.mentions for c, d in own) for arm in found]
    return found if len(found) > 1 and any(names) and not all(names) else []


def _single(doc: Doc) -> list[ArmSpan]:
    """The one arm of an uncontrolled study: the intervention, else the first treatment named."""
    title = doc._.record.title
    active = [t for t in lexicon("treatments").find(title) if t.entry["class"] == "active"][:1]
    named = [t for t in doc._.interventions if t.start < len(title)]
    left = active and named and all(_DEPENDENT.match(title, t.end) for t in named)
    terms: list[Term] = active if left else list(doc._.interventions) or active
    return [_arm(doc, [_short(terms)], "intervention", "intervention", terms)] if terms else []


def _arm(doc: Doc, first: list[Term], role: str, kind: str, mentions: Iterable[Term]) -> ArmSpan:
    """Build an arm that is named by treatment terms."""
    term = first[0]
    label = doc._.source[term.start : term.end]
    spans = tuple((t.start, t.end) for t in mentions)
    return ArmSpan(label, role, kind, term.name, (term.start, term.end), spans)


def _versus(doc: Doc) -> list[ArmSpan]:
    """The intervention and what it is compared with."""
    own: tuple[Term, ...] = doc._.interventions
    others = lexicon("treatments").find(doc._.source)
    names = _compared(doc, own, others)
    if not names:
        return []
    found = []
    if own:
        found.append(_arm(doc, [_short(own)], "intervention", "intervention", own))
    for i, name in enumerate(names):
        terms = [t for t in others if t.name == name]
        kind = str(terms[0].entry["class"])
        role = "comparator" if own or i else "intervention"
        found.append(_arm(doc, [_short(terms)], role, kind, terms))
    return [*found, *_combined(doc, found)]


def _combined(doc: Doc, pair: list[ArmSpan]) -> list[ArmSpan]:
    """The arm that had both treatments of a parallel trial: "1.1 (1.4) in the 128 given both"."""
    found = [m.span() for m in _BOTH.finditer(doc._.source)]
    if len(pair) != 2 or not found or doc._.design.design == "rct_crossover":
        return []
    label = f"{pair[1].label}+{pair[0].label}"
    return [ArmSpan(label, "intervention", "combined", label, found[-1], tuple(found))]


def _short(terms: Iterable[Term]) -> Term:
    """The mention that the text uses most for an arm; the first of these."""
    listed = list(terms)
    lengths = [t.end - t.start for t in listed]
    return max(listed, key=lambda t: (lengths.count(t.end - t.start), -t.start))


def _compared(doc: Doc, own: tuple[Term, ...], others: list[Term]) -> list[str]:
    """Names of the treatments that the text sets against the intervention."""
    scores: dict[str, int] = {}
    title_end = len(doc._.record.title)
    for term in others:
        gain = 1 + (4 if term.start < title_end else 0)
        gain += 4 if any(_joined(doc._.source, term, mine) for mine in own) else 0
        gain += 3 if term.entry["class"] == "placebo" else 0
        scores[term.name] = scores.get(term.name, 0) + gain
    if not own:
        both = [n for n, s in scores.items() if s >= 3]
        return both if len(both) > 1 else []
    strong = {n: s for n, s in scores.items() if s >= 5}
    if "placebo" in strong:
        return ["placebo"]
    return sorted(strong, key=lambda n: -strong[n])[:2]


def _joined(text: str, one: Term, other: Term) -> bool:
    """Whether two treatments stand side by side as alternatives: "A or B", "A versus B"."""
    first, second = sorted((one, other), key=lambda t: t.start)
    gap = text[first.end : second.start]
    return (
        len(gap) < 90
        and "." not in gap
        and bool(re.search(rf"(?:^|[\s),;]){_VERSUS}\s[^.;]{{0,45}}$", gap, re.I))
    )


def _withdrawal(doc: Doc) -> list[ArmSpan]:
    """Withdrawal against continuation: the roles are reversed, stopping is what is tried."""
    title = doc._.record.title
    if not (doc._.interventions and _WITHDRAWAL.search(title)):
        return []
    stop = [
        m.span()
        for m in re.finditer(r"\bwithdrawal\b|\bplacebo\b|\bdiscontinuation\b", doc._.source, re.I)
    ]
    go_on = [
        m.span()
        for m in re.finditer(r"\bcontinuation\b|\bcontinued\b|\bgo on with\b", doc._.source, re.I)
    ]
    if not go_on:
        return []
    return [
        ArmSpan("withdrawal", "intervention", "withdrawal", "placebo", stop[0], tuple(stop)),
        ArmSpan(
            "continuation",
            "comparator",
            "continuation",
            doc._.interventions[0].name,
            go_on[0],
            tuple(go_on),
        ),
    ]


def _variants(doc: Doc) -> list[ArmSpan]:
    """Two forms of the intervention: abbreviations side by side, two routes, or two brands."""
    pair = _ABBREVIATED.search(doc._.source)
    own = {doc._.source[t.start : t.end].lower() for t in doc._.interventions}
    if pair and {pair["a"].lower(), pair["b"].lower()} <= own:
        return [
            _named(doc, pair[g], pair.span(g), role, "route")
            for g, role in (("a", "intervention"), ("b", "comparator"))
        ]
    if any(t.entry["class"] == "placebo" for t in lexicon("treatments").find(doc._.source)):
        return []
    return _two(doc, "routes", "route") or _two(doc, "brands", "brand")


def _two(doc: Doc, name: str, kind: str) -> list[ArmSpan]:
    """Two entries of a lexicon that the text compares; the newer (not IV) one is tried."""
    terms = [t for t in lexicon(name).find(doc._.source) if t.name not in ("PO", "IM")]
    names = list(dict.fromkeys(t.name for t in terms))
    joined = any(_joined(doc._.source, a, b) for a, b in pairwise(terms) if a.name != b.name)
    if len(names) != 2 or not joined:
        return []
    order = sorted(names, key=lambda n: n == "IV") if kind == "route" else names[::-1]
    groups = [[t for t in terms if t.name == n] for n in order]
    return [
        _arm(doc, [_short(g)], role, kind, g)
        for g, role in zip(groups, ("intervention", "comparator"), strict=True)
    ]


def _named(doc: Doc, label: str, span: Span, role: str, kind: str) -> ArmSpan:
    """An arm that is named by one word."""
    spans = tuple(m.span() for m in re.finditer(rf"(?<!\w){re.escape(label)}(?!\w)", doc._.source))
    return ArmSpan(label, role, kind, label, span, spans)


def _by_dose(doc: Doc) -> list[ArmSpan]:
    """Groups named by their dose or days: "the 1.0 g/kg group", "the 3 day group"."""
    seen: dict[str, re.Match[str]] = {}
    text: str = doc._.source
    for match in matches(_GROUP_OF_DOSE, text, anchors(text).numbers, len(text)):
        seen.setdefault(f"{match['v']} {match['u'].lower().rstrip('s')}", match)
    found: list[ArmSpan] = []
    for label, match in seen.items():
        unit = re.escape(match["u"].rstrip("s"))
        mentions = re.finditer(
            rf"(?<![\d.]){re.escape(match['v'])}[\s-]*{unit}s?\b", doc._.source, re.I
        )
        role = "intervention" if found else "comparator"
        found.append(
            ArmSpan(label, role, "dose", label, match.span(), tuple(m.span() for m in mentions))
        )
    return found


def _listed(doc: Doc) -> list[ArmSpan]:
    """Treatments of a series, each with its number of patients: "7 had steroids, 5 IVIg"."""
    terms = sorted(
        [*doc._.interventions, *lexicon("treatments").find(doc._.source)], key=lambda t: t.start
    )
    own = {t.name for t in doc._.interventions}
    found: dict[str, ArmSpan] = {}
    for term in terms:
        span = (term.start, term.end)
        count = count_before(doc._.source, span) or count_after(doc._.source, span)
        if term.name in found or count is None:
            continue
        role = "intervention" if term.name in own else "comparator"
        kind = "intervention" if term.name in own else str(term.entry["class"])
        arm = _arm(doc, [term], role, kind, [t for t in terms if t.name == term.name])
        found[term.name] = replace(arm, n=count)
    return (
        list(found.values())
        if {a.role for a in found.values()} == {"intervention", "comparator"}
        else []
    )


def _by_sum(doc: Doc) -> list[ArmSpan]:
    """Groups that a sentence lists with their sizes, which add up to the whole study."""
    total: Count | None = doc._.population.total
    for sentence in doc._.sentences:
        listed = list(_GROUP_IN_LIST.finditer(doc._.source, sentence.start, sentence.end))
        sizes = [parse_count(m["n"]) or 0 for m in listed]
        for k in range(len(listed) - 1):
            if total and sum(sizes[k:]) == total.n:
                pairs = zip(listed[k:], sizes[k:], strict=True)
                return [_group(m, n, i) for i, (m, n) in enumerate(pairs)]
    return []


def _group(match: re.Match[str], n: int, order: int) -> ArmSpan:
    """A group of a list; the first is what the others are compared with."""
    label, span = match["name"].strip(), match.span("name")
    role = "intervention" if order else "comparator"
    return ArmSpan(label, role, "dose", label, span, (span,), Count(n, match.span("n")))
