"""Files that belong together: whole connections, packets numbered through, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from io import BytesIO

import pytest
from support.capture_files import Blocks
from support.rings import parts, stream
from support.talk import Tape

from parsers.decode.capture import decode, decode_capture
from parsers.decode.ordered_capture import OrderedCapture
from parsers.files.joined import JoinedFiles, Part
from parsers.files.packets import UnreadableCapture
from parsers.records import ConnectionRecord, DiagnosticRecord, GapRecord, Record

LE = Blocks("<")


def part(data: bytes, missing: str = "", name: str = "x") -> Part:
    return Part(name, partial(lambda found: closing(BytesIO(found)), data), missing)


def decoded(*recorders: Sequence[Part]) -> list[Record]:
    capture = OrderedCapture(JoinedFiles(recorders))
    return [record for batch in decode_capture(capture) for record in batch]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_whole_and_in_parts_are_the_same_records(count: int) -> None:
    tape = stream()
    expected = list(decode(BytesIO(tape.file())))
    assert decoded([part(one) for one in parts(count, tape)]) == expected
    assert isinstance(expected[-1], ConnectionRecord) and expected[-1].close == "fin"


def test_a_missing_file_is_a_gap_and_is_said() -> None:
    first, _, last = parts(3)
    records = decoded([part(first), part(last, "1 file is missing, number 2", "c.pcap")])
    said = [one.summary for one in records if isinstance(one, DiagnosticRecord)]
    assert any("1 file is missing, number 2, before c.pcap" in text for text in said)
    codes = [one.code for one in records if isinstance(one, DiagnosticRecord)]
    assert "capture-file-missing" in codes
    assert any(isinstance(one, GapRecord) for one in records)


def test_a_file_that_cannot_be_read_is_said_and_passed_over() -> None:
    first, second = parts(2)
    records = decoded([part(first), part(b"bad", name="b.pcap"), part(second)])
    faults = [one for one in records if isinstance(one, DiagnosticRecord)]
    assert [(one.code, one.last_packet) for one in faults] == [("capture-damaged", len_of(first))]
    assert "b.pcap: not a capture file" in faults[0].summary
    with pytest.raises(UnreadableCapture):
        decoded([part(b"bad")])


def len_of(data: bytes) -> int:
    return len(list(OrderedCapture(BytesIO(data))))


def test_recorders_are_merged_by_time() -> None:
    """Each saw one direction; together they are the connection."""
    tape = stream()
    sides: dict[bool, Tape] = {True: Tape(), False: Tape()}
    for packet in tape.packets:
        sides[packet[4][34:36] == (40_000).to_bytes(2, "big")].packets.append(packet)
    merged = [[part(one) for one in parts(2, sides[key])] for key in (True, False)]
    assert decoded(*merged) == list(decode(BytesIO(tape.file())))


def test_a_fault_of_a_file_stands_at_the_packet_before_it() -> None:
    first, second = parts(2)
    records = decoded([part(first[:-10], name="a.pcap"), part(second)])
    [fault] = [
        one for one in records if isinstance(one, DiagnosticRecord) and one.code == "capture-cut"
    ]
    assert fault.summary.endswith("a.pcap: " + fault.summary.partition("a.pcap: ")[2])
    assert fault.last_packet == len_of(first[:-10])


def test_a_file_is_closed_before_the_next_is_opened() -> None:
    open_now: set[int] = set()

    class Counted(BytesIO):
        def __init__(self, data: bytes) -> None:
            super().__init__(data)
            open_now.add(id(self))

        def close(self) -> None:
            open_now.discard(id(self))
            super().close()

    ring = [Part("x", partial(Counted, one)) for one in parts(5)]
    for _ in JoinedFiles([ring]):
        assert len(open_now) <= 1
    assert not open_now


def test_interfaces_and_secrets_of_all_files_are_known() -> None:
    joined = JoinedFiles([[part(one) for one in parts(3)]])
    assert sum(1 for _ in joined) == len(stream().packets)
    assert [one.link_type for one in joined.interfaces] == [1, 1, 1]
    assert not joined.is_relay(1)
    assert joined.secrets == []


def test_comments_on_files_are_known_from_their_first_packets_on() -> None:
    told = LE.section(options=LE.option(1, b"host: web1")) + LE.interface()
    packet = LE.enhanced(5, b"data", options=LE.option(1, b"on a packet"))
    joined = JoinedFiles([[part(told + packet), part(told + packet)]])
    packets = iter(joined)
    next(packets)
    assert joined.comments == [(None, "host: web1")]
    next(packets)
    assert joined.comments == [(None, "host: web1")] * 2


def test_a_secret_of_a_file_is_known_once_its_next_packet_has_come() -> None:
    told = LE.section() + LE.interface() + LE.enhanced(5, b"data")
    keys = LE.secrets(0x544C534B, b"CLIENT_RANDOM 1 2")
    joined = JoinedFiles([[part(told + keys + LE.enhanced(6, b"more")), part(told + keys)]])
    packets = iter(joined)
    next(packets)
    assert joined.secrets == []
    next(packets)
    assert joined.secrets == [(0x544C534B, b"CLIENT_RANDOM 1 2")]
    assert len(list(packets)) == 1
    assert joined.secrets == [(0x544C534B, b"CLIENT_RANDOM 1 2")] * 2
