"""What is read whatever the dialect, one by one and at a glance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dialects import exchange
from support.handmade import Wire

from parsers.records import SseEventRecord
from wireproof.dialects.payload import DONE, OTHER, PING, Payload
from wireproof.dialects.reader import MAX_OPENINGS, DialectReader, RawReader, is_read

KINDS = (
    {"event": "tick", "data": "1"},
    {"event": "ping", "data": "{}"},
    {"event": "error", "data": "no"},
    {"event": "message", "data": "[DONE]"},
    {"dispatched": False},
)
SAID = (OTHER, PING, Payload("error", "no"), DONE, PING)


def event(**told: Any) -> SseEventRecord:
    return Wire().event(("data", told.get("data", "")), **told)


def settled() -> DialectReader:
    """A reader that looks for no dialect any more."""
    reader = DialectReader(exchange(Wire()))
    for _ in range(MAX_OPENINGS):
        assert reader.read(event(data="tick")) is OTHER
    return reader


@pytest.mark.parametrize(("told", "said"), list(zip(KINDS, SAID, strict=True)))
def test_what_every_stream_has(told: dict[str, Any], said: Payload) -> None:
    assert DialectReader(exchange(Wire())).read(event(**told)) == said
    assert settled().read(event(**told)) == said


def test_the_last_word_of_any_stream() -> None:
    reader = settled()
    assert not reader.has_ended
    reader.read(event(data="[DONE]"))
    assert reader.has_ended
    assert reader.last_word == ""


@given(told=st.lists(st.sampled_from(KINDS), max_size=6))
def test_a_glance_sees_what_reading_does(told: list[dict[str, Any]]) -> None:
    blocks = [event(**one) for one in told]
    reader = settled()
    is_silent = reader.is_silent([one.event for one in blocks], [one.data for one in blocks])
    is_silent = is_silent and all(one.dispatched for one in blocks)
    assert is_silent == all(reader.read(block) is OTHER for block in blocks)


def test_nothing_is_silent_while_a_dialect_may_show() -> None:
    assert not DialectReader(exchange(Wire())).is_silent(["message"], ["tick"])


def test_a_raw_reader_reads_nothing() -> None:
    reader = RawReader(exchange(Wire()))
    assert reader.read(event(event="ping", data="{}")) is OTHER


def test_what_is_read() -> None:
    wire = Wire()
    plain = DialectReader(exchange(wire, "/", ("Content-Type", "text/plain")))
    events = DialectReader(exchange(wire))
    message = wire.message("x", sender="client")
    assert is_read(message, events)
    assert is_read(event(data="x"), events)
    assert not is_read(wire.chunk("x"), events)
    assert is_read(wire.chunk("x"), plain)
    assert not is_read(wire.chunk("x", sender="client"), plain)
    assert not is_read(wire.chunk(), plain)
    assert not is_read(wire.request(), plain)


DELTAS = (
    '{"choices": [{"delta": {"content": "a"}}]}',
    '{"choices": [{"delta": {"role": "assistant"}}], "id": 7}',
    '{"choices": [{"index": 1, "delta": {"content": "b"}, "finish_reason": "stop"}]}',
    '{"choices": [], "usage": {"completion_tokens": 3}}',
    '{"choices": [{"delta": {"content": "a"}}], "usage": {"completion_tokens": 1}}',
    '{"error": {"message": "no"}}',
    "no JSON",
    "[DONE]",
    "",
)


@given(st.lists(st.tuples(st.sampled_from(DELTAS), st.sampled_from(["message", "ping", "x"]))))
def test_plain_events_say_together_what_each_says(told: list[tuple[str, str]]) -> None:
    readers = [DialectReader(exchange(Wire())) for _ in range(2)]
    for reader in readers:
        assert reader.read(event(data=DELTAS[0])) == Payload("text", "a")
    events = [event(data=data, event=name) for data, name in told]
    names, data = [one.event for one in events], [one.data for one in events]
    is_plain = readers[0].is_plain(names, data)
    assert is_plain == ("ping" not in names and "[DONE]" not in data)
    if is_plain:
        assert readers[0].read_all(data) == [readers[1].read(one) for one in events]


def test_nothing_is_plain_before_a_dialect_is_known() -> None:
    assert not DialectReader(exchange(Wire())).is_plain(["message"], ["tick"])
    assert not settled().is_plain(["message"], ["tick"])
