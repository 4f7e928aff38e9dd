"""Event streams as they are on the wire."""

from __future__ import annotations

import zlib

import httpx
import pytest
from support.demo import get, serving

from server import content
from server.address import Address
from server.settings import Settings


def chunks(address: Address, target: str, *fields: str) -> list[bytes]:
    """Return the chunks of a response whose chunk data holds no chunk framing."""
    body = get(address.host, address.port, target, *fields).body
    found = []
    while not body.startswith(b"0\r\n\r\n"):
        size, _, rest = body.partition(b"\r\n")
        found.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return found


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/sse", content.EVENT_STREAM),
        ("/sse/fastapi", content.FASTAPI_STREAM),
        ("/sse/unicode", content.UNICODE_EVENT_STREAM),
        ("/sse/burst", content.BURST_EVENT_STREAM),
        ("/sse/slow?stall=0", content.EVENT_STREAM),
        ("/sse/gzip", content.EVENT_STREAM),  # to a client that does not take gzip
    ],
)
def test_chunks(address: Address, target: str, expected: tuple[bytes, ...]) -> None:
    assert chunks(address, target) == list(expected)


def test_the_first_event_of_each_dialect(address: Address) -> None:
    assert chunks(address, "/sse")[0] == (
        b"id: 1\r\nevent: message\r\ndata: This is\r\nretry: 3000\r\n\r\n"
    )
    assert chunks(address, "/sse/fastapi")[0] == (
        b"event: message\ndata: This is\nid: 1\nretry: 3000\n\n"
    )


def test_one_event_is_one_segment(address: Address) -> None:
    wire = get(address.host, address.port, "/sse")
    assert wire.segments == 1 + len(content.EVENTS) + 1


@pytest.mark.parametrize("path", ["/sse", "/sse/fastapi"])
class TestResuming:
    @pytest.mark.parametrize(
        ("last_event_id", "first"),
        [("1", "2"), ("8", "9"), ("", "1"), ("99", "1"), ("x", "1"), ("0" * 5_000, "1")],
    )
    def test_goes_on(self, address: Address, path: str, last_event_id: str, first: str) -> None:
        sent = b"".join(chunks(address, path, f"Last-Event-ID: {last_event_id}"))
        ids = [line[4:].decode() for line in sent.splitlines() if line.startswith(b"id: ")]
        assert ids == [event.id for event in content.EVENTS][int(first) - 1 :]

    def test_after_the_last_there_is_nothing(self, address: Address, path: str) -> None:
        response = httpx.get(address.origin() + path, headers={"Last-Event-ID": "9"})
        assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    ("path", "held"), [("/sse/gzip", 0), ("/sse/gzip-held", len(content.EVENTS))]
)
def test_gzip(address: Address, path: str, held: int) -> None:
    reader = zlib.decompressobj(wbits=31)
    read = [reader.decompress(piece) for piece in chunks(address, path, "Accept-Encoding: gzip")]
    assert b"".join(read) == b"".join(content.EVENT_STREAM)
    assert reader.eof
    if held:
        assert [piece for piece in read if piece] == [b"".join(content.EVENT_STREAM)]
        assert read[-1]
    else:
        assert read == [*content.EVENT_STREAM, b""]


def test_pings_are_comments_between_the_events() -> None:
    with serving(Settings(delay=0.05, ping_interval=0.02)) as address:
        sent = chunks(address, "/sse")
    assert [piece for piece in sent if piece != b": ping\r\n\r\n"] == list(content.EVENT_STREAM)
    assert len(sent) - len(content.EVENT_STREAM) >= 2


def test_pings_can_be_off() -> None:
    with serving(Settings(delay=0.01, ping_interval=0)) as address:
        assert chunks(address, "/sse") == list(content.EVENT_STREAM)
