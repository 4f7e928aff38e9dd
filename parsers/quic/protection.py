"""Packets opened: header protection, packet numbers, and what the tag proves (RFC 9001 section 5).

Strategy: the keys of one direction at one level open a packet or they do not: nothing is taken for
plaintext without its tag. Where the cipher suite is not known yet, those that fit the length of the
secret are tried; the tag says which one it was. ``cryptography`` does the primitives.
"""

from __future__ import annotations

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import AES, ChaCha20
from cryptography.hazmat.primitives.ciphers.modes import ECB

from ..limits import MAX_QUIC_GENERATIONS, MAX_QUIC_SEARCHES
from ..tls.key_schedule import expand_label
from .key_schedule import Suite
from .packets import LONG, PacketHeader

SAMPLE = 16
TAG = 16
KEY_PHASE, RESERVED = 0x04, 0x18
_AEADS = {"aes-gcm": AESGCM, "aes-ccm": AESCCM, "chacha20": ChaCha20Poly1305}


class Opened(NamedTuple):
    """A packet whose tag is right."""

    number: int
    payload: bytes
    key_phase: bool


class HeaderProtection:
    """What hides packet numbers in one direction at one level (RFC 9001 section 5.4)."""

    def __init__(self, suite: Suite, label: str, secret: bytes) -> None:
        self._key = expand_label(suite.hash_name, secret, f"{label} hp", suite.key_size)
        self._is_chacha = suite.aead == "chacha20"
        self._ecb = None if self._is_chacha else Cipher(AES(self._key), ECB()).encryptor()

    def mask(self, sample: bytes) -> bytes:
        """Return the five bytes that hide a header whose payload has this sample."""
        if self._ecb is not None:
            return self._ecb.update(sample)[:5]
        return Cipher(ChaCha20(self._key, sample), None).encryptor().update(bytes(5))


class PacketProtection:
    """The AEAD of one direction, at one level, of one generation of keys (section 5.3)."""

    def __init__(self, suite: Suite, label: str, secret: bytes) -> None:
        self.suite = suite
        self.label = label
        self.secret = secret
        key = expand_label(suite.hash_name, secret, f"{label} key", suite.key_size)
        self._iv = int.from_bytes(expand_label(suite.hash_name, secret, f"{label} iv", 12), "big")
        self._aead = _AEADS[suite.aead](key)

    def open(self, sealed: bytes, number: int, header: bytes) -> bytes | None:
        """Return what a packet holds; None if its tag is not right."""
        nonce = (self._iv ^ number).to_bytes(12, "big")
        try:
            payload: bytes = self._aead.decrypt(nonce, sealed, header)
        except InvalidTag:
            return None
        return payload

    def following(self) -> PacketProtection:
        """Return the next generation (RFC 9001 section 6.1)."""
        suite = self.suite
        secret = expand_label(suite.hash_name, self.secret, f"{self.label} ku", len(self.secret))
        return PacketProtection(suite, self.label, secret)


class Bare(NamedTuple):
    """A packet without its header protection."""

    header: bytes
    sealed: bytes
    number: int
    is_odd_phase: bool


def unprotect(
    data: bytes, packet: PacketHeader, protection: HeaderProtection, expected: int
) -> Bare | None:
    """Take the header protection off a packet (section 5.4.1); None if it is too short to have it.

    ``expected`` is the packet number after the largest that was seen in its space.
    """
    at = packet.number_at
    sample = data[at + 4 : at + 4 + SAMPLE]
    if at + 4 + SAMPLE > packet.end:
        return None
    mask = protection.mask(sample)
    first = data[packet.start] ^ mask[0] & (0x0F if data[packet.start] & LONG else 0x1F)
    size = (first & 3) + 1
    number = bytes(one ^ other for one, other in zip(data[at : at + size], mask[1:], strict=False))
    header = bytes((first,)) + data[packet.start + 1 : at] + number
    full = decode_number(int.from_bytes(number, "big"), 8 * size, expected)
    return Bare(header, data[at + size : packet.end], full, bool(first & KEY_PHASE))


def decode_number(truncated: int, bits: int, expected: int) -> int:
    """Return the packet number nearest to the expected one that ends so (RFC 9000 appendix A.3)."""
    window = 1 << bits
    half = window >> 1
    candidate = expected & ~(window - 1) | truncated
    if candidate <= expected - half and candidate < (1 << 62) - window:
        return candidate + window
    if candidate > expected + half and candidate >= window:
        return candidate - window
    return candidate


class LevelKeys:
    """One direction at one level: opens its packets, and follows key updates where there are."""

    def __init__(
        self,
        suite: Suite,
        label: str,
        secret: bytes,
        *,
        may_update: bool,
        is_joined: bool = False,
    ) -> None:
        """``is_joined``: the first packets may not be in the capture, nor the first updates."""
        self.suite = suite
        self._searches = MAX_QUIC_SEARCHES if is_joined and may_update else 0
        self._generations: list[PacketProtection] = []
        self.updates = 0
        """Key updates of this direction so far."""
        self._header = HeaderProtection(suite, label, secret)
        self._now = PacketProtection(suite, label, secret)
        self._before: PacketProtection | None = None
        self._after: PacketProtection | None = None
        self._may_update = may_update
        self._since = 0  # the lowest packet number of this generation that was seen

    def may_fit(self, data: bytes, packet: PacketHeader) -> bool:
        """Whether what is reserved in a short header is 0 with these keys (RFC 9000 17.3.1)."""
        bare = unprotect(data, packet, self._header, 0)
        return bare is not None and not bare.header[0] & RESERVED

    def open(self, data: bytes, packet: PacketHeader, expected: int) -> Opened | None:
        """Return what a packet holds; None if these keys do not open it."""
        bare = unprotect(data, packet, self._header, expected)
        if bare is None or len(bare.sealed) < TAG:
            return None
        is_odd = bare.is_odd_phase and self._may_update
        if is_odd == bool(self.updates & 1):
            payload = self._now.open(bare.sealed, bare.number, bare.header)
        elif self._before is not None and bare.number < self._since:
            payload = self._before.open(bare.sealed, bare.number, bare.header)
        else:
            payload = self._open_next(bare) if self._may_update else None
        if payload is None and self._searches:
            payload = self._search(bare)
        if payload is None:
            return None
        self._searches = 0
        return Opened(bare.number, payload, is_odd)

    def _search(self, bare: Bare) -> bytes | None:
        """Try later generations, of the phase that a packet says, and go on with one that opens it.

        The header's protection is that of all of them (section 6.1).
        """
        if bare.header[0] & RESERVED:
            return None
        self._searches -= 1
        generations = self._generations or [self._now]
        while len(generations) <= MAX_QUIC_GENERATIONS:
            generations.append(generations[-1].following())
        self._generations = generations
        for number in range(1 + (not bare.is_odd_phase), len(generations), 2):
            payload = generations[number].open(bare.sealed, bare.number, bare.header)
            if payload is not None:
                self._before, self._now = generations[number - 1], generations[number]
                self._after, self._generations = None, []
                self.updates, self._since = number, bare.number
                return payload
        return None

    def _open_next(self, bare: Bare) -> bytes | None:
        """Try the next generation, and go on with it if it opens the packet (section 6.3)."""
        self._after = self._after or self._now.following()
        payload = self._after.open(bare.sealed, bare.number, bare.header)
        if payload is not None:
            self._before, self._now, self._after = self._now, self._after, None
            self.updates += 1
            self._since = bare.number
        return payload
