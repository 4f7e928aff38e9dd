"""Calls of one session by the ids in their payloads: each rule, near misses, and bounds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.talk import Talk, Tape

from wireproof.analysis import payload_ids
from wireproof.analysis.outcomes import outcomes

JSON = b"Content-Type: application/json\r\n"
EVENTS = b"Content-Type: text/event-stream\r\n"


def call(tape: Tape, port: int, request: Any, *answers: Any, events: bool = False) -> None:
    """A call on a connection of its own, which stays open."""
    talk = Talk(tape, client_port=port).open()
    body = json.dumps(request).encode()
    talk.client(
        b"POST /v1 HTTP/1.1\r\nHost: x\r\n%sContent-Length: %d\r\n\r\n%s" % (JSON, len(body), body)
    )
    if events:
        content = b"".join(b"data: %s\n\n" % json.dumps(one).encode() for one in answers)
    else:
        content = json.dumps(answers[0]).encode() if answers else b"{}"
    head = EVENTS if events else JSON
    talk.server(
        b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s" % (head, len(content), content)
    )


def sessions(tape: Tape) -> list[list[tuple[str, str]]]:
    found = outcomes([tape.records()], with_ids=True)
    return [[(one.field, one.id) for one in outcome.listed.sessions] for outcome in found]


@pytest.mark.parametrize(
    ("request_body", "named"),
    [
        ({"metadata": {"user_id": "user_1_session_2"}}, [("metadata.user_id", "user_1_session_2")]),
        ({"conversation": {"id": "conv_1"}}, [("conversation.id", "conv_1")]),
        ({"conversation": "conv_1"}, [("conversation", "conv_1")]),
        ({"thread_id": "thread_1"}, [("thread_id", "thread_1")]),
        ({"sessionId": "s"}, [("sessionId", "s")]),
        ({"user": "u"}, []),
        ({"id": "1", "session_id": 7}, []),
        ({"session_id": ""}, []),
        ({"messages": [{"session_id": "inner"}]}, []),
        (["session_id"], []),
    ],
)
def test_members_that_name_a_session(request_body: Any, named: list[tuple[str, str]]) -> None:
    tape = Tape()
    call(tape, 40_001, request_body)
    assert sessions(tape) == [named]


def test_responses_that_go_on_with_one_another() -> None:
    tape = Tape()
    chain = ["resp_1", "resp_2", "resp_3"]
    for place, name in enumerate(chain):
        request = {"previous_response_id": chain[place - 1]} if place else {}
        response = {"object": "response", "id": name}
        created = {"type": "response.created", "response": response}
        is_stream = place != 1
        answer = created if is_stream else response
        call(tape, 40_001 + place, request, answer, events=is_stream)
    call(tape, 40_010, {"previous_response_id": "resp_9"})
    assert sessions(tape) == [[("previous_response_id", "resp_1")]] * 3 + [[]]


TOOLS = {
    "OpenAI chat": (
        {"choices": [{"delta": {"tool_calls": [{"id": "call_1", "type": "function"}]}}]},
        {"messages": [{"role": "tool", "tool_call_id": "call_1"}]},
    ),
    "Anthropic": (
        {"type": "content_block_start", "content_block": {"type": "tool_use", "id": "call_1"}},
        {"messages": [{"content": [{"type": "tool_result", "tool_use_id": "call_1"}]}]},
    ),
    "OpenAI Responses": (
        {"type": "response.output_item.done", "item": {"type": "function_call", "id": "fc_1",
                                                       "call_id": "call_1"}},
        {"input": [{"type": "function_call_output", "call_id": "call_1"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("api", TOOLS)
@pytest.mark.parametrize("before", [0, 20])
def test_tool_calls_that_are_answered(api: str, before: int) -> None:
    asked, answered = TOOLS[api]
    tape = Tape()
    call(tape, 40_001, {}, *[{"x": 1}] * before, asked, events=True)
    call(tape, 40_002, answered, asked)
    call(tape, 40_003, {"messages": [{"tool_call_id": "call_2"}]})
    assert sessions(tape) == [[("tool call", "call_1")]] * 2 + [[]]


def test_what_is_not_in_the_clear_or_too_long_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_ids, "MAX_BODY", 40)
    tape = Tape()
    call(tape, 40_001, {"session_id": "s", "prompt": "x" * 100})
    call(tape, 40_002, {"session_id": "s"})
    talk = Talk(tape, client_port=40_003).open()
    talk.client(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n\xff\xfe{")
    talk.server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert sessions(tape) == [[], [("session_id", "s")], []]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload_ids, "MAX_OPEN", 3)
    monkeypatch.setattr(payload_ids, "MAX_IDS", 5)
    tape = Tape()
    for number in range(20):
        call(tape, 40_000 + number, {}, {"object": "response", "id": f"resp_{number}"})
    found = payload_ids.PayloadIds()
    for record in tape.records():
        found.add(record)
    assert len(found._open) == len(found._reader._open) == 3 and len(found._leads) == 5
    for key in list(found._open):
        found.take(key)
    assert found._reader._held == 0 and not found._reader._open
