"""TLS connections as they are seen without keys: records of given sizes at given times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support.talk import Side

from parsers.records import ConnectionRecord, Record, TlsConnectionRecord, TlsRecordRecord
from wireproof.analysis.keyless.records import Sealed
from wireproof.analysis.keyless.sealed import SealedConnection, SealedConnections

AEAD = 17
"""What TLS 1.3 adds to a record's content."""
EPOCH = 1_790_000_000.0
Line = tuple[Side, float, int]
"""Who sent how many bytes of content, and after how many milliseconds."""

FLIGHT: list[Line] = [
    *(("server", 1, 15), ("server", 1, 900), ("server", 1, 264), ("server", 1, 52)),
    ("client", 2, 52),
]
"""The encrypted part of a handshake of TLS 1.3 with SHA-384."""
TICKETS: list[Line] = [("server", 4, 233), ("server", 4, 233)]
HTTP2: list[Line] = [("client", 3, 64), ("client", 3, 43), *TICKETS, ("server", 4, 49)]
"""A preface, a request, and what the server says first."""
ACKS: list[Line] = [("client", 5, 9), ("server", 5, 9)]


def events(*contents: int, start: float = 50, apart: float = 50) -> list[Line]:
    """What a server sends one by one."""
    return [("server", start + number * apart, size) for number, size in enumerate(contents)]


def sealed(lines: Sequence[Line], overhead: int = AEAD) -> list[Sealed]:
    """The records, each in a packet of its own."""
    return [
        Sealed(sender, size + overhead, EPOCH + at / 1000, number)
        for number, (sender, at, size) in enumerate(lines, 1)
    ]


def tls(**changed: Any) -> TlsConnectionRecord:
    """TLS 1.3 with HTTP/2 or HTTP/1.1; nothing is known of its end."""
    known: dict[str, Any] = dict.fromkeys(TlsConnectionRecord.__struct_fields__)
    known |= {
        "connection": 0, "first_packet": 1, "last_packet": 99, "first_time": EPOCH,
        "last_time": EPOCH + 9, "version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384",
        "sni": "api.example.test", "alpn_offered": ["h2", "http/1.1"], "resumed": False,
        "retried": False, "early_data": False, "decrypted": "no", "reason": "no keys",
        "client_hello_time": EPOCH, "server_hello_time": EPOCH + 0.001, "client_records": 9,
        "server_records": 9, "layer": "tcp", "stream_id": None,
    }  # fmt: skip
    return TlsConnectionRecord(**(known | changed))


def connection(**changed: Any) -> ConnectionRecord:
    known: dict[str, Any] = {
        "connection": 0, "client": "10.0.0.1:40000", "server": "10.0.0.2:443", "protocol": "tls",
        "first_packet": 1, "last_packet": 99, "first_time": EPOCH, "last_time": EPOCH + 9,
        "packets": 99, "client_bytes": 900, "server_bytes": 5000, "retransmissions": 0,
        "out_of_order": 0, "closed_by": "client", "close": "fin", "midstream": False,
    }  # fmt: skip
    return ConnectionRecord(**(known | changed))


def records(lines: Sequence[Line], windows: Sequence[Any] = (), **changed: Any) -> list[Record]:
    """The records of a whole connection; ``windows`` are those of TCP that were closed."""
    found: list[Record] = [
        TlsRecordRecord(
            *(0, None, one.sender, one.packet, one.packet, one.time, one.time, 0, one.size + 5),
            *("application_data", one.size, 0, "no", None, None, None),
        )
        for one in sealed(lines)
    ]
    return [*found, tls(**changed), connection(closed_windows=[*windows])]


def judged(lines: Sequence[Line], windows: Sequence[Any] = (), **changed: Any) -> SealedConnection:
    """What a connection came to."""
    taken = SealedConnections()
    (found,) = [one for record in records(lines, windows, **changed) if (one := taken.add(record))]
    return found


def answers(found: SealedConnection, question: str = "streaming") -> list[str]:
    return [one.answer for one in found.verdicts if one.question == question]
