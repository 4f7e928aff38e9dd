"""gRPC-Web in base64: pieces that are padded by themselves, cuts, what is no base64, damage."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.decoders import check_cuts, check_damage, codes
from support.framed import grpc_frame

from parsers.grpc_web.messages import GrpcMessage
from parsers.grpc_web.text import GrpcTextDecoder
from parsers.provenance import Event

HELLO, AB, OK = grpc_frame(0, b"hello"), grpc_frame(0, b"ab"), grpc_frame(0x80, b"grpc-status:0")


def places(found: list[Event]) -> list[tuple[int, int, bytes]]:
    return [(item.start, item.end, item.data) for item in found if isinstance(item, GrpcMessage)]


CASES: list[tuple[bytes, list[tuple[int, int, bytes]], list[str]]] = [
    (b"", [], []),
    (b64encode(HELLO), [(0, 16, b"hello")], []),
    # Each piece encoded by itself: padding inside the stream
    (b64encode(HELLO) + b64encode(AB), [(0, 16, b"hello"), (16, 28, b"ab")], []),
    # All encoded together: a quantum may hold the end of one message and the beginning of another.
    (b64encode(HELLO + AB), [(0, 16, b"hello"), (12, 24, b"ab")], []),
    (
        b64encode(HELLO + AB + OK),
        [(0, 16, b"hello"), (12, 24, b"ab"), (20, 48, b"grpc-status:0")],
        [],
    ),
    (b64encode(HELLO) + b"AA", [(0, 16, b"hello")], ["grpc-base64-invalid"]),
    (b64encode(HELLO) + b"A*", [(0, 16, b"hello")], ["grpc-base64-invalid"]),
    (b64encode(HELLO)[:8], [], ["grpc-message-cut"]),
]


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = check_cuts(GrpcTextDecoder, data)
    assert places(found) == expected
    assert codes(found) == faults


def test_behind_a_hole_nothing_is_certain() -> None:
    decoder = GrpcTextDecoder()
    decoder.receive_data(b64encode(HELLO) + b"AA")
    assert decoder.open_offsets == (16,)
    assert codes(decoder.receive_gap(8)) == ["grpc-framing-lost"]
    assert decoder.receive_data(b64encode(HELLO)) == []
    assert decoder.receive_gap(8) == []
    assert decoder.receive_eof() == []


@given(st.lists(st.binary(max_size=12), max_size=5), st.booleans())
def test_what_is_encoded_is_read(written: list[bytes], together: bool) -> None:
    frames = [grpc_frame(0, message) for message in written]
    data = b64encode(b"".join(frames)) if together else b"".join(map(b64encode, frames))
    assert [item[2] for item in places(check_cuts(GrpcTextDecoder, data))] == written


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    check_damage(GrpcTextDecoder, b64encode(HELLO) + b64encode(AB + OK), seed)
