"""Heads, chunks and the ends of bodies."""

from __future__ import annotations

from typing import Any

import pytest
from support.handmade import ACCEPT, KEY, Wire
from support.lines import texts_of

from wireproof.views.http import MAX_FIELDS_SHOWN, body_lines, chunk_lines, head_fields, start_line
from wireproof.views.lines import measure


def test_start_lines() -> None:
    wire = Wire()
    assert texts_of([start_line(wire.request(), "", 50)]) == [
        "→ GET /stream HTTP/1.1                    packet 4"
    ]
    assert texts_of([start_line(wire.response(), "  2.1 ms after the request", 60)]) == [
        "← HTTP/1.1 200 OK  2.1 ms after the request         packet 5"
    ]


def test_a_long_target_is_cut_before_the_packets() -> None:
    (line,) = texts_of([start_line(Wire(exchange=2).request("/" + "x" * 99), "", 50)])
    assert len(line) == 50
    assert line.startswith("→ GET /xxxx")
    assert line.endswith("xx…  exchange 2, packet 4")


def test_fields_that_matter_are_shown_as_on_the_wire_and_others_counted() -> None:
    fields = [
        ("Date", "Sun"),
        ("content-TYPE", "text/plain"),
        ("Transfer-Encoding", "chunked"),
        ("Server", "uvicorn"),
    ]
    assert texts_of(head_fields(fields, None, 80)) == [
        "    content-TYPE: text/plain",
        "    Transfer-Encoding: chunked",
        "    and 2 more fields",
    ]
    assert head_fields([], None, 80) == []


@pytest.mark.parametrize(
    ("key", "verdict"),
    [(KEY, "answers the key"), ("AAAA", "WRONG for the key"), (None, "no key to check it with")],
)
def test_accept_has_its_verdict(key: str | None, verdict: str) -> None:
    (line,) = texts_of(head_fields([("Sec-WebSocket-Accept", ACCEPT)], key, 120))
    assert line.startswith(f"    Sec-WebSocket-Accept: {ACCEPT}  {verdict}")


def test_many_fields_are_counted() -> None:
    lines = texts_of(head_fields([("Host", "h")] * (MAX_FIELDS_SHOWN + 1), None, 40))
    assert lines == ["    Host: h"] * MAX_FIELDS_SHOWN + ["    and 1 more field"]


def test_a_long_field_is_broken_and_a_very_long_one_cut() -> None:
    agreed = "permessage-deflate; server_max_window_bits=12; client_no_context_takeover"
    assert texts_of(head_fields([("Sec-WebSocket-Extensions", agreed)], None, 60)) == [
        "    Sec-WebSocket-Extensions: permessage-deflate;",
        "      server_max_window_bits=12; client_no_context_takeover",
    ]
    lines = head_fields([("Host", "h" * 999)], None, 40)
    assert all(measure(line) <= 40 for line in lines)
    assert texts_of(lines)[-1].endswith("h…")
    assert sum(line.count("h") for line in texts_of(lines)) == 160


def test_hostile_heads_are_escaped() -> None:
    (line,) = texts_of(head_fields([("Host", "\x1b[2J\u202e")], None, 80))
    assert line == "    Host: \\x1b[2J\\u202e"
    assert "\x1b" not in texts_of([start_line(Wire().request("/\x1b[2J"), "", 80)])[0]


@pytest.mark.parametrize(
    ("data", "fields", "lines"),
    [
        ("This is", {}, ["This is"]),
        ("", {}, []),
        ("\u001b[31mx", {"extension": ';a="\x07"'}, ['[extension ;a="\\x07"]', "\\x1b[31mx"]),
        ("H4sI", {"encoding": "base64"}, ["1f 8b 08"]),
        ("", {"trailers": [("Digest", "abc"), ("\nX", "1")]}, ["Digest: abc  \\nX: 1"]),
    ],
)
def test_chunks(data: str, fields: dict[str, Any], lines: list[str]) -> None:
    assert texts_of(chunk_lines(Wire().chunk(data, **fields), 22)) == lines


def test_many_trailers_are_counted() -> None:
    trailers = [("T", "1")] * (MAX_FIELDS_SHOWN + 3)
    lines = texts_of(chunk_lines(Wire().chunk(trailers=trailers), 80))
    assert sum(line.count("T: 1") for line in lines) == MAX_FIELDS_SHOWN
    assert lines[-1].endswith("and 3 more fields")


def test_bodies() -> None:
    wire = Wire()
    wire.chunk("x")
    wire.chunk()
    assert texts_of(body_lines(wire.body(), 80)) == [
        "← body complete (last chunk): 98 bytes in 1 chunk over 0 µs"
    ]
    body = Wire().body(
        sender="client", complete=False, ended_by="reset", content_encoding="gz\x1bip"
    )
    assert texts_of(body_lines(body, 50)) == [
        "→ body INCOMPLETE (connection reset): 98 bytes",
        "  over 0 µs; gz\\x1bip: 98 bytes decoded",
    ]
