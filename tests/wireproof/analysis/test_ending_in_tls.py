"""How a response over TLS ended, which close_notify tells for certain."""

from __future__ import annotations

from io import BytesIO

from support.judged import causes, verdicts
from support.talk import Side
from support.timed import EVENT_STREAM, event
from support.tls_live import dialogue

from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.records import BodyRecord
from wireproof.analysis.verdict import Verdict

COUNTED = EVENT_STREAM + b"Content-Length: 100\r\n"


def in_tls(fields: bytes, *pieces: bytes, ends: tuple[Side, ...]) -> tuple[Verdict, BodyRecord]:
    """How a response over TLS ended, whose ``ends`` sent close_notify; and its body."""
    head = b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n"
    lines: list[tuple[Side, bytes]] = [("client", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")]
    lines += [("server", piece) for piece in (head, *pieces)]
    said, keys = dialogue(lines, ends=ends), KeyLog()
    keys.read(said.keys)
    records = list(decode(BytesIO(said.talk().tape.file()), keylog=keys))
    [found] = verdicts(records, "ending")
    [body] = [one for one in records if isinstance(one, BodyRecord) and one.sender == "server"]
    return found, body


def test_close_notify_ends_a_body_for_certain() -> None:
    """RFC 9112 section 9.8: what a FIN cannot tell, close_notify does."""
    found, body = in_tls(EVENT_STREAM, event(0), event(1), ends=("server",))
    assert (body.complete, body.ended_by, body.layer) == (True, "close", "tls")
    assert (found.answer, found.severity) == ("whole", "ok")
    assert found.summary == "complete (close_notify), after 2 events"
    assert found.numbers["whole"] is True and found.numbers["found"] == []
    assert causes(found) == []


def test_without_close_notify_a_body_in_tls_is_cut() -> None:
    found, body = in_tls(EVENT_STREAM, event(0), event(1), ends=())
    assert (body.complete, body.ended_by) == (False, "close-notify-missing")
    assert found.answer == "cut" and found.numbers["whole"] is False


def test_the_client_s_close_notify_does_not_end_the_server_s_body() -> None:
    found, body = in_tls(EVENT_STREAM, event(0), event(1), ends=("client",))
    assert (body.complete, body.ended_by) == (False, "close-notify-missing")
    assert found.answer in ("cut", "aborted")


def test_close_notify_makes_no_short_body_whole() -> None:
    found, body = in_tls(COUNTED, event(0), ends=("server",))
    assert (body.complete, found.answer) == (False, "cut")
