"""Whether a stream of HTTP/2 is a WebSocket (RFC 8441), by what both sides send in it."""

from __future__ import annotations

from ..limits import MAX_UNDECIDED
from ..records import Sender
from .joining import FrameSearch, proof_of_frames

SIDES: tuple[Sender, ...] = ("client", "server")


class WebSocketSearch:
    """The DATA of one stream, while it is not known whether it is a WebSocket's.

    It is none unless all that a side sent is frames, masked as that side has to (RFC 6455 5.1).
    """

    def __init__(self) -> None:
        self.is_refuted = False
        """Whether what came cannot be a WebSocket's."""
        self.is_over = False
        """Whether one side's bytes are taken for content already."""
        self._frames: dict[Sender, FrameSearch] = {side: FrameSearch(0) for side in SIDES}
        self._open: dict[Sender, bytearray] = {side: bytearray() for side in SIDES}

    def add(self, sender: Sender, data: bytes) -> None:
        """Take content of the DATA frame that a side is sending."""
        self._open[sender] += data
        self.is_refuted |= len(self._open[sender]) > MAX_UNDECIDED

    def end_frame(self, sender: Sender) -> None:
        """Take note that a side's DATA frame is whole."""
        content, frames = bytes(self._open[sender]), self._frames[sender]
        self._open[sender].clear()
        if not content:
            return
        frames.receive_data(content)
        is_wrong = frames.is_masked is (sender == "server")
        self.is_refuted |= is_wrong or frames.start > 0 or not frames.is_pending

    @property
    def proof(self) -> str:
        """Why it is certain to be a WebSocket; empty if it is not."""
        return "" if self.is_refuted else proof_of_frames(*self._frames.values())

    @property
    def is_likely(self) -> bool:
        """Whether what came may be frames, though chance is not ruled out."""
        return not self.is_refuted and any(one.frames for one in self._frames.values())
