"""Says what follows from a study for each pool: an effect with its formula, or why none."""

from __future__ import annotations

from pipeline.answer.pooling import select
from pipeline.present import measure_view
from pipeline.report.data import MeasureView
from pipeline.report.plain import one_line, visible
from pipeline.report.wording import minus
from pipeline.schema import EffectSize, Study
from pipeline.workbench.desk import Desk


def derived_lines(desk: Desk, study: Study) -> tuple[dict[str, object], ...]:
    """Return what a study gives to each question: its data, effect and formula, or why nothing."""
    lines: list[dict[str, object]] = []
    for question in desk.config.questions:
        chosen = select(question, desk.config, [study])
        view = measure_view(question.measure)
        for effect in chosen.effects:
            lines.append(
                {
                    "question": question.id,
                    "data": "; ".join(f"{k} {minus(v)}" for k, v in effect.columns),
                    "effect": _formula(view, effect),
                    "notes": [*map(visible, effect.recovered), REVIEWED[effect.reviewed]],
                }
            )
        for refused in chosen.not_pooled:
            lines.append(
                {
                    "question": question.id,
                    "data": one_line(refused.printed, 200),
                    "effect": f"not pooled: {visible(refused.reason)}",
                    "notes": [],
                }
            )
    return tuple(lines)


#: What is said of an effect by whether it is reviewed.
REVIEWED = {
    True: "Every value it rests on is reviewed.",
    False: "It rests on values that nobody has reviewed.",
}
#: How each measure's effect follows from the data, in signs; the scale of analysis is `yi`.
FORMULAS = {
    "RR": "ln[(a/n₁) / (c/n₂)]",
    "OR": "ln[(a/b) / (c/d)]",
    "RD": "a/n₁ − c/n₂",
    "PETO": "(O − E) / V",
    "PR": "x/n",
    "PLN": "ln(x/n)",
    "PLO": "ln[x / (n − x)]",
    "PAS": "arcsin √(x/n)",
    "AS": "arcsin √(a/n₁) − arcsin √(c/n₂)",
    "MD": "m₁ − m₂",
    "SMD": "J · (m₁ − m₂) / pooled SD",
    "SMDH": "J · (m₁ − m₂) / √[(s₁² + s₂²) / 2]",
    "SMD1": "J · (m₁ − m₂) / s₂",
    "ROM": "ln(m₁/m₂)",
    "MC": "mean change",
    "ROMC": "ln(1 + change/100)",
    "SMCC": "J · t / √n",
    "HR": "ln(HR), SE from the interval",
    "GEN": "as printed, SE from the interval",
}


def _formula(view: MeasureView, effect: EffectSize) -> str:
    """An effect with its formula and standard error, on the scale of analysis."""
    formula = FORMULAS.get(effect.measure, "")
    said = f"y = {formula} = {effect.yi:.3f}" if formula else f"y = {effect.yi:.3f}"
    natural = f"; {effect.measure} = {view.natural(effect.yi):.2f}" if view.ratio else ""
    return minus_all(f"{said}; SE = √v = {effect.vi**0.5:.3f}{natural}")


def minus_all(text: str) -> str:
    """A text with real minus signs before digits."""
    return text.replace("= -", "= −")
