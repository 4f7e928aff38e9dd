"""A connection whose long headers were not captured: found by the keys that open a packet of it.

Strategy: a short header says neither whose packet it is, nor how long the connection id is. So the
secrets of a key log are tried, the newest first, with every length of an id; that what is reserved
in the header is 0 rules out most of them, and the tag of the packet proves the rest (RFC 9001
section 5.4). The packet number is taken as it stands, and as the end of several higher ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..limits import MAX_QUIC_TRIALS
from ..records import Sender
from ..tls.key_finder import KeySource
from ..tls.key_log import CLIENT_TRAFFIC, SERVER_TRAFFIC
from .key_schedule import HASH_SIZES, SUITES
from .packets import FIXED, LONG, MAX_CONNECTION_ID, VERSIONS, PacketHeader
from .protection import SAMPLE, LevelKeys

VERSION = 0x00000001
"""Of which connections are looked for: nothing but their keys says it."""
NUMBERS = 0, 0x100, 0x200, 0x400, 0x8000, 0x18000, 0x28000, 0x48000
"""Packet numbers near which one is looked for that is cut to its last one or two bytes."""
LEAST = 1 + 4 + SAMPLE
_SIDES: tuple[tuple[Sender, str], ...] = ("client", CLIENT_TRAFFIC), ("server", SERVER_TRAFFIC)


class Joined(NamedTuple):
    """What a packet proved to be."""

    sender: Sender
    destination: bytes
    """The connection id that it was sent to."""
    number: int


class Joiner:
    """Looks for connections of which nothing is known; within bounds, for all of a capture."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._left = MAX_QUIC_TRIALS

    def find(self, data: bytes, sender: Sender | None = None) -> Joined | None:
        """Return what a datagram is, if it begins with a short header that some keys open.

        ``sender`` is who sent it, if that is known.
        """
        if len(data) < LEAST or data[0] & (LONG | FIXED) != FIXED:
            return None
        for side, keys in self._candidates(sender):
            for size in range(min(MAX_CONNECTION_ID, len(data) - LEAST) + 1):
                if self._left <= 0:
                    return None
                packet = PacketHeader("1-rtt", 0, data[1 : 1 + size], b"", 0, 1 + size, len(data))
                number = self._try(keys, data, packet)
                if number is not None:
                    return Joined(side, packet.destination, number)
        return None

    def _candidates(self, sender: Sender | None) -> Iterator[tuple[Sender, LevelKeys]]:
        label = VERSIONS[VERSION].label
        for _, secrets in self._keys.log.newest():
            for side, name in _SIDES:
                secret = secrets.get(name)
                if secret is None or sender not in (None, side):
                    continue
                for suite in SUITES.values():
                    if HASH_SIZES[suite.hash_name] == len(secret):
                        yield side, LevelKeys(suite, label, secret, may_update=True)

    def _try(self, keys: LevelKeys, data: bytes, packet: PacketHeader) -> int | None:
        self._left -= 1
        if not keys.may_fit(data, packet):
            return None
        for expected in NUMBERS:
            self._left -= 1
            opened = keys.open(data, packet, expected)
            if opened is not None:
                return opened.number
        return None
