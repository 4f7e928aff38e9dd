"""A connection that begins with bytes that the capture lacks says how many, as far as is known."""

from __future__ import annotations

import pytest
from support.attack import request, response
from support.frames import ACK, SYN
from support.talk import Talk

from parsers.records import ConnectionRecord, DiagnosticRecord, GapRecord


def notes(talk: Talk) -> list[str]:
    return [
        one.summary
        for one in talk.tape.records()
        if isinstance(one, DiagnosticRecord) and one.code == "tcp-start-missing"
    ]


def test_of_a_beginning_that_is_missing_it_is_said_how_large_it_is_at_least() -> None:
    """What the client acknowledges first lies before the first bytes of the server: those between
    were under way when the recording began."""
    talk = Talk().midstream()
    talk.client(request("/"))
    talk.lose("server", 300)
    talk.server(response("200 OK", "Content-Length: 2") + b"ok")
    [said] = notes(talk)
    assert said.endswith("at least 300 bytes of the server's")


def test_where_nothing_shows_that_bytes_are_missing_nothing_is_said_of_them() -> None:
    talk = Talk().midstream()
    talk.client(request("/"))
    talk.server(response("200 OK", "Content-Length: 2") + b"ok")
    assert notes(talk) == []
    whole = Talk().open()
    whole.lose("server", 300)
    whole.server(b"1")
    assert notes(whole) == []


@pytest.mark.parametrize("is_answer_captured", [True, False])
def test_a_connection_that_began_with_a_hole_says_how_large_it_is(is_answer_captured: bool) -> None:
    """One of the two handshake segments that name where the server's stream begins is enough."""
    talk = Talk()
    talk.segment("client", flags=SYN)
    answer = talk.frame("server", flags=SYN | ACK)
    if is_answer_captured:
        talk.tape.add(answer)
    talk.segment("client")
    talk.client(request("/"))
    talk.lose("server", 300)
    talk.server(b"x" * 50)
    talk.segment("client")
    talk.close()
    found = talk.tape.records()
    [gap] = [one for one in found if isinstance(one, GapRecord) and one.sender == "server"]
    assert (gap.offset, gap.length) == (0, 300)
    [connection] = [one for one in found if isinstance(one, ConnectionRecord)]
    assert connection.server_bytes == 350 and not connection.midstream
    assert notes(talk) == []


def test_a_client_whose_syn_is_missing_is_counted_from_what_was_answered() -> None:
    talk = Talk()
    talk.frame("client", flags=SYN)
    talk.segment("server", flags=SYN | ACK)
    talk.lose("client", 300)
    talk.client(request("/"))
    talk.server(response("200 OK", "Content-Length: 0"))
    talk.close()
    found = talk.tape.records()
    gaps = [one for one in found if isinstance(one, GapRecord)]
    assert [(one.sender, one.offset, one.length) for one in gaps] == [("client", 0, 300)]
