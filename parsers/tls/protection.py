"""What protects records, and how it is taken off: AEAD and CBC (RFC 8446 section 5.2, RFC 5246
section 6.2.3).

Strategy: what a cipher suite says is in its name. A protection opens one record, given its
sequence number, and returns its content only if the tag or the MAC fits: so a number, and a key,
can be tried. The primitives are those of ``cryptography``, which is imported when the first key is
used.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from functools import cache
from hashlib import new
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .cipher_suites import CIPHER_SUITES
from .key_schedule import expand_label, key_block

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import BlockCipherAlgorithm

Opened = tuple[int, bytes]
"""A record's type and its content; in TLS 1.3 the inner ones, without padding."""
_HEADER_SIZE = 5
_SEQUENCE_SIZE = 8
_NONCE_SIZE = 12
_SALT_SIZE = 4
# The end of a suite's name: cipher, length of the key, mode, hash.
_AEAD = re.compile(
    r"(?:_WITH|^TLS)_(?:AES_(128|256)_(GCM|CCM_8|CCM)|(CHACHA20)_POLY1305)(?:_SHA(256|384))?$"
)
_CBC = re.compile(
    r"_WITH_(?:(AES|CAMELLIA)_(128|256)|(3DES)_EDE)_CBC_(SHA|SHA256|SHA384)$"
)  # fmt: skip


class Suite(NamedTuple):
    """A cipher suite, as far as it concerns records."""

    cipher: str
    """``AES-GCM``, ``AES-CCM``, ``CHACHA20``; with CBC ``AES``, ``CAMELLIA``, ``3DES``."""
    key_size: int
    hash_name: str
    """Of the key schedule: ``sha256`` or ``sha384``."""
    tag_size: int = 16
    mac: str | None = None
    """The hash of the MAC with CBC: ``sha1``; None with AEAD."""

    @property
    def hash_size(self) -> int:
        """Bytes of a secret in TLS 1.3."""
        return 48 if self.hash_name == "sha384" else 32

    @property
    def block_size(self) -> int:
        return 8 if self.cipher == "3DES" else 16


@cache
def suite_of(number: int) -> Suite | None:
    """Return the cipher suite of a number in IANA's registry; None if it is not decrypted here."""
    name = CIPHER_SUITES.get(number, "")
    if found := _AEAD.search(name):
        hash_name = f"sha{found[4] or 256}"
        if found[3]:
            return Suite("CHACHA20", 32, hash_name)
        mode, _, short = found[2].partition("_")
        return Suite(f"AES-{mode}", int(found[1]) // 8, hash_name, 8 if short else 16)
    if found := _CBC.search(name):
        mac = "sha1" if found[4] == "SHA" else found[4].lower()
        size = 24 if found[3] else int(found[2]) // 8
        hash_name = "sha384" if mac == "sha384" else "sha256"
        return Suite(found[1] or found[3], size, hash_name, mac=mac)
    return None


class Protection(Protocol):
    """What protects the records of one side, with one key."""

    least: int
    """Bytes of the shortest record."""
    overhead: int
    """Bytes that a record is longer than its content, with the header."""
    pads: bool
    """Whether a record may be longer still, so that how much it holds is known from inside only."""

    def open(self, sequence: int, header: bytes, fragment: bytes) -> Opened | None:
        """Return what a record holds; None if it is no record of this number and key."""

    def pass_by(self, fragment: bytes | None) -> None:
        """Take note of a record of this key, opened or not; None if it is not in the capture."""


class _Aead(Protocol):
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes: ...


def _aead(
    suite: Suite, key: bytes
) -> tuple[Callable[[bytes, bytes, bytes], bytes], type[Exception]]:
    """Return what decrypts (nonce, data, associated data), and what it raises for a wrong tag."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

    made: _Aead
    if suite.cipher == "AES-GCM":
        made = AESGCM(key)
    elif suite.cipher == "AES-CCM":
        made = AESCCM(key, tag_length=suite.tag_size)
    else:
        made = ChaCha20Poly1305(key)
    return made.decrypt, InvalidTag


class Aead13:
    """TLS 1.3: the type is encrypted too, and zeros may follow it (RFC 8446 section 5.2)."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        key = expand_label(suite.hash_name, secret, "key", suite.key_size)
        self._iv = int.from_bytes(expand_label(suite.hash_name, secret, "iv", _NONCE_SIZE))
        self._decrypt, self._wrong = _aead(suite, key)
        self.overhead = self.least = _HEADER_SIZE + 1 + suite.tag_size
        self.pads = False  # nobody does

    def open(self, sequence: int, header: bytes, fragment: bytes) -> Opened | None:
        try:
            inner = self._decrypt((self._iv ^ sequence).to_bytes(_NONCE_SIZE), fragment, header)
        except self._wrong:
            return None
        if inner and not inner[-1]:
            inner = inner.rstrip(b"\0")
        return (inner[-1], inner[:-1]) if inner else (0, b"")

    def pass_by(self, fragment: bytes | None) -> None:
        """Do nothing: each record stands for itself."""


class Aead12:
    """AEAD in TLS 1.2 (RFC 5246 section 6.2.3.3): with GCM and CCM a part of the nonce is sent."""

    def __init__(self, suite: Suite, key: bytes, iv: bytes) -> None:
        self._iv = iv
        self._explicit = _NONCE_SIZE - len(iv)
        self._tag_size = suite.tag_size
        self._decrypt, self._wrong = _aead(suite, key)
        self.overhead = self.least = _HEADER_SIZE + self._explicit + suite.tag_size
        self.pads = False

    def open(self, sequence: int, header: bytes, fragment: bytes) -> Opened | None:
        explicit = self._explicit
        size = len(fragment) - explicit - self._tag_size
        if size < 0:
            return None
        number = sequence.to_bytes(_SEQUENCE_SIZE)
        if explicit:
            nonce = self._iv + fragment[:explicit]
        else:  # RFC 7905 section 2
            nonce = (int.from_bytes(self._iv) ^ sequence).to_bytes(_NONCE_SIZE)
        associated = number + header[:3] + size.to_bytes(2)
        try:
            return header[0], self._decrypt(nonce, fragment[explicit:], associated)
        except self._wrong:
            return None

    def pass_by(self, fragment: bytes | None) -> None:
        """Do nothing: each record stands for itself."""


class Cbc:
    """CBC with a MAC: of the content, or of what is encrypted (RFC 7366 section 3).

    Up to TLS 1.0 each record goes on with the last block of the one before; without ``iv`` each
    has its own.
    """

    def __init__(
        self, suite: Suite, key: bytes, mac_key: bytes, iv: bytes, *, has_encrypt_then_mac: bool
    ) -> None:
        self._algorithm = _block_cipher(suite, key)
        self._mac, self._mac_key = suite.mac or "", mac_key
        self._mac_size = new(self._mac).digest_size
        self._block = suite.block_size
        self._is_chained = bool(iv)
        self._before: bytes | None = iv
        self.pads = True
        self._has_encrypt_then_mac = has_encrypt_then_mac
        blocks = 1 if self._is_chained else 2
        self.least = (
            _HEADER_SIZE + blocks * self._block + (self._mac_size if has_encrypt_then_mac else 0)
        )
        self.overhead = self.least + self._mac_size

    def open(self, sequence: int, header: bytes, fragment: bytes) -> Opened | None:
        number = sequence.to_bytes(_SEQUENCE_SIZE) + header[:3]
        if not self._has_encrypt_then_mac:
            found = self._decrypt(fragment)
            if found is None or len(found) < self._mac_size:
                return None
            content, mac = found[: -self._mac_size], found[-self._mac_size :]
            return (header[0], content) if self._fits(number, content, mac) else None
        sealed, mac = fragment[: -self._mac_size], fragment[-self._mac_size :]
        if not self._fits(number, sealed, mac):
            return None
        found = self._decrypt(sealed)
        return None if found is None else (header[0], found)

    def _fits(self, number: bytes, data: bytes, mac: bytes) -> bool:
        made = hmac.digest(self._mac_key, number + len(data).to_bytes(2) + data, self._mac)
        return made == mac

    def _decrypt(self, sealed: bytes) -> bytes | None:
        """Return the bytes without padding; None if they cannot be (RFC 5246 section 6.2.3.2)."""
        from cryptography.hazmat.primitives.ciphers import Cipher
        from cryptography.hazmat.primitives.ciphers.modes import CBC

        iv: bytes | None
        if self._is_chained:
            iv = self._before
        else:
            iv, sealed = sealed[: self._block], sealed[self._block :]
        if iv is None or not sealed or len(sealed) % self._block or len(iv) != self._block:
            return None
        decryptor = Cipher(self._algorithm, CBC(iv)).decryptor()
        found = decryptor.update(sealed) + decryptor.finalize()
        padding = found[-1] + 1
        if padding > len(found) or found[-padding:] != found[-1:] * padding:
            return None
        return found[:-padding]

    def pass_by(self, fragment: bytes | None) -> None:
        if self._is_chained:
            sealed = fragment
            if sealed is not None and self._has_encrypt_then_mac:
                sealed = sealed[: -self._mac_size]
            self._before = None if sealed is None else sealed[-self._block :]


def _block_cipher(suite: Suite, key: bytes) -> BlockCipherAlgorithm:
    if suite.cipher == "AES":
        from cryptography.hazmat.primitives.ciphers.algorithms import AES

        return AES(key)
    from cryptography.hazmat.decrepit.ciphers import algorithms

    return algorithms.TripleDES(key) if suite.cipher == "3DES" else algorithms.Camellia(key)


def protections(
    suite: Suite, version: str, master: bytes, randoms: bytes, *, has_encrypt_then_mac: bool
) -> tuple[Protection, Protection]:
    """Return what protects the client's records and the server's, up to TLS 1.2.

    ``randoms`` are the server's and then the client's.
    """
    hash_name = suite.hash_name if version == "TLSv1.2" else None
    mac_size = 0 if suite.mac is None else new(suite.mac).digest_size
    sizes = (mac_size, suite.key_size, _iv_size(suite, version))
    made = key_block(hash_name, master, randoms, 2 * sum(sizes))
    found: list[tuple[bytes, bytes]] = []
    for size in sizes:
        found.append((made[:size], made[size : 2 * size]))
        made = made[2 * size :]

    def of(side: int) -> Protection:
        mac_key, key, iv = (pair[side] for pair in found)
        if suite.mac is None:
            return Aead12(suite, key, iv)
        return Cbc(suite, key, mac_key, iv, has_encrypt_then_mac=has_encrypt_then_mac)

    return of(0), of(1)


def _iv_size(suite: Suite, version: str) -> int:
    """Return how many bytes of the key material are for an IV or a part of the nonce."""
    if suite.mac is not None:
        return suite.block_size if version == "TLSv1.0" else 0
    return _NONCE_SIZE if suite.cipher == "CHACHA20" else _SALT_SIZE
