"""How fast the inspector's page is with much in it, in Chromium: opening, scrolling, scrubbing.

A made-up stream of server-sent events is written to a capture and served, and a browser without a
window looks at it. A frame is as long as ``requestAnimationFrame`` says: from one that was drawn to
the next. Then the report of the capture is written, and opened from disk.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from threading import Event, Thread

from playwright.sync_api import Browser, Page, sync_playwright
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index
from wireproof.web.reporting import report_capture
from wireproof.web.server import InspectorServer

from .packets import write
from .workloads import chat_connection, sse_connection, timed

WINDOW = {"width": 1400, "height": 900}
PATIENCE = 600_000
FRAMES = """
async ([steps, selector, kind]) => {
  const node = document.querySelector(selector);
  const lengths = [];
  let last = null;
  for (let step = 0; step <= steps; step += 1) {
    if (kind === "scroll") node.scrollTop = (node.scrollHeight * step) / steps;
    else {
      node.value = String((1000 * step) / steps);
      node.dispatchEvent(new Event("input"));
    }
    const now = await new Promise((drawn) => requestAnimationFrame(drawn));
    if (last !== null) lengths.push(now - last);
    last = now;
  }
  lengths.sort((one, other) => one - other);
  const at = (part) => lengths[Math.min(Math.floor(part * lengths.length), lengths.length - 1)];
  return { p50: at(0.5), p95: at(0.95), most: at(1) };
}
"""
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
ROWS = "() => document.querySelector('.table.e .row .time')"
ANSWER = "() => document.querySelector('#answer .sentence')"
READ = "() => !document.querySelector('.scrub').hidden"


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--chat", action="store_true", help="deltas of a language model's stream")
    parser.add_argument("--no-report", action="store_true")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "stream.pcapng"
        stream = chat_connection if asked.chat else sse_connection
        packets = write(path, timed(stream(0, asked.events)))
        print(f"{asked.events:,} events, {packets:,} packets, {path.stat().st_size / 1e6:.1f} MB")
        served(browser, path)
        if not asked.no_report:
            reported(browser, path, Path(folder) / "report.html")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


def served(browser: Browser, path: Path) -> None:
    """Read a capture, serve it, and look at it."""
    index = Index(path.name)
    begun = time.process_time()
    with path.open("rb") as file:
        FileFeed(index, file).read_all()
    print(f"read: {time.process_time() - begun:.1f} s of the processor")
    server = InspectorServer(index)
    ready = Event()
    thread = Thread(target=server.run, args=(ready.set,))
    thread.start()
    ready.wait()
    try:
        looked_at(browser.new_page(viewport=WINDOW), server.url)
    finally:
        server.stop()
        thread.join()
        index.close()


def reported(browser: Browser, path: Path, output: Path) -> None:
    """Write the report of a capture, and look at it."""
    begun = time.perf_counter(), time.process_time()
    report_capture(str(path), str(output), "headers", lambda _: None)
    wall, processor = time.perf_counter() - begun[0], time.process_time() - begun[1]
    size = output.stat().st_size / 1e6
    print(f"report: {wall:.1f} s ({processor:.1f} s of the processor), {size:.1f} MB")
    looked_at(browser.new_page(viewport=WINDOW), output.as_uri())


def looked_at(page: Page, url: str) -> None:
    """Open the page, and print how long it takes until what is there, and how long frames are."""
    page.set_default_timeout(PATIENCE)
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    for name, test in (("rows", ROWS), ("answer", ANSWER), ("text", READ)):
        page.wait_for_function(test)
        print(f"  {name}: {time.perf_counter() - begun:.2f} s")
    print(f"  first paint: {page.evaluate(PAINT) / 1000:.2f} s")
    page.wait_for_timeout(1000)
    for name, selector, steps in (("scroll", ".rows.table.e", 200), ("scrub", "#scrubber", 100)):
        found = page.evaluate(FRAMES, [steps, selector, name])
        figures = ", ".join(f"{key} {value:.0f} ms" for key, value in found.items())
        print(f"  a frame of {name}: {figures}")
    page.close()


if __name__ == "__main__":
    main()
