"""Which transport a response is: one rule for everybody."""

from __future__ import annotations

import pytest

from parsers.decode.transport import transport_of
from parsers.http1.messages import Request, Response
from parsers.records import Framing, Transport

EVENTS = (b"Content-Type", b"text/event-stream")
UPGRADE = (b"Upgrade", b"websocket")


def response(framing: Framing, *fields: tuple[bytes, bytes], status: int = 200) -> Response:
    return Response(0, 40, b"HTTP/1.1", status, b"", list(fields), framing, ())


@pytest.mark.parametrize(
    ("found", "transport"),
    [
        (response("chunked"), "chunked"),
        (response("content-length"), "http"),
        (response("close"), "http"),
        (response("none", status=204), "http"),
        (response("none", status=103), "http"),
        # An event stream is one in whatever framing, and where a HEAD has no content.
        (response("chunked", EVENTS), "sse"),
        (response("content-length", EVENTS), "sse"),
        (response("close", EVENTS), "sse"),
        (response("none", EVENTS), "sse"),
        (response("close", (b"content-TYPE", b" Text/Event-Stream ;charset=utf-8")), "sse"),
        (response("close", (b"Content-Type", b"text/plain"), EVENTS), "http"),
        (response("close", (b"Content-Type", b"text/event-streams")), "http"),
        (response("upgrade", UPGRADE, status=101), "websocket"),
        (response("upgrade", (b"upgrade", b" WebSocket\t"), status=101), "websocket"),
        (response("upgrade", (b"Upgrade", b"h2c"), status=101), "http"),
        (response("upgrade", status=101), "http"),
        # A tunnel is none, whatever its fields say, nor is a switch that nobody asked for.
        (response("upgrade", UPGRADE), "http"),
        (response("none", UPGRADE, status=101), "http"),
    ],
)
def test_a_response_has_one_transport(found: Response, transport: Transport) -> None:
    assert transport_of(found) == transport


def request(*fields: tuple[bytes, bytes]) -> Request:
    return Request(0, 40, b"GET", b"/", b"HTTP/1.1", list(fields), "none", (), bool(fields))


@pytest.mark.parametrize(
    ("found", "transport"),
    [
        (response("content-length", UPGRADE, status=403), "websocket"),
        (response("chunked", status=426), "websocket"),
        (response("none", status=204), "websocket"),
        (response("upgrade", UPGRADE, status=101), "websocket"),
        (response("upgrade", (b"Upgrade", b"h2c"), status=101), "http"),
        (response("none", status=103), "http"),
        (response("chunked", EVENTS), "sse"),
    ],
)
def test_a_refused_upgrade_is_what_it_asked_to_be(found: Response, transport: Transport) -> None:
    assert transport_of(found, request(UPGRADE)) == transport


@pytest.mark.parametrize("fields", [[], [(b"Upgrade", b"h2c")]])
def test_what_asked_for_no_websocket_is_what_its_answer_is(
    fields: list[tuple[bytes, bytes]],
) -> None:
    assert transport_of(response("chunked"), request(*fields)) == "chunked"
