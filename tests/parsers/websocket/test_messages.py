"""Messages: cases, the conformance vectors, other implementations, damage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors
from support.cuts import at, byte_by_byte, events, whole
from support.websocket_frames import KEY, Compressor, deflated, frame
from support.websocket_peers import Outcome, delivered_by_websockets, delivered_by_wsproto

from parsers.diagnostics import FAULTS, Diagnostic
from parsers.limits import INFLATER_COST
from parsers.provenance import Event
from parsers.records import Sender
from parsers.websocket import (
    deflate as permessage_deflate,
)
from parsers.websocket import (
    frames as websocket,
)
from parsers.websocket import (
    messages as websocket_message,
)
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame
from parsers.websocket.messages import Message, WebSocketDecoder

DEFLATE = DeflateParameters()

# The code with which an endpoint fails the connection (RFC 6455 section 7.4.1), or None for what
# is lost on the way to an observer, or is only a limit of ours.
CLOSE_CODES: dict[str, int | None] = {
    "websocket-rsv-set": 1002,
    "websocket-opcode-reserved": 1002,
    "websocket-length-not-minimal": 1002,
    "websocket-length-invalid": 1002,
    "websocket-mask-missing": 1002,
    "websocket-mask-forbidden": 1002,
    "websocket-control-too-long": 1002,
    "websocket-control-fragmented": 1002,
    "websocket-continuation-unexpected": 1002,
    "websocket-continuation-expected": 1002,
    "websocket-utf8-invalid": 1007,
    "websocket-close-invalid": 1002,
    "websocket-close-code-invalid": 1002,
    "websocket-close-reason-invalid": 1007,
    "websocket-deflate-damaged": 1007,
    "websocket-window-exceeded": 1007,
    "websocket-deflate-limit": 1009,
    "websocket-message-limit": 1009,
    "websocket-fragment-limit": 1009,
    "websocket-frame-cut": None,
    "websocket-message-cut": None,
    "websocket-payload-missing": None,
    "websocket-framing-lost": None,
}


def decode(
    data: bytes,
    sender: Sender = "server",
    deflate: DeflateParameters | None = None,
    cuts: Iterable[int] = (),
    eof: bool = True,
    keep_data: bool = True,
) -> list[Event]:
    decoder = WebSocketDecoder(sender, deflate=deflate, keep_data=keep_data)
    return events(decoder, data, at(cuts), eof)


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


def strip(item: Event) -> Event:
    """Return an event as it is given when data are not kept."""
    if isinstance(item, Message):
        return Message(
            item.start, item.end, item.type, item.size, b"", item.frames, item.compressed
        )
    if isinstance(item, Frame):
        values = {name: getattr(item, name) for name in item.__struct_fields__}
        return Frame(**{**values, "payload": None})
    return item


def messages(found: list[Event]) -> list[Message]:
    return [item for item in found if isinstance(item, Message)]


def codes(found: list[Event]) -> list[str]:
    return [item.code for item in found if isinstance(item, Diagnostic)]


# --- the conformance vectors ---


def vector_input(vector: dict[str, Any]) -> bytes:
    if "input_hex" in vector:
        return bytes.fromhex(vector["input_hex"] or "")
    data = b""
    for kind, text, *count in vector["input_parts"]:
        data += bytes.fromhex(text) * (count[0] if kind == "repeat" else 1)
    return data


def vector_deflate(vector: dict[str, Any]) -> DeflateParameters | None:
    if vector["extensions"] is None:
        return None
    return DeflateParameters(**vector["extensions"]["permessage-deflate"])


def outcome(found: list[Event]) -> dict[str, Any]:
    """Return what an endpoint would have delivered, in the vectors' form, up to its failure."""
    delivered: list[list[Any]] = []
    for item in found:
        if isinstance(item, Diagnostic) and item.severity == "error":
            before = [f for f in found if isinstance(f, Frame) and f.end <= item.start]
            fail = {"code": CLOSE_CODES[item.code], "at_frame": len(before)}
            return {"messages": delivered, "fail": fail}
        if isinstance(item, Message):
            delivered.append(vector_message(item.type, item.data))
        elif isinstance(item, Frame) and item.opcode >= CLOSE:
            assert item.payload is not None
            if item.opcode == CLOSE:
                delivered.append(["close", item.close_code, item.close_reason or ""])
                break  # what comes later is not delivered
            delivered.append([websocket.OPCODE_NAMES[item.opcode], item.payload.hex()])
    return {"messages": delivered, "fail": None}


def vector_message(kind: str, data: bytes) -> list[Any]:
    if len(data) > 60_000:
        return [f"{kind}_len", len(data)]
    return [kind, data.decode() if kind == "text" else data.hex()]


def test_vectors() -> None:
    for vector in vectors("websocket"):
        name, sender, expect = vector["id"], vector["sender"], vector["expect"]
        data = vector_input(vector)
        deflate = vector_deflate(vector)
        found = decode(data, sender, deflate, eof=False)
        got = outcome(found)
        assert got["messages"] == expect["messages"], name
        if expect["verdict"] == "fail":
            wanted = {key: expect["fail"][key] for key in ("code", "at_frame")}
            assert got["fail"] == wanted, name
        else:
            assert got["fail"] is None, (name, codes(found))
        at_end = codes(decode(data, sender, deflate))[len(codes(found)) :]
        assert bool(at_end) == (expect["verdict"] == "incomplete"), name
        assert ("websocket-data-after-close" in codes(found)) == ("close-then" in name), name
        for split in (byte_by_byte, at([1, 2, 5, 9, 30]), at(range(0, len(data), 7))):
            decoder = WebSocketDecoder(sender, deflate=deflate)
            assert events(decoder, data, split, eof=False) == found, name


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


def test_every_code_of_a_decoder_has_its_close_code() -> None:
    errors = {
        code
        for code, fault in FAULTS.items()
        if code.startswith("websocket-") and fault.severity == "error"
    }
    handshake = {
        "websocket-frame-early",
        "websocket-key-invalid",
        "websocket-accept-wrong",
        "websocket-version-unsupported",
        "websocket-handshake-invalid",
        "websocket-subprotocol-unasked",
        "websocket-extension-unasked",
        "websocket-extension-invalid",
    }
    assert errors - handshake == set(CLOSE_CODES)


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


def ours(data: bytes, sender: Sender, deflate: DeflateParameters | None) -> Outcome:
    delivered: list[tuple[str, bytes]] = []
    for item in decode(data, sender, deflate, eof=False):
        if isinstance(item, Diagnostic) and item.severity == "error":
            return delivered, True
        if isinstance(item, Message):
            delivered.append((item.type, item.data))
        elif isinstance(item, Frame) and item.opcode >= CLOSE:
            assert item.payload is not None
            delivered.append((websocket.OPCODE_NAMES[item.opcode], item.payload))
            if item.opcode == CLOSE:
                break
    return delivered, False


PAYLOADS = st.sampled_from(
    [b"", b"a", b"Hello", "κό".encode(), b"\xce", b"\xba", b"\xff", b"x" * 130]
)
CLOSE_BODIES = st.sampled_from(
    [
        b"",
        b"\x03",
        b"\x03\xe8",
        b"\x03\xe8bye",
        b"\x03\xe8\xff",
        b"\x03\xec",
        b"\x0f\xa0",
        b"\x07\xd0",
    ]
)
DATA_FRAMES = st.builds(
    dict,
    opcode=st.sampled_from([CONTINUATION, CONTINUATION, TEXT, BINARY]),
    payload=PAYLOADS,
    fin=st.booleans(),
)
CONTROL_FRAMES = st.builds(
    dict, opcode=st.sampled_from([PING, PONG]), payload=PAYLOADS.filter(lambda p: len(p) < 126)
) | st.builds(dict, opcode=st.just(CLOSE), payload=CLOSE_BODIES)
ODD_FRAMES = st.builds(
    dict,
    opcode=st.integers(0, 15),
    payload=PAYLOADS,
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1, 4]),
)
FRAMES = st.lists(st.one_of(DATA_FRAMES, DATA_FRAMES, CONTROL_FRAMES, ODD_FRAMES), max_size=7)


@settings(deadline=None, max_examples=300)
@given(FRAMES, st.booleans())
def test_the_same_as_wsproto_and_websockets(steps: list[dict[str, Any]], is_client: bool) -> None:
    sender: Sender = "client" if is_client else "server"
    data = b"".join(frame(**step, key=KEY if is_client else None) for step in steps)
    expected = ours(data, sender, None)
    assert delivered_by_wsproto(data, sender, None) == expected
    if not is_close_inside_message(expected, data, sender):
        assert delivered_by_websockets(data, sender, None) == expected


def is_close_inside_message(found: Outcome, data: bytes, sender: Sender) -> bool:
    """Return whether websockets fails what RFC 6455 allows: a close frame between fragments."""
    return "websocket-message-abandoned" in codes(decode(data, sender))


@st.composite
def compressed_streams(draw: st.DrawFn) -> tuple[bytes, Sender, DeflateParameters, bool]:
    """Return a valid compressed stream, and whether control frames lie between fragments."""
    sender: Literal["client", "server"] = draw(st.sampled_from(["client", "server"]))
    bits, fresh = draw(st.integers(9, 15)), draw(st.booleans())
    deflate = DeflateParameters(fresh, fresh, bits, bits)
    key = KEY if sender == "client" else None
    compress = Compressor(bits)
    data = b""
    has_pings = False
    for message in draw(st.lists(st.text(max_size=200), max_size=5)):
        compress = Compressor(bits) if fresh else compress
        is_compressed = draw(st.booleans())
        payload = compress(message.encode()) if is_compressed else message.encode()
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        pieces = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, piece in enumerate(pieces):
            opcode, rsv = (CONTINUATION, 0) if index else (TEXT, 4 * is_compressed)
            data += frame(opcode, piece, fin=index == len(pieces) - 1, rsv=rsv, key=key)
            if draw(st.booleans()):
                has_pings = has_pings or index < len(pieces) - 1
                data += frame(PING, b"p", key=key)
    return data, sender, deflate, has_pings


@settings(deadline=None, max_examples=150)
@given(compressed_streams(), st.lists(st.integers(0, 300), max_size=6))
def test_the_same_as_wsproto_and_websockets_with_compression(
    stream: tuple[bytes, Sender, DeflateParameters, bool], cuts: list[int]
) -> None:
    data, sender, deflate, has_pings = stream
    expected = ours(data, sender, deflate)
    assert not expected[1]
    assert delivered_by_websockets(data, sender, deflate) == expected
    if not has_pings:  # a ping between compressed fragments confuses wsproto 1.3
        assert delivered_by_wsproto(data, sender, deflate) == expected
    assert decode(data, sender, deflate, cuts) == decode(data, sender, deflate)


@settings(deadline=None, max_examples=150)
@given(
    compressed_streams(),
    st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=4),
    st.lists(st.integers(0, 300), max_size=6),
)
def test_damage_does_not_depend_on_the_cut(
    stream: tuple[bytes, Sender, DeflateParameters, bool],
    damage: list[tuple[int, int]],
    cuts: list[int],
) -> None:
    data = bytearray(stream[0] or b"\x00")
    for place, byte in damage:
        data[place % len(data)] = byte
    _, sender, deflate, _ = stream
    expected = decode(bytes(data), sender, deflate)
    assert decode(bytes(data), sender, deflate, cuts) == expected
    assert decode(bytes(data), sender, deflate, keep_data=False) == [strip(e) for e in expected]


@settings(deadline=None, max_examples=100)
@given(compressed_streams(), st.integers(0, 300), st.integers(1, 40))
def test_missing_bytes_invent_nothing(
    stream: tuple[bytes, Sender, DeflateParameters, bool], where: int, length: int
) -> None:
    """Each message after a gap is one that was sent, whole, or is reported."""
    data, sender, deflate, _ = stream
    where = min(where, len(data))
    sent = {(m.start, m.end): m.data for m in messages(decode(data, sender, deflate))}
    decoder = WebSocketDecoder(sender, deflate=deflate)
    found = decoder.receive_data(data[:where])
    found += decoder.receive_gap(len(data[where : where + length]) or length)
    found += decoder.receive_data(data[where + length :])
    for message in messages(found):
        whole_data = sent[message.start, message.end]
        assert whole_data.startswith(message.data)
        assert message.data == whole_data or codes(found)


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
