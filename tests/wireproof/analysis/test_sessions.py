"""Calls of one session are those whose fields say so, and nothing else."""

from __future__ import annotations

import pytest
from support.talk import Talk

from wireproof.analysis import sessions
from wireproof.analysis.judges import explain
from wireproof.analysis.sessions import Session, Sessions, sessions_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def named(request: str = "", response: str = "") -> list[Session]:
    talk = Talk().open()
    talk.client(f"GET / HTTP/1.1\r\nHost: x\r\n{request}\r\n".encode())
    talk.server(f"HTTP/1.1 204 No Content\r\n{response}\r\n".encode())
    talk.close()
    [explained] = explain(talk.tape.records())
    return sessions_of(explained.exchange)


@pytest.mark.parametrize(
    ("field", "session"),
    [
        ("Mcp-Session-Id: 7f3a", ("mcp-session-id", "7f3a")),
        ("X-Session-Id: a b", ("x-session-id", "a b")),
        (f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01", ("traceparent", TRACE)),
        (f"b3: {TRACE}-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90", ("b3", TRACE)),
        (f"X-Cloud-Trace-Context: {TRACE}/123;o=1", ("x-cloud-trace-context", TRACE)),
        ("X-Amzn-Trace-Id: Self=2;Root=1-5840-a006;Parent=5", ("x-amzn-trace-id", "1-5840-a006")),
    ],
)
def test_fields_that_name_a_session(field: str, session: tuple[str, str]) -> None:
    assert named(f"{field}\r\n") == [Session(*session)]
    assert named(response=f"{field}\r\n") == [Session(*session)]


@pytest.mark.parametrize(
    "field", ["traceparent: 00-xyz", "X-Session-Id:", "X-Request-Id: 1", "Cookie: session=1"]
)
def test_fields_that_name_none(field: str) -> None:
    assert named(f"{field}\r\n") == []


def test_a_session_is_named_once() -> None:
    field = "Mcp-Session-Id: 7f3a\r\n"
    assert len(named(field, field)) == 1


def groups(*exchanges: list[tuple[str, str]]) -> list[tuple[str, list[int], int]]:
    found = Sessions()
    for number, names in enumerate(exchanges):
        found.add(number, [Session(*name) for name in names])
    return [(group.session.id, group.numbers, group.count) for group in found.groups()]


A, B, C = ("session-id", "a"), ("traceparent", "b"), ("x-session-id", "a")


def test_a_group_has_several_exchanges() -> None:
    assert groups([A], [B], [A], []) == [("a", [0, 2], 2)]


def test_the_same_value_of_another_field_is_another_session() -> None:
    assert groups([A], [C]) == []


def test_of_two_sessions_of_the_same_exchanges_one_is_told() -> None:
    assert groups([A, B], [A, B]) == [("a", [0, 1], 2)]
    assert groups([A, B], [A, B], [B]) == [("a", [0, 1], 2), ("b", [0, 1, 2], 3)]


def test_sessions_and_their_members_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    monkeypatch.setattr(sessions, "MAX_MEMBERS", 2)
    many = [[("session-id", str(number))] for number in range(100)]
    assert groups([A], *many, [A]) == []
    assert groups([A], [A], [A]) == [("a", [0, 1], 3)]
