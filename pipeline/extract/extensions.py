"""Registers what the components hand on, `doc._.<name>`, and says which component lacks what."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.errors import PipelineError
from pipeline.extract import COMPONENTS
from pipeline.schema import Record, Section

#: What the components hand on, as `doc._.<name>`.
EXTENSIONS = (
    "record",
    "source",
    "sentences",
    "interventions",
    "doses",
    "quantities",
    "design",
    "condition",
    "population",
    "arms",
    "comparison",
    "outcomes",
)


def register() -> None:
    """Register the extensions, once; None stands for what no component has set."""
    for name in EXTENSIONS:
        if not Doc.has_extension(name):
            Doc.set_extension(name, default=None)


def need(doc: Doc, component: str) -> None:
    """Refuse a Doc that lacks what a component says it requires.

    Raises
    ------
    PipelineError
        Naming the component, what it lacks, and which component gives that.
    """
    require(doc, component, _required(component))


@cache
def _required(component: str) -> tuple[str, ...]:
    """What a component says it requires."""
    return tuple(Language.get_factory_meta(component).requires)


def require(doc: Doc, who: str, attributes: Iterable[str]) -> None:
    """Refuse a Doc that lacks an attribute ("doc._.doses") which `who` needs; see `need`."""
    values = doc._
    for attribute in attributes:
        if getattr(values, attribute.removeprefix("doc._.")) is None:
            raise PipelineError(
                f"{who} needs {attribute}, which nothing has set; "
                f"add {_giver(attribute)} to the pipeline before it."
            )


def _giver(attribute: str) -> str:
    """The first of the components that assigns an attribute."""
    return next(c for c in COMPONENTS if attribute in Language.get_factory_meta(c).assigns)


def record_of(text: str) -> Record:
    """Return a record of a text that came without one: its first line is the title."""
    title, line_break, rest = text.partition("\n")
    return Record("doc", title, (Section(rest),) if line_break else ())


register()
