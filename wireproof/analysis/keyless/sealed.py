"""Connections of TLS and QUIC that were not decrypted: what is known of each when it has ended.

Strategy: records of TLS and packets of QUIC come one by one and are kept as numbers until their
connection ends; then they are judged and forgotten. Where something was decrypted its exchanges
stand for themselves, and only what was not is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from parsers.records import (
    ConnectionRecord,
    QuicPacketRecord,
    QuicRecord,
    Record,
    TlsConnectionRecord,
    TlsRecordRecord,
)

from ..verdict import Verdict
from .ending import judge_ending
from .holes import judge_holes
from .lengths import judge_lengths
from .pace import SealedAnswer, answers_of, judge_pace
from .quic import overhead, turns_of_quic
from .records import QUIC, TLS, Medium, SealedRecords
from .sizes import Sealing, sealing
from .turns import turns_of

MAX_KEPT = 1 << 20
"""Records of all connections that are open at once: 29 MB; of more, the first of each are kept."""
MAX_ANSWERS = 64
"""Answers of one connection that have verdicts; of more, the first."""
TAKEN = frozenset(
    (TlsRecordRecord, QuicPacketRecord, TlsConnectionRecord, QuicRecord, ConnectionRecord)
)


class SealedConnection(NamedTuple):
    """A connection of TLS or QUIC of which not all was decrypted."""

    tls: TlsConnectionRecord
    connection: ConnectionRecord
    answers: list[SealedAnswer]
    verdicts: list[Verdict]
    records: SealedRecords
    """What was not decrypted."""

    @property
    def medium(self) -> Medium:
        """What that came in."""
        return QUIC if self.tls.layer == "quic" else TLS


class SealedConnections:
    """Takes all records, and knows of each TLS connection what it came to."""

    def __init__(self, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._records: dict[int, SealedRecords] = {}
        self._tls: dict[int, TlsConnectionRecord] = {}
        self._quic: dict[int, QuicRecord] = {}
        self._kept = 0
        self.has_lost = False
        """Whether something was not kept because there was too much."""

    def add(self, record: Record) -> SealedConnection | None:
        """Take the next record; return what a TLS connection came to that has ended with it."""
        match record:
            case TlsRecordRecord() | QuicPacketRecord():
                self._keep(record)
            case QuicRecord():
                self._quic[record.connection] = record
            case TlsConnectionRecord() if record.decrypted != "yes":
                self._tls[record.connection] = record
            case ConnectionRecord():
                return self._end(record)
        return None

    def _keep(self, record: TlsRecordRecord | QuicPacketRecord) -> None:
        if self._kept >= self._max_kept:
            self.has_lost = True
            return
        kept = self._records.setdefault(record.connection, SealedRecords())
        before = len(kept)
        if isinstance(record, QuicPacketRecord):
            kept.add_packet(record)
        else:
            kept.add(record)
        self._kept += len(kept) - before

    def _end(self, connection: ConnectionRecord) -> SealedConnection | None:
        records = self._records.pop(connection.connection, SealedRecords())
        self._kept -= len(records)
        tls = self._tls.pop(connection.connection, None)
        quic = self._quic.pop(connection.connection, None)
        if tls is None:
            return None
        if quic is None:
            answers = answers_of(turns_of(tls, records.all()), TLS, connection)[:MAX_ANSWERS]
            added = sealing(tls.version, tls.cipher)
        else:
            answers = answers_of(turns_of_quic(quic, records), QUIC, connection)[:MAX_ANSWERS]
            added = overhead(quic, "server")
        holes = judge_holes(connection)
        verdicts = [*_judged(answers, added), *([] if holes is None else [holes])]
        said = (one.packet for one in records.all() if one.sender == "client")
        verdicts.append(judge_ending(tls, connection, max(said, default=0)))
        return SealedConnection(tls, connection, answers, verdicts, records)


def _judged(answers: list[SealedAnswer], added: Sealing) -> Iterator[Verdict]:
    for answer in answers:
        pace = judge_pace(answer)
        yield pace
        lengths = judge_lengths(answer, pace, added)
        if lengths is not None:
            yield lengths
