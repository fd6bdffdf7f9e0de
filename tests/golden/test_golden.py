"""A run on the shipped corpus gives the stored files, to the byte; `renew.py` renews them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def golden(folder: Path) -> dict[str, list[bytes]]:
    """The lines of each golden file in a folder."""
    paths = [*folder.glob("*.csv"), *folder.glob("*.txt")]
    return {path.name: path.read_bytes().split(b"\n") for path in sorted(paths)}


def test_a_run_on_the_shipped_corpus_gives_the_stored_files(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, HERE / "renew.py", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    stored, made = golden(HERE), golden(tmp_path)
    assert {"estimates.csv", "screening.csv", "run.txt"} < set(stored)
    assert list(made) == list(stored)
    for name, lines in made.items():
        assert lines == stored[name], f"{name} has changed; see tests/golden/renew.py"


def test_the_readme_shows_the_stored_run(repo: Path) -> None:
    printed = (HERE / "run.txt").read_text(encoding="utf-8")
    assert printed.count("\n") > 7  # the counts, a header, six questions
    assert f"```\n{printed}\nReport: " in (repo / "README.md").read_text(encoding="utf-8")
