"""Short connections by the fast path: what it leaves to the other layers, and that it changes
nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from support.fast_paths import leave, mixture, short_and_not
from support.frames import ACK, FIN, PSH, RST, SYN, URG, ipv4, packed, tcp
from support.segments import internet_checksum
from support.stored import SMALL, name, packets
from support.talk import EPOCH_NS, Talk, Tape, decoded, kinds

from parsers import limits
from parsers.decode.fast_connections import FastConnections
from parsers.decode.packets import PacketDecoder, completion
from parsers.files.packets import Packet
from parsers.limits import MAX_SILENCE
from parsers.records import BodyRecord, ConnectionRecord, Record, RequestRecord
from parsers.wants import Wants

GET = b"GET /%d HTTP/1.1\r\nHost: example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: example\r\nContent-Length: 4\r\n\r\n[12]"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"
EVENTS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"9\r\ndata: 1\n\n\r\n0\r\n\r\n"
)
TIMESTAMPS = b"\1\1\x08\n"


def exchanges(talk: Talk, count: int = 2, *, acks: bool = True, answer: bytes = ANSWER) -> Talk:
    talk.open()
    for number in range(count):
        talk.client(GET % number if number % 2 else POST)
        if acks:
            talk.ack("server")
        talk.server(answer)
        if acks:
            talk.ack("client")
    return talk


def usual(**options: Any) -> Talk:
    talk = exchanges(Talk(**options))
    talk.close()
    return talk


def rewritten(packet: Packet, change: Callable[[bytearray], bytearray]) -> Packet:
    number, time_ns, link_type, _, data = packet
    frame = bytes(change(bytearray(data)))
    return number, time_ns, link_type, len(frame), frame


def with_checksum(frame: bytearray) -> bytearray:
    """The right one, over addresses and all of TCP."""
    frame[50:52] = b"\0\0"
    length = pack("!BBH", 0, 6, len(frame) - 34)
    frame[50:52] = internet_checksum(bytes(frame[26:34]) + length + bytes(frame[34:])).to_bytes(2)
    return frame


def with_options(options: bytes) -> Callable[[bytearray], bytearray]:
    def change(frame: bytearray) -> bytearray:
        frame[54:54] = options
        frame[16:18] = (len(frame) - 14).to_bytes(2)
        frame[46] += len(options) // 4 << 4
        return frame

    return change


def numbered(frames: list[Packet]) -> list[Packet]:
    """The same packets, with numbers and times anew."""
    return [
        (number, EPOCH_NS + number * 1_000_000, *packet[2:])
        for number, packet in enumerate(frames, start=1)
    ]


def check(given: list[Packet]) -> int:
    """Decode with the path and without it, at once and packet by packet, and by no path at all;
    return how many packets were of connections that went by it to their end."""
    records, done = short_and_not(given)
    assert short_and_not(given, keep_data=False, batch=1)[1] == done
    in_general = decoded(given, general=True)
    assert sorted(records, key=completion) == sorted(in_general, key=completion)
    return done


# --- what goes by it ---


@pytest.mark.parametrize("acks", [True, False])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_usual_connections_go_by_it(count: int, acks: bool) -> None:
    talk = exchanges(Talk(client_isn=0xFFFFFF00, server_isn=0xFFFFFFF0), count, acks=acks)
    talk.fin("client")
    talk.ack("server")
    talk.fin("server")
    talk.ack("client")
    assert check(talk.tape.packets) == len(talk.tape.packets)


def test_records_come_with_the_packets_that_complete_them() -> None:
    decoder = PacketDecoder()
    found = [kinds(decoder.receive([packet])) for packet in usual().tape.packets]
    assert found == [
        [], [], [], ["request", "data", "body"], [], ["response", "data", "body"], [], ["request"],
        [], ["response", "data", "body"], [], [], [], ["connection"],
    ]  # fmt: skip


def test_checksums_that_are_right_and_usual_options() -> None:
    given = usual().tape.packets
    for options in (b"", TIMESTAMPS + bytes(8)):
        changed = [rewritten(packet, with_options(options)) for packet in given]
        summed = [rewritten(packet, with_checksum) for packet in changed]
        assert check(changed) == check(summed) == len(given)


def test_of_connections_that_are_not_wanted_nothing_is_read() -> None:
    tape = Tape()
    for port in range(3):
        usual(tape=tape, client_port=40_000 + port)
        exchanges(Talk(tape, client_port=41_000 + port), answer=EVENTS).close()
    decoder = PacketDecoder(wanted={2}.__contains__)
    records = decoder.receive(tape.packets) + decoder.finish()
    assert records == [record for record in tape.records() if record.connection == 2]


def test_kinds_that_are_not_wanted_are_not_made() -> None:
    decoder = PacketDecoder(wants=Wants(frozenset((BodyRecord, ConnectionRecord)), digests=False))
    found = decoder.receive(usual().tape.packets)
    assert kinds(found) == ["body", "body", "body", "connection"]
    assert {one.sha256 for one in found if isinstance(one, BodyRecord)} == {""}


# --- what does not ---

BESIDE: dict[str, Callable[[bytearray], bytearray]] = {
    "nothing but its checksum": lambda frame: frame,
    "urgent": lambda frame: frame[:47] + bytes([frame[47] | URG]) + frame[48:],
    "a reset": lambda frame: frame[:47] + bytes([frame[47] | RST]) + frame[48:],
    "a fin": lambda frame: frame[:47] + bytes([frame[47] | FIN]) + frame[48:],
    "a syn": lambda frame: frame[:47] + bytes([frame[47] | SYN]) + frame[48:],
    "no ack": lambda frame: frame[:47] + bytes([frame[47] & ~ACK]) + frame[48:],
    "another sequence number": lambda frame: frame[:41] + bytes([frame[41] ^ 1]) + frame[42:],
    "another acknowledgement": lambda frame: frame[:45] + bytes([frame[45] ^ 1]) + frame[46:],
    "no window": lambda frame: frame[:48] + b"\0\0" + frame[50:],
    "a header that is too long": lambda frame: frame[:46] + b"\xf0" + frame[47:],
    "a header that is too short": lambda frame: frame[:46] + b"\x40" + frame[47:],
    "an option of its own": with_options(b"\1\1\1\1"),
    "a signature": with_options(b"\x13\x12" + bytes(18)),
    "an echo of something else": with_options(TIMESTAMPS + bytes(4) + b"\x90\0\0\0"),
    "more content": lambda frame: frame[:16] + pack("!H", len(frame) - 9) + frame[18:] + b"extra",
    "cut off": lambda frame: frame[:-1],
    "a fragment": lambda frame: frame[:20] + b"\x20\0" + frame[22:],
    "options of IPv4": lambda frame: (
        frame[:14] + b"\x46\0" + pack("!H", len(frame) - 10) + frame[18:34] + bytes(4) + frame[34:]
    ),
    "another byte at its end": lambda frame: frame[:-1] + b"\xff",
    "a VLAN": lambda frame: frame[:12] + b"\x81\0\0\1" + frame[12:],
}


@pytest.mark.parametrize("what", BESIDE)
def test_a_packet_that_is_not_as_usual(what: str) -> None:
    """Whichever it is, with right checksums and others; and then the usual one as well."""
    given = usual().tape.packets
    for index, packet in enumerate(given):
        changed = rewritten(packet, BESIDE[what])
        for frames in (
            [*given[:index], changed, *given[index + 1 :]],
            [*given[:index], changed, *given[index:]],
        ):
            check(numbered(frames))
            summed = [one if one is changed else rewritten(one, with_checksum) for one in frames]
            short_and_not(numbered(summed))


@pytest.mark.parametrize("acks", [True, False])
def test_packets_that_are_lost_late_or_sent_twice(acks: bool) -> None:
    given = exchanges(Talk(), acks=acks)
    given.close()
    frames = given.tape.packets
    for index in range(len(frames)):
        check(frames[:index])
        check([*frames[:index], *frames[index + 1 :]])
        check(numbered([*frames[: index + 1], *frames[index:]]))
        check([*frames[:index], *frames[index : index + 2][::-1], *frames[index + 2 :]])
        check(numbered([*frames, frames[index]]))
        check([*frames[index:], *frames[:index]])


@pytest.mark.parametrize(
    "said",
    [
        [b""],
        [GET % 0, GET % 1],
        [(GET % 0)[:9], (GET % 0)[9:]],
        [b"PROPFIND / HTTP/1.1\r\nHost: example\r\n\r\n"],
        [b"A" * 33 + b" / HTTP/1.1\r\nHost: example\r\n\r\n"],
        [b"GET / HTTP/1.1\r\n\r\n"],
        [b"\x16\x03\x01\0\5\1\0\0\1\0"],
        [(GET % 0).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), GET % 1],
        [GET % 0 + GET % 1],
    ],
)
@pytest.mark.parametrize("answer", [ANSWER, LAST, EVENTS, ANSWER + ANSWER, b"no HTTP"])
def test_what_is_said_otherwise(said: list[bytes], answer: bytes) -> None:
    for sender in ("client", "server"):
        talk = exchanges(Talk(), 1) if sender == "server" else Talk().open()
        for piece in filter(None, said):
            talk.client(piece)
        talk.server(answer)
        talk.client(GET % 2)
        talk.server(answer)
        talk.close()
        check(talk.tape.packets)


def test_an_answer_before_the_question() -> None:
    talk = Talk().open()
    talk.server(ANSWER)
    talk.client(GET % 0)
    talk.close()
    assert check(talk.tape.packets) == 0


def test_a_syn_that_is_unusual() -> None:
    for change in (with_options(b"\x13\x12" + bytes(18)), BESIDE["more content"]):
        given = usual().tape.packets
        assert check([rewritten(given[0], change), *given[1:]]) == 0


def test_an_answer_that_echoes_another_time() -> None:
    given = usual().tape.packets
    sent, echoed = with_options(TIMESTAMPS + b"\0\0\0\2" + bytes(4)), bytes(4) + b"\0\0\0\1"
    frames = [rewritten(packet, sent) for packet in given]
    frames[1] = rewritten(given[1], with_options(TIMESTAMPS + echoed))
    assert check(frames) == 0


@pytest.mark.parametrize("is_open", [False, True])
def test_a_connection_of_an_address_with_itself(is_open: bool) -> None:
    """Linux makes some (a client that is given the port that it asks for), attackers others: both
    directions have the same key."""
    talk = Talk(client_port=8_000, server_port=8_000)
    if is_open:
        exchanges(talk).close()
    else:
        talk.segment("client", flags=SYN)
    usual(tape=talk.tape)
    assert check(talk.tape.packets) > 0
    (own, _) = [one for one in decoded(talk.tape.packets) if isinstance(one, ConnectionRecord)]
    assert own.client == own.server == "127.0.0.1:8000"


def test_a_handshake_that_begins_with_the_last_number() -> None:
    """Its SYN, ACK acknowledges 0, which the other layers take for nothing."""
    talk = usual(client_isn=0xFFFFFFFF)
    assert check(talk.tape.packets) == 0


def test_ports_that_are_used_again() -> None:
    tape = Tape()
    for isn in (1_000, 1_000, 90_000):
        usual(tape=tape, client_isn=isn)
    assert check(tape.packets) == len(tape.packets) // 3


# --- bounds ---


@pytest.mark.parametrize(
    ("bound", "value", "done"),
    [("MAX_SHORT_PACKETS", 9, 0), ("MAX_SHORT_BYTES", 500, 0), ("MAX_SHORT_CONNECTIONS", 1, 14)],
)
def test_long_ones_and_too_many(
    monkeypatch: pytest.MonkeyPatch, bound: str, value: int, done: int
) -> None:
    monkeypatch.setattr(limits, bound, value)
    both = [usual(client_port=port).tape.packets for port in (40_000, 40_001)]
    in_turn = [packet for pair in zip(*both, strict=True) for packet in pair]
    assert check(numbered(in_turn)) == done


@pytest.mark.parametrize("most", [1, 2, 3, 4])
def test_more_connections_than_may_be_open(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """The oldest is closed whoever follows it."""
    monkeypatch.setattr(limits, "MAX_CONNECTIONS", most)
    tape = Tape()
    for port in range(6):
        talk = Talk(tape, client_port=40_000 + port).open()
        talk.client(GET % 0 if port % 3 else b"something else")
    check(tape.packets)


def test_closed_ones_are_forgotten_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late packets are of a connection as long as it is remembered, then begin another one."""
    monkeypatch.setattr(limits, "MAX_CLOSED_CONNECTIONS", 2)
    tape = Tape()
    talks = []
    for port in range(5):
        talks.append(usual(tape=tape, client_port=40_000 + port))
        for talk in talks[::2]:
            talk.ack("client")
    check(tape.packets)


def test_memory_that_is_spent() -> None:
    tape = Tape()
    for port in range(60):
        talk = Talk(tape, client_port=40_000 + port).open()
        talk.client(GET % 0)
    for memory in (200_000, 1_000_000, None):
        assert _in_batches(tape, memory) == _in_batches(tape, memory, leaves=True)


def _in_batches(tape: Tape, memory: int | None, *, leaves: bool = False) -> list[Record]:
    with pytest.MonkeyPatch.context() as patch:
        if leaves:
            patch.setattr(FastConnections, "receive", leave)
        decoder = PacketDecoder(memory=memory)
        records: list[Record] = []
        for start in range(0, len(tape.packets), 20):
            records += decoder.receive(tape.packets[start : start + 20])
        assert decoder.held <= decoder.memory_limit
        return records + decoder.finish()


def test_a_server_whose_connections_end_elsewhere_is_tried_with_few() -> None:
    """And with all again once they end here."""
    tape = Tape()

    def tried(count: int, answer: bytes) -> int:
        before = len(tape.packets)
        for _ in range(count):
            port = 10_000 + len(tape.packets)
            exchanges(Talk(tape, client_port=port), 1, answer=answer).close()
        begun.clear()
        decoder.receive(tape.packets[before:])
        return len(begun)

    begun: list[int] = []
    begin = FastConnections._begin

    def counting(self: FastConnections, *segment: Any) -> list[Record] | None:
        found = begin(self, *segment)
        begun.extend([1] * (found is not None))
        return found

    decoder = PacketDecoder()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FastConnections, "_begin", counting)
        assert tried(40, EVENTS) == 32
        assert tried(160, EVENTS) == 9
        assert tried(200, ANSWER) == 199
        assert tried(100, ANSWER) == 100


def test_credit_is_kept_for_few_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_KNOWN_ADDRESSES", 2)
    tape = Tape()
    for port in range(8_000, 8_006):
        usual(tape=tape, server_port=port)
    assert check(tape.packets) == len(tape.packets)


# --- beside others ---


def test_an_open_one_is_asked_for() -> None:
    talk = exchanges(Talk())
    key = packed("127.0.0.1") * 2 + pack("!HH", 40_000, 8_000)
    for asked_first in (True, False):
        decoder = PacketDecoder()
        decoder.receive(talk.tape.packets)
        assert decoder.connection_of(key) == 0
        found = decoder.connection(0) if asked_first else None
        assert decoder.connection(1) is None
        assert decoder.expire(EPOCH_NS) == []
        assert found is None or found.packets == len(talk.tape.packets)
        gone = decoder.expire(EPOCH_NS + MAX_SILENCE + 60 * 10**9)
        assert kinds(gone) == ["tcp-connection-silent", "connection"]
        assert decoder.connection_of(key) is None


def test_late_packets_of_a_closed_one_are_its_own() -> None:
    talk = usual()
    key = packed("127.0.0.1") * 2 + pack("!HH", 40_000, 8_000)
    decoder = PacketDecoder()
    decoder.receive(talk.tape.packets)
    assert decoder.connection_of(key) == 0
    talk.ack("client")
    assert decoder.receive(talk.tape.packets[-1:]) == []
    assert decoder.connection_of(key) == 0


def icmp_error(frame: bytes) -> bytes:
    """Port unreachable, about the packet in an Ethernet frame."""
    return ipv4(b"\3\3\0\0\0\0\0\0" + frame[14:], protocol=1)


def test_an_error_of_the_network() -> None:
    """About a packet of an open one, and of a closed one."""
    given = usual().tape.packets
    for index in range(len(given)):
        number, time_ns, link_type, _, data = given[index]
        error = icmp_error(data)
        said: Packet = number, time_ns, link_type, len(error), error
        check(numbered([*given[: index + 1], said, *given[index + 1 :]]))
        check(numbered([*given, said]))


def test_a_header_that_is_not_whole() -> None:
    given = usual().tape.packets
    short = ipv4(tcp(40_000, 8_000, PSH | ACK)[:12])
    for index in range(len(given)):
        said: Packet = 1, 1, 1, len(short), short
        check(numbered([*given[:index], said, *given[index:]]))


@pytest.mark.parametrize("stored", SMALL, ids=name)
def test_the_stored_captures(stored: Path) -> None:
    check(packets(stored))


@pytest.mark.parametrize("seed", range(20))
def test_mixtures(seed: int) -> None:
    """Packets of several captures in turn, some of them lost, sent twice, late or damaged."""
    chosen = random.Random(seed)
    short = [
        usual(client_port=port, client_isn=port).tape.packets for port in range(40_000, 40_012)
    ]
    mixed = mixture(chosen, [*short, *map(packets, chosen.sample(SMALL, 2))])
    _, done = short_and_not(mixed, batch=chosen.choice([1, 13, 200, 1 << 30]))
    assert done


@pytest.mark.parametrize("window", [200, 2_000, 65_535])
@pytest.mark.parametrize("size", [2, 700, 3_000])
@pytest.mark.parametrize("pause", [1, 20])
def test_answers_that_wait_for_an_acknowledgement(window: int, size: int, pause: int) -> None:
    """Whatever is under way when a pause ends is noted elsewhere, and the same."""

    def told(data: bytearray) -> bytearray:
        data[48:50] = window.to_bytes(2, "big")
        return data

    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, bytes(size))
    talk = exchanges(Talk(), answer=answer)
    talk.close()
    given = given_later([rewritten(packet, told) for packet in talk.tape.packets], pause)
    check(given)
    found = decoded(given)
    (connection,) = (one for one in found if isinstance(one, ConnectionRecord))
    is_full = size > 2 * 536 or window < 2 * size
    assert bool(connection.ack_waits) is (pause > 10 and is_full)


def given_later(given: list[Packet], pause: int) -> list[Packet]:
    """Each packet so many milliseconds after the one before."""
    return [(number, EPOCH_NS + number * pause * 1_000_000, *rest) for number, _, *rest in given]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("order", "waits"), [((0, 2, 1), 3), ((1, 0, 2), 3), ((0, 1), 3), ((2, 0, 1), 0), ((1, 2), 0)]
)
def test_windows_are_known_whenever_both_syns_have_come(order: tuple[int, ...], waits: int) -> None:
    """One that comes after what followed it is ignored."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + bytes(5_000)
    packets = exchanges(Talk(), 3, answer=answer).tape.packets
    given = given_later(numbered([*(packets[at] for at in order), *packets[3:]]), 20)
    check(given)
    (connection,) = (one for one in decoded(given) if isinstance(one, ConnectionRecord))
    assert len(connection.ack_waits) == waits


def test_who_asked_whom_is_said_with_the_request_if_that_is_wanted() -> None:
    for is_wanted in (False, True):
        decoder = PacketDecoder(wants=Wants(peers=is_wanted))
        records = decoder.receive(usual().tape.packets) + decoder.finish()
        connection = next(one for one in records if isinstance(one, ConnectionRecord))
        asked = [one for one in records if isinstance(one, RequestRecord)]
        expected = (connection.client, connection.server) if is_wanted else (None, None)
        assert [(one.client, one.server) for one in asked] == [expected] * 2
