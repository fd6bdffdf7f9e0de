"""Whatever is sent to the JSON routes, no answer is a 5xx (schemathesis makes it up)."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "route", ["decide", "row", "screen", "adjudicate", "rob", "sensitivity", "undo"]
)
def test_no_body_makes_a_route_fail(bench: Any, route: str) -> None:
    made = bench()
    client = made.client("Ada")
    operation = schemathesis.openapi.from_dict(made.app.openapi())[f"/api/{route}"]["POST"]

    @given(case=operation.as_strategy() | _near(operation))
    @settings(max_examples=40, suppress_health_check=list(HealthCheck))
    def sent(case: Any) -> None:
        answer = client.post(f"/api/{route}", json=case.body)
        assert answer.status_code < 500, answer.text
        assert answer.status_code == 200 or isinstance(answer.json()["detail"], str)

    sent()


def _near(operation: Any) -> Any:
    """Bodies of the right form on a study that there is."""

    def placed(case: Any, field: str) -> Any:
        if isinstance(case.body, dict):
            case.body = {**case.body, "record_id": "pmid999", "version": 0}
            if "field" in case.body:
                case.body["field"] = field
        return case

    fields = st.sampled_from(["n_total", "condition", "design", "study", "screening", "n_enrolled"])
    return st.builds(placed, operation.as_strategy(), fields)


@given(body=st.binary(max_size=300))
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
def test_no_file_makes_the_import_fail(importer: Any, body: bytes) -> None:
    assert importer.post("/api/import", content=body).status_code in (200, 422)


@pytest.fixture
def importer(bench: Any) -> Any:
    """A browser on a workbench of one's own."""
    return bench(bound=False).client("Ada")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b"[" * 10_000])
def test_no_malformed_json_makes_a_route_fail(bench: Any, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = bench().client("Ada").post("/api/decide", content=content, headers=headers)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    "address",
    [
        "/study/%00",
        "/study/%ff",
        "/study/..%2f..%2fetc",
        "/?q=%00%ed%a0%80",
        "/audit?skip=-1",
        "/audit?skip=99999999999999999999",
        "/analysis/x?in=%ff",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/export/..%2f..%2fconfig.yaml",
        "/audit?who=" + "a" * 5000,
    ],
)
def test_no_address_makes_a_screen_fail(bench: Any, address: str) -> None:
    answer = bench().client("Ada").get(address)
    assert answer.status_code in (200, 404, 422)
    assert "create_app" not in answer.text
