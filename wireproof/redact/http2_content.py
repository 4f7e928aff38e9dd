"""What one side sends in one stream of HTTP/2: looked at as what a connection of HTTP/1.1 carries.

Strategy: the content of a stream's DATA frames is a byte stream without a break. Its records are
moved to where it has their bytes, and its masks back to where the connection has them.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter
from typing import Generic, Protocol, TypeVar

from msgspec.structs import replace
from parsers import Account
from parsers.provenance import Ending
from parsers.records import (
    BodyRecord,
    ChunkRecord,
    GrpcMessageRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    WebSocketFrameRecord,
)

from ..dialects.dialect import Element
from .coded import CodedBody
from .patterns import Span
from .records import plain_bytes
from .rules import Rules
from .said import Said
from .secrets import Report
from .stars import Mask
from .undeclared import NOT_UNDONE
from .websocket_masks import WebSocketMaskStream

HTTP2 = "HTTP/2"
GRPC_PREFIX = 5
"""Bytes before a message: its compressed flag and its length (gRPC over HTTP/2, PROTOCOL-HTTP2)."""
Moved = RequestRecord | ResponseRecord | ChunkRecord | BodyRecord | WebSocketFrameRecord
Run = tuple[int, int, int]
"""[start, end) of the stream, and where on the connection that begins."""
END = itemgetter(1)
OUTER = itemgetter(2)


class Inner(Protocol):
    """A byte stream that is masked: what :class:`StreamContent` puts in its place."""

    done: int

    @property
    def settled(self) -> int: ...
    def charge_to(self, account: Account) -> None: ...
    def receive_data(self, data: bytes) -> list[Record]: ...
    def receive_eof(self, ending: Ending) -> list[Record]: ...
    def take(self, record: Record) -> None: ...
    def switch_to_websocket(self, response: ResponseRecord) -> None: ...
    def hand_on(self, *, is_end: bool) -> None: ...
    def end(self) -> None: ...
    def take_masks(self) -> list[Mask]: ...


S = TypeVar("S", bound=Inner)


class StreamContent(Generic[S]):
    """A byte stream from 0, and where its bytes lie on the connection."""

    __slots__ = ("is_tunnel", "_stream", "_size", "_runs")

    def __init__(self, stream: S) -> None:
        self.is_tunnel = False
        """Whether it carries another protocol: then it may have many bodies."""
        self._stream = stream
        self._size = 0
        self._runs: list[Run] = []

    def charge_to(self, account: Account) -> None:
        """Charge what waits to the account of its connection."""
        self._stream.charge_to(account)

    def give_back(self) -> None:
        """Charge nothing any more."""
        self._stream.receive_eof("close")

    @property
    def settled(self) -> int | None:
        """Where on the connection the first byte lies that may still be masked, if any may."""
        at = self._stream.settled
        index = bisect_right(self._runs, at, key=END)
        if index == len(self._runs):
            return None
        start, _, outer = self._runs[index]
        return outer + max(at - start, 0)

    def receive_data(self, data: bytes, start: int) -> None:
        """Take the next bytes, which lie at ``start`` of the connection."""
        if data:
            self._runs.append((self._size, self._size + len(data), start))
            self._size += len(data)
            self._stream.receive_data(data)

    def take(self, record: Record) -> None:
        """Take a record that counts in the connection's bytes."""
        if isinstance(record, RequestRecord | ResponseRecord) and record.version == HTTP2:
            self._take_head(record)
        elif isinstance(record, GrpcMessageRecord):
            self._take_message(record)
        elif isinstance(record, Moved):
            start, end = self._inner(record.offset), self._inner(record.offset + record.length)
            moved: dict[str, int] = {"offset": start, "length": end - start}
            if isinstance(record, ChunkRecord | WebSocketFrameRecord):
                moved["content_offset"] = self._inner(record.content_offset)
            self._stream.take(replace(record, **moved))
        else:
            self._stream.take(record)

    def say(self, said: Said) -> None:
        """Take what elements say that count in the connection's bytes."""

    def switch_to_websocket(self, response: ResponseRecord) -> None:
        """Take note that what comes are frames of a WebSocket."""
        self.is_tunnel = True
        self._stream.switch_to_websocket(response)

    def take_masks(self, *, is_end: bool) -> list[Mask]:
        """Return the masks since the last call, where they lie on the connection."""
        self._stream.hand_on(is_end=is_end)
        if is_end:
            self._stream.end()
        found = [part for mask in self._stream.take_masks() for part in self._outer(mask)]
        settled = self._stream.settled
        del self._runs[: bisect_right(self._runs, settled, key=END)]
        return found

    def _take_head(self, record: RequestRecord | ResponseRecord) -> None:
        is_connect = isinstance(record, RequestRecord) and record.method == "CONNECT"
        self.is_tunnel = self.is_tunnel or is_connect or record.framing == "upgrade"
        self._stream.take(replace(record, offset=self._stream.done, length=0))

    def _take_message(self, record: GrpcMessageRecord) -> None:
        """Take note of a message of gRPC."""

    def _inner(self, offset: int) -> int:
        """Return where in the stream a byte of the connection lies, or the end of one."""
        index = bisect_right(self._runs, offset, key=OUTER) - 1
        if index < 0:
            return self._runs[0][0] if self._runs else self._size
        start, end, outer = self._runs[index]
        return min(start + offset - outer, end)

    def _outer(self, mask: Mask) -> list[Mask]:
        """Return a mask where the connection has its bytes."""
        found: list[Mask] = []
        for index in range(bisect_right(self._runs, mask.start, key=END), len(self._runs)):
            first, last, outer = self._runs[index]
            if first >= mask.end:
                break
            start, end = max(mask.start, first), min(mask.end, last)
            data = None if mask.data is None else mask.part(start, end)
            found.append(Mask(outer + start - first, outer + end - first, data))
        return found


class SearchedContent(StreamContent[WebSocketMaskStream]):
    """Such a stream in which secrets are looked for."""

    __slots__ = ("_rules", "_report", "_message_codings")

    def __init__(self, rules: Rules, report: Report) -> None:
        super().__init__(WebSocketMaskStream(rules, report))
        self._rules = rules
        self._report = report
        self._message_codings = [NOT_UNDONE]
        """How messages of gRPC are compressed that say they are."""

    def say(self, said: Said) -> None:
        self._stream.say(said, self._place)

    def _place(self, element: Element) -> Span:
        return self._inner(element.offset), self._inner(element.offset + element.length)

    def _take_head(self, record: RequestRecord | ResponseRecord) -> None:
        named = [value for name, value in record.headers if name == "grpc-encoding"]
        self._message_codings = named or [NOT_UNDONE]
        super()._take_head(record)

    def _take_message(self, record: GrpcMessageRecord) -> None:
        """Mask a compressed message of gRPC whole if it hides a secret, or may."""
        if not record.compressed or not self._rules.is_thorough:
            return
        start, end = self._inner(record.offset), self._inner(record.offset + record.length)
        body = CodedBody(
            self._message_codings, found=self._report.found, patterns=self._rules.patterns,
            memory=self._report.memory,
        )  # fmt: skip
        body.is_secret = body.is_secret or record.data is None or record.encoding is None
        if record.data is not None and record.encoding is not None:
            body.receive(plain_bytes(record.data, record.encoding), 0)
            body.end(is_complete=True)
        if body.is_secret:
            self._stream.mask_whole(start + GRPC_PREFIX, end)
