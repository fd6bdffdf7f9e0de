"""Times a pooled estimate beside PyMARE called directly: python tests/benchmarks/pool.py."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from pymare import Dataset
from pymare.estimators import VarianceBasedLikelihoodEstimator

from pipeline.config import ModelSpec
from pipeline.pool import pool
from pipeline.schema import EffectSize


def main() -> None:
    """Print milliseconds of both, and their ratio, at k = 5, 50 and 1000."""
    rng = np.random.default_rng(1)
    print(f"{'k':>5} {'evipool':>9} {'PyMARE':>9} {'ratio':>6}   (ms, median of 21, REML, knha)")
    for k in (5, 50, 1000):
        v = rng.uniform(0.05, 1, k)
        y = rng.normal(0.5, np.sqrt(v + 0.2))
        effects = [
            EffectSize(str(i), str(i), "MD", *pair)
            for i, pair in enumerate(zip(y.tolist(), v.tolist(), strict=True))
        ]
        ours = _milliseconds(lambda effects=effects: pool(effects, ModelSpec()))
        theirs = _milliseconds(lambda y=y, v=v: _pymare(y, v))
        print(f"{k:>5} {ours:>9.2f} {theirs:>9.2f} {ours / theirs:>6.2f}")


def _pymare(y: np.ndarray, v: np.ndarray) -> None:
    """The same numbers by PyMARE's own interface: fit, inference, Q-profile, Q."""
    dataset = Dataset(y=y, v=v)
    results = VarianceBasedLikelihoodEstimator(method="reml").fit_dataset(dataset).summary()
    results.get_fe_stats()
    results.get_re_stats()
    results.get_heterogeneity_stats()


def _milliseconds(call: Callable[[], object], repeats: int = 21) -> float:
    """The median time of a call."""
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1000 * median(times)


if __name__ == "__main__":
    main()
