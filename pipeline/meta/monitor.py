"""Trial sequential analysis of a table: whether enough is known, as studies were added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from pipeline.config import ModelSpec
from pipeline.effects.formulas import Array
from pipeline.errors import PoolError
from pipeline.meta.result import Table
from pipeline.meta.studies import Studies
from pipeline.pool.robustness import cumul
from pipeline.pool.sequential import (
    TREATED_RISK,
    binary_size,
    diversity,
    monitored,
    required_size,
)


@dataclass(frozen=True, slots=True)
class Target:
    """The smallest effect that matters, as printed (a ratio or a difference), and what it takes.

    `risk` is that of the control arms and `sd` that of a patient: None takes those of the data.
    """

    mid: float
    risk: float | None = None
    sd: float | None = None
    power: float = 0.9


def monitor(
    studies: Studies, used: Sequence[int], order: Sequence[int], spec: ModelSpec, target: Target
) -> Table:
    """Return the table of a trial sequential analysis.

    Parameters
    ----------
    studies : Studies
        Of RR, OR, RD or MD.
    used, order : sequence of int
        The rows of the model, and their positions in the order in which they are added.
    spec : ModelSpec
        1 - `level` is the error that is spent, half on each side.
    target : Target

    Returns
    -------
    dict
        `required` patients of one trial, the `diversity` D2 of the pool, `adjusted` patients that
        a pool needs, `looks` with their boundaries, `crossed`, `reached`, and `assumptions`.

    Raises
    ------
    PoolError
        If the measure has no required size here, or patients are not counted.
    """
    sizes = studies.sizes(used)
    if sizes is None:
        raise PoolError("A sequential analysis needs the patients of each study (n1i, n2i or ni).")
    columns = {name: values[list(used)] for name, values in studies.columns.items()}
    required, assumed = _required(studies.measure, columns, spec, target)
    yi, vi = studies.yi[list(used)], studies.vi[list(used)]
    d2 = _diversity(yi, vi, spec)
    adjusted = required / (1 - d2)
    refits = cumul(yi, vi, spec, order)
    n = np.cumsum(sizes[list(order)])
    rows = [(r.k, float(x), r.estimate, r.se) for r, x in zip(refits, n, strict=True)]
    looks = monitored(rows, adjusted, alpha=1 - spec.level)
    names = studies.names(used)
    return {
        "required": required,
        "diversity": d2,
        "adjusted": adjusted,
        "crossed": any(look.crossed for look in looks),
        "reached": bool(looks[-1].timing >= 1),
        "assumptions": assumed,
        "looks": [{"slab": names[i], **asdict(look)} for i, look in zip(order, looks, strict=True)],
    }


def _diversity(yi: Array, vi: Array, spec: ModelSpec) -> float:
    """D2 of the pool, with normal variances."""
    models = [spec.model_copy(update={"method": m, "test": "z"}) for m in ("EE", spec.method)]
    equal, random = (cumul(yi, vi, model)[-1].se ** 2 for model in models)
    return diversity(equal, random)


def _required(
    measure: str, columns: Mapping[str, Array], spec: ModelSpec, target: Target
) -> tuple[int, list[str]]:
    """Patients of a single trial, and what they rest on."""
    alpha, power = 1 - spec.level, target.power
    said = [f"error {alpha:.3g}, two-sided, spent as by O'Brien and Fleming"]
    said += [f"power {power:g}", f"smallest {measure} that matters: {target.mid:g}"]
    if measure == "MD":
        sd = target.sd or _patients_sd(columns)
        said.append(f"SD {sd:.3g} ({'as given' if target.sd else 'that of the studies, pooled'})")
        return required_size(sd**2, target.mid, alpha=alpha, power=power), said
    if measure not in TREATED_RISK:
        known = ", ".join([*TREATED_RISK, "MD"])
        raise PoolError(f"No required size for {measure}; must be one of {known}.")
    risk = target.risk or float(columns["ci"].sum() / _controls(columns).sum())
    said.append(f"risk {risk:.3g} ({'as given' if target.risk else 'that of the control arms'})")
    treated = TREATED_RISK[measure](risk, target.mid)
    return binary_size(risk, treated, alpha=alpha, power=power), said


def _controls(columns: Mapping[str, Array]) -> Array:
    """The patients of the control arms."""
    return columns["n2i"] if "n2i" in columns else columns["ci"] + columns["di"]


def _patients_sd(columns: Mapping[str, Array]) -> float:
    """The SD within the arms of all studies."""
    df = [columns[f"n{i}i"] - 1 for i in (1, 2)]
    squares = sum(d * columns[f"sd{i}i"] ** 2 for i, d in zip((1, 2), df, strict=True))
    return float(np.sqrt(np.sum(squares) / np.sum(df)))
