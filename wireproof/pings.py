"""Pings and the Pongs that answer them (RFC 6455 section 5.5): the one rule of it.

Strategy: the Pings of each side wait in order, MAX_PINGS of them at most, and a Pong is looked for
from the latest on, which it nearly always answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from parsers.records import Sender, WebSocketFrameRecord

MAX_PINGS = 64
"""Pings without a Pong that are remembered of each side; the oldest is forgotten."""


class Answer(NamedTuple):
    """What a Pong answers."""

    ping: WebSocketFrameRecord | None = None
    """The Ping whose payload it repeats; None if nobody asked."""
    answered: Sequence[WebSocketFrameRecord] = ()
    """The Pings that no Pong had answered before, in order: one may answer several."""


NO_ANSWER = Answer()


class Pings:
    """Pings of both sides, and which Pong answers them.

    A Pong repeats the payload of the latest Ping that it answers, and answers those before it as
    well (RFC 6455 section 5.5.3). A Ping is answered once, by the first that does; a Pong of its
    own may still follow, and is not unasked then.
    """

    __slots__ = ("_sent", "_waiting")

    def __init__(self) -> None:
        self._sent: dict[Sender, list[WebSocketFrameRecord]] = {}
        """Those whose own Pong has not come; every exchange has this, and few have any."""
        self._waiting: dict[Sender, int] = {}
        """How many of them, the last ones, no Pong has answered."""

    def sent(self, ping: WebSocketFrameRecord) -> None:
        """Remember a Ping."""
        sent = self._sent.setdefault(ping.sender, [])
        if len(sent) >= MAX_PINGS:
            del sent[0]
        sent.append(ping)
        self._waiting[ping.sender] = min(self._waiting.get(ping.sender, 0) + 1, MAX_PINGS)

    def answer(self, pong: WebSocketFrameRecord) -> Answer:
        """Return what a Pong answers, and take note of it."""
        sender: Sender = "server" if pong.sender == "client" else "client"
        sent = self._sent.get(sender, [])
        first = len(sent) - self._waiting.get(sender, 0)
        for index in range(len(sent) - 1, -1, -1):
            if sent[index].data == pong.data:
                answered = sent[first : index + 1]
                self._waiting[sender] -= len(answered)
                return Answer(sent.pop(index), answered)
        return NO_ANSWER
