"""What acknowledgements prove: which answer was lost, and what a missing direction sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http2 import GET as HTTP2_GET
from support.http2 import OK as HTTP2_OK
from support.http2 import Http2Talk, framed
from support.talk import Talk, decoded
from support.tls_sealed import HELLO, Keys, asked

from parsers.records import (
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
)

GET = b"GET /it HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LOST = 66


def answers(records: list[Record]) -> list[tuple[int, int]]:
    return [(one.exchange, one.status) for one in records if isinstance(one, ResponseRecord)]


def codes(records: list[Record]) -> set[str]:
    return {one.code for one in records if isinstance(one, DiagnosticRecord)}


def test_an_answer_that_was_received_before_the_next_request_is_lost() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.lose("server", LOST)
    talk.client(GET)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert answers(records) == [(1, 200)]
    assert "http-response-lost" in codes(records)


def test_requests_that_waited_for_no_answer_cannot_be_told_apart() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.client(GET)
    talk.lose("server", LOST)
    talk.server(OK)
    talk.close()
    records = talk.tape.records()
    assert answers(records) == [(0, 200)]
    assert "http-response-unsure" in codes(records)


def test_without_a_hole_the_queue_tells() -> None:
    talk = Talk().open()
    for _ in range(2):
        talk.client(GET)
        talk.server(OK)
    records = talk.tape.records()
    assert answers(records) == [(0, 200), (1, 200)]
    assert not codes(records)


def test_a_request_after_the_servers_fin() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(OK)
    fin = talk.fin("server")
    talk.client(GET)
    talk.reset("server")
    records = talk.tape.records()
    assert "tcp-data-crossed-fin" in codes(records)
    (record,) = [one for one in records if isinstance(one, ConnectionRecord)]
    ends = [(end["sender"], end["packet"], end["kind"]) for end in record.ends]
    assert ends[0] == ("server", fin, "fin")
    assert ends[1][::2] == ("server", "reset")


def test_a_frame_after_the_servers_fin_asks_for_nothing() -> None:
    talk = Talk().open()
    talk.client(
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    talk.server(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    )
    talk.fin("server")
    talk.client(b"\x8a\x80\0\0\0\0")
    assert "tcp-data-crossed-fin" not in codes(talk.tape.records())


def test_a_frame_of_control_after_the_servers_fin_asks_for_nothing() -> None:
    spoken = Http2Talk().begin()
    spoken.say("client", spoken.client.head(1, HTTP2_GET, ends=True))
    spoken.say("server", spoken.server.head(1, HTTP2_OK, ends=True))
    spoken.talk.fin("server")
    spoken.say("client", framed(7, 0, 0, bytes(8)))  # GOAWAY
    assert "tcp-data-crossed-fin" not in codes(spoken.records())


def test_a_tls_record_after_the_servers_fin_asks_for_nothing() -> None:
    talk = Talk().open()
    talk.client(asked())
    talk.server(HELLO)
    talk.fin("server")
    talk.client(Keys()("client", "traffic").seal(21, b"\1\0"))  # close_notify
    assert "tcp-data-crossed-fin" not in codes(talk.tape.records())


def test_an_answer_after_the_clients_fin_is_right() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.fin("client")
    talk.server(OK)
    talk.fin("server")
    assert "tcp-data-crossed-fin" not in codes(talk.tape.records())


# --- requests that are not in the capture ---


def request(path: str) -> bytes:
    return b"GET /%s HTTP/1.1\r\nHost: example\r\n\r\n" % path.encode()


def response(status: int) -> bytes:
    return b"HTTP/1.1 %d Yes\r\nContent-Length: 2\r\n\r\nok" % status


def answered(records: list[Record]) -> dict[str, int | None]:
    """The status of each request's response; None if it has none."""
    found = dict(answers(records))
    asked = [one for one in records if isinstance(one, RequestRecord)]
    return {one.target: found.get(one.exchange) for one in asked}


def asked_and_lost(talk: Talk, *paths: str, lost: str = "lost") -> dict[str, int | None]:
    """Ask for each path after the answer to the one before; those called ``lost`` are missing."""
    for number, path in enumerate(paths):
        if path == lost:
            talk.lose("client", len(request(path)))
        else:
            talk.client(request(path))
        talk.server(response(200 + number))
    talk.close()
    return {path: 200 + number for number, path in enumerate(paths) if path != lost}


LOSSES = {
    "one": ["a", "lost", "c"],
    "the first": ["lost", "b", "c"],
    "the last": ["a", "b", "lost"],
    "two together": ["a", "lost", "lost", "d", "e"],
    "two apart": ["a", "lost", "c", "lost", "e"],
    "long before the end": ["a", "lost", *map(str, range(40))],
    "none": ["a", "b", "c"],
}


@pytest.mark.parametrize("paths", LOSSES.values(), ids=LOSSES)
def test_requests_that_are_missing_shift_no_answers(paths: list[str]) -> None:
    """What the server had acknowledged before the next request tells that it answered others."""
    talk = Talk().open()
    right = asked_and_lost(talk, *paths)
    records = talk.tape.records()
    assert answered(records) == {f"/{path}": status for path, status in right.items()}
    assert [exchange for exchange, _ in answers(records)] == list(range(len(paths)))
    assert not codes(records) & {"http-response-unasked", "http-response-unsure"}


def test_a_response_to_what_came_before_the_capture() -> None:
    talk = Talk().midstream()
    talk.server(response(404))
    talk.client(request("b"))
    talk.server(response(201))
    records = talk.tape.records()
    assert answered(records) == {"/b": 201}
    assert answers(records) == [(0, 404), (1, 201)]


def test_a_body_that_is_missing_in_part_is_no_request() -> None:
    talk = Talk().open()
    talk.client(b"POST /a HTTP/1.1\r\nHost: example\r\nContent-Length: 500\r\n\r\n" + bytes(100))
    talk.lose("client", 400)
    talk.server(response(200))
    talk.client(request("b"))
    talk.server(response(201))
    talk.close()
    records = talk.tape.records()
    assert answered(records) == {"/a": 200, "/b": 201}
    assert "http-response-unsure" not in codes(records)


def test_requests_that_wait_beside_missing_ones_cannot_be_told_apart() -> None:
    """All are sent before anything is answered: one of the missing may be answered before."""
    talk = Talk().open()
    talk.client(request("a"))
    talk.lose("client", len(request("b")))
    talk.client(request("c"))
    talk.ack("server", 20)
    talk.server(response(200), response(201))
    records = talk.tape.records()
    assert answers(records)[0] == (0, 200)
    assert "http-response-unsure" in codes(records)


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.booleans())
def test_whatever_is_missing_of_requests(kept: list[bool], is_midstream: bool) -> None:
    talk = Talk().midstream() if is_midstream else Talk().open()
    paths = [str(number) if keep else "lost" for number, keep in enumerate(kept)]
    right = asked_and_lost(talk, *paths)
    found = answered(talk.tape.records())
    assert found == {f"/{path}": status for path, status in right.items()}


# --- one direction alone ---


def one_direction(sender: str, *, has_end: bool = True, skip: int = 0) -> list[Record]:
    """Two exchanges, of which one side's packets were captured, all but the first few."""
    talk = Talk().open()
    for number in range(2):
        talk.client(request(str(number)))
        talk.server(response(200 + number))
        talk.ack("client")
    if has_end:
        talk.close()
    port = (8_000 if sender == "server" else 40_000).to_bytes(2, "big")
    rows = [row for row in talk.tape.packets if row[4][34:36] == port]
    return decoded([(number + 1, *row[1:]) for number, row in enumerate(rows[skip:])])


ASKED, SAID = 2 * len(request("0")), 2 * len(response(200))


@pytest.mark.parametrize(
    ("sender", "other", "known"),
    [
        ("server", "client", f"{ASKED} bytes of it were acknowledged"),
        ("client", "server", f"{SAID} bytes of it were acknowledged"),
    ],
)
@pytest.mark.parametrize("has_end", [True, False])
def test_one_direction_alone(sender: str, other: str, known: str, has_end: bool) -> None:
    """The other is named, with how much it sent if that is proven; nobody is accused.

    The server's SYN answers the client's; where it is missing, the client's answer to it says where
    the server began (RFC 9293 section 3.5).
    """
    records = one_direction(sender, has_end=has_end)
    (fault,) = (one for one in records if isinstance(one, DiagnosticRecord))
    assert fault.code == "tcp-direction-missing"
    assert f"the {other}'s was not captured: {known}" in fault.summary
    (record,) = (one for one in records if isinstance(one, ConnectionRecord))
    assert (record.client_bytes, record.server_bytes) == (ASKED, SAID)
    assert record.client.endswith(":40000")
    assert record.closed_by != other


def test_where_the_handshake_is_missing_too_nobody_knows_how_much_was_sent() -> None:
    (fault, *_) = (
        one
        for one in one_direction("client", skip=2)
        if isinstance(one, DiagnosticRecord) and one.code == "tcp-direction-missing"
    )
    assert "how much it sent is unknown" in fault.summary


def test_who_closed_cannot_be_told_from_one_direction() -> None:
    """Unless it acknowledged no more after its own FIN, the other's may have come before."""
    for sender in ("client", "server"):
        (record,) = (one for one in one_direction(sender) if isinstance(one, ConnectionRecord))
        assert (record.close, record.closed_by) in {("fin", None), ("fin", sender)}


def test_one_packet_alone_misses_nothing() -> None:
    """As the last one of a connection, with which a capture begins."""
    talk = Talk().midstream()
    talk.fin("client")
    assert "tcp-direction-missing" not in codes(talk.tape.records())


def test_a_reset_is_enough_of_a_direction() -> None:
    """What a client has forgotten is answered by it."""
    talk = Talk().midstream()
    talk.server(b"an old answer")
    talk.reset("client")
    assert "tcp-direction-missing" not in codes(talk.tape.records())


@pytest.mark.parametrize("packets", [1, 2, 3])
def test_near_misses_of_one_direction(packets: int) -> None:
    """A SYN alone is unanswered, and one packet of the other side is enough to have it."""
    talk = Talk().open()
    records = decoded(talk.tape.packets[:packets])
    assert "tcp-direction-missing" not in codes(records)
