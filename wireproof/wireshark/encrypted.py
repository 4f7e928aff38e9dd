"""TLS as both sides show it: records, what hellos agreed on, and places of what was decrypted.

Strategy: a record is an element at its place in the stream, as everything else is. What hellos say
belongs to the connection: one element for each, put together from the packets that have a part of
it. Names are those of the registries, on both sides.
"""

from __future__ import annotations

import re
from collections import Counter

from parsers.records import TlsConnectionRecord, TlsRecordRecord

from .elements import Element, Kind, Value

CONTENT_TYPES = {
    "20": "change_cipher_spec", "21": "alert", "22": "handshake", "23": "application_data",
    "24": "heartbeat",
}  # fmt: skip
VERSIONS = {"0x0304": "TLSv1.3", "0x0303": "TLSv1.2", "0x0302": "TLSv1.1", "0x0301": "TLSv1.0"}
CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS, FATAL = 1, 2, 8, 2
_SUITE = re.compile(r"Cipher Suite: (\w+)")


class InnerPlaces:
    """Where elements lie that were decrypted: both sides count, for no byte of theirs has a place
    in the stream of TCP.

    What is of HTTP/2 counts within its packet and stream, so that what only one side shows moves
    nothing else; other elements count in what their sender sent.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[Kind, int, str, int]] = Counter()

    def place(self, element: Element) -> None:
        """Give an element its place, among those of its kind."""
        base = 0
        if element.kind in ("http2_frame", "http2_section"):
            stream_id = element.values.get("stream_id")
            assert stream_id is None or isinstance(stream_id, int)
            base = (element.frame << _STREAM_BITS | (stream_id or 0)) << _COUNT_BITS
        side = element.kind, element.stream, element.sender, base
        element.offset = element.end = base + self._counts[side]
        element.other_offset = None
        element.facts.in_tls = True
        self._counts[side] += 1


_STREAM_BITS, _COUNT_BITS = 31, 20
"""Of a stream's number, and of a count: a packet holds fewer frames."""


class Agreed:
    """What hellos and alerts of one connection say, as Wireshark shows them."""

    def __init__(self, stream: int, frame: int) -> None:
        self._element = Element("tls", stream, "", 0, frame, dict.fromkeys(AGREED))
        self._hello = 0
        self._offers = 0  # ClientHellos: the first one counts
        self._level = 0

    @property
    def element(self) -> Element:
        return self._element

    def begin(self, number: int) -> None:
        """Begin a handshake message of a type."""
        self._hello = number
        self._offers += number == CLIENT_HELLO

    def server_name(self, name: str) -> None:
        if self._hello == CLIENT_HELLO and self._element.values["sni"] is None:
            self._element.values["sni"] = name

    def version(self, show: str, *, is_extension: bool) -> None:
        """Take a version that ServerHello names; that of the extension holds (RFC 8446 4.2.1)."""
        if self._hello == SERVER_HELLO and (is_extension or not self._element.values["version"]):
            self._element.values["version"] = VERSIONS.get(show, show)

    def suite(self, label: str) -> None:
        found = _SUITE.search(label)
        if self._hello == SERVER_HELLO and found is not None:
            self._element.values["cipher"] = found[1]

    def protocol(self, name: str) -> None:
        """Take a protocol that the client offers, or the one that the server chose."""
        values = self._element.values
        if self._hello == CLIENT_HELLO and self._offers == 1:
            offered = values["alpn_offered"]
            values["alpn_offered"] = name if offered is None else f"{offered!s}, {name}"
        elif self._hello in (SERVER_HELLO, ENCRYPTED_EXTENSIONS) and values["alpn"] is None:
            values["alpn"] = name

    def level(self, number: int) -> None:
        self._level = number

    def alert(self, number: int) -> None:
        if self._level == FATAL and self._element.values["alert"] is None:
            self._element.values["alert"] = number


AGREED = ("sni", "alpn_offered", "version", "cipher", "alpn", "alert")
"""What is compared of a connection with TLS."""


def agreed_values(tls: TlsConnectionRecord) -> dict[str, Value]:
    """Return what our decoder knows of the same."""
    alert = None if tls.alert is None else tls.alert["description"]
    return {
        "sni": tls.sni,
        "alpn_offered": ", ".join(tls.alpn_offered) or None,
        "version": tls.version,
        "cipher": tls.cipher,
        "alpn": tls.alpn,
        "alert": alert,
    }


def record_values(record: TlsRecordRecord) -> dict[str, Value]:
    """Return what is compared of one record of TLS."""
    return {"type": record.type, "size": record.size}
