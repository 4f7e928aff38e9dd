"""PDML as a stream: what is kept of a packet, and what a damaged document does."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wireproof.wireshark.elements import digest
from wireproof.wireshark.parts import Segments
from wireproof.wireshark.pdml import Node, _Packet, read_packets
from wireproof.wireshark.run import TsharkFailed
from wireproof.wireshark.segments import TsharkSegment

VERSION = (4, 0, 17)

PDML = b"""<?xml version="1.0"?>
<pdml><packet><proto name="geninfo"><field name="num" show="7"/></proto>
<proto name="tcp" pos="34" size="32"/>
<proto name="http" pos="66" size="20"><field name="http.response.code" show="200" value="323030"/>
<field name="http.unheard_of" show="1"/></proto></packet>
<packet><proto name="geninfo"><field name="num" show="9"/></proto></packet></pdml>"""

EXPECTED = [
    (
        7,
        [
            Node("tcp", "", "", 34, 32, ""),
            Node("http", "", "", 66, 20, ""),
            Node("status", "200", "323030", 0, 0, ""),
        ],
    ),
    (9, []),
]


class Cut:
    """Gives a document in pieces of given lengths."""

    def __init__(self, data: bytes, lengths: list[int]) -> None:
        self._stream = BytesIO(data)
        self._lengths = iter(lengths)

    def read(self, size: int) -> bytes:
        return self._stream.read(min(size, next(self._lengths, size)))


def test_fields_of_the_table_are_kept() -> None:
    assert list(read_packets(BytesIO(PDML), VERSION)) == EXPECTED


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(1, 60)))
def test_cuts_change_nothing(lengths: list[int]) -> None:
    assert list(read_packets(Cut(PDML, lengths), VERSION)) == EXPECTED  # type: ignore[arg-type]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, len(PDML)))
def test_a_document_that_stops_gives_its_whole_packets(length: int) -> None:
    found = list(read_packets(BytesIO(PDML[:length]), VERSION))
    assert found == EXPECTED[: PDML[:length].count(b"</packet>")]


def test_what_is_no_xml_fails() -> None:
    with pytest.raises(TsharkFailed, match="PDML that is not XML: .*line 1"):
        list(read_packets(BytesIO(b"<pdml></packet>"), VERSION))


def node(name: str, show: str = "", value: str = "", pos: int = 0, label: str = "") -> Node:
    return Node(name, show, value, pos, 10, label)


def packet(*nodes: Node) -> _Packet:
    segments = [TsharkSegment(5, "5.0", 0, 80, 0, 30), TsharkSegment(6, "6.0", 0, 80, 30, 30)]
    found = _Packet(segments[1], Segments(segments), {0: 80})
    found.read(list(nodes))
    return found


def test_positions_count_in_the_packet_or_in_the_buffer() -> None:
    tcp, http = Node("tcp", "", "", 20, 20, ""), node("http", pos=4)
    put_together = node("tcp segments", label="2 Reassembled TCP Segments: #5(10), #6(3)")
    (found,) = packet(tcp, put_together, http, node("status", "200")).read([])
    assert (found.offset, found.other_offset, found.sender) == (24, -6, "client")
    unknown = node("tcp segments", label="2 Reassembled TCP Segments: #4(10), #6(3)")
    (found,) = packet(tcp, unknown, node("http", pos=44), node("method", "GET")).read([])
    assert (found.offset, found.other_offset) == (34, None)


def test_fields_of_no_message_are_passed_over() -> None:
    """A bare "http" layer is a piece of a message that Wireshark could not put together."""
    stray = [
        node(name, "1", "31")
        for name in ("response header", "trailers", "content", "data", "fin", "masking_key")
    ]
    stray += [node(name, "1", "31") for name in ("ping", "binary", "close_reason", "unheard")]
    assert packet(node("tls"), node("http"), *stray).read([]) == []


def test_a_message_of_tls_is_marked() -> None:
    (found,) = packet(node("tls"), node("http"), node("status", "200")).read([])
    assert found.facts.in_tls


def test_a_chunk_without_a_message_stands_alone() -> None:
    (found,) = packet(node("http"), node("size", "3"), node("data", "", "616263")).read([])
    assert found.values == {"size": 3, "data": "abc"}


def test_empty_content_is_none_and_bytes_of_a_head_may_be_anything() -> None:
    nodes = [node("http"), node("status", "200"), node("content"), node("content", value="ff")]
    header = node("response header", value=b"A:\t\xff \r\n".hex())
    (empty,) = packet(*nodes[:3], header).read([])
    assert (empty.values["content"], empty.values["header 0"]) == (None, "A: \xff")
    (full,) = packet(*nodes).read([])
    a8 = "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89"
    assert full.values["content"] == digest(1, a8)


def test_what_is_no_hex_fails() -> None:
    with pytest.raises(TsharkFailed, match="'zz' for content"):
        packet(node("http"), node("status", "200"), node("content", value="zz"))
