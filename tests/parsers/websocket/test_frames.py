"""Frames: borders, the rules of RFC 6455 section 5, long payloads, missing bytes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.cuts import at, byte_by_byte, whole
from support.websocket_frames import KEY, frame

from parsers.diagnostics import Diagnostic
from parsers.provenance import Ending
from parsers.records import Sender
from parsers.websocket import frames as websocket
from parsers.websocket.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    OPCODE_NAMES,
    PING,
    PONG,
    TEXT,
    Frame,
    Framed,
    FrameDecoder,
    Part,
    unmask,
)

TEXT_HELLO = Frame(
    0, 7, True, False, False, False, TEXT, False, None, 5, b"Hello", None, None
)  # fmt: skip


def decode(
    data: bytes,
    sender: Sender = "server",
    deflate: bool = False,
    keep_data: bool = True,
    split: object = whole,
    ending: Ending = "close",
) -> list[Framed]:
    decoder = FrameDecoder(sender, deflate=deflate, keep_data=keep_data)
    found: list[Framed] = []
    for piece in split(data):  # type: ignore[operator]
        found += decoder.receive_data(piece)
    return found + decoder.receive_eof(ending)


def check_every_cut(data: bytes, sender: Sender = "server", deflate: bool = False) -> list[Framed]:
    """Return what is found in ``data``, having seen that it does not depend on the cut."""
    expected = decode(data, sender, deflate)
    assert decode(data, sender, deflate, split=byte_by_byte) == expected
    for cut in range(1, min(len(data), 300)):
        assert decode(data, sender, deflate, split=at([cut])) == expected, cut
    return expected


def frames(found: list[Framed]) -> list[Frame]:
    return [item for item in found if isinstance(item, Frame)]


def faults(found: list[Framed]) -> list[tuple[int, int, str]]:
    return [(item.start, item.end, item.code) for item in found if isinstance(item, Diagnostic)]


def codes(found: list[Framed]) -> list[str]:
    return [code for _, _, code in faults(found)]


# --- frames as they should be ---


def test_the_examples_of_rfc_6455_section_5_7() -> None:
    assert check_every_cut(bytes.fromhex("810548656c6c6f")) == [TEXT_HELLO]
    (masked,) = frames(check_every_cut(bytes.fromhex("818537fa213d7f9f4d5158"), "client"))
    assert (masked.payload, masked.masking_key, masked.masked) == (b"Hello", KEY, True)
    first, second = frames(check_every_cut(bytes.fromhex("010348656c80026c6f")))
    assert (first.fin, first.opcode, first.payload) == (False, TEXT, b"Hel")
    assert (second.fin, second.opcode, second.start, second.end) == (True, CONTINUATION, 5, 9)


@pytest.mark.parametrize(
    "length", [0, 1, 3, 4, 5, 125, 126, 127, 300, 2_047, 2_049, 65_535, 65_536]
)
@pytest.mark.parametrize("key", [None, KEY, bytes(4)])
def test_every_form_of_length(length: int, key: bytes | None) -> None:
    payload = random.Random(length).randbytes(length)
    data = frame(BINARY, payload, key=key) + frame(PING, b"after", key=key)
    sender: Sender = "server" if key is None else "client"
    found = check_every_cut(data, sender)
    assert codes(found) == []
    first, second = frames(found)
    assert (first.payload_length, first.payload) == (length, payload)
    assert (second.opcode, second.payload, second.end) == (PING, b"after", len(data))


@pytest.mark.parametrize("trailing", [b"\x81", b"\x89\x00", b"\x88\x02\x03\xe8", b"\xff\xff"])
def test_trailing_bytes_change_nothing_before(trailing: bytes) -> None:
    assert check_every_cut(bytes.fromhex("810548656c6c6f") + trailing)[0] == TEXT_HELLO


def test_the_general_path_makes_the_same_frames() -> None:
    """The fast path takes frames that are whole in the piece; the general one all others."""
    pieces = [
        frame(opcode, bytes(range(length)), fin=fin, rsv=rsv, key=KEY)
        for opcode in (CONTINUATION, TEXT, BINARY, PING, PONG)
        for fin in (True, False)
        for rsv in (0, 4)
        for length in (0, 1, 6, 125)
    ]
    for deflate in (False, True):
        decoder = FrameDecoder("client", deflate=deflate)
        slow: list[Framed] = []
        for piece in pieces:
            slow += decoder.receive_data(piece[:3])
            slow += decoder.receive_data(piece[3:])
        assert decode(b"".join(pieces), "client", deflate) == slow


def test_offsets_count_from_the_decoder_s_offset() -> None:
    (found,) = FrameDecoder("server", 1000).receive_data(b"\x89\x00")
    assert (found.start, found.end) == (1000, 1002)


def test_a_frame_says_what_it_is() -> None:
    (ping,) = frames(decode(frame(PING, b"x" * 20, key=KEY), "client"))
    assert str(ping) == "ping fin masked, 20 bytes"
    assert str(TEXT_HELLO) == "text fin, 5 bytes"


def test_opcode_names() -> None:
    assert len(OPCODE_NAMES) == 16
    assert (OPCODE_NAMES[3], OPCODE_NAMES[10], OPCODE_NAMES[15]) == (
        "reserved-3", "pong", "reserved-15",
    )  # fmt: skip


@given(st.binary(max_size=5_000), st.binary(min_size=4, max_size=4))
@settings(deadline=None, max_examples=50)
def test_unmasking_is_xor(payload: bytes, key: bytes) -> None:
    assert unmask(payload, key) == bytes(b ^ key[i % 4] for i, b in enumerate(payload))


# --- the rules of a header ---

BROKEN: list[tuple[bytes, Sender, bool, list[tuple[int, int, str]]]] = [
    (frame(TEXT, rsv=2), "server", False, [(0, 2, "websocket-rsv-set")]),
    (frame(TEXT, rsv=4), "server", False, [(0, 2, "websocket-rsv-set")]),
    (frame(TEXT, rsv=5), "server", True, [(0, 2, "websocket-rsv-set")]),
    (frame(CONTINUATION, rsv=4), "server", True, [(0, 2, "websocket-rsv-set")]),
    (frame(PING, rsv=4), "server", True, [(0, 2, "websocket-rsv-set")]),
    (frame(TEXT, rsv=4), "server", True, []),
    (frame(3, b"abc"), "server", False, [(0, 2, "websocket-opcode-reserved")]),
    (frame(15, b"abc"), "server", False, [(0, 2, "websocket-opcode-reserved")]),
    (frame(TEXT, b"abc"), "client", False, [(0, 2, "websocket-mask-missing")]),
    (frame(TEXT, b"abc", key=KEY), "server", False, [(0, 6, "websocket-mask-forbidden")]),
    (frame(TEXT, b"abc", form=126), "server", False, [(0, 4, "websocket-length-not-minimal")]),
    (frame(TEXT, b"x" * 126, form=127), "server", False, [(0, 10, "websocket-length-not-minimal")]),
    (frame(PING, b"x" * 126), "server", False, [(0, 4, "websocket-control-too-long")]),
    (frame(PONG, b"x", fin=False), "server", False, [(0, 2, "websocket-control-fragmented")]),
    (
        frame(11, b"x", fin=False, rsv=1),
        "client",
        False,
        [
            (0, 2, "websocket-rsv-set"),
            (0, 2, "websocket-opcode-reserved"),
            (0, 2, "websocket-mask-missing"),
            (0, 2, "websocket-control-fragmented"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "sender", "deflate", "expected"), BROKEN)
def test_a_broken_rule_is_reported_and_the_frame_given(
    data: bytes, sender: Sender, deflate: bool, expected: list[tuple[int, int, str]]
) -> None:
    after = frame(PING, b"after", key=KEY if sender == "client" else None)
    found = check_every_cut(data + after, sender, deflate)
    assert faults(found) == expected
    first, second = frames(found)
    assert first.end == len(data)
    assert second.payload == b"after"
    # Header faults are known before the payload has come.
    assert faults(decode(data[: first.end - len(first.payload or b"")], sender, deflate))[
        : len(expected)
    ] == expected  # fmt: skip


def test_rsv_bits_are_named() -> None:
    (fault,) = [f for f in decode(frame(TEXT, rsv=7)) if isinstance(f, Diagnostic)]
    assert fault.summary.endswith("RSV1 and RSV2 and RSV3 in a text frame")
    (fault,) = [f for f in decode(frame(TEXT, rsv=5), deflate=True) if isinstance(f, Diagnostic)]
    assert fault.summary.endswith(": RSV3 in a text frame")


@pytest.mark.parametrize("length", [1 << 63, (1 << 64) - 1])
def test_a_forbidden_length_ends_framing(length: int) -> None:
    found = check_every_cut(b"\x89\x00\x82\x7f" + length.to_bytes(8) + frame(TEXT, b"Hello"))
    assert faults(found) == [
        (2, 12, "websocket-length-invalid"),
        (2, 12, "websocket-framing-lost"),
    ]
    assert len(frames(found)) == 1


def test_a_huge_length_is_not_believed() -> None:
    decoder = FrameDecoder("server")
    assert decoder.receive_data(b"\x82\x7f" + (1 << 62).to_bytes(8) + b"abc") == []
    assert decoder.open_offsets == (0, 0, 9)


# --- close frames (RFC 6455 sections 5.5.1 and 7.4) ---

CLOSES: list[tuple[bytes, int | None, str | None, list[str]]] = [
    (b"", None, None, []),
    (b"\x03", None, None, ["websocket-close-invalid"]),
    (b"\x03\xe8", 1000, "", []),
    (b"\x03\xe8bye", 1000, "bye", []),
    (b"\x03\xe8\xc3\xa9", 1000, "é", []),
    (b"\x03\xe8a\xff", 1000, "a\ufffd", ["websocket-close-reason-invalid"]),
    (b"\x03\xee\xff", 1006, "\ufffd",
     ["websocket-close-code-invalid", "websocket-close-reason-invalid"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "reason", "expected"), CLOSES)
def test_close_frames(
    body: bytes, code: int | None, reason: str | None, expected: list[str]
) -> None:
    found = check_every_cut(frame(CLOSE, body, key=KEY), "client")
    assert codes(found) == expected
    (close,) = frames(found)
    assert (close.close_code, close.close_reason, close.payload) == (code, reason, body)


def test_every_close_code() -> None:
    allowed = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}
    for code in range(0, 6_000):
        found = decode(frame(CLOSE, code.to_bytes(2)))
        assert (codes(found) == []) == (code in allowed), code


# --- long payloads ---


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket, "PART_SIZE", 128)  # not less than a usual frame's payload
    monkeypatch.setattr(websocket, "MAX_KEPT_FRAME", 320)


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("key", [None, KEY])
def test_a_long_payload_comes_in_parts(key: bytes | None) -> None:
    sender: Sender = "server" if key is None else "client"
    payload = bytes(range(150)) * 2
    data = frame(TEXT, payload, rsv=4, key=key)
    found = check_every_cut(data, sender, deflate=True)
    parts = [item for item in found if isinstance(item, Part)]
    assert [part.data for part in parts] == [payload[:128], payload[128:256], payload[256:]]
    assert [part.is_first for part in parts] == [True, False, False]
    assert all(part.rsv1 and part.opcode == TEXT for part in parts)
    assert [part.start for part in parts] == [0, *(part.end for part in parts[:-1])]
    assert parts[-1].end == len(data)
    assert frames(found)[0].payload == payload
    without_data = decode(data, sender, deflate=True, keep_data=False)
    assert without_data[:-1] == parts
    assert frames(without_data)[0].payload is None


@pytest.mark.usefixtures("small_parts")
def test_what_is_kept_of_a_frame_is_limited() -> None:
    payload = bytes(range(200)) * 2
    data = frame(BINARY, payload) + frame(PING)
    found = check_every_cut(data)
    assert faults(found) == [(0, 404, "websocket-frame-limit")]
    assert [f.payload for f in frames(found)] == [payload[:320], b""]
    assert b"".join(item.data or b"" for item in found if isinstance(item, Part)) == payload
    assert codes(decode(data, keep_data=False)) == ["websocket-frame-limit"], "data or not"
    assert codes(decode(frame(BINARY, bytes(320)))) == []


@pytest.mark.usefixtures("small_parts")
def test_a_control_frame_has_no_parts() -> None:
    found = check_every_cut(frame(PING, b"x" * 300))
    assert not [item for item in found if isinstance(item, Part)]
    assert frames(found)[0].payload == b"x" * 300
    assert frames(decode(frame(PING, b"x" * 300), keep_data=False))[0].payload is None
    assert codes(gap(b"\x89\x7e\x01\x00" + b"x" * 10, 246, b"")[0]) == [
        "websocket-control-too-long",
        "websocket-payload-missing",
    ]


# --- the end of the stream ---


@pytest.mark.parametrize(
    "data", [b"\x81", b"\x81\x05", b"\x81\x05Hel", b"\x81\x7e\x00", b"\x82\x7f"]
)
def test_the_stream_ends_inside_a_frame(data: bytes) -> None:
    found = check_every_cut(b"\x89\x00" + data)
    assert faults(found) == [(2, 2 + len(data), "websocket-frame-cut")]
    assert codes(decode(data, ending="capture-end")) == []


def test_the_stream_ends_between_frames() -> None:
    assert decode(b"") == []
    assert codes(decode(frame(TEXT))) == []


# --- missing bytes ---


def gap(
    before: bytes, length: int, after: bytes, sender: Sender = "server"
) -> tuple[list[Framed], FrameDecoder]:
    """Return what is found in a stream that lacks bytes, the same for whole and single bytes."""
    found: list[list[Framed]] = []
    for split in (whole, byte_by_byte):
        decoder = FrameDecoder(sender)
        found.append([])
        for piece in split(before):
            found[-1] += decoder.receive_data(piece)
        found[-1] += decoder.receive_gap(length)
        for piece in split(after):
            found[-1] += decoder.receive_data(piece)
    assert found[0] == found[1]
    return found[0], decoder


@pytest.mark.parametrize("key", [None, KEY])
@pytest.mark.parametrize(("start", "length"), [(0, 3), (0, 20), (5, 1), (5, 15), (19, 1)])
def test_missing_payload_is_exact(key: bytes | None, start: int, length: int) -> None:
    payload = bytes(range(20))
    data = frame(BINARY, payload, key=key)
    sender: Sender = "server" if key is None else "client"
    header = len(data) - 20
    missing = header + start
    after = frame(PING, b"after", key=key)
    found, decoder = gap(data[:missing], length, data[missing + length :] + after, sender)
    assert faults(found) == [(missing, missing + length, "websocket-payload-missing")]
    first, second = frames(found)
    assert (first.start, first.end, first.payload_length, first.payload) == (0, len(data), 20, None)
    assert second.payload == b"after"
    parts = [item for item in found if isinstance(item, Part)]
    known = [part.data for part in parts if part.data is not None]
    assert known == ([payload[:start]] if start else [])
    assert parts[-1].data is None
    assert parts[0].is_first
    assert parts[0].start == 0
    assert decoder.open_offsets == ()


def test_two_holes_in_one_payload() -> None:
    decoder = FrameDecoder("server")
    found = decoder.receive_data(frame(TEXT, b"x" * 20)[:7])
    found += decoder.receive_gap(3)
    found += decoder.receive_data(b"xx")
    found += decoder.receive_gap(4)
    assert decoder.open_offsets == (0, 10, 1)
    found += decoder.receive_data(b"x" * 6)
    assert codes(found) == ["websocket-payload-missing"] * 2
    assert [item.data for item in found if isinstance(item, Part)] == [b"x" * 5, None]
    assert frames(found)[0].end == 22


def test_a_close_frame_that_lacks_bytes_has_no_code() -> None:
    found, _ = gap(b"\x88\x05\x03", 1, b"bye")
    assert codes(found) == ["websocket-payload-missing"]
    assert frames(found)[0].close_code is None


@pytest.mark.parametrize(
    ("before", "length", "start"),
    [
        (b"", 1, 0),  # at the border of a frame
        (b"\x89\x00", 5, 2),
        (b"\x89\x00\x81", 5, 3),  # in a header
        (b"\x81\x05He", 4, 4),  # beyond the payload
    ],
)
def test_without_a_header_framing_is_lost(before: bytes, length: int, start: int) -> None:
    found, decoder = gap(before, length, frame(TEXT, b"Hello"))
    assert faults(found) == [(start, start + length, "websocket-framing-lost")]
    assert decoder.is_lost
    assert decoder.open_offsets == ()
    assert decoder.receive_gap(5) == []
    assert decoder.receive_data(frame(TEXT)) == []
    assert decoder.receive_eof() == []


# --- open offsets ---


def test_open_offsets_name_the_frame_its_part_and_its_header(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websocket, "PART_SIZE", 8)
    decoder = FrameDecoder("server", 10)
    assert decoder.open_offsets == ()
    decoder.receive_data(b"\x89\x00\x82")
    assert decoder.open_offsets == (12,)
    decoder.receive_data(b"\x14" + b"x" * 5)
    assert decoder.open_offsets == (12, 12, 13)
    decoder.receive_data(b"x" * 5)
    assert decoder.open_offsets == (12, 22, 13)
    decoder.receive_data(b"x" * 10)
    assert decoder.open_offsets == ()


# --- any bytes ---


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=80), st.lists(st.integers(0, 80), max_size=6), st.booleans())
def test_any_bytes_give_frames_or_faults(data: bytes, cuts: list[int], is_client: bool) -> None:
    sender: Sender = "client" if is_client else "server"
    expected = decode(data, sender)
    assert decode(data, sender, split=at(cuts)) == expected
    position = 0
    for found in frames(expected):  # they tile the input
        assert found.start == position
        position = found.end
    assert position <= len(data)
    assert position == len(data) or codes(expected)


def test_what_is_held_of_an_open_frame_and_where_it_is() -> None:
    decoder = FrameDecoder("server")
    assert (decoder.is_between, decoder.held, decoder.offset) == (True, 0, 0)
    whole_frame = frame(TEXT, b"Hello")
    decoder.receive_data(whole_frame[:1])
    assert (decoder.is_between, decoder.offset) == (False, 1)
    decoder.receive_data(whole_frame[1:4])
    assert (decoder.is_between, decoder.held) == (False, 2)
    decoder.receive_data(whole_frame[4:])
    assert (decoder.is_between, decoder.held) == (True, 0)
    decoder.advance(20)
    (found,) = decoder.receive_data(whole_frame)
    assert (found.start, found.end) == (27, 34)
