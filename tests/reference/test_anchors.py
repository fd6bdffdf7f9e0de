"""Published IVIg results, from their inputs under the rule that each needs."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from pipeline.meta import meta

REPO = Path(__file__).parents[2]

#: How far metafor's proportions may be from ours: here its search for tau2 stops at 1e-5, as it
#: does by default, and lme4's at 1e-4 of a maximum.
PROPORTIONS = {"GLMM": 2e-3}
TAU2 = {"GLMM": 2e-2}


def test_published_numbers_are_reproduced(anchors: ModuleType) -> None:
    """Each to the digits that were printed; the sources stand beside the numbers."""
    found = [one for one in anchors.ANCHORS if one.found]
    for one in found:
        assert [round(x, one.digits) for x in one.found()] == list(one.numbers), one.topic
    assert len(found) == 4


def test_each_other_result_has_its_reason(anchors: ModuleType) -> None:
    reasons = [one.why for one in anchors.ANCHORS if not one.found]
    assert len(reasons) == 8
    assert all(why.startswith(("Not reproduced: ", "Not poolable: ")) for why in reasons)


def test_other_counts_of_one_trial_still_hold_the_published_estimate(anchors: ModuleType) -> None:
    """Cochrane CD001797: RR 2.40; ours is 2.90 (1.92 to 4.39), as the table says."""
    estimate, low, high = anchors.ice_within()
    assert [round(x, 2) for x in (estimate, low, high)] == [2.90, 1.92, 4.39]
    assert low < 2.40 < high


def test_the_document_holds_the_table(anchors: ModuleType) -> None:
    assert anchors.table() in (REPO / "docs" / "validation.md").read_text(encoding="utf-8")


def blocks(shared: Path) -> list[tuple[str, str, pd.DataFrame, dict[str, float]]]:
    """Anchor, model, study data and metafor's numbers."""
    held = json.loads((shared / "data/meta/_ivig_anchors.json").read_text(encoding="utf-8"))
    return [
        (name, model, pd.DataFrame(one["data"]), numbers)
        for name, one in held.items()
        if isinstance(one, dict) and len(one.get("data", [])) > 1
        for model, numbers in one["metafor"].items()
    ]


def asked(model: str) -> dict[str, str]:
    """The options of `meta` that a block's name stands for."""
    first, *rest = model.split("_")
    if first == "PETO":
        return {"measure": "PETO", "method": "PETO"}
    if first == "MH":
        return {"measure": rest[0], "method": "MH"}
    if first == "GLMM":
        return {"measure": "PLO", "method": "GLMM"}
    method, test = rest or ("REML", "knha")
    return {"measure": first, "method": method, "test": test}


def test_models_of_the_published_counts_agree_with_metafor(shared: Path) -> None:
    """metafor 5.0-1, ratios back on their scale; proportions on the scale of analysis by tau2."""
    checked = 0
    for name, model, table, numbers in blocks(shared):
        if "cc_zero" in model:  # RevMan's 1/2 in all cells of a study, which metafor does not add
            continue
        pooled = meta(table.rename(columns={"study": "slab"}), **asked(model)).pooled  # type: ignore[arg-type]
        assert pooled is not None
        at = f"{name} {model}"
        if "est" in numbers:
            ratio = (lambda x: x) if model.endswith("RD") else np.exp
            ours = [ratio(x) for x in (pooled.estimate, pooled.ci_lb, pooled.ci_ub)]
            theirs = [numbers["est"], numbers["lb"], numbers["ub"]]
            assert ours == pytest.approx(theirs, rel=1e-6), at
        else:
            assert pooled.tau2 == pytest.approx(numbers["tau2"], rel=TAU2.get(model, 2e-4)), at
        checked += 1
    assert checked == 33


def test_the_back_transformed_rate_of_responders(shared: Path) -> None:
    """PLO and its GLMM: the logistic of the estimate is metafor's proportion."""
    for name, model, table, numbers in blocks(shared):
        if model in ("PLO", "GLMM"):
            pooled = meta(table.rename(columns={"study": "slab"}), **asked(model)).pooled  # type: ignore[arg-type]
            assert pooled is not None
            rate = 1 / (1 + np.exp(-pooled.estimate))
            assert rate == pytest.approx(numbers["prop"], rel=PROPORTIONS.get(model, 1e-5)), name


def test_a_mean_change_without_a_spread_is_left_out() -> None:
    """Morozumi (2009): five patients, mean VAS from 100 to 26.6 % of its first value, no SD."""
    table = pd.DataFrame(
        {"slab": ["Morozumi 2009"], "m1i": [100.0], "m2i": [26.6], "sdi": [None], "ni": [5]}
    )
    result = meta(table, measure="MC")
    assert result.pooled is None
    assert [row.slab for row in result.left_out] == ["Morozumi 2009"]
