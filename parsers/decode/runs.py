"""Bytes that have no framing of their own as records: a run for each packet that put them in order.

So what came when is known of what nobody frames, or decodes: counted and close-delimited bodies,
and what follows a switch of protocols.
"""

from __future__ import annotations

from ..limits import MAX_DATA_RUN
from ..records import DataRecord, Encoding, Record, text_or_base64
from .writer import RecordWriter


def data_runs(
    writer: RecordWriter, exchange: int, base: int, data: bytes, room: int
) -> list[Record]:
    """Return ``data``, which begins at ``base`` of its stream, as it arrived, run by run.

    ``room`` is how many of its bytes may be kept; whole runs are, as long as there is any. Long for
    one function: it is a hot loop, as large bodies have a run for each packet.
    """
    records: list[Record] = []
    connection, sender = writer.connection, writer.sender
    layer, stream_id = writer.layer, writer.stream_id
    start, end = base, base + len(data)
    if not writer.keeps_data:
        room = 0
    for upto, (first_packet, last_packet, first_time, last_time) in writer.origins.pieces(
        base, end
    ):
        while start < upto:
            stop = min(upto, start + MAX_DATA_RUN)
            size = stop - start
            text: str | None = None
            encoding: Encoding | None = None
            if room > 0:
                text, encoding = text_or_base64(data[start - base : stop - base])
                room -= size
            records.append(
                DataRecord(
                    connection, exchange, sender, first_packet, last_packet, first_time, last_time,
                    start, size, size, text, encoding,
                    layer=layer, stream_id=stream_id,
                )
            )  # fmt: skip
            start = stop
    return records
