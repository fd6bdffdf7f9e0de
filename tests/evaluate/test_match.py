"""Values agree where a reviewer would say so, and each side's surplus counts against it."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.config import Config
from pipeline.evaluate.load import parse
from pipeline.evaluate.match import FIELDS, Match, match, pair_outcomes
from pipeline.evaluate.values import dose_key, family, number, same_slot, slots
from pipeline.fetch.files import read_records
from pipeline.reading import published

Row = dict[str, Any]


def counts(matches: Sequence[Match]) -> dict[str, tuple[int, int, int]]:
    """(right, predicted, gold) by field."""
    found: dict[str, Counter[str]] = {}
    for m in matches:
        c = found.setdefault(m.field, Counter())
        c.update(r=m.right, p=m.predicted is not None, g=m.gold is not None)
    return {name: (c["r"], c["p"], c["g"]) for name, c in found.items()}


def of(gold: Row, predicted: Row) -> dict[str, tuple[int, int, int]]:
    """The counts of one record."""
    return counts(match("r", gold, predicted))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (12, 12.0),
        ({"value": 12, "quote": None}, 12.0),
        ([2, 6], (2.0, 6.0)),
        ("<0.001", 0.001),
        ("0·04", 0.04),
        ("p = 2e-5", 2e-5),
        (None, None),
        (True, None),
        ("none", None),
        ([], None),
    ],
)
def test_a_number_is_read_from_a_value_a_list_or_a_printed_word(value: Any, read: Any) -> None:
    assert number(value) == read


def test_the_sign_of_a_change_is_a_convention_that_of_an_effect_is_not() -> None:
    assert same_slot("value", -2.5, 2.5)
    assert same_slot("comparator_value", -2.5, 2.5)
    assert not same_slot("effect", -2.5, 2.5)
    assert not same_slot("value", (-1.0, 2.0), (1.0, 2.0))


def test_any_spread_fills_the_slot_of_the_spread() -> None:
    assert slots({"sd": 2}) == slots({"spread_unlabelled": 2}) == {"spread": 2.0}
    assert slots({"baseline_se": {"value": 1, "quote": None}}) == {"baseline_spread": 1.0}


@pytest.mark.parametrize(
    ("measure", "name"),
    [
        ("INCAT responder", "responder"),
        ("VAS pain", "pain"),
        ("VASculitis score", "other"),
        ("F-score", "disability"),
        ("MRC sum score", "strength"),
        ("SF-36", "quality of life"),
        ("time to nadir", "time"),
        ("IENFD (fibres/mm)", "electrophysiology"),
        (None, "other"),
    ],
)
def test_a_measure_has_a_family(measure: str, name: str) -> None:
    assert family(measure) == name


def test_a_dose_in_milligrams_is_the_same_in_grams() -> None:
    dose = {"amount": 400, "unit": "mg/kg", "per": "day"}
    assert dose_key(dose) == dose_key({"amount": 0.4, "unit": "g/kg", "per": "day"})
    assert dose_key({"amount": 0.4, "unit": "g/kg", "per": None}) != dose_key(dose)
    assert dose_key({"unit": "g/kg"}) is None


@pytest.mark.parametrize(
    ("gold", "predicted", "field", "expected"),
    [
        ({"n_total": 12}, {"n_total": 12}, "n_total", (1, 1, 1)),
        ({"n_total": 12}, {"n_total": 13}, "n_total", (0, 1, 1)),
        ({"n_total": 12}, {}, "n_total", (0, 0, 1)),
        ({"n_total": None}, {"n_total": 13}, "n_total", (0, 1, 0)),
        ({"design": "protocol"}, {"design": {"value": "protocol"}}, "design", (1, 1, 1)),
        ({"include_in_pool": True}, {"include_in_pool": False}, "include_in_pool", (0, 0, 1)),
        ({"include_in_pool": False}, {"include_in_pool": True}, "include_in_pool", (0, 1, 0)),
        (
            {"comparison_class": "Ig vs placebo / Ig withdrawal"},
            {"comparison_class": {"value": "Ig withdrawal"}},
            "comparison_class",
            (1, 1, 1),
        ),
        (
            {"arms": [{"n": 9}, {"n": 9}, {"n": 4}]},
            {"arms": [{"n": 9}, {"n": 5}]},
            "arms.n",
            (1, 2, 3),
        ),
        (
            {"arms": [{"n": 9, "role": "comparator"}]},
            {"arms": [{"n": 9, "role": "intervention"}, {"n": 9, "role": "comparator"}]},
            "arms.role",
            (1, 1, 1),
        ),
        ({"registry_ids": ["NCT 1"]}, {"registry_ids": ["nct1", "X"]}, "registry_ids", (1, 2, 1)),
    ],
)
def test_a_value_is_right_missed_misread_or_extra(
    gold: Row, predicted: Row, field: str, expected: tuple[int, int, int]
) -> None:
    assert of(gold, predicted)[field] == expected


def test_what_neither_side_says_is_no_match() -> None:
    assert of({"n_total": None, "arms": None, "doses": []}, {"outcomes": []}) == {}


def test_the_days_of_a_dose_are_judged_only_where_the_dose_is_found() -> None:
    daily = {"amount": 0.4, "unit": "g/kg", "per": "day", "duration_days": 5}
    found = of({"doses": [daily]}, {"doses": [{**daily, "duration_days": 3}]})
    assert (found["doses"], found["doses.duration_days"]) == ((1, 1, 1), (0, 1, 1))
    missed = of({"doses": [daily]}, {"doses": [{**daily, "amount": 0.5}]})
    assert missed["doses"] == (0, 1, 1)
    assert "doses.duration_days" not in missed


def test_one_predicted_total_may_answer_two_doses() -> None:
    total = {"amount": 2, "unit": "g/kg", "total_per_course_g_per_kg": 2}
    rounded = {**total, "total_per_course_g_per_kg": 2.02}
    found = of({"doses": [total, total]}, {"doses": [rounded]})
    assert found["doses.total_per_course_g_per_kg"] == (2, 2, 2)


def test_outcomes_are_paired_by_what_agrees_most() -> None:
    gold = [{"measure": "pain", "value": 2, "n": 9}, {"measure": "grip", "value": 2, "sd": 1}]
    predicted = [{"measure": "grip", "value": -2, "sd": 1}, {"measure": "VAS", "value": 2, "n": 9}]
    assert pair_outcomes(gold, predicted) == {0: 1, 1: 0}


def test_sizes_alone_pair_no_outcomes() -> None:
    assert pair_outcomes([{"value": 2, "n": 9}], [{"value": 3, "n": 9}]) == {}


def test_an_outcome_is_right_when_every_number_is_and_numbers_are_judged_one_by_one() -> None:
    gold = {"measure": "pain", "value": 2, "sd": 1, "p_value": "0.04"}
    whole = of({"outcomes": [gold]}, {"outcomes": [{**gold, "measure": "VAS", "n": 9}]})
    assert whole["outcomes"] == (1, 1, 1)
    assert whole["outcomes.n"] == (0, 1, 0)
    part = of({"outcomes": [gold]}, {"outcomes": [{"measure": "VAS", "value": 2, "sd": 3}]})
    assert part["outcomes"] == (0, 1, 1)
    assert (part["outcomes.value"], part["outcomes.spread"]) == ((1, 1, 1), (0, 1, 1))
    assert part["outcomes.p_value"] == (0, 0, 1)


def test_an_outcome_that_gold_lacks_is_extra_and_its_numbers_are_not_judged() -> None:
    found = of({}, {"outcomes": [{"measure": "pain", "value": 2}]})
    assert found == {"outcomes": (0, 1, 0)}


def test_every_match_is_of_a_listed_field(config: Config, repo: Path) -> None:
    cases = (repo / "tests" / "gold" / "neuropathies.jsonl").read_text(encoding="utf-8")
    golds = [json.loads(line)["expected"] for line in cases.splitlines()]
    assert {m.field for g in golds for m in match("r", g, g)} <= set(FIELDS)
    assert all(m.right for g in golds for m in match("r", g, g))


# Beside the shared scorer


def scorer_of(shared: Path) -> ModuleType:
    """The shared scorer as a module."""
    spec = importlib.util.spec_from_file_location("score", shared / "gold" / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def figures(found: dict[str, tuple[int, int, int]], records: int) -> dict[str, float]:
    """The shared scorer's figures, from our counts."""
    parts = [c for name, c in found.items() if name.removeprefix("outcomes.") in SLOT_NAMES]
    right, read, gold = (sum(column) for column in zip(*parts, strict=True))

    def f1(name: str) -> float:
        r, p, g = found[name]
        return 2 * r / (p + g)

    def recall(name: str) -> float:
        return found[name][0] / found[name][2]

    return {
        "design": recall("design"),
        "eligible_f1": f1("include_in_pool"),
        "n_total": recall("n_total"),
        "arms_n_f1": f1("arms.n"),
        "dose_f1": f1("doses"),
        "dose_days": recall("doses.duration_days"),
        "course_total": recall("doses.total_per_course_g_per_kg"),
        "slot_recall": right / gold,
        "slot_precision": right / read,
        "outcome_strict": recall("outcomes"),
        "extra_per_record": (found["outcomes"][1] - found["outcomes.measure"][1]) / records,
    }


SLOT_NAMES = {f.removeprefix("outcomes.") for f in FIELDS if f.startswith("outcomes.")} - {
    "measure",
    "type",
    "direction",
    "timepoint",
    "effect_measure",
}


@pytest.mark.parametrize("keep", [1, 2, 3], ids=["all", "half", "a third"])
def test_the_counts_are_those_of_the_shared_scorer(shared: Path, config: Config, keep: int) -> None:
    """Also where records are missing: `keep` of 2 leaves every second one out."""
    scorer = scorer_of(shared)
    source = shared / "gold" / "ivig_dev.jsonl"
    gold = parse(source.read_text(encoding="utf-8"), source.name)
    records, _ = read_records(shared / "gold" / "ivig_dev_input.jsonl")
    lines = published(records[::keep], config, lambda step, done, total: None)
    predicted = {line["record_id"]: line for line in lines}
    theirs = scorer.score(scorer.load(source), predicted)
    ours = counts([m for rid, g in gold.items() for m in match(rid, g, predicted.get(rid, {}))])
    expected = {name: theirs[name] for name in figures(ours, len(gold))}
    assert figures(ours, len(gold)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "measure",
    [
        "respon",
        "improved",
        "better",
        "remission",
        "cleared",
        "stable",
        "completion",
        "pain",
        "VAS",
        "nrs",
        "analogue",
        "INCAT",
        "f-score",
        "fscore",
        "raynaud",
        "grip",
        "neuropathy_impairment",
        "AMS",
        "SF36",
        "SF-36",
        "EQ-5D",
        "well-being",
        "wellbeing",
        "fatigue",
        "duration",
        "conduction",
        "fiber",
        "fibre",
        "velocity",
        "nothing",
        "mrs",
        "programs",
    ],
)
def test_families_are_those_of_the_shared_scorer(shared: Path, measure: str) -> None:
    measure = measure.replace("_", " ")
    assert family(measure) == scorer_of(shared).family(measure)
