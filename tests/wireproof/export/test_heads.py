"""URLs, query strings, cookies and kinds of resources."""

from __future__ import annotations

import pytest

from wireproof.export import heads

URLS = [
    ("/a?b=c", "example:80", False, "http://example:80/a?b=c"),
    ("/ws", "example", True, "ws://example/ws"),
    ("http://other/x#y", "example", False, "http://other/x"),
    ("*", "example", False, "http://example/"),
    ("example:443", "example:443", False, "http://example:443/example:443"),
    ('/<a b="c">', "example", False, "http://example/%3Ca%20b=%22c%22%3E"),
    ("/\u00fc%20", "example", False, "http://example/%C3%BC%20"),
]


@pytest.mark.parametrize("target, host, is_websocket, url", URLS)
def test_urls(target: str, host: str, is_websocket: bool, url: str) -> None:
    assert heads.url_of(target, host, is_websocket=is_websocket, is_secure=False) == url


def test_parameters_are_bounded() -> None:
    assert len(heads.parameters("a=1&" * (heads.MAX_PARAMETERS + 5))) == heads.MAX_PARAMETERS
    assert heads.query_string("http://x/?") == []


def test_cookies() -> None:
    fields = [("Cookie", "a=1;b=2 ; c; =d"), ("cookie", "e=f=g")]
    found = [(one["name"], one["value"]) for one in heads.request_cookies(fields)]
    assert found == [("a", "1"), ("b", "2"), ("c", ""), ("e", "f=g")]


@pytest.mark.parametrize(
    "date", ["never", "Wed, 99 Oct 2026 07:28:00 GMT", "", "Fri, 31 Dec 9999 23:59:59 -9999"]
)
def test_dates_that_are_none(date: str) -> None:
    (cookie,) = heads.response_cookies([("Set-Cookie", f"a=b; Expires={date}")])
    assert "expires" not in cookie


def test_media_types_have_no_parameters() -> None:
    fields = [("content-type", "text/event-stream; charset=utf-8")]
    assert heads.media_type(fields) == "text/event-stream"
    assert heads.media_type([]) == "x-unknown"


def test_kinds() -> None:
    assert heads.resource_type([], "websocket") == "websocket"
    assert heads.resource_type([("Accept", "text/event-stream")], "sse") == "eventsource"
    assert heads.resource_type([("Sec-Fetch-Dest", "empty")], "sse") == "fetch"
    assert heads.resource_type([("Sec-Fetch-Dest", "image")], None) == "image"
    assert heads.resource_type([], "sse") is None
