"""One side of a QUIC connection: its keys, its packet numbers, and what it said of itself.

Strategy: a packet is opened by the keys of its level. Those of Initial packets everyone can make;
the others come of secrets that a key log may have, under the random of the client's hello. Where no
ServerHello tells the cipher suite, all that fit the secret are tried, and the tag decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from ..limits import MAX_QUIC_CANDIDATES, MAX_QUIC_IDS, MAX_QUIC_WAITING
from ..records import Sender
from ..tls.key_log import (
    CLIENT_EARLY,
    CLIENT_HANDSHAKE,
    CLIENT_TRAFFIC,
    SERVER_HANDSHAKE,
    SERVER_TRAFFIC,
)
from .flow import FlowControl
from .handshake import CryptoStream, new_crypto_room
from .key_schedule import HASH_SIZES, INITIAL_SUITE, SUITES, initial_secret
from .number_space import NumberSpace
from .packets import VERSIONS, Kind, PacketHeader
from .protection import LevelKeys, Opened
from .segments import Segmentation
from .streams import Room

SPACES: Final[dict[Kind, int]] = {"initial": 0, "handshake": 1, "0-rtt": 2, "1-rtt": 2}
"""The packet number space of each kind of packet (RFC 9000 section 12.3)."""
LABELS: Final[dict[tuple[Sender, Kind], str]] = {
    ("client", "0-rtt"): CLIENT_EARLY,
    ("client", "handshake"): CLIENT_HANDSHAKE,
    ("server", "handshake"): SERVER_HANDSHAKE,
    ("client", "1-rtt"): CLIENT_TRAFFIC,
    ("server", "1-rtt"): SERVER_TRAFFIC,
}
"""What a key log calls the secret of a side at a level (RFC 9850 section 2.1)."""


class QuicSide:
    """What one endpoint sends."""

    def __init__(self, sender: Sender) -> None:
        self.sender: Sender = sender
        self.ids: dict[bytes, None] = {}
        """The connection ids that it may be addressed by, the newest last."""
        self.id_size = 0
        """How long they are: what a short header does not say."""
        self.new_ids: list[bytes] = []
        """Those that nobody has taken note of yet."""
        self.spaces = NumberSpace(), NumberSpace(), NumberSpace()
        self._crypto_room = room = new_crypto_room()
        self.crypto = {kind: CryptoStream(room) for kind in ("initial", "handshake", "1-rtt")}
        self.room = Room(MAX_QUIC_WAITING)
        self.flow = FlowControl(sender)
        """What holds it."""
        self.bytes = 0
        """Of its streams, those that were seen, each once."""
        self.resent = 0
        """STREAM frames whose bytes had been sent before."""
        self.unopened = 0
        """Packets that no key opened."""
        self.opened = 0
        """Packets other than Initial ones that were opened."""
        self._segmentation = Segmentation()
        self._keys: dict[Kind, list[LevelKeys]] = {}

    @property
    def waiting(self) -> int:
        """Bytes that wait behind holes, of streams and of the handshake."""
        return self.room.taken + self._crypto_room.taken

    @property
    def updates(self) -> int:
        """How many key updates there were (RFC 9001 section 6)."""
        return sum(keys.updates for keys in self._keys.get("1-rtt", ()))

    def add_id(self, connection_id: bytes) -> None:
        """Take note of an id that the other side may address it by; the oldest goes."""
        self.id_size = len(connection_id)
        if connection_id and connection_id not in self.ids:
            self.ids[connection_id] = None
            self.new_ids.append(connection_id)
        if len(self.ids) > MAX_QUIC_IDS:
            del self.ids[next(iter(self.ids))]

    def make_initial_keys(self, version: int, destination: bytes) -> None:
        """Make the keys of Initial packets (RFC 9001 section 5.2)."""
        secret = initial_secret(version, destination, self.sender)
        label = VERSIONS[version].label
        self._keys["initial"] = [LevelKeys(INITIAL_SUITE, label, secret, may_update=False)]

    def has_keys(self, kind: Kind) -> bool:
        """Whether there are keys for packets of that kind."""
        return kind in self._keys

    def make_keys(
        self, kind: Kind, version: int, secrets: Mapping[str, bytes], suite: int | None
    ) -> None:
        """Make the keys of a level, if their secret is known: of all suites that it may be of.

        Early data may have another suite than the connection: that of the session before it.
        """
        found = self._keys_from(kind, version, secrets, suite)
        if found:
            self._keys[kind] = found

    def make_candidates(
        self, kind: Kind, version: int, several: Iterable[Mapping[str, bytes]]
    ) -> None:
        """Make the keys of a level of every connection whose secrets are given, to be tried."""
        found = (
            keys
            for one in several
            for keys in self._keys_from(kind, version, one, None, is_joined=True)
        )
        candidates = list(islice(found, MAX_QUIC_CANDIDATES))
        if candidates:
            self._keys[kind] = candidates

    def _keys_from(
        self,
        kind: Kind,
        version: int,
        secrets: Mapping[str, bytes],
        suite: int | None,
        *,
        is_joined: bool = False,
    ) -> list[LevelKeys]:
        label = LABELS.get((self.sender, kind))
        secret = None if label is None else secrets.get(label)
        if secret is None:
            return []
        fitting = [one for one in SUITES.values() if HASH_SIZES[one.hash_name] == len(secret)]
        known = SUITES.get(suite or 0)
        if kind != "0-rtt" and known in fitting:
            fitting = [known]
        label = VERSIONS[version].label
        may_update = kind == "1-rtt"
        return [
            LevelKeys(one, label, secret, may_update=may_update, is_joined=is_joined)
            for one in fitting
        ]

    def open(self, data: bytes, packet: PacketHeader) -> Opened | None:
        """Return what a packet holds; None if no key opens it."""
        expected = self.spaces[SPACES[packet.kind]].expected
        candidates = self._keys.get(packet.kind, [])
        for keys in candidates:
            opened = keys.open(data, packet, expected)
            if opened is not None:
                if len(candidates) > 1:
                    self._keys[packet.kind] = [keys]
                return opened
        return None

    def open_joined(self, data: bytes, packet: PacketHeader) -> list[Opened]:
        """Return what the packets hold that one with a short header, to the end, does not open as.

        The last of them may be one that cannot be opened: then it is counted.
        """
        found: list[Opened] = []
        while packet.start < packet.end:
            opened = self._open_segment(data, packet)
            if opened is None:
                self.unopened += bool(found)
                break
            found.append(opened[0])
            before = packet.number_at - packet.start
            packet = packet._replace(start=opened[1], number_at=opened[1] + before)
        return found

    def _open_segment(self, data: bytes, packet: PacketHeader) -> tuple[Opened, int] | None:
        """Return what the first of the joined packets holds, and where it ends."""
        for end in self._segmentation.ends(data, packet):
            opened = self.open(data, packet._replace(end=end))
            if opened is not None:
                if end < packet.end:
                    self._segmentation.size = end - packet.start
                return opened, end
        return None
