"""The commands of the living review as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

REPO = Path(__file__).parents[2]
RULE = """    measure: PLO
    conclusion:
      flags: [mid]
      mid: 0.5
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What stands on stdout, which must be JSON and nothing else."""
        return json.loads(self.out)


def evipool(folder: Path, *arguments: str) -> Ended:
    """Run the command line in a folder."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVIPOOL_")}
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def line(number: int, events: int) -> str:
    """A made-up record of a single-arm study with so many responders of 20."""
    return json.dumps(
        {
            "pmid": f"9000000{number}",
            "title": "Immunoglobulin in CIDP: an open, prospective, uncontrolled study",
            "abstract": (
                "Twenty patients with CIDP were treated with IVIg. "
                f"{events} of 20 patients responded."
            ),
            "year": 2000 + number,
        }
    )


def write(folder: Path, *events: int) -> None:
    """Write the records of a review's file."""
    lines = [line(i, n) for i, n in enumerate(events, 1)]
    (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Ended]]:
    """A review of a file after a run and three updates, and how each ended."""
    folder = tmp_path_factory.mktemp("lived")
    evipool(folder, "init")
    text = (folder / "config.yaml").read_text(encoding="utf-8")
    text = text.replace("    measure: PLO\n", RULE).replace("source: demo", "source: files")
    text = text.replace("files: []", "files: [a.jsonl]")
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    write(folder, 19, 18, 19)
    ended = [evipool(folder, "run", "--json")]
    ended.append(evipool(folder, "update", "--fail-on-change"))
    write(folder, 19, 18, 19, 1, 2)
    ended.append(evipool(folder, "update", "--fail-on-change"))
    ended.append(evipool(folder, "update", "--fail-on-change", "--json"))
    return folder, ended


def test_an_update_says_that_nothing_is_new(lived: tuple[Path, list[Ended]]) -> None:
    nothing = lived[1][1]
    assert nothing.code == 0, nothing.err
    assert "Nothing new since" in nothing.out
    assert len(nothing.out.splitlines()) <= 24


def test_a_changed_conclusion_ends_with_8_and_is_told_on_one_screen(
    lived: tuple[Path, list[Ended]],
) -> None:
    changed = lived[1][2]
    assert changed.code == 8, changed.err
    assert "Conclusion changed: Responders in single-arm studies" in changed.out
    assert "mid of single_arm_responders: the interval lies above 0.5" in changed.out
    assert "now the interval holds 0.5" in changed.out
    assert len(changed.out.splitlines()) <= 24


def test_the_next_update_raises_no_flag_and_prints_json_alone(
    lived: tuple[Path, list[Ended]],
) -> None:
    after = lived[1][3]
    assert after.code == 0, after.err
    assert after.json["moved"]["nothing_new"] is True
    assert after.json["moved"]["conclusion_changed"] == []


def test_the_history_has_a_row_a_run_and_a_plot(lived: tuple[Path, list[Ended]]) -> None:
    folder = lived[0]
    rows = evipool(folder, "history", "single_arm_responders", "--json").json
    assert [row["k"] for row in rows] == [3, 3, 5, 5]
    drawn = evipool(folder, "history", "single_arm_responders", "--plot", "h.svg")
    assert drawn.code == 0, drawn.err
    assert (folder / "h.svg").read_text(encoding="utf-8").startswith("<?xml")
    unknown = evipool(folder, "history", "nothing")
    assert unknown.code == 2
    assert "must be one of cidp_responders" in unknown.err


def test_a_diff_explains_two_runs_down_to_their_records(lived: tuple[Path, list[Ended]]) -> None:
    folder, ended = lived
    first = ended[0].json["run_id"]
    last = ended[3].json["run_id"]
    facts = evipool(folder, "diff", first, last, "--json").json
    assert {r["record_id"] for r in facts["records"]} == {"pmid90000004", "pmid90000005"}
    told = evipool(folder, "diff", first, last)
    assert "pmid90000004" in told.out
    unknown = evipool(folder, "diff", first, "nowhen")
    assert unknown.code == 4
    assert "No answers are kept of a run 'nowhen'" in unknown.err


def test_a_run_as_of_a_day_knows_what_was_known(lived: tuple[Path, list[Ended]]) -> None:
    folder = lived[0]
    past = evipool(folder, "run", "--as-of", "2002-12-31", "--json")
    assert past.code == 0, past.err
    single = next(e for e in past.json["estimates"] if e["question"] == "single_arm_responders")
    assert single["k"] == 2
    again = evipool(folder, "update", "--json").json
    assert again["moved"]["nothing_new"] is True  # the day's run is not what stands
    before = evipool(folder, "run", "--as-of", "1990-01-01")
    assert before.code == 4
    assert "was known by 1990-01-01" in before.err


def test_a_second_update_at_once_is_locked_out(lived: tuple[Path, list[Ended]]) -> None:
    folder = lived[0]
    with FileLock(folder / "corpus" / ".lock"):
        assert evipool(folder, "update").code == 7


def test_a_backup_brings_the_review_back(lived: tuple[Path, list[Ended]], tmp_path: Path) -> None:
    folder = lived[0]
    saved = tmp_path / "review.tar.gz"
    assert evipool(folder, "backup", str(saved)).code == 0
    assert evipool(folder, "backup", str(saved)).code == 2  # never overwritten
    there = tmp_path / "there"
    there.mkdir()
    assert evipool(tmp_path, "restore", str(saved), str(there)).code == 0
    assert evipool(there, "check").code == 0
    rows = [evipool(f, "history", "single_arm_responders", "--json").json for f in (folder, there)]
    assert rows[0] == rows[1]
    full = evipool(tmp_path, "restore", str(saved), str(there))
    assert full.code == 2
    assert "restore into an empty folder" in full.err


def test_a_damaged_backup_is_refused_and_nothing_is_put_in_place(
    lived: tuple[Path, list[Ended]], tmp_path: Path
) -> None:
    saved, opened = tmp_path / "review.tar.gz", tmp_path / "opened"
    assert evipool(lived[0], "backup", str(saved)).code == 0
    with tarfile.open(saved) as archive:
        archive.extractall(opened, filter="data")
    raw = next(p for p in (opened / "corpus" / "raw").rglob("*") if p.is_file())
    raw.write_bytes(b"other bytes")
    with tarfile.open(saved, "w:gz") as archive:
        for path in (p for p in opened.rglob("*") if p.is_file()):
            archive.add(path, path.relative_to(opened).as_posix())
    there = tmp_path / "there"
    damaged = evipool(tmp_path, "restore", str(saved), str(there))
    assert damaged.code == 5
    assert "is not as it was saved" in damaged.err
    assert not list(there.rglob("*"))
    saved.write_bytes(saved.read_bytes()[:200])
    assert evipool(tmp_path, "restore", str(saved), str(there)).code == 5
