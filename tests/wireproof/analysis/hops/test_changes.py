"""What a hop changes beside times is named field by field, and is no fault."""

from __future__ import annotations

import gzip

import pytest
from support.legs import Pieces, Side, far_of, later, records_of, tokens
from support.timed import CHUNKED, EVENT_STREAM

from wireproof.analysis.hops.changes import changes, is_coded_by, is_rechunked
from wireproof.analysis.hops.leg import Leg, read_legs
from wireproof.analysis.hops.nearness import beyond

EVENTS = tokens(5)


def leg(side: Side) -> Leg:
    [found] = read_legs(records_of(side.tape().packets))
    return found


def changed(near: Side, far: Side) -> dict[str, str]:
    return {change.code: change.summary for change in changes(leg(near), leg(far))}


def with_ids(pieces: Pieces, prefix: bytes) -> Pieces:
    return [(time, b"id: %s%d\n%s" % (prefix, at, data)) for at, (time, data) in enumerate(pieces)]


def test_nothing_is_changed_between_equals() -> None:
    assert changed(Side(EVENTS), far_of(EVENTS)) == {}


def test_a_coding_that_a_hop_puts_on() -> None:
    content = gzip.compress(b"".join(data for _, data in EVENTS))
    coded = Side([(0.5, content)], fields=EVENT_STREAM + CHUNKED + b"Content-Encoding: gzip\r\n")
    found = changed(coded, far_of(EVENTS))
    assert found["coding"] == "not coded → gzip"
    assert "chunks" not in found
    assert is_coded_by(leg(coded), leg(far_of(EVENTS))) == "gzip"
    assert is_coded_by(leg(far_of(EVENTS)), leg(coded)) == ""


def test_framing_and_borders() -> None:
    closing = far_of(EVENTS, fields=EVENT_STREAM, is_chunked=False)
    assert changed(Side(EVENTS), closing)["framing"] == "close → chunked"
    halves = [(time, part) for time, data in EVENTS for part in (data[:5], data[5:])]
    near, far = Side(halves), far_of(EVENTS)
    assert changed(near, far) == {"chunks": "5 chunks → 10, other borders"}
    assert is_rechunked(changes(leg(near), leg(far)))


def test_fields_are_compared_without_case() -> None:
    near = Side(
        EVENTS,
        fields=EVENT_STREAM.replace(b"Content", b"CONTENT")
        + CHUNKED.lower()
        + b"Server: proxy\r\n",
        request=b"HOST: service\r\nX-Secret: 1\r\n",
    )
    far = far_of(
        EVENTS,
        fields=EVENT_STREAM + CHUNKED + b"Server: app\r\nX-App: 1\r\n",
        request=b"Host: service\r\nVia: 1.1 proxy\r\n",
    )
    assert changed(near, far) == {
        "response-fields": "response: removed x-app; changed server",
        "request-fields": "request: added via; removed x-secret",
    }


def test_many_fields_are_counted() -> None:
    many = b"".join(b"X-%02d: 1\r\n" % at for at in range(20))
    near = Side(EVENTS, fields=EVENT_STREAM + CHUNKED + many)
    assert changed(near, far_of(EVENTS))["response-fields"].endswith("x-11 and 8 more")


def test_the_request_line() -> None:
    found = changed(Side(EVENTS, target="/api/chat"), far_of(EVENTS))
    assert found["target"] == "GET /api/chat → GET /chat"


@pytest.mark.parametrize(
    ("near", "far", "said"),
    [
        (b"a", b"b", "5 of 5 event IDs changed"),
        (None, b"b", "event IDs removed"),
        (b"a", None, "event IDs added"),
        (b"a", b"a", None),
    ],
)
def test_ids(near: bytes | None, far: bytes | None, said: str | None) -> None:
    here = EVENTS if near is None else with_ids(EVENTS, near)
    there = EVENTS if far is None else with_ids(EVENTS, far)
    assert changed(Side(here), far_of(there)).get("ids") == said


def test_line_ends_and_comments() -> None:
    there = [(time, data.replace(b"\n", b"\r\n")) for time, data in EVENTS]
    assert changed(Side(EVENTS), far_of(there))["line-ends"] == "CRLF → LF"
    here = [*EVENTS, (0.9, b": keep\n\n")]
    found = changed(Side(here), far_of(EVENTS))
    assert found["keep-alives"] == "0 comments and empty events → 1"


@pytest.mark.parametrize(
    "request_fields",
    [
        b"Via: 1.1 proxy\r\n",
        b"X-Forwarded-For: 10.0.0.1\r\n",
        b"Forwarded: for=10.0.0.1\r\n",
        b"X-Real-IP: 10.0.0.1\r\n",
    ],
)
def test_fields_of_proxies_tell_which_leg_is_nearer(request_fields: bytes) -> None:
    """Even where it seems to take longer at the farther one."""
    near = leg(Side(EVENTS))
    far = leg(far_of(later(EVENTS, 0.2), request=b"Host: service\r\n" + request_fields))
    near.capture, far.capture = 1, 0
    assert beyond(near, far) > 0 > beyond(far, near)
