"""What recovered and assumed numbers do to an estimate: it without them, and with others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.config import ModelSpec
from pipeline.meta.studies import Studies, of_studies
from pipeline.pool import pool
from pipeline.schema import EffectSize

#: Correlations of two measurements of a patient that stand in for an assumed one.
CORRELATIONS = (0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Variation:
    """An estimate under another assumption, None where fewer than two studies remain."""

    slab: str
    k: int
    estimate: float | None = None
    se: float | None = None
    ci_lb: float | None = None
    ci_ub: float | None = None
    pval: float | None = None
    tau2: float | None = None


def sensitivity(studies: Studies, used: Sequence[int], spec: ModelSpec) -> Iterator[Variation]:
    """Yield the estimate from printed numbers alone, then with other assumed correlations.

    Parameters
    ----------
    studies : Studies
        With numbers that were filled in.
    used : sequence of int
        The rows of the model.
    spec : ModelSpec
    """
    filled = studies.recovered_rows()
    if filled & set(used):
        printed = [i for i in used if i not in filled]
        yield _variation("printed numbers only", studies.effects(printed, None), spec)
    if any(one.column == "ri" for one in studies.filled):
        for ri in CORRELATIONS:
            varied = of_studies(studies.table, studies.measure, studies.rules, ri=ri)
            yield _variation(f"r = {ri:g}", varied.effects(used, None), spec)


def _variation(label: str, effects: Sequence[EffectSize], spec: ModelSpec) -> Variation:
    """A pool under its label."""
    if len(effects) < 2:
        return Variation(label, len(effects))
    p = pool(effects, spec)
    return Variation(label, p.k, p.estimate, p.se, p.ci_lb, p.ci_ub, p.pval, p.tau2)
