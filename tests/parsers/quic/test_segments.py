"""Where packets may end that were captured as one."""

from __future__ import annotations

from support.quic import Talk

from parsers.limits import MAX_QUIC_SEGMENT_SEARCHES, MIN_QUIC_SEGMENT
from parsers.quic.packets import PacketHeader, read_packets
from parsers.quic.segments import Segmentation, parted


def packets(*sizes: int, client_id: bytes = b"client01") -> bytes:
    """Packets of the server with short headers, of these sizes."""
    talk = Talk(client_id=client_id)
    overhead = 1 + len(client_id) + 2 + 16
    return b"".join(talk.packet("server", "1-rtt", bytes(size - overhead)) for size in sizes)


def whole(joined: bytes, id_size: int = 8) -> PacketHeader:
    (packet,) = read_packets(joined, id_size)
    assert isinstance(packet, PacketHeader)
    return packet


def test_the_next_header_is_where_the_id_stands_again() -> None:
    joined = packets(1250, 1250, 300)
    ends = list(Segmentation().ends(joined, whole(joined)))
    assert ends == [1250, 2500]


def test_a_known_size_comes_first() -> None:
    joined = packets(1250, 1250, 300)
    segmentation = Segmentation()
    segmentation.size = 1250
    assert list(segmentation.ends(joined, whole(joined)))[:2] == [1250, 2800]
    rest = whole(joined)._replace(start=2500, number_at=2509)
    assert next(segmentation.ends(joined, rest)) == 2800


def test_without_an_id_every_size_of_a_datagram_is_tried_and_not_for_ever() -> None:
    joined = packets(1250, 1250, client_id=b"")
    segmentation = Segmentation()
    ends = list(segmentation.ends(joined, whole(joined, 0)))
    assert 1250 in ends and min(ends) == MIN_QUIC_SEGMENT
    for _ in range(MAX_QUIC_SEGMENT_SEARCHES):
        list(segmentation.ends(joined, whole(joined, 0)))
    assert list(segmentation.ends(joined, whole(joined, 0))) == []


def test_an_id_that_is_everywhere_is_not_followed_for_ever() -> None:
    joined = b"@" * 30_000
    assert len(list(Segmentation().ends(joined, whole(joined)))) == MAX_QUIC_SEGMENT_SEARCHES


def test_without_keys_ids_part_what_is_longer_than_a_datagram() -> None:
    joined = packets(1250, 1250, 300)
    found = parted(joined, whole(joined))
    assert [(one.start, one.number_at, one.end) for one in found] == [
        (0, 9, 1250), (1250, 1259, 2500), (2500, 2509, 2800),
    ]  # fmt: skip
    short = packets(700, 700)
    assert parted(short, whole(short)) == [whole(short)]


def test_of_a_short_packet_no_other_size_is_tried() -> None:
    joined = packets(MIN_QUIC_SEGMENT, client_id=b"")
    assert list(Segmentation().ends(joined, whole(joined, 0))) == []


def test_an_id_that_follows_no_header_begins_no_packet() -> None:
    joined = packets(1250, 1250)
    other = joined[:1250] + b"\x80" + joined[1251:]
    assert list(Segmentation().ends(other, whole(other))) == []
