"""The rules on skips and on the network, tried on test files of their own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

SKIPS = {
    "mark": '@pytest.mark.skip(reason="no initdb")\ndef test(): pass',
    "call": 'def test(): pytest.skip("no initdb")',
    "fixture": '@pytest.fixture\ndef db(): pytest.skip("no initdb")\ndef test(db): pass',
    "file": 'pytest.skip("no initdb", allow_module_level=True)',
    "import": 'pytest.importorskip("initdb_py", reason="no initdb")',
}


def outcome(folder: Path, body: str, *args: str, require_all: str = "1") -> tuple[int, str]:
    """Exit code and output of pytest on one file beside our conftest.py."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_it.py").write_text(f"import socket\nimport pytest\n{body}\n")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *args],
        cwd=folder,
        env={**os.environ, "EVIPOOL_REQUIRE_ALL": require_all},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize("kind", SKIPS)
def test_a_skip_fails_with_its_reason_where_all_is_required(tmp_path: Path, kind: str) -> None:
    code, output = outcome(tmp_path, SKIPS[kind])
    assert code != 0
    assert "EVIPOOL_REQUIRE_ALL=1 allows no skip" in output
    assert "no initdb" in output


def test_a_skipped_file_fails_under_xdist_too(tmp_path: Path) -> None:
    code, output = outcome(tmp_path, SKIPS["file"], "-n", "1")
    assert code == 1
    assert "no initdb" in output


def test_a_skip_stays_a_skip_otherwise(tmp_path: Path) -> None:
    code, output = outcome(tmp_path, SKIPS["call"], require_all="0")
    assert code == 0
    assert "1 skipped" in output


def test_the_absent_shared_folder_may_skip(tmp_path: Path) -> None:
    # In tmp_path the conftest's ../shared lies beside tmp_path's parent, where nothing is.
    code, output = outcome(tmp_path, "def test(shared): pass")
    assert code == 0
    assert "needs ../shared" in output


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    code, output = outcome(tmp_path, 'def test(): pytest.xfail("known")')
    assert code == 0
    assert "1 xfailed" in output


@pytest.mark.parametrize(
    "call",
    [
        'socket.create_connection(("eutils.ncbi.nlm.nih.gov", 443), timeout=1)',
        'socket.socket().connect(("192.0.2.1", 80))',  # RFC 5737: an address for documentation
        'socket.socket().connect_ex(("192.0.2.1", 80))',
        "__import__('requests').get('http://192.0.2.1/', timeout=1)",
    ],
)
def test_another_machine_fails_the_test_even_where_errors_are_swallowed(
    tmp_path: Path, call: str
) -> None:
    body = f"def test():\n    try:\n        {call}\n    except Exception:\n        pass"
    code, output = outcome(tmp_path, body)
    assert code == 1
    assert "must not use the network" in output


def test_this_machine_may_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
