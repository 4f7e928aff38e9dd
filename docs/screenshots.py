"""The pictures of the inspector, taken anew from stored captures: ``python docs/screenshots.py``.

Each is the page as a browser shows it; nothing is drawn over it or cut out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from playwright.sync_api import Browser  # noqa: E402
from support.browser import chromium, indexed, looking_at, serving, watched  # noqa: E402

from parsers import CaptureReader  # noqa: E402
from wireproof.tables import TableOptions  # noqa: E402
from wireproof.tables.exporting import ExportJob, run  # noqa: E402
from wireproof.web.index import Index  # noqa: E402

FIXTURES = ROOT / "fixtures"
SHOTS = ROOT / "docs" / "screenshots"


class Shot(NamedTuple):
    """A picture of the page."""

    name: str
    capture: str
    link: str = ""
    width: int = 1280
    height: int = 800
    theme: str = "light"
    tab: str = ""
    """The panel that is opened."""
    with_keys: bool = False
    """Whether TLS is decrypted, with the keys beside the capture."""
    moment: int | None = None
    """Where the scrubber stands, in thousandths of its way."""
    beside: tuple[str, ...] = ()
    """Captures that are opened together with it."""
    is_live: bool = False
    """Whether it is taken while half of the packets have come."""


OVERVIEW = (
    "verdicts/en04-rst-by-server.pcap",
    "verdicts/sm08-uvicorn-llm-jitter.pcap",
    "verdicts/en13-client-abort-app-goes-on.pcap",
)
PICTURES = (
    Shot("overview", "verdicts/hb01-node-gzip-no-flush.pcap", beside=OVERVIEW),
    Shot("live", "verdicts/lm01-openai-chat-role-first.pcap", is_live=True),
    Shot("hops", "nginx/chat.pcapng", height=860),
    Shot("reader", "verdicts/lm01-openai-chat-role-first.pcap", moment=560),
    Shot("cut", "verdicts/en04-rst-by-server.pcap"),
    Shot("lost", "verdicts/gp17-silence-then-loss.client.pcap"),
    Shot("websocket", "verdicts/ws13-websockets-lib-1011-blocked-client.pcap"),
    Shot("bytes", "sse/slow.pcapng", link="#c0/e4"),
    Shot("stalled", "tls/stall.pcapng", tab="windows", with_keys=True),
    Shot("sealed", "tls/sse.pcapng", tab="records"),
    Shot("dark", "nginx/chat.pcapng", height=860, theme="dark"),
    Shot("fleet", "verdicts", height=900),
    Shot("fleet-narrow", "verdicts", width=400, height=860, theme="dark"),
    Shot("narrow", "nginx/chat.pcapng", width=400, height=860),
)


def take(shot: Shot) -> None:
    """Take a picture into ``docs/screenshots``."""
    with ExitStack() as stack:
        browser = stack.enter_context(chromium())
        if (FIXTURES / shot.capture).is_dir():
            take_data_set(shot, browser, stack)
            return
        server = stack.enter_context(serving(*indexes(shot, stack)))
        size = {"width": shot.width, "height": shot.height}
        found = stack.enter_context(watched(browser, viewport=size, color_scheme=shot.theme))
        page = found.open(server.url)
        if not shot.is_live:  # which is judged when it has ended
            page.locator("#answer .sentence").wait_for()
        page.locator("#timeline-plot canvas").wait_for()
        page.wait_for_timeout(500)
        if shot.link:
            found.choose(shot.link)
        if shot.tab:
            page.locator(f"#tab-{shot.tab}").click()
        if shot.moment is not None:
            page.locator("#scrubber").fill(str(shot.moment))
        page.wait_for_timeout(300)
        page.screenshot(path=SHOTS / f"{shot.name}.png")


def indexes(shot: Shot, stack: ExitStack) -> Iterator[Index]:
    """Yield the captures that are looked at."""
    if shot.is_live:
        yield stack.enter_context(closing(recorded(FIXTURES / shot.capture)))
        return
    for number, name in enumerate((shot.capture, *shot.beside)):
        path = FIXTURES / name
        index = indexed(path, with_keys=shot.with_keys, number=number)
        yield stack.enter_context(closing(index))


def recorded(path: Path) -> Index:
    """Return the index of a recording that goes on: half of the packets of a file have come."""
    index = Index("port 8000", "live")
    with path.open("rb") as stream:
        packets = list(CaptureReader(stream))
    index.receive(packets[: len(packets) // 2])
    return index


def take_data_set(shot: Shot, browser: Browser, stack: ExitStack) -> None:
    """Take a picture of the page of a data set, of a folder of captures."""
    place = f"{stack.enter_context(TemporaryDirectory())}/dataset"
    options = TableOptions(host="web1")
    run(ExportJob([str(FIXTURES / shot.capture)], place, options), print)
    server = stack.enter_context(looking_at(Path(place)))
    size = {"width": shot.width, "height": shot.height}
    found = stack.enter_context(watched(browser, viewport=size, color_scheme=shot.theme))
    page = found.open(server.url)
    page.screenshot(path=SHOTS / f"{shot.name}.png")


def main() -> None:
    """Take those that are named, else all."""
    for shot in PICTURES:
        if not sys.argv[1:] or shot.name in sys.argv[1:]:
            take(shot)


if __name__ == "__main__":
    main()
