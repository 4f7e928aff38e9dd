"""The event stream decoder: cases, conformance vectors, a plain reading of the standard, damage."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors
from support.cuts import at, byte_by_byte, events, whole

from parsers.diagnostics import Diagnostic
from parsers.provenance import Event
from parsers.sse import block, stream
from parsers.sse.stream import EventStreamDecoder, ServerSentEvent


def decode(data: bytes, cuts: Iterable[int] = (), eof: bool = True) -> list[Event]:
    return events(EventStreamDecoder(), data, at(cuts), eof)


def blocks(found: list[Event]) -> list[ServerSentEvent]:
    return [item for item in found if isinstance(item, ServerSentEvent)]


def codes(found: list[Event]) -> list[str]:
    return [item.code for item in found if isinstance(item, Diagnostic)]


def check_every_cut(data: bytes) -> list[Event]:
    """Return the events of ``data``, having seen that they do not depend on the cut."""
    expected = decode(data)
    assert events(EventStreamDecoder(), data, byte_by_byte) == expected
    for cut in range(1, len(data)):
        assert decode(data, [cut]) == expected, cut
    return expected


# --- cases: input, and per block (start, end, type, data, last event ID, retry, dispatched) ---

CASES: list[tuple[bytes, list[tuple[int, int, str, str, str, int | None, bool]]]] = [
    (b"", []),
    (b"data: x\n\n", [(0, 9, "message", "x", "", None, True)]),
    (b"\n\ndata: x\n\n\n", [(2, 11, "message", "x", "", None, True)]),
    (
        b"id: 7\nevent: add\ndata: a\ndata:  b\nretry: 50\n\n",
        [(0, 45, "add", "a\n b", "7", 50, True)],
    ),
    (b": ping\n\n", [(0, 8, "message", "", "", None, False)]),
    (
        b"id: 1\n\ndata\n\n",
        [(0, 7, "message", "", "1", None, False), (7, 13, "message", "", "1", None, True)],
    ),
    (b"event: x\nid: 3\ndata: y\n", [(0, 23, "x", "", "", None, False)]),
    (b"data: x", [(0, 7, "message", "", "", None, False)]),
    (b"retry: 5\nretry: 6", [(0, 17, "message", "", "", 5, False)]),
    (b"\xef\xbb\xbfdata: x\n\n", [(0, 12, "message", "x", "", None, True)]),
    (b"\xef\xbb\xbf\ndata: x\n\n", [(4, 13, "message", "x", "", None, True)]),
    (b"\xef\xbb\xbf", []),
    (b"\xef\xbb\xbf\r\n", []),
    # Where a block ends: CRLF after CRLF, and every other case.
    (b"data: x\r\n\r\n", [(0, 11, "message", "x", "", None, True)]),
    (b"data: x\r\r", [(0, 9, "message", "x", "", None, True)]),
    (b"data: x\r\r\n", [(0, 9, "message", "x", "", None, True)]),
    (b"data: x\n\r\n", [(0, 9, "message", "x", "", None, True)]),
    (b"data: x\r\n\r", [(0, 10, "message", "x", "", None, True)]),
    (b"data: x\r\n\n", [(0, 10, "message", "x", "", None, True)]),
    (
        b"data: x\r\n\rdata: y\r\r",
        [(0, 10, "message", "x", "", None, True), (10, 19, "message", "y", "", None, True)],
    ),
    (
        b"data: x\n\r\ndata: y\r\n\r\n",
        [(0, 9, "message", "x", "", None, True), (10, 21, "message", "y", "", None, True)],
    ),
    (
        b"data: x\r\n\r\n\r\ndata: y\r\n\r\n",
        [(0, 11, "message", "x", "", None, True), (13, 24, "message", "y", "", None, True)],
    ),
]


@pytest.mark.parametrize(("data", "expected"), CASES, ids=[repr(case[0]) for case in CASES])
def test_cases_cut_everywhere(data: bytes, expected: list[tuple[Any, ...]]) -> None:
    found = blocks(check_every_cut(data))
    assert [
        (b.start, b.end, b.type, b.data, b.last_event_id, b.retry, b.dispatched) for b in found
    ] == expected


@pytest.mark.parametrize("trailing", [b"\n", b"\r", b"\r\n", b": ping\n\n", b"data: later"])
@pytest.mark.parametrize("data", [b"data: x\n\n", b"id: 1\r\ndata: x\r\n\r\n", b"data: x\r\r"])
def test_trailing_bytes_change_nothing_before(data: bytes, trailing: bytes) -> None:
    expected = decode(data)
    assert check_every_cut(data + trailing)[: len(expected)] == expected


def test_fields_keep_the_wire_order_unknown_ones_and_comments() -> None:
    data = b": ping - 1\ndata\n:x\nfoo:  bar\nid:\n :\n\n"
    (block,) = blocks(check_every_cut(data))
    assert block.fields == [
        ("", " ping - 1"),
        ("data", ""),
        ("", "x"),
        ("foo", " bar"),
        ("id", ""),
        (" ", ""),
    ]


def test_offsets_count_from_the_decoder_s_offset() -> None:
    found = events(EventStreamDecoder(1000), b"data: x\n\nbad\n\n", whole)
    assert [(item.start, item.end) for item in found] == [(1000, 1009), (1009, 1012), (1009, 1014)]


def test_a_lone_cr_dispatches_at_once() -> None:
    decoder = EventStreamDecoder()
    assert len(blocks(decoder.receive_data(b"data: x\r\r"))) == 1
    assert decoder.receive_data(b"\n") == []


def test_after_crlf_the_cr_waits_for_its_lf() -> None:
    decoder = EventStreamDecoder()
    assert decoder.receive_data(b"data: x\r\n\r") == []
    assert decoder.open_offsets == (0,)
    assert blocks(decoder.receive_data(b"\n"))[0].end == 11


# --- diagnostics ---

DIAGNOSED: list[tuple[bytes, list[tuple[int, int, str]]]] = [
    (b"id: a\0b\ndata: x\n\n", [(0, 7, "sse-id-ignored")]),
    (b"retry\ndata: x\n\n", [(0, 5, "sse-retry-ignored")]),
    (b"data: x\r\nretry: +5\r\n\r\n", [(9, 18, "sse-retry-ignored")]),
    (b"retry: " + b"9" * 19 + b"\n\n", [(0, 26, "sse-retry-ignored")]),
    (
        b"foo: 1\nfoo: 2\n\nfoo: 3\nbar\n\n",
        [(0, 6, "sse-field-unknown"), (22, 25, "sse-field-unknown")],
    ),
    (
        b"data: \xff\ndata: \xfe\n\ndata: \xe2\x82\n\n",
        [(0, 7, "sse-utf8-invalid"), (17, 25, "sse-utf8-invalid")],
    ),
    (b"data: x\n", [(0, 8, "sse-event-unfinished")]),
    (b"data: x", [(0, 7, "sse-event-unfinished")]),
    (b": a\nid: 1\n: b", [(0, 13, "sse-event-unfinished")]),
    (b"data: x\n\ndata: \xe2\x82", [(9, 17, "sse-event-unfinished")]),
    (b": ping\n", []),
    (b": pi", []),
    (b"\xef\xbb", [(0, 2, "sse-event-unfinished")]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), DIAGNOSED, ids=[repr(c[0]) for c in DIAGNOSED])
def test_diagnostics(data: bytes, expected: list[tuple[int, int, str]]) -> None:
    found = check_every_cut(data)
    assert [(d.start, d.end, d.code) for d in found if isinstance(d, Diagnostic)] == expected


def test_a_digit_of_another_script_is_no_digit() -> None:
    (block,) = blocks(decode("retry: ٣\nretry: ²\n\n".encode()))
    assert block.retry is None


def test_the_largest_retry() -> None:
    (block,) = blocks(decode(b"retry: 000" + b"9" * 18 + b"\n\n"))
    assert block.retry == 10**18 - 1


def test_unknown_fields_are_noted_up_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(block, "MAX_SSE_UNKNOWN_FIELDS", 2)
    found = check_every_cut(b"a\nb\nc\na\n\nc\nb\n\n")
    assert codes(found) == ["sse-field-unknown"] * 2
    assert len(blocks(found)[0].fields) == 4


@pytest.mark.parametrize("data", [b"id: 1\ndata: x", b"id: 1\ndata: x\n", b"\xe2\x82", b":"])
def test_the_end_of_the_capture_is_nobody_s_fault(data: bytes) -> None:
    decoder = EventStreamDecoder()
    assert decoder.receive_data(data) == []
    (block,) = decoder.receive_eof("capture-end")
    assert isinstance(block, ServerSentEvent)
    assert not block.dispatched
    assert block.last_event_id == ""
    assert decoder.receive_eof() == []


# --- limits ---


def test_a_line_is_cut_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SSE_LINE", 8)
    found = check_every_cut(b"data: x\xc3\xa9" + b"y" * 20 + b"\ndata: z\n\n")
    assert codes(found) == ["sse-line-limit"]
    assert blocks(found)[0].data == "x\nz"  # the cut inside a character is no invalid UTF-8


def test_a_line_of_the_limit_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SSE_LINE", 8)
    found = check_every_cut(b"data: xy\r\n\r\n")
    assert codes(found) == []
    assert blocks(found)[0].data == "xy"


def test_an_event_is_cut_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SSE_LINE", 20)
    monkeypatch.setattr(block, "MAX_SSE_EVENT", 25)
    found = check_every_cut(b"data: 0123\ndata: 4567\ndata: 89\ndata: ab\n\ndata: z\n\n")
    assert codes(found) == ["sse-event-limit"]
    assert [block.data for block in blocks(found)] == ["0123\n4567", "z"]


def test_fields_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader in (stream, block):
        monkeypatch.setattr(reader, "MAX_SSE_FIELDS", 2)
    found = check_every_cut(b"data\ndata\n:\ndata\n\ndata\n\n")
    assert codes(found) == ["sse-event-limit"]
    assert [block.data for block in blocks(found)] == ["\n", ""]
    found = check_every_cut(b"data\ndata\nda")
    assert codes(found) == ["sse-event-unfinished", "sse-event-limit"]


def test_byte_by_byte_is_linear_in_memory_too() -> None:
    decoder = EventStreamDecoder()
    found: list[Event] = []
    for piece in byte_by_byte(b"data: " + b"x" * 100_000 + b"\n\n"):
        found += decoder.receive_data(piece)
    assert len(blocks(found)[0].data) == 100_000


# --- missing bytes ---


def gap(before: bytes, length: int, after: bytes) -> list[Event]:
    """Return the events of a stream that lacks bytes, the same for whole and single bytes."""
    found: list[list[Event]] = []
    for split in (whole, byte_by_byte):
        decoder = EventStreamDecoder()
        found.append(events(decoder, before, split, eof=False))
        found[-1] += decoder.receive_gap(length)
        found[-1] += events(decoder, after, split)
    assert found[0] == found[1]
    return found[0]


def test_a_gap_between_blocks() -> None:
    found = gap(b"data: 1\n\n", 10, b"ta: 2\n\ndata: 3\n\n")
    assert codes(found) == ["sse-resynchronised"]
    assert [(b.start, b.end, b.data) for b in blocks(found)] == [(0, 9, "1"), (26, 35, "3")]
    assert [(d.start, d.end) for d in found if isinstance(d, Diagnostic)] == [(19, 26)]


def test_a_gap_ends_the_open_block_undispatched() -> None:
    found = gap(b"id: 1\ndata: a\nda", 10, b"x\r\n\r\ndata: b\r\n\r\n")
    first, second = blocks(found)
    assert (first.start, first.end, first.dispatched) == (0, 16, False)
    assert first.fields == [("id", "1"), ("data", "a"), ("da", "")]
    assert (second.start, second.data, second.last_event_id) == (31, "b", "")


def test_the_line_that_a_gap_ends_in_is_never_blank() -> None:
    found = gap(b"", 5, b"\ndata: a\n\ndata: b\n\n")
    assert [block.data for block in blocks(found)] == ["b"]


def test_a_gap_dispatches_what_waits_for_an_lf() -> None:
    found = gap(b"data: x\r\n\r", 1, b"data: y\r\n\r\n")
    assert [(b.end, b.data, b.dispatched) for b in blocks(found)] == [(10, "x", True)]


def test_two_gaps_are_one() -> None:
    decoder = EventStreamDecoder()
    found = decoder.receive_gap(5)
    found += decoder.receive_data(b"abc")
    found += decoder.receive_gap(5)
    assert decoder.open_offsets == (5,)
    found += decoder.receive_data(b"\n\ndata: x\n\n")
    assert [(item.start, item.end) for item in found] == [(5, 15), (15, 24)]


def test_the_stream_ends_before_it_is_certain_again() -> None:
    assert codes(gap(b"", 5, b"data: x\n")) == ["sse-event-unfinished"]
    assert codes(gap(b"", 5, b"data: x")) == ["sse-event-unfinished"]
    assert codes(gap(b"", 5, b"")) == []


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_line_end_after_a_hole_may_be_that_of_a_blank_line(end: bytes) -> None:
    assert codes(gap(b"data: x", 1, end)) == []


# --- open offsets ---


def test_open_offsets_name_the_block_and_its_line() -> None:
    decoder = EventStreamDecoder(10)
    assert decoder.open_offsets == ()
    decoder.receive_data(b"\xef")
    assert decoder.open_offsets == (10,)
    decoder.receive_data(b"\xbb\xbf")
    assert decoder.open_offsets == (10,)
    decoder.receive_data(b"id: 1\n")
    assert decoder.open_offsets == (10,)
    decoder.receive_data(b"data")
    assert decoder.open_offsets == (10, 19)
    decoder.receive_data(b"\n\n")
    assert decoder.open_offsets == ()
    decoder.receive_data(b"data: 1\n\n")
    assert decoder.open_offsets == ()
    decoder.receive_data(b"da")
    assert decoder.open_offsets == (34,)


# --- the conformance vectors ---


def summary(found: list[Event]) -> dict[str, Any]:
    """Return what a browser would have made of it, in the vectors' form."""
    everything = blocks(found)
    retries = [block.retry for block in everything if block.retry is not None]
    return {
        "events": [[b.type, b.data, b.last_event_id] for b in everything if b.dispatched],
        "last_event_id": everything[-1].last_event_id if everything else "",
        "retry_ms": retries[-1] if retries else None,
    }


def test_vectors() -> None:
    for vector in vectors("sse"):
        data = bytes.fromhex(vector["input_hex"])
        expected = decode(data)
        assert summary(expected) == vector["expect"], vector["id"]
        assert events(EventStreamDecoder(), data, byte_by_byte) == expected, vector["id"]
        for cut in [*vector.get("chunks", ()), *range(1, min(len(data), 200))]:
            assert decode(data, [cut]) == expected, (vector["id"], cut)
        if "comments" in vector:
            comments = [v for block in blocks(expected) for n, v in block.fields if not n]
            assert comments == vector["comments"], vector["id"]
        assert blocks(expected) == read_plainly(data), vector["id"]


# --- a plain reading of WHATWG HTML section 9.2.6 ---


def read_plainly(data: bytes) -> list[ServerSentEvent]:
    """Read a whole stream line by line as the standard's text does; nothing else in mind."""
    found: list[ServerSentEvent] = []
    skip = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    lines: list[tuple[int, bytes, bytes]] = []
    position = skip
    for match in re.finditer(rb"\r\n|\n|\r", data[skip:]):
        lines.append((position, data[position : skip + match.start()], match.group()))
        position = skip + match.end()
    last_id = ""
    id_buffer = event_type = data_buffer = ""
    retry: int | None = None
    fields: list[tuple[str, str]] = []
    start: int | None = None
    previous = b""
    for begin, line, ending in lines:
        if line == b"":
            last_id = id_buffer
            if start is not None:
                end = begin + (2 if ending == previous == b"\r\n" else 1)
                has_data = data_buffer != ""
                found.append(
                    ServerSentEvent(
                        start, end, event_type or "message",
                        data_buffer[:-1], last_id, retry, has_data, fields,
                    )
                )  # fmt: skip
            event_type = data_buffer = ""
            retry, fields, start = None, [], None
        else:
            if start is None:
                start = 0 if begin == skip else begin
            text = line.decode("utf-8", "replace")
            name, colon, value = text.partition(":")
            if text[0] != ":" and value[:1] == " ":
                value = value[1:]
            fields.append((name, value))
            if name == "event":
                event_type = value
            elif name == "data":
                data_buffer += value + "\n"
            elif name == "id" and "\0" not in value:
                id_buffer = value
            elif name == "retry" and value and set(value) <= set("0123456789"):
                retry = int(value)
        previous = ending
    if position < len(data) or start is not None:
        if start is None:
            start = 0 if position == skip else position
        if rest := data[position:].decode("utf-8", "replace"):
            name, _, value = rest.partition(":")
            fields.append((name, value[1:] if name and value[:1] == " " else value))
        found.append(
            ServerSentEvent(
                start, len(data), event_type or "message", "", last_id, retry, False, fields
            )
        )
    return found


WORDS = [
    b"data", b"id", b"event", b"retry", b"Data", b":", b":", b" ", b"\n", b"\n", b"\n\n", b"\r",
    b"\r\n", b"\r\n\r\n", b"12", b"\0", b"\xe2\x82\xac", b"\xe2\x82", b"\xff", b"\xef\xbb\xbf",
    b"data: x\n\n", b"data: y\r\n\r\n", b"id: 3\n", b": ping\n\n", "\u2028\u0085".encode(), b"\x0b",
]  # fmt: skip
STREAMS = st.lists(st.sampled_from(WORDS), max_size=40).map(b"".join)


@settings(deadline=None, max_examples=400)
@given(STREAMS | st.binary(max_size=60), st.lists(st.integers(0, 200), max_size=8))
def test_any_bytes_read_as_the_standard_reads_them(data: bytes, cuts: list[int]) -> None:
    expected = decode(data + b"\n")  # a line end, so that no character is cut at the end
    assert blocks(expected) == read_plainly(data + b"\n")
    assert decode(data + b"\n", cuts) == expected
    assert events(EventStreamDecoder(), data + b"\n", byte_by_byte) == expected
    assert decode(data, cuts) == decode(data)


@settings(deadline=None, max_examples=150)
@given(STREAMS, st.integers(0, 100), st.integers(1, 9), st.lists(st.integers(0, 200), max_size=5))
def test_missing_bytes_invent_nothing(
    data: bytes, where: int, length: int, cuts: list[int]
) -> None:
    """After a gap, blocks begin where blocks began without it."""
    where = min(where, len(data))
    decoder = EventStreamDecoder()
    found = events(decoder, data[:where], at(cuts), eof=False)
    found += decoder.receive_gap(len(data[where : where + length]) or 1)
    found += events(decoder, data[where + length :], at(cuts))
    starts = {block.start for block in read_plainly(data)}
    assert {block.start for block in blocks(found) if block.dispatched} <= starts


def test_whoever_reads_blocks_beside_it_says_how_far() -> None:
    decoder = EventStreamDecoder()
    assert not decoder.is_between  # a byte order mark may come
    decoder.receive_data(b"id: 1\ndata: a\n\n")
    assert decoder.is_between and decoder.last_event_id == "1"
    decoder.advance(20, "3")
    (event,) = blocks(decoder.receive_data(b"data: b\n\n"))
    assert (event.start, event.end, event.last_event_id) == (35, 44, "3")


def test_a_common_block_with_a_line_past_the_limit_is_read_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "MAX_SSE_LINE", 20)
    found = decode(b"data: a\n\ndata: 0123456789 0123456789\n\n")
    assert [event.data for event in blocks(found)][0] == "a"
    assert len(blocks(found)) == 2


def test_common_blocks_after_others_are_read_as_any_other() -> None:
    found = decode(b"data: a\n\ndata: \xff\n\nid: 1\nevent: b\ndata: c\n\n", [9])
    assert [(event.type, event.data) for event in blocks(found)] == [
        ("message", "a"),
        ("message", "\ufffd"),
        ("b", "c"),
    ]
