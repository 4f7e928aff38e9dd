"""PROXY protocol headers, as HAProxy's specification defines them (proxy-protocol.txt).

Strategy: a stream's first bytes are looked at as long as they may begin such a header. Version 1 is
a line of at most 107 bytes (section 2.1), version 2 a binary header that says its length (section
2.2). A header that is malformed still ends where its line or its length says.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple

V1_BEGINS = b"PROXY "
V2_BEGINS = b"\r\n\r\n\x00\r\nQUIT\n"
_MAX_V1 = 107
_V2_SIZE = 16  # signature, version and command, family and protocol, length
# PROXY TCP4 source destination source-port destination-port CRLF; after UNKNOWN anything may stand
_V1_LINE = re.compile(
    rb"PROXY (?:(TCP[46]) ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}) (\d{1,5}) (\d{1,5})"
    rb"|(UNKNOWN)(?: [^\r\n]*)?)\r\n"
)
# A method may be called so.
_REQUEST_LINE = re.compile(rb"PROXY [^\r\n]* HTTP/\d\.\d\r?\n")
_FAMILIES = {
    0x00: "unspecified", 0x11: "TCP4", 0x12: "UDP4", 0x21: "TCP6", 0x22: "UDP6",
    0x31: "UNIX stream", 0x32: "UNIX datagram",
}  # fmt: skip
_ADDRESS_SIZES = {0: 0, 1: 4, 2: 16, 3: 108}
"""Of one address, by the high half of the family byte."""
_TLV_NAMES = {
    0x01: "ALPN", 0x02: "authority", 0x03: "CRC32c", 0x04: "no-op", 0x05: "unique ID", 0x20: "SSL",
    0x30: "network namespace", 0xEA: "AWS", 0xEE: "Azure",
}  # fmt: skip
_TEXT_TLVS = (0x01, 0x02, 0x30)
_SHOWN = 60  # bytes of a value


class ProxyHeader(NamedTuple):
    """A header: how many bytes it takes, and what it says."""

    length: int
    text: str
    is_valid: bool


def may_begin(data: bytes) -> bool:
    """Whether a stream that begins with ``data`` may have a header there."""
    if _REQUEST_LINE.match(data):
        return False
    return any(data.startswith(begin) or begin.startswith(data) for begin in (V1_BEGINS, V2_BEGINS))


def read_header(data: bytes) -> ProxyHeader | None:
    """Return the header at the beginning of ``data``; None if it is not whole yet.

    ``data`` begins as :func:`may_begin` says.
    """
    return _read_v1(data) if data[:1] == b"P" else _read_v2(data)


def _read_v1(data: bytes) -> ProxyHeader | None:
    end = data.find(b"\n", 0, _MAX_V1) + 1
    if not end:
        is_long = len(data) >= _MAX_V1
        return ProxyHeader(0, f"v1, more than {_MAX_V1} bytes", False) if is_long else None
    line = _V1_LINE.fullmatch(data[:end])
    if line is None:
        return ProxyHeader(end, f"v1, {data[: end - 1]!r}"[:120], False)
    if line[6]:
        return ProxyHeader(end, "v1, UNKNOWN", True)
    try:
        source, destination = (ip_address(line[part].decode()) for part in (2, 3))
    except ValueError as error:
        return ProxyHeader(end, f"v1, {error}", False)
    ports = int(line[4]), int(line[5])
    is_valid = max(ports) < 65_536 and source.version == destination.version == int(line[1][3:])
    addresses = f"{_endpoint(source, ports[0])} → {_endpoint(destination, ports[1])}"
    return ProxyHeader(end, f"v1, {line[1].decode()} {addresses}", is_valid)


def _read_v2(data: bytes) -> ProxyHeader | None:
    if len(data) < _V2_SIZE:
        return None
    end = _V2_SIZE + int.from_bytes(data[14:16])
    if len(data) < end:
        return None
    version, command, family = data[12] >> 4, data[12] & 0xF, data[13]
    if version != 2 or command > 1:
        return ProxyHeader(end, f"v2, version and command {data[12]:#04x}", False)
    size = _ADDRESS_SIZES.get(family >> 4)
    if size is None or family not in _FAMILIES or len(data[16:end]) < (total := _span(size)):
        return ProxyHeader(end, f"v2, family {family:#04x} in {end - 16} bytes", False)
    said = [_FAMILIES[family] if command else "LOCAL"]
    if command and size:
        said.append(_addresses(data[16 : 16 + total], size))
    tlvs = _read_tlvs(data[16 + total : end]) if command or family else []
    if tlvs is None:
        return ProxyHeader(end, "v2, a TLV is longer than the header", False)
    return ProxyHeader(end, "v2, " + " ".join(said) + "".join(f", {tlv}" for tlv in tlvs), True)


def _span(size: int) -> int:
    """Return how many bytes two addresses take, with their ports if they have any."""
    return 2 * size + (4 if size in (4, 16) else 0)


def _addresses(data: bytes, size: int) -> str:
    first, second, ports = data[:size], data[size : 2 * size], data[2 * size :]
    if not ports:  # paths of UNIX sockets, padded with NUL
        paths = (path.partition(b"\0")[0].decode("latin-1") for path in (first, second))
        return " → ".join(repr(path) for path in paths)
    source = _endpoint(ip_address(first), int.from_bytes(ports[:2]))
    return f"{source} → {_endpoint(ip_address(second), int.from_bytes(ports[2:]))}"


def _endpoint(address: object, port: int) -> str:
    return f"[{address}]:{port}" if ":" in str(address) else f"{address}:{port}"


def _read_tlvs(data: bytes) -> list[str] | None:
    """Return what the TLVs say (section 2.2.1); None if one is longer than what is there."""
    found: list[str] = []
    pos = 0
    while pos < len(data):
        length = int.from_bytes(data[pos + 1 : pos + 3])
        value = data[pos + 3 : pos + 3 + length]
        if len(value) < length or pos + 3 > len(data):
            return None
        kind = data[pos]
        name = _TLV_NAMES.get(kind, f"TLV {kind:#04x}")
        if kind in _TEXT_TLVS:
            name += f" {value[:_SHOWN].decode('latin-1')!r}"
        if kind != 0x04:
            found.append(name)
        pos += 3 + length
    return found
