"""Reads config.yaml, the protocol of a review, into one frozen `Config`.

Precedence: command-line flag > EVIPOOL_* variable > config.yaml > default. Every value's origin
is kept for `evipool config show`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from pipeline.errors import ConfigError
from pipeline.schema import DESIGNS

#: Variables that belong to the project without being settings of a review.
NOT_SETTINGS = frozenset(
    {"EVIPOOL_REQUIRE_ALL", "EVIPOOL_CHROMIUM", "EVIPOOL_CONFIG", "EVIPOOL_TRACEBACK"}
)
PREFIX = "EVIPOOL_"

Design = Literal[DESIGNS]  # type: ignore[valid-type]
Proportion = Annotated[float, Field(gt=0, lt=1)]
Loc = tuple[int | str, ...]
Layers = tuple[tuple[str, Mapping[str, Any]], ...]


class Part(BaseModel):
    """A part of the protocol: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ncbi(Part):
    """How PubMed is asked. NCBI wants an e-mail; a key lifts the rate from 3/s to 10/s."""

    email: str | None = None
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    base_url: str = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
    batch_size: int = Field(200, ge=1, le=500)
    timeout_s: float = Field(60, gt=0)


class Database(Part):
    """Where the store lives; by default corpus/evidence.sqlite in the review's folder."""

    url: str | None = None


class Intervention(Part):
    """The treatment under review: `short` names it in comparison classes ("Ig vs placebo")."""

    name: str
    short: str
    terms: tuple[str, ...] = Field(min_length=1)


class Condition(Part):
    """A condition of the population: its MeSH descriptor and the phrases that name it."""

    name: str
    mesh: str | None = None
    terms: tuple[str, ...] = ()


class Eligibility(Part):
    """Which records may enter the pools."""

    intervention: Intervention
    population: tuple[Condition, ...] = Field(min_length=1)
    designs: tuple[Design, ...] = Field(min_length=1)
    min_n: int = Field(3, ge=1)


class OutcomeDef(Part):
    """An outcome of the protocol; `range` is the scale's, in `unit`."""

    name: str
    synonyms: tuple[str, ...] = ()
    kind: Literal["binary", "continuous"]
    unit: str | None = None
    range: tuple[float, float] | None = None
    direction: Literal["higher is better", "lower is better"] | None = None

    @field_validator("range")
    @classmethod
    def _in_order(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        """A scale runs from its lowest to its highest value."""
        if value is not None and not value[0] < value[1]:
            raise ValueError("must run from the lowest value to the highest")
        return value


class ModelSpec(Part):
    """The pooling model: tau2 estimator, test of the pooled effect, confidence level."""

    method: Literal["REML", "DL", "ML", "HE", "EE"] = "REML"
    test: Literal["knha", "adhoc", "z"] = "knha"
    level: Proportion = 0.95


class SensitivitySpec(Part):
    """A named variation of a question's analysis; what is not given stays as it is."""

    label: str
    method: Literal["REML", "DL", "ML", "HE", "EE"] | None = None
    test: Literal["knha", "adhoc", "z"] | None = None
    ri: Annotated[float, Field(gt=-1, lt=1)] | None = None
    designs: tuple[Design, ...] | None = None
    recover: tuple[str, ...] | None = None
    leave_one_out: bool = False


class Question(Part):
    """A pool: whose effect, against what, on which outcome, by which measure and model.

    `comparator` holds phrases of which the comparator arm must show one; `recover` names the
    conversions that may stand in for numbers a paper does not print (`effects.convert`); `ri` is
    the assumed correlation of two measurements of one patient.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    conditions: tuple[str, ...] = ()
    comparisons: tuple[str, ...] = Field(min_length=1)
    comparator: tuple[str, ...] = ()
    outcome: str
    measure: str
    designs: tuple[Design, ...] = ()
    model: ModelSpec = ModelSpec()
    subgroup: Literal["condition", "design"] | None = None
    ri: Annotated[float, Field(gt=-1, lt=1)] | None = None
    recover: tuple[str, ...] = ()
    favours: tuple[str, str] | None = None
    sensitivity: tuple[SensitivitySpec, ...] = ()


class Review(Part):
    """How people check the readings."""

    mode: Literal["single", "verify", "dual"] = "verify"
    require_reviewed: bool = False


class Report(Part):
    """How results are printed."""

    style: Literal["revman", "bmj", "jama"] = "revman"


class Config(Part):
    """The whole protocol."""

    title: str
    query: str = ""
    source: str = "demo"
    files: tuple[Path, ...] = ()
    ncbi: Ncbi = Ncbi()
    database: Database = Database()
    eligibility: Eligibility
    outcomes: tuple[OutcomeDef, ...] = Field(min_length=1)
    questions: tuple[Question, ...] = Field(min_length=1)
    review: Review = Review()
    report: Report = Report()

    @model_validator(mode="after")
    def _names_agree(self) -> Config:
        """Each name stands once, and questions name outcomes and conditions that exist."""
        outcomes = [o.name for o in self.outcomes]
        conditions = [c.name for c in self.eligibility.population]
        _once(("outcomes",), "name", outcomes)
        _once(("eligibility", "population"), "name", conditions)
        _once(("questions",), "id", [q.id for q in self.questions])
        for i, question in enumerate(self.questions):
            _known(("questions", i, "outcome"), question.outcome, outcomes)
            for j, name in enumerate(question.conditions):
                _known(("questions", i, "conditions", j), name, conditions)
        return self

    def outcome(self, name: str) -> OutcomeDef:
        """Return the outcome of that name."""
        return next(o for o in self.outcomes if o.name == name)


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
    env = _from_environ(environ or {})
    given = _nest({k: v for k, v in (flags or {}).items() if v is not None})
    layers = (("flag", given), ("environment", env), (str(path), data))
    try:
        config = Config.model_validate(_merge(_merge(data, env), given))
    except ValidationError as error:
        lines = (_explain(path, tree, layers, e) for e in error.errors())
        raise ConfigError("\n".join(lines)) from error
    keyed = _with_key(config, path.parent)
    origins = {key: _origin(key, layers) for key, _ in flatten(keyed.model_dump(mode="json"))}
    if keyed is not config:
        origins["ncbi.api_key"] = str(config.ncbi.api_key_file)
    return Loaded(keyed, origins)


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


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return what EVIPOOL_* variables set: `__` goes one level down."""
    settings = {}
    for name, text in environ.items():
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            key = name.removeprefix(PREFIX).lower().replace("__", ".")
            settings[key] = text if key.endswith("api_key") else _scalar_or_list(text)
    return _nest(settings)


def _scalar_or_list(text: str) -> Any:
    """Read numbers, true, false, null and lists as YAML; all else is text as typed: a query."""
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text
    return value if value is None or isinstance(value, bool | int | float | list) else text


def _nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} -> {"a": {"b": 1}}."""
    nested: dict[str, Any] = {}
    for path, value in sorted(flat.items()):
        *parents, last = path.split(".")
        place = nested
        for parent in parents:
            place = place.setdefault(parent, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{_variable(parent)} and {_variable(path)} exclude each other.")
        place[last] = value
    return nested


def _variable(path: str) -> str:
    """The variable that sets a dotted path."""
    return PREFIX + path.partition("[")[0].upper().replace(".", "__")


def _merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `high` over `low`, mapping by mapping; lists are replaced whole."""
    merged = dict(low)
    for key, value in high.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


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


def _origin(path: str, layers: Layers) -> str:
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


def _explain(path: Path, tree: yaml.Node | None, layers: Layers, error: ErrorDetails) -> str:
    """Say where the value stands and what rule it breaks, on one line."""
    loc: Loc = error["loc"] + error.get("ctx", {}).get("loc", ())
    where = "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in loc).lstrip(".")
    place = _place(path, tree, layers, loc, where)
    if error["type"] == "extra_forbidden":
        return f"{place}: unknown key {where}{_suggest(str(loc[-1]), _siblings(loc))}."
    if error["type"] == "missing":
        return f"{place}: {where} is missing."
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    shown = "" if isinstance(error["input"], Mapping | Config) else f"Invalid {error['input']!r}; "
    return f"{place}: {where}: {shown}{message}."


def _place(path: Path, tree: yaml.Node | None, layers: Layers, loc: Loc, where: str) -> str:
    """Name the variable, or the file and line, that a wrong value comes from."""
    origin = _origin(where, layers)
    if origin == "flag":
        return "Command line"
    if origin == "environment":
        return _variable(where)
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


def _once(loc: Loc, key: str, names: list[str]) -> None:
    """Refuse a list in which two entries have one name."""
    for i, name in enumerate(names):
        if name in names[:i]:
            raise _at((*loc, i, key), f"{name!r} stands twice")


def _known(loc: Loc, name: str, names: list[str]) -> None:
    """Refuse a name that is not defined, and say which are."""
    if name not in names:
        hint = _suggest(name, names)
        raise _at(loc, f"{name!r} is not defined{hint}; defined: {', '.join(names)}")


def _at(loc: Loc, message: str) -> PydanticCustomError:
    """An error of the whole protocol that belongs to one of its places."""
    return PydanticCustomError("names", "{message}", {"message": message, "loc": loc})


def _suggest(name: str, names: list[str]) -> str:
    """Return " (did you mean 'x'?)" where a name is near."""
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
