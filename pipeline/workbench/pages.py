"""Renders the workbench's templates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from pipeline.errors import NothingFoundError
from pipeline.report.plain import visible
from pipeline.workbench.access import Session
from pipeline.workbench.desk import Desk

#: The screens in the order of the work.
SCREENS = (
    ("Dashboard", "/"),
    ("Screening", "/screen/"),
    ("Check", "/study/"),
    ("Conflicts", "/conflicts"),
    ("Analysis", "/analysis/"),
    ("Risk of bias", "/rob/"),
    ("Audit log", "/audit"),
    ("Export", "/export"),
    ("Help", "/help"),
)


def _shown(value: Any) -> Any:
    """What a template prints: text with its control characters visible, escaped or not yet."""
    if isinstance(value, Markup):
        return Markup(visible(value))  # noqa: S704 - adds brackets and letters only
    return visible(value) if isinstance(value, str) else value


ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
)


def desk_of(request: Request) -> Desk:
    """Return the desk of the application."""
    desk: Desk = request.app.state.desk
    return desk


def session_of(request: Request) -> Session:
    """Return the session that the guard let in."""
    session: Session = request.state.session
    return session


def who_of(request: Request) -> str:
    """Return who asks."""
    return session_of(request).reviewer


def page(request: Request, template: str, here: str, **values: Any) -> HTMLResponse:
    """Return a screen."""
    text = ENVIRONMENT.get_template(f"{template}.html.j2").render(
        session=session_of(request),
        screens=SCREENS,
        here=here,
        mode=desk_of(request).mode,
        query=values.pop("query", ""),
        **values,
    )
    return HTMLResponse(text.encode("utf-8", "replace"))


def part(template: str, **values: Any) -> str:
    """Return a part of a screen."""
    return ENVIRONMENT.get_template(f"{template}.html.j2").render(**values)


def field_row(view: Any, sheet: Any) -> str:
    """Return the row of a field."""
    macros: Any = ENVIRONMENT.get_template("field.html.j2").module
    return str(macros.row(view, sheet))


def missing(what: str) -> NothingFoundError:
    """Return the error that says that something is not there."""
    return NothingFoundError(f"There is no {what}.")
