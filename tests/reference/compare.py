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

import anchors
import numpy as np
import pandas as pd

from pipeline.config import ModelSpec
from pipeline.effects.formulas import Rules, escalc
from pipeline.meta import meta
from pipeline.meta.moderators import design
from pipeline.pool import pool, regression, subgroups
from pipeline.pool.bias import regtest
from pipeline.pool.glmm import glmm
from pipeline.pool.influence import influence
from pipeline.pool.multilevel import three_level
from pipeline.pool.ranks import ranktest
from pipeline.pool.robust import robust
from pipeline.pool.robustness import cumul, leave1out
from pipeline.pool.trimfill import trimfill
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
    "shared tau2": (1e-6, "as regression"),
    "MH": (1e-9, "closed form"),
    "Peto": (1e-9, "closed form"),
    "leave-one-out": (1e-6, "as REML; DL agrees to 1e-11"),
    "cumulative": (1e-6, "as REML; DL agrees to 1e-11"),
    "influence": (1e-6, "as REML"),
    "Egger": (1e-8, "closed form; est_limit is an extrapolation"),
    "Begg": (1e-9, "exact, or a normal approximation"),
    "trim and fill": (1e-6, "closed forms of equal effects and DL"),
    "GLMM": (1e-3, "a maximum of integrals that lme4 approximates and stops at 1e-4 to 1e-3 of"),
    "three levels": (1e-6, "a maximum in two variances"),
    "robust": (1e-5, "closed form at a tau2 that is a maximum"),
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
        yield from _shared(case, method, effects, spec, wanted.get("common_tau2", {}))


def _shared(
    case: Case, method: str, effects: Sequence[EffectSize], spec: ModelSpec, wanted: Case
) -> Iterator[Difference]:
    """Subgroups that share their tau2."""
    if "beta" not in wanted:
        return
    found, test = subgroups(effects, spec, common_tau2=True)
    units, named = _units(effects), {group.label: group.pooled for group in found}
    where = case["case"]
    for label, beta, se in zip(wanted["levels"], wanted["beta"], wanted["se"], strict=True):
        own = named[str(label)]
        if own is not None:
            for ours, theirs in ((own.estimate, beta), (own.se, se)):
                size = _size(ours, theirs, "error", units)
                yield Difference("shared tau2", method, where, str(label), ours, theirs, size)
            size = _size(own.tau2, wanted["tau2"], "variance", units)
            yield Difference("shared tau2", method, where, "tau2", own.tau2, wanted["tau2"], size)
    if test is not None and "QM" in wanted:
        size = _size(test.q, wanted["QM"], "relative", units)
        yield Difference("shared tau2", method, where, "QM", test.q, wanted["QM"], size)


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


#: The columns of metafor's leave1out and cumul, and their units.
_REFIT = (
    ("estimate", "estimate", "error"),
    ("se", "se", "error"),
    ("ci_lb", "ci_lb", "error"),
    ("q", "Q", "relative"),
    ("tau2", "tau2", "variance"),
    ("i2", "I2", "percent"),
)


def refits(case: Case) -> Iterator[Difference]:
    """Leave-one-out and cumulative analyses, and the influence of each study."""
    effects = effects_of(case)
    blocks = case.get("sensitivity", {})
    if len(effects) < 3:
        return
    yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
    units = _units(effects)
    for key, block in blocks.items():
        kind, *model = key.split("_")
        if kind not in ("leave1out", "cumul") or "estimate" not in block:
            continue
        spec = ModelSpec.model_validate(dict(zip(("method", "test"), model, strict=True)))
        if kind == "cumul":
            order = [i - 1 for i in block["order"]]
            ours, name = cumul(yi, vi, spec, order), "cumulative"
        else:
            ours, name = leave1out(yi, vi, spec), "leave-one-out"
        for j, row in enumerate(ours):
            for what, theirs, unit in _REFIT:
                value, other = getattr(row, what), block[theirs][j]
                if _absent(other) or row.test != spec.test:
                    continue
                size = _size(value, other, unit, units)
                at = f"{case['case']} {j + 1}"
                yield Difference(name, "_".join(model), at, what, value, other, size)
    yield from _influences(case, yi, vi)


def _influences(case: Case, yi: np.ndarray, vi: np.ndarray) -> Iterator[Difference]:
    """metafor's influence, of REML with the normal test."""
    block = case["sensitivity"].get("influence_REML_z", {})
    if "rstudent" not in block:
        return
    rows = influence(yi, vi, ModelSpec(test="z"))
    for what in ("rstudent", "dffits", "cook_d", "cov_r", "hat"):
        for row, other in zip(rows, block[what], strict=True):
            value = getattr(row, what)
            if _absent(other) or value is None:
                continue
            size = abs(value - other) / max(abs(other), 1.0)
            yield Difference("influence", what, case["case"], what, value, other, size)


def small_studies(case: Case) -> Iterator[Difference]:
    """Tests and corrections for small-study effects that are closed forms."""
    effects, block = effects_of(case), case.get("bias", {})
    if len(effects) < 3:
        return
    made, rules = table_of(case)  # of poole2003 ties hang on the last bit, which no file holds
    columns = {c: pd.to_numeric(made[c], errors="coerce").to_numpy(float) for c in made}
    yi, vi = (x[case["used"]] for x in escalc(case["measure"], columns, rules))
    units = _units(effects)
    where = case["case"]
    for method in ("EE", "DL", "REML"):
        other = block.get(f"regtest_rma_{method}", {})
        spec = ModelSpec.model_validate({"method": method, "test": "z"})
        if "z" in other and other["z"] is not None:
            value = regtest(yi, vi, spec).stat
            size = abs(value - other["z"]) / max(abs(other["z"]), 1.0)
            yield Difference("Egger", method, where, "z", value, other["z"], size)
        fill = block.get(f"trimfill_L0_{method}", {})
        if method != "REML" and "beta" in fill:
            made = trimfill(yi, vi, spec)
            for value, theirs in ((made.estimate, fill["beta"]), (made.se, fill["se"])):
                size = _size(value, theirs, "error", units)
                yield Difference("trim and fill", method, where, "L0", value, theirs, size)
    other = block.get("ranktest", {})
    if other.get("tau") is not None and "lloyd" not in where:  # there R ties rounding noise
        value = ranktest(yi, vi).tau
        yield Difference(
            "Begg", "tau", where, "tau", value, other["tau"], abs(value - other["tau"])
        )


#: GLMMs for which lme4's own numbers are settled; tests/pool/test_glmm.py has the rest.
_MIXED = ("PLO_EE", "PLO_ML", "OR_UM.FS_EE", "OR_UM.FS_ML", "OR_CM.AL_EE", "OR_CM.AL_ML")


def mixed_models(case: Case) -> Iterator[Difference]:
    """GLMMs of counts."""
    made, _ = table_of(case)
    columns = {c: pd.to_numeric(made[c], errors="coerce").to_numpy(float) for c in made}
    if "xi" in columns and "ni" in columns:
        columns["mi"] = columns["ni"] - columns["xi"]
    for key, other in {**case.get("twobytwo", {}), **case.get("proportion", {})}.items():
        name = key.removeprefix("GLMM_")
        if name not in _MIXED or "error" in other:
            continue
        measure, *model, method = name.split("_")
        options = {"model": model[0]} if model else {}
        ours = glmm(columns, measure, method=method, **options).pooled
        for what, theirs in (("estimate", "beta"), ("se", "se"), ("tau2", "tau2")):
            value = getattr(ours, what)
            size = abs(value - other[theirs])
            yield Difference("GLMM", name, case["case"], what, value, other[theirs], size)


def levels(case: Case) -> Iterator[Difference]:
    """Three-level models and cluster-robust errors; the clusters are metadat's."""
    clusters = {"konstantopoulos2011_3level": "district", "curtis1998_rom": "paper"}
    column = clusters.get(case["case"])
    block = case.get("multilevel", {}).get("rma_mv_3level_REML_t")
    if column is None or block is None:
        return
    effects = effects_of(case)
    yi, vi = np.array([e.yi for e in effects]), np.array([e.vi for e in effects])
    groups = [str(case["raw"][i][column]) for i in case["used"]]
    deep = three_level(yi, vi, groups)
    (mean,) = deep.coefficients
    units = _units(effects)
    for value, other in ((mean.estimate, block["beta"]), (mean.se, block["se"])):
        size = _size(value, other, "error", units)
        yield Difference("three levels", "REML", case["case"], "mean", value, other, size)
    for value, other in zip(deep.sigma2, block["sigma2"], strict=True):
        size = _size(value, other, "variance", units)
        yield Difference("three levels", "REML", case["case"], "sigma2", value, other, size)
    for method in ("EE", "DL", "REML"):
        for kind in ("CR0", "CR1", "CR2"):
            other = case.get("robust", {}).get(f"{kind}_{method}", {})
            if "se" not in other:
                continue
            tau2 = case["fits"][method]["tau2"]
            (mean,) = robust(yi, vi, groups, sigma2=(0.0, tau2), adjustment=kind).coefficients
            size = _size(mean.se, other["se"], "error", units)
            yield Difference("robust", kind, case["case"], method, mean.se, other["se"], size)


BLOCKS: tuple[Callable[[Case], Iterator[Difference]], ...] = (
    effect_sizes,
    fits,
    q_profiles,
    regressions,
    groups,
    counts,
    refits,
    small_studies,
    mixed_models,
    levels,
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
    order = list(TOLERANCES)
    for one in sorted(found, key=lambda d: (order.index(d.block), d.model)):
        groups.setdefault((one.block, one.model), []).append(one)
    lines = [
        "| what | model | data sets | numbers | largest difference | where | allowed |",
        "|---|---|---|---|---|---|---|",
    ]
    for (block, model), ones in groups.items():
        worst = max(ones, key=lambda d: d.size)
        sets = len({d.case.partition(" ")[0] for d in ones})
        lines.append(
            f"| {block} | {model} | {sets} | {len(ones)} | {worst.size:.1e} | "
            f"{worst.case}, {worst.what} | {TOLERANCES[block][0]:.0e} |"
        )
    return "\n".join(lines)


#: Between these lines of a document stands what the command writes.
BEGIN, END = "<!-- begin -->\n", "<!-- end -->\n"


def main() -> None:
    """Print the table, or write the document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--output", type=Path, help="renew the table of this document")
    args = parser.parse_args()
    found = []
    for case in cases(args.folder):
        found += differences(case)
    if args.output is None:
        print(summary(found))
        return
    before, _, rest = args.output.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    reasons = "\n".join(
        f"- **{block}**: {allowed:.0e}; {why}." for block, (allowed, why) in TOLERANCES.items()
    )
    made = (
        f"{summary(found)}\n\n## Why not less is allowed\n\n{reasons}\n\n"
        f"## Published IVIg results\n\n{anchors.table()}\n"
    )
    args.output.write_text(f"{before}{BEGIN}\n{made}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
