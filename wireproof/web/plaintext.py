"""What TLS carried, decrypted, by place: for whoever looks at the bytes of a TLS record.

Strategy: the decoder hands it on as it reads it, and it is put aside beside the packets; memory
has three numbers for each TLS record.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from parsers import Listener, Streams
from parsers.diagnostics import Diagnostic
from parsers.provenance import Completion, Ending
from parsers.records import Record, Sender
from parsers.streams import ByteStream

from ..spool import Spool


class Plaintext:
    """Takes what connections carried in TLS, and gives it back by offset."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._sides: dict[tuple[int, Sender], _Side] = {}

    def listen(self, connection: int, streams: Streams) -> tuple[Listener, Listener]:
        """Return who listens to what the client and the server of a connection sent."""
        client, server = (_Side(self._spool, stream) for stream in streams)
        self._sides[connection, "client"], self._sides[connection, "server"] = client, server
        return client, server

    def read(self, connection: int, sender: Sender, start: int, end: int) -> bytes:
        """Return bytes [start, end) of what a side sent; those that are lost are left out."""
        side = self._sides.get((connection, sender))
        return b"" if side is None else side.read(start, end)


class _Side:
    """What one side sent: where each run of it lies."""

    open_offsets: tuple[int, ...] = ()

    def __init__(self, spool: Spool, stream: ByteStream[Record]) -> None:
        self._spool = spool
        self._stream = stream
        self._starts = array("q")
        self._places = array("q")
        self._ends = array("q")

    def receive_data(self, data: bytes) -> list[Record]:
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
