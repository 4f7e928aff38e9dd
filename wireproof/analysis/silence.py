"""How long nothing came of a response before its connection ended, where it did not end by itself.

Strategy: a response that is complete has ended when its last byte came, and what its connection
does after that is no concern of it. One that its framing did not end was waited for until somebody
closed or reset the connection: from the last that came of its exchange to the first FIN or RST
after that. A client that sent its FIN before (RFC 9293 section 3.6: it sends no more, but it may
still receive) waits for the server's.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import ConnectionRecord, Sender

from ..exchange import Exchange
from ..heads import is_final
from ..text.wording import duration, flag_by, is_ended_by_fin_alone

LEAST_SHOWN = 1.0
"""Seconds of silence from which on views speak of it."""


class Silence(NamedTuple):
    """Nothing came from ``after`` on, a packet, until ``packet``."""

    seconds: float
    after: int
    packet: int
    time: float
    """Of ``packet``, in seconds since the epoch."""
    sender: Sender | None
    """Whose FIN or RST it is; None where the capture ends first."""
    kind: str
    """``fin``, ``reset``, or ``open`` where the capture ends first."""

    def __str__(self) -> str:
        said = f"{duration(self.seconds)} of silence"
        if self.sender is None:
            return f"{said} up to the last packet of the connection ({self.packet})"
        return f"{said}, then {self.ended_by}"

    @property
    def ended_by(self) -> str:
        """The packet that ended it: ``FIN by the client (packet 9)``."""
        if self.sender is None:
            return f"the last packet of the connection ({self.packet})"
        return f"{flag_by(self.kind, self.sender)} (packet {self.packet})"


def silence_before_end(exchange: Exchange) -> Silence | None:
    """Return the silence before the end of an exchange, None if there is none to speak of."""
    found = None
    if exchange.first_packet:
        found = silence_since(exchange, exchange.last_packet, exchange.last_time)
    return found if found is not None and found.seconds >= LEAST_SHOWN else None


def silence_since(exchange: Exchange, packet: int, time: float) -> Silence | None:
    """Return the silence since a packet, None if the exchange ended by itself, or has not ended."""
    connection = exchange.connection
    if connection is None or not exchange.is_last or _has_ended_by_itself(exchange):
        return None
    for end in _ends(connection):
        if end.time >= time and end.packet >= packet:
            return end._replace(seconds=end.time - time, after=packet)
    return None


def _has_ended_by_itself(exchange: Exchange) -> bool:
    response, body = exchange.response, exchange.response_body
    if response is None or not is_final(response):
        return False
    if response.framing == "upgrade":
        # What else is spoken after a switch has no end that is known here.
        return response.transport != "websocket" or len(exchange.closing) == 2
    if response.framing == "none":
        return True
    return body is not None and body.complete and not is_ended_by_fin_alone(body)


def _ends(connection: ConnectionRecord) -> list[Silence]:
    """Return every FIN and RST of a connection in order, and the last packet if nobody sent one."""
    if not connection.ends:
        return [Silence(0.0, 0, connection.last_packet, connection.last_time, None, "open")]
    return [
        Silence(0.0, 0, end["packet"], end["time"], end["sender"], end["kind"])
        for end in connection.ends
    ]
