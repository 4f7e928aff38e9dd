"""How WebSockets were closed, and where their pongs were."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.judged import causes, verdicts
from support.timed import Socket
from support.websocket_frames import KEY, frame

from wireproof.analysis.verdict import Verdict

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def code(number: int, reason: bytes = b"") -> bytes:
    return number.to_bytes(2) + reason


def talking(messages: int = 3, every: float = 0.05) -> Socket:
    socket = Socket()
    for _ in range(messages):
        socket.tape.wait(every)
        socket.talk.server(frame(TEXT, b"hello"))
    return socket


def closed(
    socket: Socket,
    number: int = 1000,
    *,
    by: str = "server",
    answered: bool = True,
    after: float = 0.0,
    reason: bytes = b"",
) -> Socket:
    talk = socket.talk
    if by == "server":
        talk.server(frame(CLOSE, code(number, reason)))
        socket.tape.wait(after)
        if answered:
            talk.client(frame(CLOSE, code(number), key=KEY))
    else:
        talk.client(frame(CLOSE, code(number, reason), key=KEY))
        socket.tape.wait(after)
        if answered:
            talk.server(frame(CLOSE, code(number)))
    talk.close()
    return socket


def dropped(socket: Socket, *, by: str = "server", after: float = 0.0) -> Socket:
    socket.tape.wait(after)
    socket.talk.fin("server" if by == "server" else "client")
    return socket


def pinged(payload: bytes = b"p1") -> Socket:
    socket = talking()
    socket.talk.server(frame(PING, payload))
    return socket


def timed_out(socket: Socket) -> Socket:
    socket.tape.wait(2.0)
    return closed(socket, 1011, reason=b"keepalive ping timeout")


def large_in_between() -> Socket:
    """The client's pong stands behind a message that takes longer than the server waits."""
    socket = pinged()
    message = frame(TEXT, b"x" * 300_000, key=KEY)
    for start in range(0, 150_000, 1_000):
        socket.tape.wait(0.01)
        socket.talk.client(message[start : start + 1_000])
    closed_by_now = frame(CLOSE, code(1011, b"keepalive ping timeout"))
    socket.talk.server(closed_by_now)
    for start in range(150_000, len(message), 1_000):
        socket.talk.client(message[start : start + 1_000])
    socket.talk.client(frame(PONG, b"p1", key=KEY))
    socket.talk.client(frame(CLOSE, code(1011), key=KEY))
    socket.talk.close()
    return socket


def large_cut() -> Socket:
    """The message that the pong stands behind never comes to its end."""
    socket = pinged()
    message = frame(TEXT, b"x" * 300_000, key=KEY)
    for start in range(0, 150_000, 1_000):
        socket.tape.wait(0.01)
        socket.talk.client(message[start : start + 1_000])
    return closed(socket, 1011, answered=False)


def late_pong() -> Socket:
    socket = pinged()
    socket.tape.wait(2.0)
    socket.talk.server(frame(CLOSE, code(1011)))
    socket.talk.client(frame(PONG, b"p1", key=KEY))
    socket.talk.client(frame(CLOSE, code(1011), key=KEY))
    socket.talk.close()
    return socket


def answered_ping() -> Socket:
    socket = pinged()
    socket.tape.wait(0.02)
    socket.talk.client(frame(PONG, b"p1", key=KEY))
    return socket


def too_big() -> Socket:
    socket = talking()
    socket.talk.client(frame(TEXT, b"x" * 60_000, key=KEY))
    return closed(socket, 1009)


def behind(size: int, *, wait: float) -> Socket:
    socket = pinged()
    for _ in range(size // 30_000):
        socket.talk.client(frame(TEXT, b"x" * 30_000, key=KEY))
    socket.tape.wait(wait)
    socket.talk.client(frame(PONG, b"p1", key=KEY))
    return closed(socket)


CLOSES: dict[str, tuple[Callable[[], Socket], str, str, list[str]]] = {
    "1000": (lambda: closed(talking()), "ws-clean", "ok", []),
    "1000 by the client": (lambda: closed(talking(), by="client"), "ws-clean", "ok", []),
    "a late pong": (
        lambda: behind(90_000, wait=0.9),
        "ws-clean",
        "note",
        ["pong-behind-large-frame"],
    ),
    "a late pong behind nothing": (lambda: behind(0, wait=0.9), "ws-clean", "ok", []),
    "a pong in time behind much": (lambda: behind(90_000, wait=0.01), "ws-clean", "ok", []),
    "1001": (lambda: closed(talking(), 1001, by="client"), "ws-clean", "ok", ["going-away"]),
    "4001": (lambda: closed(talking(), 4001), "ws-clean", "note", ["private-code"]),
    "not answered": (
        lambda: closed(talking(), answered=False, after=1.0),
        "ws-half-close",
        "warning",
        ["peer-does-not-answer-close"],
    ),
    "FIN": (lambda: dropped(talking()), "ws-1006", "error", ["no-close-frame", "proxy-closed"]),
    "FIN by the client": (
        lambda: dropped(talking(), by="client"),
        "ws-1006",
        "note",
        ["no-close-frame"],
    ),
    "FIN after silence": (
        lambda: dropped(talking(), after=60.0),
        "ws-1006",
        "error",
        ["proxy-idle-timeout", "server-gave-up"],
    ),
    "FIN in a slow rhythm": (
        lambda: dropped(talking(every=50.0), after=60.0),
        "ws-1006",
        "error",
        ["no-close-frame", "proxy-closed"],
    ),
    "1011, no pong": (lambda: timed_out(pinged()), "ws-1011", "error", ["pong-never-came"]),
    "1011, pong after it": (late_pong, "ws-1011", "error", ["pong-never-came"]),
    "1011, pong behind a message": (
        large_in_between,
        "ws-1011",
        "error",
        ["pong-behind-large-frame"],
    ),
    "1011, pong behind a message that was cut": (
        large_cut,
        "ws-1011",
        "error",
        ["pong-behind-large-frame"],
    ),
    "1011, pong in time": (
        lambda: timed_out(answered_ping()),
        "ws-1011",
        "error",
        ["server-error"],
    ),
    "1009": (too_big, "ws-error", "error", ["too-big"]),
    "1008": (lambda: closed(talking(), 1008), "ws-error", "warning", ["close-1008"]),
    "goes on": (talking, "open", "note", []),
}


def verdict(socket: Socket) -> Verdict:
    [found] = verdicts(socket.tape, "websocket")
    return found


@pytest.mark.parametrize("name", CLOSES)
def test_each_close_has_its_answer(name: str) -> None:
    make, answer, severity, codes = CLOSES[name]
    found = verdict(make())
    assert (found.answer, found.severity, causes(found)) == (answer, severity, codes)


def test_figures_say_who_closed_how() -> None:
    numbers = verdict(closed(talking(), 1001, by="client")).numbers
    assert (numbers["code"], numbers["by"], numbers["handshake"]) == (1001, "client", True)
    numbers = verdict(dropped(talking(), after=3.0)).numbers
    assert (numbers["code"], numbers["by"], numbers["handshake"]) == (1006, "server", False)
    assert numbers["idle_before_close"] == pytest.approx(3.0, abs=0.001)


def test_a_ping_that_got_no_pong_was_taken_by_tcp_if_it_was_not_sent_again() -> None:
    found = verdict(timed_out(pinged()))
    assert found.numbers["tcp_acked"] is True
    assert found.numbers["waited"] == pytest.approx(2.0, abs=0.001)
    assert "though the client's TCP acknowledged it" in found.causes[0].summary


def test_whether_tcp_took_it_cannot_be_told_where_something_was_sent_again() -> None:
    socket = talking()
    again = socket.talk.frame("server", frame(PING, b"p1"))
    for _ in range(2):
        socket.tape.add(again)
        socket.tape.wait(0.3)
    found = verdict(timed_out(socket))
    assert found.numbers["tcp_acked"] is None
    assert found.causes[0].sure == "possible"


def test_round_trips_are_evidence() -> None:
    found = verdict(closed(answered_ping()))
    assert found.numbers["rtt_max"] == pytest.approx(0.02, abs=0.001)
    assert found.evidence == ("1 ping answered, after 20.0 ms (packets 9 and 10)",)


def test_nothing_is_told_of_a_close_that_was_not_captured() -> None:
    socket = talking()
    socket.talk.lose("server", 4)
    assert verdict(dropped(socket)).answer == "unknowable"


def test_the_reason_of_a_close_is_escaped_once() -> None:
    found = verdict(closed(talking(), 1011, reason=b"it's \x1b[2J"))
    assert r"1011 internal error 'it's \x1b[2J' (packet" in found.summary
