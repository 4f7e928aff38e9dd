"""A comparison in parts has the rows of one that holds everything at once, in the same order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO

import pytest
from msgspec.structs import replace
from support.beside import CHUNKED, CHUNKS, answered
from support.http2 import GET, OK, Http2Talk

from parsers.decode.capture import decode
from parsers.records import FIRST_QUIC_CONNECTION, ConnectionRecord, DiagnosticRecord, Record
from wireproof.spool import Spool
from wireproof.wireshark.compare import Comparison, Row
from wireproof.wireshark.decoded import Decoded
from wireproof.wireshark.divided import DividedComparison, OurRecords
from wireproof.wireshark.elements import Element
from wireproof.wireshark.parts import PARTS, Segments, TheirElements
from wireproof.wireshark.segments import TsharkSegment, Witness

V4_0 = (4, 0, 17)
CONNECTIONS = 2 * PARTS + 3


@pytest.fixture
def spool() -> Iterator[Spool]:
    with closing(Spool()) as made:
        yield made


def interleaved() -> list[Record]:
    """Records of many connections at the same time, and one of none."""
    one = list(decode(BytesIO(answered(CHUNKED + CHUNKS))))
    return [
        replace(fault(), connection=None, exchange=None, sender=None),
        *(replace(record, connection=number) for record in one for number in range(CONNECTIONS)),
    ]


def fault() -> DiagnosticRecord:
    found = decode(BytesIO(answered(CHUNKED + b"3\r\nabc\r\nzz\r\n")))
    return next(record for record in found if isinstance(record, DiagnosticRecord))


def theirs() -> list[Element]:
    """What Wireshark is said to show: of some connections, not in their order."""
    return [
        Element("response", number, "server", at, 5, {"status": status})
        for number in (PARTS + 1, 1, 0, 7, PARTS)
        for at, status in ((0, 200), (1, 404))
    ]


def segments() -> list[TsharkSegment]:
    return [
        TsharkSegment(1 + frame * CONNECTIONS + number, f"{frame}.000000", number, 80, -1, 0)
        for frame in range(3)
        for number in range(CONNECTIONS + 2)
    ][: 3 * CONNECTIONS]


def at_once() -> list[Row]:
    witness = Witness(segments())
    found = [*witness.connections(), *theirs()]
    return list(Comparison(Decoded(enumerate(interleaved())), found, witness, V4_0).rows())


def in_parts(spool: Spool) -> DividedComparison:
    ours = OurRecords(interleaved(), spool)
    return DividedComparison(ours, TheirElements(theirs(), spool), Segments(segments()), V4_0)


def test_rows_are_the_same_in_the_same_order(spool: Spool) -> None:
    expected = at_once()
    assert {row.verdict for row in expected} >= {"equal", "differs", "only wireproof"}
    assert list(in_parts(spool).rows()) == expected


def test_equal_rows_can_be_passed_over(spool: Spool) -> None:
    passed: list[Row] = []
    expected = at_once()
    found = list(in_parts(spool).rows(passed.append))
    assert found == [row for row in expected if row.verdict != "equal"]
    assert len(passed) == len(expected) - len(found)
    assert {row.verdict for row in passed} == {"equal"}


def test_ports_that_speak_nothing_but_http_2(spool: Spool) -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, OK, ends=True))
    talk.talk.close()
    records = talk.records()
    ours = OurRecords(records, spool)
    assert ours.http2_ports == [8_000] and ours.clients == {0: 40_000}
    others = [replace(record, connection=1) for record in interleaved() if record.connection == 0]
    assert OurRecords([*records, *others], spool).http2_ports == []


def test_connections_of_quic_are_counted_and_left_out(spool: Spool) -> None:
    (record,) = (
        one for one in interleaved() if isinstance(one, ConnectionRecord) and not one.connection
    )
    ours = OurRecords([replace(record, connection=FIRST_QUIC_CONNECTION)], spool)
    assert ours.quic_connections == 1
    assert not any(list(ours.all_of(part)) for part in range(PARTS))
