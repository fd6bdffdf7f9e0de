"""Names the fields of a study that people check, and says what a value of each may be.

A field of the study itself has its own name ("n_total"). One of a row - an arm, a dose, an outcome,
a registration - has the row's key before it: "outcomes@1f0c9a77d2.events". The key says what the
row stands on, not where it stands in a list (`pipeline.review.rows`), so that it outlives a new
version of the extractor. A row as a whole has the path "outcomes@1f0c9a77d2"; its value is the
object of all the row's words and, for a row that a person adds, of its numbers too.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pipeline.errors import InputError
from pipeline.schema import (
    DESIGNS,
    DIRECTIONS,
    OUTCOME_TYPES,
    ROLES,
    SCREENING,
    WHOLE,
    Arm,
    Dose,
    Outcome,
    Reading,
    Study,
    Timepoint,
)

#: The rows of a study: the name of the list and the class of what it holds.
ROWS: Mapping[str, type] = {"arms": Arm, "doses": Dose, "outcomes": Outcome}
#: Each registration is a row without fields of its own.
PLAIN_ROWS = "registry_ids"
#: Fields of a study that a person checks.
STUDY_FIELDS = (
    "design",
    "condition",
    "comparison_class",
    "n_total",
    "n_enrolled",
    "n_completed",
)
#: Words from a closed list.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "design": DESIGNS,
    "role": ROLES,
    "type": OUTCOME_TYPES,
    "direction": DIRECTIONS,
}
#: The words of a row: they are checked together, as the row itself, and have no paths of their own.
HEAD: Mapping[str, tuple[str, ...]] = {
    "arms": ("label", "role", "treatment"),
    "doses": ("drug", "unit", "per", "phase", "route"),
    "outcomes": ("measure", "type", "arm"),
}
#: Those without which a row says nothing. An outcome may have no name: it then enters no pool.
NEEDED: Mapping[str, tuple[str, ...]] = {
    "arms": ("label", "role"),
    "doses": ("drug",),
    "outcomes": ("type",),
}
#: Longest text and largest number that a person may enter.
MAX_TEXT, MAX_NUMBER = 2000, 1e12

_ROW = re.compile(
    r"(arms|doses|outcomes|registry_ids)@([0-9a-z]{4,32})(?:\.([a-z_]{1,40}(?:\.[a-z]{1,40})?))?"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A field of the study or of a row.

    `kind` is "number", "choice" or "text"; `whole` asks for a whole number, `pair` allows two (a
    range). A `word` is a plain string of the class, without a quote of its own.
    """

    name: str
    kind: str
    whole: bool = False
    pair: bool = False
    word: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart: `rows` and `key` are "" for a field of the study itself.

    `name` is "" for a row as a whole.
    """

    name: str
    rows: str = ""
    key: str = ""

    @property
    def row(self) -> str:
        """The path of the row, "" for a field of the study."""
        return f"{self.rows}@{self.key}" if self.rows else ""


def parse(path: str) -> Path | None:
    """Take a path apart; None for what is none: a decision of an old version, another form's."""
    if path in STUDY_FIELDS or path in (SCREENING, WHOLE):
        return Path(path)
    found = _ROW.fullmatch(path)
    if found is None:
        return None
    rows, key, name = found.groups()
    if name is not None and (rows == PLAIN_ROWS or name not in row_slots(rows)):
        return None
    return Path(name or "", rows, key)


@cache
def slots(cls: type) -> Mapping[str, Slot]:
    """Return the fields of an arm, a dose, an outcome or a study that people check, by name."""
    hints = typing.get_type_hints(cls)
    names = STUDY_FIELDS if cls is Study else [n for n in hints if n not in ("quote", "reviewed")]
    found = {}
    for name in names:
        for slot in _slots(name, hints[name]):
            found[slot.name] = slot
    return found


@cache
def row_slots(rows: str) -> Mapping[str, Slot]:
    """Return the fields of a row that have paths of their own: all but the words of its head."""
    return {n: slot for n, slot in slots(ROWS[rows]).items() if n not in HEAD[rows]}


def _slots(name: str, hint: Any) -> list[Slot]:
    """The fields that a person sees of one field of a class."""
    members = [a for a in typing.get_args(hint) or (hint,) if a is not types.NoneType]
    held = members[0] if typing.get_origin(hint) in (types.UnionType, typing.Union) else hint
    if held is Timepoint:
        days = Slot(f"{name}.days", "number", pair=True)
        return [Slot(f"{name}.text", "text", word=True), days]
    choices = CHOICES.get(name, ())
    if typing.get_origin(held) is not Reading:
        return [Slot(name, "choice" if choices else "text", word=True, choices=choices)]
    (inner,) = typing.get_args(held)
    if inner is str:
        return [Slot(name, "choice" if choices else "text", choices=choices)]
    return [Slot(name, "number", whole=inner is int, pair=inner not in (int, float))]


def slot_of(path: Path) -> Slot | None:
    """Return what is known of a path's field; None for a row as a whole and a screening."""
    if path.rows in ROWS and path.name:
        return slots(ROWS[path.rows])[path.name]
    if path.rows == PLAIN_ROWS:
        return Slot("", "text")
    return None if path.rows else slots(Study).get(path.name)


def value_of(path: Path, text: str | None) -> Any:
    """Return the value that a decision's JSON text says of a field.

    Parameters
    ----------
    path : Path
    text : str or None
        None says that there is no value.

    Returns
    -------
    int, float, (float, float), str, dict or None
        A dict of values by name for a row as a whole.

    Raises
    ------
    InputError
        If it is no JSON, or no value that the field may have.
    """
    if text is None:
        return None
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"Invalid value of {_name(path)}: it is no JSON.") from error
    if path.rows in ROWS and not path.name:
        return _row_value(path, plain)
    slot = slot_of(path)
    return plain if slot is None or plain is None else _slot_value(slot, plain)


def _row_value(path: Path, plain: Any) -> dict[str, Any]:
    """The words and numbers of a row."""
    if not isinstance(plain, dict):
        raise InputError(f"Invalid value of {_name(path)}; must be an object of its words.")
    known = slots(ROWS[path.rows])
    for name in plain:
        if name not in known:
            raise InputError(f"Invalid name {name!r:.80} in {_name(path)}; it has no such field.")
    for name in NEEDED[path.rows]:
        if plain.get(name) is None:
            raise InputError(f"Invalid value of {_name(path)}; must name its {name}.")
    return {name: _slot_value(known[name], v) for name, v in plain.items() if v is not None}


def _slot_value(slot: Slot, plain: Any) -> Any:
    """A value that a field may have."""
    if slot.kind != "number":
        return _text_value(slot, plain)
    if slot.pair and isinstance(plain, list) and len(plain) == 2:
        low, high = (_number(slot, v) for v in plain)
        if low > high:
            raise InputError(f"Invalid {slot.name} {plain}; must go from low to high.")
        return low, high
    return _number(slot, plain)


def _text_value(slot: Slot, plain: Any) -> str:
    """A text, from a closed list where the field has one."""
    if not isinstance(plain, str) or not plain.strip() or len(plain) > MAX_TEXT:
        raise InputError(
            f"Invalid {slot.name or 'registration'}; must be a text of 1 to {MAX_TEXT} characters."
        )
    if slot.choices and plain not in slot.choices:
        raise InputError(
            f"Invalid {slot.name} {plain!r}; must be one of {', '.join(slot.choices)}."
        )
    return plain


def _number(slot: Slot, plain: Any) -> Any:
    """A finite number; a whole one, 0 or more, where the field counts."""
    number = isinstance(plain, int | float) and not isinstance(plain, bool)
    if not number or not -MAX_NUMBER <= plain <= MAX_NUMBER:
        raise InputError(f"Invalid {slot.name} {plain!r:.80}; must be a number.")
    if slot.whole and (plain != int(plain) or plain < 0):
        raise InputError(f"Invalid {slot.name} {plain!r}; must be a whole number, 0 or more.")
    return int(plain) if slot.whole else float(plain)


def _name(path: Path) -> str:
    """A path in a message."""
    return f"{path.row}.{path.name}".strip(".") if path.rows else path.name


def plain_of(value: Any) -> str | None:
    """Return a value as the JSON text of a decision; None for no value."""
    if value is None:
        return None
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
