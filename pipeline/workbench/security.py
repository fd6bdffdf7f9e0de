"""Guards the workbench: headers of every answer, who may enter, which writes are its own."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.workbench.access import Access

#: Nothing is run, shown or sent but what this server serves; `data:` is the empty icon.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
#: The header that carries the session's token with each write.
CSRF = "x-evipool-token"
SAFE = ("GET", "HEAD")
#: Bytes of a body: of a write, and of a file of decisions.
LARGEST, LARGEST_FILE = 1_000_000, 20_000_000
UPLOADS = ("/api/import",)

_NO_ENTRY = (
    "The workbench does not know this browser. Open the address that `evipool review` printed; "
    "it works once. Start it again for a new one."
)


def protect(app: Starlette, access: Access, hosts: Iterable[str] = ()) -> None:
    """Put the guards round an application.

    What is added last stands outermost: the host's name is judged before anything answers, so
    that a page which rebound its name to this machine learns nothing.
    """
    app.add_middleware(BodyLimit)
    app.add_middleware(Guard, access=access)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=allowed_hosts(hosts), www_redirect=False
    )


class SecurityHeaders:
    """Puts `HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and put the headers on its answer."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, guarded)


class Guard:
    """Lets in who holds a session or brings a token; refuses writes that are not the page's own."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app, self.access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; pass the rest on."""
        if scope["type"] != "http":
            return
        refused = self._refusal(scope)
        if refused is not None:
            await refused(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        """The answer that ends a request here; None where it may go on."""
        headers = Headers(scope=scope)
        token = dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("token")
        if scope["method"] == "GET" and token is not None:
            return self._entrance(scope, token)
        session = self.access.session(_cookie(headers, self.access.cookie))
        if session is None:
            return PlainTextResponse(_NO_ENTRY, status_code=401)
        if scope["method"] not in (*SAFE, "POST"):
            return PlainTextResponse("Only GET and POST are served.", status_code=405)
        if scope["method"] == "POST":
            if fault := _foreign(headers):
                return PlainTextResponse(fault, status_code=403)
            if not _same(headers.get(CSRF, ""), session.csrf):
                return PlainTextResponse("The page's token is missing.", status_code=403)
        scope.setdefault("state", {})["session"] = session
        return None

    def _entrance(self, scope: Scope, token: str) -> Response:
        """Open a session, and lead to the same address without its token."""
        key = self.access.enter(token)
        if key is None:
            return PlainTextResponse(_NO_ENTRY, status_code=401)
        rest = [p for p in parse_qsl(scope["query_string"].decode("latin-1")) if p[0] != "token"]
        query = f"?{urlencode(rest)}" if rest else ""
        path = "/" + scope["path"].lstrip("/\\")  # "//host" would lead to another machine
        answer = RedirectResponse(path + query, status_code=303)
        answer.set_cookie(self.access.cookie, key, httponly=True, samesite="strict", path="/")
        return answer


class BodyLimit:
    """Reads a body before the route does, and refuses one that is too large."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then pass the request on."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        largest = LARGEST_FILE if scope["path"] in UPLOADS else LARGEST
        body = await _read(receive, largest, Headers(scope=scope).get("content-length", "0"))
        if body is None:
            said = f"Larger than {largest // 1_000_000} MB."
            await PlainTextResponse(said, status_code=413)(scope, receive, send)
            return
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return parts.pop() if parts else await receive()

        await self.app(scope, replay, send)


async def _read(receive: Receive, largest: int, announced: str) -> bytes | None:
    """The whole body; None where it is larger than `largest`."""
    if announced.isdigit() and int(announced[:12]) > largest:
        return None
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > largest:
            return None
        if not message.get("more_body"):
            return bytes(body)


def allowed_hosts(names: Iterable[str]) -> list[str]:
    """Return the names under which the workbench may be asked for, this machine's own first."""
    return list(dict.fromkeys(["127.0.0.1", "localhost", "[::1]", *names]))


def _cookie(headers: Headers, name: str) -> str | None:
    """The value of a cookie."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return found.value if found else None


def _foreign(headers: Headers) -> str:
    """Why a write does not come from the workbench's own page; "" where it does."""
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return "A write from another site is refused."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return "A write of another origin is refused."
    return ""


def _same(given: str, known: str) -> bool:
    """Whether two tokens are one, in a time that tells nothing."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), known.encode())
