"""How calls of gRPC ended, wherever that is said."""

from __future__ import annotations

import pytest
from support.http2 import Fields, Http2Talk, data, framed
from support.judged import causes, verdicts
from support.talk import Side, decoded

from wireproof.analysis.judges import explain
from wireproof.analysis.listing import listed
from wireproof.analysis.verdict import Verdict

CALL: Fields = [
    (":method", "POST"), (":scheme", "http"), (":path", "/a.B/C"), (":authority", "a"),
    ("content-type", "application/grpc"), ("te", "trailers"),
]  # fmt: skip
HEAD: Fields = [(":status", "200"), ("content-type", "application/grpc")]
MESSAGE = b"\0\0\0\0\x02hi"


def call(*trailers: tuple[str, str], timeout: str = "", messages: int = 1) -> Http2Talk:
    """A call that ends with trailers; without messages they are all that its answer has."""
    talk = asked(timeout)
    if messages:
        talk.say("server", talk.server.head(1, HEAD), *[data(1, MESSAGE)] * messages)
        talk.say("server", talk.server.head(1, list(trailers), ends=True))
    else:
        talk.say("server", talk.server.head(1, [*HEAD, *trailers], ends=True))
    return talk


def asked(timeout: str = "") -> Http2Talk:
    talk = Http2Talk().at(0.5).begin().at(1.0)
    limit = [("grpc-timeout", timeout)] if timeout else []
    talk.say("client", talk.client.head(1, [*CALL, *limit]), data(1, MESSAGE, ends=True))
    return talk


def ending(talk: Http2Talk) -> Verdict:
    talk._now = None
    talk.talk.close()
    (found,) = verdicts(talk.records(), "ending")
    return found


@pytest.mark.parametrize("messages", [0, 1, 3])
def test_a_failure_is_the_application_s(messages: int) -> None:
    status = ("grpc-status", "13"), ("grpc-message", "worker%20died%3A %C3%A9")
    found = ending(call(*status, messages=messages))
    assert (found.answer, found.severity, causes(found)) == (
        "app-error", "error", ["grpc-internal"],
    )  # fmt: skip
    assert found.numbers["grpc_status"] == 13
    assert found.numbers["grpc_message"] == "worker died: é"
    assert "INTERNAL (13) 'worker died: é'" in found.summary


@pytest.mark.parametrize("messages", [0, 1])
def test_success_is_whole(messages: int) -> None:
    found = ending(call(("grpc-status", "0"), messages=messages))
    assert (found.answer, found.severity) == ("whole", "ok")


def test_cancelled_and_too_late_are_told_apart() -> None:
    cancelled = ending(call(("grpc-status", "1")))
    late = ending(call(("grpc-status", "4"), timeout="2S"))
    assert (causes(cancelled), cancelled.severity) == (["grpc-cancelled"], "note")
    assert (causes(late), late.severity) == (["grpc-deadline-exceeded"], "error")
    assert "the client had given it 2.00" in late.causes[0].summary


@pytest.mark.parametrize(
    ("timeout", "left", "cause"),
    [
        ("1S", 2.001, "grpc-deadline-exceeded"),
        ("1000m", 1.995, "grpc-deadline-exceeded"),
        ("1S", 1.6, "client-closed"),
        ("", 2.001, "client-closed"),
        ("1x", 2.001, "client-closed"),
    ],
)
def test_a_client_that_leaves_when_its_deadline_has_passed(
    timeout: str, left: float, cause: str
) -> None:
    talk = asked(timeout)
    talk.say("server", talk.server.head(1, HEAD), data(1, MESSAGE))
    talk.at(left - 0.2).say("server", data(1, MESSAGE))
    talk.at(left).say("client", framed(3, 0, 1, b"\0\0\0\x08"))
    found = ending(talk)
    assert (found.answer, causes(found)) == ("aborted", [cause])


@pytest.mark.parametrize(
    ("timeout", "sender", "error", "cause"),
    [
        ("1S", "client", 8, "grpc-deadline-exceeded"),
        ("5S", "client", 8, "client-closed"),
        ("1S", "server", 8, "grpc-deadline-exceeded"),
        ("1S", "server", 2, "http2-reset"),
        ("5S", "server", 8, "http2-reset"),
    ],
)
def test_a_call_that_is_given_up_before_its_answer(
    timeout: str, sender: Side, error: int, cause: str
) -> None:
    talk = asked(timeout)
    talk.at(2.001).say(sender, framed(3, 0, 1, error.to_bytes(4)))
    assert causes(ending(talk))[0] == cause


def test_a_status_of_cancelled_at_the_deadline_names_it() -> None:
    talk = asked("1S")
    talk.at(2.0).say("server", talk.server.head(1, [*HEAD, ("grpc-status", "1")], ends=True))
    (cause,) = ending(talk).causes
    assert (cause.code, "the client had given it 1.00" in cause.summary) == ("grpc-cancelled", True)


@pytest.mark.parametrize("messages", [0, 2])
def test_an_answer_without_a_status_is_not_whole(messages: int) -> None:
    found = ending(call(("x-other", "1"), messages=messages))
    assert (found.answer, found.severity) == ("app-incomplete", "error")
    assert causes(found) == ["terminator-missing"]


def test_an_unknown_number_is_said_as_it_is() -> None:
    found = ending(call(("grpc-status", "77")))
    assert "failed with 77 (77)" in found.summary
    assert causes(found) == ["grpc-unknown"]


def test_the_list_has_it() -> None:
    talk = call(("grpc-status", "14"), ("grpc-message", "no route"))
    talk._now = None
    talk.talk.close()
    (found,) = [listed(one) for one in explain(talk.records())]
    assert (found.grpc_status, found.grpc_message) == ("UNAVAILABLE", "no route")


@pytest.mark.parametrize("messages", [0, 1])
def test_a_status_whose_name_is_missing_is_not_said_to_be_missing(messages: int) -> None:
    """The names of later trailers refer to those of an earlier call, which the capture lacks."""
    talk = call(("grpc-status", "0"), messages=messages)
    lost = talk.talk.tape.packets[-1][0]
    talk.say("server", framed(6, 0, 0, bytes(8)))
    talk.say("client", talk.client.head(3, CALL), data(3, MESSAGE, ends=True))
    head, status = HEAD, [("grpc-status", "5")]
    if messages:
        talk.say("server", talk.server.head(3, HEAD), data(3, MESSAGE))
        head = []
    talk.say("server", talk.server.head(3, head + status, ends=True))
    talk._now = None
    talk.talk.close()
    records = decoded([packet for packet in talk.packets() if packet[0] != lost])
    later = next(one for one in explain(records) if one.exchange.stream_id == 3)
    (found,) = [one for one in later.verdicts if one.question == "ending"]
    assert (found.answer, found.severity) == ("unknowable", "note")
    assert found.summary.endswith("maybe grpc-status: how the call ended is unknown")
