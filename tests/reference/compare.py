"""Compares everything that pools with metafor's output: python tests/reference/compare.py FOLDER.

FOLDER holds published data sets with what metafor 5.0-1 computes of them (../shared/data/meta). The
table that is printed is docs/validation.md. A difference is measured against what it matters for:
estimates, errors and limits in standard errors of the typical study (or relative, where that is
more lenient), tau2 in typical variances, p values and shares as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.config import ModelSpec
from pipeline.effects.formulas import Rules, escalc
from pipeline.errors import PipelineError
from pipeline.meta import meta
from pipeline.metatable import design
from pipeline.pool import pool, regression, subgroups
from pipeline.schema import EffectSize

Case = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """A number of ours beside metafor's; `size` is their difference in the unit of its kind."""

    block: str
    model: str
    case: str
    what: str
    ours: float | None
    theirs: float
    size: float


#: What a block may differ by, and why not less.
TOLERANCES: Mapping[str, tuple[float, str]] = {
    "escalc": (1e-9, "closed form; 15 digits are printed"),
    "EE": (1e-9, "closed form"),
    "DL": (1e-9, "closed form"),
    "HE": (1e-9, "closed form"),
    "HS": (1e-9, "closed form"),
    "HSk": (1e-9, "closed form"),
    "SJ": (1e-9, "closed form"),
    "EB": (1e-8, "one equation, solved to 1e-13 by us, to 1e-12 by the reference"),
    "PM": (1e-8, "one equation, solved to 1e-13 by us, to 1e-12 by the reference"),
    "ML": (1e-6, "a maximum: the likelihood is flat to the square root of double precision"),
    "REML": (1e-6, "a maximum: the likelihood is flat to the square root of double precision"),
    "Q-profile": (1e-6, "a root, found to 1e-12 of the data's scale"),
    "regression": (1e-6, "as ML and REML; the closed forms agree to 1e-9"),
    "subgroups": (1e-6, "as REML"),
    "MH": (1e-9, "closed form"),
    "Peto": (1e-9, "closed form"),
}


def cases(folder: Path) -> Iterator[Case]:
    """Yield the reference cases."""
    for path in sorted(folder.glob("[a-z]*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


def table_of(case: Case) -> tuple[pd.DataFrame, Rules]:
    """Return a case's study data by metafor's columns, and its rules."""
    columns = dict(case["escalc"])
    vtype = columns.pop("vtype", "LS")
    rows = case["raw"]
    made = pd.DataFrame({argument: [r[c] for r in rows] for argument, c in columns.items()})
    return made, Rules(vtype=vtype)


def effects_of(case: Case, rows: Sequence[int] | None = None) -> list[EffectSize]:
    """Return metafor's own effect sizes, so that each block is compared on its own."""
    used = case["used"] if rows is None else rows
    return [EffectSize(str(i), str(i), case["measure"], case["yi"][i], case["vi"][i]) for i in used]


def effect_sizes(case: Case) -> Iterator[Difference]:
    """Effect sizes and variances from the study data."""
    made, rules = table_of(case)
    columns = {c: pd.to_numeric(made[c], errors="coerce").to_numpy(float) for c in made}
    yi, vi = escalc(case["measure"], columns, rules)
    for i in case["used"]:
        for what, ours, theirs in (("yi", yi[i], case["yi"][i]), ("vi", vi[i], case["vi"][i])):
            size = abs(ours - theirs) / max(abs(theirs), 1e-3)
            yield Difference("escalc", case["measure"], case["case"], what, ours, theirs, size)


#: Ours and metafor's names of what a fit gives, and the unit of a difference.
_FIT = (
    ("estimate", "beta", "error"),
    ("se", "se", "error"),
    ("ci_lb", "ci_lb", "error"),
    ("ci_ub", "ci_ub", "error"),
    ("pi_lb", "pi_lb", "error"),
    ("pi_ub", "pi_ub", "error"),
    ("pi_k2_lb", "pi_riley_lb", "error"),
    ("pi_k2_ub", "pi_riley_ub", "error"),
    ("pval", "pval", "share"),
)
_HETEROGENEITY = (
    ("tau2", "tau2", "variance"),
    ("q", "QE", "relative"),
    ("q_pval", "QEp", "share"),
    ("i2", "I2", "percent"),
    ("h2", "H2", "relative"),
)
#: Models of metafor's that are not ours: variants of PM, DL and SJ.
_NOT_OURS = ("PMM", "DLIT", "SJIT")


def fits(case: Case) -> Iterator[Difference]:
    """Every estimator of tau2 with every test, from the effect sizes."""
    effects = effects_of(case)
    if len(effects) < 2:
        return
    units = _units(effects)
    for method, fit in case["fits"].items():
        if method in _NOT_OURS or "error" in fit:
            continue
        for test in ("z", "t", "knha", "adhoc"):
            if test not in fit or "error" in fit[test]:
                continue
            pooled = pool(effects, ModelSpec.model_validate({"method": method, "test": test}))
            if pooled.test != test:
                continue
            for (ours, theirs, unit), block in _pairs(fit, test):
                value, other = getattr(pooled, ours), block[theirs]
                if _absent(other) or (len(effects) == 2 and ours.startswith("pi_k2")):
                    continue
                size = _size(value, other, unit, units)
                yield Difference(method, test, case["case"], ours, value, other, size)


def _pairs(fit: Case, test: str) -> Iterator[tuple[tuple[str, str, str], Case]]:
    """What to compare, with the part of the reference that has it."""
    yield from ((row, fit[test]) for row in _FIT)
    yield from ((row, fit) for row in _HETEROGENEITY)


def q_profiles(case: Case) -> Iterator[Difference]:
    """The Q-profile interval of tau2."""
    effects = effects_of(case)
    block = case.get("tau2_ci", {}).get("REML_QP", {})
    limits = block.get("tau2") or block.get("tau^2")
    if len(effects) < 2 or not limits:
        return
    pooled, units = pool(effects, ModelSpec()), _units(effects)
    for what, theirs in (("tau2_ci_lb", limits[1]), ("tau2_ci_ub", limits[2])):
        ours = getattr(pooled, what)
        size = _size(ours, theirs, "variance", units)
        yield Difference("Q-profile", "REML", case["case"], what, ours, theirs, size)


def regressions(case: Case) -> Iterator[Difference]:
    """Meta-regressions by every estimator and test."""
    table = pd.DataFrame(case["raw"])
    for formula, block in case.get("metareg", {}).items():
        mods = [term.strip() for term in formula.removeprefix("~").split("+")]
        names = [m.removeprefix("factor(").removesuffix(")") for m in mods]
        rows = [i for i in case["used"] if table[names].iloc[i].notna().all()]
        matrix, labels = design(table.iloc[rows], mods)
        effects = effects_of(case, rows)
        units = _units(effects)
        for key, fit in block.items():
            if not isinstance(fit, dict) or "error" in fit:
                continue
            method, test = key.split("_")
            spec = ModelSpec.model_validate({"method": method, "test": test})
            ours = regression(effects, matrix, labels, spec)
            where = f"{case['case']} {formula}"
            for j, coefficient in enumerate(ours.coefficients):
                for name, theirs in (("estimate", "beta"), ("se", "se"), ("ci_lb", "ci_lb")):
                    value, other = getattr(coefficient, name), fit[theirs][j]
                    size = abs(value - other) / max(fit["se"][j], abs(other))
                    yield Difference("regression", key, where, name, value, other, size)
            for name, theirs, unit in (
                ("tau2", "tau2", "variance"),
                ("i2", "I2_resid", "percent"),
                ("q", "QE", "relative"),
                ("qm", "QM", "relative"),
                ("qm_pval", "QMp", "share"),
                ("r2", "R2", "percent"),
            ):
                value, other = getattr(ours, name), fit[theirs]
                if value is None or _absent(other):
                    continue
                size = _size(value, other, unit, units)
                yield Difference("regression", key, where, name, value, other, size)


def groups(case: Case) -> Iterator[Difference]:
    """Subgroups with their own tau2, and the test between them."""
    block = case.get("subgroup")
    if not block:
        return
    variable = block["variable"]
    for method in ("EE", "DL", "REML"):
        wanted = block[method]
        between = wanted.get("Q_between_separate_tau2", {})
        effects = [
            EffectSize(e.record_id, e.slab, e.measure, e.yi, e.vi, subgroup=str(value))
            for e, i in zip(effects_of(case), case["used"], strict=True)
            if (value := case["raw"][i][variable]) is not None
        ]
        spec = ModelSpec.model_validate({"method": method, "test": "z"})
        found, test = subgroups(effects, spec)
        units = _units(effects)
        for group in found:
            other = wanted["separate"].get(group.label, {})
            if group.pooled is None or "beta" not in other:
                continue
            for ours, theirs, unit in (
                ("estimate", "beta", "error"),
                ("se", "se", "error"),
                ("tau2", "tau2", "variance"),
            ):
                value = getattr(group.pooled, ours)
                size = _size(value, other[theirs], unit, units)
                name = f"{group.label}: {ours}"
                yield Difference(
                    "subgroups", method, case["case"], name, value, other[theirs], size
                )
        if test is not None and "Q" in between:
            size = _size(test.q, between["Q"], "relative", units)
            yield Difference("subgroups", method, case["case"], "Q", test.q, between["Q"], size)


def counts(case: Case) -> Iterator[Difference]:
    """Mantel-Haenszel and Peto, from the tables."""
    made, _ = table_of(case)
    for key, other in {**case.get("twobytwo", {}), **case.get("rates", {})}.items():
        model, _, measure = key.partition("_")
        if model not in ("MH", "PETO") or measure not in ("OR", "RR", "RD", "IRR", ""):
            continue
        ours = meta(made, measure=measure or "PETO", method=model).pooled
        assert ours is not None, (case["case"], key)
        block = "Peto" if model == "PETO" else "MH"
        for name, theirs in (("estimate", "beta"), ("se", "se"), ("q", "QE"), ("i2", "I2")):
            value = getattr(ours, name)
            size = abs(value - other[theirs]) / max(abs(other[theirs]), 1.0)
            yield Difference(
                block, measure or "PETO", case["case"], name, value, other[theirs], size
            )


BLOCKS: tuple[Callable[[Case], Iterator[Difference]], ...] = (
    effect_sizes,
    fits,
    q_profiles,
    regressions,
    groups,
    counts,
)


def differences(case: Case) -> Iterator[Difference]:
    """Every number of a case that both compute."""
    for block in BLOCKS:
        yield from block(case)


def _units(effects: Sequence[EffectSize]) -> dict[str, float]:
    """What differences of a data set are measured in."""
    variance = float(np.mean([e.vi for e in effects]))
    return {"variance": variance, "error": variance**0.5, "percent": 100.0, "share": 1.0}


def _size(ours: float | None, theirs: float, unit: str, units: Mapping[str, float]) -> float:
    """A difference in its unit; infinite where we have no number."""
    if ours is None:
        return float("inf")
    if unit == "relative":
        return abs(ours - theirs) / max(abs(theirs), 1.0)
    against = max(units[unit], abs(theirs)) if unit == "error" else units[unit]
    return abs(ours - theirs) / against


def _absent(value: object) -> bool:
    """Whether the reference has no number."""
    return value is None or value == []


def summary(found: Sequence[Difference]) -> str:
    """The table of docs/validation.md: a row a block and model."""
    groups: dict[tuple[str, str], list[Difference]] = {}
    for one in found:
        groups.setdefault((one.block, one.model), []).append(one)
    lines = [
        "| what | model | data sets | numbers | largest difference | where | allowed |",
        "|---|---|---|---|---|---|---|",
    ]
    for (block, model), ones in groups.items():
        worst = max(ones, key=lambda d: d.size)
        sets = len({d.case for d in ones})
        lines.append(
            f"| {block} | {model} | {sets} | {len(ones)} | {worst.size:.1e} | "
            f"{worst.case}, {worst.what} | {TOLERANCES[block][0]:.0e} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    found = []
    for case in cases(args.folder):
        try:
            found += differences(case)
        except PipelineError as refused:
            print(f"{case['case']}: {refused}")
    print(summary(found))


if __name__ == "__main__":
    main()
