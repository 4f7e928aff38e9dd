"""Two sides that speak different protocols: what a server's first bytes say, and what to do.

Strategy: the client's first bytes have told what it speaks. A server that speaks the same begins
its answer as that protocol does, and a few bytes tell; till then they wait. Where they contradict,
each side is read by its own bytes, and one diagnostic says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..diagnostics import Diagnostic
from ..expressions import when_used
from ..provenance import Completion, Ending
from ..records import Record
from ..streams import ByteStream, Receiver
from ..tls.alerts import LEVELS, description_of
from .side import successor_of

STATUS_LINE = b"HTTP/1."
# TLSPlaintext: type change_cipher_spec(20) to application_data(23), legacy_record_version 3.x
# (RFC 8446 section 5.1)
_TLS_RECORD = when_used(rb"[\x14-\x17]\x03[\x00-\x04]")
# An alert: of two bytes, level and description (RFC 8446 section 6)
_TLS_ALERT = when_used(rb"\x15\x03[\x00-\x04]\x00\x02([\x01\x02])(.)", re.DOTALL)
_ALERT_SIZE = 7
# A SETTINGS frame, which is what an HTTP/2 server sends first (RFC 9113 sections 3.4 and 6.5)
_HTTP2_SETTINGS = when_used(rb"\x00..\x04\x00\x00\x00\x00\x00", re.DOTALL)
_FRAME_HEADER_SIZE = 9
REMEDIES = {
    ("tls", "http/1.1"): "use http:// on this port, or https:// on the one that serves TLS",
    ("http/1.1", "tls"): "use https:// on this port, or http:// on the one without TLS",
    ("http/1.1", "http/2"): "use HTTP/2 with prior knowledge, or a port that serves HTTP/1.1",
    ("http/2", "http/1.1"): "use HTTP/1.1, or TLS and ALPN, or let the server accept HTTP/2",
    ("http/2", "tls"): "use https:// on this port",
    ("tls", "http/2"): "use HTTP/2 without TLS on this port",
}
"""What to do, by what the client and the server speak."""
NAMES = {"http/1.1": "HTTP/1.1", "http/2": "HTTP/2", "tls": "TLS"}


def answered_in(head: bytes) -> str | None:
    """Return the protocol that a server's first bytes begin; None if it takes more to tell.

    ``unknown`` if they are of none that is told from others here.
    """
    if STATUS_LINE.startswith(head[: len(STATUS_LINE)]):
        return "http/1.1" if len(head) >= len(STATUS_LINE) else None
    if _TLS_RECORD.match(head):
        return None if head[0] == 0x15 and len(head) < _ALERT_SIZE else "tls"
    if len(head) < 3 and re.fullmatch(rb"[\x14-\x17]\x03?", head):
        return None
    if head[0] == 0 and len(head) < _FRAME_HEADER_SIZE:
        return None if head[3:4] in (b"", b"\x04") else "unknown"
    return "http/2" if _HTTP2_SETTINGS.match(head) else "unknown"


def mismatch_text(client: str, server: str, head: bytes) -> str:
    """Say what the sides speak, and what to do about it; ``head`` is how the server's begins."""
    said = f"the client speaks {NAMES[client]}, the server answers in {NAMES[server]}"
    if (alert := _TLS_ALERT.match(head)) is not None:
        said += f" ({LEVELS[alert[1][0]]} alert {description_of(alert[2][0])})"
    return f"{said}: {REMEDIES[client, server]}"


class FirstBytes:
    """A receiver that keeps a stream's first bytes until they tell what it speaks.

    ``choose`` gets that name and those bytes and returns the stream's receiver, and records that
    come before its own. ``usual`` is the receiver that takes faults of the layer below until then,
    and everything if the first bytes are missing.
    """

    def __init__(
        self,
        stream: ByteStream[Record],
        usual: Receiver[Record],
        choose: Callable[[str, bytes], tuple[Receiver[Record], list[Record]]],
    ) -> None:
        self._stream = stream
        self._usual = usual
        self._choose = choose
        self._held = b""

    def receive_data(self, data: bytes) -> list[Record]:
        self._held += data
        name = answered_in(self._held) if self._held else None
        return [] if name is None else self._settle(name)

    def receive_gap(self, length: int) -> list[Record]:
        return self._settle("unknown") + self._stream.receiver.receive_gap(length)

    def pass_over(self, length: int) -> list[Record]:
        """Take note of missing bytes whose gap is recorded already."""
        return self._settle("unknown") + successor_of(self._stream).pass_over(length)

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return self._usual.receive_fault(fault, shown)

    def receive_eof(self, ending: Ending) -> list[Record]:
        return self._settle("unknown") + self._stream.receiver.receive_eof(ending)

    @property
    def open_offsets(self) -> tuple[int, ...]:
        return self._usual.open_offsets + (self._stream.origins.size - len(self._held),)

    def _settle(self, name: str) -> list[Record]:
        receiver, records = self._choose(name, self._held)
        self._stream.receiver = receiver
        return records + receiver.receive_data(self._held) if self._held else records
