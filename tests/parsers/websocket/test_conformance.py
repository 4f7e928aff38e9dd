"""Messages as others read them: the conformance vectors, wsproto and websockets."""

from __future__ import annotations

from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import vectors
from support.cuts import at, byte_by_byte, events
from support.websocket_frames import KEY, Compressor, frame
from support.websocket_messages import codes, decode, messages, strip
from support.websocket_peers import Outcome, delivered_by_websockets, delivered_by_wsproto

from parsers.diagnostics import FAULTS, Diagnostic
from parsers.provenance import Event
from parsers.records import Sender
from parsers.websocket import frames as websocket
from parsers.websocket.deflate import DeflateParameters
from parsers.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, Frame
from parsers.websocket.messages import Message, WebSocketDecoder

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
