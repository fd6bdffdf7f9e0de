"""Writes manifest.json: what ran, on what, with which versions, and the hash of every file."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.report.files import write_file

#: Keys of the configuration whose values stay out of the manifest.
SECRETS = frozenset({"api_key", "api_key_file", "email", "password", "token"})
MASK = "***"
_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")


@dataclass(frozen=True, slots=True)
class Environment:
    """What a run ran on; the commit is None where the package is no git checkout."""

    version: str
    python: str
    system: str
    packages: Mapping[str, str]
    git_commit: str | None = None
    git_dirty: bool | None = None


def read_environment(version: str, checkout: Path) -> Environment:
    """Return the environment of this process: versions, and the commit where there is one."""
    found = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    packages = dict(sorted(found.items(), key=lambda item: item[0].lower()))
    commit = _git(checkout, "rev-parse", "HEAD")
    changed = None if commit is None else _git(checkout, "status", "--porcelain")
    dirty = None if changed is None else bool(changed)
    return Environment(
        version, sys.version.split()[0], platform.platform(), packages, commit, dirty
    )


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None without git, or outside a checkout."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return None
    command = [git, "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    return done.stdout.strip() if done.returncode == 0 else None


def write_manifest(
    folder: Path,
    *,
    run_id: str,
    started: str,
    ended: str,
    argv: Sequence[str],
    environment: Environment,
    config: Mapping[str, Any],
    search_ids: Sequence[str],
    inputs: Iterable[Path] = (),
    outputs: Iterable[Path] = (),
    counts: Mapping[str, int],
    models: Mapping[str, Mapping[str, str]],
) -> Path:
    """Write manifest.json into the folder of a run.

    Parameters
    ----------
    folder : Path
        The run's output folder; outputs are named relative to it.
    run_id : str
        Name of the run.
    started, ended : str
        ISO 8601 times, UTC.
    argv : sequence of str
        The command line.
    environment : Environment
        See `read_environment`.
    config : mapping
        The configuration as plain data; secrets are masked here, and the hash is of what is shown.
    search_ids : sequence of str
        The searches that the run used.
    inputs, outputs : iterable of Path
        Files that were read and written; each is hashed.
    counts : mapping
        Records per box of the flow diagram.
    models : mapping
        The choices of each question: effect, tau2 estimator, interval, I2 formula.

    Raises
    ------
    InputError
        If a file that was named cannot be read.
    OutputError
        If the manifest cannot be written.
    """
    shown = mask(config)
    content = {
        "run_id": run_id,
        "started": started,
        "ended": ended,
        "argv": list(argv),
        "environment": asdict(environment),
        "config": shown,
        "config_sha256": hashlib.sha256(_json(shown)).hexdigest(),
        "searches": list(search_ids),
        "inputs": {str(p): _sha256(p) for p in sorted(inputs)},
        "outputs": {_relative(p, folder): _sha256(p) for p in sorted(outputs)},
        "counts": dict(counts),
        "models": {question: dict(model) for question, model in models.items()},
    }
    return write_file(folder / "manifest.json", _json(content, indent=2) + b"\n")


def mask(value: Any, key: str = "") -> Any:
    """Return a configuration without its secrets: keys, e-mail, and logins inside addresses."""
    if isinstance(value, Mapping):
        return {str(k): mask(v, str(k)) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(v, key) for v in value]
    if key.lower() in SECRETS and value is not None:
        return MASK
    return _LOGIN.sub(MASK, value) if isinstance(value, str) else value


def _json(value: Any, indent: int | None = None) -> bytes:
    """JSON in the order given; the compact form, which is hashed, sorts its keys."""
    text = json.dumps(
        value, ensure_ascii=False, indent=indent, sort_keys=indent is None, default=str
    )
    return text.encode("utf-8", errors="replace")


def _sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror}.") from error


def _relative(path: Path, folder: Path) -> str:
    """The path within the folder, with forward slashes; as it is where it lies outside."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
