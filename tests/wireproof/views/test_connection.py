"""The table of one connection, line by line."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from support.handmade import Wire, chunked
from support.lines import texts_of

from parsers.records import Record
from wireproof.views.connection import ConnectionTable
from wireproof.views.lines import measure


def table(records: Iterable[Record], width: int = 80) -> list[str]:
    made = ConnectionTable(0, width)
    lines = made.title()
    for record in records:
        lines += made.add(record)
    lines += made.release()
    assert all(measure(line) <= width for line in lines)
    return texts_of(lines)


def rows(records: Iterable[Record], width: int = 80) -> list[str]:
    """Return what follows the first heading."""
    lines = table(records, width)
    return lines[[line.split()[:1] == ["Packet"] for line in lines].index(True) + 1 :]


def test_a_chunked_response_from_first_to_last() -> None:
    assert table(chunked(), 72) == [
        "Connection 0 " + "─" * 59,
        "",
        "→ GET /stream HTTP/1.1                                          packet 4",
        "    Host: 127.0.0.1:8000",
        "← HTTP/1.1 200 OK  100.0 ms after the request                   packet 5",
        "    Transfer-Encoding: chunked",
        "",
        " Packet       Time      Gap   Size  Type       Data",
        "      6 ← 200.0 ms               7  chunk 0    This is",
        "      7 ← 300.0 ms 100.0 ms      8  chunk 1     a large",
        "      8 ← 400.0 ms 100.0 ms      0  last chunk",
        "← body complete (last chunk): 98 bytes in 2 chunks over 0 µs",
        "closed by the server (FIN), then the client:",
        "127.0.0.1:46058 → 127.0.0.1:8000  http/1.1  11 packets",
    ]


def test_events_stand_in_the_row_of_the_chunk_that_completed_them() -> None:
    wire = Wire()
    head = [wire.request("/sse"), wire.events()]
    records = [
        *head,
        wire.chunk("id: 1\ndata: a\n\n"),
        wire.event(("id", "1"), ("data", "a")),
        wire.chunk("data: b\n\ndata: c\n\n"),
        wire.event(("data", "b")),
        wire.event(("data", "c")),
        wire.chunk("data:"),
        *reversed([wire.chunk(" d\n\n"), wire.event(("data", "d"), first_chunk=2)]),
        wire.chunk(),
    ]
    assert rows(records) == [
        "      6 ← 200.0 ms              15  chunk 0    id: 1  data: a",
        "      7 ← 300.0 ms 100.0 ms     18  chunk 1    data: b",
        "      7 ← 300.0 ms     0 µs     10  event      [chunk 1]  data: c",
        "      8 ← 400.0 ms 100.0 ms      5  chunk 2    data:",
        "      9 ← 500.0 ms 100.0 ms      4  chunk 3    [chunks 2-3]  data: d",
        "     10 ← 600.0 ms 100.0 ms      0  last chunk",
    ]


def test_an_event_inside_a_larger_chunk_has_its_own_row() -> None:
    wire = Wire()
    records = [
        wire.request("/sse"),
        wire.events(),
        wire.event(("data", "a"), first_chunk=0, last_chunk=0),
        wire.chunk("data: a\n\n"),
    ]
    assert rows(records) == [
        "      5 ← 100.0 ms              10  event      [chunk 0]  data: a",
        "      6 ← 200.0 ms 100.0 ms      9  chunk 0    data: a\\n\\n",
    ]


def test_events_of_a_body_without_chunks() -> None:
    wire = Wire()
    response = wire.response(("Content-Type", "text/event-stream"), framing="close")
    records = [wire.request("/sse"), response, wire.event(("data", "a"))]
    assert rows(records)[0].endswith("10  event      data: a")


def test_websocket_frames_and_messages() -> None:
    wire = Wire()
    records = [
        *wire.upgrade(),
        wire.frame(),
        wire.message(),
        wire.frame("text", "Hi", "client"),
        wire.message("Hi", sender="client"),
        wire.frame("text", "8kgEAA==", encoding="base64", rsv1=True, payload_length=4),
        wire.message("Hello", compressed=True),
        wire.frame("text", "frag", fin=False),
        *reversed([wire.frame("continuation", "ment"), wire.message("fragment", frames=2)]),
        wire.frame("ping", "x"),
        wire.frame("pong", "x", "client"),
        wire.frame("close", "", close_code=1001),
        wire.end(protocol="websocket", closed_by="client"),
    ]
    assert rows(records, 100) == [
        "      6 ← 200.0 ms               5  Text       Hello",
        "      7 → 300.0 ms 100.0 ms      2  Text       [MASKED] 1b2c3d4e Hi",
        "      8 ← 400.0 ms 100.0 ms      4  Text       [RSV1] [inflated: 5] Hello",
        "      9 ← 500.0 ms 100.0 ms      4  Text       [no FIN] frag",
        "     10 ← 600.0 ms 100.0 ms      4  Continuation [FIN] ment",
        "     10 ← 600.0 ms     0 µs      8  message    [2 frames] fragment",
        "     11 ← 700.0 ms 100.0 ms      1  Ping       x",
        "     12 → 800.0 ms 100.0 ms      1  Pong       [MASKED] 1b2c3d4e x round trip 100.0 ms",
        "     13 ← 900.0 ms 100.0 ms      0  Close      1001 going away",
        "",
        "closed by the client (FIN), then the server:  127.0.0.1:46058 → 127.0.0.1:8000  websocket",
        "16 packets",
    ]
    assert "    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=  answers the key" in table(
        records
    )


def test_what_is_held_is_not_lost_when_something_else_follows() -> None:
    wire = Wire()
    frame = wire.frame("text", "AAAA", encoding="base64", rsv1=True)
    records = [*wire.upgrade(), frame, wire.fault(), wire.message("x", compressed=True)]
    found = rows(records, 100)
    assert found[0].endswith("Text       [RSV1] \\x00\\x00\\x00")
    assert found[1].startswith("! error: ")
    assert found[2].endswith("message    [1 frame, inflated] x")


def test_an_event_that_ends_before_its_last_chunk_does_is_not_held_for_ever() -> None:
    wire = Wire()
    records = [
        wire.request("/sse"),
        wire.events(),
        wire.event(("data", "a"), first_chunk=0, last_chunk=1),
        wire.event(("data", "b"), first_chunk=1, last_chunk=1),
    ]
    assert [line[-22:] for line in rows(records)] == [
        "[chunks 0-1]  data: a"[-22:].rjust(22),
        "      [chunk 1]  data: b"[-22:],
    ]


def test_gaps_and_faults_stand_between_the_rows() -> None:
    wire = Wire()
    records = [
        wire.request(),
        wire.response(),
        wire.chunk("a"),
        wire.gap(52),
        wire.fault(severity="warning", reference="", code="c", summary="su\x1bm"),
        wire.chunk("b"),
    ]
    assert rows(records) == [
        "      6 ← 200.0 ms               1  chunk 0    a",
        "      7 ← 300.0 ms 100.0 ms     52  gap        [52 bytes not captured]",
        "! warning: su\\x1bm (packet 7; c)",
        "      8 ← 400.0 ms 100.0 ms      1  chunk 1    b",
    ]


def test_exchanges_of_a_connection_are_set_apart() -> None:
    first, second = Wire(exchange=0), Wire(exchange=1)
    second.packet = 10
    records: list[Record] = [*chunked()[:-1], second.request("/b"), second.response()]
    records += [second.chunk("x"), first.end(close="open", closed_by=None)]
    lines = table(records)
    start = lines.index(
        "→ GET /b HTTP/1.1                                          exchange 1, packet 11"
    )
    assert lines[start - 1] == ""
    assert lines[start + 2].startswith("← HTTP/1.1 200 OK  100.0 ms after the request")
    assert lines.count(" Packet       Time      Gap   Size  Type       Data") == 2
    assert lines[-3] == ""
    assert lines[-2].startswith("still open when the capture ends:  127.0.0.1:46058")


def test_pipelined_requests_keep_their_own_clocks() -> None:
    first, second = Wire(exchange=0), Wire(exchange=1)
    second.packet = 10
    records: list[Record] = [first.request("/a"), second.request("/b")]
    records += [first.response(status=103, framing="none"), first.response(), second.response()]
    after = [line for line in table(records) if "after the request" in line]
    assert [line.split("  ")[1] for line in after] == [
        "100.0 ms after the request",
        "200.0 ms after the request",
        "100.0 ms after the request",
    ]


def test_one_pong_answers_the_pings_before_it_whose_own_are_not_unasked() -> None:
    wire = Wire()
    records = [*wire.upgrade(), wire.frame("ping", "a"), wire.frame("ping", "b")]
    records += [wire.frame("pong", payload, "client") for payload in ("b", "c", "a")]
    assert [line.split("1b2c3d4e ")[1] for line in table(records, 120) if "Pong" in line] == [
        "b round trip 100.0 ms",
        "c unasked",
        "a round trip 400.0 ms",
    ]


def test_a_connection_without_its_start_counts_from_what_is_first() -> None:
    wire = Wire()
    records = [wire.chunk("a"), wire.chunk("b"), wire.end(midstream=True, close="reset")]
    assert table(records, 100)[3:] == [
        "      4 ←     0 µs               1  chunk 0    a",
        "      5 ← 100.0 ms 100.0 ms      1  chunk 1    b",
        "",
        "reset by the server (RST):  127.0.0.1:46058 → 127.0.0.1:8000  http/1.1  8 packets",
        "its start was not captured",
    ]


@pytest.mark.parametrize("width", [40, 41, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    wire = Wire()
    long = "世" * 300
    records = [
        wire.request("/" + long, ("Upgrade", long)),
        wire.events(),
        wire.chunk(long),
        wire.event(("data", long), ("", long)),
        wire.frame("close", "", close_code=4000, close_reason=long),
        wire.fault(summary=long),
        wire.body(content_encoding=long),
        wire.end(protocol=long),
    ]
    assert len(table(records, width)) > 12  # table() looks at every line


def test_what_a_relay_recorded_says_so() -> None:
    relayed = Wire().end(recorded_by="relay")
    assert table([relayed], 100)[-1] == "recorded by relay: packet boundaries are its reads"
    assert "relay" not in "".join(table([Wire().end()], 100))
