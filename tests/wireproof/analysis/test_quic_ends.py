"""How frames of QUIC ended a stream or its connection: by whom, why, and what is said of it."""

from __future__ import annotations

import pytest
from support.judged import causes, verdicts
from support.quic import OK, Talk, ack, close, data, decoded_talk, stream, varint

from parsers.records import DiagnosticRecord
from wireproof.analysis.verdict import Verdict

EVENT = b"data: a\n\n"


def streaming(events: int = 3) -> Talk:
    talk = Talk()
    talk.shake_hands()
    talk.settle()
    talk.ask()
    if events:
        talk.answer(*[EVENT] * events, fin=False)
    return talk


def resets(error: int, size: int = 0) -> bytes:
    return b"\x04" + varint(0) + varint(error) + varint(size)


def ending(talk: Talk) -> Verdict:
    (verdict,) = verdicts(decoded_talk(talk), "ending")
    return verdict


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (0x102, "H3_INTERNAL_ERROR by the server (packet 11): the server failed"),
        (0x10C, "H3_REQUEST_CANCELLED by the server (packet 11): the server, or a proxy for it"),
        (0x100, "H3_NO_ERROR by the server (packet 11): the server broke the answer off"),
        (0x777, "0x777 by the server (packet 11): a code of the peer's own"),
    ],
)
def test_a_server_that_gives_up(error: int, said: str) -> None:
    talk = streaming()
    talk.say("server", resets(error, len(OK) + 3 * len(data(EVENT))))
    found = ending(talk)
    assert (found.answer, causes(found)) == ("cut", ["http3-reset"])
    assert f"RESET_STREAM {said}" in found.causes[0].summary


def test_a_request_that_was_not_processed() -> None:
    talk = streaming(0)
    talk.say("server", resets(0x10B))
    found = ending(talk)
    assert (found.answer, causes(found)) == ("refused", ["http3-refused"])


def test_a_client_that_leaves_a_stream() -> None:
    talk = streaming()
    talk.say("client", b"\x05" + varint(0) + varint(0x10C))
    talk.say("server", resets(0x10C, len(OK) + 3 * len(data(EVENT))))
    found = ending(talk)
    assert (found.answer, causes(found)) == ("aborted", ["client-closed"])
    assert "the client left (STOP_SENDING, packet 11)" in found.summary


@pytest.mark.parametrize(
    ("error", "answer"), [(0x10C, "unknowable"), (0x100, "unknowable"), (0x102, "cut")]
)
def test_a_reset_that_the_client_may_have_asked_for_accuses_nobody(error: int, answer: str) -> None:
    """Its packet arrived, for the server acknowledged it, and the capture lacks it."""
    talk = streaming()
    talk.say("client", b"\x05" + varint(0) + varint(error))
    del talk.packets[-1]
    last = talk.numbers["client", "1-rtt"] - 1
    talk.say("server", resets(error, len(OK) + 3 * len(data(EVENT))), ack(last, last))
    found = ending(talk)
    assert found.answer == answer
    if answer == "unknowable":
        assert causes(found) == ["capture-incomplete"]
        assert "maybe a STOP_SENDING" in found.summary
    codes = {one.code for one in decoded_talk(talk) if isinstance(one, DiagnosticRecord)}
    assert ("http3-reset-unsure" in codes) == (answer == "unknowable")


def test_a_client_that_leaves_the_connection() -> None:
    talk = streaming()
    talk.say("client", close(0x100))
    found = ending(talk)
    assert found.answer == "aborted"
    assert "the client left (CONNECTION_CLOSE, packet 11)" in found.summary


def test_a_server_that_closes() -> None:
    talk = streaming()
    talk.say("server", close(0x102, b"boom"))
    found = ending(talk)
    assert (found.answer, causes(found)) == ("cut", ["quic-closed-error"])
    assert "H3_INTERNAL_ERROR by the server: 'boom'" in found.causes[0].summary


def test_a_connection_that_is_closed_after_all() -> None:
    talk = Talk()
    talk.shake_hands()
    talk.ask()
    talk.answer(EVENT, EVENT)
    talk.say("client", close(0x100))
    assert ending(talk).answer == "whole"


@pytest.mark.parametrize(
    ("frame", "opening", "kind"),
    [
        (b"\x15" + varint(0), b"\x11" + varint(0), "stream-window"),
        (b"\x14", b"\x10", "connection-window"),
    ],
)
def test_a_server_that_says_what_holds_it(frame: bytes, opening: bytes, kind: str) -> None:
    """STREAM_DATA_BLOCKED and DATA_BLOCKED, then what opens the window, 400 ms later."""
    talk = streaming()
    at = len(OK) + 3 * len(data(EVENT))
    talk.say("server", frame + varint(70_000 if kind == "connection-window" else at))
    blocked = len(talk.packets)
    for _ in range(400):
        talk.say("client", b"\x01")
    talk.say("client", opening + varint(1 << 20))
    talk.say("server", stream(0, at, data(EVENT), fin=True))
    (gap,) = verdicts(decoded_talk(talk), "gap")
    assert causes(gap) == [kind]
    assert gap.packets[0] <= blocked < gap.packets[-1]
    assert f"packet {len(talk.packets) - 1} opened it again" in gap.summary
