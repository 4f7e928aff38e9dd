"""Messages: cases, limits, and missing bytes."""

from __future__ import annotations

import pytest
from support.cuts import byte_by_byte, events, whole
from support.websocket_frames import Compressor, deflated, frame
from support.websocket_messages import DEFLATE, codes, decode, messages, strip

from parsers.diagnostics import Diagnostic
from parsers.limits import INFLATER_COST
from parsers.provenance import Event
from parsers.records import Sender
from parsers.websocket import deflate as permessage_deflate
from parsers.websocket import frames as websocket
from parsers.websocket import messages as websocket_message
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT
from parsers.websocket.messages import Message, WebSocketDecoder


def check_every_cut(
    data: bytes, sender: Sender = "server", deflate: DeflateParameters | None = None
) -> list[Event]:
    """Return the events of ``data``, having seen that they do not depend on the cut."""
    expected = decode(data, sender, deflate)
    assert events(WebSocketDecoder(sender, deflate=deflate), data, byte_by_byte) == expected
    for cut in range(1, min(len(data), 300)):
        assert decode(data, sender, deflate, [cut]) == expected, cut
    without_data = decode(data, sender, deflate, keep_data=False)
    assert without_data == [strip(item) for item in expected]
    return expected


# --- cases ---


def test_a_message_of_one_frame() -> None:
    found = check_every_cut(frame(TEXT, "κόσμε".encode()) + frame(BINARY, b"\xff"))
    assert codes(found) == []
    assert messages(found) == [
        Message(0, 12, "text", 10, "κόσμε".encode(), 1, False),
        Message(12, 15, "binary", 1, b"\xff", 1, False),
    ]


def test_a_frame_comes_before_its_message() -> None:
    kinds = [type(item).__name__ for item in decode(frame(TEXT, b"\xff") + frame(PING))]
    assert kinds == ["Frame", "Diagnostic", "Message", "Frame"]


def test_a_fragmented_message_with_control_frames_between() -> None:
    data = (
        frame(TEXT, b"frag", fin=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, b"", fin=False)
        + frame(PONG)
        + frame(CONTINUATION, b"ment")
    )
    found = check_every_cut(data)
    assert codes(found) == []
    assert messages(found) == [Message(0, len(data), "text", 8, b"fragment", 3, False)]


def test_a_compressed_message_in_fragments() -> None:
    compress = Compressor()
    payload = compress(b"Hello, hello, hello")
    data = (
        frame(TEXT, payload[:5], rsv=4, fin=False)
        + frame(PING, b"p")
        + frame(CONTINUATION, payload[5:])
        + frame(BINARY, b"plain")
        + frame(TEXT, compress(b"Hello, hello, hello"), rsv=4)
    )
    first, second, third = messages(check_every_cut(data, deflate=DEFLATE))
    assert (first.data, first.size, first.frames, first.compressed) == (
        b"Hello, hello, hello", 19, 2, True,
    )  # fmt: skip
    assert (second.data, second.compressed) == (b"plain", False)
    assert (third.data, third.compressed) == (b"Hello, hello, hello", True)


FAULTY: list[tuple[bytes, DeflateParameters | None, list[str], list[bytes]]] = [
    (frame(CONTINUATION, b"x") + frame(TEXT, b"y"), None,
     ["websocket-continuation-unexpected"], [b"y"]),
    (frame(CONTINUATION, b"x", fin=False) + frame(CONTINUATION, b"y"), None,
     ["websocket-continuation-unexpected"] * 2, []),
    (frame(TEXT, b"x", fin=False) + frame(BINARY, b"y"), None,
     ["websocket-continuation-expected"], [b"y"]),
    (frame(TEXT, b"x", fin=False) + frame(BINARY, b"y", fin=False) + frame(CONTINUATION, b"z"),
     None, ["websocket-continuation-expected"], [b"yz"]),
    # A compressed message that is interrupted takes its window along.
    (frame(TEXT, deflated(b"Hello")[:3], rsv=4, fin=False) + frame(BINARY, b"y")
     + frame(TEXT, deflated(b"Hello"), rsv=4) + frame(TEXT, bytes.fromhex("f200110000"), rsv=4),
     DEFLATE, ["websocket-continuation-expected"], [b"y", b"Hello", b"Hello"]),
    (frame(TEXT, b"x", fin=False) + frame(CLOSE), None, ["websocket-message-abandoned"], []),
    (frame(CLOSE) + frame(TEXT, b"x") + frame(PING), None, ["websocket-data-after-close"] * 2, []),
    (frame(3, b"x") + frame(11) + frame(TEXT, b"y"), None,
     ["websocket-opcode-reserved"] * 2, [b"y"]),
    (frame(TEXT, b"a\xff"), None, ["websocket-utf8-invalid"], [b"a\xff"]),
    (frame(TEXT, b"\xe2\x82"), None, ["websocket-utf8-invalid"], [b"\xe2\x82"]),
    (frame(TEXT, b"\xff", fin=False) + frame(CONTINUATION, b"\xff"), None,
     ["websocket-utf8-invalid"], [b"\xff\xff"]),
    (frame(TEXT, b"\xe2", fin=False) + frame(CONTINUATION, b"\x82"), None,
     ["websocket-utf8-invalid"], [b"\xe2\x82"]),
    (frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"\xac"), None,
     [], [b"\xe2\x82\xac"]),
    (frame(TEXT, deflated(b"a\xff"), rsv=4), DEFLATE, ["websocket-utf8-invalid"], [b"a\xff"]),
    (frame(TEXT, b"\xff\xff", rsv=4), DEFLATE, ["websocket-deflate-damaged"], [b""]),
    (frame(BINARY, deflated(b"Hello")[:-1], rsv=4) + frame(TEXT, deflated(b"next"), rsv=4),
     DEFLATE, ["websocket-deflate-damaged"], [b"Hello", b"next"]),
    # What RSV1 means without an agreement is not known: the text is not checked.
    (frame(TEXT, b"\xff", rsv=4), None, ["websocket-rsv-set"], [b"\xff"]),
    # Empty payloads with RSV1: not even the one byte that an empty message takes.
    (frame(TEXT, b"", rsv=4) + frame(TEXT, b"\x00", rsv=4), DEFLATE,
     ["websocket-deflate-damaged"], [b"", b""]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "deflate", "expected", "delivered"), FAULTY)
def test_faults(
    data: bytes, deflate: DeflateParameters | None, expected: list[str], delivered: list[bytes]
) -> None:
    found = check_every_cut(data, deflate=deflate)
    assert codes(found) == expected
    assert [message.data for message in messages(found)] == delivered


@pytest.mark.parametrize(
    "text", [b"\xc0", b"\xe0\x80", b"\xed\xa0", b"\xed\xbf", b"\xf0\x80", b"\xf4\x90", b"\xf5"]
)
def test_invalid_text_is_reported_with_the_frame_that_makes_it_certain(text: bytes) -> None:
    before = frame(TEXT, b"abc", fin=False) + frame(CONTINUATION, b"d" + text[:-1], fin=False)
    certain = frame(CONTINUATION, text[-1:], fin=False)
    found = check_every_cut(before + certain + frame(CONTINUATION, b"e"))
    (fault,) = [item for item in found if isinstance(item, Diagnostic)]
    assert (fault.start, fault.end) == (len(before), len(before + certain))
    assert f"byte 4 of the message, {text[0]:#x}" in fault.summary


@pytest.mark.parametrize("text", ["\ud7ff", "\ue000", "\U0010ffff", "\u0800", "\U00010000"])
def test_characters_at_the_edges_may_be_cut(text: str) -> None:
    pieces = [bytes([byte]) for byte in text.encode()]
    data = frame(TEXT, fin=False) + b"".join(frame(CONTINUATION, p, fin=False) for p in pieces)
    found = check_every_cut(data + frame(CONTINUATION))
    assert codes(found) == []
    assert messages(found)[0].data == text.encode()


# --- long frames and limits ---


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (websocket, websocket_message):
        monkeypatch.setattr(module, "PART_SIZE", 128)


@pytest.mark.usefixtures("small_parts")
def test_long_frames_are_checked_as_they_come() -> None:
    text = "aκό".encode() * 100
    noise = bytes(range(256)) * 4
    data = (
        frame(TEXT, text, fin=False)
        + frame(CONTINUATION, text)
        + frame(BINARY, deflated(noise), rsv=4)
        + frame(PING, b"p")
        + frame(TEXT, text[:200] + b"\xff" + text)
    )
    found = check_every_cut(data, deflate=DEFLATE)
    assert codes(found) == ["websocket-utf8-invalid"]
    assert [m.data for m in messages(found)] == [text + text, noise, text[:200] + b"\xff" + text]
    decoder = WebSocketDecoder("server")
    begin = frame(TEXT, text[:200] + b"\xff" + text)[:-100]
    assert codes(decoder.receive_data(begin)) == ["websocket-utf8-invalid"]  # before its Frame


@pytest.mark.usefixtures("small_parts")
def test_long_frames_that_belong_to_no_message() -> None:
    data = frame(CONTINUATION, bytes(300)) + frame(CLOSE) + frame(BINARY, bytes(300))
    found = check_every_cut(data)
    assert codes(found) == ["websocket-continuation-unexpected", "websocket-data-after-close"]
    assert messages(found) == []


def test_a_message_is_kept_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_message, "MAX_MESSAGE", 10)
    data = (
        b"".join(frame(CONTINUATION if n else TEXT, b"abcd", fin=n == 4) for n in range(5))
        + frame(TEXT, b"1234567890", fin=False)
        + frame(CONTINUATION)
    )
    found = check_every_cut(data)
    assert codes(found) == ["websocket-message-limit"]
    assert messages(found) == [
        Message(0, 30, "text", 20, b"abcdabcdab", 5, False),
        Message(30, 44, "text", 10, b"1234567890", 2, False),
    ]


def test_an_inflated_message_is_kept_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permessage_deflate, "MAX_MESSAGE", 10)
    data = frame(BINARY, deflated(b"x" * 100), rsv=4) + frame(TEXT, deflated(b"next"), rsv=4)
    found = check_every_cut(data, deflate=DEFLATE)
    assert codes(found) == ["websocket-deflate-limit"]
    first, second = messages(found)
    assert (first.data, first.size) == (b"", 0)
    assert second.data == b"next"


def test_fragments_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(websocket_message, "MAX_FRAGMENTS", 2)
    data = b"".join(frame(CONTINUATION if n else TEXT, b"x", fin=n == 4) for n in range(5))
    found = check_every_cut(data)
    assert codes(found) == ["websocket-fragment-limit"]
    assert messages(found) == [Message(0, 15, "text", 5, b"xxxxx", 5, False)]


# --- the end of the stream and missing bytes ---


def test_the_stream_ends_inside_a_message() -> None:
    data = frame(PING) + frame(TEXT, b"x", fin=False) + frame(PING)
    (fault,) = [item for item in check_every_cut(data) if isinstance(item, Diagnostic)]
    assert (fault.start, fault.end, fault.code) == (2, 7, "websocket-message-cut")
    decoder = WebSocketDecoder("server")
    decoder.receive_data(data)
    assert decoder.open_offsets == (2,)
    assert decoder.receive_eof("capture-end") == []
    assert codes(decode(frame(TEXT, b"x", fin=False) + b"\x80")) == [
        "websocket-frame-cut",
        "websocket-message-cut",
    ]


def gap(
    before: bytes, length: int, after: bytes, deflate: DeflateParameters | None = None
) -> list[Event]:
    """Return the events of a stream that lacks bytes, the same for whole and single bytes."""
    found: list[list[Event]] = []
    for split in (whole, byte_by_byte):
        decoder = WebSocketDecoder("server", deflate=deflate)
        found.append(events(decoder, before, split, eof=False))
        found[-1] += decoder.receive_gap(length)
        found[-1] += events(decoder, after, split)
    assert found[0] == found[1]
    return found[0]


def test_a_message_that_lacks_bytes_is_given_up_to_them() -> None:
    found = gap(b"\x01\x0aabcd", 3, b"xyz" + frame(CONTINUATION, b"\xff") + frame(TEXT, b"next"))
    assert codes(found) == ["websocket-payload-missing"]
    assert messages(found) == [
        Message(0, 15, "text", 11, b"abcd", 2, False),
        Message(15, 21, "text", 4, b"next", 1, False),
    ]


def test_missing_bytes_of_a_control_frame_harm_no_message() -> None:
    found = gap(frame(TEXT, b"ab", fin=False) + b"\x89\x02", 1, b"x" + frame(CONTINUATION, b"cd"))
    assert codes(found) == ["websocket-payload-missing"]
    assert [message.data for message in messages(found)] == [b"abcd"]


def test_missing_bytes_of_a_compressed_message_harm_what_refers_to_them() -> None:
    compress = Compressor()
    payload = compress(b"Hello, hello")
    first = frame(TEXT, payload, rsv=4)
    rest = frame(TEXT, compress(b"Hello, hello"), rsv=4) + frame(TEXT, deflated(b"new"), rsv=4)
    found = gap(first[:6], 2, first[8:] + rest, DEFLATE)
    assert codes(found) == ["websocket-payload-missing", "websocket-deflate-damaged"]
    assert [message.data for message in messages(found)][2:] == [b"new"]


def test_after_lost_framing_nothing_is_said() -> None:
    found = gap(frame(TEXT, b"x", fin=False), 3, frame(CONTINUATION, b"y"))
    assert codes(found) == ["websocket-framing-lost"]
    assert messages(found) == []


# --- other implementations ---


def test_what_is_held_of_an_open_message_and_where_it_is() -> None:
    decoder = WebSocketDecoder("server")
    assert (decoder.is_between, decoder.held, decoder.offset) == (True, 0, 0)
    decoder.receive_data(frame(TEXT, b"Hel", fin=False))
    assert (decoder.is_between, decoder.held, decoder.offset) == (False, 3, 5)
    decoder.receive_data(frame(CONTINUATION, b"lo"))
    assert (decoder.is_between, decoder.held) == (True, 0)
    decoder.advance(20)
    assert decoder.offset == 29
    decoder.receive_data(frame(TEXT, b"Hello")[:4])
    assert not decoder.lacks_more(3)
    assert decoder.lacks_more(4)
    assert WebSocketDecoder("server", deflate=DEFLATE).held == INFLATER_COST
