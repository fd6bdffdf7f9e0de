"""A run or an update that is killed, or meets a full disk, leaves a whole store; the next ends."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
#: More points, up to 200: `tests/benchmarks/killed.py`.
POINTS = 4


def command(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the command line in a folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVIPOOL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(folder: Path, *arguments: str) -> str:
    """Run a command to its end; return what it said on stderr."""
    process = command(folder, *arguments)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    return said


def derived(folder: Path) -> dict[str, bytes]:
    """The tables, figures and the page of a report."""
    files = [p for p in folder.rglob("*") if p.suffix in (".csv", ".svg", ".html")]
    return {str(p.relative_to(folder)): p.read_bytes() for p in files if p.name != "update.html"}


def killed_at(folder: Path, stage: str, seconds: float) -> bool:
    """Start a stage and kill it after so many seconds; False if it had ended by then."""
    process = command(folder, stage)
    time.sleep(seconds)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return alive


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The report of a run that nothing disturbed, and how long it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done(folder, "init")
    started = time.monotonic()
    done(folder, "run", "--output", "out")
    return folder / "out", time.monotonic() - started


@pytest.mark.parametrize("seed", range(POINTS))
def test_a_killed_run_and_a_killed_update_leave_a_whole_store(
    seed: int, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    report, seconds = undisturbed
    dice = random.Random(seed)  # noqa: S311 - a point in time
    done(tmp_path, "init")
    killed_at(tmp_path, "run", seconds * dice.uniform(0.1, 1.0))
    done(tmp_path, "check")
    killed_at(tmp_path, "update", seconds * dice.uniform(0.1, 1.0))
    done(tmp_path, "check")
    done(tmp_path, "update", "--output", "out")
    assert derived(tmp_path / "out") == derived(report)


def limited(size: int) -> Callable[[], None]:
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("size", [0, 60_000])
def test_a_full_disk_is_said_to_be_full_and_the_store_stays_whole(
    size: int, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    done(tmp_path, "init")
    full = subprocess.run(
        [sys.executable, "-m", "pipeline", "run", "--quiet"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limited(size),
    )
    assert full.returncode == 2
    assert "is the disk full?" in full.stderr
    done(tmp_path, "check")
    done(tmp_path, "run", "--output", "out")
    assert derived(tmp_path / "out") == derived(undisturbed[0])
