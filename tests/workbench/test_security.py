"""Each threat of the workbench's table, and the answer that ends it."""

from __future__ import annotations

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient

from pipeline.workbench.access import Access
from pipeline.workbench.security import CSRF, LARGEST, LARGEST_FILE, protect

HOST = "http://127.0.0.1:8000"


@pytest.fixture
def access() -> Access:
    return Access.of_one("Ada")


@pytest.fixture
def app(access: Access) -> FastAPI:
    """Two routes behind the guards; each tells who asks."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/")
    @app.post("/")
    @app.post("/api/import")
    async def who(request: Request) -> dict[str, object]:
        body = await request.body()
        return {"who": request.state.session.reviewer, "bytes": len(body)}

    protect(app, access)
    return app


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A browser that did not enter yet."""
    return TestClient(app, base_url=HOST, follow_redirects=False)


@pytest.fixture
def inside(client: TestClient, access: Access) -> TestClient:
    """A browser that entered."""
    assert client.get("/", params={"token": access.tokens["Ada"]}).status_code == 303
    return client


def csrf(client: TestClient, access: Access) -> dict[str, str]:
    """The header that the page's own writes carry."""
    session = access.session(client.cookies[access.cookie])
    assert session is not None
    return {CSRF: session.csrf}


def test_the_start_address_opens_a_session_and_loses_its_token(
    client: TestClient, access: Access
) -> None:
    answer = client.get("/", params={"token": access.tokens["Ada"], "q": "pain"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?q=pain"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/").json() == {"who": "Ada", "bytes": 0}


def test_the_token_of_the_start_address_works_once(client: TestClient, access: Access) -> None:
    token = access.tokens["Ada"]
    assert client.get("/", params={"token": token}).status_code == 303
    client.cookies.clear()
    assert client.get("/", params={"token": token}).status_code == 401


def test_a_look_ahead_does_not_use_the_token_up(client: TestClient, access: Access) -> None:
    token = access.tokens["Ada"]
    assert client.head("/", params={"token": token}).status_code == 401
    assert client.get("/", params={"token": token}).status_code == 303


def test_a_reviewers_own_token_works_again(app: FastAPI) -> None:
    access = Access({"Ada": "a" * 20, "Ben": "b" * 20}, once=False)
    again = FastAPI()
    protect(again, access)
    client = TestClient(again, base_url=HOST, follow_redirects=False)
    for _ in range(2):
        assert client.get("/", params={"token": "b" * 20}).status_code == 303
    session = access.session(client.cookies[access.cookie])
    assert session is not None
    assert session.reviewer == "Ben"


def test_an_entrance_never_leads_to_another_machine(client: TestClient, access: Access) -> None:
    answer = client.get(f"{HOST}//evil.example/", params={"token": access.tokens["Ada"]})
    assert answer.headers["location"] == "/evil.example/"


@pytest.mark.parametrize("cookie", [None, "nonsense", "\x00", "é"])
def test_without_a_session_nothing_is_told(
    client: TestClient, access: Access, cookie: str | None
) -> None:
    headers = {"cookie": f"{access.cookie}={cookie}".encode()} if cookie else {}
    assert client.get("/", headers=headers).status_code == 401  # type: ignore[arg-type]
    assert client.post("/", headers=headers).status_code == 401  # type: ignore[arg-type]


@pytest.mark.parametrize("token", ["", "wrong", "ä" * 40])
def test_a_wrong_token_opens_nothing(client: TestClient, token: str) -> None:
    answer = client.get("/", params={"token": token})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "a b"])
def test_a_rebound_name_is_refused_before_anything_answers(
    inside: TestClient, access: Access, host: str
) -> None:
    """Even with the cookie, and even where the guard would answer 401 or 303."""
    for params in ({}, {"token": "x"}):
        answer = inside.get("/", headers={"host": host}, params=params)
        assert answer.status_code == 400
        assert "set-cookie" not in answer.headers


def test_localhost_is_a_name_of_this_machine(inside: TestClient, access: Access) -> None:
    headers = {"cookie": f"{access.cookie}={inside.cookies[access.cookie]}"}
    for name in ("localhost:8000", "127.0.0.1:8000", "[::1]:8000"):
        assert inside.get("/", headers={"host": name, **headers}).status_code == 200


def test_the_page_may_write(inside: TestClient, access: Access) -> None:
    own = {"origin": HOST, "sec-fetch-site": "same-origin", **csrf(inside, access)}
    assert inside.post("/", headers=own, content=b"abc").json() == {"who": "Ada", "bytes": 3}


@pytest.mark.parametrize(
    "foreign",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9999"},
        {"origin": "null"},
        {CSRF: ""},
        {CSRF: "ß"},
    ],
)
def test_a_write_of_another_page_is_refused(
    inside: TestClient, access: Access, foreign: dict[str, str]
) -> None:
    headers = {k: v.encode() for k, v in {**csrf(inside, access), **foreign}.items()}
    assert inside.post("/", headers=headers).status_code == 403  # type: ignore[arg-type]


def test_a_write_without_the_pages_token_is_refused(inside: TestClient) -> None:
    assert inside.post("/").status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_get_and_post_are_served(inside: TestClient, method: str) -> None:
    assert inside.request(method, "/").status_code == 405


@pytest.mark.parametrize("address", ["/", "/missing", "/?token=wrong"])
def test_every_answer_carries_the_headers(inside: TestClient, address: str) -> None:
    headers = inside.get(address).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


def test_a_body_has_a_largest_size(inside: TestClient, access: Access) -> None:
    headers = csrf(inside, access)
    assert inside.post("/", headers=headers, content=b"x" * LARGEST).status_code == 200
    assert inside.post("/", headers=headers, content=b"x" * (LARGEST + 1)).status_code == 413
    streamed = (b"x" * 100_000 for _ in range(11))
    assert inside.post("/", headers=headers, content=streamed).status_code == 413


def test_a_file_of_decisions_may_be_larger(inside: TestClient, access: Access) -> None:
    headers = csrf(inside, access)
    more = b"x" * (LARGEST + 1)
    assert inside.post("/api/import", headers=headers, content=more).status_code == 200
    too_large = {**headers, "content-length": str(LARGEST_FILE + 1)}
    assert inside.post("/api/import", headers=too_large, content=b"x").status_code == 413
