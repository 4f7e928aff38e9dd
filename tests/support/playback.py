"""A recorder that plays a capture back: it writes frames as if they came over a network.

with LiveDecoding(port=8000, backend=Playback(frames)) as live:
    for records in live.batches(): ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from capture import CaptureError, Statistics
from capture.backends import Backend, Session, Wanted

from .demo import PATIENCE
from .flood import CaptureStream

PIECE = 16 * 1_024


class Playback(Backend):
    """Records these frames, once, whatever is wanted: it is a backend and its own recording.

    ``written`` is set when it has written all of them; then it waits inside its block, unless it
    ends ``by_itself``. ``data`` is what it writes instead of a file of frames, ``dropped`` what it
    says that the kernel dropped, ``broken`` what leaving raises. With a ``pace`` it takes one of
    that for each PIECE.
    """

    name = "playback"
    summary = "what it was given"

    def __init__(
        self,
        frames: Iterable[bytes] = (),
        *,
        dropped: int = 0,
        by_itself: bool = True,
        broken: CaptureError | None = None,
        data: bytes | None = None,
        pace: threading.Semaphore | None = None,
    ) -> None:
        self._stream = CaptureStream(frames) if data is None else BytesIO(data)
        self._pace = pace
        self._by_itself = by_itself
        self._broken = broken
        self._leaving = threading.Event()
        self.written = threading.Event()
        self.size = 0
        """Bytes that are written."""
        self.statistics = Statistics(0, dropped)
        self.wanted: Wanted | None = None
        self.fault: OSError | None = None

    def lacks(self) -> None:
        return None

    @contextmanager
    def open(self, wanted: Wanted) -> Iterator[Session]:
        self.wanted = wanted
        assert wanted.stream is not None
        thread = threading.Thread(target=self._play, args=(wanted.stream,))
        thread.start()
        try:
            yield Session(self)  # type: ignore[arg-type]
        finally:
            self._leaving.set()
            thread.join(PATIENCE)
            assert not thread.is_alive(), "nobody reads what is recorded"
        if self._broken is not None:
            raise self._broken

    def _play(self, pipe: BinaryIO) -> None:
        try:
            with pipe:
                while piece := self._stream.read(PIECE):
                    if self._pace is not None:
                        assert self._pace.acquire(timeout=PATIENCE)
                    self.size += pipe.write(piece)
                self.written.set()
                if not self._by_itself:
                    assert self._leaving.wait(PATIENCE), "nobody stops the recording"
        except OSError as fault:
            self.fault = fault
            self.written.set()
