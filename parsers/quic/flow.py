"""Flow control (RFC 9000 section 4): how far each sender may go, and when it might go no further.

Strategy: limits are offsets, of each stream and of all of them together, so retransmissions count
nothing. Transport parameters set them, MAX_DATA and MAX_STREAM_DATA raise them. A sender is blocked
from the packet that reached a limit, if it has more to send, until a higher one comes: that it had
more, what follows proves, or its own DATA_BLOCKED or STREAM_DATA_BLOCKED says. Where a limit is not
known these frames tell it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..http2.flow import Stall, Window
from ..provenance import Completion
from ..records import Sender
from .transport_parameters import Parameters

CONNECTION = "initial_max_data"
UNI = "initial_max_stream_data_uni"
REMOTE = "initial_max_stream_data_bidi_remote"
LOCAL = "initial_max_stream_data_bidi_local"


class Credit:
    """What may be sent up to a limit; None while that is not known."""

    __slots__ = ("sent", "limit", "window")

    def __init__(self, limit: int | None) -> None:
        self.sent = 0
        self.limit = limit
        self.window = Window(limit or 0)

    def send(self, size: int) -> None:
        """Take note of new bytes; those past the limit show that it is not the one that holds."""
        self.sent += size
        self.window.size -= size
        if self.limit is not None and self.sent > self.limit:
            self.limit = None
            self.window.stall(None, at_end=True)  # what ended it was not captured

    def wait(self, since: Completion, offset: int) -> None:
        """Take note that its sender may have more to send."""
        if self.limit is not None:
            self.window.wait(since, offset)

    def rise(self, limit: int, opened: Completion) -> None:
        """Take a limit of the receiver; a lower one than before is late (section 4.1)."""
        if self.limit is None or limit > self.limit:
            self.limit = limit
            self.window.give(limit - self.sent - self.window.size, opened)

    def block(self, limit: int, since: Completion, offset: int) -> None:
        """Take its sender's word that it has more to send than up to ``limit``.

        What it sent before may not have been captured; a limit that has risen since it did not
        know yet.
        """
        if self.limit is None or limit == self.limit:
            self.sent = max(self.sent, limit)
            self.limit, self.window.size = limit, limit - self.sent
            self.window.wait(since, offset)


class FlowControl:
    """What holds one sender: limits that the other side sets."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._limits: dict[str, int] | None = None
        self._connection = Credit(None)
        self._streams: dict[int, Credit] = {}

    @property
    def is_known(self) -> bool:
        """Whether the limits are known that hold at first."""
        return self._limits is not None

    def begin(self, parameters: Parameters) -> None:
        """Take the other side's transport parameters (section 18.2): what is absent is 0."""
        self._limits = dict(parameters)
        began = 0, 0.0
        self._connection.rise(self._limits.get(CONNECTION, 0), began)
        for stream_id, credit in self._streams.items():
            credit.rise(self._initial(stream_id) or 0, began)

    def _initial(self, stream_id: int) -> int | None:
        if self._limits is None:
            return None
        opener: Sender = "server" if stream_id & 1 else "client"
        bidi = REMOTE if opener == self._sender else LOCAL
        return self._limits.get(UNI if stream_id & 2 else bidi, 0)

    def _stream(self, stream_id: int) -> Credit:
        credit = self._streams.get(stream_id)
        if credit is None:
            credit = self._streams[stream_id] = Credit(self._initial(stream_id))
        return credit

    def send(self, stream_id: int, end: int, came: Completion, *, is_last: bool) -> list[Stall]:
        """Take note that a stream has got up to ``end``; return the stalls that this ends.

        ``is_last`` tells that its sender has nothing more to send in it.
        """
        stream, stalls = self._stream(stream_id), list[Stall]()
        fresh = end - stream.sent
        for owner, credit in ((None, self._connection), (stream_id, stream)):
            if fresh > 0:
                if (stall := credit.window.stall(owner)) is not None:
                    stalls.append(stall)
                credit.send(fresh)
            if not is_last:
                credit.wait(came, end)
        return stalls

    def rise(self, stream_id: int | None, limit: int, came: Completion) -> None:
        """Take MAX_DATA or MAX_STREAM_DATA of the other side (sections 19.9 and 19.10)."""
        if stream_id is not None:
            self._stream(stream_id).rise(limit, came)
        elif self.is_known or self._connection.limit is not None:
            self._connection.rise(limit, came)  # else what was sent before is not known

    def block(self, stream_id: int | None, limit: int, came: Completion) -> None:
        """Take DATA_BLOCKED or STREAM_DATA_BLOCKED of the sender (sections 19.12 and 19.13)."""
        credit = self._connection if stream_id is None else self._stream(stream_id)
        credit.block(limit, came, 0 if stream_id is None else limit)

    def close(self, stream_id: int) -> None:
        """Forget a stream, which has ended."""
        self._streams.pop(stream_id, None)

    def still_blocked(self) -> Iterator[Stall]:
        """Yield the stalls that nothing ended."""
        for owner, credit in ((None, self._connection), *self._streams.items()):
            if credit.limit is None:
                continue
            stall = credit.window.stall(owner, at_end=True)
            if stall is not None:
                yield stall
