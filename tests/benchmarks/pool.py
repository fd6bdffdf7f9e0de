"""Times pooling beside PyMARE, statsmodels and metafor: python tests/benchmarks/pool.py.

All with REML and Hartung-Knapp where they have it; statsmodels has neither, so there it is Paule
and Mandel. metafor is timed where R is installed with it. Ratios are of one run: peer / ours.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from pymare import Dataset
from pymare.estimators import VarianceBasedLikelihoodEstimator
from statsmodels.stats.meta_analysis import combine_effects

from pipeline.config import ModelSpec
from pipeline.pool import pool
from pipeline.pool.columns import fit_columns
from pipeline.pool.robustness import leave1out
from pipeline.schema import EffectSize

Array = np.ndarray

#: What metafor is asked; it reads y and v from the arguments' file and prints milliseconds.
_R = """
suppressMessages(library(metafor)); d <- read.csv(commandArgs(TRUE)[1])
t <- system.time(for (i in 1:5) rma(y, v, data=d, test="knha"))[["elapsed"]]; cat(1000 * t / 5)
"""


def main() -> None:
    """Print milliseconds of each, and the ratios."""
    rng = np.random.default_rng(1)
    print("a pool: estimate, intervals, heterogeneity (ms, median)")
    print(f"{'k':>6} {'evipool':>9} {'PyMARE':>9} {'x':>6} {'statsm.':>9} {'x':>6} metafor")
    for k in (5, 50, 1_000, 10_000):
        y, v = drawn(rng, k, 1)
        ours = milliseconds(lambda y=y, v=v: pool(effects(y[:, 0], v[:, 0]), ModelSpec()))
        theirs = milliseconds(lambda y=y, v=v: pymare(y[:, 0], v[:, 0]))
        third = milliseconds(lambda y=y, v=v: statsmodels(y[:, 0], v[:, 0]))
        print(
            f"{k:>6} {ours:>9.2f} {theirs:>9.2f} {theirs / ours:>6.2f} {third:>9.2f} "
            f"{third / ours:>6.2f} {metafor(y[:, 0], v[:, 0]) if k <= 1_000 else '-'}"
        )
    y, v = drawn(rng, 1_000, 1)
    ours = milliseconds(lambda: leave1out(y[:, 0], v[:, 0], ModelSpec()), 3)
    one = milliseconds(lambda: pymare(y[1:, 0], v[1:, 0]), 5)
    print(f"\nleave-one-out, k = 1,000: {ours:,.0f} ms; a loop of PyMARE {1_000 * one:,.0f} ms")
    print(f"  (1,000 times one fit): {1_000 * one / ours:.1f} x")
    y, v = drawn(rng, 8, 10_000)
    ours = milliseconds(lambda: fit_columns(y, v, ModelSpec()), 5)
    batch = milliseconds(lambda: columns_of_pymare(y, v), 5)
    print(f"\n10,000 pools of k = 8: {ours:,.0f} ms; PyMARE in columns {batch:,.0f} ms", end="")
    print(f": {batch / ours:.2f} x")


def drawn(rng: np.random.Generator, k: int, sets: int) -> tuple[Array, Array]:
    """Effects and variances, (k, sets)."""
    v = rng.uniform(0.05, 1, (k, sets))
    return rng.normal(0.5, np.sqrt(v + 0.2)), v


def effects(y: Array, v: Array) -> list[EffectSize]:
    """The same as effect sizes."""
    pairs = zip(y.tolist(), v.tolist(), strict=True)
    return [EffectSize(str(i), str(i), "MD", *pair) for i, pair in enumerate(pairs)]


def pymare(y: Array, v: Array) -> None:
    """The same numbers by PyMARE's own interface: fit, inference, Q-profile, Q."""
    dataset = Dataset(y=y, v=v)
    results = VarianceBasedLikelihoodEstimator(method="reml").fit_dataset(dataset).summary()
    results.get_fe_stats()
    results.get_re_stats()
    results.get_heterogeneity_stats()


def columns_of_pymare(y: Array, v: Array) -> None:
    """REML and Hartung-Knapp of many data sets by PyMARE's 2-D path."""
    made = VarianceBasedLikelihoodEstimator(method="reml", small_sample_correction="knapp-hartung")
    made.fit(y=y, v=v, X=np.ones((y.shape[0], 1)))


def statsmodels(y: Array, v: Array) -> None:
    """The nearest that statsmodels has: Paule and Mandel, Hartung-Knapp scale, no Q-profile."""
    combine_effects(y, v, method_re="iterated").summary_frame()


def metafor(y: Array, v: Array) -> str:
    """metafor's milliseconds, where R and the package are there."""
    command = shutil.which("Rscript")
    if command is None:
        return "no R"
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("y,v\n" + "\n".join(f"{a},{b}" for a, b in zip(y, v, strict=True)))
        file.flush()
        done = subprocess.run(
            [command, "-e", _R, file.name], capture_output=True, text=True, check=False
        )
    return f"{float(done.stdout):.2f}" if done.returncode == 0 else "no metafor"


def milliseconds(call: Callable[[], object], repeats: int = 21) -> float:
    """The median time of a call, after one that warms up."""
    call()
    times = []
    for _ in range(repeats):
        start = perf_counter()
        call()
        times.append(perf_counter() - start)
    return 1000 * median(times)


if __name__ == "__main__":
    main()
