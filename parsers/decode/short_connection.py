"""What is known of a connection while it is short and all in it is usual: numbers, and its packets.

See :mod:`.fast_connections`, which follows it.
"""

from __future__ import annotations

from .. import limits
from ..files.packets import Packet
from ..http1.messages import Request
from ..net.half_connection import most_in_flight
from ..net.segment import CLOSELY, Segment
from ..net.table import reverse_key
from ..net.tcp import Connection
from ..records import Record
from .usual_headers import USUAL_HEADERS
from .writer import RecordWriter


class Half:
    """What one end has sent, in numbers."""

    __slots__ = (
        "connection", "peer", "base_seq", "sizes", "next_seq", "acked", "size", "is_judged",
        "closely", "speaks", "fin", "writer",
    )  # fmt: skip

    peer: Half
    writer: RecordWriter

    def __init__(self, connection: ShortConnection) -> None:
        self.connection = connection
        self.base_seq = -1
        self.sizes: tuple[int | None, int | None] = None, None
        """What its SYN said of them (:attr:`~parsers.net.segment.Segment.sizes`)."""
        self.next_seq = -1
        """What comes next, FIN included; nothing has this number before a SYN."""
        self.acked = -1
        self.size = 0
        self.is_judged = False
        """Whether its checksums are right, as far as the first one says."""
        self.closely = 0
        self.speaks = True
        """Whether another message may follow."""
        self.fin: tuple[int, float] | None = None
        """Its packet and time."""

    def begin(self, segment: Segment) -> None:
        """Take the SYN."""
        self.base_seq = segment.seq
        self.sizes = segment.sizes
        self.next_seq = (segment.seq + 1) & 0xFFFFFFFF
        self.is_judged = segment.checksum == "right"
        self.closely = CLOSELY if self.is_judged else 0

    def may_have_waited(self, ack: int) -> bool:
        """Whether its peer may have waited for what it acknowledges, which is noted elsewhere
        (:meth:`~parsers.net.half_connection.HalfConnection.note_ack_wait`)."""
        if self.acked < 0:
            return False
        (own, scale), (other, other_scale) = self.sizes, self.peer.sizes
        key, least = self.connection.key, 0xFFFF
        if self is not self.connection.client:
            key = reverse_key(key)
        for _, _, _, _, data in self.connection.packets:
            *_, source, _, _, _, window = USUAL_HEADERS.unpack_from(data)
            if source == key:
                least = min(least, window)
        shift = 0 if scale is None or other_scale is None else scale
        return (ack - self.acked) & 0xFFFFFFFF > most_in_flight(least << shift, own, other)


class ShortConnection:
    """What is known of a connection while all in it is usual."""

    __slots__ = (
        "index", "key", "client", "server", "packets", "held", "last_packet", "is_wanted",
        "timestamps", "opened", "answered", "established", "exchange", "request", "closer",
        "is_over", "late",
    )  # fmt: skip

    def __init__(self, index: int, key: bytes, syn: Packet, *, is_wanted: bool) -> None:
        self.index = index
        self.key = key
        self.client, self.server = client, server = Half(self), Half(self)
        client.peer, server.peer = server, client
        self.packets = [syn]
        self.held = len(syn[4])
        self.last_packet = syn[0]
        self.is_wanted = is_wanted
        self.timestamps: tuple[int, int] | None = None
        """Of the SYN."""
        self.opened = syn[1] or 0
        self.answered = 0
        self.established: int | None = None
        """When the packets of the handshake came, in nanoseconds."""
        self.exchange = 0
        self.request: Request | None = None
        """What has been asked and is not answered yet."""
        self.closer: Half | None = None
        """Who sent the first FIN."""
        self.is_over = False
        self.late: Connection[Record] | None = None
        """What takes packets that come after its end, once one has."""

    @property
    def is_idle(self) -> bool:
        """Whether it may end: somebody asked, and all that was asked is answered."""
        return not self.is_wanted or (self.request is None and self.exchange > 0)

    @property
    def is_long(self) -> bool:
        """Whether more is kept of it than is kept here."""
        count, most = len(self.packets), limits.MAX_SHORT_PACKETS
        return not self.is_over and (count > most or self.held > limits.MAX_SHORT_BYTES)
