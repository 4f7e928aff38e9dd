"""What the shares of a capture are told of its packets: whose they are, and where they lie."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from itertools import chain

import msgspec
import pytest
from support.capture_files import Blocks, option, pcap_header, record
from support.frames import ipv4, udp
from support.talk import Talk, Tape

from parsers.decode import packets as decode_packets
from parsers.decode.dividing import MAX_TIME, Indivisible, Portion, divided
from parsers.files.packets import RELAY_HARDWARE, Packet, UnreadableCapture
from parsers.files.reader import CaptureReader


def read_at(data: bytes, offset: int, size: int) -> bytes:
    return data[offset : offset + size]


def rows(data: bytes, portions: Iterator[Portion] | list[Portion]) -> list[Packet]:
    """The packets that a share is told of."""
    read = partial(read_at, data)
    packed = chain.from_iterable(portion.packed for portion in portions)
    return [row for one in packed for row in one.rows(read)]


def shares(data: bytes, of: int = 2) -> list[list[Portion]]:
    """The portions of each share."""
    return [list(portions) for portions in zip(*divided(BytesIO(data), of), strict=True)]


def talks(count: int = 4) -> Tape:
    """Connections that are open at the same time, and a datagram."""
    tape = Tape()
    found = [Talk(tape, client_port=50_000 + one).open() for one in range(count)]
    tape.add(ipv4(udp(1, 2, b"something"), protocol=17))
    for talk in found:
        talk.client(b"GET / HTTP/1.1\r\n\r\n")
        talk.close()
    return tape


@pytest.mark.parametrize("of", [2, 3])
def test_each_packet_is_of_one_share_or_of_all(of: int) -> None:
    data = talks().file()
    found = [rows(data, portions) for portions in shares(data, of)]
    whole = list(CaptureReader(BytesIO(data)))
    everybodys = set(found[0]).intersection(*found)
    assert [row[0] for row in everybodys] == [13]
    assert sorted(chain(everybodys, *(set(one) - everybodys for one in found))) == whole
    assert all(one == sorted(one) for one in found)


def test_ends_are_given_to_the_shares_in_turn() -> None:
    one, two = shares(talks().file())
    ends = [owner for portion in one for _, owner in portion.ends]
    assert ends == [0, 1, 0, 1]
    begun = [number_and_owner for portion in one for number_and_owner in portion.begun]
    assert begun == [(1, 0), (4, 1), (7, 0), (10, 1)]
    assert [portion.begun for portion in two] == [portion.begun for portion in one]
    assert one[-1].open == [0, 0]
    assert one[-1].is_last


def test_what_stands_in_the_file_is_read_from_there() -> None:
    data = talks(1).file()
    one, _ = shares(data)
    assert {packed.data for portion in one for packed in portion.packed if packed.offset} == {b""}
    packed = gzip.compress(data)
    from_packed, _ = shares(packed)
    assert all(one.offset is None for portion in from_packed for one in portion.packed)
    assert rows(b"", from_packed) == rows(data, one)


def test_a_pcap_file_is_divided() -> None:
    frames = [data for *_, data in talks().packets]
    data = pcap_header() + b"".join(record(at, 0, frame) for at, frame in enumerate(frames, 1))
    one, two = (rows(data, portions) for portions in shares(data))
    assert {*one, *two} == set(CaptureReader(BytesIO(data)))


def test_a_portion_is_handed_from_one_process_to_another() -> None:
    for portion in chain.from_iterable(divided(BytesIO(talks().file()), 2)):
        data = msgspec.msgpack.encode(portion)
        assert msgspec.msgpack.decode(data, type=Portion) == portion


def test_a_batch_ends_within_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = talks()
    data = tape.file()
    monkeypatch.setattr(decode_packets, "BATCH", 7)
    one, two = shares(data)
    assert len(one) == len(two) == -(-len(tape.packets) // 7)
    assert [portion.last[0] for portion in one[:-1]] == list(range(7, len(tape.packets), 7))
    assert {*rows(data, one), *rows(data, two)} == set(CaptureReader(BytesIO(data)))
    for portion in one:
        numbers = [row[0] for row in rows(data, [portion])]
        assert all(portion.last[0] - 7 < number <= portion.last[0] for number in numbers)


def test_which_packets_a_relay_has_recorded() -> None:
    blocks = Blocks()
    frames = [data for *_, data in talks(1).packets[:3]]
    data = blocks.section() + blocks.interface()
    data += blocks.interface(options=option(15, RELAY_HARDWARE.encode()))
    data += blocks.enhanced(1, frames[0]) + blocks.enhanced(2, frames[1], 1)
    data += blocks.enhanced(3, frames[2])
    one, _ = shares(data)
    packed = [one for portion in one for one in portion.packed]
    assert [(one.first, one.is_relay) for one in packed] == [(1, False), (2, True), (3, False)]


def test_faults_of_the_file_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_packets, "BATCH", 5)
    one, two = shares(talks().file()[:-1])
    assert [len(portion.faults) for portion in one] == [0] * (len(one) - 1) + [1]
    assert one[-1].faults == two[-1].faults


def test_a_file_that_becomes_shorter() -> None:
    data = talks().file()
    one, _ = shares(data)
    with pytest.raises(UnreadableCapture, match="shorter"):
        rows(data[:-1_000], one)


@pytest.mark.parametrize("time", [-1, None, MAX_TIME + 1])
def test_times_that_are_not_divided(time: int | None) -> None:
    """Before that of the packet before, none at all, and what no place holds."""
    blocks = Blocks()
    frame = talks(1).packets[0][-1]
    seconds = option(9, b"\0") + option(0, b"")  # 10^0 a second
    data = blocks.section() + blocks.interface(options=seconds) + blocks.enhanced(2, frame)
    if time is None:
        data += blocks.simple(frame)
    else:
        data += blocks.enhanced(1 if time < 0 else time // 10**9 + 1, frame)
    with pytest.raises(Indivisible):
        shares(data)


def test_what_is_no_capture() -> None:
    with pytest.raises(UnreadableCapture):
        shares(b"something else")


def test_there_may_be_no_packet() -> None:
    one, two = shares(pcap_header())
    assert one == two == [Portion([], [], [], [0, 0], (0, 0), True, [])]
