"""Cluster trials: the Handbook's worked example, and what the effective size does."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.effects.formulas import FORMULAS, escalc
from pipeline.effects.formulas.cluster import design_effect, effective
from pipeline.errors import EffectSizeError


def columns(**values: float) -> dict[str, np.ndarray]:
    """One study as columns."""
    return {name: np.array([value]) for name, value in values.items()}


def test_the_handbooks_worked_example() -> None:
    """Cochrane Handbook 23.1.5: 21 classes of 625 children, ICC 0.02; 63/295 against 84/330.

    Average cluster size 29.8, design effect 1.576; effective counts 40.0/187.2 and 53.3/209.4.
    """
    table = columns(ai=63, n1i=295, ci=84, n2i=330, icc=0.02, cluster_size=29.8)
    assert design_effect(table["icc"], table["cluster_size"]) == pytest.approx(1.576)
    made = {name: round(float(x[0]), 1) for name, x in effective(table).items()}
    assert made == {"ai": 40.0, "n1i": 187.2, "ci": 53.3, "n2i": 209.4}


DATA = {
    "RR": {"ai": 12, "n1i": 30, "ci": 9, "n2i": 32},
    "OR": {"ai": 12, "bi": 18, "ci": 9, "di": 23},
    "RD": {"ai": 12, "n1i": 30, "ci": 9, "n2i": 32},
    "MD": {"m1i": 5, "sd1i": 2, "n1i": 30, "m2i": 6, "sd2i": 2.5, "n2i": 32},
    "MC": {"m1i": 5, "m2i": 6, "sd1i": 2, "sd2i": 2.5, "ni": 30, "ri": 0.6},
    "PLO": {"xi": 12, "ni": 30},
    "IRR": {"x1i": 12, "t1i": 300, "x2i": 9, "t2i": 310},
    "IRLN": {"xi": 12, "ti": 300},
    "SMCC": {"ti": 2.4, "ni": 30},
    "GEN": {"yi": 0.4, "sei": 0.2},
    "HR": {"yi": 0.4, "vi": 0.04},
}


@pytest.mark.parametrize("measure", DATA)
@given(st.floats(0, 1), st.floats(1, 50))
def test_the_variance_grows_by_the_design_effect(measure: str, icc: float, size: float) -> None:
    """Exactly, but for the small-sample correction of a standardised change."""
    table = columns(**DATA[measure])
    made = effective(table | columns(icc=icc, cluster_size=size))
    if measure == "SMCC":
        assert made["ti"] / np.sqrt(made["ni"]) == pytest.approx(2.4 / sqrt(30))
        return
    (y, v), (y_cluster, v_cluster) = escalc(measure, table), escalc(measure, made)
    assert y_cluster == pytest.approx(y)
    assert v_cluster == pytest.approx(v * (1 + (size - 1) * icc))


def test_each_column_of_a_formula_is_settled() -> None:
    """A formula's new column must be named as a size, an error, or neither."""
    neither = {"m1i", "m2i", "mi", "sd1i", "sd2i", "sdi", "ri", "yi"}
    known = {name for f in FORMULAS.values() for names in f.columns for name in names}
    ones = {name: np.ones(1) for name in known}
    made = effective(ones | columns(icc=1, cluster_size=4))
    assert {name for name, x in made.items() if x[0] == 1} == neither


def test_a_study_without_clusters_stays_as_it_is() -> None:
    table = {"ai": np.array([4.0, 4.0]), "n1i": np.array([9.0, 9.0])}
    clusters = {"icc": np.array([np.nan, 0.5]), "cluster_size": np.array([np.nan, 3.0])}
    assert effective(table) == table
    made = effective(table | clusters)
    assert list(made["ai"]) == [4.0, 2.0]
    assert list(made["n1i"]) == [9.0, 4.5]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"icc": 1.2, "cluster_size": 3}, "Invalid icc 1.2 in row 1; must lie in"),
        ({"icc": -0.1, "cluster_size": 3}, "Invalid icc -0.1"),
        ({"icc": 0.1, "cluster_size": 0.5}, "Invalid cluster_size 0.5 in row 1"),
        ({"icc": 0.1, "cluster_size": np.nan}, "Row 1 has icc without cluster_size"),
        ({"icc": np.nan, "cluster_size": 9}, "Row 1 has cluster_size without icc"),
        ({"icc": 0.1}, "got no cluster_size"),
    ],
)
def test_what_is_no_cluster_trial_is_refused(values: dict[str, float], said: str) -> None:
    with pytest.raises(EffectSizeError, match=said):
        effective(columns(ai=4, n1i=9, **values))
