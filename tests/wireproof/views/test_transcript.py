"""Transcripts: readable, and equal only if the records are."""

from __future__ import annotations

from msgspec.structs import replace

from parsers.records import ChunkRecord, ConnectionRecord, End
from wireproof.views.transcript import HEADING, LONGEST_SHOWN, transcript

CHUNK = ChunkRecord(
    0, 1, "server", 8, 9, 10.0, 10.5, 230, 15, 3, 10, "", "id: 1\r\n", "utf-8", None, 233
)  # fmt: skip
LAST = replace(CHUNK, size=0, data="", trailers=[("X-Sum", "\x1b[31m")])
CONNECTION = ConnectionRecord(
    0, "a:1", "b:2", "http/1.1", 1, 12, 9.5, 11.0, 12, 5, 6, 0, 0, None, "open", False
)


def test_a_line_says_packets_times_sender_place_and_every_field() -> None:
    heading, line = transcript([CHUNK])
    assert heading == HEADING
    assert line == (
        "      8-9   0.500000 (0.000000)  c0 server        230+15  chunk"
        '  exchange=1 index=3 size=10 extension="" data="id: 1\\r\\n" encoding="utf-8"'
        " content_offset=233"
    )


def test_field_lists_follow_one_a_line_and_escaped() -> None:
    *_, trailer = transcript([LAST])
    assert trailer.strip() == r'trailer  "X-Sum: \u001b[31m"'


def test_a_record_without_place() -> None:
    _, line = transcript([CONNECTION])
    assert line.startswith("     1-12   1.500000 (0.000000)  c0 -                  -  connection")


def test_what_ended_a_connection_follows_one_a_line() -> None:
    ends: list[End] = [{"sender": "server", "packet": 12, "time": 10.75, "kind": "fin"}]
    _, line, end = transcript([replace(CONNECTION, ends=ends)])
    assert " ends=" not in line
    assert end == " " * 18 + "end  FIN by the server (packet 12, 1.250000)"


def test_long_values_are_digested_not_dropped() -> None:
    long = replace(CHUNK, data="x" * LONGEST_SHOWN)
    other = replace(CHUNK, data="x" * (LONGEST_SHOWN - 1) + "y")
    (_, one), (_, two) = transcript([long]), transcript([other])
    assert "sha256" in one
    assert len(one) < LONGEST_SHOWN
    assert one != two


def test_every_field_makes_a_difference() -> None:
    changes = {"size": 11, "index": 4, "offset": 1, "last_packet": 10, "encoding": "base64"}
    before = list(transcript([CHUNK]))
    for name, value in changes.items():
        assert list(transcript([replace(CHUNK, **{name: value})])) != before
