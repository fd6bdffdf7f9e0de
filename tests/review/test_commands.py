"""Two laptops on the command line: decisions are exported, carried over and imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.review.exchange import write_events
from pipeline.schema import Decision, in_order
from pipeline.store import Store

NOON = "2026-11-23T12:00:00.000000Z"


def evipool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a review's folder."""
    command = [sys.executable, "-m", "pipeline", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def laptops(tmp_path: Path, repo: Path) -> list[Path]:
    """Two folders of one review, with a decision in each."""
    folders = [tmp_path / name for name in ("one", "two")]
    for folder, who in zip(folders, ("Li", "Ng"), strict=True):
        folder.mkdir()
        (folder / "config.yaml").write_bytes((repo / "config.yaml").read_bytes())
        with Store.open(folder) as store:
            store.add_decision(Decision("pmid1", "n_total", "accepted", who, NOON, "30"))
    return folders


def test_decisions_go_from_one_laptop_to_the_other_and_back(laptops: list[Path]) -> None:
    one, two = laptops
    for source, target in ((one, two), (two, one)):
        written = evipool(source, "export", "--format", "decisions", "-o", "decisions.jsonl")
        assert (written.returncode, written.stdout) == (0, "")
        read = evipool(target, "import", str(source / "decisions.jsonl"))
        assert read.returncode == 0, read.stderr
    assert "1 decisions added, 1 were here already." in read.stderr
    with Store.open(one) as first, Store.open(two) as second:
        assert in_order(first.events()) == in_order(second.events())
        assert len(first.events()) == 2
    assert evipool(one, "check").returncode == 0


def test_export_prints_the_lines(laptops: list[Path]) -> None:
    shown = evipool(laptops[0], "export")
    with Store.open(laptops[0]) as store:
        assert shown.stdout == "".join(write_events(store.events()))


def test_a_hostile_file_is_refused_whole(laptops: list[Path]) -> None:
    one, two = laptops
    good = evipool(two, "export").stdout
    (one / "bad.jsonl").write_text(good + "{}\n", encoding="utf-8")
    ended = evipool(one, "import", "bad.jsonl")
    assert (ended.returncode, ended.stdout) == (5, "")
    assert "bad.jsonl, line 2: the key 'event_id' is missing." in ended.stderr
    with Store.open(one) as store:
        assert len(store.events()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("import", "none.jsonl"), 5, "Cannot read none.jsonl"),
        (("export", "--format", "docx"), 2, "Invalid format 'docx'"),
        (("export", "--output", "config.yaml/x"), 2, "Cannot write"),
    ],
)
def test_a_wrong_call_is_one_sentence(
    laptops: list[Path], words: tuple[str, ...], code: int, said: str
) -> None:
    ended = evipool(laptops[0], *words)
    assert ended.returncode == code
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
