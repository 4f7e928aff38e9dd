"""TLS 1.2 sealed by hand (RFC 5246, RFC 5288): sessions that go on, and handshakes anew."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from support.talk import Side

SUITE = 0xC02F
"""TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256."""
_KEY, _SALT = 16, 4


def logged(master: bytes, random: bytes = bytes(32)) -> bytes:
    """A line of a key log."""
    return f"CLIENT_RANDOM {random.hex()} {master.hex()}".encode()


class Key12:
    """One side's key, and the number of the next record."""

    def __init__(
        self, sender: Side, master: bytes, random: bytes = bytes(32), server: bytes = bytes(32)
    ) -> None:
        at, block = int(sender == "server"), _key_block(master, server + random)
        self._aead = AESGCM(block[at * _KEY : (at + 1) * _KEY])
        self._salt = block[2 * _KEY + at * _SALT :][:_SALT]
        self.number = 0

    def seal(self, kind: int, content: bytes) -> bytes:
        number = self.number.to_bytes(8)
        header = bytes([kind]) + b"\x03\x03"
        known = number + header + len(content).to_bytes(2)
        fragment = number + self._aead.encrypt(self._salt + number, content, known)
        self.number += 1
        return header + len(fragment).to_bytes(2) + fragment


def _key_block(master: bytes, randoms: bytes) -> bytes:
    """Section 6.3, by the function of section 5."""
    seed = value = b"key expansion" + randoms
    made = b""
    while len(made) < 2 * (_KEY + _SALT):
        value = hmac.digest(master, value, "sha256")
        made += hmac.digest(master, value + seed, "sha256")
    return made
