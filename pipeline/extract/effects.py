"""Tells effects between arms ("OR 1.56, 95% CI 0.53-4.53") from values of one arm."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipeline.extract.measurements import Measurement
from pipeline.extract.quantities import Quantity
from pipeline.extract.starts import Starts

Span = tuple[int, int]

_NAME = Starts(
    re.compile(
        r"""(?P<name>
      \b(?:(?:adjusted|crude|unadjusted)\s+)?(?:odds\s+ratio|hazard\s+ratio|risk\s+ratio|relative\s+risk(?!\s+(?:reduction|increase))
        |rate\s+ratio|risk\s+difference|standardi[sz]ed\s+mean\s+difference)
      | (?-i:\b(?:adjusted\s+)?a?(?:OR|HR|RR)\b|\bSMD\b|\bMD\b)
      | \b(?:(?:adjusted|mean|treatment|between-group|group|absolute|estimated|least-squares)\s+)
        {0,3}difference\b)
    (?:\s*[(\[][^)\]\d]{1,20}[)\]])?(?:[^\d.;%]|(?<=[A-Za-z])\d{1,9}){0,60}$""",
        re.IGNORECASE | re.VERBOSE,
    )
)
_CODES = (
    ("OR", re.compile(r"\bodds|OR\b", re.I)),
    ("HR", re.compile(r"hazard|HR\b", re.I)),
    ("RR", re.compile(r"risk ratio|relative risk|rate ratio|RR\b", re.I)),
    ("RD", re.compile(r"risk difference", re.I)),
    ("SMD", re.compile(r"standardi|SMD", re.I)),
    ("MD", re.compile(r"difference|MD\b", re.I)),
)
#: How far a second effect may stand behind the first, whose name it shares.
_NEXT = 40


@dataclass(frozen=True, slots=True)
class EffectSpan:
    """An effect as the authors computed it, with its interval."""

    code: str
    name: Span
    value: Quantity
    ci: Quantity | None

    @property
    def span(self) -> Span:
        """From the value to the end of its interval."""
        return self.value.start, max(self.value.end, self.ci.end if self.ci else 0)


def split(
    text: str, start: int, found: Sequence[Quantity], measured: Sequence[Measurement]
) -> tuple[list[EffectSpan], list[Measurement]]:
    """Return the effects among the measurements of a sentence, and the rest."""
    effects: list[EffectSpan] = []
    rest: list[Measurement] = []
    for m in measured:
        effect = _read(text, start, found, m, effects[-1] if effects else None)
        if effect is None:
            rest.append(m)
        else:
            effects.append(effect)
    return effects, rest


def _read(
    text: str, start: int, found: Sequence[Quantity], m: Measurement, last: EffectSpan | None
) -> EffectSpan | None:
    """Read a measurement as an effect if the name of one stands before it."""
    if m.value is None or m.events is not None or (m.spread is not None and m.ci is None):
        return None
    floor = max([start, *(q.end for q in found if q.end <= m.start)])
    match = _NAME.search(text, max(floor, m.start - 110), m.start)
    if match is None:
        near = last is not None and m.ci is not None and m.start - last.span[1] <= _NEXT
        return replace(last, value=m.value, ci=m.ci) if near and last is not None else None
    code = _code(match["name"], m)
    interval = m.ci or m.interval
    if code in ("MD", "RD", "SMD") and interval is None:
        return None
    return EffectSpan(code, match.span("name"), m.value, interval)


def _code(name: str, m: Measurement) -> str:
    """The effect's code; a difference in percent is a risk difference."""
    code = next(code for code, pattern in _CODES if pattern.search(name))
    if code == "MD" and "%" in (m.unit, m.value.label if m.value else ""):
        return "RD"
    adjusted = name.lower().startswith("adjusted") or name.startswith("a")
    return f"adjusted {code}" if adjusted and code in ("OR", "HR", "RR") else code
