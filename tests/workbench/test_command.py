"""`evipool review` as a user runs it: then the report says what was checked."""

from __future__ import annotations

import http.cookiejar
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPO = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pipeline"]
#: The studies of a pool of the shipped protocol.
QUESTION = "single_arm_responders"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a review's folder."""
    return subprocess.run(
        [*COMMAND, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A review of the shipped corpus."""
    place = tmp_path_factory.mktemp("review")
    assert run(place, "init").returncode == 0
    ended = run(place, "run", "--quiet")
    assert ended.returncode == 0, ended.stderr
    return place


@pytest.fixture
def started(folder: Path) -> Iterator[str]:
    """The address that a running workbench printed; Ctrl-C ends it without a word of failure."""
    process = subprocess.Popen(
        [*COMMAND, "review", "--reviewer", "Ada", "--no-browser"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert "Traceback" not in said
    assert process.returncode in (0, 130)


class Visitor:
    """A browser without a screen: it keeps cookies and sends the page's token."""

    def __init__(self, start: str) -> None:
        self.base = start.partition("/?")[0]
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies)
        found = re.search(r'name="token" content="([^"]+)"', self.get(start))
        assert found is not None
        self._token = found[1]

    def get(self, address: str) -> str:
        """A page."""
        place = address if address.startswith("http") else self.base + address
        text: str = self._opener.open(place).read().decode()
        return text

    def post(self, address: str, body: Any) -> Any:
        """A write."""
        headers = {"content-type": "application/json", "x-evipool-token": self._token}
        data = json.dumps(body).encode()
        asked = urllib.request.Request(self.base + address, data, headers)
        return json.loads(self._opener.open(asked).read())


def accept_all(visitor: Visitor, record_id: str) -> None:
    """Accept every suggestion of a study."""
    page = visitor.get(f"/study/{record_id}")
    pattern = r'data-path="([^"]+)" data-version="(\d+)"[^>]*data-state="suggested"'
    found = re.findall(pattern, re.sub(r'data-value="[^"]*"', "", page))
    assert found
    for path, version in found:
        body = {"record_id": record_id, "field": path, "version": int(version)}
        visitor.post("/api/decide", {**body, "verdict": "accepted"})


def test_three_checked_studies_are_reviewed_in_the_next_report(folder: Path, started: str) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}", started)
    visitor = Visitor(started)
    page = visitor.get(f"/analysis/{QUESTION}?unreviewed=1")
    studies = re.findall(r'name="in" value="([^"]+)"', page)
    assert len(studies) >= 3
    for record_id in studies[:3]:
        accept_all(visitor, record_id)
    assert "It uses 3 of" in visitor.get(f"/analysis/{QUESTION}")
    ended = run(folder, "report")  # beside the workbench, which holds no lock
    assert ended.returncode == 0, ended.stderr
    latest = json.loads((folder / "outputs" / "latest.json").read_text())
    table = folder / "outputs" / latest["run_id"] / "tables" / f"studies_{QUESTION}.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    reviewed = lines[0].split(",").index("reviewed")
    assert reviewed
    assert sum(",yes," in line for line in lines[1:]) == 3
    with pytest.raises(urllib.error.HTTPError, match="401"):
        Visitor(started)  # the address worked once


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.0.7", "::"])  # noqa: S104
def test_others_are_let_in_with_a_token_file_alone(folder: Path, host: str) -> None:
    ended = run(folder, "review", "--host", host, "--no-browser")
    assert ended.returncode == 2
    assert "--token-file" in ended.stderr


def test_with_a_token_file_others_may_come_by_the_names_that_are_allowed(
    folder: Path, tmp_path: Path
) -> None:
    """A listener on every address: the reviewer's token opens it, another host name does not."""
    tokens = tmp_path / "tokens"
    tokens.write_text(f"Ada {'a' * 32}\n", encoding="utf-8")
    process = subprocess.Popen(
        [*COMMAND, "review", "--host", "0.0.0.0", "--token-file", str(tokens), "--no-browser"],  # noqa: S104
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    port = re.search(r":(\d+)", process.stdout.readline())
    assert port is not None
    address = f"http://127.0.0.1:{port[1]}/"
    try:
        assert "<h1" in Visitor(f"{address}?token={'a' * 32}").get("/")
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(address)
        rebound = urllib.request.Request(address, headers={"Host": "evil.example"})
        with pytest.raises(urllib.error.HTTPError, match="400"):
            urllib.request.urlopen(rebound)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def test_nothing_fetched_is_said(tmp_path: Path) -> None:
    run(tmp_path, "init")
    ended = run(tmp_path, "review", "--no-browser")
    assert ended.returncode == 4
    assert "evipool run" in ended.stderr


@pytest.mark.parametrize("name", ["", "a\nb"])
def test_a_reviewer_has_a_name(folder: Path, name: str) -> None:
    assert run(folder, "review", "--no-browser", "--reviewer", name or " ").returncode != 0
