"""What ``wireproof compare`` does: one capture, decoded twice, and what comes of it as text.

Strategy: a row is printed or counted, and forgotten. The table prints what differs and counts the
rest; JSON has every row. Both escape what came from the wire.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import NamedTemporaryFile
from typing import Literal

from parsers import CaptureReader, KeyLog, decode_stream

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.selection import Chosen
from ..spool import Spool
from ..tasks.chosen import chosen
from ..text.escape import escape
from ..text.progress import shown
from ..text.wording import count
from .compare import UNEXPLAINED, VERDICTS, Row, Verdict
from .divided import DividedComparison, OurRecords
from .elements import Value
from .explanations import Explanation
from .locate import Tshark, find_tshark
from .parts import Segments, TheirElements
from .pdml import read_elements
from .pyshark_fields import can_ask, read_segments_with_pyshark
from .segments import read_segments

Form = Literal["table", "json"]
Write = Callable[[str], object]

MAX_SHOWN = 80
"""Characters of a value in the table."""


def run(
    source: str,
    form: Form,
    write: Write,
    wanted: ExchangeFilter = EVERYTHING,
    keylog: KeyLog | None = None,
    say: Write = lambda _: None,
) -> bool:
    """Compare a capture and write the outcome; return whether no difference is unexplained.

    Both decode all of it; the outcome is that of the exchanges that are ``wanted``. ``say`` is told
    what is wrong with the capture itself.

    Raises TsharkMissing, TsharkFailed, OSError for what cannot be read, ValueError for what is no
    capture.
    """
    tshark = find_tshark()
    with (
        _file(source) as capture,
        compare(capture, tshark, _chosen(capture, wanted, keylog), keylog) as comparison,
    ):
        found = _Table(write) if form == "table" else _Json(write, tshark)
        for row in comparison.rows(found.add if form == "table" else None):
            found.add(row)
        found.finish(tshark)
    for fault in comparison.faults.sentences():
        say(fault)
    if form == "table" and comparison.quic_connections:
        many = count(comparison.quic_connections, "connection")
        write(f"{many} of QUIC: HTTP/3 is not compared yet\n")
    return not any(found.counts[verdict] for verdict in UNEXPLAINED)


def _chosen(capture: Path, wanted: ExchangeFilter, keylog: KeyLog | None) -> Chosen | None:
    if wanted.is_empty:
        return None
    with capture.open("rb") as file, shown(file, "choosing") as stream:
        return chosen(stream, wanted, keylog)


@contextmanager
def compare(
    capture: Path, tshark: Tshark, wanted: Chosen | None = None, keylog: KeyLog | None = None
) -> Iterator[DividedComparison]:
    """Decode a capture with both, and give the elements of wanted exchanges side by side.

    Both decrypt TLS with the secrets of ``keylog``.
    """
    with closing(Spool()) as spool:
        with capture.open("rb") as file, shown(file, "decoding") as stream:
            ours = OurRecords(decode_stream(stream, shows_records=True, keylog=keylog), spool)
        read = read_segments_with_pyshark if can_ask(capture) else read_segments
        segments = Segments(read(tshark, capture))
        path = None if keylog is None else keylog.path
        seen = read_elements(tshark, capture, segments, ours.clients, ours.http2_ports, path)
        theirs = TheirElements(seen, spool)
        late = _has_late_secrets(capture)
        yield DividedComparison(
            ours, theirs, segments, tshark.version, wanted, has_late_secrets=late
        )


def _has_late_secrets(capture: Path) -> bool:
    """Whether a capture has secrets after a packet."""
    with capture.open("rb") as file:
        reader = CaptureReader(file)
        before: int | None = None
        for _ in reader:
            before = len(reader.secrets) if before is None else before
        return len(reader.secrets) > (before or 0)


@contextmanager
def _file(source: str) -> Iterator[Path]:
    """Give the capture as a file that can be read several times; ``-`` is standard input."""
    if source != "-":
        yield Path(source)
        return
    with NamedTemporaryFile(prefix="wireproof-", suffix=".capture") as copy:
        copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name)


class _Table:
    """Prints what differs, then what is explained and how much is equal."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self.counts: Counter[Verdict] = Counter()
        self._explained: dict[str, tuple[Explanation, list[Row]]] = {}
        self._explained_counts: Counter[str] = Counter()

    def add(self, row: Row) -> None:
        self.counts[row.verdict] += 1
        if row.verdict in UNEXPLAINED:
            self._write(f"{row.verdict}: {_place(row)}: {_values(row)}\n")
        elif row.explanation is not None:
            name = row.explanation.name
            self._explained_counts[name] += 1
            _, rows = self._explained.setdefault(name, (row.explanation, []))
            rows[1:] = [row]

    def finish(self, tshark: Tshark) -> None:
        for name, (known, rows) in self._explained.items():
            many = count(self._explained_counts[name], "difference")
            self._write(f"explained: {many} ({name}; {known.versions()}): {known.reason}\n")
            self._write(f"  first: {_place(rows[0])}: {_values(rows[0])}\n")
            if len(rows) > 1:
                self._write(f"  last: {_place(rows[1])}: {_values(rows[1])}\n")
        numbers = ", ".join(f"{self.counts[verdict]:,} {verdict}" for verdict in VERDICTS)
        self._write(f"{tshark}: {numbers}\n")


class _Json:
    """Writes one JSON object: ``rows`` first, as they come, then ``counts``."""

    def __init__(self, write: Write, tshark: Tshark) -> None:
        self._write = write
        self.counts: Counter[Verdict] = Counter()
        self._before = f'{{"wireshark": {json.dumps(str(tshark))}, "rows": [\n'

    def add(self, row: Row) -> None:
        self.counts[row.verdict] += 1
        known = row.explanation
        fields = {
            "verdict": row.verdict,
            "frame": row.frame,
            "stream": row.stream,
            "sender": row.sender or None,
            "offset": row.offset,
            "element": row.element,
            "field": row.field,
            "wireproof": _plain(row.wireproof),
            "wireshark": _plain(row.wireshark),
            "explanation": known and known.name,
            "reason": known and known.reason,
            "versions": known and known.versions(),
        }
        self._write(self._before + json.dumps(fields))
        self._before = ",\n"

    def finish(self, tshark: Tshark) -> None:
        start = self._before if self._before.startswith("{") else "\n"
        counts = {verdict: self.counts[verdict] for verdict in VERDICTS}
        self._write(f'{start}], "counts": {json.dumps(counts)}}}\n')


def _plain(value: Value) -> str | int | None:
    """Return a value as JSON can hold it: bytes that are no text in hex."""
    return "hex:" + value.hex() if isinstance(value, bytes) else value


def _place(row: Row) -> str:
    sender = f" from the {row.sender}" if row.sender else ""
    if row.sender and row.offset is not None:
        sender += f" at {row.offset:,}"
    return f"frame {row.frame}, stream {row.stream}, {row.element}{sender}, {row.field}"


def _values(row: Row) -> str:
    return f"wireproof {_shown(row.wireproof)}, Wireshark {_shown(row.wireshark)}"


def _shown(value: Value) -> str:
    """Return a value for people, escaped and in one line."""
    if value is None:
        return "nothing"
    if isinstance(value, int):
        return str(value)
    text = value.hex(" ") if isinstance(value, bytes) else escape(value)
    cut = text[:MAX_SHOWN] + "…" if len(text) > MAX_SHOWN else text
    return f"'{cut}'" if isinstance(value, str) else cut
