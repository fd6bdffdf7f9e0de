"""Reads config.yaml with variables and flags laid over it into one frozen `Config`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr, ValidationError

from pipeline.config.explain import explain
from pipeline.config.layers import flatten, from_environ, merge, nest, origin
from pipeline.config.models import Config
from pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration with where each of its values came from, by dotted path."""

    config: Config
    origins: Mapping[str, str]


def load(
    path: Path,
    *,
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read and check a configuration.

    Parameters
    ----------
    path : Path
        The YAML file.
    flags : mapping, optional
        Values from the command line by dotted path ("ncbi.email"); None means not given.
    environ : mapping, optional
        Environment variables; EVIPOOL_NCBI__EMAIL sets ncbi.email.

    Raises
    ------
    ConfigError
        Naming file, line, path and rule of every value that is wrong.
    """
    text = _read(path)
    tree, data = _parse(path, text)
    ncbi = data.get("ncbi")
    if isinstance(ncbi, dict) and "api_key" in ncbi:
        raise ConfigError(
            f"{path}: ncbi.api_key is a secret and must not stand in this file; set the variable "
            "EVIPOOL_NCBI__API_KEY or name a file in ncbi.api_key_file."
        )
    env = from_environ(environ or {})
    given = nest({k: v for k, v in (flags or {}).items() if v is not None})
    layers = (("flag", given), ("environment", env), (str(path), data))
    try:
        config = Config.model_validate(merge(merge(data, env), given))
    except ValidationError as error:
        lines = (explain(path, tree, layers, e) for e in error.errors())
        raise ConfigError("\n".join(lines)) from error
    keyed = _with_key(config, path.parent)
    origins = {key: origin(key, layers) for key, _ in flatten(keyed.model_dump(mode="json"))}
    if keyed is not config:
        origins["ncbi.api_key"] = str(config.ncbi.api_key_file)
    return Loaded(keyed, origins)


def _read(path: Path) -> str:
    """Return the file's text, or say what is wrong with it."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"No configuration at {path}; `evipool init` writes one.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read {path}: {error}.") from error


def _parse(path: Path, text: str) -> tuple[yaml.Node | None, dict[str, Any]]:
    """Return the YAML node tree (for line numbers) and its data."""
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2020-13-45
        raise ConfigError(f"{path} is not valid YAML: {_one_line(error)}.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold keys and values; it holds {type(data).__name__}.")
    twice = next(_duplicates(tree), None)
    if twice is not None:
        raise ConfigError(f"{path}, line {twice[1]}: the key {twice[0]!r} stands twice.")
    return tree, data


def _one_line(error: Exception) -> str:
    """YAML's message and its place, on one line."""
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return place + str(getattr(error, "problem", None) or error).replace("\n", " ")


def _duplicates(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Yield (key, line) of every key that a mapping holds twice; PyYAML keeps the last only."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key.value, key.start_mark.line + 1
            seen.add(key.value)
            yield from _duplicates(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _duplicates(value)


def _with_key(config: Config, folder: Path) -> Config:
    """Read the API key's file, if one is named and no variable holds the key."""
    file = config.ncbi.api_key_file
    if file is None or config.ncbi.api_key is not None:
        return config
    try:
        key = (folder / file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read ncbi.api_key_file {file}: {error}.") from error
    if not key:
        raise ConfigError(f"ncbi.api_key_file {file} is empty; it must hold the key.")
    ncbi = config.ncbi.model_copy(update={"api_key": SecretStr(key)})
    return config.model_copy(update={"ncbi": ncbi})
