"""Rows show what elements say, and the head of an exchange what all of them share."""

from __future__ import annotations

import json
from typing import Any

from support.handmade import Wire

from parsers.records import Record
from wireproof.dialects.reader import DialectReader as Dialects
from wireproof.dialects.reader import RawReader, Readers
from wireproof.views.connection import ConnectionTable
from wireproof.views.lines import measure

CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "small-1"}


def lines(records: list[Record], width: int = 100, readers: Readers = Dialects) -> list[str]:
    """Return the lines of a connection's table."""
    table = ConnectionTable(0, width, readers)
    made = [line for record in records for line in table.add(record)] + table.release()
    assert all(measure(line) <= width for line in made)
    return ["".join(text for text, _ in line).rstrip() for line in made]


def chat(*deltas: dict[str, Any], **fields: str) -> list[Record]:
    """Return a chat completion of these deltas, each in a chunk of its own."""
    wire = Wire()
    records: list[Record] = [wire.request("/v1/chat/completions"), wire.events()]
    for delta in deltas:
        told = {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
        data = json.dumps(told)
        records.append(wire.chunk(f"data: {data}\n\n"))
        named = [*fields.items(), ("data", data)]
        records.append(wire.event(*named, data=data, event=fields.get("event", "message")))
    return records


def test_a_row_shows_the_content_and_not_its_envelope() -> None:
    shown = lines(chat({"role": "assistant"}, {"content": "Hello"}))
    assert shown[-2].endswith("chunk 0    role assistant")
    assert shown[-1].endswith('chunk 1    text "Hello"')


def test_what_all_rows_share_stands_once_at_the_head() -> None:
    shown = lines(chat({"role": "assistant"}, {"content": "Hello"}))
    named = [line for line in shown if "chatcmpl-1" in line]
    assert named == ["    OpenAI chat completions  id chatcmpl-1, model small-1"]
    assert shown.index(named[0]) < next(n for n, line in enumerate(shown) if "Packet" in line)


def test_raw_rows_are_as_the_wire_has_them() -> None:
    records = chat({"content": "Hello"})
    shown = lines(records, 400, RawReader)
    assert f"data: {records[-1].data}" in shown[-1]  # type: ignore[union-attr]
    assert not any("OpenAI" in line for line in shown)


def test_fields_that_a_reconnection_needs_stay() -> None:
    [*_, row] = lines(chat({"content": "Hello"}, id="7", retry="500", event="token"))
    assert row.endswith('text "Hello"  id: 7  retry: 500')


def test_a_dialect_that_shows_late_is_named_then() -> None:
    wire = Wire()
    own = wire.event(("data", '{"status":1}'), data='{"status":1}', event="status")
    shown = lines([wire.request(), wire.events(), own, *chat({"content": "Hi"})[2:]])
    told = [n for n, line in enumerate(shown) if '"status"' in line or "OpenAI" in line]
    assert ["OpenAI" in shown[n] for n in told] == [False, True]
    assert shown[-1].endswith('text "Hi"')


def test_a_message_is_read_in_the_row_of_its_frame() -> None:
    wire = Wire()
    records: list[Record] = wire.upgrade()
    for text in (
        '{"type":"connection_ack"}',
        '{"id":"1","type":"next","payload":{"data":{"n":1}}}',
    ):
        records += wire.frame("text", text), wire.message(text)
    records += [wire.frame("ping", ""), wire.frame("text", '{"type":"ping"}')]
    shown = lines(records)
    assert [line.split("Text", 1)[1].strip() for line in shown if "Text" in line] == [
        "connection_ack",
        'next #1 {"n":1}',
        '{"type":"ping"}',  # its message has not come
    ]
    assert "    GraphQL over WebSocket" in shown


def test_a_fragmented_message_is_read_in_its_own_row() -> None:
    wire = Wire()
    text = '{"id":"1","type":"next","payload":{"data":{"n":1}}}'
    shown = lines(
        [
            *wire.upgrade(),
            wire.frame("text", text[:20], fin=False),
            wire.frame("continuation", text[20:]),
            wire.message(text, frames=2),
        ]
    )
    assert shown[-1].endswith('message    [2 frames] next #1 {"n":1}')


def test_an_error_is_told_with_its_code() -> None:
    wire = Wire()
    data = '{"error":{"message":"Overloaded","type":"server_error"}}'
    records = [*chat({"content": "Hi"}), wire.event(("data", data), data=data)]
    assert lines(records)[-1].endswith("error server_error: Overloaded")


def test_what_comes_from_the_wire_is_escaped() -> None:
    shown = lines(chat({"content": "\x1b[31m\u202e"}))
    assert shown[-1].endswith('text "\\x1b[31m\\u202e"')


def test_lines_of_a_data_stream_are_read_from_their_chunks() -> None:
    wire = Wire()
    head = wire.response(("Content-Type", "text/plain"), ("X-Vercel-AI-Data-Stream", "v1"))
    shown = lines([wire.request(), head, wire.chunk('0:"Hel"\n'), wire.chunk('0:"lo"\n')])
    assert shown[-2].endswith('text "Hel"')
    assert shown[-1].endswith('text "lo"')
