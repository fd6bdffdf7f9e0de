"""Lays flags over variables over the file, and says which of them set a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from pipeline.errors import ConfigError

#: Variables that belong to the project without being settings of a review.
NOT_SETTINGS = frozenset(
    {"EVIPOOL_REQUIRE_ALL", "EVIPOOL_CHROMIUM", "EVIPOOL_CONFIG", "EVIPOOL_TRACEBACK"}
)
PREFIX = "EVIPOOL_"
Layers = tuple[tuple[str, Mapping[str, Any]], ...]


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted path, leaf) of nested dicts and lists."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(v, Mapping) for v in value):
        for i, item in enumerate(value):
            yield from flatten(item, f"{path}[{i}]")
    else:
        yield path, value


def from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what EVIPOOL_* variables set: `__` goes one level down."""
    settings = {}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            settings[key] = text if key.endswith("api_key") else _scalar_or_list(text)
    return nest(settings)


def _scalar_or_list(text: str) -> Any:
    """Read numbers, true, false, null and lists as YAML; all else is text as typed: a query."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if value is None or isinstance(value, bool | int | float | list) else text


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} -> {"a": {"b": 1}}."""
    nested: dict[str, Any] = {}
    for path, value in sorted(flat.items()):
        *parents, last = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{variable(parent)} and {variable(path)} exclude each other.")
        place[last] = value
    return nested


def variable(path: str) -> str:
    """The variable that sets a dotted path."""
    return PREFIX + path.partition("[")[0].upper().replace(".", "__")


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `high` over `low`, mapping by mapping; lists are replaced whole."""
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def origin(path: str, layers: Layers) -> str:
    """Name the highest layer that sets `path`, or a list or value above it."""
    keys = path.replace("[", ".[").split(".")
    return next((name for name, layer in layers if _sets(layer, keys)), "default")


def _sets(layer: Any, keys: list[str]) -> bool:
    """Whether following `keys` through mappings ends at a value or a list."""
    for key in keys:
        if not isinstance(layer, Mapping):
            return layer is not None
        if key not in layer:
            return False
        layer = layer[key]
    return True
