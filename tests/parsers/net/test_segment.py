"""Segments: their fields, their checksums, and which of them a receiver drops unseen."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from support.segments import MD5_SIGNATURE, internet_checksum

from parsers.diagnostics import Diagnostic
from parsers.net.segment import (
    ACK,
    CLOSELY,
    LARGEST_FRAME,
    RST,
    Scrutiny,
    Segment,
    read_segment,
    whole_segment,
)

SOURCE, DESTINATION = bytes([127, 0, 0, 1]), bytes([127, 0, 0, 2])
TIMESTAMPS = bytes([1, 1, 8, 10]) + bytes(8)
TCP_AO = bytes([29, 16]) + bytes(14)


def segment(
    payload: bytes = b"",
    *,
    options: bytes = b"",
    checksum: int | None = None,
    flags: int = ACK,
    address: int = 4,
) -> Segment:
    """Read a segment; its checksum is right if none is given."""
    source, destination = SOURCE.rjust(address, b"\xfe"), DESTINATION.rjust(address, b"\xfe")
    words = (5 + len(options) // 4) << 12 | flags
    header = pack("!HHIIHHHH", 40_000, 8_000, 1, 2, words, 65_000, 0, 7) + options
    whole = header + payload
    if checksum is None:
        covered = source + destination + pack("!IHH", len(whole), 0, 6) + whole
        checksum = internet_checksum(covered)
    whole = whole[:16] + checksum.to_bytes(2, "big") + whole[18:]
    read = read_segment(source, destination, whole, len(whole), 9, 10)
    assert not isinstance(read, Diagnostic)
    return read[1]


def pseudo_sum(length: int) -> int:
    """What a kernel leaves in a checksum's place for the card to go on with."""
    return internet_checksum(SOURCE + DESTINATION + pack("!HH", 6, length)) ^ 0xFFFF


def test_the_fields() -> None:
    options = TIMESTAMPS
    found = segment(b"data", options=options, flags=ACK | RST)
    assert (found.seq, found.ack, found.flags, found.payload) == (1, 2, ACK | RST, b"data")
    assert (found.missing, found.number, found.time_ns) == (0, 9, 10)
    assert (found.urgent_pointer, found.options) == (7, options)


def test_a_segment_of_which_the_end_was_not_captured() -> None:
    header = pack("!HHIIHHHH", 1, 2, 3, 4, 5 << 12 | ACK, 0, 1, 0)
    read = read_segment(SOURCE, DESTINATION, header + b"da", 24, 1, 0)
    assert not isinstance(read, Diagnostic)
    ports, found = read
    assert (ports, found.payload, found.missing) == (b"\0\1\0\2", b"da", 2)
    assert found.checksum == "unknown"


@pytest.mark.parametrize(
    ("size", "length", "words", "code"),
    [(19, 19, 5, "tcp-malformed"), (19, 40, 5, "packet-cut"), (20, 20, 4, "tcp-malformed"),
     (20, 20, 6, "tcp-malformed")],
)  # fmt: skip
def test_what_is_no_header(size: int, length: int, words: int, code: str) -> None:
    header = pack("!HHIIHHHH", 1, 2, 3, 4, words << 12, 0, 0, 0)[:size]
    read = read_segment(SOURCE, DESTINATION, header, length, 1, 0)
    assert isinstance(read, Diagnostic)
    assert read.code == code


@pytest.mark.parametrize(
    ("size", "words"), [(20, 5), (32, 5), (32, 8), (19, 5), (0, 5), (20, 4), (20, 6), (32, 15)]
)
def test_one_that_lies_whole_in_a_packet_is_read_the_same(size: int, words: int) -> None:
    segment = (pack("!HHIIHHHH", 1, 2, 3, 4, words << 12 | ACK, 9, 1, 7) + bytes(12))[:size]
    before = b"before" + SOURCE + DESTINATION
    found = whole_segment(before + segment + b"after", len(before), len(before) + size, 9, 10)
    read = read_segment(SOURCE, DESTINATION, segment, size, 9, 10)
    assert found == (None if isinstance(read, Diagnostic) else read[1])


@given(st.binary(max_size=64), st.sampled_from([b"", TIMESTAMPS]), st.sampled_from([4, 16]))
def test_a_right_checksum(payload: bytes, options: bytes, address: int) -> None:
    """Beside the sum word by word, in the plainest way."""
    assert segment(payload, options=options, address=address).checksum == "right"


@given(st.binary(min_size=1, max_size=64), st.data())
def test_a_changed_bit(payload: bytes, data: st.DataObject) -> None:
    right = segment(payload)
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    changed = bytearray(right.summed)
    changed[-len(payload) + bit // 8] ^= 1 << bit % 8
    found = replace(right, summed=bytes(changed)).checksum
    place = int.from_bytes(right.summed[24:26], "big")
    assert found == ("wrong" if place not in (0, pseudo_sum(20 + len(payload))) else found)


@pytest.mark.parametrize("checksum", [0, pseudo_sum(24), pseudo_sum(0)])
def test_an_unfinished_checksum(checksum: int) -> None:
    """Nothing, the sum of the pseudo-header, and that without a length."""
    assert segment(b"data", checksum=checksum).checksum == "unfinished"
    assert segment(b"data", checksum=checksum ^ 0x100).checksum == "wrong"


def test_what_a_card_may_have_merged() -> None:
    assert segment(bytes(LARGEST_FRAME - 20), checksum=1).checksum == "wrong"
    assert segment(bytes(LARGEST_FRAME - 19), checksum=1).checksum == "unknown"


@pytest.mark.parametrize(
    ("options", "is_signed"),
    [
        (b"", False),
        (TIMESTAMPS, False),
        (MD5_SIGNATURE, True),
        (TIMESTAMPS + MD5_SIGNATURE, True),
        (TCP_AO, True),
        (bytes([29, 4, 1, 1]), True),  # without a code, which is wrong: and still no plain segment
        (b"\0" + MD5_SIGNATURE[:-1], False),
        (bytes([8, 0]) + bytes(22), False),
        (bytes([254, 255]) + MD5_SIGNATURE, False),
    ],
)
def test_signatures(options: bytes, is_signed: bool) -> None:
    assert segment(options=options).is_signed is is_signed


class TestScrutiny:
    """What a direction's first segment says of those that follow."""

    def codes(self, first: Segment, *others: Segment, is_usual: bool = False) -> list[str]:
        scrutiny = Scrutiny()
        assert scrutiny.fault(first, is_usual) is None
        found = [scrutiny.fault(other, is_usual) for other in others]
        return [why[0] if why else "" for why in found]

    def test_a_wrong_checksum_among_right_ones(self) -> None:
        found = self.codes(segment(), segment(b"x", checksum=1), segment())
        assert found == ["tcp-checksum-wrong", ""]

    def test_where_none_is_finished(self) -> None:
        """On loopback: what is wrong there cannot be told."""
        assert self.codes(segment(checksum=0), segment(b"x", checksum=1)) == [""]
        assert self.codes(segment(), segment(b"x", checksum=0)) == [""]

    def test_a_signature_where_there_was_none(self) -> None:
        signed = segment(options=MD5_SIGNATURE)
        unexpected = "tcp-signature-unexpected"
        assert self.codes(segment(), signed, segment()) == [unexpected, ""]
        assert self.codes(signed, segment(), signed) == [unexpected, ""]

    def test_usual_segments_are_not_summed_but_at_the_beginning(self) -> None:
        scrutiny = Scrutiny()
        for _ in range(CLOSELY):
            scrutiny.fault(segment(), False)
            assert scrutiny.is_close
        scrutiny.fault(segment(), False)
        assert not scrutiny.is_close
        assert scrutiny.fault(segment(b"x", checksum=1), True) is None
        scrutiny.doubt()
        assert scrutiny.is_close
        assert scrutiny.fault(segment(b"x", checksum=1), False) is not None
        scrutiny.trust()
        assert scrutiny.fault(segment(b"x", checksum=1), False) is None
        assert not scrutiny.is_close


@pytest.mark.parametrize("right", [True, False])
@pytest.mark.parametrize("options", [b"", TIMESTAMPS, TCP_AO, bytes([1]) * 12])
@pytest.mark.parametrize("payload", [b"", b"odd", b"even"])
@pytest.mark.parametrize("first", [{}, {"checksum": 1}, {"options": TCP_AO}])
def test_what_passes_is_no_fault(
    payload: bytes, options: bytes, right: bool, first: dict[str, Any]
) -> None:
    """And is counted as it is: the quick look and the whole one agree."""
    found = segment(payload, options=options, checksum=None if right else 1)
    quick, whole = Scrutiny(), Scrutiny()
    for scrutiny in (quick, whole):
        scrutiny.fault(segment(**first), False)
    if quick.passes(found.summed[8:], 20 + len(options), SOURCE + DESTINATION):
        assert whole.fault(found, not payload) is None
        assert quick.is_close == whole.is_close
        for scrutiny in (quick, whole):
            for _ in range(CLOSELY - 2):
                scrutiny.fault(segment(), True)
        assert quick.is_close == whole.is_close
    else:
        assert options not in (b"", TIMESTAMPS) or first or not right


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (b"", None),
        (b"\1\1\x08\x0a\0\0\0\7\0\0\0\x09", (7, 9)),
        (b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\7\0\0\0\x09\1\3\3\7", (7, 9)),
        (b"\1\1\x08\x0a\0\0\0\7\0\0", None),
        (b"\0\1\x08\x0a\0\0\0\7\0\0\0\x09", None),
        (b"\x08", None),
    ],
)
def test_timestamps(options: bytes, found: tuple[int, int] | None) -> None:
    assert segment(options=options).timestamps == found


LINUX = b"\2\4\5\xb4\4\2\x08\n" + bytes(8) + b"\1\3\3\7"
SIZES = {
    "as Linux says it": (LINUX, (1_460, 7)),
    "without a scale": (b"\2\4\2\x18", (536, None)),
    "a scale that is too large": (b"\3\3\x0f\0", (None, 14)),
    "nothing": (b"", (None, None)),
    "too short to be right": (b"\2\3\5\3\2\0\0\0", (None, None)),
    "cut off": (b"\1\1\2\4", (None, None)),
}


@pytest.mark.parametrize(("options", "found"), SIZES.values(), ids=SIZES)
def test_what_a_syn_says_of_sizes(options: bytes, found: tuple[int | None, int | None]) -> None:
    assert segment(options=options).sizes == found


def sacked(*edges: int) -> bytes:
    """Timestamps, and blocks of a selective acknowledgement."""
    value = pack(f"!{len(edges)}I", *edges)
    return b"\1\1\x08\n" + bytes(8) + b"\1\1" + bytes([5, 2 + len(value)]) + value


TWICE = {
    "below all that is acknowledged": (1_000, sacked(800, 900), (800, 900)),
    "up to it": (1_000, sacked(900, 1_000), (900, 1_000)),
    "above it: it came once": (1_000, sacked(1_100, 1_200), None),
    "inside what came above it": (1_000, sacked(1_300, 1_400, 1_200, 1_500), (1_300, 1_400)),
    "beside that": (1_000, sacked(1_300, 1_400, 1_500, 1_600), None),
    "where numbers wrap": (10, sacked(0xFFFFFF00, 5), (0xFFFFFF00, 5)),
    "inside, where they wrap": (0xFFFFFF00, sacked(0, 10, 0xFFFFFFF0, 20), (0, 10)),
    "no block": (1_000, b"\5\2" + bytes(2), None),
    "half a block": (1_000, b"\1\1\5\6" + bytes(4), None),
    "timestamps alone": (1_000, b"\1\1\x08\n" + bytes(8), None),
}


@pytest.mark.parametrize(("ack", "options", "found"), TWICE.values(), ids=TWICE)
def test_which_bytes_came_twice(ack: int, options: bytes, found: tuple[int, int] | None) -> None:
    """RFC 2883 section 4."""
    assert replace(segment(options=options), ack=ack).came_twice == found
