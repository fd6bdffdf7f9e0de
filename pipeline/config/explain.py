"""Words an error of the protocol: the place it comes from, the rule, and a near name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from pipeline.config.layers import Layers, origin, variable
from pipeline.config.models import Config, hide_login
from pipeline.config.names import Loc, suggest


def explain(path: Path, tree: yaml.Node | None, layers: Layers, error: ErrorDetails) -> str:
    """Say where a wrong value stands and what rule it breaks, on one line.

    Parameters
    ----------
    path : Path
        The YAML file.
    tree : yaml.Node or None
        The file's nodes, which know their lines.
    layers : Layers
        What flags, variables and file set, the highest first.
    error : ErrorDetails
        One of pydantic's errors.
    """
    loc: Loc = error["loc"] + error.get("ctx", {}).get("loc", ())
    where = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in loc).lstrip(".")
    place = _place(path, tree, layers, loc, where)
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key {where}{suggest(str(loc[-1]), _siblings(loc))}."
    if error["type"] == "missing":
        return f"{place}: {where} is missing."
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    whole = isinstance(error["input"], Mapping | Config)
    shown = "" if whole else f"Invalid {hide_login(repr(error['input']))}; "
    return f"{place}: {where}: {shown}{message}."


def _place(path: Path, tree: yaml.Node | None, layers: Layers, loc: Loc, where: str) -> str:
    """Name the variable, or the file and line, that a wrong value comes from."""
    source = origin(where, layers)
    if source == "flag":
        return "Command line"
    if source == "environment":
        return variable(where)
    line = _line(tree, loc)
    return f"{path}, line {line}" if line else str(path)


def _line(node: yaml.Node | None, loc: Loc) -> int | None:
    """Return the line of the deepest key of `loc` that the file holds."""
    line = None
    for key in loc:
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _siblings(loc: Loc) -> list[str]:
    """Return the keys that are known where `loc` ends."""
    model: Any = Config
    for key in loc[:-1]:
        if isinstance(key, str) and key in model.model_fields:
            model = _part_of(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def _part_of(annotation: Any) -> Any:
    """Find the `Part` inside an annotation such as tuple[Question, ...]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_part_of(a) for a in getattr(annotation, "__args__", ()))
    return next((a for a in inner if a is not None), None)
