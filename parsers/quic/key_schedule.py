"""Cipher suites as QUIC uses them, and the secrets of Initial packets (RFC 9001 section 5)."""

from __future__ import annotations

import hmac
from typing import Literal, NamedTuple

from ..records import Sender
from ..tls.key_schedule import expand_label
from .packets import VERSIONS


class Suite(NamedTuple):
    """A cipher suite of TLS 1.3, as far as QUIC uses it."""

    aead: Literal["aes-gcm", "aes-ccm", "chacha20"]
    hash_name: Literal["sha256", "sha384"]
    key_size: int
    """In bytes."""


SUITES: dict[int, Suite] = {
    0x1301: Suite("aes-gcm", "sha256", 16),
    0x1302: Suite("aes-gcm", "sha384", 32),
    0x1303: Suite("chacha20", "sha256", 32),
    0x1304: Suite("aes-ccm", "sha256", 16),
}
"""By their numbers; TLS_AES_128_CCM_8_SHA256 is forbidden (RFC 9001 section 5.3)."""
HASH_SIZES = {"sha256": 32, "sha384": 48}
INITIAL_SUITE = SUITES[0x1301]


def initial_secret(version: int, destination: bytes, sender: Sender) -> bytes:
    """Return the secret of one side's Initial packets (RFC 9001 section 5.2).

    ``destination`` is the connection id that the client's first one was sent to, or that of the
    server's Retry. It hides nothing: whoever sees the packet can make it.
    """
    common = hmac.digest(VERSIONS[version].salt, destination, "sha256")
    return expand_label("sha256", common, f"{sender} in", 32)
