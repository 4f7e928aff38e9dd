"""What was asked and what came of it, told apart by the sizes of encrypted records.

Strategy: what is no content has sizes of its own. TLS 1.3 has its handshake, up to a Finished,
whose length the hash gives, then session tickets, of equal length or before anything was asked.
HTTP/2 has SETTINGS first of all, and control frames of 9, 13 and 17 bytes. What is left of the
client asks; what is left of the server, up to the next that asks, is the answer. Control frames
that are most of an answer are none: an application may write as little. No size proves what a
record is, so all of this is likely at best, and whoever prints it says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.records import TlsConnectionRecord

from .records import Sealed
from .sizes import TLS13, Sealing, sealing

FINISHED = {False: 36, True: 52}
"""Bytes of a Finished with its header, with SHA-256 and, if true, with SHA-384 (RFC 8446 section
4.4.4)."""
FINISHED_AMONG = 3
"""Encrypted records of a client's flight: a certificate and its proof come before it."""
ALERT, END_OF_EARLY_DATA, KEY_UPDATE = 2, 4, 5
"""Bytes of an alert, and of two messages; ``0 CRLF CRLF``, a last chunk, has as many as the
second."""
LEAST_TICKET = 90
"""A NewSessionTicket with the least state that a server hands out (RFC 8446 section 4.6.1)."""
MOST_TICKETS = 4
FRAME = 9
"""A frame's header: SETTINGS that acknowledges, and DATA that ends a stream (RFC 9113 4.1)."""
RESET, PING = 13, 17
WINDOW_UPDATES = (13, 22, 26)
"""One, one with an acknowledgement of SETTINGS, and one each for a stream and for the connection
(RFC 9113 section 6.9)."""
CONTROL = (9, 13, 17, 18, 22, 26)
"""Control frames of fixed length: the header, WINDOW_UPDATE or RST_STREAM, PING, and two of
them."""
PREFACE = 24
"""The client's, before its SETTINGS (RFC 9113 section 3.4)."""
SETTING, MOST_SETTINGS = 6, 9
BESIDE_SETTINGS = (0, 9, 13, 22)
"""What stands in one record with SETTINGS: an acknowledgement, a WINDOW_UPDATE, both."""
LEAST_REQUEST = 18
"""``GET / HTTP/1.1`` with its two line ends; frames of a WebSocket may be shorter."""


@dataclass
class Turn:
    """What the client asked, and all that the server sent until it asked again."""

    asked: Sealed | None
    """The last record that asked; None if that is not in the capture."""
    records: list[Sealed] = field(default_factory=list)
    """Of the server, without what is no content by its size."""
    openers: list[Sealed] = field(default_factory=list)
    """Of the client on this connection, which may have opened a window of HTTP/2 or of QUIC."""


class _Reading:
    """The records of one connection, and what is known of how they are encrypted."""

    def __init__(self, tls: TlsConnectionRecord, records: Sequence[Sealed]) -> None:
        self.tls = tls
        self.sealing: Sealing = sealing(tls.version, tls.cipher)
        self.client = [one for one in records if one.sender == "client"]
        self.server = [one for one in records if one.sender == "server"]
        self.may_be_http2 = may_be_http2(tls)
        self.is_tls13 = tls.version in (None, TLS13)

    def holds(self, record: Sealed, *sizes: int) -> bool:
        """Whether a record may hold as many bytes as one of ``sizes``."""
        content = self.sealing.content(record.size)
        return any(size in content for size in sizes)

    def least(self, record: Sealed) -> int:
        """Return how many bytes a record holds at least."""
        return self.sealing.content(record.size).start

    def holds_settings(self, record: Sealed, before: int = 0) -> bool:
        """Whether a record may hold SETTINGS, and no more than goes with them."""
        found = self.sealing.content(record.size)
        return any(
            before + FRAME + SETTING * number + beside in found
            for number in range(MOST_SETTINGS + 1)
            for beside in BESIDE_SETTINGS
        )


def may_be_http2(tls: TlsConnectionRecord) -> bool:
    """Whether HTTP/2 may be spoken: it was chosen, or nothing says that it was not."""
    if tls.alpn is not None:
        return tls.alpn == "h2"
    if tls.version is not None and tls.version != TLS13 and tls.server_hello_time is not None:
        return False  # the server would have said so in the clear
    return "h2" in tls.alpn_offered or tls.client_hello_time is None


def turns_of(tls: TlsConnectionRecord, records: Sequence[Sealed]) -> list[Turn]:
    """Return what was asked and answered, of the encrypted records of a connection.

    ``records`` are those of the type of application data, in the order in which they came.
    """
    reading = _Reading(tls, records)
    if reading.is_tls13 and tls.server_hello_time is not None:
        _skip_handshake(reading)
    if reading.may_be_http2 and tls.server_hello_time is not None:
        _skip_preface(reading)
    asked = [one for one in reading.client if _asks(reading, one)]
    turns = parted(asked, reading.server)
    openers = _openers(reading)
    for turn in turns:
        turn.records = _contents(reading, turn.records)
        turn.openers = openers
    has_start = tls.server_hello_time is not None
    return [turn for turn in turns if turn.records and (turn.asked or not has_start)]


# --- what comes before anything is asked ---


def _skip_handshake(reading: _Reading) -> None:
    """Take the rest of the handshake away, and the tickets after it."""
    length = FINISHED[(reading.tls.cipher or "").endswith("SHA384")]

    def is_finished(one: Sealed) -> bool:
        return reading.holds(one, length)

    client, server = reading.client, reading.server
    among = client if reading.tls.early_data else client[:FINISHED_AMONG]
    end = next((at for at, one in enumerate(among) if is_finished(one)), None)
    if end is None:
        return
    finished = client[end]
    early = [one for one in client[:end] if not reading.holds(one, END_OF_EARLY_DATA)]
    reading.client = [*(early if reading.tls.early_data else []), *client[end + 1 :]]
    flight = [one for one in server if one.packet <= finished.packet and one.time <= finished.time]
    own = next((at for at, one in enumerate(flight) if is_finished(one)), len(flight) - 1)
    reading.server = server[own + 1 :]
    asked = next((one.time for one in reading.client), finished.time)
    del reading.server[: _tickets(reading, asked)]


def _tickets(reading: _Reading, asked: float) -> int:
    """Return how many of the server's first records are session tickets."""
    server = reading.server
    if not server or reading.least(server[0]) < LEAST_TICKET:
        return 0
    alike = next((at for at, one in enumerate(server) if one.size != server[0].size), len(server))
    if 1 < alike <= MOST_TICKETS and alike < len(server):
        return alike
    return 1 if server[0].time < asked else 0


def _skip_preface(reading: _Reading) -> None:
    """Take away what both sides of HTTP/2 say first: SETTINGS (RFC 9113 section 3.4)."""
    if reading.server and reading.holds_settings(reading.server[0]):
        del reading.server[0]
    # Alone it may be what asks: a preface can hold the first request, and HTTP/1.1 has none.
    others = [one for one in reading.client[1:] if _asks(reading, one)]
    if others and reading.holds_settings(reading.client[0], PREFACE):
        del reading.client[0]


# --- who asks, and what is content ---


def _asks(reading: _Reading, record: Sealed) -> bool:
    """Whether a record of the client may hold a request, or a part of one."""
    if reading.holds(record, ALERT, KEY_UPDATE):
        return False
    if not reading.may_be_http2:
        return reading.sealing.content(record.size)[-1] >= LEAST_REQUEST
    if reading.holds(record, PING):
        return False
    return not reading.holds(record, *CONTROL)


def _openers(reading: _Reading) -> list[Sealed]:
    """Return the client's records that are as long as WINDOW_UPDATE frames."""
    if not reading.may_be_http2:
        return []
    return [one for one in reading.client if reading.holds(one, *WINDOW_UPDATES)]


def parted(asked: Sequence[Sealed], server: Sequence[Sealed]) -> list[Turn]:
    """Part what the server sent by what asked before it."""
    turns = [Turn(None)]
    events = sorted([*asked, *server], key=lambda one: (one.time, one.packet))
    for one in events:
        if one.sender == "server":
            turns[-1].records.append(one)
        elif turns[-1].records:
            turns.append(Turn(one))
        else:
            turns[-1].asked = one
    return turns


def _contents(reading: _Reading, records: list[Sealed]) -> list[Sealed]:
    """Return the records of an answer that may hold content."""
    left = [one for one in records if not reading.holds(one, KEY_UPDATE)]
    if left and reading.holds(left[-1], ALERT):
        left.pop()
    if not reading.may_be_http2:
        return left
    left = [one for one in left if not reading.holds(one, FRAME)]
    control = [one for one in left if reading.holds(one, *CONTROL)]
    if len(control) * 2 > len(left) and not _is_answered(reading, control):
        is_reset = reading.holds(left[-1], RESET) and left[-1].size not in [
            one.size for one in left[:-1]
        ]
        return left[:-1] if is_reset else left
    return [one for one in left if not reading.holds(one, *CONTROL)]


def _is_answered(reading: _Reading, control: Sequence[Sealed]) -> bool:
    """Whether the client sends as many PINGs as the server: each answers one (RFC 9113 6.7)."""
    first, last = control[0].time, control[-1].time
    pings = [one for one in control if reading.holds(one, PING)]
    answers = [one for one in reading.client if reading.holds(one, PING) and one.time >= first]
    within = [one for one in answers if one.time <= last + 1.0]
    return len(pings) == len(control) and len(within) >= len(pings) - 1 and bool(within)
