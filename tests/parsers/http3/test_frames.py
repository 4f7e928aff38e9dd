"""Frames of HTTP/3 in one stream, however its bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.quic import h3_frame, varint

from parsers.diagnostics import Diagnostic
from parsers.http1.chunked import Data
from parsers.http3.elements import DataFrame, Frame, Lost, MissingContent
from parsers.http3.frames import FrameDecoder
from parsers.limits import MAX_CONTROL_FRAME
from parsers.provenance import Event

STREAM = b"".join(
    (
        h3_frame(1, b"\0\0\xd1"),
        h3_frame(0, b"hello "),
        h3_frame(0x21, b"reserved"),
        h3_frame(0, b""),
        h3_frame(0, b"x" * 70),
        h3_frame(7, varint(8)),
    )
)


def fed(*parts: bytes | int, keep_data: bool = True) -> list[Event]:
    """Feed data and gaps, then the end."""
    decoder = FrameDecoder(keep_data=keep_data)
    events: list[Event] = []
    for part in parts:
        events += decoder.receive_gap(part) if isinstance(part, int) else decoder.receive_data(part)
    return events + decoder.receive_eof()


def joined(events: list[Event]) -> list[Event]:
    """Put pieces of content together that follow one another."""
    found: list[Event] = []
    for event in events:
        last = found[-1] if found else None
        if isinstance(event, Data) and isinstance(last, Data):
            found[-1] = Data(last.start, event.end, last.data + event.data, None)
        else:
            found.append(event)
    return found


def test_frames_whole() -> None:
    assert fed(STREAM) == [
        Frame(0, 5, 1, b"\0\0\xd1", True),
        Data(7, 13, b"hello ", None),
        DataFrame(5, 13, 7, 6, b"hello "),
        Frame(13, 23, 0x21, b"", False),
        DataFrame(23, 25, 25, 0, b""),
        Data(28, 98, b"x" * 70, None),
        DataFrame(25, 98, 28, 70, b"x" * 70),
        Frame(98, 101, 7, b"\x08", True),
    ]


@given(st.sets(st.integers(1, len(STREAM) - 1)))
def test_frames_cut_anywhere(cuts: set[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[a:b] for a, b in zip(places, places[1:], strict=False)]
    assert joined(fed(*parts)) == fed(STREAM)


def test_byte_by_byte_with_trailing_bytes() -> None:
    parts = [bytes((byte,)) for byte in STREAM + b"\x40"]
    found = joined(fed(*parts))
    assert found[:-1] == fed(STREAM)
    assert isinstance(found[-1], Diagnostic)
    assert found[-1].code == "http3-frame-cut"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (h3_frame(0, b"hello")[:-2], "DATA lacks 2 bytes"),
        (h3_frame(1, b"hello")[:-1], "HEADERS lacks 1 byte"),
        (h3_frame(0x21, b"hello")[:-1], "a frame lacks 1 byte"),
        (b"\x00", "after 1 byte of its header"),
    ],
)
def test_an_end_inside_a_frame(data: bytes, said: str) -> None:
    cut = fed(data)[-1]
    assert isinstance(cut, Diagnostic)
    assert (cut.code, cut.summary.partition(": ")[2]) == ("http3-frame-cut", said)
    decoder = FrameDecoder()
    decoder.receive_data(data)
    assert decoder.open_offsets == (0,)
    assert decoder.receive_eof("capture-end") == []


def test_a_gap_inside_content() -> None:
    assert fed(b"\0\x08ab", 4, b"gh\0\0") == [
        Data(2, 4, b"ab", None),
        MissingContent(4, 8),
        Data(8, 10, b"gh", None),
        DataFrame(0, 10, 2, 8, None),
        DataFrame(10, 12, 12, 0, b""),
    ]


def test_a_gap_up_to_the_end_of_content() -> None:
    assert fed(b"\0\x08ab", 6, h3_frame(0, b"z"))[1:3] == [
        MissingContent(4, 10),
        DataFrame(0, 10, 2, 8, None),
    ]


@pytest.mark.parametrize("parts", [(b"\0\x02ab", 3, b"\0\x01c"), (b"\0", 3, b"\0\x01c")])
def test_a_gap_that_held_the_beginning_of_a_frame(parts: tuple[bytes | int, ...]) -> None:
    lost = fed(*parts)[-1]
    assert isinstance(lost, Diagnostic)
    assert lost.code == "http3-frames-lost"


def test_a_gap_over_the_end_of_content() -> None:
    found = fed(b"\0\x08ab", 20, b"anything")
    assert found[1] == MissingContent(4, 10)
    assert found[2] == Lost(4, 24)
    assert isinstance(found[3], Diagnostic)
    assert len(found) == 4


def test_a_gap_in_another_frame() -> None:
    assert fed(b"\x01\x04ab", 2) == [Frame(0, 6, 1, b"ab", False)]


def test_what_is_kept() -> None:
    long = bytes(MAX_CONTROL_FRAME + 1)
    (frame,) = fed(h3_frame(7, long))
    assert isinstance(frame, Frame)
    assert (frame.is_whole, len(frame.payload)) == (False, MAX_CONTROL_FRAME)
    (_, found) = fed(h3_frame(0, b"abc"), keep_data=False)
    assert isinstance(found, DataFrame)
    assert (found.size, found.content) == (3, None)


@given(st.lists(st.one_of(st.binary(max_size=40), st.integers(1, 1 << 40)), max_size=8))
def test_any_bytes_and_any_gaps(parts: list[bytes | int]) -> None:
    size = sum(part if isinstance(part, int) else len(part) for part in parts)
    for event in fed(*parts):
        assert 0 <= event.start <= event.end <= size


CHAIN = b"".join(h3_frame(0, b"data: %d\n\n" % number) for number in range(4))


@pytest.mark.parametrize("before", [(3,), (b"\0", 3), (b"\0\x02ab", 3), (2, b"\0\x05ab", 9)])
@pytest.mark.parametrize("is_cut", [False, True])
def test_frames_go_on_where_they_prove_themselves(
    before: tuple[bytes | int, ...], is_cut: bool
) -> None:
    parts = [bytes((byte,)) for byte in CHAIN] if is_cut else [CHAIN]
    found = fed(*before, *parts)
    assert any(isinstance(one, Lost) for one in found)
    (said,) = [one for one in found if isinstance(one, Diagnostic)]
    assert said.code == "http3-resumed"
    frames = [one for one in found if isinstance(one, DataFrame)][-4:]
    assert [one.content for one in frames] == [b"data: %d\n\n" % number for number in range(4)]
    assert frames[0].start == said.start


def test_where_no_frame_is_found_it_is_said_once() -> None:
    found = fed(3, b"data: one\n\n", b"data: two\n\n", 5, b"data: three\n\n")
    assert [type(one) for one in found] == [Lost, Diagnostic]


def test_while_frames_are_looked_for() -> None:
    decoder = FrameDecoder()
    decoder.receive_gap(3)
    assert decoder.receive_data(CHAIN[:5]) == []
    assert decoder.open_offsets == (3,)
    (said,) = decoder.receive_eof("capture-end")
    assert isinstance(said, Diagnostic)
    assert (said.code, said.start, said.end) == ("http3-frames-lost", 0, 8)


def test_nothing_comes_after_missing_bytes() -> None:
    assert fed(b"\0\x02ab", 3) == [
        Data(2, 4, b"ab", None), DataFrame(0, 4, 2, 2, b"ab"), Lost(4, 7),
    ]  # fmt: skip
