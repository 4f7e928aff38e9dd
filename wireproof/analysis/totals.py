"""What a long watch came to, in a few lines: counts, whatever the number of exchanges.

Strategy: records are counted as they pass, beside the exchanges that are open; everything else is a
number under a name that does not come from the wire. Nothing grows with time.
"""

from __future__ import annotations

from collections import Counter

from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DiagnosticRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
    WebSocketMessageRecord,
)

from ..exchange import Exchange
from ..exchanges import Exchanges
from ..heads import is_final
from ..text.wording import CLOSE_CODES, ELEMENT_NAMES, body_end, close_code, count

CONNECTION_ENDS = {
    "fin": "closed",
    "reset": "reset",
    "refused": "refused",
    "connection-close": "closed",
    "open": "still open",
}
OTHER_CODE = "another code"
ALWAYS_TOLD = ("event", "chunk", "frame", "message")
OTHERS_TOLD = tuple(
    ELEMENT_NAMES[kind] for kind in ("json_line", "part", "aws_event", "grpc_message")
)
"""Elements of bodies that few captures have."""


class Totals:
    """Counts records, and says in a few lines what they came to."""

    def __init__(self) -> None:
        self._open: Exchanges[None] = Exchanges(lambda _: None)
        self._things: Counter[str] = Counter()
        self._connections: Counter[str] = Counter()  # by their end
        self._exchanges: Counter[str] = Counter()  # by what they stream by
        self._streams: Counter[str] = Counter()  # by their end
        self._faults: Counter[str] = Counter()  # by code

    def add(self, record: Record) -> None:
        """Count a record."""
        if isinstance(record, DiagnosticRecord):
            self._things[record.severity] += 1
            self._faults[record.code] += 1
        found = self._open.add(record)
        if isinstance(record, ConnectionRecord):
            self._end(record)
        elif found is not None:
            self._count(record, found[0])

    def lines(self) -> list[str]:
        """Return the summary, a line for each kind of fact."""
        lines = [
            _by("connection", self._connections),
            _by("exchange", self._exchanges, self._open.count),
            ", ".join(
                self._amount(name)
                for name in (*ALWAYS_TOLD, *OTHERS_TOLD)
                if name in ALWAYS_TOLD or self._things[name]
            ),
            f"{self._amount('byte')} from servers, {self._things['client byte']:,} from clients",
        ]
        if self._streams:
            lines.append(_by("stream", self._streams, verb=" ended"))
        if self._faults:
            severities = ", ".join(
                self._amount(name) for name in ("error", "warning", "note") if self._things[name]
            )
            lines.append(f"{severities}: {', '.join(_parts(self._faults))}")
        return lines

    def _amount(self, name: str) -> str:
        return count(self._things[name], name)

    def _count(self, record: Record, exchange: Exchange) -> None:
        match record:
            case SseEventRecord():
                self._things["event"] += record.dispatched
            case ChunkRecord(sender="server"):
                self._things["chunk"] += record.size > 0
            case BodyElement(sender="server"):
                self._things[ELEMENT_NAMES[record.record]] += 1
            case WebSocketMessageRecord():
                self._things["message"] += 1
            case WebSocketFrameRecord():
                self._count_frame(record, exchange)
            case ResponseRecord() if is_final(record) and exchange.transport != "http":
                self._exchanges[exchange.transport] += 1
            case BodyRecord(sender="server") if exchange.transport in ("chunked", "sse"):
                self._streams[body_end(record)] += 1

    def _count_frame(self, frame: WebSocketFrameRecord, exchange: Exchange) -> None:
        self._things["frame"] += 1
        if exchange.closing and exchange.closing[0] is frame:
            code = frame.close_code
            named = close_code(code) if code is None or code in CLOSE_CODES else OTHER_CODE
            self._streams[f"closed with {named} by the {frame.sender}"] += 1

    def _end(self, record: ConnectionRecord) -> None:
        end = CONNECTION_ENDS[record.close]
        self._connections[f"{end} by the {record.closed_by}" if record.closed_by else end] += 1
        self._things["byte"] += record.server_bytes
        self._things["client byte"] += record.client_bytes
        has_close = any(exchange.closing for exchange, _ in self._open.over())
        if record.protocol == "websocket" and not has_close:
            self._streams[f"without a Close frame (connection {end})"] += 1


def _by(thing: str, counts: Counter[str], total: int | None = None, verb: str = "") -> str:
    """Return how many there were, and how many of each kind: the most frequent first."""
    known = counts.total()
    others = 0 if total is None else total - known
    parts = [*_parts(counts), *([f"{others:,} other"] if others else [])]
    about = f": {', '.join(parts)}" if parts else ""
    return f"{count(known + others, thing)}{verb}{about}"


def _parts(counts: Counter[str]) -> list[str]:
    return [f"{number:,} {name}" for name, number in counts.most_common()]
