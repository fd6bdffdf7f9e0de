"""Makes the application: guards round it, screens and JSON routes in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from pipeline.errors import InputError, NothingFoundError, PipelineError, StaleError
from pipeline.workbench import api, screens
from pipeline.workbench.access import Access
from pipeline.workbench.desk import Desk
from pipeline.workbench.pages import page
from pipeline.workbench.security import protect

STATIC = Path(__file__).parent / "static"


def create_app(desk: Desk, access: Access, *, hosts: Iterable[str] = ()) -> FastAPI:
    """Return the workbench of a review.

    Parameters
    ----------
    desk : Desk
        What it works on.
    access : Access
        Who may enter.
    hosts : iterable of str
        Names, beside this machine's own, under which it may be asked for.
    """
    app = FastAPI(title="Evipool workbench", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk, app.state.access = desk, access
    app.include_router(screens.router)
    app.include_router(api.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_exception_handler(PipelineError, _refused)
    app.add_exception_handler(HTTPException, _unknown)
    app.add_exception_handler(RequestValidationError, _malformed)
    protect(app, access, hosts)
    return app


def _said(request: Request, said: str, code: int) -> Response:
    """A refusal: a page where a page was asked for, else JSON."""
    if request.method == "GET" and not request.url.path.startswith("/static/"):
        answer = page(request, "missing", "", said=said)
        answer.status_code = code
        return answer
    return JSONResponse({"detail": said}, status_code=code)


def _unknown(request: Request, error: Exception) -> Response:
    """An address that there is not, or a method that it has not."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return _said(request, "There is no such page.", error.status_code)


def _refused(request: Request, error: Exception) -> Response:
    """A foreseen failure as one sentence."""
    codes = ((StaleError, 409), (NothingFoundError, 404), (InputError, 422))
    code = next((code for kind, code in codes if isinstance(error, kind)), 503)
    said = str(error)
    if isinstance(error, StaleError):
        said = "it has been changed elsewhere since this page was loaded. Reload the page."
    return _said(request, said, code)


def _malformed(request: Request, error: Exception) -> Response:
    """A request of another form; what it held is not repeated."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    places = sorted({".".join(map(str, e["loc"][1:])) or "body" for e in error.errors()})
    said = ", ".join(p.encode("ascii", "replace").decode()[:60] for p in places[:5])
    return _said(request, f"not of the form wanted: {said}.", 422)
