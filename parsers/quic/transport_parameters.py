"""Transport parameters: what each side allows the other (RFC 9000 section 18)."""

from __future__ import annotations

from .reader import Malformed, Reader

ORIGINAL_DESTINATION = 0x00
MAX_IDLE_TIMEOUT = 0x01
NAMES: dict[int, str] = {
    MAX_IDLE_TIMEOUT: "max_idle_timeout",
    0x03: "max_udp_payload_size",
    0x04: "initial_max_data",
    0x05: "initial_max_stream_data_bidi_local",
    0x06: "initial_max_stream_data_bidi_remote",
    0x07: "initial_max_stream_data_uni",
    0x08: "initial_max_streams_bidi",
    0x09: "initial_max_streams_uni",
    0x0A: "ack_delay_exponent",
    0x0B: "max_ack_delay",
    0x0C: "disable_active_migration",
    0x0E: "active_connection_id_limit",
    0x20: "max_datagram_frame_size",
}
"""Those that are numbers, or are there or not (section 18.2, RFC 9221 section 3)."""
Parameters = list[tuple[str, int]]


def read_parameters(data: bytes) -> Parameters:
    """Return the parameters that are numbers, in wire order; one that is only there is 1.

    Raises Malformed.
    """
    reader = Reader(data)
    found: Parameters = []
    while reader:
        kind = reader.varint()
        value = reader.take(reader.varint())
        if (name := NAMES.get(kind)) is not None:
            found.append((name, _number(name, value)))
    return found


def _number(name: str, value: bytes) -> int:
    if not value:
        return 1
    reader = Reader(value)
    number = reader.varint()
    if reader:
        raise Malformed(f"{name} is no number")
    return number
