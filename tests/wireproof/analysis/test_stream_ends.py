"""How frames of HTTP/2 ended a stream: by whom, why, and what is said of it."""

from __future__ import annotations

import re

import pytest
from support.http2 import EVENTS, GET, Http2Talk, data, framed
from support.judged import causes, verdicts
from support.talk import Side
from support.timed import Handmade
from support.websocket_frames import frame

from parsers.http2.elements import GOAWAY, PING, RST_STREAM
from parsers.records import DiagnosticRecord
from wireproof.analysis.outcomes import outcomes
from wireproof.analysis.verdict import Question, Verdict
from wireproof.text.wording import NO_BODY

WEBSOCKET = [
    (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/ws"),
    (":authority", "a"), ("sec-websocket-version", "13"),
]  # fmt: skip
EVENT = b"data: a\n\n"
UNKNOWN = "the body is not known to be whole (END_STREAM came)"
NO_ERROR, INTERNAL, REFUSED, CANCEL, CALM = 0, 2, 7, 8, 11


def streaming(*, answered: bool = True) -> Http2Talk:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, GET, ends=True))
    if answered:
        talk.say("server", talk.server.head(1, EVENTS), *[data(1, EVENT)] * 3)
    return talk


def resets(code: int) -> bytes:
    return framed(RST_STREAM, 0, 1, code.to_bytes(4))


def goes_away(last: int, code: int, said: bytes = b"") -> bytes:
    return framed(GOAWAY, 0, 0, last.to_bytes(4) + code.to_bytes(4) + said)


def told(talk: Http2Talk, question: Question = "ending") -> list[Verdict]:
    talk.talk.close()
    return verdicts(talk.records(), question)


@pytest.mark.parametrize(
    ("code", "cause", "said"),
    [
        (NO_ERROR, "http2-truncated", "clients may take it for complete"),
        (INTERNAL, "http2-reset", "an exception, or a proxy whose upstream was cut"),
        (CANCEL, "http2-reset", "does not want to go on"),
        (CALM, "http2-reset", "too many pings"),
        (0x77, "http2-reset", "0x77"),
    ],
)
def test_the_server_broke_it(code: int, cause: str, said: str) -> None:
    talk = streaming()
    packet = talk.say("server", resets(code))
    (found,) = told(talk)
    assert (found.answer, found.severity, causes(found)) == ("cut", "error", [cause])
    assert said in found.causes[0].summary
    assert f"by the server (packet {packet})" in found.summary
    assert found.numbers["ended_by"] == "rst-stream"
    assert told(streaming_reset(code), "disconnect") == []


def streaming_reset(code: int) -> Http2Talk:
    talk = streaming()
    talk.say("server", resets(code))
    return talk


def test_a_reset_without_an_error_after_the_end_is_nothing() -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, [(":method", "POST"), *GET[1:]]))
    talk.say("server", talk.server.head(1, EVENTS), data(1, EVENT, ends=True), resets(NO_ERROR))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("whole", "ok")


def test_the_client_left() -> None:
    talk = streaming()
    talk.say("client", resets(CANCEL))
    talk.say("server", data(1, EVENT), data(1, EVENT))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("aborted", "note")
    assert "after 3 events" in found.summary


@pytest.mark.parametrize("frame", ["reset", "goaway"])
def test_what_was_not_processed_is_safe_to_send_again(frame: str) -> None:
    talk = streaming(answered=False)
    said = resets(REFUSED) if frame == "reset" else goes_away(0, NO_ERROR)
    packet = talk.say("server", said)
    (found,) = told(talk)
    assert (found.answer, found.severity, causes(found)) == (
        "refused", "warning", ["http2-refused"],
    )  # fmt: skip
    assert f"(packet {packet}): it is safe to send it again" in found.summary


@pytest.mark.parametrize("frame", ["reset", "goaway"])
def test_what_was_answered_already_is_not_safe_to_send_again(frame: str) -> None:
    talk = streaming()
    talk.say("server", resets(REFUSED) if frame == "reset" else goes_away(0, NO_ERROR))
    (found,) = told(talk)
    cause = "http2-reset" if frame == "reset" else "http2-goaway-error"
    assert (found.answer, found.severity, causes(found)) == ("cut", "error", [cause])
    assert "safe" not in found.summary
    codes = {one.code for one in talk.records() if isinstance(one, DiagnosticRecord)}
    assert codes == {"http2-reset"}


def test_a_graceful_goaway_ends_nothing() -> None:
    talk = streaming()
    talk.say("server", goes_away(2**31 - 1, NO_ERROR), goes_away(1, NO_ERROR))
    talk.say("server", data(1, EVENT, ends=True))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("whole", "ok")


def test_a_goaway_with_an_error_gives_up_what_is_open() -> None:
    talk = streaming()
    talk.say("server", goes_away(1, CALM, b"too_many_pings"))
    (found,) = told(talk)
    assert (found.answer, causes(found)) == ("cut", ["http2-goaway-error"])
    assert "GOAWAY ENHANCE_YOUR_CALM by the server" in found.summary
    assert "too_many_pings" in found.summary


def test_a_connection_that_is_closed_with_the_stream_open() -> None:
    (found,) = told(streaming())
    assert found.answer == "cut"
    assert "FIN by the server" in found.summary


def test_an_end_after_missing_frames_is_an_end() -> None:
    talk = streaming()
    talk.talk.lose("server", len(data(1, EVENT)))
    talk.say("server", data(1, EVENT), data(1, EVENT, ends=True))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("unknowable", "note")
    assert causes(found) == ["capture-incomplete"]
    assert found.summary == (
        "the capture lacks frames, maybe its own: it ended as it should (END_STREAM), but whether"
        " it was whole is unknown"
    )
    assert found.evidence == (UNKNOWN,)


def test_list_explanation_and_assertion_judge_the_same_of_missing_frames() -> None:
    talk = streaming()
    talk.talk.lose("server", len(data(1, EVENT)))
    talk.say("server", data(1, EVENT), data(1, EVENT, ends=True))
    talk.talk.close()
    records = talk.records()
    (outcome,) = outcomes([records])
    assert outcome.listed.end == "unknowable"
    exchange = Handmade(talk.talk.tape).exchange()
    with pytest.raises(AssertionError, match=f"the capture lacks .*{re.escape(UNKNOWN)}"):
        exchange.assert_clean_end()


def test_missing_frames_may_have_been_the_end() -> None:
    talk = streaming()
    talk.talk.lose("server", len(data(1, EVENT)))
    talk.say("server", framed(PING, 0, 0, bytes(8)), framed(PING, 0, 0, bytes(8)))
    (found,) = told(talk)
    assert (found.answer, causes(found)) == ("unknowable", ["capture-incomplete"])


@pytest.mark.parametrize(
    ("sender", "code", "severity"), [("client", CANCEL, "note"), ("server", INTERNAL, "error")]
)
def test_a_websocket_in_a_stream_that_was_reset(sender: Side, code: int, severity: str) -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET))
    talk.say("server", talk.server.head(1, [(":status", "200")]), data(1, frame(1, b"hello")))
    packet = talk.say(sender, resets(code))
    (found,) = told(talk, "websocket")
    assert (found.answer, found.severity) == ("ws-1006", severity)
    assert found.numbers["by"] == sender
    assert f"by the {sender} (packet {packet})" in found.summary


@pytest.mark.parametrize(("sender", "answer"), [("client", "aborted"), ("server", "cut")])
def test_the_end_of_a_connection_ends_all_that_is_open(sender: Side, answer: str) -> None:
    """Streams are open at once: not only the last that was answered."""
    talk = Http2Talk().begin()
    for stream_id in (1, 3, 5):
        talk.say("client", talk.client.head(stream_id, GET, ends=True))
    for stream_id in (1, 3, 5):
        talk.say("server", talk.server.head(stream_id, EVENTS), *[data(stream_id, EVENT)] * 3)
    packet = talk.talk.fin(sender)
    talk.talk.fin("server" if sender == "client" else "client")
    found = verdicts(talk.records(), "ending")
    assert [one.answer for one in found] == [answer] * 3
    assert all(f"packet {packet})" in one.summary for one in found)


LOST = "the capture lacks bytes of the client's, maybe a RST_STREAM"


def test_a_client_may_have_left_by_a_frame_that_was_not_captured() -> None:
    """Its RST_STREAM is missing, and its FIN comes while another stream goes on."""
    talk = streaming()
    talk.talk.lose("client", len(resets(CANCEL)))
    talk.say("client", talk.client.head(3, GET, ends=True))
    talk.say("server", talk.server.head(3, EVENTS), data(3, EVENT))
    packet = talk.talk.fin("client")
    talk.talk.fin("server")
    left, later = verdicts(talk.records(), "ending")
    assert (left.answer, later.answer) == ("aborted", "aborted")
    assert left.summary.startswith(f"the client left (FIN, packet {packet}) after 3 events")
    assert left.summary.endswith(f"; it may have left before, for {LOST}")
    assert LOST not in later.summary  # it began after the hole


def test_a_server_that_closes_first_is_not_accused_where_the_client_may_have_left() -> None:
    talk = streaming()
    talk.talk.lose("client", len(resets(CANCEL)))
    talk.talk.fin("server")
    talk.talk.fin("client")
    records = talk.records()
    (found,) = verdicts(records, "ending")
    assert (found.answer, causes(found)) == ("unknowable", ["capture-incomplete"])
    assert found.summary.startswith(LOST)
    assert not any(getattr(one, "severity", "") == "error" for one in records)


def test_a_server_that_closes_after_its_client_cut_nothing() -> None:
    """What the client sent before its FIN waited behind missing bytes of its own."""
    talk = streaming()
    talk.talk.lose("client", 43)
    talk.say("client", resets(CANCEL))
    talk.talk.fin("client")
    talk.talk.fin("server")
    (found,) = verdicts(talk.records(), "ending")
    assert (found.answer, found.severity) == ("aborted", "note")
    assert "RST_STREAM" in found.summary


@pytest.mark.parametrize(("size", "answer"), [(27, "whole"), (26, "cut"), (500, "cut")])
def test_an_answer_that_is_not_as_long_as_it_says_is_malformed(size: int, answer: str) -> None:
    talk = streaming(answered=False)
    talk.say("server", talk.server.head(1, [*EVENTS, ("content-length", str(size))]))
    talk.say("server", *[data(1, EVENT)] * 2, data(1, EVENT, ends=True))
    (found,) = told(talk)
    assert found.answer == answer
    assert found.numbers["whole"] is (answer == "whole")
    if answer == "cut":
        assert causes(found) == ["response-malformed"]
        assert f"27 bytes came, '{size}' declared" in found.summary
        assert "Content-Length" in found.causes[0].remedy


HEAD = [(":method", "HEAD"), *GET[1:]]
PROTOCOL_ERROR = 1


def asked_for_a_head() -> Http2Talk:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, HEAD, ends=True))
    return talk


@pytest.mark.parametrize("ends", [True, False])
def test_an_answer_to_head_is_whole_with_its_head(ends: bool) -> None:
    """Some servers never end its stream, and clients do not wait for that."""
    talk = asked_for_a_head()
    talk.say("server", talk.server.head(1, EVENTS, ends=ends))
    (found,) = told(talk)
    assert (found.answer, found.severity, found.summary) == ("whole", "ok", NO_BODY)


def test_a_client_gives_up_an_answer_to_head_that_has_content() -> None:
    talk = asked_for_a_head()
    packet = talk.say("server", talk.server.head(1, EVENTS), data(1, EVENT))
    talk.say("client", resets(PROTOCOL_ERROR))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("cut", "error")
    assert causes(found) == ["response-malformed", "http2-reset"]
    first = found.causes[0]
    assert first.summary.endswith(f"9 bytes in an answer to HEAD (packet {packet})")
    assert first.remedy == "send no content in answer to HEAD, nor with 204 or 304"


def test_content_in_an_answer_to_head_makes_it_malformed() -> None:
    talk = asked_for_a_head()
    talk.say("server", talk.server.head(1, EVENTS), data(1, EVENT, ends=True))
    (found,) = told(talk)
    assert (found.answer, causes(found)) == ("cut", ["response-malformed"])


@pytest.mark.parametrize(("first", "severity"), [("server", "error"), ("client", "note")])
def test_a_websocket_whose_stream_was_ended_without_a_close(first: Side, severity: str) -> None:
    """END_STREAM is as a FIN: who closed the connection later ended nothing."""
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET))
    talk.say("server", talk.server.head(1, [(":status", "200")]), data(1, frame(1, b"hello")))
    packet = talk.say(first, data(1, b"", ends=True))
    talk.say("client" if first == "server" else "server", data(1, b"", ends=True))
    talk.talk.fin("client")
    talk.talk.fin("server")
    records = talk.records()
    (found,) = verdicts(records, "websocket")
    assert (found.answer, found.severity, found.numbers["by"]) == ("ws-1006", severity, first)
    assert f"END_STREAM by the {first} (packet {packet})" in found.summary
    assert causes(found)[0] == "no-close-frame"
    if first == "server":
        assert verdicts(records, "disconnect") == []


@pytest.mark.parametrize("ends", [True, False])
def test_a_websocket_that_is_not_granted_is_refused(ends: bool) -> None:
    talk = Http2Talk().begin()
    talk.say("client", talk.client.head(1, WEBSOCKET, ends=True))
    talk.say("server", talk.server.head(1, [(":status", "403")], ends=ends))
    if not ends:
        talk.say("server", data(1, b"no", ends=True))
    (found,) = told(talk)
    assert (found.answer, found.severity) == ("refused", "warning")
    assert causes(found) == ["http-upgrade-refused"]
