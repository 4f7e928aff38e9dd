"""What ``wireproof collect`` does: packets in, files of a ring out, and a data set of these.

Strategy: a thread records and does nothing else; a thread hands finished files to a process that
exports them; the main thread waits for a signal. Neither disk nor data set can make the others
fail: what cannot be written waits. The process that holds the socket never looks into a packet, and
the one that does holds no rights: it is started when the others' rights are given up.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from capture import PacketsDropped, Recorder, Statistics
from capture.frames import BUFFER_SIZE
from capture.output import Limits
from capture.polling import Wakeup
from capture.processes import wait_for_interrupt

from .. import __version__
from ..redact import Rules
from ..rights import give_up_in_thread
from ..tables.files import is_url
from ..tables.parts import MANIFESTS
from .exporter import Exports
from .messages import Order
from .ring import Ring, own

if TYPE_CHECKING:
    from ..metrics.prometheus import PrometheusPage

MiB = 1024 * 1024


@dataclass(frozen=True)
class CollectOptions:
    """The options of ``wireproof collect``."""

    ports: Sequence[int]
    ring: str
    """The folder of the ring."""
    place: str
    """The data set: a folder, or a URL that fsspec opens."""
    host: str
    """What files and rows say of where they are from."""
    interface: str = "any"
    largest: int = 128 * MiB
    """Bytes of a file."""
    longest: float = 300.0
    """Seconds of a file."""
    share: int = 4096 * MiB
    """Bytes that the ring may take."""
    buffer_size: int = BUFFER_SIZE
    metrics: tuple[str, int] | None = None
    """The host and port of a page for Prometheus."""
    rules: Rules = field(default_factory=Rules)
    keep_data: bool = False
    keylog: str | None = None
    memory: int | None = None
    is_own_process: bool = False
    """Whether the process is the command's, which gives its rights up."""


class Telling(Protocol):
    """Who says what happens."""

    def say(self, message: str) -> None:
        """Say what has changed."""

    def served(self, url: str) -> None:
        """Say where the page for Prometheus is."""

    def ready(self) -> None:
        """Say that no packet is missed any more."""


class Collected(NamedTuple):
    """What it came to."""

    statistics: Statistics
    exported: int
    """Files that were put into the data set."""
    waiting: int
    """Files that are not, and will be when collecting begins again."""


def collect(options: CollectOptions, telling: Telling) -> Collected:
    """Record until a signal ends it, and export what is recorded.

    Raises what :class:`~capture.Recorder` does but for packets that were dropped, and OSError for a
    folder that cannot be written or in which another collects, and for a page's port that is taken.
    """
    folder = Path(options.ring).absolute()
    with ExitStack() as stack:
        stack.enter_context(own(folder))
        if not is_url(options.place):
            # Whoever asks too early is told that nothing is in it yet, and not that it is none.
            Path(options.place, MANIFESTS).mkdir(parents=True, exist_ok=True)
        # The next file begins with the first packet, and ends when its time is up.
        patience = 2 * options.longest
        ring = Ring(folder, options.share, options.largest, telling.say, patience)
        page = None if options.metrics is None else _page(*options.metrics)
        exports = stack.enter_context(Exports(_order(options, folder), ring, telling.say, page))
        recorder = _recorder(options, ring)
        over = stack.enter_context(closing(Wakeup()))
        stack.enter_context(_hang_up_ignored())
        stack.enter_context(suppress(PacketsDropped))  # they are counted, and were told
        stack.enter_context(recorder)
        if options.is_own_process:
            give_up_in_thread()  # before there are others, which hold what this one does
        if page is not None:
            telling.served(_serve(page, recorder, ring, exports, stack))
        exports.start()
        recorder.tell_end(lambda _: over.notify())
        wait_for_interrupt(None, over, telling.ready)
    return Collected(recorder.statistics, ring.told.exported, ring.waiting)


def _page(host: str, port: int) -> PrometheusPage:
    from ..metrics.prometheus import PrometheusPage

    return PrometheusPage(host, port)


def _serve(
    page: PrometheusPage, recorder: Recorder, ring: Ring, exports: Exports, stack: ExitStack
) -> str:
    """Serve a page until ``stack`` is closed, and return its URL."""
    from .page import Figures

    page.registry.register(Figures(lambda: recorder.statistics, ring, exports))
    stack.enter_context(page)
    return page.url


def _order(options: CollectOptions, folder: Path) -> Order:
    is_folder = not is_url(options.place)
    return Order(
        place=str(Path(options.place).absolute()) if is_folder else options.place,
        folder=str(folder),
        host=options.host,
        rules=options.rules,
        keep_data=options.keep_data,
        keylog=options.keylog,
        memory=options.memory,
        # Half of the ring: the other half is for files that wait while the data set fails.
        most_files=max(options.share // options.largest // 2, 2),
    )


def _recorder(options: CollectOptions, ring: Ring) -> Recorder:
    return Recorder(
        ring.folder / f"{options.host}.pcapng",
        port=options.ports,
        interface=options.interface,
        version=__version__,
        comment=f"host: {options.host}",  # whoever exports a file by itself knows it too
        limits=Limits(max_size=options.largest, max_time=options.longest),
        buffer_size=options.buffer_size,
        keeper=ring,
    )


@contextmanager
def _hang_up_ignored() -> Iterator[None]:
    """Let SIGHUP end nothing: there is no file of settings to be read again."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)
