"""Quantities and endings in words."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from support.handmade import EPOCH, Wire

from parsers.records import BodyRecord, End, EndedBy
from wireproof.text.wording import (
    CUT_ENDINGS,
    ENDINGS,
    RECORDED_ENDINGS,
    body_end,
    close_code,
    connection_end,
    count,
    data_chunks,
    duration,
    ends_said,
    part_of,
    recorded_end,
    span,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 µs"),
        (0.0000474, "47 µs"),
        (0.0009994, "999 µs"),
        (0.0009996, "1.0 ms"),
        (0.1023, "102.3 ms"),
        (0.99994, "999.9 ms"),
        (0.99996, "1.000 s"),
        (9.9994, "9.999 s"),
        (9.9996, "10.0 s"),
        (86_399.9, "86399.9 s"),
        (-0.0012, "-1.2 ms"),
    ],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_duration_below_ten_thousand_seconds_takes_eight_cells() -> None:
    magnitudes = [10**exponent * digit for exponent in range(-7, 5) for digit in (1, 5, 9.9999)]
    assert max(len(duration(seconds)) for seconds in magnitudes if seconds < 10_000) == 8


def test_count_and_span() -> None:
    assert (count(0, "chunk"), count(1, "chunk"), count(2_000, "chunk")) == (
        "0 chunks",
        "1 chunk",
        "2,000 chunks",
    )
    assert (span(8, 8), span(8, 12)) == ("8", "8-12")
    assert part_of(74, 59_888, "packet") == "74 of 59,888 packets"
    assert part_of(1, 1, "packet") == "1 packet"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (None, "no status code"),
        (1000, "1000 normal closure"),
        (1011, "1011 internal error"),
        (4008, "4008 private use"),
        (3999, "3999 unregistered"),
        (5000, "5000 unregistered"),
    ],
)
def test_close_code(code: int | None, words: str) -> None:
    assert close_code(code) == words


def test_every_way_a_body_ends_has_words() -> None:
    assert set(ENDINGS) == set(CUT_ENDINGS) == set(RECORDED_ENDINGS) == set(get_args(EndedBy))
    assert body_end(Wire().body()) == "complete (last chunk)"
    cut = Wire().body(complete=False, ended_by="reset")
    assert body_end(cut) == "INCOMPLETE (connection reset)"
    assert recorded_end(cut) == (
        "not known to be whole (no end of it was recorded before the connection was reset)"
    )
    quic = Wire().body(complete=False, ended_by="end-stream", layer="quic")
    assert recorded_end(quic) == "not known to be whole (the stream's FIN came)"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"close": "fin", "closed_by": "server"},
            "closed by the server (FIN), then the client",
        ),
        (
            {"close": "fin", "closed_by": "client", "server_fin": None},
            "closed by the client (FIN), no FIN of the server seen",
        ),
        ({"close": "reset", "closed_by": "client"}, "reset by the client (RST)"),
        ({"close": "open", "closed_by": None}, "still open when the capture ends"),
        ({"close": "fin", "closed_by": None}, "closed (FIN)"),
    ],
)
def test_connection_end(fields: dict[str, Any], words: str) -> None:
    assert connection_end(Wire().end(**fields)) == words


def test_every_end_is_said_with_its_time() -> None:
    ends: list[End] = [
        {"sender": "client", "packet": 40, "time": EPOCH + 0.0123, "kind": "fin"},
        {"sender": "server", "packet": 42, "time": EPOCH + 3.204, "kind": "reset"},
    ]
    assert ends_said(Wire().end(ends=ends)) == [
        "FIN by the client (packet 40, 12.3 ms)",
        "RST by the server (packet 42, 3.204 s)",
    ]


@pytest.mark.parametrize(
    ("chunks", "ended_by", "found"),
    [(28, "last-chunk", 27), (27, "reset", 27), (1, "last-chunk", 0), (None, "close", 0)],
)
def test_the_last_chunk_carries_nothing(chunks: int | None, ended_by: EndedBy, found: int) -> None:
    body = BodyRecord(
        0, 0, "server", 1, 1, 0.0, 0.0, 0, 0, 0, 0, None, "", chunks, ended_by != "reset", ended_by
    )
    assert data_chunks(body) == found
