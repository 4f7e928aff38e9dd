"""Files that hold packets in another order than that of their times, and such as only seem to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from itertools import chain, count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.frames import ACK, SYN, ipv4
from support.talk import STEP_NS, Talk, Tape, decoded, kinds

from parsers.decode import time_order
from parsers.decode.capture import decode, decode_batches
from parsers.decode.packets import PacketDecoder
from parsers.decode.time_order import TimeOrder, steps
from parsers.files.packets import Packet
from parsers.limits import MAX_LATE_PACKETS, MAX_LATE_TIME
from parsers.records import ConnectionRecord, DiagnosticRecord, Record, field_names

GET = b"GET /%d HTTP/1.1\r\nHost: example\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def talk(exchanges: int = 4) -> list[Packet]:
    """A connection with some exchanges, each packet a millisecond after the one before."""
    made = Talk().open()
    for number in range(exchanges):
        made.client(GET % number)
        made.server(OK)
        made.ack("client")
    made.close()
    return made.tape.packets


def stored(rows: Iterable[Packet]) -> list[Packet]:
    """The packets as a file holds them in this order: numbered anew."""
    return [(number, *row[1:]) for number, row in zip(count(1), rows, strict=False)]


def timed(rows: Sequence[Packet], shift: Callable[[Packet], int]) -> list[Packet]:
    """The packets with clocks that are wrong by what ``shift`` says of each, in nanoseconds."""
    return [(row[0], (row[1] or 0) + shift(row), *row[2:]) for row in rows]


def file(rows: Sequence[Packet]) -> BytesIO:
    tape = Tape()
    tape.packets = list(rows)
    return BytesIO(tape.file())


def said(rows: Sequence[Packet]) -> tuple[list[Record], list[str]]:
    """The records of a file with these packets, and apart from them what is said of its order."""
    records = list(decode(file(rows)))
    order = [one for one in records if getattr(one, "code", "") == "capture-order"]
    return [one for one in records if one not in order], [
        one.summary for one in order if isinstance(one, DiagnosticRecord)
    ]


def without_numbers(records: Iterable[Record]) -> list[dict[str, object]]:
    """What of records does not say where in the file a packet is."""
    found = []
    for record in records:
        fields = {name: getattr(record, name) for name in field_names(type(record))}
        for name in ("first_packet", "last_packet", "client_fin", "server_fin", "ends"):
            fields.pop(name, None)
        found.append(fields)
    return sorted(found, key=repr)


def swapped(rows: Sequence[Packet], *places: int) -> list[Packet]:
    """The packets with each of these places changed with the next one's."""
    changed = list(rows)
    for place in places:
        changed[place], changed[place + 1] = changed[place + 1], changed[place]
    return stored(changed)


def moved(rows: Sequence[Packet], place: int, to: int) -> list[Packet]:
    """The packets with one that was stored at another place."""
    changed = list(rows)
    changed.insert(to, changed.pop(place))
    return stored(changed)


LATE = {
    "SYN after the handshake": moved(talk(), 0, 2),
    "SYN and ACK after the request": moved(talk(), 1, 3),
    "request after its response": moved(talk(), 3, 4),
    "request ten packets late": moved(talk(), 3, 13),
    "one direction in bursts": stored(sorted(talk(), key=lambda row: (row[0] // 6, row[0] % 2))),
    "every second pair": swapped(talk(), 2, 4, 6, 8, 10, 12),
    "the last packets": moved(talk(), 15, 17),
    "two FINs": moved(talk(), 15, 16),
}


@pytest.mark.parametrize("rows", LATE.values(), ids=LATE)
def test_packets_that_were_stored_late(rows: list[Packet]) -> None:
    """All is as in order of time, but for the packets' numbers."""
    records, summaries = said(rows)
    assert without_numbers(records) == without_numbers(decoded(talk()))
    (summary,) = summaries
    assert summary.endswith("decoded in order of time")


@pytest.mark.parametrize("rows", LATE.values(), ids=LATE)
def test_records_say_the_numbers_of_the_file(rows: list[Packet]) -> None:
    records, _ = said(rows)
    times = {number: (time_ns or 0) / 10**9 for number, time_ns, *_ in rows}
    for record in records:
        assert record.first_time == times[record.first_packet]
        assert record.last_time == times[record.last_packet]
        if isinstance(record, ConnectionRecord):
            closing = [end["time"] for end in record.ends]
            assert closing == sorted(closing) and len(closing) == 2
    ends = [record.last_time for record in records]
    assert ends == sorted(ends)


def interleaved(rows: Sequence[Packet], late: int) -> list[Packet]:
    """What two interfaces saw, of which one hands its packets on ``late`` packets later."""
    return stored(row for _, row in sorted((row[0] + late * (row[0] % 2), row) for row in rows))


@pytest.mark.parametrize("late", [2, 10, 60, 300])
def test_two_interfaces(late: int) -> None:
    rows = [*talk(MAX_LATE_PACKETS)]
    records, (summary,) = said(interleaved(rows, late))
    assert without_numbers(records) == without_numbers(decoded(rows))
    assert summary.endswith("decoded in order of time")


def test_connections_keep_their_numbers() -> None:
    """Wireshark numbers them as the file has them: the second one's SYN is stored first."""
    tape = Tape()
    one, two = Talk(tape, client_port=40_001), Talk(tape, client_port=40_002)
    for made in (one, two):
        made.segment("client", flags=SYN)
    for made in (one, two):
        made.segment("server", flags=SYN | ACK)
        made.segment("client")
        made.client(GET % 0)
        made.server(OK)
        made.close()
    rows = moved(tape.packets, 0, 3)
    records, (summary,) = said(rows)
    assert summary.endswith("decoded in order of time")
    connections = [one for one in records if isinstance(one, ConnectionRecord)]
    assert {one.connection: one.client[-5:] for one in connections} == {0: "40002", 1: "40001"}
    assert [one.midstream for one in connections] == [False, False]
    assert kinds(one for one in records if one.connection == 1) == kinds(
        one for one in decoded(tape.packets) if one.connection == 0
    )


def test_only_packets_of_different_connections_are_out_of_order() -> None:
    tape = Tape()
    for port in (40_001, 40_002):
        made = Talk(tape, client_port=port).open()
        made.client(GET % 0)
        made.server(OK)
        made.close()
    half_way = len(tape.packets) // 2
    rows = stored([*tape.packets[half_way:], *tape.packets[:half_way]])
    records, (summary,) = said(rows)
    assert records == decoded(rows)
    assert summary.endswith("; the packets of each connection are in order")


# --- what must not be moved ---


def from_server(row: Packet) -> bool:
    return row[4][34:36] == (8_000).to_bytes(2, "big")


def half(row: Packet) -> bool:
    return row[0] > len(talk()) // 2


SEEMING = {
    "clocks that differ by a microsecond": timed(
        talk(), lambda row: -STEP_NS - 1_000 if from_server(row) else 0
    ),
    "clocks that differ by half a second": timed(
        talk(), lambda row: -MAX_LATE_TIME // 2 if from_server(row) else 0
    ),
    "a clock set back by 3.5 ms": timed(talk(), lambda row: -3_500_000 if half(row) else 0),
    "a clock set back by half a second": timed(
        talk(), lambda row: -MAX_LATE_TIME // 2 if half(row) else 0
    ),
    "a clock set back by an hour": timed(talk(), lambda row: -3_600 * 10**9 if half(row) else 0),
    "one packet without a right time": timed(
        talk(), lambda row: -(row[1] or 0) if row[0] == 7 else 0
    ),
    "one packet of another year": timed(talk(), lambda row: 10**17 if row[0] == 7 else 0),
}


@pytest.mark.parametrize("rows", SEEMING.values(), ids=SEEMING)
def test_clocks_that_are_wrong(rows: list[Packet]) -> None:
    records, (summary,) = said(rows)
    assert records == decoded(rows)
    assert summary.endswith("decoded as stored, for a clock was set back, or two differ")


def test_a_clock_that_is_set_back_in_a_long_file() -> None:
    """The clock catches up long after as many packets as are read ahead."""
    rows = timed(
        talk(MAX_LATE_PACKETS), lambda row: -900_000_000 * (row[0] > MAX_LATE_PACKETS + 100)
    )
    records, (summary,) = said(rows)
    assert records == decoded(rows)
    assert "once in packet 1125, by 0.899 s; decoded as stored" in summary


IN_ORDER = {
    "as it came": talk(),
    "all at once": [(row[0], 1_790_000_000_000_000_000, *row[2:]) for row in talk()],
    "pairs at once": timed(talk(), lambda row: -STEP_NS * (row[0] % 2)),
}


@pytest.mark.parametrize("rows", IN_ORDER.values(), ids=IN_ORDER)
def test_files_that_are_in_order(rows: list[Packet]) -> None:
    records, summaries = said(rows)
    assert (records, summaries) == (decoded(rows), [])


def test_packets_without_times_keep_their_places() -> None:
    """Those of a Simple Packet Block have none."""
    rows = talk()
    no_times: list[Packet] = [(row[0], None, *row[2:]) for row in rows]
    some: list[Packet] = [row if row[0] % 3 else (row[0], None, *row[2:]) for row in rows]
    for packets in (no_times, some):
        order = TimeOrder()
        assert list(order.packets(packets)) == packets
        assert order.faults == []


def test_places_of_packets_that_were_moved() -> None:
    """Where each record's last packet stands in order of time; numbers, where none was moved."""
    rows = talk()
    late = stored(swapped(rows, 4, 7))
    for packets, is_moved in ((rows, False), (late, True)):
        order = TimeOrder()
        decoder = PacketDecoder()
        records = decoder.receive(list(order.packets(packets))) + decoder.finish()
        places = order.places(records)
        assert places == sorted(places)
        assert (places != [record.last_packet for record in records]) == is_moved


def test_only_so_many_places_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_order, "MAX_PLACES", 4)
    rows = interleaved(talk(30), 6)
    order = TimeOrder()
    assert len(list(order.packets(rows))) == len(rows)
    assert len(order._places) <= 4


def test_packets_that_are_of_no_connection_stay_where_they_are() -> None:
    """Between those that are put in order; and they have no say in what the order is."""
    rows = [*talk()]
    other = ipv4(b"\0" * 20, 17)
    mixed: list[Packet] = []
    for row in rows:
        mixed += [row, (0, (row[1] or 0) + STEP_NS // 2, 1, len(other), other)]
    late = stored(moved(mixed, 8, 13))
    records, (summary,) = said(late)
    assert [one["target"] for one in without_numbers(records) if "target" in one] == [
        one["target"] for one in without_numbers(decoded(rows)) if "target" in one
    ]
    assert summary.endswith("decoded in order of time")


@pytest.mark.parametrize(
    ("times", "start", "end", "found"),
    [
        ([5, 3, 4], 0, 3, [(0, 3)]),
        ([1, 2, 3], 0, 3, [(0, 1), (1, 2), (2, 3)]),
        ([1, 3, 2, 4], 0, 4, [(0, 1), (1, 3), (3, 4)]),
        ([9, 3, 2], 1, 3, [(1, 3)]),
        ([5, 3], 1, 1, []),
    ],
)
def test_the_shortest_stretches_that_sorting_leaves_in_their_places(
    times: list[int], start: int, end: int, found: list[tuple[int, int]]
) -> None:
    assert list(time_order._clusters(times, start, end)) == found


def test_no_packets() -> None:
    order = TimeOrder()
    assert (list(order.packets([])), order.faults) == ([], [])


# --- what is said ---


def test_it_is_said_once_with_count_place_and_step() -> None:
    records = list(decode(file(swapped(talk(), 2, 5, 9))))
    assert kinds(records)[-1] == "capture-order"
    fault = records[-1]
    assert isinstance(fault, DiagnosticRecord)
    assert (fault.severity, fault.last_packet, fault.connection) == ("note", 4, None)
    assert fault.summary == (
        "the time of packets goes back: 3 times, the first time in packet 4, by 0.001 s at most; "
        "decoded in order of time"
    )


def test_both_causes_in_one_file() -> None:
    rows = swapped(timed(talk(), lambda row: -3_600 * 10**9 * half(row)), 2)
    records, (summary,) = said(rows)
    assert summary.endswith(
        "decoded in order of time, but where a clock was set back, or two differ"
    )
    assert kinds(records) == kinds(decoded(talk()))


# --- bounds ---


def test_a_packet_that_is_later_than_what_is_read_ahead() -> None:
    """It stays where it is: by then what came before it has been decoded."""
    rows = [*talk(2 * MAX_LATE_PACKETS)]
    close = [(row[0], row[1] or 0) for row in rows]
    squeezed: list[Packet] = [
        (number, 1_790_000_000_000_000_000 + number * 1_000, *row[2:])
        for (number, _), row in zip(close, rows, strict=True)
    ]
    late = moved(squeezed, 4, 4 + 4 * MAX_LATE_PACKETS)
    order = TimeOrder()
    assert [row[0] for row in order.packets(late)] == [row[0] for row in late]
    assert order.faults[0].detail.endswith(
        "decoded as stored, for a clock was set back, or two differ"
    )


def test_as_much_is_read_ahead_as_the_limits_say() -> None:
    taken = count()
    packets = ((next(taken) + 1, 1_000_000 * number, 1, 100, bytes(100)) for number in range(10**6))
    first = next(TimeOrder().packets(packets))
    assert first[0] == 1
    assert next(taken) <= MAX_LATE_PACKETS + 128


def test_large_packets_are_read_ahead_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.decode.time_order.MAX_LATE_BYTES", 100_000)
    taken = count()
    packets = (
        (next(taken) + 1, 1_000_000 * number, 1, 1_000, bytes(1_000)) for number in range(10**6)
    )
    next(TimeOrder().packets(packets))
    assert next(taken) <= 100 + 128


def test_what_comes_through_a_pipe_is_not_waited_for() -> None:
    rows = moved(talk(), 3, 4)
    live = list(chain.from_iterable(decode_batches(file(rows), batch=1, is_live=True)))
    assert live == decoded(rows, batch=1)
    assert "capture-order" not in kinds(live)


def test_steps() -> None:
    rows = talk(40)
    assert list(chain.from_iterable(found for found, _ in steps(rows))) == rows
    assert [len(found) for found, _ in steps(rows, 1)] == [1] * len(rows)
    assert sum(size for _, size in steps(rows)) == sum(len(row[4]) for row in rows)


# --- any order ---


@given(st.lists(st.integers(0, 40), min_size=18, max_size=18), st.sampled_from([1, 3, 7, 2_048]))
def test_batches_do_not_matter(late: list[int], batch: int) -> None:
    """Packets late by any number of others, and batches of any size: the same records."""
    rows = talk()
    late_rows = stored(
        row for _, _, row in sorted((row[0] + late[row[0] - 1], row[0], row) for row in rows)
    )
    whole = list(decode(file(late_rows)))
    cut = list(chain.from_iterable(decode_batches(file(late_rows), batch=batch)))
    assert cut == whole
    (connection,) = (one for one in whole if isinstance(one, ConnectionRecord))
    assert connection.packets == len(rows)
    records, summaries = said(late_rows)
    if not summaries or summaries[0].endswith("decoded in order of time"):
        assert without_numbers(records) == without_numbers(decoded(rows))


@given(st.lists(st.integers(-3 * 10**9, 3 * 10**9), max_size=300))
def test_every_packet_comes_once_whatever_the_times_are(times: list[int]) -> None:
    rows: list[Packet] = [(index + 1, time, 1, 0, b"") for index, time in enumerate(times)]
    order = TimeOrder()
    assert sorted(order.packets(rows)) == rows
    assert bool(order.faults) == (times != sorted(times))
