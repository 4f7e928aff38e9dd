"""What TLS carried, decrypted, by place: for whoever looks at the bytes of a TLS record.

Strategy: the decoder hands it on as it reads it, and it is put aside beside the packets; memory
has three numbers for each TLS record of connections that go on, and of those that have ended these
are put aside too (:mod:`..shelf`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import NamedTuple

from parsers import Listener, Streams
from parsers.diagnostics import Diagnostic
from parsers.provenance import Completion, Ending
from parsers.records import Record, Sender
from parsers.streams import ByteStream

from ..shelf import Resting
from ..spool import Spool

SideAside = tuple[bytes, bytes, bytes]
"""The columns of a side as they are put aside."""


class SidesAside(NamedTuple):
    """Both sides of a connection as they are put aside when that has ended."""

    client: SideAside
    server: SideAside


class Plaintext:
    """Takes what connections carried in TLS, and gives it back by offset."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._sides: Resting[_Sides, SidesAside] = Resting(
            SidesAside, spool, _Sides.aside, self._bring_back
        )

    def listen(self, connection: int, streams: Streams) -> tuple[Listener, Listener]:
        """Return who listens to what the client and the server of a connection sent."""
        client, server = (_Side(self._spool, stream) for stream in streams)
        self._sides.begin(connection, _Sides(client, server))
        return client, server

    def end(self, connection: int) -> None:
        """Take note that a connection has ended."""
        self._sides.end(connection)

    def rest(self) -> None:
        """Put aside where those lie that have ended."""
        self._sides.rest()

    def read(self, connection: int, sender: Sender, start: int, end: int) -> bytes:
        """Return bytes [start, end) of what a side sent; those that are lost are left out."""
        sides = self._sides.find(connection)
        if sides is None:
            return b""
        return (sides.client if sender == "client" else sides.server).read(start, end)

    def _bring_back(self, _: int, aside: SidesAside) -> _Sides:
        return _Sides(*(_Side.back(self._spool, columns) for columns in aside))


class _Sides(NamedTuple):
    client: _Side
    server: _Side

    def aside(self) -> SidesAside:
        return SidesAside(self.client.aside(), self.server.aside())


class _Side:
    """What one side sent: where each run of it lies."""

    open_offsets: tuple[int, ...] = ()

    def __init__(self, spool: Spool, stream: ByteStream[Record] | None) -> None:
        """``stream`` is None of what was put aside: no more of it comes."""
        self._spool = spool
        self._stream = stream
        self._starts = array("q")
        self._places = array("q")
        self._ends = array("q")

    def aside(self) -> SideAside:
        """Return what is to be put aside."""
        return self._starts.tobytes(), self._places.tobytes(), self._ends.tobytes()

    @classmethod
    def back(cls, spool: Spool, aside: SideAside) -> _Side:
        """Return what was put aside."""
        side = cls(spool, None)
        for column, kept in zip((side._starts, side._places, side._ends), aside, strict=True):
            column.frombytes(kept)
        return side

    def receive_data(self, data: bytes) -> list[Record]:
        assert self._stream is not None
        end = self._stream.origins.size
        self._starts.append(end - len(data))
        self._ends.append(end)
        self._places.append(self._spool.append(data))
        return []

    def read(self, start: int, end: int) -> bytes:
        found = bytearray()
        for at in range(bisect_right(self._ends, start), len(self._ends)):
            first, last = max(start, self._starts[at]), min(end, self._ends[at])
            if first >= last:
                break
            found += self._spool.read(self._places[at] + first - self._starts[at], last - first)
        return bytes(found)

    def receive_gap(self, length: int) -> list[Record]:
        return []

    def receive_fault(self, fault: Diagnostic, shown: Completion) -> list[Record]:
        return []

    def receive_eof(self, ending: Ending) -> list[Record]:
        return []
