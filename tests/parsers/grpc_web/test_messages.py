"""Length-prefixed messages: cases, cuts, holes, limits, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.decoders import check_cuts, check_damage, codes
from support.framed import grpc_frame

from parsers.grpc_web import messages
from parsers.grpc_web.messages import GrpcDecoder, GrpcMessage
from parsers.provenance import Event

OK = b"grpc-status:0\r\ngrpc-message:\r\n"
STREAM = grpc_frame(0, b"hello") + grpc_frame(1, b"z") + grpc_frame(0, b"") + grpc_frame(0x80, OK)


def found_messages(found: list[Event]) -> list[tuple[int, int, int, bool, bytes]]:
    return [
        (item.start, item.end, item.index, item.compressed, item.data)
        for item in found
        if isinstance(item, GrpcMessage)
    ]


CASES: list[tuple[bytes, list[tuple[int, int, int, bool, bytes]], list[str]]] = [
    (b"", [], []),
    (
        STREAM,
        [(0, 10, 0, False, b"hello"), (10, 16, 1, True, b"z"), (16, 21, 2, False, b""),
         (21, 56, 3, False, OK)],
        [],
    ),
    (STREAM[:3], [], ["grpc-message-cut"]),
    (STREAM[:13], [(0, 10, 0, False, b"hello")], ["grpc-message-cut"]),
    (b"\x02" + STREAM, [], ["grpc-flags-invalid"]),
    (grpc_frame(0x80, b"a b"), [(0, 8, 0, False, b"a b")], ["grpc-trailer-invalid"]),
]  # fmt: skip


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = check_cuts(GrpcDecoder, data)
    assert found_messages(found) == expected
    assert codes(found) == faults


def test_trailers_are_fields() -> None:
    last = check_cuts(GrpcDecoder, STREAM)[-1]
    assert isinstance(last, GrpcMessage)
    assert last.trailers == [(b"grpc-status", b"0"), (b"grpc-message", b"")]


def test_a_hole_inside_a_message_costs_that_message_only() -> None:
    decoder = GrpcDecoder()
    decoder.receive_data(grpc_frame(0, b"0123456789")[:8])
    assert decoder.receive_gap(4) == []
    found = decoder.receive_data(b"789" + grpc_frame(0, b"x"))
    assert codes(found) == ["grpc-message-missing"]
    assert found_messages(found) == [(15, 21, 1, False, b"x")]


def test_behind_a_hole_at_a_border_nothing_is_certain() -> None:
    decoder = GrpcDecoder()
    decoder.receive_data(STREAM[:12])
    assert codes(decoder.receive_gap(3)) == ["grpc-framing-lost"]
    assert decoder.receive_data(STREAM) == []
    assert decoder.receive_gap(3) == []
    assert decoder.receive_eof() == []


def test_a_long_message_is_counted_and_its_beginning_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_KEPT_GRPC_MESSAGE", 4)
    found = check_cuts(GrpcDecoder, STREAM[:10])
    assert codes(found) == ["grpc-message-limit"]
    assert found_messages(found) == [(0, 10, 0, False, b"hell")]


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    check_damage(GrpcDecoder, STREAM, seed)
