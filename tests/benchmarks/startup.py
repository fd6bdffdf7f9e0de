"""Times how long `evipool --help` takes to start, beside Python alone and Python with Typer."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 10
PYTHON = sys.executable
COMMANDS = {
    "python -c pass": [PYTHON, "-c", "pass"],
    'python -c "import typer"': [PYTHON, "-c", "import typer"],
    "evipool --help": [str(Path(PYTHON).with_name("evipool")), "--help"],
}


def median_ms(command: list[str]) -> float:
    """Median wall time of `RUNS` starts, in milliseconds, after one that warms the disk cache."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def main() -> None:
    """Print each command's time and its ratio to Python alone."""
    results = {name: median_ms(command) for name, command in COMMANDS.items()}
    base = results["python -c pass"]
    print(f"median of {RUNS} starts    ms   x python")
    for name, ms in results.items():
        print(f"{name:<24} {ms:5.0f} {ms / base:10.1f}")


if __name__ == "__main__":
    main()
