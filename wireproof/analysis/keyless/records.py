"""What was encrypted on one connection, in columns of numbers, bounded whatever comes.

Of TLS over TCP that is its records; of QUIC, whose packets hold whatever there is to be sent, its
datagrams.
"""

from __future__ import annotations

from array import array
from collections.abc import Sized
from typing import NamedTuple

from parsers.records import QuicPacketRecord, Sender, TlsRecordRecord

from ...text.wording import count
from ..verdict import Basis

MAX_RECORDS = 65_536
"""Records of one connection that are kept: of a gigabyte in full ones; of more, the first."""


class Medium(NamedTuple):
    """What encrypted bytes come in, and what to call it."""

    name: str
    """Of one, in words."""
    described: str
    """Several, in words, as what they are."""
    basis: Basis
    alone: str
    """What all that is said rests on, in words."""

    def counted(self, several: Sized) -> str:
        """Return how many there are, in words."""
        return count(len(several), self.name)


TLS = Medium(
    "record",
    "application data records",
    "tls record sizes and times",
    "from record sizes and times alone",
)
QUIC = Medium(
    "datagram",
    "datagrams",
    "quic datagram sizes and times",
    "from datagram sizes and times alone",
)


class Sealed(NamedTuple):
    """One record, or one datagram, of which only this is seen."""

    sender: Sender
    size: int
    """Bytes of its fragment, as encrypted; of QUIC those of the packet."""
    time: float
    """When its last byte was there, in seconds since the epoch."""
    packet: int
    """That brought its last byte."""


class SealedRecords:
    """Takes the records of both sides in the order in which they were complete."""

    def __init__(self) -> None:
        self._is_server = bytearray()
        self._sizes = array("L")
        self._times = array("d")
        self._packets = array("Q")
        self.has_more = False
        """Whether there were more than are kept."""
        self.established = 0
        """The last packet that carried a part of QUIC's handshake by the client."""
        self.missing = 0
        """Records of which the capture lacks bytes."""

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, record: TlsRecordRecord) -> None:
        """Take the next record; what was decrypted, or was never encrypted, is not kept."""
        if record.type != "application_data" or record.decrypted == "yes":
            return
        self.missing += record.missing > 0
        self._keep(record)

    def add_packet(self, record: QuicPacketRecord) -> None:
        """Take the next packet of QUIC."""
        if record.type != "1-rtt":
            if record.sender == "client":
                self.established = record.last_packet
        elif record.decrypted == "no":
            self._keep(record)

    def _keep(self, record: TlsRecordRecord | QuicPacketRecord) -> None:
        if len(self) >= MAX_RECORDS:
            self.has_more = True
            return
        self._is_server.append(record.sender == "server")
        self._sizes.append(record.size)
        self._times.append(record.last_time)
        self._packets.append(record.last_packet)

    def __getitem__(self, at: int) -> Sealed:
        sender: Sender = "server" if self._is_server[at] else "client"
        return Sealed(sender, self._sizes[at], self._times[at], self._packets[at])

    def all(self) -> list[Sealed]:
        """Return them in the order in which they came."""
        return [self[at] for at in range(len(self))]
