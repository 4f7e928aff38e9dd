"""Flow control (RFC 9113 sections 5.2 and 6.9): what each sender may still send, and when not.

Strategy: both windows are followed for each sender of DATA, the connection's and each stream's. A
sender is blocked from the frame that left one of them without room, if it has more to send, until
its peer gives room again; that it had more is proved by DATA that follows, so a stall is told then.
Each window has stalls of its own: the connection's hold every stream.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..provenance import Completion

DEFAULT_WINDOW: Final = 65_535
"""Both windows before any SETTINGS (RFC 9113 section 6.9.2)."""
MAX_WINDOW: Final = 2**31 - 1


class Stall(NamedTuple):
    """A time during which a sender had no room in a window."""

    stream_id: int | None
    """Whose window it was; None for the connection's."""
    since: Completion
    offset: int
    """Where the sender stood in its byte stream."""
    opened: Completion | None
    """What gave room again; None if nothing did."""


class Window:
    """What may be sent until its receiver gives more."""

    __slots__ = ("size", "_since", "_opened", "_offset", "_sends")

    def __init__(self, size: int) -> None:
        self.size = size
        self._since: Completion | None = None
        self._opened: Completion | None = None
        self._offset = 0
        self._sends = False  # whether a message has begun, and more of it is to come

    def wait(self, since: Completion, offset: int) -> None:
        """Take note that its sender has more to send: if there is no room, it is blocked."""
        self._sends = True
        if self.size <= 0 and self._since is None:
            self._since, self._opened, self._offset = since, None, offset

    @property
    def is_waiting(self) -> bool:
        """Whether a stall of it has begun, and DATA has not ended it."""
        return self._since is not None

    def give(self, size: int, opened: Completion) -> bool:
        """Give room, or take it by less than 0; return False if the window is too large then."""
        self.size += size
        if self.size > 0 and self._since is not None and self._opened is None:
            self._opened = opened
        return self.size <= MAX_WINDOW

    def resize(self, change: int, settled: Completion, offset: int) -> bool:
        """Take a change of SETTINGS, which may leave no room: a window may be less than 0 then.

        That blocks a sender that is within a message. Return False if the window is too large.
        """
        is_right = self.give(change, settled)
        if self._sends:
            self.wait(settled, offset)
        return is_right

    def stall(self, stream_id: int | None, *, at_end: bool = False) -> Stall | None:
        """Return the stall that DATA ends, or the end of all; once."""
        since, opened = self._since, self._opened
        if since is None or (opened is None) is not at_end:
            return None
        self._since = None
        return Stall(stream_id, since, self._offset, opened)


class FlowControl:
    """The windows of one sender: its peer's SETTINGS and WINDOW_UPDATE frames open them.

    Joined in the middle (``is_partial``) no window is known, and none is followed.
    """

    def __init__(self, *, is_partial: bool) -> None:
        self.is_partial = is_partial
        self.connection = Window(DEFAULT_WINDOW)
        self.initial = DEFAULT_WINDOW
        """The window of a stream that begins: the peer's SETTINGS_INITIAL_WINDOW_SIZE."""
        self.streams: dict[int, Window] = {}

    def open(self, stream_id: int) -> None:
        """Begin to follow a stream."""
        self.streams[stream_id] = Window(self.initial)

    def close(self, stream_id: int) -> None:
        """Forget a stream, which has ended."""
        self.streams.pop(stream_id, None)

    def wait(self, stream_id: int, since: Completion, offset: int) -> None:
        """Take note that the sender has DATA to send in a stream."""
        if self.is_partial or stream_id not in self.streams:
            return
        self.connection.wait(since, offset)
        self.streams[stream_id].wait(since, offset)

    def send(self, stream_id: int, size: int) -> tuple[list[Stall], list[str]]:
        """Take note of a DATA frame's payload; return the stalls that it ends, and its faults.

        The faults are details: which window it exceeded.
        """
        if self.is_partial:
            return [], []
        windows: list[tuple[int | None, Window]] = [(None, self.connection)]
        stalls: list[Stall] = []
        faults: list[str] = []
        if (stream := self.streams.get(stream_id)) is not None:
            windows.append((stream_id, stream))
        for owner, window in windows:
            if not size:
                break
            if (stall := window.stall(owner)) is not None:
                stalls.append(stall)
            if size > window.size:
                name = "the connection's window" if owner is None else "the stream's window"
                faults.append(f"{size:,} bytes, {window.size:,} left in {name}")
            window.size -= size
        return stalls, faults

    def update(self, stream_id: int, increment: int, opened: Completion) -> bool:
        """Take a WINDOW_UPDATE of the peer; return False if a window is too large then."""
        window = self.connection if not stream_id else self.streams.get(stream_id)
        return self.is_partial or window is None or window.give(increment, opened)

    def settle(self, initial: int, settled: Completion, offset: int) -> bool:
        """Take SETTINGS_INITIAL_WINDOW_SIZE of the peer (section 6.9.2): all streams change.

        ``offset`` is where the sender stands in its byte stream.
        """
        change, self.initial = initial - self.initial, initial
        if self.is_partial:
            return True
        given = [
            window.resize(change, settled, offset) for window in self.streams.values()
        ]  # each of them
        return all(given)

    def still_blocked(self) -> list[Stall]:
        """Return the stalls that nothing ended; none where what ended them may be missing."""
        if self.is_partial:
            return []
        owners: list[tuple[int | None, Window]] = [(None, self.connection), *self.streams.items()]
        found = (window.stall(owner, at_end=True) for owner, window in owners)
        return [stall for stall in found if stall is not None]
