"""Whether an upload was passed on as it came, told by both legs of a proxy."""

from __future__ import annotations

import pytest
from support.paced import causes
from support.talk import Talk
from support.timed import TimedTape, chunk

from wireproof.analysis.judges import explain
from wireproof.analysis.verdict import Verdict

HEAD = b"POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
PARTS = [b"part %d" % number for number in range(6)]


def verdicts(tape: TimedTape) -> list[Verdict | None]:
    """What is said of the uploads, in the order in which they began."""
    found = sorted(explain(tape.records()), key=lambda one: one.exchange.number)
    return [
        next((one for one in each.verdicts if one.answer.startswith("request-")), None)
        for each in found
    ]


def send(talk: Talk, tape: TimedTape, every: float) -> None:
    talk.client(HEAD)
    for part in PARTS:
        tape.wait(every)
        talk.client(chunk(part))


@pytest.mark.parametrize(("every", "is_judged"), [(0.01, False), (0.05, True), (1.0, True)])
def test_a_client_streams_by_itself(every: float, is_judged: bool) -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    send(talk, tape, every)
    talk.client(b"0\r\n\r\n")
    talk.server(ANSWER)
    talk.close()
    [found] = verdicts(tape)
    assert (found is not None) is is_judged
    if found is not None:
        assert (found.answer, found.is_fault) == ("request-streamed", False)


LINES = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"


@pytest.mark.parametrize("head", [HEAD, LINES + b"Transfer-Encoding: chunked\r\n\r\n"])
@pytest.mark.parametrize("lost", [None, 3, 6])
def test_what_was_sent_is_counted_once_and_what_is_missing_is_named(
    head: bytes, lost: int | None
) -> None:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(head)
    sent = [*(chunk(b'{"part": %d}\n' % number) for number in range(6)), b"0\r\n\r\n"]
    for number, data in enumerate(sent):
        tape.wait(0.1)
        if number == lost:
            talk.lose("client", len(data))
        else:
            talk.client(data)
    talk.server(ANSWER)
    talk.close()
    [found] = verdicts(tape)
    assert found is not None and found.answer == "request-streamed"
    assert found.numbers["events"] == (5 if lost == 3 else 6)
    if lost is None:
        assert found.severity == "ok" and "was sent in 6 pieces" in found.summary
    else:
        assert found.severity == "note" and "the capture lacks bytes of it" in found.summary


@pytest.mark.parametrize("waits", [True, False])
def test_both_legs_show_whether_a_proxy_waits(waits: bool) -> None:
    tape = TimedTape()
    client = Talk(tape, client_port=40_001).open()
    upstream = Talk(tape, client_port=40_002, server_port=8_001).open()
    client.client(HEAD)
    if not waits:
        upstream.client(HEAD)
    for part in PARTS:
        tape.wait(0.05)
        client.client(chunk(part))
        if not waits:
            upstream.client(chunk(part))
    client.client(b"0\r\n\r\n")
    if waits:
        upstream.client(HEAD, *map(chunk, PARTS))
    upstream.client(b"0\r\n\r\n")
    for talk in (upstream, client):
        talk.server(ANSWER)
        talk.close()
    for found in verdicts(tape):
        assert found is not None
        assert found.answer == ("request-held" if waits else "request-streamed")
        assert causes(found) == (["proxy-buffers-request"] if waits else [])


def test_the_same_upload_again_is_no_leg_of_the_first() -> None:
    """A client that sends the same twice was answered in between."""
    tape = TimedTape()
    for port in (40_001, 40_002):
        talk = Talk(tape, client_port=port).open()
        send(talk, tape, 0.05)
        talk.client(b"0\r\n\r\n")
        talk.server(ANSWER)
        talk.close()
        tape.wait(0.5)
    assert [found.answer for found in verdicts(tape) if found] == ["request-streamed"] * 2
