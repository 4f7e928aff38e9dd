"""Dialogues in HTTP/1.1, and what records say of them."""

from __future__ import annotations

from parsers.records import ConnectionRecord, DataRecord, Record, RequestRecord, ResponseRecord

from .http1 import of
from .talk import Side, Talk, without_packets

HOST = b"Host: example\r\n\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
HEAD = b"HEAD / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\nContent-Length: 4\r\n" + HOST + b"data"
CONNECT = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCHING = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


def said(*lines: tuple[Side, bytes], close: bool = True) -> list[Record]:
    """The records of a dialogue, each line in a segment of its own, then cut byte by byte.

    Runs of content are as the packets cut them: what they hold together is the same.
    """
    found = []
    for step in (1 << 30, 1):
        talk = Talk().open()
        for sender, data in lines:
            for start in range(0, len(data), step):
                talk.segment(sender, data[start : start + step])
        if close:
            talk.close()
        found.append(talk.tape.records())
    whole, cut = (
        sorted(
            repr(without_packets(record))
            for record in records
            if not isinstance(record, DataRecord)
        )
        for records in found
    )
    assert whole == cut
    assert runs(found[0]) == runs(found[1])
    return found[0]


def runs(records: list[Record]) -> dict[tuple[int, str], str]:
    """What the runs of each body hold together."""
    found: dict[tuple[int, str], str] = {}
    for record in records:
        if isinstance(record, DataRecord) and record.data is not None:
            key = record.exchange, record.sender
            found[key] = found.get(key, "") + record.data
    return found


def pairs(records: list[Record]) -> list[tuple[str, int]]:
    """Requests' targets and responses' statuses with their exchanges."""
    found = []
    for record in records:
        if isinstance(record, RequestRecord):
            found.append((record.target, record.exchange))
        elif isinstance(record, ResponseRecord):
            found.append((str(record.status), record.exchange))
    return found


def get(target: bytes, method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST


def only_protocol(records: list[Record]) -> str:
    (connection,) = of(ConnectionRecord, records)
    return connection.protocol
