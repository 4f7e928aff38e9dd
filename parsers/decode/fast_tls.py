"""The fast path of decrypted TLS: a run of application data, opened and handed on as one piece.

Strategy: where nothing is missing and nothing waits, records of content follow one another, and
each is opened by the next number of the same key. Those that lie whole in what has come are opened
in one loop, and their contents go on together, each with the packets of its own record: what reads
them has its own fast paths for long pieces. Whatever is no such record is left to the textbook
path, which comes to the same: a test decodes every capture both ways.
"""

from __future__ import annotations

from ..limits import MAX_TLS_RECORD
from ..provenance import Arrival
from ..tls.records import APPLICATION_DATA, TlsRecord
from ..tls.resynchronise import HEADER_SIZE
from ..tls.sealed_side import SealedSide
from .writer import RecordWriter

Run = tuple[int, list[bytes], list[Arrival], TlsRecord | None]
"""Where the records end in the data, their contents, where these came from, and the last record."""


def open_run(side: SealedSide, writer: RecordWriter, data: bytes, pos: int, offset: int) -> Run:
    """Open the records of content that begin at ``pos`` of ``data``, and count them for the side.

    ``offset`` is where that is in the stream. Long for one function: it is the hot loop.
    """
    contents: list[bytes] = []
    arrivals: list[Arrival] = []
    last: TlsRecord | None = None
    step = side.step
    if step is None or not side.is_certain:
        return pos, contents, arrivals, last
    open_record, sequence = step.protection.open, side.sequence
    size, base = len(data), offset - pos
    run, last_run, ends, values = writer.origins.runs_from(offset)
    begin = pos
    count = 0
    while pos + HEADER_SIZE <= size and data[pos] == APPLICATION_DATA:
        length = data[pos + 3] << 8 | data[pos + 4]
        start, end = pos + HEADER_SIZE, pos + HEADER_SIZE + length
        if end > size or length > MAX_TLS_RECORD or data[pos + 1] != 3 or data[pos + 2] > 4:
            break
        opened = open_record(sequence, data[pos:start], data[start:end])
        if opened is None or opened[0] != APPLICATION_DATA:
            break
        sequence += 1
        count += 1
        if opened[1]:
            while run < last_run and ends[run] <= base + pos:
                run += 1
            first = arrival = values[run]
            while run < last_run and ends[run] < base + end:
                run += 1
            if values[run] is not first:
                found = values[run]
                arrival = first[0], found[1], first[2], found[3]
            contents.append(opened[1])
            arrivals.append(arrival)
        begin, pos = pos, end
    if count:
        header = data[begin : begin + HEADER_SIZE]
        start, end = base + begin, base + pos
        last = TlsRecord(start, end, APPLICATION_DATA, end - start - HEADER_SIZE, 0, None, header)
        side.count_run(count, sequence, end)
    return pos, contents, arrivals, last
