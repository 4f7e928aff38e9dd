"""The pcapng format: every block that means something, and damage in each."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.capture_files import Blocks, codes, read_all

from parsers.files.packets import Packet
from parsers.limits import MAX_INTERFACES

EVERYWHERE = pytest.mark.parametrize("at_most", [1 << 30, 50, 1])
BOTH_ORDERS = pytest.mark.parametrize("blocks", [Blocks("<"), Blocks(">")], ids=["little", "big"])
LE = Blocks("<")
START = LE.section() + LE.interface()
TIME = 1_763_800_000_123_456


def data_of(packets: list[Packet]) -> list[bytes]:
    return [packet[4] for packet in packets]


# --- packets ---


@EVERYWHERE
@BOTH_ORDERS
def test_every_kind_of_packet_block(blocks: Blocks, at_most: int) -> None:
    data = blocks.section() + blocks.interface(101, snaplen=96)
    data += blocks.enhanced(TIME, b"enhanced") + blocks.enhanced(TIME + 1, b"cut", original=60)
    data += blocks.obsolete(TIME + 2, b"obsolete") + blocks.simple(b"simple")
    data += blocks.enhanced(TIME + 3, b"")
    packets, reader = read_all(data, at_most)
    assert packets == [
        (1, TIME * 1000, 101, 8, b"enhanced"),
        (2, TIME * 1000 + 1000, 101, 60, b"cut"),
        (3, TIME * 1000 + 2000, 101, 8, b"obsolete"),
        (4, None, 101, 6, b"simple"),
        (5, TIME * 1000 + 3000, 101, 0, b""),
    ]
    assert reader.faults == []


@EVERYWHERE
def test_each_section_has_its_own_byte_order_and_interfaces(at_most: int) -> None:
    big = Blocks(">")
    data = START + LE.interface(101, options=LE.option(9, b"\x09")) + LE.enhanced(5, b"a", 1)
    data += big.section() + big.interface(113) + big.enhanced(5, b"b") + big.enhanced(5, b"c", 1)
    data += LE.section() + LE.interface(276) + LE.enhanced(5, b"d")
    packets, reader = read_all(data, at_most)
    assert [(packet[1], packet[2], packet[4]) for packet in packets] == [
        (5, 101, b"a"),
        (5000, 113, b"b"),
        (5000, 276, b"d"),
    ]
    assert [fault.detail for fault in reader.faults] == [
        "a block about interface 1, but only 1 have been described"
    ]
    assert [interface.section for interface in reader.interfaces] == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("resolution", "ticks", "expected"),
    [
        (b"\x06", TIME, TIME * 1000),
        (b"\x09", TIME * 1000 + 7, TIME * 1000 + 7),
        (b"\x03", 1_763_800_000_123, 1_763_800_000_123_000_000),
        (b"\x00", 2**32 + 5, (2**32 + 5) * 10**9),
        (b"\x0c", 1_763_800_000_123_456_789_012 % 2**64, None),
        (b"\x8a", 1024 + 512, 1_500_000_000),
        (b"\x89", 2**40 + 1, (2**40 + 1) * 10**9 // 512),
        (b"\xa0", 2**33 + 1, 2_000_000_000),
        (b"\x7f", 5, 0),
        (b"\xff", 5, 0),
    ],
)
def test_resolutions_are_exact(resolution: bytes, ticks: int, expected: int | None) -> None:
    data = LE.section() + LE.interface(options=LE.option(9, resolution))
    data += LE.enhanced(ticks, b"first") + LE.enhanced(ticks, b"second")
    packets, reader = read_all(data)
    wanted = ticks // 1000 if expected is None else expected
    assert [packet[1] for packet in packets] == [wanted, wanted]
    assert reader.faults == []


def test_an_offset_moves_the_time_of_both_paths() -> None:
    data = LE.section() + LE.interface(options=LE.option(14, pack("<q", -100)))
    packets, _ = read_all(data + LE.enhanced(5, b"a") * 2)
    assert [packet[1] for packet in packets] == [-99_999_995_000] * 2


def test_a_simple_packet_is_cut_at_the_snaplen() -> None:
    section = LE.section() + LE.interface(snaplen=4)
    packets, reader = read_all(section + LE.simple(b"kept", original=60))
    assert packets == [(1, None, 1, 60, b"kept")]
    packets, reader = read_all(START + LE.simple(b"kept", original=60))
    assert packets == []
    assert reader.faults[0].detail == "60 bytes of data in a block that has room for 4"


def test_what_wireshark_numbers_without_being_a_packet_takes_a_number() -> None:
    data = START + LE.enhanced(5, b"a")
    data += LE.block(0xBAD, b"PEN.body") + LE.block(0x40000BAD, b"PEN.") + LE.block(9, b"A=1\n")
    data += LE.block(0x204, bytes(24)) + LE.block(4, bytes(4)) + LE.block(0x80000001, b"1234")
    packets, reader = read_all(data + LE.enhanced(5, b"b"))
    assert [packet[0] for packet in packets] == [1, 6]
    assert reader.faults == []


@pytest.mark.parametrize(
    "bad",
    [
        LE.enhanced(5, b"bad", interface=7),
        LE.obsolete(5, b"bad", interface=7),
        LE.block(6, pack("<5I", 0, 0, 5, 9, 9) + b"too long"),
        LE.block(6, bytes(16)),
        LE.block(2, bytes(16)),
        LE.block(3, b""),
        LE.block(1, b"1234"),
        LE.block(5, bytes(8)),
        LE.block(10, bytes(4)),
        LE.block(10, pack("<2I", 1, 100) + b"short"[:4]),
    ],
)
@EVERYWHERE
def test_a_fault_inside_a_block_costs_that_block(bad: bytes, at_most: int) -> None:
    data = START + LE.enhanced(5, b"a") + bad
    packets, reader = read_all(data + LE.enhanced(5, b"b"), at_most)
    assert [(packet[0], packet[4]) for packet in packets] == [(1, b"a"), (2, b"b")]
    (fault,) = reader.faults
    assert (fault.code, fault.packet, fault.offset) == ("capture-damaged", 1, len(START) + 36)


@EVERYWHERE
def test_more_captured_than_there_was_is_flagged_and_kept(at_most: int) -> None:
    packets, reader = read_all(START + LE.enhanced(5, b"first", original=3), at_most)
    assert packets == [(1, 5000, 1, 3, b"first")]
    assert reader.faults[0].detail == "5 bytes captured of a packet of 3 bytes"


def test_a_simple_packet_needs_an_interface() -> None:
    _, reader = read_all(LE.section() + LE.simple(b"none"))
    assert reader.faults[0].detail == "a block about interface 0, but only 0 have been described"


# --- options ---


@EVERYWHERE
@BOTH_ORDERS
def test_what_the_file_says_beside_its_packets(blocks: Blocks, at_most: int) -> None:
    comment = blocks.option(1, "grüße\0".encode())
    end = blocks.option(0, b"")
    data = blocks.section(
        blocks.option(4, b"app") + comment + blocks.option(0xBAD, b"other") + end + b"junk"
    )
    data += blocks.interface(
        options=blocks.option(2, b"eth0")
        + blocks.option(3, b"the cable")
        + blocks.option(11, b"\0tcp port 8000")
        + blocks.option(11, b"\1BPF")
        + blocks.option(1, b"one")
        + blocks.option(1, b"two")
        + blocks.option(6, bytes(8))
    )
    data += blocks.enhanced(5, b"a", options=comment + blocks.option(2, bytes(4)) + end)
    data += blocks.obsolete(5, b"b", options=comment)  # no opt_endofopt
    data += blocks.secrets(0x544C534B, b"CLIENT_RANDOM 1 2", options=comment)
    dropped = blocks.option(5, pack(f"{blocks.order}Q", 3))
    data += blocks.statistics(0, comment + blocks.option(4, bytes(8)) + dropped)
    _, reader = read_all(data, at_most)
    assert reader.comments == [
        (None, "grüße"), (1, "grüße"), (2, "grüße"), (None, "grüße"), (None, "grüße")
    ]  # fmt: skip
    (interface,) = reader.interfaces
    assert (interface.name, interface.description) == ("eth0", "the cable")
    assert (interface.filter, interface.comment) == ("tcp port 8000", "one\ntwo")
    assert interface.dropped == 3
    assert (interface.machine, interface.system, interface.application) == ("", "", "app")
    assert reader.secrets == [(0x544C534B, b"CLIENT_RANDOM 1 2")]
    assert reader.faults == []


def test_a_section_says_where_it_was_recorded_and_by_what() -> None:
    """Its hardware, operating system and application, of each of its interfaces."""
    told = {2: b"12th Gen Core (with SSE4.2)", 3: b"Linux 6.8.0\0", 4: b"Dumpcap 4.2.2"}
    options = b"".join(LE.option(code, text) for code, text in told.items())
    data = LE.section(options=options) + LE.interface() + LE.interface() + START
    found = read_all(data)[1].interfaces
    assert [one.machine for one in found] == ["12th Gen Core (with SSE4.2)"] * 2 + [""]
    assert [one.system for one in found] == ["Linux 6.8.0"] * 2 + [""]
    assert [one.application for one in found] == ["Dumpcap 4.2.2"] * 2 + [""]


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (LE.interface(options=LE.option(9, bytes(4))), "if_tsresol of 4 bytes, 1 expected"),
        (LE.interface(options=LE.option(14, bytes(4))), "if_tsoffset of 4 bytes, 8 expected"),
        (LE.statistics(0, LE.option(5, bytes(4))), "isb_ifdrop of 4 bytes, 8 expected"),
        (
            LE.enhanced(5, b"a", options=pack("<HH", 1, 100) + b"abcd"),
            "option 1 is longer than its block",
        ),
        (
            LE.statistics(9, LE.option(5, bytes(8))),
            "a block about interface 9, but only 1 have been described",
        ),
    ],
)
def test_a_damaged_option_is_a_fault(data: bytes, detail: str) -> None:
    packets, reader = read_all(START + data + LE.enhanced(6, b"after"))
    assert [fault.detail for fault in reader.faults] == [detail]
    assert packets[-1][4] == b"after"


def test_an_interface_too_many_is_a_fault() -> None:
    data = START + LE.interface() * MAX_INTERFACES + LE.enhanced(5, b"a", MAX_INTERFACES - 1)
    packets, reader = read_all(data + LE.enhanced(5, b"b", MAX_INTERFACES))
    assert data_of(packets) == [b"a"]
    assert codes(reader) == ["capture-unsupported", "capture-damaged"]


# --- sections ---


@pytest.mark.parametrize("version", [(2, 0), (1, 1)])
def test_another_version_ends_the_reading(version: tuple[int, int]) -> None:
    data = START + LE.enhanced(4, b"good")
    packets, reader = read_all(data + LE.section(version=version) + LE.interface())
    assert data_of(packets) == [b"good"]
    (fault,) = reader.faults
    assert (fault.code, fault.packet, fault.offset) == ("capture-unsupported", 1, len(data))
    assert fault.detail == "pcapng version {}.{}, 1.0 expected".format(*version)


def test_version_1_2_means_1_0() -> None:
    packets, reader = read_all(LE.section(version=(1, 2)) + LE.interface() + LE.enhanced(5, b"a"))
    assert (data_of(packets), reader.faults) == ([b"a"], [])


@EVERYWHERE
def test_a_section_that_is_not_as_long_as_it_says_is_flagged(at_most: int) -> None:
    body = LE.interface() + LE.enhanced(5, b"a")
    right = LE.section(length=len(body)) + body
    wrong = LE.section(length=4) + body
    packets, reader = read_all(right + wrong + right + wrong, at_most)
    assert data_of(packets) == [b"a"] * 4
    assert [(fault.packet, fault.detail) for fault in reader.faults] == [
        (2, "a section of 56 bytes, 4 expected"),
        (4, "a section of 56 bytes, 4 expected"),
    ]


# --- the two paths ---


packet_blocks = st.builds(
    LE.enhanced,
    st.sampled_from([5, 6, 2**32 + 5, 2**33]),
    st.binary(max_size=9),
    st.sampled_from([0, 0, 0, 1, 2, 3]),
    st.sampled_from([None, None, 0, 60]),
    st.sampled_from([b"", b"", LE.option(1, b"comment")]),
)
other_blocks = st.sampled_from(
    [LE.simple(b"simple"), LE.obsolete(7, b"old"), LE.block(0xBAD, b"PEN."), START]
)


RELAYED = LE.enhanced(5, b"relayed", 1)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.one_of(packet_blocks, packet_blocks, other_blocks), max_size=20))
@example([RELAYED, LE.simple(b"simple"), RELAYED])
@example([RELAYED, LE.obsolete(7, b"old"), RELAYED])
def test_usual_and_general_path_agree(found: list[bytes]) -> None:
    """Byte by byte no block is ever whole in the buffer, so all take the general path."""
    data = LE.section() + LE.interface(options=LE.option(9, b"\x09"))
    data += LE.interface(101, options=LE.option(15, b"wireproof relay"))
    data += LE.interface(options=LE.option(9, b"\x8a")) + b"".join(found)
    packets, reader = read_all(data)
    general, same = read_all(data, 1)
    assert packets == general
    assert (reader.faults, reader.comments) == (same.faults, same.comments)
    numbers = [packet[0] for packet in packets]
    assert [*map(reader.is_relay, numbers)] == [*map(same.is_relay, numbers)]


def test_packets_of_a_relay_among_others() -> None:
    """As mergecap writes them."""
    data = START + LE.interface(options=LE.option(15, b"wireproof relay"))
    data += LE.enhanced(TIME, b"a") + LE.enhanced(TIME, b"b", 1) + LE.enhanced(TIME, b"c", 1)
    data += LE.enhanced(TIME, b"d") + LE.obsolete(TIME, b"e", 1) + LE.simple(b"f")
    packets, reader = read_all(data)
    assert [packet[4] for packet in packets if reader.is_relay(packet[0])] == [b"b", b"c", b"e"]
    assert [interface.is_relay for interface in reader.interfaces] == [False, True]
