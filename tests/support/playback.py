"""A recorder that plays a capture back: it writes frames as if they came over a network.

with LiveDecoding(port=8000, record=Playback(frames)) as live:
    for records in live.batches(): ...
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from capture import CaptureError, Statistics

from .demo import PATIENCE
from .flood import CaptureStream

PIECE = 16 * 1_024


class Playback:
    """A recorder of these frames, and the call that makes it: it is its own factory.

    ``written`` is set when it has written all of them; then it waits inside its block, unless it
    ends ``by_itself``. ``data`` is what it writes instead of a file of frames, ``dropped`` what it
    says that the kernel dropped, ``broken`` what leaving raises. With a ``pace`` it takes one of
    that for each PIECE.
    """

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
        self.options: dict[str, Any] = {}
        self.fault: OSError | None = None

    def __call__(self, path: Any, /, **options: Any) -> Playback:
        self._path = Path(path)
        self.options = options
        return self

    def __enter__(self) -> Playback:
        self._thread = threading.Thread(target=self._play)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "nobody reads what is recorded"
        if self._broken is not None:
            raise self._broken

    def _play(self) -> None:
        try:
            with self._path.open("wb", buffering=0) as pipe:
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
