"""Where in one side's byte stream the secrets of a WebSocket's frames are.

Strategy: frames are unmasked to be looked at, and what takes a secret's place in them is masked
with the same key. Messages go on in one another as events do (:mod:`.streams`); those that are
compressed are read whole, and masked whole. What follows a hole that takes the border of frames is
looked at as it stands, and counted as not searched for names.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from parsers.records import DiagnosticRecord, Record, WebSocketFrameRecord, WebSocketMessageRecord

from ..bytes.dissection import MAX_HOLE
from ..dialects.dialect import Element
from ..exchange import CLOSE, CONTINUATION
from .coded import CodedBody, DeflatedMessages, Piece
from .content import ContentFinder
from .patterns import Span
from .rules import Rules
from .said import Said, place_of
from .secrets import Policy, Report, find
from .stars import STAR, Mask, deflated_stars, xored
from .streams import MaskStream, first_waiting
from .undeclared import begins_as

# RFC 6455 section 5.2: FIN, RSV and opcode; MASK and the payload's length in 7, 16 or 64 bits.
FRAME_HEADER = re.compile(
    rb"[\x00-\xff](?:[\x00-\x7d\x80-\xfd]|[\x7e\xfe][\x00-\xff]{2}|[\x7f\xff][\x00-\xff]{8})"
)
FRAMING_LOST = "websocket-framing-lost"
"""The fault of a stream of which no more frames are told."""


class WebSocketMaskStream(MaskStream):
    """One direction of a connection that may become a WebSocket: bytes in, masks out."""

    __slots__ = (
        "_has_frames", "_has_lost_framing", "_in_compressed_message", "_deflated", "_message",
    )  # fmt: skip

    def __init__(self, policy: Policy | Rules, report: Report) -> None:
        super().__init__(policy, report)
        self._has_frames = False
        """Whether frames came."""
        self._has_lost_framing = False
        """Whether none can come any more, for a hole took the border of two."""
        self._in_compressed_message = False
        self._deflated: DeflatedMessages | None = None
        """What reads compressed messages, once there are any."""
        self._message: CodedBody | None = None
        """What reads the message at hand, if that begins as coded content does."""

    def receive_gap(self, length: int) -> list[Record]:
        if length > MAX_HOLE and self.is_websocket:
            self._report.holes += 1
        return super().receive_gap(length)

    @property
    def settled(self) -> int:
        bodies = [one for one in (self._deflated, self._message) if one is not None]
        return first_waiting(bodies, super().settled)

    def end(self) -> None:
        super().end()
        if self._deflated is not None:
            self._mask_whole(self._deflated.end())
        if self._message is not None:
            self._mask_frames(self._message.end(is_complete=False))

    def say(self, said: Said, place: Callable[[Element], Span] = place_of) -> None:
        before = len(self._parts)
        super().say(said, place)
        is_compressed = any(
            isinstance(one, WebSocketMessageRecord) and one.compressed for one in said.elements
        )
        if len(self._parts) > before and is_compressed:
            self._messages.is_secret = True

    @property
    def _messages(self) -> DeflatedMessages:
        if self._deflated is None:
            self._deflated = DeflatedMessages(self._report.found, self._patterns)
        return self._deflated

    @property
    def _goes_on(self) -> bool:
        return self.is_websocket or super()._goes_on

    def _key_at(self, place: int) -> tuple[bytes, int] | None:
        return self._recent.key_at(place) if self.is_websocket else None

    def payload(self, record: WebSocketFrameRecord, data: bytes, start: int) -> None:
        if not self._is_thorough:
            return
        is_control = record.opcode >= CLOSE
        is_compressed = not is_control and (
            record.rsv1 or (record.opcode == CONTINUATION and self._in_compressed_message)
        )
        if not is_control:
            self._in_compressed_message = is_compressed and not record.fin
        if not self._has_frames:
            self._speak_websocket()
        key = bytes.fromhex(record.masking_key or "00000000")
        if is_compressed:
            piece = Piece(start, len(data), key, record.fin)
            self._mask_whole(self._messages.receive_frame(piece))
        elif is_control:
            self._plain_payload(data, start, key, is_control=True)
        else:
            self._data_frame(record, data, start, key)

    def _speak_websocket(self) -> None:
        """Go on with what a WebSocket carries, which may begin as another protocol does."""
        self._has_frames = True
        self._look_at_content()
        self._finder = ContentFinder(
            is_event_stream=False, may_log_in=True, patterns=self._patterns
        )

    def _data_frame(
        self, record: WebSocketFrameRecord, data: bytes, start: int, key: bytes
    ) -> None:
        """Take a frame that no extension has compressed, though an application may have."""
        plain = self._unmasked(data, start, key)
        if record.opcode != CONTINUATION:
            coding = begins_as(plain)
            found, memory = self._report.found, self._report.memory
            self._message = (
                None
                if coding is None
                else CodedBody([coding], found=found, patterns=self._patterns, memory=memory)
            )
        if self._message is None:
            text = plain.decode("latin-1")
            self._look_behind_holes(text, start, key)
            self._content.append(text)
            self._places.append(start)
            if any(key):
                self._keys[start] = key
            return
        self._mask_frames(self._message.receive(plain, start, key))
        if record.fin:
            self._mask_frames(self._message.end(is_complete=True))
            self._message = None

    def message(self, record: WebSocketMessageRecord) -> None:
        if record.compressed and self._is_thorough:
            self._mask_whole(self._messages.receive_message(record))

    def fault(self, record: DiagnosticRecord) -> None:
        if record.code.startswith("websocket-deflate") and self._is_thorough:
            self._mask_whole(self._messages.damaged())
        elif record.code == FRAMING_LOST:
            self._has_lost_framing = True

    def _mask_whole(self, pieces: list[Piece]) -> None:
        if not self.is_websocket:
            super()._mask_whole(pieces)
            return
        for start, length, key, is_last in pieces:
            self._report.left_out += 1
            stars = xored(deflated_stars(length, is_last=is_last), key, 0)
            self.found.append(Mask(start, start + length, stars))

    def _mask_frames(self, pieces: list[Piece]) -> None:
        for start, length, key, _ in pieces:
            self._report.left_out += 1
            self.found.append(Mask(start, start + length, xored(STAR * length, key, 0)))

    def unfinished(self, data: bytes, start: int) -> None:
        if not self.is_websocket:
            super().unfinished(data, start)
            return
        self._look_at_content()
        if self._is_thorough and self._has_lost_framing:
            self._plain_payload(data, start, b"", is_control=False)
        elif self._is_thorough:
            self._unfinished_frame(data, start)

    def _unmasked(self, data: bytes, start: int, key: bytes) -> bytes:
        """Return what a payload says, in which a value goes on behind a hole."""
        plain = xored(data, key, 0)
        for first, last in self.holes:
            at, end = max(first - start, 0), min(last - start, len(plain))
            if any(key) and at < end:
                plain = plain[:at] + STAR * (end - at) + plain[end:]
        return plain

    def _unfinished_frame(self, data: bytes, start: int) -> None:
        """Look at a frame that the capture, or the connection, does not hold whole."""
        header = FRAME_HEADER.match(data)
        if header is None:
            return
        is_masked, is_compressed = data[1] >> 7, data[0] & 0x40
        begin = header.end() + 4 * is_masked
        key = data[header.end() : begin] if is_masked else bytes(4)
        is_control = data[0] & 0x0F >= CLOSE
        if begin >= len(data):
            return
        if not self._has_frames:
            self._speak_websocket()
        is_coded = self._message is not None or begins_as(xored(data[begin:], key, 0)) is not None
        hides = is_compressed or self._in_compressed_message or is_coded
        if is_compressed or (hides and not is_control):
            self.found.append(Mask(start + begin, start + len(data), None))
        else:
            self._plain_payload(data[begin:], start + begin, key, is_control=is_control)

    def _plain_payload(self, data: bytes, start: int, key: bytes, *, is_control: bool) -> None:
        text = self._unmasked(data, start, key).decode("latin-1")
        self._look_behind_holes(text, start, key)
        spans = find(text, self._patterns) if is_control else self._finder.feed(text)
        self._remember(text, spans)
        for first, last in self._counted(spans):
            stars = xored(STAR * (last - first), key, first)
            self.found.append(Mask(start + first, start + last, stars))
