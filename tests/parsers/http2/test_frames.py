"""Frames, whole and byte by byte, right and wrong, and with bytes missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.http2 import data, framed

from parsers.diagnostics import Diagnostic
from parsers.http2.elements import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PRIORITY_FLAG,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Content,
    DataFrame,
    Frame,
    HeaderBlock,
    Lost,
    MissingContent,
)
from parsers.http2.frames import MAX_PLACES, FrameDecoder
from parsers.provenance import Event

PINGS = b"".join(framed(PING, 0, 0, bytes([n]) * 8) for n in range(3))


def decoder(sender: str = "server") -> FrameDecoder:
    found = FrameDecoder(100, sender, keep_data=True)  # type: ignore[arg-type]
    preface = PREFACE if sender == "client" else b""
    found.receive_data(preface + framed(SETTINGS, 0, 0))
    return found


def merged(events: list[Event]) -> list[Event]:
    """Content as if it had come in one piece."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, Content) and isinstance(last, Content) and last.end == event.start:
            found[-1] = Content(last.start, event.end, last.data + event.data, None, last.stream_id)
        else:
            found.append(event)
    return found


def said(events: list[Event]) -> list[object]:
    """What each event says, without where it is."""
    found: list[object] = []
    for event in events:
        match event:
            case Frame(kind=kind, flags=flags, stream_id=stream_id, payload=payload):
                found.append((kind, flags, stream_id, payload))
            case HeaderBlock(stream_id=stream_id, block=block, promised=promised):
                found.append(("block", stream_id, block, promised))
            case Content(data=content, stream_id=stream_id):
                found.append(("content", stream_id, content))
            case DataFrame(stream_id=stream_id, size=size, padding=padding):
                found.append(("data", stream_id, size, padding))
            case Diagnostic(code=code):
                found.append(code)
            case other:
                found.append(type(other))
    return found


CASES: dict[str, tuple[bytes, list[object]]] = {
    "settings": (framed(SETTINGS, ACK, 0), [(SETTINGS, ACK, 0, b"")]),
    "ping": (framed(PING, 0, 0, b"12345678"), [(PING, 0, 0, b"12345678")]),
    "of an unknown type": (framed(0x2A, 7, 3, b"x"), [(0x2A, 7, 3, b"x")]),
    "the reserved bit": (
        b"\0\0\4\3\0\x80\0\0\1\0\0\0\x08", [(RST_STREAM, 0, 1, b"\0\0\0\x08")],
    ),
    "data": (data(1, b"abc"), [("content", 1, b"abc"), ("data", 1, 3, 0)]),
    "empty data": (data(1, b"", ends=True), [("data", 1, 0, 0)]),
    "padded data": (
        framed(DATA, PADDED, 1, b"\x02abc\0\0"), [("content", 1, b"abc"), ("data", 1, 3, 3)],
    ),
    "nothing but padding": (framed(DATA, PADDED, 1, b"\x02\0\0"), [("data", 1, 0, 3)]),
    "headers": (framed(HEADERS, END_HEADERS, 1, b"\x88"), [("block", 1, b"\x88", 0)]),
    "padded headers with priority": (
        framed(HEADERS, END_HEADERS | PADDED | PRIORITY_FLAG, 1, b"\x01\0\0\0\0\x0f\x88\0"),
        [("block", 1, b"\x88", 0)],
    ),
    "continued": (
        framed(HEADERS, 0, 1, b"\x88") + framed(CONTINUATION, 0, 1)
        + framed(CONTINUATION, END_HEADERS, 1, b"\x89"),
        [("block", 1, b"\x88\x89", 0)],
    ),
    "a promise": (
        framed(PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\2\x82"), [("block", 1, b"\x82", 2)],
    ),
    "goaway with debug data": (
        framed(GOAWAY, 0, 0, bytes(8) + b"why"), [(GOAWAY, 0, 0, bytes(8) + b"why")],
    ),
    "data of stream 0": (data(0, b"x"), ["http2-data-invalid"]),
    "too much padding": (
        framed(DATA, PADDED, 1, b"\x04abc"), ["http2-data-invalid", ("data", 1, 0, 4)],
    ),
    "padded without a pad length": (
        framed(DATA, PADDED, 1), ["http2-data-invalid", ("data", 1, 0, 0)],
    ),
    "a short ping": (framed(PING, 0, 0, bytes(7)), ["http2-ping-invalid"]),
    "settings of 5 bytes": (framed(SETTINGS, 0, 0, bytes(5)), ["http2-settings-invalid"]),
    "an acknowledgement with settings": (
        framed(SETTINGS, ACK, 0, bytes(6)), ["http2-settings-invalid"],
    ),
    "a short priority": (framed(PRIORITY, 0, 1, bytes(4)), ["http2-priority-invalid"]),
    "a short window update": (
        framed(WINDOW_UPDATE, 0, 1, bytes(3)), ["http2-window-update-invalid"],
    ),
    "a short goaway": (framed(GOAWAY, 0, 0, bytes(7)), ["http2-goaway-invalid"]),
    "headers of stream 0": (
        framed(HEADERS, END_HEADERS, 0, b"\x88"), ["http2-headers-invalid", Lost],
    ),
    "a continuation of nothing": (
        framed(CONTINUATION, END_HEADERS, 1), ["http2-continuation-invalid"],
    ),
    "something within a header block": (
        framed(HEADERS, 0, 1, b"\x88") + framed(PING, 0, 0, bytes(8)),
        ["http2-continuation-invalid", ("block", 1, b"\x88", 0), (PING, 0, 0, bytes(8))],
    ),
    "longer than allowed": (
        framed(0x2A, 0, 0, bytes(16_385)), ["http2-frame-too-long", (0x2A, 0, 0, bytes(16_385))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("step", [0, 1, 5], ids=["whole", "byte by byte", "by five bytes"])
@pytest.mark.parametrize("name", CASES)
def test_frames(name: str, step: int) -> None:
    """Each is followed by another frame, which is read as ever."""
    sent, expected = CASES[name]
    sent += framed(PING, 0, 0, b"trailing")
    step = step or len(sent)
    found = decoder()
    events: list[Event] = []
    for pos in range(0, len(sent), step):
        events += found.receive_data(sent[pos : pos + step])
    assert said(merged(events)) == [*expected, (PING, 0, 0, b"trailing")]
    assert found.offset == 100 + 9 + len(sent)
    assert found.open_offsets == (found.offset,)


def test_where_they_are() -> None:
    found = decoder()
    frame, block = framed(PING, 0, 0, bytes(8)), framed(HEADERS, 0, 1, b"\x88")
    rest = framed(CONTINUATION, END_HEADERS, 1, b"\x89")
    padded = framed(DATA, PADDED | END_STREAM, 1, b"\x01abc\0")
    places = [
        (one.start - 109, one.end - 109)
        for one in found.receive_data(frame + block + rest + padded)
    ]
    assert places == [(0, 17), (17, 37), (47, 50), (37, 51)]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"GET / HTTP/1.1\r\n\r\n" + PREFACE, "http2-preface-invalid"),
        (PREFACE + framed(PING, 0, 0, bytes(8)), "http2-preface-invalid"),
        (PREFACE + framed(SETTINGS, ACK, 0), "http2-preface-invalid"),
    ],
)
def test_a_wrong_beginning(sent: bytes, code: str) -> None:
    found = FrameDecoder(0, "client", keep_data=True)
    events = found.receive_data(sent)
    assert [one.code for one in events if isinstance(one, Diagnostic)][:1] == [code]


def test_a_flood_of_continuations_is_one_fault_and_its_block_is_void() -> None:
    found = decoder()
    events = found.receive_data(framed(HEADERS, 0, 1) + framed(CONTINUATION, 0, 1) * 1000)
    events += found.receive_data(framed(CONTINUATION, END_HEADERS, 1))
    assert said(events) == ["http2-continuation-flood", ("block", 1, b"", 0)]
    (block,) = [one for one in events if isinstance(one, HeaderBlock)]
    assert block.is_void


@pytest.mark.parametrize("lost", range(1, 12))
def test_a_hole_in_content_costs_content(lost: int) -> None:
    found = decoder()
    frame = data(1, b"0123456789ab") + PINGS
    events = found.receive_data(frame[:9]) + found.receive_gap(lost)
    events += found.receive_data(frame[9 + lost :])
    (missing,) = [one for one in events if isinstance(one, MissingContent)]
    assert (missing.start, missing.end) == (118, 118 + lost)
    (whole,) = [one for one in events if isinstance(one, DataFrame)]
    assert (whole.size, whole.content) == (12, None)
    assert sum(isinstance(one, Frame) for one in events) == 3


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_hole_over_a_border_costs_what_comes_before_the_next_certain_one(cut: int) -> None:
    found = decoder()
    sent = data(1, b"abc") + data(1, b"0123456789")
    events = found.receive_data(sent[:5])
    events += found.receive_gap(len(sent) - 5)
    stream = PINGS * 2
    events += found.receive_data(stream[:cut]) + found.receive_data(stream[cut:])
    assert [type(one) for one in events if type(one) is Lost] == [Lost]
    assert "http2-resumed" in said(events)
    assert sum(isinstance(one, Frame) for one in events) == 6


def test_a_hole_that_is_a_whole_payload_costs_that_frame() -> None:
    found = decoder()
    sent = framed(PING, 0, 0, bytes(8)) + PINGS
    events = found.receive_data(sent[:9]) + found.receive_gap(8) + found.receive_data(sent[17:])
    assert said(events) == [Lost, *[(PING, 0, 0, bytes([n]) * 8) for n in range(3)]]


def test_a_hole_in_a_header_block_costs_the_block() -> None:
    found = decoder()
    events = found.receive_data(framed(HEADERS, 0, 1, b"\x88")) + found.receive_gap(5)
    events += found.receive_data(PINGS)
    assert said(events)[:3] == [("block", 1, b"\x88", 0), Lost, "http2-resumed"]
    (block,) = [one for one in events if isinstance(one, HeaderBlock)]
    assert block.is_void


def test_the_rest_of_a_block_whose_beginning_is_missing_is_no_fault() -> None:
    """Once a block has come after it, a further one is."""
    found = decoder()
    rest = framed(CONTINUATION, END_HEADERS, 1, b"\x88")
    events = found.receive_gap(5) + found.receive_data(rest + PINGS)
    assert said(events)[:3] == [Lost, "http2-resumed", (PING, 0, 0, bytes(8))]
    events = found.receive_data(framed(HEADERS, END_HEADERS, 3, b"\x88") + rest)
    assert said(events) == [("block", 3, b"\x88", 0), "http2-continuation-invalid"]


def test_what_is_searched_is_found_in_however_many_pieces() -> None:
    found = decoder()
    events = found.receive_gap(5)
    sent = data(1, bytes(2 * MAX_PLACES)) + PINGS
    for byte in sent:
        events += found.receive_data(bytes((byte,)))
    assert found.offset == 109 + 5 + len(sent)
    whole = said(merged(decoder().receive_data(sent)))
    assert said(merged(events)) == [Lost, "http2-resumed", *whole]


def test_where_any_frame_may_come() -> None:
    client = FrameDecoder(0, "client", keep_data=False)
    assert not client.is_between
    client.receive_data(PREFACE)
    assert not client.is_between, "the first frame is SETTINGS"
    client.receive_data(framed(SETTINGS, 0, 0))
    assert client.is_between
    client.receive_data(b"\0")
    assert not client.is_between
    client.receive_data(framed(HEADERS, 0, 1)[1:])
    assert not client.is_between, "a block is open"
    client.receive_data(framed(CONTINUATION, END_HEADERS, 1))
    assert client.is_between


def test_a_frame_that_is_cut_by_the_end() -> None:
    found = decoder()
    found.receive_data(framed(PING, 0, 0, bytes(8))[:12])
    assert said(found.receive_eof("close")) == ["http2-frame-cut"]
    assert decoder().receive_eof("close") == []


@given(st.lists(st.binary(max_size=80), max_size=6), st.lists(st.integers(0, 60), max_size=4))
def test_any_bytes_and_any_holes_end_nothing(pieces: list[bytes], holes: list[int]) -> None:
    found = decoder()
    for piece in pieces:
        found.receive_data(piece)
        if holes:
            found.receive_gap(holes.pop())
    found.receive_eof("close")
    assert all(offset <= found.offset for offset in found.open_offsets)
