"""Every dialect: what each element says, near misses, and damage of every sort."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.dialects import NAMES, element, exchange, read, stream
from support.handmade import Wire

from wireproof.dialects.dialect import Dialect, Opening, TextDialect, content_bytes
from wireproof.dialects.mqtt import Mqtt
from wireproof.dialects.payload import Payload
from wireproof.dialects.reader import MAX_OPENINGS, DialectReader
from wireproof.dialects.table import DIALECTS, spoken_in
from wireproof.dialects.vercel import MAX_LINE, VercelLines

JSON = [dialect for dialect in DIALECTS if issubclass(dialect, TextDialect)]
TOLD = [line.element.data or "" for name in NAMES for line in stream(name).lines]
"""What all fixtures say: the raw material of damage."""


def opening(data: Any, target: str = "/", kind: str = "sse_event") -> Opening:
    """Return an opening that says ``data``."""
    wire = Wire()
    return Opening(exchange(wire, target), element(wire, kind, {"data": data}))


@pytest.mark.parametrize("name", NAMES)
def test_each_element_says_what_it_should(name: str) -> None:
    known = stream(name)
    reader = DialectReader(known.about)
    said = [reader.read(line.element) for line in known.lines]
    assert said == [line.says for line in known.lines]
    assert reader.name == known.dialect
    assert reader.dialect is not None
    assert reader.dialect.shared == known.shared
    assert reader.has_ended == known.has_ended


@pytest.mark.parametrize("name", [name for name in NAMES if not stream(name).needs_fields])
def test_a_dialect_is_recognised_without_its_request(name: str) -> None:
    known = stream(name)
    fields = ("Content-Type", known.about.header("content-type") or "text/event-stream")
    reader = DialectReader(exchange(Wire(), "/anything", fields))
    for line in known.lines:
        reader.read(line.element)
    assert reader.name == known.dialect


NEAR_MISSES = [
    ("/vote", {"choices": ["yes", "no"]}),
    ("/vote", {"choices": [{"index": 0, "delta": 3}]}),
    ("/vote", {"choices": [{"index": 0, "delta": {"price": 5}}]}),
    ("/vote", {"choices": [{"id": 1, "text": "yes"}], "object": "vote"}),
    ("/vote", {"object": "chat.completion.chunk"}),
    ("/v1/chat/completions", {"choices": ["yes", "no"]}),
    ("/v1/chat/completions", {"status": "queued"}),
    ("/jobs", {"type": "response.created"}),
    ("/jobs", {"type": "error", "message": "no"}),
    ("/jobs", {"type": "ping"}),
    ("/jobs", {"type": "message_start", "text": "Hello"}),
    ("/jobs", {"type": "content_block_delta", "delta": "x"}),
    ("/v1/messages", {"type": "message", "text": "Hello"}),
    ("/election", {"candidates": ["Ada", "Bob"]}),
    ("/election", {"candidates": [{"content": "Ada"}]}),
    ("/tasks", {"done": False, "message": "still at work"}),
    ("/tasks", {"done": "no", "message": {"content": "x"}, "model": "small"}),
    ("/tasks", {"done": False, "title": "x", "model": "small"}),
    ("/", {"error": "no such thing"}),
    ("/", []),
    ("/", "null"),
    ("/", "{"),
]


@pytest.mark.parametrize(("target", "data"), NEAR_MISSES)
def test_an_application_of_its_own_is_no_dialect(target: str, data: Any) -> None:
    known = opening(data, target)
    assert [one.name for one in DIALECTS if one.is_spoken(known)] == []
    assert list(read(known.about, [known.element])) == [Payload("other")]


WEBSOCKET_NEAR_MISSES = [
    ("/chat", {"type": "ping"}),
    ("/chat", {"type": "data", "id": "1", "payload": {"text": "Hello"}}),
    ("/chat", {"type": "complete", "id": "1"}),
    ("/chat", "42"),
    ("/chat", '42["token"]'),
    ("/chat", '{"type": 1}'),
    ("/chat", "MESSAGE from me\n\nHello"),
    ("/chat", "SEND\n\nHello"),
    ("/chat", "\x1e"),
    ("/rpc", {"jsonrpc": "1.0", "id": 1, "result": 2}),
    ("/rpc", {"jsonrpc": "2.0"}),
]


@pytest.mark.parametrize(("target", "data"), WEBSOCKET_NEAR_MISSES)
def test_messages_of_an_application_of_its_own_are_no_dialect(target: str, data: Any) -> None:
    known = opening(data, target, "websocket_message")
    assert [one.name for one in DIALECTS if one.is_spoken(known)] == []


def test_events_that_look_like_messages_are_no_protocol_of_websockets() -> None:
    for data in ({"type": "connection_ack"}, '0{"sid":"x"}', "SEND\n\nHello\0"):
        assert not any(one.is_spoken(opening(data)) for one in DIALECTS)


@given(messages=st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_give_a_payload(messages: list[bytes]) -> None:
    wire = Wire()
    told = [
        {"data": b64encode(one).decode(), "type": "binary", "encoding": "base64"}
        for one in messages
    ]
    elements = [element(wire, "websocket_message", one) for one in told]
    known = opening("{}", "/", "websocket_message")
    for dialect in DIALECTS:
        reader = dialect(known)
        assert all(isinstance(reader.read(one), Payload) for one in elements)


@given(cuts=st.sets(st.integers(1, 40), max_size=6))
def test_packets_of_mqtt_are_the_same_however_messages_cut_them(cuts: set[int]) -> None:
    known = stream("mqtt")
    data = b"".join(content_bytes(line.element) for line in known.lines[4:6])
    wire, said = Wire(), []
    reader = Mqtt(opening("{}", "/", "websocket_message"))
    for start, end in pairwise([0, *sorted(one for one in cuts if one < len(data)), len(data)]):
        told = {"data": b64encode(data[start:end]).decode(), "type": "binary", "encoding": "base64"}
        said.append(reader.read(element(wire, "websocket_message", told)))
    texts = [one.text for one in said if one.label == "PUBLISH"]
    assert texts in (["21.5", "ff 00"], ["21.5"])  # one message that has both says the first
    assert sum(one.extra.get("things", 1) == 2 for one in said) == 2 - len(texts)


def test_a_dialect_may_show_late() -> None:
    known = stream("openai-chat")
    wire = Wire()
    own = [element(wire, "sse_event", {"data": {"status": n}}) for n in range(MAX_OPENINGS - 1)]
    said = list(read(known.about, [*own, known.lines[3].element]))
    assert said == [Payload("other")] * len(own) + [Payload("text", "Hello")]


def test_keep_alives_are_no_openings() -> None:
    known = stream("anthropic")
    wire = Wire()
    pings = [wire.event(("", "ping"), dispatched=False) for _ in range(2 * MAX_OPENINGS)]
    said = list(read(known.about, [*pings, known.lines[0].element]))
    assert said == [Payload("ping")] * len(pings) + [known.lines[0].says]


def test_after_enough_openings_no_dialect_is_looked_for() -> None:
    known = stream("openai-chat")
    wire = Wire()
    own = [element(wire, "sse_event", {"data": {"status": n}}) for n in range(MAX_OPENINGS)]
    reader = DialectReader(known.about)
    for one in [*own, *(line.element for line in known.lines)]:
        reader.read(one)
    assert reader.name == ""


def test_a_block_that_was_cut_keeps_nothing_open() -> None:
    wire = Wire()
    cut = wire.event(("data", '{"choices"'), dispatched=False)
    about = exchange(wire)
    assert list(read(about, [cut])) == [Payload("other")]


@pytest.mark.parametrize("dialect", JSON, ids=lambda one: one.name)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"choices":' * 100_000,
        '{"delta":{"content":' + "[" * 100_000,
        '{"type":"\ud800"}',
        '{"usage":{"completion_tokens":1e999}}',
        '{"done":true,"eval_count":' + "9" * 5_000 + "}",
        '{"choices":[{"index":null}]}',
        "\0",
    ],
    ids=lambda text: text[:20].encode("ascii", "replace").decode(),
)
def test_what_makes_no_sense_is_other(dialect: type[TextDialect], text: str) -> None:
    assert dialect(opening("{}")).read_text(text).kind == "other"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("choices", "delta", "content", "type", "message", "candidates", "parts", "done")
                + ("error", "usage", "index", "tool_calls", "function", "response", "item", "text")
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("dialect", JSON, ids=lambda one: one.name)
@given(value=JSON_VALUES)
def test_any_json_gives_a_payload(dialect: type[TextDialect], value: Any) -> None:
    text = json.dumps(value)
    known = opening(text)
    assert isinstance(dialect.is_spoken(known), bool)
    assert isinstance(dialect(known).read_text(text), Payload)


def first_of_all(known: Opening) -> type[Dialect] | None:
    return next((one for one in DIALECTS if one.is_spoken(known)), None)


@pytest.mark.parametrize(
    "target", ["/", "/v1/messages", "/v1/completions", "/api/chat", "/x?eio=4"]
)
@pytest.mark.parametrize("kind", ["sse_event", "websocket_message"])
@given(value=JSON_VALUES | st.text(max_size=4) | st.sampled_from(TOLD))
def test_who_is_not_asked_would_have_said_no(kind: str, target: str, value: Any) -> None:
    for text in (value if isinstance(value, str) else "", json.dumps(value), json.dumps([value])):
        known = opening(text, target, kind)
        assert spoken_in(known) is first_of_all(known)


@given(data=st.data())
def test_damage_raises_nothing(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(TOLD))
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, len(text)))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[end:]
    known = opening(damaged)
    assert spoken_in(known) is first_of_all(known)
    for dialect in JSON:
        dialect.is_spoken(known)
        assert isinstance(dialect(known).read_text(damaged), Payload)


DEEP = (
    ('{"jsonrpc":"2.0","id":1,"result":', "}"),
    ('{"jsonrpc":"2.0","method":"x","params":', "}"),
    ('{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":', "}}]}}]}"),
    ('{"error":{"message":', "}}"),
    ('{"type":"next","id":"1","payload":{"data":', "}}"),
    ('42["x",', "]"),
    ('{"type":2,"item":', "}\x1e"),
    ('{"type":"data-x","data":', "}"),
    ('{"candidates":[{"content":{"parts":[{"functionCall":{"args":', "}}]}}]}"),
)


@pytest.mark.parametrize(("before", "after"), DEEP)
@pytest.mark.parametrize(
    "value", ["[" * depth + "]" * depth for depth in range(900, 1010, 10)], ids=len
)
def test_nesting_at_the_limit_raises_nothing(before: str, after: str, value: str) -> None:
    wire = Wire()
    told = element(wire, "websocket_message", {"data": f"{before}{value}{after}"})
    known = opening("{}", "/", "websocket_message")
    for dialect in DIALECTS:
        assert isinstance(dialect(known).read(told), Payload)
    list(read(known.about, [told]))


@pytest.mark.parametrize(("before", "after"), DEEP)
@pytest.mark.parametrize("number", ["9" * 30, "9" * 5_000, "1e999", "-0.0"])
def test_numbers_of_any_size_raise_nothing(before: str, after: str, number: str) -> None:
    wire = Wire()
    told = element(wire, "websocket_message", {"data": f"{before}{number}{after}"})
    for dialect in DIALECTS:
        assert isinstance(dialect(opening("{}", "/", "websocket_message")).read(told), Payload)


@given(cuts=st.sets(st.integers(1, 60), max_size=8))
def test_lines_are_the_same_however_chunks_cut_them(cuts: set[int]) -> None:
    data = '0:"Hel"\n0:"lo"\n9:{"toolCallId":"1","toolName":"f","args":{}}\n'
    wire, said = Wire(), []
    reader = VercelLines(opening("{}"))
    for start, end in pairwise([0, *sorted(one for one in cuts if one < len(data)), len(data)]):
        said.append(reader.read(wire.chunk(data[start:end])))
    assert "".join(one.text for one in said if one.kind == "text") == "Hello"
    assert sum(int(one.extra.get("things", one.kind != "control")) for one in said) == 3


def test_a_line_without_end_is_not_kept() -> None:
    wire = Wire()
    reader = VercelLines(opening("{}"))
    for _ in range(10):
        assert reader.read(wire.chunk("0:" + "x" * (MAX_LINE // 4))).kind == "control"
    assert reader.read(wire.chunk('\n0:"after"\n')).kind == "text"
