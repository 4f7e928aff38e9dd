"""A recording that goes on, into an index: packets as they arrive.

Strategy: as with a file one thread takes packets and gives them to the index, here as they come.
The recording says what it could not hand on; the page says it beside what it shows.
"""

from __future__ import annotations

from threading import Thread

from capture import CaptureError

from ..live.decoding import LivePackets
from ..rights import give_up_in_thread
from .index import Index


class LiveFeed:
    """Shows what ``packets``, a recording inside its ``with`` block, brings."""

    def __init__(self, index: Index, packets: LivePackets) -> None:
        self._index = index
        self._packets = packets
        self._thread = Thread(target=self._run, name="feed", daemon=True)

    def start(self) -> None:
        """Begin to show."""
        self._thread.start()

    def stop(self) -> None:
        """End the recording, and show the last of it."""
        self._packets.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            give_up_in_thread()
            self._take()
        except Exception as error:
            self._index.break_off(error)  # nobody waits for this thread, and the page must not
            raise

    def _take(self) -> None:
        problem: str | None = None
        try:
            for piece in self._packets.pieces():
                self._index.miss(piece.skipped + piece.dropped)
                if self._index.tracer.keys is None:
                    self._index.tracer.use_keys(self._packets.keys())
                if piece.packets:
                    self._index.receive(piece.packets)
            if self._packets.broken is not None:
                problem = str(self._packets.broken)
        except (CaptureError, OSError) as error:
            problem = f"the recording broke off: {error}"
        self._index.finish(self._packets.faults, problem)
