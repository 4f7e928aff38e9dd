"""TLS connections that were not decrypted: what is known of each when it has ended.

Strategy: records of TLS come one by one and are kept as numbers until their connection ends; then
they are judged and forgotten. Where something was decrypted its exchanges stand for themselves, and
only what was not is judged here.
"""

from __future__ import annotations

from typing import NamedTuple

from parsers.records import ConnectionRecord, Record, TlsConnectionRecord, TlsRecordRecord

from ..verdict import Verdict
from .ending import judge_ending
from .holes import judge_holes
from .lengths import judge_lengths
from .pace import SealedAnswer, answers_of, judge_pace
from .records import SealedRecords
from .sizes import sealing
from .turns import turns_of

MAX_KEPT = 1 << 20
"""Records of all connections that are open at once: 29 MB; of more, the first of each are kept."""
MAX_ANSWERS = 64
"""Answers of one connection that have verdicts; of more, the first."""
TAKEN = frozenset((TlsRecordRecord, TlsConnectionRecord, ConnectionRecord))


class SealedConnection(NamedTuple):
    """A TLS connection of which not all was decrypted."""

    tls: TlsConnectionRecord
    connection: ConnectionRecord
    answers: list[SealedAnswer]
    verdicts: list[Verdict]


class SealedConnections:
    """Takes all records, and knows of each TLS connection what it came to."""

    def __init__(self) -> None:
        self._records: dict[int, SealedRecords] = {}
        self._tls: dict[int, TlsConnectionRecord] = {}
        self._kept = 0

    def add(self, record: Record) -> SealedConnection | None:
        """Take the next record; return what a TLS connection came to that has ended with it."""
        match record:
            case TlsRecordRecord():
                if self._kept < MAX_KEPT:
                    kept = self._records.setdefault(record.connection, SealedRecords())
                    before = len(kept)
                    kept.add(record)
                    self._kept += len(kept) - before
            case TlsConnectionRecord() if record.decrypted != "yes":
                self._tls[record.connection] = record
            case ConnectionRecord():
                return self._end(record)
        return None

    def _end(self, connection: ConnectionRecord) -> SealedConnection | None:
        records = self._records.pop(connection.connection, SealedRecords())
        self._kept -= len(records)
        tls = self._tls.pop(connection.connection, None)
        if tls is None:
            return None
        answers = answers_of(turns_of(tls, records.all()))[:MAX_ANSWERS]
        verdicts = []
        for answer in answers:
            pace = judge_pace(answer)
            lengths = judge_lengths(answer, pace, sealing(tls.version, tls.cipher))
            verdicts += [pace] if lengths is None else [pace, lengths]
        holes = judge_holes(connection)
        verdicts += [] if holes is None else [holes]
        verdicts.append(judge_ending(tls, connection))
        return SealedConnection(tls, connection, answers, verdicts)
