"""Writes what `evipool run` prints and tabulates on the shipped corpus, for a test to compare.

After a change that is meant to move a number:

    .venv/bin/python tests/golden/renew.py
    git diff tests/golden README.md

Read the difference line by line, and name every pooled number that moved in CHANGELOG.md. The
README's run and plot are renewed too. With a folder as argument, only that folder is written.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
REPO = HERE.parents[1]
#: The tables that are kept; the others repeat what stands in them or in the records.
KEPT = ("estimates.csv", "screening.csv", "studies_*.csv")
#: What the README shows of a run.
SHOWN = re.compile(r"(?<=```\n)\d+ records, .*?\n(?=\nReport: )", re.DOTALL)


def run(folder: Path) -> str:
    """Run the shipped protocol in a folder; return what it prints before the report's place."""
    shutil.copy(REPO / "config.yaml", folder)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVIPOOL_")}
    command = [sys.executable, "-m", "pipeline", "run", "--output", "out"]
    done = subprocess.run(
        command, cwd=folder, env=kept, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.partition("\nReport:")[0]


def keep(folder: Path, printed: str, target: Path) -> None:
    """Put the kept tables and what was printed into `target`, and no other table."""
    for old in target.glob("*.csv"):
        old.unlink()
    for path in (p for name in KEPT for p in (folder / "out" / "tables").glob(name)):
        shutil.copyfile(path, target / path.name)
    (target / "run.txt").write_text(printed, encoding="utf-8")


def show(folder: Path, printed: str) -> None:
    """Renew the README's run and plot."""
    readme = REPO / "README.md"
    text = SHOWN.sub(lambda _: printed, readme.read_text(encoding="utf-8"))
    readme.write_text(text, encoding="utf-8")
    shutil.copyfile(folder / "out" / "forest_single_arm_responders.png", REPO / "docs/forest.png")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        printed = run(Path(name))
        keep(Path(name), printed, Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
        if len(sys.argv) == 1:
            show(Path(name), printed)
