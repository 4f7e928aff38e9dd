"""AWS event streams: messages built by the definition, cuts, holes, wrong CRCs, damage."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import events
from support.decoders import check_cuts, check_damage, codes
from support.framed import aws_message, aws_string

from parsers.aws_event_stream import stream
from parsers.aws_event_stream.stream import AwsEvent, AwsEventStreamDecoder, prelude_fault
from parsers.provenance import Event

CHUNK = aws_message(
    [(b":event-type", 7, aws_string(b"chunk")), (b":message-type", 7, aws_string(b"event"))],
    b'{"bytes":"aGk="}',
)
EMPTY = aws_message([], b"")
EMPTY_IN_HEX = "000000100000000005c248eb7d98c8ff"
"""The example of the format's description: no headers, no payload."""


def messages(found: list[Event]) -> list[tuple[int, int, int, bytes, bool]]:
    return [
        (item.start, item.end, item.index, item.data, item.crc_ok)
        for item in found
        if isinstance(item, AwsEvent)
    ]


CASES: list[tuple[bytes, list[tuple[int, int, int, bytes, bool]], list[str]]] = [
    (b"", [], []),
    (EMPTY, [(0, 16, 0, b"", True)], []),
    (EMPTY + CHUNK, [(0, 16, 0, b"", True), (16, 90, 1, b'{"bytes":"aGk="}', True)], []),
    (aws_message([], b"x", crc_flip=1), [(0, 17, 0, b"x", False)], ["aws-crc-wrong"]),
    (CHUNK[:11], [], ["aws-message-cut"]),
    (CHUNK[:50], [], ["aws-message-cut"]),
    # Lost framing: what follows is found by its prelude.
    (
        b"HTTP junk\0\0\0\0" + EMPTY + CHUNK,
        [(13, 29, 0, b"", True), (29, 103, 1, b'{"bytes":"aGk="}', True)],
        ["aws-prelude-wrong", "aws-resynchronised"],
    ),
    (
        aws_message([], b"lost", prelude_flip=1) + EMPTY,
        [(20, 36, 0, b"", True)],
        ["aws-prelude-wrong", "aws-resynchronised"],
    ),
    (b"\0" * 40, [], ["aws-prelude-wrong"]),
    # Headers that do not fill their section
    (aws_message([(b"a", 11, b"")], b"x"), [(0, 20, 0, b"x", True)], ["aws-header-invalid"]),
    (aws_message([(b"a", 4, b"\0")], b"x"), [(0, 21, 0, b"x", True)], ["aws-header-invalid"]),
]


@pytest.mark.parametrize(("data", "expected", "faults"), CASES)
def test_case(data: bytes, expected: list[object], faults: list[str]) -> None:
    found = check_cuts(AwsEventStreamDecoder, data)
    assert messages(found) == expected
    assert codes(found) == faults


def test_the_builder_builds_the_example_of_the_description() -> None:
    assert EMPTY.hex() == EMPTY_IN_HEX


def test_lengths_are_not_believed_beyond_the_limits() -> None:
    for length, headers in ((15, 0), (40, 25), (stream.MAX_AWS_MESSAGE + 1, 0), (2**20, 2**18)):
        lengths = length.to_bytes(4, "big") + headers.to_bytes(4, "big")
        prelude = lengths + stream.crc32(lengths).to_bytes(4, "big")
        assert prelude_fault(prelude) == f"{length:,} bytes, {headers:,} of them headers"
    assert prelude_fault(EMPTY[:12]) is None


def test_a_hole_inside_a_message_costs_that_message_only() -> None:
    decoder = AwsEventStreamDecoder()
    assert decoder.receive_data(CHUNK[:30]) == []
    assert decoder.receive_gap(20) == []
    found = decoder.receive_data(CHUNK[50:] + EMPTY)
    assert codes(found) == ["aws-message-missing"]
    assert messages(found) == [(74, 90, 1, b"", True)]
    assert codes(decoder.receive_gap(3)) == []
    assert messages(decoder.receive_data(CHUNK)) == [(93, 167, 2, b'{"bytes":"aGk="}', True)]


def test_a_hole_up_to_the_end_of_a_message() -> None:
    decoder = AwsEventStreamDecoder()
    decoder.receive_data(CHUNK[:30])
    assert codes(decoder.receive_gap(len(CHUNK) - 30)) == ["aws-message-missing"]
    assert codes(decoder.receive_data(EMPTY)) == []
    assert decoder.receive_eof() == []


def test_at_the_end_of_the_capture_nothing_is_held_against_the_last_message() -> None:
    decoder = AwsEventStreamDecoder()
    decoder.receive_data(CHUNK[:30])
    assert decoder.open_offsets == (0,)
    assert decoder.receive_eof("capture-end") == []


def test_a_long_run_of_what_may_begin_a_prelude_is_passed_over() -> None:
    found = events(AwsEventStreamDecoder(), b"\0" * 100_000 + EMPTY)
    assert codes(found) == ["aws-prelude-wrong", "aws-resynchronised"]
    assert len(messages(found)) == 1


@given(st.integers(0, 2**32))
def test_damage(seed: int) -> None:
    check_damage(AwsEventStreamDecoder, CHUNK + EMPTY + CHUNK, seed)


def test_what_may_be_needed_of_what_is_open() -> None:
    decoder = AwsEventStreamDecoder()
    one = CHUNK
    decoder.receive_data(one[:3])
    assert decoder.open_offsets == (0, 1, 2)
    decoder.receive_data(one[3:13])
    assert decoder.open_offsets == (0,)
    decoder.receive_gap(1)
    assert decoder.receive_data(one[14:15]) == []
    decoder.receive_gap(len(one))
    assert decoder.open_offsets == (15,)
    decoder.receive_gap(5)
    assert decoder.open_offsets == (15,)
    assert decoder.receive_eof() == []
