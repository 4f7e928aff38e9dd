"""Every fault of HTTP/2: what provokes it, and that nothing else is said."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.http2 import (
    EVENTS,
    GET,
    OK,
    SETTINGS,
    SETTINGS_ACK,
    Fields,
    Http2Talk,
    data,
    framed,
)  # fmt: skip
from support.talk import decoded

from parsers import limits
from parsers.http2.elements import PREFACE
from parsers.records import BodyRecord, DiagnosticRecord, Record
from wireproof.analysis.judges import explain

Say = Callable[[Http2Talk], object]


def codes(records: list[Record]) -> list[str]:
    return [one.code for one in records if isinstance(one, DiagnosticRecord)]


def client(*pieces: bytes) -> Say:
    return lambda talk: talk.say("client", *pieces)


def server(*pieces: bytes) -> Say:
    return lambda talk: talk.say("server", *pieces)


def asks(*, ends: bool = True, fields: list[tuple[str, str]] = GET) -> Say:
    return lambda talk: talk.say("client", talk.client.head(1, fields, ends=ends))


def answers(*, ends: bool = False, fields: list[tuple[str, str]] = OK) -> Say:
    return lambda talk: talk.say("server", talk.server.head(1, fields, ends=ends))


def block(payload: bytes) -> Say:
    return client(framed(1, 0x5, 1, payload))


FIN: Say = lambda talk: talk.talk.fin("server")  # noqa: E731
SMALL = framed(4, 0, 0, bytes.fromhex("00040000000a"))
LARGE = framed(4, 0, 0, bytes.fromhex("00047fffffff"))
LONG = limits.MAX_CONTINUATIONS + 4
CASES: dict[str, list[Say]] = {
    "http2-frame-too-long": [client(framed(0x2A, 0, 0, bytes(16_385)))],
    "http2-frame-cut": [server(framed(6, 0, 0, bytes(8))[:12]), FIN],
    "http2-stream-closed": [asks(), answers(ends=True), server(data(1, b"x"))],
    "http2-stream-idle": [client(data(7, b"x"))],
    "http2-stream-id-invalid": [lambda talk: talk.say("client", talk.client.head(2, GET))],
    "http2-data-invalid": [client(data(0, b"x"))],
    "http2-headers-invalid": [lambda talk: talk.say("client", talk.client.head(0, GET))],
    "http2-priority-invalid": [client(framed(2, 0, 0, bytes(5)))],
    "http2-rst-stream-invalid": [client(framed(3, 0, 0, bytes(4)))],
    "http2-settings-invalid": [client(framed(4, 0, 0, bytes(5)))],
    "http2-setting-invalid": [client(framed(4, 0, 0, bytes.fromhex("000200000002")))],
    "http2-push-promise-invalid": [client(framed(5, 4, 1, bytes(4) + b"\x82"))],
    "http2-ping-invalid": [client(framed(6, 0, 0, bytes(7)))],
    "http2-goaway-invalid": [client(framed(7, 0, 0, bytes(7)))],
    "http2-window-update-invalid": [client(framed(8, 0, 0, bytes(4)))],
    "http2-window-exceeded": [client(SMALL), asks(), answers(), server(data(1, bytes(11)))],
    "http2-window-overflow": [client(framed(8, 0, 0, bytes.fromhex("7fffffff")))],
    "http2-initial-window-overflow": [
        asks(), client(framed(8, 0, 1, bytes.fromhex("00010000")), LARGE)
    ],
    "http2-continuation-invalid": [client(framed(9, 4, 1, b"\x82"))],
    "http2-continuation-flood": [client(framed(1, 0, 1), *[framed(9, 0, 1)] * LONG)],
    "http2-header-limit": [
        block(b"\x82\x86\x84\x40\x01a\x7f\xbd\x1d" + b"b" * 3_900 + b"\xbe" * 300)
    ],
    "http2-trailers-invalid": [asks(), answers(), answers(ends=True)],
    "http2-content-length-wrong": [
        asks(), answers(fields=[*OK, ("content-length", "3")]), server(data(1, b"x", ends=True))
    ],
    "http2-content-unexpected": [
        asks(), answers(fields=[(":status", "204")]), server(data(1, b"x", ends=True))
    ],
    "http2-field-invalid": [asks(fields=[*GET, ("a b", "c")])],
    "http2-connection-field": [asks(fields=[*GET, ("connection", "close")])],
    "http2-pseudo-field-invalid": [asks(fields=[*GET, (":odd", "1")])],
    "http2-request-incomplete": [asks(fields=GET[:1] + GET[2:])],
    "http2-response-incomplete": [asks(), answers(fields=[("a", "b")], ends=True)],
    "http2-connect-invalid": [asks(fields=[(":method", "CONNECT")], ends=False)],
    "http2-switch-forbidden": [asks(), answers(fields=[(":status", "101")])],
    "http2-cancelled": [asks(), answers(), client(framed(3, 0, 1, b"\0\0\0\x08"))],
    "http2-reset": [asks(), answers(), server(framed(3, 0, 1, b"\0\0\0\x02"))],
    "http2-refused": [asks(), server(framed(3, 0, 1, b"\0\0\0\x07"))],
    "http2-truncated": [asks(), answers(), server(framed(3, 0, 1, bytes(4)))],
    "http2-stream-cut": [asks(), answers(fields=EVENTS), server(data(1, b"data: x\n\n")), FIN],
    "hpack-block-cut": [block(b"\x00\x05ab")],
    "hpack-size-update-invalid": [block(b"\x82\x20")],
    "hpack-index-invalid": [block(b"\xc6")],
    "hpack-index-zero": [block(b"\x80")],
    "hpack-integer-invalid": [block(b"\xff\x80")],
    "hpack-huffman-invalid": [block(bytes.fromhex("0084fffffffc0161"))],
}  # fmt: skip


@pytest.mark.parametrize(
    ("trailers", "ends"),
    [([(":status", "200")], True), ([("x-a", "1")], False), ([("connection", "close")], True)],
)
def test_malformed_trailers_make_a_message_malformed(trailers: Fields, ends: bool) -> None:
    """It is not complete then, although its end came (RFC 9113 section 8.1.1)."""
    talk = Http2Talk().begin()
    for say in (asks(), answers(), server(data(1, b"abc"))):
        say(talk)
    talk.say("server", talk.server.head(1, trailers, ends=ends))
    if not ends:
        talk.say("server", data(1, b"", ends=True))
    records = talk.records()
    (body,) = [one for one in records if isinstance(one, BodyRecord)]
    assert (body.ended_by, body.complete, body.size) == ("end-stream", False, 3)
    (judged,) = explain(records)
    (verdict,) = [one for one in judged.verdicts if one.question == "ending"]
    assert (verdict.answer, verdict.severity) == ("cut", "error")
    assert verdict.summary.startswith("the response is malformed: ")


@pytest.mark.parametrize("code", CASES)
def test_what_provokes_it(code: str) -> None:
    talk = Http2Talk().begin()
    for say in CASES[code]:
        say(talk)
    assert codes(talk.records()) == [code]


def test_content_in_an_answer_to_head() -> None:
    talk = Http2Talk().begin()
    for say in (asks(fields=[(":method", "HEAD"), *GET[1:]]), answers(), server(data(1, b"abc"))):
        say(talk)
    talk.talk.close()
    (fault, _) = [one for one in talk.records() if isinstance(one, DiagnosticRecord)]
    assert fault.code == "http2-content-unexpected"
    assert fault.summary.endswith("3 bytes in an answer to HEAD")


def test_a_wrong_preface() -> None:
    talk = Http2Talk()
    talk.say("client", PREFACE + framed(6, 0, 0, bytes(8)))
    assert codes(talk.records()) == ["http2-preface-invalid"]


def test_a_connection_that_is_given_up() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    talk.say("server", talk.server.head(1, EVENTS))
    talk.say("server", framed(7, 0, 0, bytes.fromhex("0000000100000002") + b"worker died"))
    talk.talk.fin("server")
    assert codes(talk.records()) == ["http2-goaway-error"]


def test_missing_bytes() -> None:
    """Frames go on where three headers are no chance; older entries of the table are unknown."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, [*GET, ("a", "b")], ends=True))
    talk.talk.lose("client", 40)
    later = talk.client.head(3, [*GET, ("a", "b"), ("c", "d")], ends=True)
    talk.say("client", later + SETTINGS_ACK + framed(6, 0, 0, bytes(8)) + SETTINGS)
    talk.talk.ack("server")
    assert codes(talk.records()) == [
        "http2-resumed", "http2-fields-unknown", "http2-frames-missing",
    ]  # fmt: skip


def test_too_many_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.http2.streams.MAX_OPEN_STREAMS", 1)
    talk = Http2Talk().begin()
    for number in (1, 3):
        talk.say("client", talk.client.head(number, GET, ends=True))
    assert codes(talk.records()) == ["http2-stream-limit"]


def test_a_flood_of_one_fault_is_listed_only_so_often() -> None:
    talk = Http2Talk().begin()
    talk.say("client", framed(6, 0, 0, bytes(7)) * 100)
    assert codes(talk.records()) == ["http2-ping-invalid"] * limits.MAX_HTTP2_FAULTS


LAST_WAS_NONE = framed(7, 0, 0, bytes(8))
NOT_TAKEN = framed(3, 0, 1, bytes((0, 0, 0, 7)))


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize(
    ("before", "after"),
    [(LAST_WAS_NONE, b""), (b"", LAST_WAS_NONE), (b"", NOT_TAKEN), (LAST_WAS_NONE, NOT_TAKEN)],
)
def test_a_refusal_that_is_read_before_the_request(
    before: bytes, after: bytes, *, lost: bool
) -> None:
    """They crossed, or the request waits behind what the capture lacks."""
    talk = Http2Talk().begin()
    if before:
        talk.say("server", before)
    gone = talk.say("client", framed(6, 0, 0, bytes(8)))
    talk.say("client", talk.client.head(1, GET, ends=True))
    if after:
        talk.say("server", after)
    talk.talk.close()
    packets = [one for one in talk.packets() if not (lost and one[0] == gone)]
    records = decoded(packets)
    refusals = [
        (one.exchange, one.sender, one.stream_id)
        for one in records
        if isinstance(one, DiagnosticRecord) and one.code == "http2-refused"
    ]
    assert refusals == [(0, "server", 1)]
    (explained,) = explain(records)
    assert [(one.answer, one.causes[0].code) for one in explained.verdicts] == [
        ("refused", "http2-refused")
    ]
