"""The records are the contract's: names and order of fields, and values that JSON can hold."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest
from support.stored import STORED, packets
from support.talk import decoded

from parsers import records
from parsers.records import (
    FIRST_QUIC_CONNECTION,
    Record,
    field_names,
    is_quic,
    text_or_base64,
)

KINDS: dict[str, type[Any]] = {kind.record: kind for kind in get_args(Record)}
SENT = (
    "exchange",
    "sender",
    "first_packet",
    "last_packet",
    "first_time",
    "last_time",
    "offset",
    "length",
)
CONTRACT = {
    "request": ("method", "target", "version", "headers", "framing", "codings"),
    "response": (
        *("version", "status", "reason", "headers", "framing"),
        *("codings", "transport"),
    ),
    "chunk": ("index", "size", "extension", "data", "encoding", "trailers", "content_offset"),
    "body": (
        *("size", "decoded_size", "content_encoding", "sha256"),
        *("chunks", "complete", "ended_by"),
    ),
    "sse_event": (
        *("event", "data", "id", "retry", "dispatched", "fields"),
        *("first_chunk", "last_chunk"),
    ),
    "data": ("size", "data", "encoding"),
    "json_line": ("index", "size", "data", "encoding"),
    "part": ("index", "headers", "size", "data", "encoding"),
    "aws_event": ("index", "headers", "size", "data", "encoding", "crc_ok"),
    "grpc_message": ("index", "compressed", "size", "data", "encoding"),
    "websocket_frame": (
        *("fin", "rsv1", "rsv2", "rsv3", "opcode", "opcode_name", "masked", "masking_key"),
        *("payload_length", "data", "encoding", "close_code", "close_reason", "content_offset"),
    ),
    "websocket_message": ("type", "data", "encoding", "frames", "compressed"),
    "tls": (
        *("version", "cipher", "sni", "alpn", "resumed", "early_data", "decrypted", "reason"),
        *("client_close_notify", "server_close_notify", "alert"),
    ),
    "tls_record": ("type", "size", "decrypted"),
    "http2_data": (
        *("index", "size", "padding", "end_stream", "data", "encoding", "content_offset"),
    ),
    "http2_frame": ("type",),
    "quic": ("version", "number", "losses", "closed"),
    "quic_packet": ("type", "size", "decrypted"),
    "http3_data": ("index", "size", "data", "encoding", "content_offset"),
    "http3_frame": ("type",),
    "stall": ("window", "seconds", "opened_by"),
    "gap": ("missing",),
    "diagnostic": ("severity", "code", "summary", "reference"),
}
PLACE = {"layer": "tcp", "stream_id": None, "extents": None}
"""What every record of something sent says of its place, where it is not as usual."""
OPTIONAL = {
    "request": {"client": None, "server": None},
    "body": {"trailers": None},
    "http2_frame": dict.fromkeys(
        ("ack", "settings", "error_code", "last_stream_id", "debug", "increment", "ping", "rtt",
         "promised_stream_id", "size")
    ),
    "http3_frame": dict.fromkeys(("settings", "error_code", "identifier")),
}  # fmt: skip
"""What only some have, and the others leave out: each type of frame has fields of its own."""
CONNECTION = (
    *("client", "server", "protocol", "first_packet", "last_packet", "first_time", "last_time"),
    *("packets", "client_bytes", "server_bytes", "retransmissions", "out_of_order"),
    *("closed_by", "close", "midstream"),
)


def test_every_kind_of_the_contract_is_there() -> None:
    assert set(KINDS) == {"connection", *CONTRACT}


@pytest.mark.parametrize("name", KINDS)
def test_fields_of_the_contract(name: str) -> None:
    """Fields may be added; those of the contract are there, the common ones first."""
    fields = list(field_names(KINDS[name]))
    assert fields[:2] == ["record", "connection"]
    if name == "connection":
        assert [field for field in fields if field in CONNECTION] == list(CONNECTION)
    else:
        assert fields[2:10] == list(SENT)
        assert set(CONTRACT[name]) <= set(fields[10:])
        assert fields[-3:] == list(PLACE)


@pytest.mark.parametrize("name", KINDS)
def test_records_have_slots(name: str) -> None:
    """Half a million of them stand in memory at once when a capture is shown as one document."""
    assert "__slots__" in vars(KINDS[name])


def test_the_kind_is_not_an_argument() -> None:
    record = records.GapRecord(0, 0, "server", 1, 1, 0.0, 0.0, 0, 5, 5)
    assert record.record == "gap"
    with pytest.raises(TypeError):
        records.GapRecord(0, 0, "server", 1, 1, 0.0, 0.0, 0, 5, 5, record="gap")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", CONTRACT)
def test_only_an_unusual_place_is_in_json(name: str) -> None:
    """A default of any other field would leave it out, and those who read it without it."""
    fields = msgspec.structs.fields(KINDS[name])
    defaults = {field.name: field.default for field in fields if not field.required}
    assert defaults == PLACE | OPTIONAL.get(name, {})
    given: dict[str, Any] = {field.name: None for field in fields if field.required}
    usual = json.loads(msgspec.json.encode(KINDS[name](**given)))
    assert usual == {"record": name, **given}
    place = {"layer": "tls", "stream_id": 1, "extents": [(3, 5), (9, 12)]}
    there = json.loads(msgspec.json.encode(KINDS[name](**given, **place)))
    assert there == {**usual, **place, "extents": [[3, 5], [9, 12]]}


def test_nothing_of_a_connection_is_left_out_of_json() -> None:
    fields = msgspec.structs.fields(records.ConnectionRecord)
    encoded = msgspec.json.encode(records.ConnectionRecord(*[None for _ in fields]))  # type: ignore[arg-type]
    assert list(json.loads(encoded)) == list(field_names(records.ConnectionRecord))


def values(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return [inner for item in value for inner in values(item)]
    if isinstance(value, dict):
        return values(list(value.values()))
    return [value]


def test_what_json_can_hold() -> None:
    """Every record of every stored capture."""
    seen = set()
    for path in STORED:
        for record in decoded(packets(path)):
            fields = {name: getattr(record, name) for name in field_names(type(record))}
            seen.add(record.record)
            for value in values(list(fields.values())):
                assert value is None or type(value) in (str, int, float, bool), fields
            assert json.loads(json.dumps(fields))["record"] == record.record
    # Loopback loses nothing; what the demo server does not send has tests of its own.
    elsewhere = {"gap", "data", "aws_event", "grpc_message", "tls", "tls_record"}
    assert seen == set(KINDS) - elsewhere - {"http2_data", "http2_frame", "stall"} - {
        "quic", "quic_packet", "http3_data", "http3_frame",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", ("", "utf-8")),
        (b"Hello", ("Hello", "utf-8")),
        ("Grüße\0".encode(), ("Grüße\0", "utf-8")),
        (b"\xff", ("/w==", "base64")),
        ("Grüße".encode()[:3], ("R3LD", "base64")),  # cut in a character
        (b"\xed\xa0\x80", ("7aCA", "base64")),  # a surrogate (RFC 3629 section 3)
        (b"\xc0\xaf", ("wK8=", "base64")),  # an overlong form
    ],
)
def test_bytes_as_text(data: bytes, expected: tuple[str, str]) -> None:
    assert text_or_base64(data) == expected


def test_whose_number_is_of_a_quic_connection() -> None:
    assert not is_quic(FIRST_QUIC_CONNECTION - 1) and is_quic(FIRST_QUIC_CONNECTION)
