"""A capture and the exchanges in it: one that is being recorded, or one from a file.

Strategy: what is recorded goes to a file without a name, so that nothing is left behind however a
test run ends; only a capture that is to be kept is copied to a place of its own. A capture that is
still being recorded is decoded when it is asked, after it has been drained: whatever was sent
before the question is in the answer.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from capture.output import create_private
from capture.secrets_first import copy_secrets_first
from parsers import CaptureReader, KeyLog, OrderedCapture, decode_stream
from parsers.records import Record

from ..analysis.evidence import collect
from ..analysis.finding import Finding
from ..analysis.judges import Explained, Explanations
from ..text.wording import RELAYED, count
from ..views.packet_list import ListedPackets, ListLine, fitted
from .exchange import Exchange
from .faults import WireFailure

MAX_ROWS = 12
"""Packets that a failure shows."""
ROW_WIDTH = 120
"""Cells of such a row."""
MAX_LISTED = 20
"""Exchanges that a failure lists."""


Compare = Callable[[str, Sequence[Exchange], Mapping[str, str]], None]
"""Compares exchanges with the stored transcript of a name."""


class Recorder(Protocol):
    """What records: capture.Recorder, or one that does without a packet socket."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, with all that was sent before."""

    def drain(self) -> None:
        """Wait until everything sent before is in the file."""


class Exchanges:
    """Exchanges that can be asked for: those of a capture, or of all captures of a test."""

    def _all(self) -> list[Exchange]:
        raise NotImplementedError

    def exchanges(self, path: str | None = None, *, method: str | None = None) -> list[Exchange]:
        """Return the exchanges in the order in which they began.

        ``path`` is a request target, with its query or without; ``method`` in capitals.
        """
        return [exchange for exchange in self._all() if _matches(exchange, path, method)]

    def exchange(
        self, path: str | None = None, *, method: str | None = None, nth: int | None = None
    ) -> Exchange:
        """Return the exchange with ``path`` and ``method``, all that was sent so far included.

        If there are several, ``nth`` says which: from 0, or from the end with -1. Fails if there is
        none, or more than one without ``nth``, and lists what there was.
        """
        __tracebackhide__ = True
        found = self.exchanges(path, method=method)
        if len(found) == 1 and nth is None:
            return found[0]
        wanted = " ".join(filter(None, [method, path])) or "any exchange"
        if not found:
            raise WireFailure(f"no exchange for {wanted}; {self._listed(self._all())}")
        if nth is None:
            said = f"{count(len(found), 'exchange')} for {wanted}: say which with nth=0 to"
            raise WireFailure(f"{said} {len(found) - 1}, or nth=-1; {self._listed(found)}")
        if not -len(found) <= nth < len(found):
            raise WireFailure(
                f"no exchange nth={nth} for {wanted}, there are {len(found)}; {self._listed(found)}"
            )
        return found[nth]

    def _listed(self, exchanges: Sequence[Exchange]) -> str:
        if not exchanges:
            return "nothing was recorded"
        lines = [f"  {exchange}" for exchange in exchanges[:MAX_LISTED]]
        if more := len(exchanges) - MAX_LISTED:
            lines += [f"  and {more:,} more"] if more > 0 else []
        return "\n".join(["there were:", *lines])


class Capture(Exchanges):
    """The exchanges of one capture.

    ``shown`` tells where it can be looked at when a test fails, ``compare`` compares an exchange
    with a stored transcript.
    """

    def __init__(
        self,
        shown: Callable[[Capture], str],
        compare: Compare,
    ) -> None:
        self._shown = shown
        self._compare = compare
        self.keylog: KeyLog | None = None
        """Secrets of TLS, beside those that it holds."""
        self._decoded: tuple[int, list[Exchange]] | None = None
        self._explained: dict[int, Explained] = {}
        self._held: dict[int, frozenset[int]] = {}

    def assert_matches(
        self,
        name: str,
        exchange: Exchange | None = None,
        *,
        replace: Mapping[str, str] | None = None,
    ) -> None:
        """Fail if the exchanges, or one, differ from the stored transcript ``name``.

        ``replace`` has patterns of what differs from run to run, each with what is put in its
        place.
        """
        __tracebackhide__ = True
        self._compare(name, self._all() if exchange is None else [exchange], replace or {})

    def open(self) -> BinaryIO:
        """Return the capture as it stands in its file."""
        raise NotImplementedError

    def settle(self) -> None:
        """Wait until all that was sent before is in the file."""

    def _all(self) -> list[Exchange]:
        self.settle()
        with self.open() as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            if self._decoded is None or self._decoded[0] != size:
                explanations = Explanations()
                self._explained = {}
                records = self._explaining(decode_stream(stream, keylog=self.keylog), explanations)
                self._decoded = size, collect(records, lambda about: Exchange(about, self))
                self._keep_explained(explanations.finish())
        return self._decoded[1]

    def _explaining(
        self, records: Iterator[Record], explanations: Explanations
    ) -> Iterator[Record]:
        """Yield records, and keep what is said of the exchanges that they end."""
        for record in records:
            self._keep_explained(explanations.add(record))
            yield record

    def _keep_explained(self, found: Iterable[Explained]) -> None:
        self._explained |= {one.exchange.number: one for one in found}

    def explained(self, exchange: Exchange) -> Explained:
        """Return an exchange with what is said of it, as it was when it was asked for."""
        return self._explained[exchange.number]

    def windows(self, connection: int) -> frozenset[int]:
        """Return the packets that waited for the client to read; all connections are one pass."""
        from ..analysis.windows import held_packets

        size = 0 if self._decoded is None else self._decoded[0]
        if size not in self._held:
            with self.open() as stream:
                self._held = {size: held_packets(CaptureReader(stream))}
        return self._held[size]

    def explain(self, finding: Finding, exchange: Exchange) -> str:
        """Return a finding with its hints, the rows of its packets, and where the capture is."""
        lines = [f"{exchange.title}: {finding.summary}"]
        relayed = RELAYED if exchange.is_relayed else ""
        hints = filter(None, [*finding.hints, finding.remedy, relayed])
        lines += [f"  {hint}" for hint in hints]
        if finding.packets and exchange.request is not None:
            lines += ["", *self._rows(finding.packets, exchange.request.connection)]
        return "\n".join([*lines, "", self._shown(self)])

    def _rows(self, packets: Sequence[int], connection: int) -> list[str]:
        """Return the packet list's rows of some packets, as ``--view wireshark`` shows them."""
        numbers = set(sorted(packets)[:MAX_ROWS])
        with self.open() as stream:
            lines = ListedPackets(connection=connection).lines(
                OrderedCapture(stream, keylog=self.keylog)
            )
            heading = next(lines, ListLine(""))
            rows = [line for line in lines if line.packet in numbers]
        chosen = [fitted(line, ROW_WIDTH) for line in [heading, *rows]]
        if (more := len(packets) - MAX_ROWS) > 0:
            chosen.append(f"      and {count(more, 'packet')} more")
        return chosen


KEYS = ".keys"
"""How a key log is called that lies beside a capture of the same name."""


class StoredCapture(Capture):
    """A capture file: ``wire.replay("fixtures/x.pcapng")``.

    TLS is decrypted with the secrets in it, and those of ``keylog``; without that, of a file beside
    it of the same name that ends with ``.keys``.
    """

    def __init__(
        self,
        path: Path,
        shown: Callable[[Capture], str],
        compare: Compare,
        keylog: Path | None = None,
    ) -> None:
        super().__init__(shown, compare)
        self.path = path
        keys = path.with_suffix(KEYS) if keylog is None else keylog
        if keylog is not None or keys.exists():
            self.keylog = KeyLog.open(keys)

    def open(self) -> BinaryIO:
        return self.path.open("rb")


class LiveCapture(Capture):
    """What a recorder records, in a file without a name where the system has such."""

    def __init__(
        self,
        record: Callable[[str], Recorder],
        shown: Callable[[Capture], str],
        compare: Compare,
    ) -> None:
        super().__init__(shown, compare)
        self._file = tempfile.NamedTemporaryFile(prefix="wireproof-", delete=False)  # noqa: SIM115 # see close()
        self._path = self._file.name
        if sys.platform == "linux":
            Path(self._path).unlink()  # nothing is left of it however the process ends
            self._path = f"/proc/{os.getpid()}/fd/{self._file.fileno()}"
        self._recorder = record(self._path)
        self._is_on = False

    def start(self) -> None:
        """Begin to record; raises what the recorder does."""
        self._recorder.__enter__()
        self._is_on = True

    def stop(self, error: BaseException | None = None) -> None:
        """End the recording; raises what the recorder does. Does nothing if it is not on."""
        if self._is_on:
            self._is_on = False
            kind = None if error is None else type(error)
            self._recorder.__exit__(kind, error, None if error is None else error.__traceback__)

    def settle(self) -> None:
        if self._is_on:
            self._recorder.drain()

    def open(self) -> BinaryIO:
        return Path(self._path).open("rb")

    @property
    def is_empty(self) -> bool:
        """Whether there is no packet in it."""
        self.settle()
        with self.open() as stream:
            has_begun = stream.seek(0, os.SEEK_END) > 0
            stream.seek(0)
            return not has_begun or next(iter(CaptureReader(stream)), None) is None

    def copy_to(self, path: Path) -> None:
        """Keep what has been recorded so far; its owner alone can read it, as any recording."""
        self.settle()
        with self.open() as source, create_private(path) as target:
            copy_secrets_first(source, target)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        if sys.platform != "linux":
            Path(self._path).unlink(missing_ok=True)


def _matches(exchange: Exchange, path: str | None, method: str | None) -> bool:
    if method is not None and exchange.method != method.upper():
        return False
    return path is None or path in _targets(exchange.target)


def _targets(target: str) -> tuple[str, str]:
    """Return a target whole and without its query; of an absolute one, its path."""
    if "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    return target, target.partition("?")[0]
