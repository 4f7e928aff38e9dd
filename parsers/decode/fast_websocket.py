"""WebSocket frames that are one message each: the commonest ones, in one pass.

Strategy: nearly every frame is a whole text or binary message of at most 125 bytes, without
compression. Such a frame, if it lies whole in the piece at hand, gives its record and its
message's at once. The layers between are not called, but told afterwards how far it went; they
must be between two frames and two messages. Everything else is left to them: fragments, control
frames, longer and compressed ones, and whatever is a fault. A test decodes every capture with
this path and without it.

It ties two layers together that are better apart (``websocket``, ``websocket_message``), for a
number: above TCP, a frame with its message takes less than half of the time.
"""

from __future__ import annotations

from ..records import Encoding, Record, WebSocketFrameRecord, WebSocketMessageRecord, text_or_base64
from ..websocket.frames import BINARY, TEXT
from ..websocket.messages import WebSocketDecoder
from .writer import RecordWriter

FIN_TEXT, FIN_BINARY = 0x81, 0x82
LONGEST = 125
MASK = 0x80


class FastWebSocket:
    """Reads what it can of what one side sends."""

    __slots__ = ("_decoder", "_writer", "_exchange")

    def __init__(self, decoder: WebSocketDecoder, writer: RecordWriter, exchange: int) -> None:
        self._decoder = decoder
        self._writer = writer
        self._exchange = exchange

    def receive(self, data: bytes, pos: int, records: list[Record]) -> int:
        """Read the frames that begin at ``pos`` of ``data``; return where they end.

        Long for one function: it is the hot loop.
        """
        decoder = self._decoder
        if not decoder.is_between:
            return pos
        writer, exchange = self._writer, self._exchange
        connection, sender, keeps_data = writer.connection, writer.sender, writer.keeps_data
        layer, stream_id = writer.layer, writer.stream_id
        span, place = writer.origins.span, writer.place
        base = decoder.offset - pos
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
            end = body + length
            # Above 125 the length is an extended one, or the mask bit is wrong.
            if length > LONGEST or end > size or first_byte not in (FIN_TEXT, FIN_BINARY):
                break
            payload = data[body:end]
            if is_masked:
                masking_key = data[pos + 2 : body]
                key = masking_key.hex()
                mask = (masking_key * (length // 4 + 1))[:length]
                payload = (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(length)
            is_text = first_byte == FIN_TEXT
            shown: str | None
            encoding: Encoding | None
            shown, encoding = text_or_base64(payload)
            if is_text and encoding != "utf-8":
                break
            if not keeps_data:
                shown = encoding = None
            start, stop = base + pos, base + end
            first, last = span(start, stop)
            first_packet, last_packet, first_time, last_time = (
                first if first is last else place(start, stop)
            )
            records.append(
                WebSocketFrameRecord(
                    connection, exchange, sender, first_packet, last_packet, first_time, last_time,
                    start, stop - start, True, False, False, False, TEXT if is_text else BINARY,
                    "text" if is_text else "binary", is_masked, key, length, shown, encoding,
                    None, None, base + body, layer=layer, stream_id=stream_id,
                )
            )  # fmt: skip
            records.append(
                WebSocketMessageRecord(
                    connection, exchange, sender, first_packet, last_packet, first_time, last_time,
                    start, stop - start, "text" if is_text else "binary", length, shown, encoding,
                    1, False, layer=layer, stream_id=stream_id,
                )
            )  # fmt: skip
            pos = end
        decoder.advance(pos - begin)
        return pos

    def end_of_element(self, data: bytes, pos: int) -> int:
        """Return where a short frame of any kind ends that begins at ``pos``, else the end."""
        length = data[pos + 1] if pos + 1 < len(data) else LONGEST + 1
        masked, length = length & MASK, length & ~MASK
        return len(data) if length > LONGEST else min(pos + 2 + masked // 32 + length, len(data))
