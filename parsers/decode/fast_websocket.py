"""WebSocket frames that are one message each: the commonest ones, in one pass.

Strategy: nearly every frame is a whole text or binary message of at most ``PART_SIZE`` bytes,
without compression. Such a frame, if it lies whole in the piece at hand, gives its record and its
message's at once. The layers between are not called, but told afterwards how far it went; they
must be between two frames and two messages. Everything else is left to them: fragments, control
frames, longer and compressed ones, and whatever is a fault. A test decodes every capture with
this path and without it.

It ties two layers together that are better apart (``websocket``, ``websocket_message``), for a
number: above TCP, a frame with its message takes less than half of the time.
"""

from __future__ import annotations

from ..limits import PART_SIZE
from ..records import Encoding, Record, WebSocketFrameRecord, WebSocketMessageRecord, text_or_base64
from ..websocket.frames import BINARY, TEXT, unmask
from ..websocket.messages import WebSocketDecoder
from .writer import RecordWriter

FIN_TEXT, FIN_BINARY = 0x81, 0x82
LONGEST = 125
"""Bytes of payload whose number fits into the header's seven bits (RFC 6455 section 5.2)."""
TWO_BYTES = 126
"""What those seven bits say where the length stands in the two bytes after them."""
MASK = 0x80


class FastWebSocket:
    """Reads what it can of what one side sends."""

    __slots__ = ("_decoder", "_writer", "_exchange", "_frame_record", "_message_record")

    def __init__(self, decoder: WebSocketDecoder, writer: RecordWriter, exchange: int) -> None:
        self._decoder = decoder
        self._writer = writer
        self._exchange = exchange
        self._frame_record = writer.within(WebSocketFrameRecord)
        self._message_record = writer.within(WebSocketMessageRecord)

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the frames that begin at ``pos`` of ``data``; return where they end.

        Long for one function: it is the hot loop.
        """
        decoder = self._decoder
        if not decoder.is_between:
            return pos
        writer, exchange = self._writer, self._exchange
        connection, sender, keeps_data = writer.connection, writer.sender, writer.keeps_data
        frame_record, message_record = self._frame_record, self._message_record
        shows_frames = writer.wants.takes(WebSocketFrameRecord)
        shows_messages = writer.wants.takes(WebSocketMessageRecord)
        place = writer.place
        base = decoder.offset - pos
        run, last_run, run_ends, arrivals = writer.origins.runs_from(decoder.offset)
        is_masked = sender == "client"
        mask_bit = MASK if is_masked else 0
        header = 6 if is_masked else 2
        key: str | None = None
        size = len(data)
        begin = pos
        while pos + header <= size:
            first_byte = data[pos]
            length = data[pos + 1] ^ mask_bit
            body = pos + header
            if length > LONGEST:
                # Else it takes eight bytes, or the mask bit is wrong.
                if length != TWO_BYTES or body + 2 > size:
                    break
                length = data[pos + 2] << 8 | data[pos + 3]
                if not LONGEST < length <= PART_SIZE:
                    break
                body += 2
            end = body + length
            if end > size or first_byte not in (FIN_TEXT, FIN_BINARY):
                break
            payload = data[body:end]
            if is_masked:
                masking_key = data[body - 4 : body]
                key = masking_key.hex()
                payload = unmask(payload, masking_key)
            is_text = first_byte == FIN_TEXT
            shown: str | None
            encoding: Encoding | None
            shown, encoding = text_or_base64(payload)
            if is_text and encoding != "utf-8":
                break
            if not keeps_data:
                shown = encoding = None
            start, stop = base + pos, base + end
            while run < last_run and run_ends[run] <= start:
                run += 1
            is_one_run = stop <= run_ends[run] or run == last_run
            first_packet, last_packet, first_time, last_time = (
                arrivals[run] if is_one_run else place(start, stop)
            )
            if shows_frames:
                records.append(
                    frame_record(
                        connection, exchange, sender, first_packet, last_packet, first_time,
                        last_time, start, stop - start, True, False, False, False,
                        TEXT if is_text else BINARY, "text" if is_text else "binary", is_masked,
                        key, length, shown, encoding, None, None, base + body,
                    )
                )  # fmt: skip
            if shows_messages:
                records.append(
                    message_record(
                        connection, exchange, sender, first_packet, last_packet, first_time,
                        last_time, start, stop - start, "text" if is_text else "binary", length,
                        shown, encoding, 1, False,
                    )
                )  # fmt: skip
            pos = end
        decoder.advance(pos - begin)
        return pos

    def settle(self) -> None:
        """They are told of each run of frames when it has been read: nothing is left to tell."""

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where a frame of any kind ends that begins at ``pos``.

        That is the end of ``data`` if its header is not whole, or it is very long.
        """
        size = len(data)
        if pos + 4 > size:
            return size
        masked, length = data[pos + 1] & MASK, data[pos + 1] & ~MASK
        header = 2 + masked // 32
        if length > LONGEST:
            if length != TWO_BYTES:
                return size
            length = data[pos + 2] << 8 | data[pos + 3]
            header += 2
        return min(pos + header + length, size)
