"""TLS connections as records: what is known, what came when, and what is no TLS."""

from __future__ import annotations

import re
import subprocess
from base64 import b64decode
from functools import cache
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.corpus import tls_captures_at_hand, tls_vectors_at_hand
from support.cuts import at, byte_by_byte, events
from support.http1 import of
from support.talk import Side, Talk, decoded, kinds, without_packets
from support.tls import (
    CLOSE_NOTIFY,
    HELLO,
    NAME,
    TLS13,
    handshake_by_ssl,
    record,
    sealed,
    server_hello,
)

from parsers import Connection, PacketDecoder
from parsers.decode.capture import decode
from parsers.records import (
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    TlsConnectionRecord,
    TlsRecordRecord,
)
from parsers.tls.side import TlsSideDecoder

HAVE_KEYS = ("tls13-dsb-before", "tls13-dsb-end")
"""Vectors with secrets in the file: they are decrypted (test_tls_plaintext)."""
MIDSTREAM = ("tls13-midstream", "tls12-midstream")
"""Vectors without a hello: that it is TLS, their records alone say."""
LOST = re.compile("h3_|.*_(lost|midstream)$")
WHOLE = [path for path in tls_captures_at_hand() if not LOST.match(path.stem)]
"""Captures over TCP of which nothing is missing: tshark loses records after a lost packet."""
AT_HAND = {one["id"]: one for one in tls_vectors_at_hand()}
VECTORS = {name: one for name, one in AT_HAND.items() if name not in MIDSTREAM + HAVE_KEYS}
PADDED = "tls13-padded-256"
CONNECT = b"CONNECT example:443 HTTP/1.1\r\n\r\n"
ESTABLISHED = b"HTTP/1.1 200 OK\r\n\r\n"


def told(lines: list[tuple[Side, bytes]], step: int = 1 << 30) -> Talk:
    talk = Talk().open()
    for sender, data in lines:
        for start in range(0, len(data), step):
            talk.segment(sender, data[start : start + step])
    talk.close()
    return talk


def shown(talk: Talk) -> list[Record]:
    """The records, with those of TLS."""
    decoder = PacketDecoder(shows_records=True)
    return decoder.receive(talk.tape.packets) + decoder.finish()


@cache
def captured(name: str) -> bytes:
    return b64decode(VECTORS[name]["pcap_b64"])


def only(records: list[Record]) -> TlsConnectionRecord:
    """The record of the last connection with TLS."""
    return of(TlsConnectionRecord, records)[-1]


# --- the vectors ---


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector(name: str) -> None:
    expected = VECTORS[name]["expect"]
    records = list(decode(BytesIO(captured(name))))
    found = only(records)
    for key in ("version", "cipher", "sni"):
        assert getattr(found, key) == expected[key], key
    assert found.resumed == expected.get("resumed", found.resumed)
    assert found.alpn == (None if found.version == "TLSv1.3" else expected["alpn"])
    assert (found.decrypted, found.reason) == ("no", "no keys")
    if found.version == "TLSv1.3" and found.sni is not None and expected["alpn"] is not None:
        assert expected["alpn"] in found.alpn_offered
    assert found.early_data in (None, "early_data_bytes" in expected)
    for sender, said in expected.get("close_notify", {}).items():
        assert getattr(found, f"{sender}_close_notify") in (None, said)
        if said is not None and name != PADDED:
            assert getattr(found, f"{sender}_ends_with_alert") is said
    if (alert := expected.get("alert")) is not None:
        assert found.alert is not None
        assert (found.alert["sender"], found.alert["description"]) == (
            alert["from"], alert["description"],
        )  # fmt: skip
    codes = {fault.code for fault in of(DiagnosticRecord, records)}
    assert codes <= {"tls-resynchronised", "tls-alert-fatal", "packets-captured-twice"}


@pytest.mark.parametrize("name", [name for name in AT_HAND if name in MIDSTREAM])
def test_a_vector_that_was_joined(name: str) -> None:
    records = list(decode(BytesIO(b64decode(AT_HAND[name]["pcap_b64"])), shows_records=True))
    found = only(records)
    assert (found.version, found.cipher, found.decrypted) == (None, None, "no")
    assert found.server_records == len(of(TlsRecordRecord, records)) - found.client_records > 0
    assert [fault.code for fault in of(DiagnosticRecord, records)] == ["stream-joined"]


class Kept:
    """A receiver that keeps what a side sent, and the lengths of what is missing."""

    def __init__(self) -> None:
        self.parts: list[bytes | int] = []
        self.open_offsets: tuple[int, ...] = (0,)

    def receive_data(self, data: bytes) -> list[Record]:
        self.parts.append(data)
        return []

    def receive_gap(self, length: int) -> list[Record]:
        self.parts.append(length)
        return []

    def receive_fault(self, fault: Any, shown: Any) -> list[Record]:
        return []

    def receive_eof(self, ending: Any) -> list[Record]:
        return []


@cache
def sides(name: str) -> list[list[bytes | int]]:
    """What both sides of a vector's connections sent."""
    kept: list[Kept] = []

    def tap(connection: Connection[Record]) -> tuple[Kept, Kept]:
        kept.extend((Kept(), Kept()))
        return kept[-2], kept[-1]

    from parsers import CaptureReader

    decoder = PacketDecoder(tap=tap)
    decoder.receive(list(CaptureReader(BytesIO(captured(name)))))
    decoder.finish()
    return [one.parts for one in kept]


def read(parts: list[bytes | int], split: Any = None) -> list[Any]:
    decoder, found = TlsSideDecoder(), []
    for part in parts:
        if isinstance(part, int):
            found += decoder.receive_gap(part)
        elif split is None:
            found += decoder.receive_data(part)
        else:
            found += events(decoder, part, split, eof=False)
    return found + decoder.receive_eof()


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_byte_by_byte(name: str) -> None:
    for parts in sides(name):
        assert read(parts, byte_by_byte) == read(parts)


@pytest.mark.skipif(not VECTORS, reason="no vectors of TLS at hand: WIREPROOF_TLS names the folder")
@given(st.data())
def test_a_vector_cut_anywhere(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(VECTORS)))
    cuts = data.draw(st.sets(st.integers(0, 4000), max_size=20))
    for parts in sides(name):
        assert read(parts, at(cuts)) == read(parts)


# --- captures ---


@pytest.mark.parametrize("path", tls_captures_at_hand(), ids=lambda path: path.stem)
def test_captures_beside_themselves(path: Path) -> None:
    """Records with and without those of TLS and QUIC are the same, and each count is right."""
    with path.open("rb") as stream:
        records = list(decode(stream, shows_records=True))
    with path.open("rb") as stream:
        shown = ("tls_record", "quic_packet")
        assert [one for one in records if one.record not in shown] == list(decode(stream))
    protocols = {one.connection: one.protocol for one in of(ConnectionRecord, records)}
    for tls in of(TlsConnectionRecord, records):
        if tls.layer == "quic":  # without records of TLS
            continue
        assert protocols[tls.connection] == "tls"
        own = [one for one in of(TlsRecordRecord, records) if one.connection == tls.connection]
        assert tls.client_records == sum(one.sender == "client" for one in own)
        assert tls.server_records == sum(one.sender == "server" for one in own)
        assert all(one.length == one.size + 5 and one.decrypted == "no" for one in own)


@pytest.mark.tshark
@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_captures_beside_tshark(path: Path) -> None:
    """Server names, and sizes of records."""
    with path.open("rb") as stream:
        records = list(decode(stream, shows_records=True))
    found = of(TlsConnectionRecord, records)
    command = ["tshark", "-n", "-r", str(path), "-Y", "tls && tcp", "-T", "fields"]
    command += ["-o", "tls.keylog_file:", "-o", "tcp.reassemble_out_of_order:TRUE"]
    command += ["-e", "frame.number", "-e", "tls.handshake.extensions_server_name"]
    command += ["-e", "tls.record.length"]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in theirs.splitlines()]
    assert {name for _, name, _ in rows if name} == {tls.sni for tls in found if tls.sni}
    lengths = [int(size) for *_, sizes in rows for size in sizes.split(",") if size]
    ours = [one.size for one in of(TlsRecordRecord, records)]
    assert sorted(ours) == sorted(lengths)


# --- by hand ---


def test_a_connection() -> None:
    records = shown(told(TLS13))
    found = only(records)
    assert (found.version, found.sni, found.cipher) == ("TLSv1.3", NAME, "TLS_AES_256_GCM_SHA384")
    assert (found.alpn, found.alpn_offered) == (None, ["h2", "http/1.1"])
    assert (found.exchange, found.sender, found.offset, found.length) == (None, None, None, None)
    (connection,) = of(ConnectionRecord, records)
    assert (found.first_packet, found.last_packet) == (4, connection.last_packet)
    assert kinds(records)[-2:] == ["tls", "connection"]
    times = {one.first_packet: one.last_time for one in of(TlsRecordRecord, records)}
    assert (found.client_hello_time, found.server_hello_time) == (times[4], times[5])
    assert (found.client_finished_time, found.server_finished_time) == (times[6], None)


def test_its_records() -> None:
    found = of(TlsRecordRecord, shown(told(TLS13)))
    assert [(one.sender, one.first_packet, one.type, one.size) for one in found[:6]] == [
        ("client", 4, "handshake", len(HELLO)),
        ("server", 5, "handshake", len(server_hello()) + 2 + 4 + 2),
        ("server", 5, "change_cipher_spec", 1),
        ("server", 5, "application_data", 40),
        ("server", 5, "application_data", 900),
        ("client", 6, "change_cipher_spec", 1),
    ]
    assert [one.offset for one in found if one.sender == "client"][:3] == [
        0, len(HELLO) + 5, len(HELLO) + 11,
    ]  # fmt: skip


@pytest.mark.parametrize("step", [1, 7, 50])
def test_however_it_is_cut(step: int) -> None:
    whole, cut = (
        [without_packets(one) for one in sorted(shown(told(TLS13, size)), key=repr_of_place)]
        for size in (1 << 30, step)
    )
    assert whole == cut
    talk = told(TLS13, step)
    in_batches = decoded(talk.tape.packets, batch=3)
    assert in_batches == talk.tape.records() == decoded(talk.tape.packets, general=True)


def repr_of_place(one: Record) -> tuple[str, str, int]:
    return one.record, getattr(one, "sender", None) or "", getattr(one, "offset", None) or 0


def test_python_s_own_tls() -> None:
    lines, client = handshake_by_ssl()
    found = only(told(lines).tape.records())
    assert (found.version, found.sni) == (client.version(), NAME)
    assert found.cipher == "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"
    assert (found.alpn, found.alpn_offered) == ("http/1.1", ["h2", "http/1.1"])
    assert found.alpn == client.selected_alpn_protocol()
    assert (found.resumed, found.alert) == (False, None)
    assert (found.client_ends_with_alert, found.server_ends_with_alert) == (True, True)
    assert found.client_finished_time is not None
    assert found.server_finished_time is not None


def test_a_fatal_alert_is_said() -> None:
    talk = told([("client", record(22, HELLO)), ("server", record(21, b"\x02\x78"))])
    records = talk.tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.first_packet, fault.sender) == ("tls-alert-fatal", 5, "server")
    assert fault.summary.endswith("no_application_protocol, from the server")
    alert = only(records).alert
    assert alert is not None
    assert (alert["name"], alert["level"], alert["packet"]) == (
        "no_application_protocol", "fatal", 5,
    )  # fmt: skip


def test_a_warning_is_none() -> None:
    records = told([("client", record(22, HELLO) + CLOSE_NOTIFY)]).tape.records()
    assert kinds(records) == ["tls", "connection"]
    assert only(records).client_close_notify is True


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"SSH-2.0-OpenSSH_9\r\n", "tls-record-invalid"),
        (b"\x17\x03\x03\x70\x00" + bytes(20), "tls-record-too-long"),
        (record(22, server_hello((43, b"\x03"))), "tls-hello-invalid"),
    ],
)
def test_an_answer_that_is_no_tls(answer: bytes, code: str) -> None:
    records = told([("client", record(22, HELLO)), ("server", answer)]).tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.sender, fault.first_packet) == (code, "server", 5)
    assert only(records).version is None


def test_a_hello_that_is_too_long() -> None:
    hello = HELLO[:1] + (200_000).to_bytes(3) + HELLO[4:] + bytes(200_000 - len(HELLO) + 4)
    pieces = [record(22, hello[at : at + 16_000]) for at in range(0, len(hello), 16_000)]
    records = told([("client", piece) for piece in pieces]).tape.records()
    (fault,) = of(DiagnosticRecord, records)
    assert (fault.code, fault.first_packet, fault.last_packet) == ("tls-hello-limit", 4, 16)
    assert only(records).sni is None


@pytest.mark.parametrize("lost", range(1, 6))
def test_a_lost_packet_costs_what_it_held(lost: int) -> None:
    """Records go on with the next one; what was agreed on before stays known."""
    talk = Talk().open()
    for sender, data in TLS13[:4]:
        talk.segment(sender, data)
    for number in range(8):
        if number == lost:
            talk.lose("server", 45)
        else:
            talk.server(sealed(40, number))
    talk.close()
    records = shown(talk)
    assert [(gap.length, gap.sender) for gap in of(GapRecord, records)] == [(45, "server")]
    sizes = [
        one.size for one in of(TlsRecordRecord, records)
        if one.sender == "server" and one.type == "application_data"
    ]  # fmt: skip
    assert sizes == [40, 900] + [40] * 7
    assert [fault.code for fault in of(DiagnosticRecord, records)] == ["tls-resynchronised"]
    assert only(records).sni == NAME


def test_one_direction_alone() -> None:
    talk = Talk().open()
    for sender, data in TLS13:
        (talk.client if sender == "client" else lambda data: talk.lose("server", len(data)))(data)
    records = talk.tape.records()
    found = only(records)
    assert (found.sni, found.version, found.server_records) == (NAME, None, 0)


def test_in_a_tunnel() -> None:
    """Its rows stay, and its record is of the exchange that asked for the tunnel."""
    records = shown(told([("client", CONNECT), ("server", ESTABLISHED), *TLS13]))
    found = only(records)
    assert (found.exchange, found.sni, found.first_packet) == (0, NAME, 6)
    assert {one.exchange for one in of(TlsRecordRecord, records)} == {0}
    assert of(TlsRecordRecord, records)[0].offset == len(CONNECT)
    assert sum(run.size for run in of(DataRecord, records)) == sum(len(data) for _, data in TLS13)
    assert of(ConnectionRecord, records)[0].protocol == "tls"


def test_after_starttls() -> None:
    lines: list[tuple[Side, bytes]] = [
        ("server", b"220 mail.example ESMTP\r\n"), ("client", b"STARTTLS\r\n"),
        ("server", b"220 go ahead\r\n"),
    ]  # fmt: skip
    found = only(told([*lines, *TLS13]).tape.records())
    assert (found.sni, found.version) == (NAME, "TLSv1.3")


@pytest.mark.parametrize(
    "lines",
    [
        [("client", b"\x16\x03\x01\x00\x05\x03hello")],
        [("client", b"\x80\x2e\x01\x03\x01" + bytes(41))],
        [("client", b"GET / HTTP/1.1\r\n\r\n"), ("server", b"HTTP/1.1 204 No\r\n\r\n")],
        [("client", sealed(40)), ("server", sealed(40))],
    ],
    ids=count(),
)
def test_what_only_looks_like_tls(lines: list[tuple[Side, bytes]]) -> None:
    records = told(lines).tape.records()
    assert not of(TlsConnectionRecord, records)
    assert of(ConnectionRecord, records)[0].protocol != "tls"


@given(st.lists(st.binary(max_size=200), max_size=6), st.integers(1, 99))
def test_any_bytes_after_hellos(pieces: list[bytes], step: int) -> None:
    lines = TLS13[:2] + [("client" if n % 2 else "server", one) for n, one in enumerate(pieces)]
    records = shown(told(lines, step))
    assert records[-1].record == "connection"
    assert only(records).sni == NAME
