"""How the house is built: floors, start-up, lock files, and what must not stand in it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

REPO = Path(__file__).parents[1]
MODULES = sorted((REPO / "pipeline").rglob("*.py"))
HEAVY = {
    "Bio",
    "alembic",
    "fastapi",
    "jinja2",
    "lxml",
    "matplotlib",
    "numpy",
    "pandas",
    "pymare",
    "requests",
    "scipy",
    "spacy",
    "uvicorn",
    "sqlalchemy",
}
#: A requirement pinned to a version, perhaps with a marker, and its hashes.
PINNED = re.compile(r"[\w.\-]+(\[[\w,\-]+\])?==[^\s;]+( ;.*?)?( +--hash=sha256:[0-9a-f]{64})+$")
#: Put together here, so that this file does not hold what it looks for.
FORBIDDEN = ["/" + "work/", "pypi" + ".org", "files.python" + "hosted"]


def ids(paths: list[Path]) -> list[str]:
    """Paths relative to the checkout, as names of tests."""
    return [str(path.relative_to(REPO)) for path in paths]


def git_files() -> list[Path]:
    """Every file of the checkout that git holds or would take."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stdout
    return [REPO / name for name in listed.split("\0") if name and (REPO / name).is_file()]


# Floors and modules


def test_a_module_imports_only_from_floors_below_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPO)
    monkeypatch.setattr(sys, "path", list(sys.path))
    status = lint_imports(config_filename="pyproject.toml", no_cache=True, no_logo=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def floors() -> set[str]:
    """The parts of the house that pyproject.toml's contract puts on a floor."""
    settings = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if c["type"] == "layers")
    names = [name for layer in contract["layers"] for name in layer.split("|")]
    return {name.strip(" ()").removeprefix("pipeline.") for name in names}


def test_every_part_of_the_house_stands_on_a_floor() -> None:
    parts = {path.relative_to(REPO / "pipeline").parts[0].removesuffix(".py") for path in MODULES}
    assert parts - {"__init__", "__main__"} == floors()


def test_the_contributors_are_told_the_same_floors() -> None:
    text = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d \| ([^|]+) \|", text, flags=re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == floors()


def imported(path: Path) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


def test_only_pool_imports_pymare() -> None:
    users = {path for path in MODULES if "pymare" in imported(path)}
    assert users, "nothing imports PyMARE; this test would prove nothing"
    outside = [p for p in users if p.relative_to(REPO).parts[:2] != ("pipeline", "pool")]
    assert not outside


def test_the_schema_is_free_of_io_and_of_large_libraries() -> None:
    allowed = set(sys.stdlib_module_names) - {"os", "pathlib", "io", "socket", "subprocess"}
    for path in (REPO / "pipeline" / "schema").glob("*.py"):
        assert imported(path) <= allowed | {"pipeline"}, path


@pytest.mark.parametrize("path", MODULES, ids=ids(MODULES))
def test_a_module_opens_with_a_sentence(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring, "no docstring"
    first = docstring.partition("\n\n")[0]
    assert first.endswith((".", ":")), first


# Start-up


def test_the_command_line_starts_without_any_large_library() -> None:
    code = "import sys; from pipeline.cli import main; print(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "pipeline" in loaded
    assert not loaded & HEAVY


# Lock files


@pytest.mark.parametrize("name", ["run.txt", "test.txt"])
def test_each_line_of_a_lock_file_is_a_pinned_version_with_its_hashes(name: str) -> None:
    text = (REPO / "lock" / name).read_text(encoding="utf-8")
    assert "://" not in text
    lines = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    assert len(lines) > 20
    for line in lines:
        assert PINNED.match(line), line


def test_the_lock_for_tests_holds_the_lock_for_runs() -> None:
    pins = [
        set(re.findall(r"^[\w.\-]+==\S+", (REPO / "lock" / name).read_text(), flags=re.MULTILINE))
        for name in ("run.txt", "test.txt")
    ]
    assert pins[0] <= pins[1]


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))
    locked = re.findall(r"^([\w.\-]+)==", (REPO / "lock" / "run.txt").read_text(), re.MULTILINE)
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    names = {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names <= set(locked)


# What stands in the repository


def test_no_file_names_a_registry_or_a_folder_of_ours() -> None:
    files = git_files()
    assert REPO / "pyproject.toml" in files
    found = [
        f"{path.relative_to(REPO)}: {words}"
        for path in files
        for words in FORBIDDEN
        if words.encode() in path.read_bytes()
    ]
    assert not found


def test_the_licence_is_here_and_named() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "MIT"
    assert "MIT License" in (REPO / "LICENSE").read_text(encoding="utf-8")


def make_targets() -> set[str]:
    """The commands of the Makefile."""
    return set(re.findall(r"^([a-z]+):", (REPO / "Makefile").read_text(), flags=re.MULTILINE))


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_of_the_documents_exists(name: str) -> None:
    text = (REPO / name).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^ *|`|\$ )make ([a-z]+)", text, flags=re.MULTILINE))
    assert {"run", "test"} <= named
    assert named <= make_targets()


def test_every_evipool_command_of_the_readme_exists() -> None:
    text = (REPO / "README.md").read_text(encoding="utf-8")
    named = sorted(
        set(re.findall(r"(?:^ *|`|\$ |bin/)evipool ([a-z-]+)", text, flags=re.MULTILINE))
    )
    assert "run" in named
    for command in named:
        run = subprocess.run(
            [sys.executable, "-c", "from pipeline.cli import main; main()", command, "--help"],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, f"evipool {command}: {run.stderr}"


def test_help_names_every_command_of_the_makefile() -> None:
    shown = subprocess.run(
        ["make", "help"],  # noqa: S607
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert set(re.findall(r"make ([a-z]+)", shown)) == make_targets()


# Rules

PATTERNS = sorted((REPO / "pipeline" / "extract" / "patterns").glob("*.jsonl"))


def test_the_extractor_has_rules() -> None:
    assert PATTERNS


@pytest.mark.parametrize("path", PATTERNS, ids=ids(PATTERNS))
def test_each_line_of_a_rule_file_is_a_json_object_and_stands_once(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines
    for number, line in enumerate(lines, start=1):
        assert isinstance(json.loads(line), dict), f"line {number}"
    assert len(set(lines)) == len(lines), "a line stands twice"
