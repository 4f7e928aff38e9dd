"""Legs are digests: bounded, and equal however their bytes were cut, coded or ended."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http2 import EVENTS as EVENT_FIELDS
from support.http2 import GET, Http2Talk, data
from support.legs import Pieces, Side, records_of, tokens
from support.talk import EPOCH_NS, Talk, Tape, decoded
from support.timed import CHUNKED, EVENT_STREAM, HANDSHAKE, SWITCHING, Stream, chunk, event
from support.websocket_frames import frame

from wireproof.analysis.hops import flow, leg
from wireproof.analysis.hops.content import MAX_RUN, LineEnds, Splitter
from wireproof.analysis.hops.leg import Leg, read_legs

EVENTS = tokens(6)
TEXT = CHUNKED + b"Content-Type: text/plain\r\n"


def leg_of(side: Side) -> Leg:
    [found] = read_legs(records_of(side.tape().packets))
    return found


def cut(pieces: Pieces, size: int) -> Pieces:
    return [
        (time, data[at : at + size]) for time, data in pieces for at in range(0, len(data), size)
    ]


def test_a_hole_is_no_gap_of_a_leg() -> None:
    """Of HTTP/2 nobody knows whose it is; of one flow, times of a number of holes are kept."""
    stream = Stream().events(3, every=0.1)
    stream.tape.wait(2.0)
    stream.talk.server(chunk(event(4)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    [found] = read_legs(stream.events(3, every=0.2).end().tape.records())
    assert found.longest_gap == pytest.approx(0.2, abs=0.01)
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENT_FIELDS))
    for number in range(30):
        talk.at(0.2 + number * 0.1).say(
            "server", data(1, b"data: %d\n\n" % number, ends=number == 29)
        )
    packets = [one for one in talk.packets() if not 1.45 < (one[1] - EPOCH_NS) / 1e9 < 2.05]
    [found] = read_legs(decoded(packets))
    assert found.longest_gap < 0.25 and len(found.holes_around or ()) == 1


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    whole, pieces = leg_of(Side(EVENTS)), leg_of(Side(cut(EVENTS, size)))
    assert pieces.down.marks == whole.down.marks
    assert len(whole.down) == whole.down.count == 6
    assert pieces.down.times[-1] == pytest.approx(whole.down.times[-1], abs=0.001)


def test_events_are_the_same_whatever_ends_their_lines_and_numbers_them() -> None:
    plain = leg_of(Side(EVENTS))
    other = leg_of(
        Side(
            [
                (time, b"id: %d\r\n" % at + data.replace(b"\n", b"\r\n") + b": keep\r\n\r\n")
                for at, (time, data) in enumerate(EVENTS)
            ]
        )
    )
    assert other.down.marks == plain.down.marks
    assert (plain.line_ends, other.line_ends) == ("LF", "CRLF")
    assert (plain.down.keep_alives, other.down.keep_alives) == (0, 6)
    assert (len(plain.down.ids), len(other.down.ids)) == (0, 6)


def test_coded_content_is_the_same() -> None:
    content = gzip.compress(b"".join(data for _, data in EVENTS))
    coded = Side([(0.5, content)], fields=EVENT_STREAM + CHUNKED + b"Content-Encoding: gzip\r\n")
    assert leg_of(coded).down.marks == leg_of(Side(EVENTS)).down.marks
    assert leg_of(coded).line_ends == "LF"


def test_messages_of_both_sides_are_kept_apart() -> None:
    side = Side(
        [(0.2, frame(0x81, b"hello")), (0.4, frame(0x89, b"ping")), (0.5, frame(0x82, b"more"))],
        handshake=(HANDSHAKE, SWITCHING),
        is_chunked=False,
        sent=[(0.3, frame(0x81, b"hello", key=b"abcd"))],
    )
    found = leg_of(side)
    assert (len(found.down), len(found.up)) == (2, 1)
    assert found.up.marks[0] == found.down.marks[0]


@given(st.lists(st.integers(1, 400), max_size=20), st.binary(max_size=1_500))
def test_content_without_elements_is_cut_where_it_says_so(borders: list[int], data: bytes) -> None:
    whole = _runs([data])
    pieces, at = [], 0
    for size in borders:
        pieces.append(data[at : at + size])
        at += size
    assert _runs([*pieces, data[at:]]) == whole
    assert b"".join(whole) == data.replace(b"\r", b"")
    assert all(len(run) <= MAX_RUN for run in whole)


def _runs(pieces: Sequence[bytes]) -> list[bytes]:
    splitter = Splitter([])
    found = [run for piece in pieces for run in splitter.receive_data(piece, cut=True)]
    rest = splitter.finish()
    return [*found, rest] if rest else found


def test_content_is_found_again_after_bytes_that_are_missing() -> None:
    text = b"".join(b"this is the line of number %d, and more;\n" % at for at in range(60))
    whole, rest = _runs([text]), _runs([text[777:]])
    assert rest[1:] == whole[-len(rest) + 1 :]


def test_content_that_turns_out_to_have_elements_is_not_cut() -> None:
    side = Side(EVENTS, fields=CHUNKED + b"Content-Type: application/x-ndjson\r\n")
    lines = [(time, b'{"n": %d}\n' % at) for at, (time, _) in enumerate(EVENTS)]
    found = leg_of(replace(side, pieces=lines))
    assert (len(found.down), found.is_plain) == (6, False)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_ELEMENTS", "MAX_PIECES"):
        monkeypatch.setattr(flow, name, 3)
    monkeypatch.setattr(leg, "MAX_IDS", 2)
    found = leg_of(Side([(time, b"id: 1\n" + data) for time, data in EVENTS])).down
    assert (found.count, len(found), found.pieces) == (6, 3, 6)
    assert len(found.times) == len(found.packets) == len(found.sizes) == 3
    assert (len(found.piece_times), len(found.ids)) == (3, 2)


def test_exchanges_past_their_number_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leg, "MAX_LEGS", 1)
    records = records_of(Side(EVENTS).tape().packets)
    assert len(read_legs(records)) == 1
    monkeypatch.setattr(leg, "MAX_LEGS", 0)
    assert read_legs(records) == []


def test_exchanges_past_what_content_is_cut_into_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that have begun go on; of bodies that unfold to much, few are compared."""
    monkeypatch.setattr(leg, "MAX_RUNS", 3)
    tape = Tape()
    for port in (40_000, 40_001, 40_002):
        talk = Talk(tape, client_port=port).open()
        talk.client(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", b"a\nb\nc\nd\n")
        talk.close()
    (only,) = read_legs(records_of(tape.packets))
    assert only.down.count == 4


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        ([b""], ""),
        ([b"a\nb\n"], "LF"),
        ([b"a\r\nb\r\n"], "CRLF"),
        ([b"a\r", b"\nb\r", b"\n"], "CRLF"),
        ([b"a\r\nb\n"], "mixed"),
    ],
)
def test_line_ends_are_counted_over_borders(pieces: list[bytes], name: str) -> None:
    ends = LineEnds()
    for piece in pieces:
        ends.add(piece)
    assert ends.name == name
