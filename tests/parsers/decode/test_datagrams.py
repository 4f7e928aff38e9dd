"""Datagrams of a capture: QUIC connections by their packets, their memory, and how they end."""

from __future__ import annotations

import pytest
from support.frames import ipv4, udp
from support.quic import OK, Talk, close, data, dialogue, stream

from parsers.decode.packets import PacketDecoder
from parsers.files.packets import Packet
from parsers.limits import MAX_SILENCE
from parsers.provenance import Completion, Ending
from parsers.quic.streams import QuicStream
from parsers.records import (
    FIRST_QUIC_CONNECTION,
    ConnectionRecord,
    DiagnosticRecord,
    QuicPacketRecord,
    QuicRecord,
    Record,
    Sender,
    SseEventRecord,
)

MiB = 1 << 20
CLIENT, SERVER = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2))
PORTS = (50_000).to_bytes(2), (443).to_bytes(2)


def only(records: list[Record], kind: type) -> list:  # type: ignore[type-arg]
    return [record for record in records if type(record) is kind]


def decoded(packets: list[Packet], talk: Talk, **options: object) -> list[Record]:
    decoder = PacketDecoder(keys=talk.keys, **options)  # type: ignore[arg-type]
    return decoder.receive(packets) + decoder.finish()


@pytest.mark.parametrize("captured", [0, 1, 7])
def test_a_datagram_that_is_cut_in_its_header_is_of_nothing(captured: int) -> None:
    talk = dialogue()
    frame = ipv4(udp(443, 50_000, bytes(40)), 17, source="10.0.0.2", destination="10.0.0.1")
    number = len(talk.packets) + 1
    cut = (number, talk.packets[-1][1], 1, len(frame), frame[: 14 + 20 + captured])
    assert decoded([*talk.packets, cut], talk) == decoded(talk.packets, talk)


def test_an_open_connection_is_known_by_its_number_and_by_its_packets() -> None:
    talk = dialogue()
    decoder = PacketDecoder(keys=talk.keys)
    key = CLIENT + SERVER + PORTS[0] + PORTS[1]
    back = SERVER + CLIENT + PORTS[1] + PORTS[0]
    other = ipv4(udp(53, 53, b"no QUIC at all"), 17)
    decoder.receive([(1, talk.packets[0][1], 1, len(other), other)])
    assert decoder.connection_of(key) is None
    assert decoder.connection(FIRST_QUIC_CONNECTION) is None
    decoder.receive(talk.packets[:-1])
    assert decoder.connection_of(key) == decoder.connection_of(back) == FIRST_QUIC_CONNECTION
    assert decoder.connection_of(key[:-1] + b"\0") is None
    known = decoder.connection(FIRST_QUIC_CONNECTION)
    assert known is not None
    assert (known.client, known.close, known.packets) == ("10.0.0.1:50000", "open", 9)
    decoder.receive(talk.packets[-1:])
    decoder.finish()
    assert decoder.connection(FIRST_QUIC_CONNECTION) is None


def test_a_silent_connection_expires_where_a_capture_has_no_end() -> None:
    talk = dialogue()
    decoder = PacketDecoder(keys=talk.keys)
    before = decoder.receive(talk.packets[:-1])
    last = talk.packets[-2][1]
    assert last is not None
    assert decoder.expire(last + 1) == []
    found = decoder.expire(last + 2 * MAX_SILENCE)
    assert [one.close for one in only(found, ConnectionRecord)] == ["open"]
    assert only(before, ConnectionRecord) == decoder.finish() == []


def holding(port: int, size: int) -> Talk:
    """A connection whose answer waits for its first bytes, with so many after them."""
    talk = Talk(ports=(port, 443), client_id=b"client02", destination=b"chosen-2")
    talk.shake_hands()
    talk.settle()
    talk.ask()
    content = data(b"x" * size)
    for start in range(0, len(content), 50_000):
        talk.say("server", stream(0, len(OK) + start, content[start : start + 50_000]))
    return talk


def test_of_few_connections_that_which_holds_most_is_let_go() -> None:
    large, small = holding(50_000, MiB), dialogue(talk=Talk(ports=(50_001, 443)))
    packets = [*small.packets[:-3], *large.packets, *small.packets[-3:]]
    packets = [(number, *packet[1:]) for number, packet in enumerate(packets, 1)]
    decoder = PacketDecoder(keys=small.keys, memory=MiB)
    records = [one for packet in packets for one in decoder.receive([packet])] + decoder.finish()
    said = [one for one in only(records, DiagnosticRecord) if one.code == "memory-limit"]
    assert [one.connection for one in said] == [FIRST_QUIC_CONNECTION + 1]
    assert "bytes are held for it" in said[0].summary
    assert [one.data for one in only(records, SseEventRecord)] == ["one", "two"]
    assert len(only(records, ConnectionRecord)) == 2


def test_packets_are_shown_where_that_is_asked() -> None:
    talk = dialogue()
    rows = only(decoded(talk.packets, talk, shows_records=True), QuicPacketRecord)
    assert [(one.last_packet, one.sender, one.type, one.decrypted) for one in rows[:4]] == [
        (1, "client", "initial", "yes"), (2, "server", "initial", "yes"),
        (2, "server", "handshake", "yes"), (3, "client", "handshake", "yes"),
    ]  # fmt: skip
    assert only(decoded(talk.packets, talk), QuicPacketRecord) == []
    without = Talk()
    without.secrets = {}
    sealed = only(decoded(talk.packets, without, shows_records=True), QuicPacketRecord)
    assert [one.decrypted for one in sealed[:3]] == ["yes", "yes", "no"]


@pytest.mark.parametrize(
    ("error", "name"), [(0x0A, "PROTOCOL_VIOLATION"), (0x99, "0x99"), (0x128, "CRYPTO_ERROR")]
)
def test_the_name_of_the_code_that_a_transport_was_closed_with(error: int, name: str) -> None:
    talk = dialogue()
    talk.packets.pop()
    talk.say("server", close(error, is_application=False))
    (quic,) = only(decoded(talk.packets, talk), QuicRecord)
    assert quic.closed is not None
    assert str(quic.closed["error_code"]).startswith(name)


class Ear:
    """Keeps what it hears."""

    open_offsets: tuple[int, ...] = ()

    def __init__(self) -> None:
        self.heard = b""
        self.endings: list[Ending] = []

    def receive_data(self, data: bytes) -> list[Record]:
        self.heard += data
        return []

    def receive_gap(self, length: int) -> list[Record]:
        raise AssertionError

    def receive_fault(self, fault: object, shown: Completion) -> list[Record]:
        raise AssertionError

    def receive_eof(self, ending: Ending) -> list[Record]:
        self.endings.append(ending)
        return []


def test_who_listens_to_a_stream_gets_all_of_it_and_changes_nothing() -> None:
    talk, ears = dialogue(), dict[tuple[str, int], Ear]()

    def tap(number: int, sender: Sender, stream_id: int, _: QuicStream[Record]) -> Ear | None:
        assert number == FIRST_QUIC_CONNECTION
        if stream_id & 2:
            return None
        return ears.setdefault((sender, stream_id), Ear())

    assert decoded(talk.packets, talk, quic_tap=tap) == decoded(talk.packets, talk)
    assert set(ears) == {("client", 0), ("server", 0)}
    assert ears["server", 0].heard == OK + data(b"data: one\n\n") + data(b"data: two\n\n")
    assert ears["server", 0].endings == ["close"]
