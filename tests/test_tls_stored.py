"""The stored captures of TLS and HTTP/2 show what they are stored for, with their keys alone."""

from __future__ import annotations

import pytest

from fixtures.tls.handshakes import EVENTS, HANDSHAKES, Handshake
from fixtures.tls.record import STORED, Stored
from parsers import KeyLog, decode_stream
from parsers.records import (
    Record,
    RequestRecord,
    SseEventRecord,
    TlsConnectionRecord,
    TlsRecordRecord,
    WebSocketMessageRecord,
)
from server.http2.scenarios import http2_scenario
from wireproof import decode
from wireproof.tasks.http2_demo import shows

ENCRYPTED = [one for one in STORED if one.served.tls]
OF_TLS = {one.name: one for one in HANDSHAKES}
names = [one.name for one in STORED]


def records(one: Stored) -> list[Record]:
    return list(decode(one.path, keylog=one.keys if one.served.tls else None))


@pytest.mark.parametrize("one", STORED, ids=names)
def test_it_shows_what_it_is_stored_for(one: Stored) -> None:
    found = records(one)
    assert shows(http2_scenario(one.scenario), found)
    requests = [record for record in found if isinstance(record, RequestRecord)]
    assert {record.layer for record in requests} == {"tls" if one.served.tls else "tcp"}
    version = "HTTP/2" if one.served.http2 else "HTTP/1.1"
    assert {record.version for record in requests} == {version}


@pytest.mark.parametrize("one", ENCRYPTED, ids=[one.name for one in ENCRYPTED])
def test_without_its_keys_nothing_is_read(one: Stored) -> None:
    found = list(decode(one.path))
    assert not any(isinstance(record, RequestRecord) for record in found)
    (tls,) = (record for record in found if isinstance(record, TlsConnectionRecord))
    assert tls.decrypted == "no"
    (tls,) = (record for record in records(one) if isinstance(record, TlsConnectionRecord))
    assert tls.decrypted == "yes"


# --- what TLS itself can do ---


def opened(one: Handshake) -> tuple[list[Record], list[TlsConnectionRecord]]:
    found = list(decode(one.path, keylog=one.keys))
    said = [record for record in found if isinstance(record, TlsConnectionRecord)]
    assert {(tls.decrypted, tls.reason) for tls in said} == {("yes", None)}
    return found, said


@pytest.mark.parametrize("name", [name for name in OF_TLS if name != "wss"])
def test_a_stream_is_whole_whatever_its_handshake(name: str) -> None:
    found, said = opened(OF_TLS[name])
    events = [record.data for record in found if isinstance(record, SseEventRecord)]
    assert events == ["one", "two", "three"] * len(said)
    assert len(events) == len(EVENTS) * len(said)
    requests = [record for record in found if isinstance(record, RequestRecord)]
    assert [(one.target, one.layer) for one in requests] == [("/sse", "tls")] * len(said)


def test_early_data_is_the_request_of_a_resumed_session() -> None:
    found, said = opened(OF_TLS["early-data"])
    assert [(tls.resumed, tls.early_data) for tls in said] == [(False, False), (True, True)]
    (request,) = [one for one in found if isinstance(one, RequestRecord) if one.connection]
    assert said[1].client_finished_time is not None
    assert request.last_time < said[1].client_finished_time


def test_records_open_with_the_keys_after_an_update() -> None:
    one = OF_TLS["key-update"]
    lines = one.keys.read_text().splitlines(keepends=True)
    kept = [line for line in lines if "_TRAFFIC_SECRET_N " not in line]
    assert len(kept) == len(lines) - 2  # what OpenSSL logs of an update, and nothing needs
    keys = "".join(kept)
    found = list(decode_with(one, keys))
    assert [record.data for record in found if isinstance(record, SseEventRecord)] == [
        "one", "two", "three",
    ]  # fmt: skip


def test_a_certificate_of_the_client_is_opened() -> None:
    one = OF_TLS["client-certificate"]
    found = decode_with(one, one.keys.read_text(), shows_records=True)
    before = [
        record.content_size
        for record in found
        if isinstance(record, TlsRecordRecord) and record.sender == "client"
        if record.content_type == "handshake"
    ]
    certificate, verify, finished = before
    assert certificate > 300 > verify > finished  # RFC 8446 sections 4.4.2 to 4.4.4


def test_a_websocket_over_tls() -> None:
    found, _ = opened(OF_TLS["wss"])
    said = [one for one in found if isinstance(one, WebSocketMessageRecord)]
    assert [(one.sender, one.data, one.layer) for one in said] == [
        (sender, word, "tls") for word in ("one", "zwei", "三") for sender in ("client", "server")
    ]


def decode_with(one: Handshake, keys: str, *, shows_records: bool = False) -> list[Record]:
    log = KeyLog()
    log.read(keys.encode())
    with one.path.open("rb") as stream:
        return list(decode_stream(stream, keylog=log, shows_records=shows_records))
