"""TLS 1.3 sealed by hand: dialogues that no library of ours makes, such as early data in vain."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from support.talk import Side
from support.tls import (
    CHOOSES_TLS13,
    RETRY_RANDOM,
    SWITCH,
    client_hello,
    extensions,
    message,
    record,
    server_hello,
)

RANDOM = bytes(32)
"""Of every ClientHello of :mod:`support.tls`."""
EARLY_DATA = (42, b"")
LABELS = {
    ("client", "early"): "CLIENT_EARLY_TRAFFIC_SECRET",
    ("client", "handshake"): "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
    ("server", "handshake"): "SERVER_HANDSHAKE_TRAFFIC_SECRET",
    ("client", "traffic"): "CLIENT_TRAFFIC_SECRET_0",
    ("server", "traffic"): "SERVER_TRAFFIC_SECRET_0",
}
SUITES = {0x1301: (16, SHA256()), 0x1302: (32, SHA384()), 0x1303: (32, SHA256()),
          0x1304: (16, SHA256()), 0x1305: (16, SHA256())}  # fmt: skip


def secret_of(sender: Side, epoch: str, size: int = 32) -> bytes:
    return hashlib.sha512(f"{sender} {epoch}".encode()).digest()[:size]


class Key:
    """One key, and the number of the next record."""

    def __init__(self, secret: bytes, suite: int = 0x1301) -> None:
        self.secret, self.suite, self.number = secret, suite, 0
        size, self._hash = SUITES[suite]
        key = self._expand("key", size)
        self._iv = int.from_bytes(self._expand("iv", 12))
        if suite in (0x1304, 0x1305):
            self._aead: AESCCM | AESGCM | ChaCha20Poly1305
            self._aead = AESCCM(key, tag_length=8 if suite == 0x1305 else 16)
        else:
            self._aead = ChaCha20Poly1305(key) if suite == 0x1303 else AESGCM(key)

    def _expand(self, label: str, size: int) -> bytes:
        name = b"tls13 " + label.encode()
        info = size.to_bytes(2) + bytes([len(name)]) + name + b"\0"
        return HKDFExpand(self._hash, size, info).derive(self.secret)

    def updated(self) -> Key:
        return Key(self._expand("traffic upd", len(self.secret)), self.suite)

    def seal(self, kind: int, content: bytes, padding: int = 0) -> bytes:
        inner = content + bytes([kind]) + bytes(padding)
        size = len(inner) + (8 if self.suite == 0x1305 else 16)
        header = b"\x17\x03\x03" + size.to_bytes(2)
        nonce = (self._iv ^ self.number).to_bytes(12)
        self.number += 1
        return header + self._aead.encrypt(nonce, inner, header)


class Keys:
    """The keys of both sides."""

    def __init__(self, suite: int = 0x1301) -> None:
        size = SUITES[suite][1].digest_size
        self._held = {
            name: Key(secret_of(*name, size), suite)  # type: ignore[arg-type]
            for name in LABELS
        }

    def __call__(self, sender: Side, epoch: str) -> Key:
        return self._held[sender, epoch]

    def update(self, sender: Side) -> None:
        self._held[sender, "traffic"] = self._held[sender, "traffic"].updated()

    @staticmethod
    def log(size: int = 32, random: bytes = RANDOM, without: str = "-") -> bytes:
        """The key log."""
        lines = [
            f"{label} {random.hex()} {secret_of(*name, size).hex()}"  # type: ignore[arg-type]
            for name, label in LABELS.items()
            if without not in label
        ]
        return "\n".join(lines).encode()


def encrypted_extensions(*found: tuple[int, bytes]) -> bytes:
    return message(8, extensions(found))


FINISHED = message(20, hmac.digest(b"", b"", "sha256"))
KEY_UPDATE = message(24, b"\0")
END_OF_EARLY_DATA = message(5)
HELLO = record(22, server_hello(CHOOSES_TLS13, suite=0x1301)) + SWITCH
RETRY = record(22, server_hello(CHOOSES_TLS13, suite=0x1301, random=RETRY_RANDOM)) + SWITCH


def asked(*also: tuple[int, bytes]) -> bytes:
    return record(22, client_hello(CHOOSES_TLS13, *also))
