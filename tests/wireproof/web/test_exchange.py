"""A row of the connections table."""

from __future__ import annotations

from typing import Any

import pytest
from support.answers import GET, SSE, asked, chunk
from support.handmade import Wire
from support.talk import Talk
from support.timed import HANDSHAKE

from wireproof.spool import Spool
from wireproof.web.exchange import ExchangeRow, Key, handshake

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"Content-Length: "


def row_of(*answer: bytes, request: bytes = GET, closes: bool = True) -> dict[str, Any]:
    talk = Talk().open()
    talk.client(request)
    if answer:
        talk.server(*answer)
    if closes:
        talk.close()
    with asked(talk) as ask:
        row: dict[str, Any] = ask("exchanges/0")[0]
        return row


@pytest.mark.parametrize(
    ("answer", "transport", "ended"),
    [
        ((SIZED + b"2\r\n\r\nhi",), "http", "complete (Content-Length reached)"),
        ((SIZED + b"3\r\n\r\nhi",), "http", "INCOMPLETE (connection closed too early)"),
        ((OK + b"\r\nhi",), "http", "complete as far as closing can tell (it may have been cut)"),
        ((b"HTTP/1.1 204 No Content\r\n\r\n",), "http", "complete (no body)"),
        ((SSE, chunk(b"data: x\n\n")), "sse", "INCOMPLETE (connection closed too early)"),
        ((), "request", "connection closed by the server (FIN), then the client"),
    ],
)  # fmt: skip
def test_how_it_ended(answer: tuple[bytes, ...], transport: str, ended: str) -> None:
    row = row_of(*answer)
    assert row["transport"] == transport
    assert row["ended"] == ended


@pytest.mark.parametrize("framing", ["content-length", "chunked"])
def test_a_refused_upgrade_has_the_name_that_it_has_everywhere(framing: str) -> None:
    fields = {"content-length": b"Content-Length: 0", "chunked": b"Transfer-Encoding: chunked"}
    answer = b"HTTP/1.1 403 Forbidden\r\n" + fields[framing] + b"\r\n\r\n"
    row = row_of(answer, request=HANDSHAKE)
    assert (row["transport"], row["framing"]) == ("websocket", framing)


def test_an_unanswered_upgrade_has_the_name_that_it_has_everywhere() -> None:
    row = row_of(request=HANDSHAKE)
    assert row["transport"] == "websocket"
    assert "handshake" not in row


def test_one_that_goes_on_has_no_end() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE + chunk(b"data: x\n\n"))
    with asked(talk) as ask:
        # The end of the capture ends it, but not whole.
        assert ask("exchanges/0")[0]["ended"] == "INCOMPLETE (the capture ends first)"


def test_what_was_not_recorded_may_be_its_end() -> None:
    talk = Talk().open()
    talk.client(GET)
    talk.server(SSE + chunk(b"data: x\n\n"))
    talk.lose("server", 5)
    talk.close()
    with asked(talk) as ask:
        ended = ask("exchanges/0")[0]["ended"]
    assert ended == "the capture lacks 5 bytes of the server's: how it ended is unknown"


def test_values_from_the_wire_are_cut_to_what_a_row_shows() -> None:
    target = b"/" + b"x" * 5_000
    row = row_of(OK + b"Content-Length: 0\r\n\r\n", request=GET.replace(b"/events", target))
    assert len(row["target"]) == 2_000


def test_moments_are_those_of_the_wire() -> None:
    row = row_of(SSE, chunk(b"data: x\n\n"), b"0\r\n\r\n")
    assert row["request_time"] < row["response_time"] < row["first_body_time"] < row["last_time"]
    assert row["size"] == len(chunk(b"data: x\n\n")) + 5


def test_severities_and_counts_of_faults() -> None:
    row = row_of(SSE, chunk(b"data: x\n\n"))
    assert row["severity"] == "error"
    assert row["counts"]["d"] == 1


def test_a_handshake_is_worked_out() -> None:
    request = [("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Version", "13")]
    good = handshake(request, [("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")])
    assert (good["verified"], good["version"], good["extensions"]) == (True, "13", None)
    assert handshake(request, [("sec-websocket-accept", "x")])["verified"] is False
    assert handshake(request, [])["verified"] is False
    assert handshake([], [])["expected"] is None
    assert handshake([("sec-websocket-key", "\u20ac")], [])["verified"] is False


def test_keys_are_written_as_links_have_them() -> None:
    keys = Key(0, 2), Key(3, None), Key(None, None)
    assert [str(key) for key in keys] == ["0.2", "3.n", "n.n"]


def test_what_is_taken_is_an_element_when_it_is_settled(spool: Spool) -> None:
    wire = Wire()
    line, fault = wire.chunk("data: x"), wire.fault()
    row = ExchangeRow(Key(0, 0), 0, spool)
    row.take(line, b"{1}", b"said")
    row.take(fault, b"{2}")
    row.take(line, b"{3}")
    assert not row.elements
    row.settle()
    assert row.first_packet == line.first_packet
    assert row.row(None)["severity"] == fault.severity
    stored = [row.elements["k"].stored(number) for number in range(2)]
    assert [spool.read(at, size + said) for at, size, said in stored] == [b"{1}said", b"{3}"]
    at = row.add(line, b"{4}")
    assert row.elements["k"].stored(2) == (at, 3, 0)
