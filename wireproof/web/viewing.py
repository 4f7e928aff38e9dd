"""What ``wireproof view`` does: a capture or a recording in, a page in a browser out.

Strategy: the page is served at once, and fills while a thread reads or records; both end with the
server. The address with its token goes to standard output, for whoever has no browser here.
"""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from .feed import FileFeed
from .index import Index
from .server import InspectorServer


@dataclass(frozen=True)
class Page:
    """How the page is served and shown."""

    port: int
    """0 takes a free one."""
    opens_browser: bool
    say: Callable[[str], object]


def view_file(source: str, page: Page) -> None:
    """Serve the inspector of a capture file until Ctrl-C; ``-`` is standard input.

    Raises OSError for what cannot be read and for a port that is taken, ValueError for what is no
    capture.
    """
    with ExitStack() as stack:
        is_pipe = source == "-"
        stream = sys.stdin.buffer if is_pipe else stack.enter_context(Path(source).open("rb"))
        name = "standard input" if is_pipe else Path(source).name
        index = stack.enter_context(closing(Index(name)))
        feed = FileFeed(index, stream)
        server = stack.enter_context(closing(InspectorServer(index, page.port)))
        feed.start()
        stack.callback(feed.stop)
        serve(server, page)


def view_live(port: int, interface: str, keep: str | None, page: Page) -> None:
    """Record the packets of ``port`` and serve the inspector of them until Ctrl-C.

    ``keep`` is a pcapng file that gets them too. Raises what :class:`..live.decoding.LivePackets`
    does, and OSError for a page's port that is taken.
    """
    from ..live.decoding import LivePackets
    from .live_feed import LiveFeed

    with ExitStack() as stack:
        index = stack.enter_context(closing(Index(f"port {port} on {interface}", "live")))
        server = stack.enter_context(closing(InspectorServer(index, page.port)))
        packets = stack.enter_context(LivePackets(port=port, interface=interface, keep=keep))
        feed = LiveFeed(index, packets)
        feed.start()
        stack.callback(feed.stop)
        serve(server, page)


def serve(server: InspectorServer, page: Page) -> None:
    """Serve until Ctrl-C, and tell where when it listens."""

    def ready() -> None:
        print(server.url, flush=True)
        page.say("the inspector is at the address above, for this machine only; Ctrl-C stops it")
        if page.opens_browser and has_display():
            webbrowser.open(server.url)

    server.run(ready)


def has_display() -> bool:
    """Return whether a browser would have a window, and not take the terminal."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
