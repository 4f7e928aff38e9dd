"""TLS that is decrypted: the vectors, captures of real servers, and Python's ssl as a witness."""

from __future__ import annotations

import json
import ssl
from base64 import b64decode
from functools import cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.corpus import tls_captures_at_hand, tls_vectors_at_hand
from support.http1 import of
from support.http2 import SETTINGS, SETTINGS_ACK, Speaker
from support.http2 import data as data_frame
from support.talk import Side, Talk
from support.tls_live import dialogue

from parsers import KeyLog, PacketDecoder
from parsers.decode import tls, tls_plaintext
from parsers.decode.capture import decode
from parsers.http2.elements import PREFACE
from parsers.limits import MAX_TLS_BACKLOG
from parsers.records import (
    BodyRecord,
    ConnectionRecord,
    DiagnosticRecord,
    GapRecord,
    Record,
    RequestRecord,
    SseEventRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
)

VECTORS = {one["id"]: one for one in tls_vectors_at_hand()}
CAPTURES = [
    path
    for path in tls_captures_at_hand()
    if not path.stem.startswith("h3_") and path.with_suffix(".keys").exists()
]
NOT_WHOLE = ("nginx_h2_sse_lost", "hypercorn_mux20_midstream")
REQUEST = b"GET /sse HTTP/1.1\r\nHost: api.example.test\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
EVENTS = [b"data: %d\n\n" % number for number in range(6)]
CHUNKS = [b"%x\r\n%b\r\n" % (len(event), event) for event in EVENTS]
LINES: list[tuple[Side, bytes]] = [
    ("client", REQUEST),
    ("server", HEAD),
    *[("server", chunk) for chunk in CHUNKS],
    ("server", b"0\r\n\r\n"),
]
HEADERS = 54
"""Bytes before the payload: Ethernet, IPv4 and TCP."""
NEWER = ssl.TLSVersion.TLSv1_3
OLDER = ssl.TLSVersion.TLSv1_2
KINDS = {
    "tls13": {"version": NEWER},
    "tls12-gcm": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"},
    "tls12-gcm-384": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384"},
    "tls12-chacha": {"version": OLDER, "ciphers": "ECDHE-ECDSA-CHACHA20-POLY1305"},
    "tls12-ccm": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES128-CCM"},
    "tls12-ccm8": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0"},
    "tls12-cbc": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES256-SHA384"},
    "tls12-cbc-sha": {"version": OLDER, "ciphers": "ECDHE-ECDSA-AES128-SHA"},
}


def held(text: bytes) -> KeyLog:
    keys = KeyLog()
    keys.read(text)
    return keys


def read(file: bytes, keys: bytes | None = None, **options: Any) -> list[Record]:
    return list(decode(BytesIO(file), keylog=None if keys is None else held(keys), **options))


def only(records: list[Record]) -> TlsConnectionRecord:
    return of(TlsConnectionRecord, records)[-1]


# --- the vectors ---


class Source:
    """Keys without a capture, which may come later than what they open."""

    is_possible = True
    waiting = 0

    def __init__(self, log: KeyLog, *, waits: bool = False) -> None:
        self.log, self.waits = log, waits

    def refresh(self) -> bool:
        return False


class Taken:
    """What every stream of decrypted bytes was given: pieces, with gaps between them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pieces: dict[Side, list[bytes]] = {"client": [b""], "server": [b""]}
        take, skip = tls_plaintext.TlsPlaintext.receive, tls_plaintext.TlsStream.receive_gap
        data = tls_plaintext.TlsStream.receive_data
        self._sender: Side = "client"

        def receive(plaintext: Any, sender: Side, *rest: Any) -> list[Record]:
            self._sender = sender
            return take(plaintext, sender, *rest)

        def receive_data(stream: Any, content: bytes, *rest: Any) -> list[Record]:
            self.pieces[self._sender][-1] += content
            return data(stream, content, *rest)

        def receive_gap(*arguments: Any) -> list[Record]:
            self.pieces[self._sender].append(b"")
            return skip(*arguments)

        opened, run = tls_plaintext.TlsPlaintext.open_run, tls_plaintext.TlsStream.receive_run

        def open_run(plaintext: Any, writer: Any, *rest: Any) -> Any:
            self._sender = writer.sender
            return opened(plaintext, writer, *rest)

        def receive_run(stream: Any, contents: list[bytes], *rest: Any) -> list[Record]:
            self.pieces[self._sender][-1] += b"".join(contents)
            return run(stream, contents, *rest)

        monkeypatch.setattr(tls_plaintext.TlsPlaintext, "open_run", open_run)
        monkeypatch.setattr(tls_plaintext.TlsStream, "receive_run", receive_run)
        monkeypatch.setattr(tls_plaintext.TlsPlaintext, "receive", receive)
        monkeypatch.setattr(tls_plaintext.TlsStream, "receive_data", receive_data)
        monkeypatch.setattr(tls_plaintext.TlsStream, "receive_gap", receive_gap)


def summed(piece: bytes) -> tuple[str, int]:
    return sha256(piece).hexdigest(), len(piece)


def byte_by_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    take = tls.TlsSide.receive_data

    def receive_data(side: Any, data: bytes) -> list[Record]:
        return [one for place in range(len(data)) for one in take(side, data[place : place + 1])]

    monkeypatch.setattr(tls.TlsSide, "receive_data", receive_data)


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize("name", VECTORS)
def test_a_vector(name: str, is_cut: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    vector, taken = VECTORS[name], Taken(monkeypatch)
    if is_cut:
        byte_by_byte(monkeypatch)
    expected = vector["expect"]
    keys = vector["keylog"].encode() if vector["keylog"].strip() else None
    records = read(b64decode(vector["pcap_b64"]), keys)
    found = only(records)
    for key in ("version", "cipher", "sni", "alpn"):
        assert getattr(found, key) == expected.get(key, getattr(found, key)), key
    assert found.resumed in (None, expected.get("resumed", found.resumed))
    for sender, said in expected.get("close_notify", {}).items():
        assert getattr(found, f"{sender}_close_notify") is said
    sender: Side
    for sender in ("client", "server"):
        pieces = list(map(summed, filter(None, taken.pieces[sender])))
        whole = expected.get(sender)
        parts = expected.get(f"{sender}_pieces", [] if whole is None else [whole])
        assert pieces == [(one["sha256"], one["bytes"]) for one in parts if one["bytes"]]
    if expected["complete"]:
        assert (found.decrypted, found.reason) == ("yes", None)
    else:
        assert found.decrypted in ("no", "part")
        assert found.reason


# --- captures of real servers and clients ---


@cache
def captured(path: Path) -> list[Record]:
    return read(path.read_bytes(), path.with_suffix(".keys").read_bytes())


def bodies(records: list[Record]) -> list[tuple[int, str]]:
    found = of(BodyRecord, records)
    return [(one.decoded_size, one.sha256) for one in found if one.layer == "tls"]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_a_capture(path: Path) -> None:
    records = captured(path)
    truth = json.loads(path.with_name(f"{path.stem}.truth.json").read_text())
    is_whole = path.stem not in NOT_WHOLE
    assert all(
        one.decrypted == ("yes" if is_whole else "part") for one in of(TlsConnectionRecord, records)
    )
    received = bodies(records)
    for stream in truth["streams"] if is_whole else ():
        if stream.get("sha256") and stream["bytes"]:
            assert stream["sha256"] in [digest for _, digest in received]
    spoken = {one.protocol for one in of(ConnectionRecord, records)}
    assert spoken & {"http/1.1", "http/2"}
    assert "tls" not in spoken


def test_a_lost_packet_costs_the_event_that_it_held() -> None:
    (path,) = [path for path in CAPTURES if path.stem == "nginx_h2_sse_lost"] or [None]
    if path is None:
        pytest.skip("no captures with TLS at hand: WIREPROOF_TLS names their folder")
    gaps = [(one.layer, one.missing) for one in of(GapRecord, captured(path))]
    assert sorted(gaps) == [("tcp", 71), ("tls", 49)]
    events = [one for one in of(SseEventRecord, captured(path)) if one.layer == "tls"]
    upstream = [one for one in of(SseEventRecord, captured(path)) if one.layer == "tcp"]
    missing = [one for one in upstream if one.data not in [event.data for event in events]]
    assert len(missing) == 1


# --- Python's ssl ---


@pytest.mark.parametrize("step", [1 << 30, 7, 1])
@pytest.mark.parametrize("kind", KINDS)
def test_what_ssl_says(kind: str, step: int) -> None:
    said = dialogue(LINES, **KINDS[kind])
    records = read(said.talk(step).tape.file(), said.keys)
    assert [one.data for one in of(SseEventRecord, records)] == [str(n) for n in range(6)]
    assert [one.target for one in of(RequestRecord, records)] == ["/sse"]
    (body,) = of(BodyRecord, records)
    assert (body.complete, body.ended_by) == (True, "last-chunk")
    found = only(records)
    assert (found.decrypted, found.reason) == ("yes", None)
    assert (found.client_close_notify, found.server_close_notify) == (True, True)
    assert of(ConnectionRecord, records)[0].protocol == "http/1.1"
    assert {one.layer for one in of(SseEventRecord, records)} == {"tls"}


def shared(record: Record) -> tuple[object, ...]:
    """What a record says, but for packets, times, and what TLS may change."""
    body = [getattr(record, name, None) for name in ("size", "data", "complete", "ended_by")]
    place = getattr(record, "offset", None), getattr(record, "length", None)
    return record.record, *place, *body


def test_plain_and_encrypted_are_the_same() -> None:
    said, plain = dialogue(LINES), spoken(LINES).tape.file()
    expected = [shared(one) for one in read(plain) if one.record != "connection"]
    found = read(said.talk().tape.file(), said.keys)
    assert [shared(one) for one in found if one.record not in ("connection", "tls")] == expected


@pytest.mark.parametrize("kind", ["tls13", "tls12-gcm", "tls12-chacha", "tls12-cbc"])
@pytest.mark.parametrize("lost", range(3))
def test_a_lost_packet_costs_its_record_and_no_more(kind: str, lost: int) -> None:
    said = dialogue(LINES, **KINDS[kind])
    # Behind the events there are the last chunk, and with TLS both close_notify.
    found = without(said.talk(), -6 + lost, Source(held(said.keys)))
    plain = without(spoken(LINES), -4 + lost, None)
    events = [one.data for one in of(SseEventRecord, found)]
    assert events == [one.data for one in of(SseEventRecord, plain)]
    assert len(events) >= 3
    assert only(found).decrypted == "part"
    missing = [one.missing for one in of(GapRecord, found) if one.layer == "tls"]
    assert missing == [len(CHUNKS[0])] if kind != "tls12-cbc" else len(missing) == 1


def without(talk: Talk, lost: int, keys: Source | None) -> list[Record]:
    """The records if one of the packets with data is not in the capture."""
    with_data = [packet for packet in talk.tape.packets if len(packet[4]) > HEADERS]
    rest = [packet for packet in talk.tape.packets if packet is not with_data[lost]]
    decoder = PacketDecoder(keys=keys)
    return decoder.receive(rest) + decoder.finish()


def spoken(lines: list[tuple[Side, bytes]]) -> Talk:
    """The same dialogue without TLS."""
    plain = Talk().open()
    for sender, data in lines:
        plain.segment(sender, data)
    plain.close()
    return plain


def test_without_a_close_notify_a_body_may_have_been_cut() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    lines: list[tuple[Side, bytes]] = [("client", REQUEST), ("server", head + EVENTS[0])]
    said = dialogue(lines, ends=())
    records = read(said.talk().tape.file(), said.keys)
    (body,) = of(BodyRecord, records)
    assert (body.complete, body.ended_by) == (False, "close-notify-missing")
    (fault,) = [one for one in of(DiagnosticRecord, records) if one.code == "http-body-cut"]
    assert "no close_notify" in fault.summary
    assert only(records).server_close_notify is False
    said = dialogue(lines, ends=("server",))
    (body,) = of(BodyRecord, read(said.talk().tape.file(), said.keys))
    assert (body.complete, body.ended_by) == (True, "close")


def test_alpn_says_http2_before_its_preface() -> None:
    frame = b"\0\0\0\4\0\0\0\0\0"  # SETTINGS
    said = dialogue([("server", frame)], alpn=("h2",))
    records = read(said.talk().tape.file(), said.keys)
    assert only(records).alpn == "h2"
    assert of(ConnectionRecord, records)[0].protocol == "http/2"


def test_keys_of_another_connection_open_nothing() -> None:
    said, other = dialogue(LINES), dialogue(LINES)
    records = read(said.talk().tape.file(), other.keys)
    assert not of(SseEventRecord, records)
    found = only(records)
    assert (found.decrypted, found.reason) == ("no", "no keys for this connection")


def test_wrong_keys_open_nothing() -> None:
    said, other = dialogue(LINES), dialogue(LINES)
    random = said.keys.split()[said.keys.split().index(b"CLIENT_TRAFFIC_SECRET_0") + 1]
    wrong = b"\n".join(
        b" ".join((line.split()[0], random, line.split()[2]))
        for line in other.keys.splitlines()
        if not line.startswith(b"#")
    )
    records = read(said.talk().tape.file(), wrong)
    assert not of(SseEventRecord, records)
    assert not of(RequestRecord, records)
    assert only(records).decrypted == "no"


@pytest.mark.parametrize("forgotten", [b"HANDSHAKE", b"SERVER", b"CLIENT_TRAFFIC"])
def test_as_much_is_read_as_keys_are_there_for(forgotten: bytes) -> None:
    said = dialogue(LINES)
    keys = b"\n".join(line for line in said.keys.splitlines() if forgotten not in line)
    records = read(said.talk().tape.file(), keys)
    has_events = len(of(SseEventRecord, records)) == 6
    assert has_events is (forgotten != b"SERVER")
    assert only(records).reason


def test_rows_of_records_say_what_they_hold() -> None:
    said = dialogue(LINES)
    records = read(said.talk().tape.file(), said.keys, shows_records=True)
    rows = [
        (one.sender, one.type, one.decrypted, one.content_type, one.content_size)
        for one in of(TlsRecordRecord, records)
    ]
    sealed = "application_data"
    assert ("client", sealed, "yes", sealed, len(REQUEST)) in rows
    assert ("server", sealed, "yes", "alert", 2) in rows
    assert [row[3] for row in rows if row[2] == "yes"].count("handshake") >= 3
    assert rows[0][:2] + ("no", None, None) == ("client", "handshake", "no", None, None)


# --- late keys ---


def decoded_live(talk: Talk, keys: KeyLog, late: bytes, after: int) -> list[Record]:
    """The records if a key log gets its secrets only after so many packets."""
    decoder = PacketDecoder(keys=Source(keys, waits=True))
    records: list[Record] = []
    for number, packet in enumerate(talk.tape.packets):
        if number == after:
            keys.read(late)
        records += decoder.receive([packet])
    return records + decoder.finish()


@pytest.mark.parametrize("kind", ["tls13", "tls12-gcm"])
def test_keys_that_come_late_open_what_has_waited(kind: str) -> None:
    said = dialogue(LINES, **KINDS[kind])
    talk = said.talk()
    for after in range(0, len(talk.tape.packets) - 3, 3):
        records = decoded_live(talk, KeyLog(), said.keys, after)
        assert [one.data for one in of(SseEventRecord, records)] == list("012345"), after
        assert only(records).decrypted == "yes"


def test_what_waits_is_bounded() -> None:
    long: list[tuple[Side, bytes]] = [("client", b"x" * 10_000)] * (MAX_TLS_BACKLOG // 5_000)
    said = dialogue(long)
    talk = said.talk()
    records = decoded_live(talk, KeyLog(), said.keys, len(talk.tape.packets) - 4)
    found = only(records)
    assert found.decrypted == "part"
    assert found.reason


# --- hostile input ---

SAID = dialogue(LINES)
WIRE = {
    sender: b"".join(data for who, data in SAID.pieces if who == sender)
    for sender in ("client", "server")
}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_damage_never_shows_what_was_not_said(data: st.DataObject) -> None:
    pieces = [(sender, bytearray(piece)) for sender, piece in SAID.pieces]
    for _ in range(data.draw(st.integers(1, 4))):
        _, piece = pieces[data.draw(st.integers(0, len(pieces) - 1))]
        at = data.draw(st.integers(0, len(piece)))
        end = data.draw(st.integers(at, len(piece)))
        piece[at:end] = data.draw(st.binary(max_size=40))
    talk = Talk().open()
    for sender, piece in pieces:
        if piece:
            talk.segment(sender, bytes(piece))
    talk.close()
    records = read(talk.tape.file(), SAID.keys)
    assert {one.data for one in of(SseEventRecord, records)} <= set("012345")
    assert {one.target for one in of(RequestRecord, records)} <= {"/sse"}
    assert only(records).connection == 0 if of(TlsConnectionRecord, records) else True


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=60))))
def test_any_bytes_with_keys(rows: list[tuple[Side, bytes]]) -> None:
    talk = Talk().open()
    for sender, piece in SAID.pieces[:3]:
        talk.segment(sender, piece)
    for sender, data in rows:
        if data:
            talk.segment(sender, data)
    talk.close()
    read(talk.tape.file(), SAID.keys)


# --- the fast path ---


def by_the_textbook(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(side: Any, writer: Any, data: bytes, pos: int, offset: int) -> Any:
        return pos, [], [], None

    monkeypatch.setattr(tls_plaintext, "open_run", none)


@pytest.mark.parametrize("step", [1 << 30, 1_000, 70, 7])
@pytest.mark.parametrize("kind", KINDS)
def test_both_paths_find_the_same(kind: str, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said = dialogue([*LINES, *LINES], **KINDS[kind])
    file = said.talk(step).tape.file()
    fast = read(file, said.keys)
    by_the_textbook(monkeypatch)
    assert read(file, said.keys) == fast


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_both_paths_read_captures_alike(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = captured(path)
    by_the_textbook(monkeypatch)
    assert read(path.read_bytes(), path.with_suffix(".keys").read_bytes()) == found


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_rows_change_nothing_else(path: Path) -> None:
    rows = read(path.read_bytes(), path.with_suffix(".keys").read_bytes(), shows_records=True)
    assert [one for one in rows if one.record != "tls_record"] == captured(path)


# --- one dialogue, four ways ---


def http2_lines() -> list[tuple[Side, bytes]]:
    """What LINES say, in a stream of HTTP/2."""
    client, server = Speaker(), Speaker()
    asked = [(":method", "GET"), (":scheme", "https"), (":path", "/sse")]
    head = [(":status", "200"), ("content-type", "text/event-stream")]
    frames = [data_frame(1, event) for event in EVENTS]
    return [
        ("client", PREFACE + SETTINGS),
        ("server", SETTINGS + SETTINGS_ACK),
        ("client", SETTINGS_ACK + client.head(1, asked, ends=True)),
        ("server", server.head(1, head)),
        *[("server", one) for one in frames],
        ("server", data_frame(1, b"", ends=True)),
    ]


def essence(records: list[Record]) -> tuple[object, ...]:
    """What was asked, what came, and the digest of its body."""
    asked = [(one.exchange, one.method, one.target) for one in of(RequestRecord, records)]
    came = [(one.exchange, one.data, one.dispatched) for one in of(SseEventRecord, records)]
    ended = [
        (one.exchange, one.sha256, one.decoded_size, one.complete)
        for one in of(BodyRecord, records)
        if one.sender == "server"
    ]
    return asked, came, ended


@pytest.mark.parametrize("step", [1 << 30, 23, 1])
@pytest.mark.parametrize("lines", [LINES, http2_lines()], ids=["http1", "http2"])
def test_a_dialogue_is_the_same_plain_and_in_tls_of_either_http(
    lines: list[tuple[Side, bytes]], step: int
) -> None:
    expected = essence(read(spoken(LINES).tape.file()))
    assert essence(read(spoken(lines).tape.file())) == expected
    alpn = ("http/1.1",) if lines is LINES else ("h2",)
    said = dialogue(lines, alpn=alpn)
    assert essence(read(said.talk(step).tape.file(), said.keys)) == expected
