"""What the terminal and machines are shown of an answer."""

from __future__ import annotations

import json
from math import log

import pytest

from pipeline.config import ModelSpec
from pipeline.pool import pool
from pipeline.present import summary
from pipeline.schema import (
    EffectSize,
    QuestionResult,
    Sensitivity,
    SmallStudyTest,
    StudyInfluence,
)

EFFECTS = tuple(
    EffectSize(name, name, "RR", log(ratio), 0.1, 40, numbers=4, unprinted=unprinted)
    for name, ratio, unprinted in (("A", 2.0, ()), ("B", 1.5, ("events from percentages",) * 2))
)
POOLED = pool(EFFECTS, ModelSpec(method="EE", test="z"))
RESULT = QuestionResult(
    "q",
    "Q",
    "RR",
    EFFECTS,
    (),
    POOLED,
    sensitivity=(
        Sensitivity("Equal effects", POOLED),
        Sensitivity("Printed numbers only", None, "One study prints all its numbers: no pool."),
    ),
    small_studies=(
        SmallStudyTest("Egger's regression", 1.0, 8, 0.3, log(1.2), log(1.1), log(1.3)),
        SmallStudyTest("Begg's rank correlation", note="no"),
    ),
    influence=(StudyInfluence("A", 1, 1, 1, 1, 0.5, 1, False),),
    check_notes=("a note",),
)


def test_a_row_counts_recovered_numbers_and_holds_what_stands_beside_the_pool() -> None:
    (row,) = json.loads(json.dumps(summary([RESULT])))
    assert (row["numbers"], row["recovered_numbers"]) == (8, 2)
    assert row["recovered"] == {"events from percentages": 2}
    first, second = row["sensitivity"]
    assert (first["label"], first["k"], first["estimate"]) == ("Equal effects", 2, row["estimate"])
    assert "estimate" not in second
    assert second["reason"].startswith("One study prints")
    egger, begg = row["small_studies"]
    assert (egger["estimate"], egger["ci_ub"]) == pytest.approx((1.2, 1.3))  # as printed, not logs
    assert (begg["estimate"], begg["note"]) == (None, "no")
    assert row["influence"][0]["slab"] == "A"
    assert row["check_notes"] == ["a note"]
