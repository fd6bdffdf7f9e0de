"""The command serve-eutils: it prints where it serves, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

REPO = Path(__file__).parents[2]


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", "serve-eutils", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a gate started in the background hands down a SIGINT that is ignored
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


@pytest.mark.parametrize(("told", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_told_to_end(days: Path, told: signal.Signals, code: int) -> None:
    process = start(str(days), "--port", "0", "--day", "2", "--no-rate-limit")
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        form = {"db": "pubmed", "term": "all[sb]", "retmode": "json"}
        for _ in range(5):
            answer = requests.post(f"{address}esearch.fcgi", form, timeout=10)
        assert answer.json()["esearchresult"]["count"] == "7"
        assert "108" in answer.json()["esearchresult"]["idlist"]
        process.send_signal(told)
        rest, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, rest) == (code, "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 5, "nowhere does not exist"),
        ([str(REPO / "corpus" / "demo"), "--day", "2"], 2, "Invalid day 2; the corpus has days 1"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    arguments: list[str], code: int, message: str
) -> None:
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    assert err.startswith(f"Error: {message}")
    assert len(err.splitlines()) == 1
