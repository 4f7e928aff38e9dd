"""TLS and HTTP/2 as both sides show them: records, what hellos agreed on, and frames.

Strategy: a record and a frame of HTTP/2 are elements at their place in the stream, as everything
else is. What hellos say belongs to the connection: one element for each, put together from the
packets that have a part of it. Names of types and codes are those of the registries, on both sides.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from parsers.records import Http2DataRecord, Http2FrameRecord, TlsConnectionRecord, TlsRecordRecord

from .elements import Element, Kind, Value

CONTENT_TYPES = {
    "20": "change_cipher_spec", "21": "alert", "22": "handshake", "23": "application_data",
    "24": "heartbeat",
}  # fmt: skip
FRAME_TYPES = (
    *("DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY"),
    *("WINDOW_UPDATE", "CONTINUATION"),
)
HEAD_TYPES = frozenset(("HEADERS", "CONTINUATION"))
"""Frames of which both sides show what they decode to, and not each frame."""
VERSIONS = {"0x0304": "TLSv1.3", "0x0303": "TLSv1.2", "0x0302": "TLSv1.1", "0x0301": "TLSv1.0"}
ERROR_CODES = (
    *("NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT"),
    *("STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR"),
    *("CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED"),
)
"""RFC 9113 section 7, by their numbers."""
CLIENT_HELLO, SERVER_HELLO, FATAL = 1, 2, 2
HEADER = 9
"""Bytes of a frame's header."""
_SUITE = re.compile(r"Cipher Suite: (\w+)")


class InnerPlaces:
    """Where elements lie that were decrypted: both sides count, for no byte of theirs has a place
    in the stream of TCP.

    Frames of HTTP/2 count within their packet, so that one that only one side shows moves none of
    the later ones; others count in their sender's stream.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[Kind, int, str, int]] = Counter()

    def place(self, element: Element) -> None:
        """Give an element its place, among those of its kind."""
        packet = element.frame if element.kind == "http2_frame" else 0
        side = element.kind, element.stream, element.sender, packet
        element.offset = packet * PER_PACKET + self._counts[side]
        element.other_offset = None
        element.facts.in_tls = True
        self._counts[side] += 1


PER_PACKET = 1 << 20
"""More frames than a packet can hold."""


def error_name(number: int) -> str:
    """Return the name of an error code of HTTP/2; its number where it has none."""
    return ERROR_CODES[number] if number < len(ERROR_CODES) else f"0x{number:x}"


def frame_type(number: int) -> str:
    """Return the name of a frame's type; its number where it has none."""
    return FRAME_TYPES[number] if number < len(FRAME_TYPES) else f"0x{number:02x}"


class Agreed:
    """What hellos and alerts of one connection say, as Wireshark shows them."""

    def __init__(self, stream: int, frame: int) -> None:
        self._element = Element("tls", stream, "", 0, frame, dict.fromkeys(AGREED))
        self._hello = 0
        self._level = 0

    @property
    def element(self) -> Element:
        return self._element

    def begin(self, number: int) -> None:
        """Begin a handshake message of a type."""
        self._hello = number

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

    def level(self, number: int) -> None:
        self._level = number

    def alert(self, number: int) -> None:
        if self._level == FATAL and self._element.values["alert"] is None:
            self._element.values["alert"] = number


AGREED = ("sni", "version", "cipher", "alert")
"""What is compared of a connection with TLS."""


def agreed_values(tls: TlsConnectionRecord) -> dict[str, Value]:
    """Return what our decoder knows of the same."""
    alert = None if tls.alert is None else tls.alert["description"]
    return {"sni": tls.sni, "version": tls.version, "cipher": tls.cipher, "alert": alert}


def record_values(record: TlsRecordRecord) -> dict[str, Value]:
    """Return what is compared of one record of TLS."""
    return {"type": record.type, "size": record.size}


def frame_values(record: Http2DataRecord | Http2FrameRecord) -> dict[str, Value]:
    """Return what is compared of a frame of HTTP/2."""
    values: dict[str, Value] = {"stream_id": record.stream_id, "size": record.length - HEADER}
    if isinstance(record, Http2DataRecord):
        return values | {"type": "DATA", "end_stream": int(record.end_stream)}
    values |= {"type": record.type, "stream_id": record.stream_id or 0}
    if record.increment is not None:
        values["increment"] = record.increment
    if record.error_code is not None:
        values["error_code"] = record.error_code
    if record.last_stream_id is not None:
        values["last_stream_id"] = record.last_stream_id
    return values


def control_and_data(elements: Iterator[Element]) -> Iterator[Element]:
    """Leave out frames that are parts of heads, which are compared as what they decode to, and the
    preface, which Wireshark takes for a frame without a type."""
    for element in elements:
        kind = element.values.get("type")
        if element.kind != "http2_frame" or (kind is not None and kind not in HEAD_TYPES):
            yield element
