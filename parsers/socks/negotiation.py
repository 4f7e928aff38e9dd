"""A SOCKS negotiation of both sides: SOCKS4 and 4a, SOCKS5 (RFC 1928), with user name (RFC 1929).

Strategy: both sides' first bytes are read together, for each side's meaning depends on the other's.
They are few: they are read from the beginning again whenever more have come, until the proxy has
granted or refused. It takes both sides' first words to believe that this is SOCKS.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

_COMMANDS = {1: "CONNECT", 2: "BIND", 3: "UDP ASSOCIATE"}
_NO_METHOD = 0xFF
_REPLIES = {
    1: "general failure", 2: "not allowed", 3: "network unreachable", 4: "host unreachable",
    5: "connection refused", 6: "TTL expired", 7: "command not supported",
    8: "address type not supported",
}  # fmt: skip
"""Why a SOCKS5 proxy refuses (RFC 1928 section 6)."""
_GRANTED4 = 0x5A
_REPLIES4 = {0x5B: "rejected or failed", 0x5C: "no identd", 0x5D: "identd says another user"}


class Negotiated(NamedTuple):
    """The end of a negotiation: how many bytes each side used, and what was agreed on."""

    client: int
    server: int
    text: str
    """``SOCKS5 CONNECT example:80``."""
    refusal: str | None
    """Why the proxy is no tunnel; None if it is one."""


class _Short(Exception):
    """More bytes are needed."""


class _Reader:
    """One side's bytes, read from the beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.pos = 0

    def take(self, size: int) -> bytes:
        taken = self._data[self.pos : self.pos + size]
        if len(taken) < size:
            raise _Short
        self.pos += size
        return taken

    def counted(self) -> bytes:
        return self.take(self.take(1)[0])

    def until_nul(self) -> bytes:
        end = self._data.find(b"\0", self.pos)
        if end < 0:
            raise _Short
        return self.take(end + 1 - self.pos)[:-1]


def negotiated(client: bytes, server: bytes) -> Negotiated | None:
    """Return what both sides have agreed on; None if that is not over, or no SOCKS."""
    read = {b"\x05": _negotiate5, b"\x04": _negotiate4}.get(client[:1])
    try:
        return None if read is None else read(_Reader(client), _Reader(server))
    except _Short:
        return None


def _negotiate5(client: _Reader, server: _Reader) -> Negotiated | None:
    client.take(1)
    methods = client.counted()
    version, method = server.take(2)
    if version != 5 or not methods or method not in (*methods, _NO_METHOD):
        return None
    if method == _NO_METHOD:
        return Negotiated(client.pos, server.pos, "SOCKS5", "no acceptable method")
    if method == 2:  # RFC 1929 section 2: version, user name, password; version, status
        if client.take(1) != b"\x01":
            return None
        client.counted()
        client.counted()
        if status := server.take(2)[1]:
            why = f"user name or password refused, status {status}"
            return Negotiated(client.pos, server.pos, "SOCKS5", why)
    elif method:
        return None  # what follows is framed by the method
    version, command, _, kind = client.take(4)
    host = _address(client, kind)
    if version != 5 or command not in _COMMANDS or host is None:
        return None
    text = f"SOCKS5 {_COMMANDS[command]} {host}:{int.from_bytes(client.take(2))}"
    version, reply, _, kind = server.take(4)
    if _address(server, kind) is None:
        return None
    server.take(2)
    refusal = _REPLIES.get(reply, f"reply {reply}") if reply else None
    return Negotiated(client.pos, server.pos, text, refusal)


def _address(reader: _Reader, kind: int) -> str | None:
    """Read an address: IPv4, a name, or IPv6 (RFC 1928 section 5); None if it is of no kind."""
    if kind == 1:
        return str(ip_address(reader.take(4)))
    if kind == 4:
        return f"[{ip_address(reader.take(16))}]"
    return reader.counted().decode("latin-1") if kind == 3 else None


def _negotiate4(client: _Reader, server: _Reader) -> Negotiated | None:
    _, command = client.take(2)
    port, address = int.from_bytes(client.take(2)), client.take(4)
    client.until_nul()
    is_name = address[:3] == bytes(3) and address[3] > 0  # SOCKS4a: a name follows
    host = client.until_nul().decode("latin-1") if is_name else str(ip_address(address))
    reply = server.take(8)
    if command not in (1, 2) or reply[0] or not _GRANTED4 <= reply[1] <= 0x5D:
        return None
    text = f"SOCKS4{'a' * is_name} {_COMMANDS[command]} {host}:{port}"
    return Negotiated(client.pos, server.pos, text, _REPLIES4.get(reply[1]))
