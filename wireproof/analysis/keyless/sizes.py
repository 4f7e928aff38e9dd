"""How many bytes an encrypted record holds, as far as its cipher suite leaves that open to see.

AEAD suites add what is known: an explicit nonce, a tag, in TLS 1.3 the true type (RFC 8446 section
5.2, RFC 5288, RFC 6655, RFC 7905). CBC suites pad to blocks: what they hold lies in a range (RFC
5246 section 6.2.3.2).
"""

from __future__ import annotations

from typing import NamedTuple

TLS13 = "TLSv1.3"
TAG, SHORT_TAG = 16, 8
EXPLICIT_NONCE = 8
BLOCK = 16
MACS = {"SHA384": 48, "SHA256": 32, "SHA": 20, "MD5": 16}


class Sealing(NamedTuple):
    """What encryption adds to the content of a record, in bytes."""

    overhead: int
    """The least that it adds."""
    block: int = 1
    """What it pads to: up to so many bytes less one are added besides."""

    def content(self, size: int) -> range:
        """Return how many bytes a fragment of ``size`` may hold."""
        most = size - self.overhead
        return range(max(most - self.block + 1, 0), max(most, 0) + 1)


def sealing(version: str | None, cipher: str | None) -> Sealing:
    """Return what a version and a suite add; where neither is known, what TLS 1.3 does."""
    suite = cipher or ""
    tag = SHORT_TAG if "CCM_8" in suite else TAG
    if version in (None, TLS13):
        return Sealing(tag + 1)
    if "GCM" in suite or "CCM" in suite:
        return Sealing(EXPLICIT_NONCE + tag)
    if "CHACHA20" in suite:
        return Sealing(TAG)
    mac = MACS.get(suite.rpartition("_")[2], 0)
    if "CBC" not in suite:
        return Sealing(mac)
    # Explicit IV, MAC, and a length of the padding.
    return Sealing(BLOCK + mac + 1, BLOCK)
