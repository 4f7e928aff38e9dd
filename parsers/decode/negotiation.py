"""What two sides may say to one another before another protocol begins: one look at both.

Strategy: SOCKS, a request for TLS as PostgreSQL has it, and text in which TLS begins with a line,
as after STARTTLS in SMTP, IMAP, POP3, FTP or XMPP. Each takes both sides' first bytes to be
certain, and says where in each stream what follows begins.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ..socks import negotiation as socks

_SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # PostgreSQL, "SSL Session Encryption"
# A ClientHello (RFC 8446 sections 5.1 and 4) at the beginning of a line, or after an XML element.
_HELLO_IN_TEXT = re.compile(rb"(?<=[\n>])\x16\x03[\x00-\x04]..\x01", re.DOTALL)
_HELLO_SIZE = 6
_NO_TEXT = re.compile(rb"[^\t\n\r -~\x80-\xff]")
_COMMAND = re.compile(rb"(?i)\b(STARTTLS|STLS|AUTH (?:TLS|SSL))\b")


class Preface(NamedTuple):
    """What came before: how many bytes of each side, and in words."""

    protocol: str
    """``socks``, ``starttls``."""
    client: int
    server: int
    code: str
    """What is to be said."""
    text: str
    refusal: str | None = None


def find_preface(client: bytes, server: bytes, new: int) -> Preface | None:
    """Return what was said before another protocol begins; None if that is not known, or nothing.

    ``client`` and ``server`` are all that came; ``new`` bytes at the end of one are new.
    """
    if client[:1] in (b"\x04", b"\x05"):
        found = socks.negotiated(client, server)
        if found is None:
            return None
        code = "socks-negotiated" if found.refusal is None else "socks-refused"
        return Preface("socks", found.client, found.server, code, found.text, found.refusal)
    if client.startswith(_SSL_REQUEST):
        is_granted = server[:1] == b"S"
        return _starttls(8, 1, "SSLRequest (PostgreSQL)") if is_granted else None
    hello = _HELLO_IN_TEXT.search(client, max(0, len(client) - new - _HELLO_SIZE))
    if hello is None or not server or server[-1:] not in (b"\n", b">"):
        return None
    said = client[: hello.start()]
    if _NO_TEXT.search(said) or _NO_TEXT.search(server):
        return None
    command = _COMMAND.search(said)
    name = command[1].decode().upper() if command else "text"
    return _starttls(hello.start(), len(server), name)


def _starttls(client: int, server: int, text: str) -> Preface:
    return Preface("starttls", client, server, "starttls-negotiated", text)
