"""UDP datagrams: those of QUIC connections are decoded, of all others nothing is known here.

Strategy: one look at a datagram's first bytes tells whether it may begin a connection; until one
has, nothing else of QUIC is loaded. What opens packets and reads header sections are libraries of
the extra ``h3``: without them it is said once that QUIC is here, and what to install.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..diagnostics import Diagnostic, diagnose
from ..limits import QUIC_CONNECTION_COST
from ..memory import Account, Memory
from ..net.ip import IpPacket
from ..net.tunnel_protocols import UDP_HEADER
from ..net.tunnels import realm, tunnel_text
from ..provenance import Completion
from ..quic.packets import is_long_header, unknown_version
from ..records import FIRST_QUIC_CONNECTION, ConnectionRecord, Record

if TYPE_CHECKING:
    from ..quic.table import QuicTable
    from ..tls.key_finder import KeySource
    from .quic import QuicFollower
    from .taps import QuicTap

LIBRARIES = ("cryptography", "pylsqpack")
INSTALL = "pip install 'wireproof[h3]'"


class Datagrams:
    """Takes the datagrams of a capture; ``keys`` may open what QUIC connections say.

    Of connections that are not ``wanted`` there are no records.
    """

    def __init__(
        self,
        keys: KeySource | None,
        wanted: Callable[[int | None], bool] | None,
        *,
        keep_data: bool,
        shows_packets: bool,
        memory: Memory,
        tap: QuicTap | None = None,
    ) -> None:
        self.has_connections = False
        """Whether there has been a QUIC connection."""
        self._keys = keys
        self._wanted = wanted
        self._keep_data = keep_data
        self._shows_packets = shows_packets
        self._memory = memory
        self._tap = tap
        self._table: QuicTable[Record] | None = None
        self._followers: dict[int, QuicFollower] = {}
        self._packet: IpPacket | None = None
        self._is_lacking = False
        self._said: set[str] = set()

    def receive(
        self, packet: IpPacket, data: bytes, came: Completion
    ) -> list[Record] | Diagnostic | None:
        """Take a UDP datagram; ``data`` is what was captured of it, its header first.

        Returns the records that it completes, a diagnostic of no connection, or None if it is of
        nothing that is known.
        """
        if len(data) < UDP_HEADER:
            return None
        payload = data[UDP_HEADER : max(int.from_bytes(data[4:6], "big"), UDP_HEADER) or None]
        if self._table is None:
            if not is_long_header(payload) and not self._may_join(payload):
                return self._strange(payload)
            if not self._can_read():
                return self._once(diagnose("quic-not-decoded", 0, 0, INSTALL))
            self._table = self._open_table()
        self._packet = packet
        key = packet.source + packet.destination + data[:4]
        found = self._table.receive(key, payload, came, realm(packet.layers))
        return self._strange(payload) if found is None else self._chosen(found)

    def _chosen(self, records: list[Record]) -> list[Record]:
        wanted = self._wanted
        return records if wanted is None else [one for one in records if wanted(one.connection)]

    def _strange(self, payload: bytes) -> Diagnostic | None:
        version = unknown_version(payload)
        if version is None:
            return None
        return self._once(diagnose("quic-version-unknown", 0, 0, f"0x{version:08x}"))

    def _once(self, fault: Diagnostic) -> Diagnostic | None:
        if fault.code in self._said:
            return None
        self._said.add(fault.code)
        return fault

    def _may_join(self, payload: bytes) -> bool:
        """Whether a datagram may be of a connection whose beginning is missing, as keys tell."""
        return self._keys is not None and payload[:1] >= b"\x40" and self._can_read()

    def _can_read(self) -> bool:
        """Whether what opens packets and reads header sections is installed."""
        if not self._is_lacking:
            self._is_lacking = any(find_spec(library) is None for library in LIBRARIES)
        return not self._is_lacking

    def _open_table(self) -> QuicTable[Record]:
        from ..quic.table import QuicTable

        joiner = None
        if self._keys is not None:
            from ..quic.joining import Joiner

            joiner = Joiner(self._keys)
        return QuicTable(self._follow, joiner)

    def _follow(self, number: int, key: bytes) -> QuicFollower:
        from .quic import QuicFollower

        layers = () if self._packet is None else self._packet.layers
        tunnel = tunnel_text([], layers)
        follower = QuicFollower(
            number,
            key,
            self._keys,
            keep_data=self._keep_data,
            shows_packets=self._shows_packets,
            tunnel=tunnel,
            tap=self._tap,
            closed=self._closed,
            account=Account(self._memory),
        )
        self._followers[FIRST_QUIC_CONNECTION + number] = follower
        self.has_connections = True
        return follower

    def _closed(self, index: int) -> None:
        del self._followers[index]

    def connection(self, index: int) -> ConnectionRecord | None:
        """Return the record of an open connection as it is by now, None if that is not open."""
        follower = self._followers.get(index)
        return None if follower is None else follower.record()

    def connection_of(self, key: bytes) -> int | None:
        """Return the connection of the last packet with this key, None if it was of none."""
        number = None if self._table is None else self._table.connection_of(key)
        return None if number is None else FIRST_QUIC_CONNECTION + number

    @property
    def held(self) -> int:
        """What its connections hold, in bytes, as it is charged."""
        return sum(follower.account.held for follower in self._followers.values())

    def let_go(self) -> list[Record]:
        """Let connections go until enough memory is free: the longest idle if they are many, else
        those that hold most. Of none that is let go anything more is known."""
        records: list[Record] = []
        table, memory, found = self._table, self._memory, self._followers
        assert table is not None
        are_many = len(found) * QUIC_CONNECTION_COST > memory.limit // 2
        now = max((follower.last_packet for follower in found.values()), default=0)
        for index, follower in sorted(
            found.items(),
            key=lambda one: one[1].last_packet if are_many else -one[1].account.held,
        ):
            if memory.held <= memory.enough:
                break
            why = f"{follower.account.held:,} of {memory.held:,} bytes are held for it"
            if are_many:
                why = f"idle since packet {follower.last_packet:,}, {len(found):,} are open"
            records += follower.let_go(f"in packet {now:,}: {why}")
            records += table.let_go(index - FIRST_QUIC_CONNECTION)
        return self._chosen(records)

    def expire(self, now_ns: int) -> list[Record]:
        """End the connections that have been silent for too long."""
        return [] if self._table is None else self._chosen(self._table.expire(now_ns))

    def finish(self) -> list[Record]:
        """End the connections that are open."""
        return [] if self._table is None else self._chosen(self._table.end())
