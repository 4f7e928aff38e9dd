"""What the application says of how a response ended."""

from __future__ import annotations

import pytest
from support.judged import causes, verdicts
from support.talk import Talk
from support.timed import TimedTape

from wireproof.analysis.verdict import Verdict

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: %s\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
NO = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s"


def said_no(asked: bytes, status: bytes, content: bytes = b"") -> Verdict:
    talk = Talk().open()
    talk.client(asked)
    talk.server(NO % (status, len(content), content))
    talk.close()
    [found] = verdicts(talk.tape, "ending")
    return found


@pytest.mark.parametrize(
    ("asked", "status", "content", "answer", "severity"),
    [
        (UPGRADE % b"websocket", b"403 Forbidden", b"bad token", "refused", "warning"),
        (UPGRADE % b"h2c", b"200 OK", b"page", "whole", "ok"),
        (b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", b"407 No", b"", "refused", "warning"),
        (
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"400 Bad Request",
            b"The plain HTTP request was sent to HTTPS port",
            "mismatch",
            "error",
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"400 Bad Request", b"no", "whole", "ok"),
    ],
    ids=["websocket", "h2c", "CONNECT", "plain to TLS", "any other 400"],
)
def test_a_whole_answer_may_be_none(
    asked: bytes, status: bytes, content: bytes, answer: str, severity: str
) -> None:
    found = said_no(asked, status, content)
    assert (found.answer, found.severity) == (answer, severity)


TOKEN = b'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"a"}}]}\n\n'


@pytest.mark.parametrize(
    ("framing", "said"),
    [
        (b"Content-Length: %d\r\n" % (2 * len(TOKEN)), "the framing is complete, but"),
        (b"", "only the end of the connection ended the body, and"),
    ],
    ids=["counted", "until the close"],
)
def test_what_ended_a_body_without_its_last_word(framing: bytes, said: str) -> None:
    talk = Talk().open()
    talk.client(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%b\r\n" % framing
    talk.server(head, TOKEN, TOKEN)
    talk.close()
    [found] = verdicts(talk.tape, "ending")
    assert (found.answer, found.severity) == ("app-incomplete", "error")
    assert found.summary == f"{said} [DONE] and finish_reason never came, after 2 events"


def answered(status: int, after: float, fields: bytes = b"") -> TimedTape:
    tape = TimedTape()
    talk = Talk(tape).open()
    talk.client(b"GET / HTTP/1.1\r\nHost: example\r\n\r\n")
    tape.wait(after)
    head = b"HTTP/1.1 %d Failed\r\nServer: nginx\r\n%bContent-Length: 2\r\n\r\nno"
    talk.server(head % (status, fields))
    talk.close()
    return tape


@pytest.mark.parametrize(
    ("status", "answer", "codes"),
    [
        (504, "app-error", ["proxy-read-timeout"]),
        (502, "app-error", ["upstream-failed"]),
        (503, "app-error", ["upstream-failed", "server-error"]),
        (500, "app-error", ["server-error"]),
        (404, "whole", []),
    ],
)
def test_a_status_may_say_that_it_failed(status: int, answer: str, codes: list[str]) -> None:
    [found] = verdicts(answered(status, 59.9), "ending")
    assert (found.answer, causes(found)) == (answer, codes)
    if status == 504:
        assert found.numbers["after"] == pytest.approx(59.9, abs=0.001)
        assert "nginx's proxy_read_timeout (60 s)" in found.causes[0].summary


def test_who_says_when_to_come_again_is_likely_the_application() -> None:
    [found] = verdicts(answered(503, 0.1, b"Retry-After: 2\r\n"), "ending")
    assert causes(found) == ["server-error", "upstream-failed"]
    assert {one.sure for one in found.causes} == {"possible"}
