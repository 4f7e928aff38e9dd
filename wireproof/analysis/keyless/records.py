"""The encrypted records of one TLS connection, in columns of numbers, bounded whatever comes."""

from __future__ import annotations

from array import array
from typing import NamedTuple

from parsers.records import Sender, TlsRecordRecord

MAX_RECORDS = 65_536
"""Records of one connection that are kept: of a gigabyte in full ones; of more, the first."""


class Sealed(NamedTuple):
    """One record of which only this is seen."""

    sender: Sender
    size: int
    """Bytes of its fragment, as encrypted."""
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
        self.missing = 0
        """Records of which the capture lacks bytes."""

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, record: TlsRecordRecord) -> None:
        """Take the next record; what was decrypted, or was never encrypted, is not kept."""
        if record.type != "application_data" or record.decrypted == "yes":
            return
        self.missing += record.missing > 0
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
