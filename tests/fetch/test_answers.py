"""Every fault of pubmed.md, sections 2 and 7, judged: asked again, refused, or good."""

from __future__ import annotations

import pytest

from pipeline.fetch.answers import Answer, judge

PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>"
VIEWER = (
    b"<eFetchResult><ERROR> Error: External viewer error: Empty Response. Bytes read: 0 Status: "
    b"Timeout</ERROR></eFetchResult>"
)
RATE = b'{"error":"API rate limit exceeded","api-key":"0123","count":"4","limit":"3"}'
CAP = (
    b'{"esearchresult":{"ERROR":"Search Backend failed: Exception:\n\'retstart\' out of acceptable '
    b'range [9999,9998]"}}'
)
BACKEND = b'{"esearchresult":{"ERROR":"Search Backend failed: Database is not supported: pubmed"}}'
BAD_QUERY = b'{"esearchresult":{"ERROR":"Search Backend failed: unbalanced parentheses"}}'
KEY = b'{"error":"API key invalid","api-key":"0123","type":"invalid","status":"unknown"}'
NO_IDS = b'{"error":"ID list is empty! Possibly it has no correct IDs."}'
GONE = b'{"esearchresult":{"ERROR":"Unable to obtain query #1"}}'
MANY = b'{"error":"Too many UIDs in request. Maximum number of UIDs is 500 for JSON format"}'
GOOD = b'<?xml version="1.0" ?>\n<PubmedArticleSet></PubmedArticleSet>'

AGAIN = [
    (429, RATE, "HTTP 429 API rate limit exceeded"),
    (200, RATE, "API rate limit exceeded"),
    (500, b"", "HTTP 500"),
    (502, PAGE, "HTTP 502"),
    (503, b"try later", "HTTP 503 try later"),
    (408, b"", "HTTP 408"),
    (200, b"", "an empty answer"),
    (200, b" \n", "an empty answer"),
    (200, PAGE, "an HTML page instead of data"),
    (200, VIEWER, "External viewer error"),
    (400, VIEWER, "External viewer error"),
    (200, BACKEND, "Database is not supported"),
    (400, BACKEND, "Database is not supported"),
    (200, b"<eSearchResult><ERROR></ERROR></eSearchResult>", "an error without a word"),
    (200, b'{"esearchresult":{"count":"3","idl', "incomplete JSON"),
    (302, b"", "redirects are not followed"),
    (307, b"", "redirects are not followed"),
]
REFUSED = [
    (400, KEY, "API key invalid"),
    (200, KEY, "API key invalid"),
    (400, MANY, "Too many UIDs"),
    (200, CAP, r"out of acceptable range \[9999,9998\]"),
    (400, CAP, r"out of acceptable range \[9999,9998\]"),
    (200, BAD_QUERY, "unbalanced"),
    (200, GONE, "Unable to obtain query #1"),
    (400, GONE, "Unable to obtain query #1"),
    (403, b"", "HTTP 403"),
    (404, PAGE, "HTTP 404"),
    (414, b"", "HTTP 414"),
    (301, b"", "redirects are not followed"),
]
FINE = [
    (200, GOOD),
    (200, b'{"esearchresult":{"count":"1","idlist":["7"],"querytranslation":"a\nb"}}'),
    (400, NO_IDS),
    (
        200,
        b"<PubmedArticleSet><AbstractText>&lt;ERROR&gt; of 5 %</AbstractText></PubmedArticleSet>",
    ),
]


def answer(status: int, body: bytes, **headers: str) -> Answer:
    return Answer(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


@pytest.mark.parametrize(("status", "body", "reason"), AGAIN)
def test_what_passes_is_asked_again(status: int, body: bytes, reason: str) -> None:
    failure = judge(answer(status, body))
    assert failure is not None
    assert not failure.final
    assert reason in failure.reason


@pytest.mark.parametrize(("status", "body", "reason"), REFUSED)
def test_what_stays_is_not_asked_again(status: int, body: bytes, reason: str) -> None:
    failure = judge(answer(status, body))
    assert failure is not None
    assert failure.final
    assert reason.replace("\\", "") in failure.reason


@pytest.mark.parametrize(("status", "body"), FINE)
def test_a_good_answer_has_no_fault(status: int, body: bytes) -> None:
    assert judge(answer(status, body)) is None


@pytest.mark.parametrize(("asked", "final"), [("300", False), ("301", True)])
def test_a_long_pause_is_for_another_run(asked: str, *, final: bool) -> None:
    failure = judge(answer(503, b"", Retry_After=asked))
    assert failure is not None
    assert (failure.pause_s, failure.final) == (float(asked), final)
