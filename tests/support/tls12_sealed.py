"""TLS 1.2 sealed by hand (RFC 5246, RFC 5288): sessions that go on, and handshakes anew."""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
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
        at, block = int(sender == "server"), key_block(master, server + random, 2 * (_KEY + _SALT))
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


class CbcKey12:
    """One side's keys of a suite with AES-128-CBC and HMAC-SHA256 (RFC 5246, RFC 7366)."""

    def __init__(self, sender: Side, master: bytes, randoms: bytes, *, has_etm: bool) -> None:
        at, block = int(sender == "server"), key_block(master, randoms, 2 * (32 + _KEY))
        self._mac = block[at * 32 : (at + 1) * 32]
        self._key = block[64 + at * _KEY :][:_KEY]
        self._has_etm = has_etm

    def seal(self, number: int, kind: int, content: bytes) -> tuple[bytes, bytes]:
        """Return header and fragment of a record."""
        about = number.to_bytes(8) + bytes([kind]) + b"\x03\x03"
        iv = hmac.digest(b"iv", about, "sha256")[:16]
        plain = content if self._has_etm else content + self._signed(about, content)
        left = 15 - len(plain) % 16
        encryptor = Cipher(AES(self._key), CBC(iv)).encryptor()
        sealed = iv + encryptor.update(plain + bytes([left]) * (left + 1)) + encryptor.finalize()
        fragment = sealed + self._signed(about, sealed) if self._has_etm else sealed
        return about[8:] + len(fragment).to_bytes(2), fragment

    def _signed(self, about: bytes, data: bytes) -> bytes:
        return hmac.digest(self._mac, about + len(data).to_bytes(2) + data, "sha256")


def key_block(master: bytes, randoms: bytes, size: int) -> bytes:
    """Section 6.3, by the function of section 5."""
    seed = value = b"key expansion" + randoms
    made = b""
    while len(made) < size:
        value = hmac.digest(master, value, "sha256")
        made += hmac.digest(master, value + seed, "sha256")
    return made
