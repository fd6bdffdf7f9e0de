"""Effect sizes that carry their counts, pooled by models of counts: metafor's numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config import ModelSpec
from pipeline.effects.formulas import escalc
from pipeline.effects.formulas.counts import two_by_two
from pipeline.errors import PoolError
from pipeline.pool import pool
from pipeline.schema import EffectSize

#: Five of the BCG trials (Colditz et al. 1994): cases and others, vaccinated, then not.
BCG = ((4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619))

NAMES = ("ai", "bi", "ci", "di")


def effects(table: dict[str, np.ndarray], measure: str) -> list[EffectSize]:
    """Effect sizes with their counts."""
    yi, vi = escalc(measure, table)
    made = []
    for i, (y, v) in enumerate(zip(yi, vi, strict=True)):
        counts = tuple((name, float(table[name][i])) for name in NAMES)
        n = int(sum(x for _, x in counts))
        made.append(EffectSize(str(i), f"S{i}", measure, float(y), float(v), n, counts=counts))
    return made


def bcg(measure: str) -> list[EffectSize]:
    """The effects of the BCG trials."""
    columns = np.array(BCG, dtype=float).T
    return effects(dict(zip(NAMES, columns, strict=True)), measure)


def counts_of(case: dict[str, Any]) -> dict[str, np.ndarray] | None:
    """A reference case's tables, where it has complete ones."""
    columns = {k: v for k, v in case["escalc"].items() if k != "vtype"}
    known = {
        name: np.array([np.nan if r[c] in (None, "NA") else float(r[c]) for r in case["raw"]])
        for name, c in columns.items()
    }
    if not {"ai", "ci"} <= set(known):
        return None
    cells = np.array(two_by_two(known))
    return dict(zip(NAMES, cells, strict=True)) if np.isfinite(cells).all() else None


def test_metafors_models_of_counts_are_matched(shared: Path) -> None:
    """rma.mh and rma.peto to 1e-8, rma.glmm (UM.FS, lme4) to 1e-3."""
    compared = {"MH": 0, "PETO": 0, "GLMM": 0}
    for path in sorted((shared / "data" / "meta").glob("[a-z]*.json")):
        case = json.loads(path.read_text())
        table = counts_of(case)
        if table is None:
            continue
        for method, measure, key, tolerance in (
            *(("MH", m, f"MH_{m}", 1e-8) for m in ("OR", "RR", "RD")),
            ("PETO", "PETO", "PETO", 1e-8),
            ("GLMM", "OR", "GLMM_OR_UM.FS_ML", 1e-3),
        ):
            given = case.get("twobytwo", {}).get(key)
            found = effects_or_none(table, measure)
            if given is None or "beta" not in given or found is None or len(found) > 40:
                continue
            made = pool(found, ModelSpec(method=method, test="z"))  # type: ignore[arg-type]
            wanted = (given["beta"], given["se"])
            assert (made.estimate, made.se) == pytest.approx(wanted, rel=tolerance), path.stem
            if method == "MH":
                assert made.q == pytest.approx(given["QE"], rel=1e-8), path.stem
            compared[method] += 1
    assert min(compared.values()) >= 5, compared


def effects_or_none(table: dict[str, np.ndarray], measure: str) -> list[EffectSize] | None:
    """The effects, where each study has one."""
    try:
        return effects(table, measure)
    except ValueError:
        return None


def test_a_glmm_has_no_weights_and_says_its_model() -> None:
    made = pool(bcg("OR"), ModelSpec(method="GLMM", test="z", glmm_model="CM.EL"))
    assert made.weight(0) is None
    assert any("CM.EL" in note for note in made.notes)
    assert made.n == sum(sum(row) for row in BCG)
    by_t = pool(bcg("OR"), ModelSpec(method="GLMM", test="t"))
    assert (by_t.df, by_t.test) == (3, "t")


def test_weights_of_several_studies_add_up() -> None:
    made = pool(bcg("RR"), ModelSpec(method="MH", test="z"))
    assert made.weight(0, 1, 2, 3) == pytest.approx(100)
    assert made.notes == ()
    assert not made.random


@pytest.mark.parametrize(
    ("measure", "method", "said"),
    [
        ("RR", "GLMM", "GLMM pools OR, IRR, PLO, IRLN; not RR"),
        ("OR", "PETO", "PETO pools PETO; not OR"),
    ],
)
def test_a_measure_that_a_model_does_not_pool_is_refused(
    measure: str, method: str, said: str
) -> None:
    with pytest.raises(PoolError, match=said):
        pool(bcg(measure), ModelSpec(method=method, test="z"))  # type: ignore[arg-type]


def test_effects_without_counts_are_refused() -> None:
    bare = [EffectSize(str(i), f"S{i}", "RR", 0.1, 0.2) for i in range(3)]
    with pytest.raises(PoolError, match="S0 has no counts"):
        pool(bare, ModelSpec(method="MH", test="z"))
