"""The manifest: what ran, without secrets, with the hash of every file."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import InputError, OutputError
from pipeline.report.manifest import Environment, mask, read_environment, write_manifest

HERE = Environment("0.1.0", "3.11.9", "Linux", {"numpy": "2.4.6"}, "abc", False)
CONFIG = {
    "title": "T",
    "ncbi": {"email": "a@b.org", "api_key": "secret1", "api_key_file": None},
    "database": {"url": "postgresql://me:secret2@host/db"},
    "files": ["a.xml"],
}


def write(folder: Path, **more: Any) -> dict[str, Any]:
    """A manifest, read back."""
    given: dict[str, Any] = {
        "run_id": "r1",
        "started": "2026-11-20T10:00:00Z",
        "ended": "2026-11-20T10:00:09Z",
        "argv": ["evipool", "run"],
        "environment": HERE,
        "config": CONFIG,
        "search_ids": ["s1"],
        "counts": {"identified": 7},
        "models": {"q": {"method": "REML"}},
    }
    path = write_manifest(folder, **{**given, **more})
    return dict(json.loads(path.read_text(encoding="utf-8")))


def test_every_file_has_its_sha256(tmp_path: Path) -> None:
    out, raw = tmp_path / "run" / "tables" / "a.csv", tmp_path / "raw.xml"
    out.parent.mkdir(parents=True)
    out.write_bytes(b"1\n")
    raw.write_bytes(b"<x/>")
    found = write(tmp_path / "run", inputs=[raw], outputs=[out])
    assert found["outputs"] == {"tables/a.csv": hashlib.sha256(b"1\n").hexdigest()}
    assert found["inputs"] == {str(raw): hashlib.sha256(b"<x/>").hexdigest()}


def test_no_secret_reaches_the_manifest(tmp_path: Path) -> None:
    text = json.dumps(write(tmp_path))
    assert "secret" not in text and "a@b.org" not in text
    assert mask(CONFIG)["database"]["url"] == "postgresql://***@host/db"
    assert mask(CONFIG)["ncbi"]["api_key_file"] is None


def test_the_hash_of_the_configuration_follows_what_is_shown(tmp_path: Path) -> None:
    one = write(tmp_path)["config_sha256"]
    assert write(tmp_path, config=dict(reversed(CONFIG.items())))["config_sha256"] == one
    assert write(tmp_path, config={**CONFIG, "title": "U"})["config_sha256"] != one


def test_the_run_is_described(tmp_path: Path) -> None:
    found = write(tmp_path)
    assert found["argv"] == ["evipool", "run"]
    assert found["environment"]["packages"] == {"numpy": "2.4.6"}
    assert (found["environment"]["git_commit"], found["environment"]["git_dirty"]) == ("abc", False)
    assert (found["run_id"], found["searches"], found["counts"]) == (
        "r1",
        ["s1"],
        {"identified": 7},
    )


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b")
    names = ("a", "b")
    assert len({(tmp_path / n / "manifest.json").read_bytes() for n in names}) == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.xml: No such file or directory\.$"):
        write(tmp_path, inputs=[tmp_path / "gone.xml"])
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"manifest\.json"):
        write(tmp_path / "file")


def test_the_environment_names_versions_and_the_commit(tmp_path: Path) -> None:
    outside = read_environment("0.1.0", tmp_path)
    assert outside.git_commit is outside.git_dirty is None
    assert "matplotlib" in outside.packages
    names = list(outside.packages)
    assert names == sorted(names, key=str.lower)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    assert read_environment("0.1.0", tmp_path).git_dirty is False
    (tmp_path / "new").write_text("")
    inside = read_environment("0.1.0", tmp_path)
    assert inside.git_dirty is True
    assert inside.git_commit is not None and len(inside.git_commit) == 40
