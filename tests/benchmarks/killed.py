"""Kills runs and updates at many random points; each time the store is whole and the next run ends.

    python tests/benchmarks/killed.py [POINTS, by default 200] [SEED]

Prints how many were killed at work and every fault, and ends with 1 if there was one.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "living"))

from test_killed import command, derived, done, killed_at

#: A folder's database is used for so many kills, then a new one is begun.
KILLS_A_FOLDER = 10


def main(points: int, seed: int) -> int:
    """Kill at `points` points; return how many left a fault."""
    dice = random.Random(seed)  # noqa: S311 - points in time
    faults = killed = 0
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole"
        whole.mkdir()
        done(whole, "init")
        started = time.monotonic()
        done(whole, "run", "--output", "out")
        seconds = time.monotonic() - started
        for i in range(points):
            folder = Path(name) / f"review-{i // KILLS_A_FOLDER}"
            if i % KILLS_A_FOLDER == 0:
                folder.mkdir()
                done(folder, "init")
            stage = dice.choice(("run", "update"))
            killed += killed_at(folder, stage, seconds * dice.uniform(0.05, 1.0))
            check = command(folder, "check")
            said = check.communicate()[1]
            if check.returncode:
                faults += 1
                print(f"point {i} ({stage}): {said.strip()}")
            if i % KILLS_A_FOLDER == KILLS_A_FOLDER - 1 or i == points - 1:
                done(folder, "update", "--output", "out")
                if derived(folder / "out") != derived(whole / "out"):
                    faults += 1
                    print(f"point {i}: the next run gives other bytes")
    print(f"{points} points, {killed} killed at work, {faults} faults")
    return faults


if __name__ == "__main__":
    arguments = [int(a) for a in sys.argv[1:]]
    sys.exit(main(*(arguments or [200])[:1], *(arguments[1:2] or [0])) > 0)
