"""Event streams over HTTP/2, and what records say of them."""

from __future__ import annotations

from typing import Any

from parsers.records import DiagnosticRecord, Record, SseEventRecord

from .http2 import EVENTS, GET, Http2Talk, data

STREAMS = (1, 3, 5)
ROUNDS = 6


def event(stream_id: int, number: int) -> bytes:
    return f"id: {number}\ndata: {stream_id} says {number}\n\n".encode()


def dialogue() -> Http2Talk:
    """Three event streams, whose frames alternate: a segment each."""
    talk = Http2Talk().begin()
    for stream_id in STREAMS:
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
    for stream_id in STREAMS:
        talk.say("server", talk.server.head(stream_id, [*EVENTS, ("x-trace", "seven")]))
    for number in range(ROUNDS):
        for stream_id in STREAMS:
            ends = number == ROUNDS - 1
            talk.say("server", data(stream_id, event(stream_id, number), ends=ends))
    talk.talk.close()
    return talk


def events(records: list[Record]) -> dict[int, list[str | None]]:
    found: dict[int, list[str | None]] = {stream_id: [] for stream_id in STREAMS}
    for one in records:
        if isinstance(one, SseEventRecord) and one.stream_id is not None:
            found[one.stream_id].append(one.data)
    return found


WHOLE = events(dialogue().records())
PACKETS = dialogue().packets()
FIRST_DATA = len(PACKETS) - 3 - ROUNDS * len(STREAMS)


def faults(records: list[Record], code: str) -> list[DiagnosticRecord]:
    return [one for one in records if isinstance(one, DiagnosticRecord) and one.code == code]


def errors(records: list[Record]) -> list[str]:
    return [one.summary for one in records if getattr(one, "severity", "") == "error"]


def of_stream(kind: type[Any], records: list[Record], number: int) -> list[Any]:
    return [one for one in records if isinstance(one, kind) and one.stream_id == number]
