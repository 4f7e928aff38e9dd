"""What ``wireproof view`` does: a capture or a recording in, a page in a browser out.

Strategy: the page is served at once, and fills while a thread reads or records; both end with the
server. The address with its token goes to standard output, for whoever has no browser here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from capture.processes import signals_held, wait_for_interrupt

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..opening import open_input
from ..tasks.capture import attend, key_log_for, order_secrets
from ..tasks.chosen import choosing_first
from ..tasks.sources import UnreadableSource
from .feed import FileFeed
from .index import Index
from .server import InspectorServer, PageServer

if TYPE_CHECKING:
    from capture.backends import Session
    from capture.key_log import KeyLog
    from parsers import KeyLog as Secrets

    from .browser import Browser
    from .live_feed import LiveFeed

STDERR = 2
"""The file descriptor of standard error."""


@dataclass(frozen=True)
class Page:
    """How the page is served and shown."""

    port: int
    """0 takes a free one."""
    browser: Browser | None
    """What opens it."""
    say: Callable[[str], object]


def view_files(
    sources: Sequence[str],
    page: Page,
    wanted: ExchangeFilter = EVERYTHING,
    keylog: Secrets | None = None,
) -> None:
    """Serve the inspector of capture files until Ctrl-C; ``-`` is standard input.

    It shows the exchanges that are wanted. Raises OSError for a port that is taken, and
    UnreadableSource for what cannot be read or is no capture.
    """
    with ExitStack() as stack:
        feeds = [_feed(source, at, wanted, keylog, stack) for at, source in enumerate(sources)]
        indexes = [feed.index for feed in feeds]
        server = stack.enter_context(closing(InspectorServer(*indexes, port=page.port)))
        for feed in feeds:
            feed.start()
            stack.callback(feed.stop)
        serve(server, page)


def view_data_set(source: str, captures: Sequence[str], page: Page) -> None:
    """Serve the page of a data set until Ctrl-C; ``captures`` are folders of its files.

    Raises OSError for a port that is taken, and UnreadableSource for what is no data set.
    """
    from .fleet import looked_at
    from .fleet_app import Captures, create_fleet_app

    with ExitStack() as stack:
        try:
            places = tuple(map(Path, captures))
            fleet = stack.enter_context(looked_at(source, places, page.say))
        except (OSError, ValueError) as error:
            raise UnreadableSource(source, error) from error
        opened = stack.enter_context(closing(Captures(fleet)))
        app_of = partial(create_fleet_app, fleet, opened)
        serve(stack.enter_context(closing(PageServer(app_of, page.port))), page)


def _feed(
    source: str, number: int, wanted: ExchangeFilter, keylog: Secrets | None, stack: ExitStack
) -> FileFeed:
    is_pipe = source == "-"
    try:
        name = "standard input" if is_pipe else Path(source).name
        stream, choice = choosing_first(open_input(source, stack), wanted, stack, keylog)
        index = stack.enter_context(closing(Index(name, wanted=choice, number=number)))
        return FileFeed(index, stream, keylog=keylog)
    except (OSError, ValueError) as error:
        raise UnreadableSource(source, error) from error


@dataclass(frozen=True)
class Recorded:
    """What is recorded for the page."""

    port: int
    interface: str
    keep: str | None = None
    """A pcapng file that gets the packets too."""
    command: Sequence[str] = ()
    """What is run meanwhile; the recording ends with it."""
    backend: str | None = None
    """The name of what records; None for the first that works."""
    wanted: ExchangeFilter = EVERYTHING
    """Which exchanges are shown, by their heads."""
    keys: bool = True
    """Whether the command is told to log its TLS secrets."""
    kept_keys: Callable[[str], object] = lambda path: None
    """Told where the file is that holds such secrets."""


def view_live(recorded: Recorded, page: Page) -> int:
    """Record packets and serve the inspector of them until Ctrl-C; return the exit code.

    That is the command's own; 0 without a command. Raises what
    :class:`..live.decoding.LivePackets` does, and OSError for a page's port that is taken and for a
    command that cannot be started.
    """
    from ..live.decoding import LivePackets
    from .live_feed import LiveFeed

    wanted = None if recorded.wanted.is_empty else recorded.wanted
    key_log = key_log_for(recorded.command) if recorded.keys else None
    with ExitStack() as stack:
        if recorded.keep is not None and key_log is not None:
            stack.callback(_put_keys_first, recorded.keep, key_log, recorded.kept_keys)
        name = f"port {recorded.port} on {recorded.interface}"
        index = stack.enter_context(closing(Index(name, "live", wanted=wanted)))
        server = stack.enter_context(closing(InspectorServer(index, port=page.port)))
        packets = LivePackets(
            port=recorded.port,
            interface=recorded.interface,
            keep=recorded.keep,
            command=recorded.command,
            backend=recorded.backend,
            secrets=bytes if key_log is None else key_log.take,
        )
        with signals_held():
            stack.enter_context(packets)
        packets.session.recording.tell_end(page.say)
        feed = LiveFeed(index, packets)
        feed.start()
        stack.callback(feed.stop)
        if recorded.command:
            return _serve_while(recorded.command, packets.session, key_log, feed, server, page)
        serve(server, page)
        return 0


def _serve_while(
    command: Sequence[str],
    session: Session,
    key_log: KeyLog | None,
    feed: LiveFeed,
    server: InspectorServer,
    page: Page,
) -> int:
    """Serve from another thread, for a command is waited for in the main one; return its code."""
    listens = Event()
    thread = Thread(target=serve, args=(server, page, listens.set), name="inspector")
    thread.start()
    try:
        listens.wait()
        # Standard output has the address alone.
        exit_code = attend(command, session, key_log, stdout=STDERR)
        feed.stop()
        page.say(f"{command[0]} has ended, and the recording; the page stays until Ctrl-C")
        wait_for_interrupt()
    finally:
        server.stop()
        thread.join()
    return exit_code


def _put_keys_first(path: str, key_log: KeyLog, tell: Callable[[str], object]) -> None:
    """Put the secrets of what was kept before its packets, and tell that there are some."""
    if key_log.has_keys:
        order_secrets(Path(path))
        tell(path)


def serve(server: PageServer, page: Page, listens: Callable[[], object] = lambda: None) -> None:
    """Serve until Ctrl-C, and tell where when it listens; ``listens`` is called then."""

    def ready() -> None:
        print(server.url, flush=True)
        page.say("the inspector is at the address above, for this machine only; Ctrl-C stops it")
        if page.browser is not None:
            page.browser.open(server.url)
        listens()

    server.run(ready)
