"""``wireproof watch``: anyone's packets on a port, decoded and shown as they arrive.

Strategy: three threads share the work. The recorder's fills a pipe, :mod:`.packet_pipe` takes
packets out of it, and the one here decodes them and writes what comes of each batch at once. The
main thread does what only it can: it runs the command, or waits for a signal. When that is over the
recording is stopped, and what it still holds is shown to the end.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol, Self, runtime_checkable

from capture.backends.base import LOOPBACK
from capture.frames import BUFFER_SIZE
from capture.key_log import KeyLog
from capture.polling import Wakeup
from capture.processes import signals_held, wait_for_interrupt
from parsers import KeyLog as TlsKeyLog
from parsers.records import QuicPacketRecord, Record, TlsRecordRecord

from ..analysis.choice import Choice
from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.judges import Explained
from ..analysis.keyless.sealed import TAKEN, SealedConnections
from ..analysis.listing import listed, listed_tls
from ..analysis.outcomes import Outcome
from ..analysis.selection import LiveSelection
from ..analysis.totals import Totals
from ..dialects.reader import DialectReader, Readers
from ..metrics.observing import Observer, Sink
from ..output import open_stream
from ..rights import give_up_in_thread
from ..tasks.capture import attend, key_log_for, order_secrets
from ..views import View
from ..views.kinds import VIEWS, ExportKind, Name, default_view, open_export, table_width
from .decoding import LiveDecoding, LiveStatistics
from .verdicts import LiveVerdicts

STDERR = 2
BELOW = (TlsRecordRecord, QuicPacketRecord)
"""What carries what is shown: sizes and times of these are judged where nothing is decrypted."""
PATIENCE = 1.0
"""Seconds after which whoever has ended a watch is told that it goes on."""


@dataclass(frozen=True)
class WatchOptions:
    """The options of ``wireproof watch``."""

    port: int
    interface: str = LOOPBACK
    wanted: ExchangeFilter = EVERYTHING
    """Which exchanges, by their heads."""
    view: Name | None = None
    """One of LIVE_VIEWS. None: a table on a terminal, ndjson elsewhere."""
    keep: str | None = None
    """A pcapng file that gets the packets."""
    keep_data: bool = True
    duration: float | None = None
    """Seconds."""
    command: Sequence[str] = ()
    backend: str | None = None
    """The name of what records; None for the first that works."""
    buffer_size: int = BUFFER_SIZE
    """Bytes of packets that wait to be recorded."""
    metrics: tuple[str, int] | None = None
    """The host and port of a page for Prometheus."""
    otlp: str | None = None
    """The URL of a collector of OpenTelemetry that gets metrics; empty: the environment has it."""
    readers: Readers | None = None
    """What the rows show of an element; None: what it says in its dialect."""
    keys: bool = True
    """Whether the command is told to log its TLS secrets."""
    keylog: TlsKeyLog | None = None
    """Secrets of TLS that others log."""


class Watched(NamedTuple):
    """How a watch ended."""

    exit_code: int
    """The command's own; 0 without a command."""
    interrupted: bool
    """Whether a signal ended it before its time."""
    has_keys: bool = False
    """Whether the file that keeps the packets holds secrets of TLS connections."""


class Telling(Protocol):
    """Who says what is not a row."""

    def ready(self, backend: str, notes: Sequence[str]) -> None:
        """Say that no packet is missed any more, by what they are recorded, and what to know."""

    def served(self, url: str) -> None:
        """Say where the page for Prometheus is."""

    def broke_off(self, reason: str) -> None:
        """Say at once, from any thread, that nothing is recorded any more while COMMAND goes on."""

    def goes_on(self) -> None:
        """Say that it has ended, and that what was recorded takes a while to be shown."""

    def done(self, totals: Totals, statistics: LiveStatistics) -> None:
        """Say what it came to: all has been shown, or showing it has failed."""


def watch(options: WatchOptions, telling: Telling) -> Watched:
    """Show the packets of a port as they arrive, while the command runs or until a signal.

    Raises what :class:`.decoding.LiveDecoding` does, OSError for a command that cannot be started
    or an output that cannot be written, and KeyboardInterrupt for a second Ctrl-C, which leaves out
    what has not been shown yet.
    """
    totals = Totals()
    key_log = key_log_for(options.command) if options.keys else None
    with ExitStack() as stack:
        live = _opened(options, key_log, stack)
        view = _open_view(options, live, stack)
        observers = [Observer(sink) for sink in _sinks(options, stack, telling)]
        show = _Show(live, view, options.wanted, totals, observers)
        stack.callback(lambda: telling.done(totals, live.statistics))
        with show:
            watched = _attend(options, live, show, key_log, telling)
            show.finish(telling.goes_on)
    if options.keep is None or key_log is None or not key_log.has_keys:
        return watched
    order_secrets(Path(options.keep))
    return watched._replace(has_keys=True)


def _opened(options: WatchOptions, key_log: KeyLog | None, stack: ExitStack) -> LiveDecoding:
    """Begin to record and to decode, until ``stack`` is left."""
    live = LiveDecoding(
        port=options.port,
        interface=options.interface,
        keep=options.keep,
        keep_data=options.keep_data,
        shows_records=True,
        command=options.command,
        backend=options.backend,
        buffer_size=options.buffer_size,
        secrets=bytes if key_log is None else key_log.take,
        keylog=options.keylog,
    )
    with signals_held():
        return stack.enter_context(live)


def _sinks(options: WatchOptions, stack: ExitStack, telling: Telling) -> Iterator[Sink]:
    """Open what is given metrics, and yield it; a library is imported only if it is wanted."""
    if options.metrics is not None:
        from ..metrics.prometheus import PrometheusPage

        page = stack.enter_context(PrometheusPage(*options.metrics))
        telling.served(page.url)
        yield page
    if options.otlp is not None:
        from ..metrics.otlp import OtlpExport

        yield stack.enter_context(OtlpExport(options.otlp or None))


def _attend(
    options: WatchOptions,
    live: LiveDecoding,
    show: _Show,
    key_log: KeyLog | None,
    telling: Telling,
) -> Watched:
    """Do what only the main thread can: run the command, or wait for a signal."""
    session = live.session
    ready = partial(telling.ready, live.backend.name, session.notes)
    if options.command:
        ready()
        # The command goes on; without one the watch ends, and that tells it.
        session.recording.tell_end(telling.broke_off)
        # Standard output is for rows.
        exit_code = attend(
            options.command, session, key_log, duration=options.duration, stdout=STDERR
        )
        return Watched(exit_code, False)
    interrupted = wait_for_interrupt(options.duration, show.over, ready)
    # Without a duration a signal is how it is meant to end.
    return Watched(0, interrupted and options.duration is not None)


def _open_view(options: WatchOptions, live: LiveDecoding, stack: ExitStack) -> View:
    kind = VIEWS[options.view or default_view(None)]
    if isinstance(kind, ExportKind):
        return open_export(kind.name, open_stream(None, stack))
    from rich.console import Console

    from ..views.live import LiveTableView

    console = Console(file=sys.stdout)
    readers = options.readers or DialectReader
    return LiveTableView(console, live.connection, table_width(console), readers)


@runtime_checkable
class TellingView(Protocol):
    """A view for people, who want to know what came of an exchange."""

    def tell(self, outcome: Outcome) -> None:
        """Say what came of an exchange that has ended."""


class _Show:
    """Decodes and shows, in a thread, from the beginning of its ``with`` block.

    ``over`` is notified once it has ended, which it may before it is told to: nobody reads the
    output any more, or the recording broke off. Leaving the block ends it as soon as it can.
    """

    def __init__(
        self,
        live: LiveDecoding,
        view: View,
        wanted: ExchangeFilter,
        totals: Totals,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._live = live
        self._view = view
        self._selection = None if wanted.is_empty else LiveSelection(wanted)
        self._tell = view.tell if isinstance(view, TellingView) else None
        self._verdicts = LiveVerdicts(wanted)
        self._sealed = SealedConnections()
        self._choice = Choice(wanted)
        self._totals = totals
        self._observers = observers
        self._is_given_up = False
        self._fault: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="show records")

    def __enter__(self) -> Self:
        self.over = Wakeup()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._is_given_up = True
        self._live.stop()
        self._thread.join()
        self.over.close()

    def finish(self, goes_on: Callable[[], None]) -> None:
        """Show all that was recorded up to now, and raise what went wrong.

        ``goes_on`` is called if that takes a while.
        """
        self._live.stop()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            goes_on()
            self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _run(self) -> None:
        try:
            give_up_in_thread()
            for records in self._live.batches():
                if self._is_given_up:
                    break
                self._show(records)
            self._view.close()
        except Exception as fault:
            self._fault = fault
        finally:
            self.over.notify()

    def _show(self, found: Sequence[Record]) -> None:
        records = [record for record in found if type(record) not in BELOW]
        chosen = records if self._selection is None else self._selection.choose(records)
        self._view.write(chosen)
        if self._tell is not None or self._observers:
            for explained in self._verdicts.add(records):
                self._say(explained)
            self._tell_sealed(found)
        self._view.flush()
        for record in chosen:
            self._totals.add(record)
            for observer in self._observers:
                observer.record(record)

    def _tell_sealed(self, records: Sequence[Record]) -> None:
        """Tell what came of TLS connections that have ended and were not decrypted."""
        for record in records:
            found = self._sealed.add(record) if type(record) in TAKEN else None
            if found is not None and self._tell is not None and self._choice.takes_sealed(found):
                self._tell(Outcome(listed_tls(found), found.verdicts))

    def _say(self, explained: Explained) -> None:
        """Tell whoever wants to know what came of an exchange."""
        if self._tell is not None:
            self._tell(Outcome(listed(explained), explained.verdicts))
        for observer in self._observers:
            observer.explained(explained)
