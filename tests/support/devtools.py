"""Chrome's own DevTools, loaded as a page of headless Chromium: what it makes of a HAR file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page

BUNDLED = "devtools://devtools/bundled"

# What the importer of the Network panel made of each entry.
IMPORTED = """async (text) => {
  const HAR = await import('BUNDLED/models/har/har.js');
  const {log} = new HAR.HARFormat.HARRoot(JSON.parse(text));
  const requests = HAR.Importer.Importer.requestsFromHARLog(log);
  return Promise.all(requests.map(async request => ({
    url: request.url(),
    status: request.statusCode,
    type: request.resourceType().name(),
    frames: request.frames().map(({type, time, opCode, text}) => [type, time, opCode, text]),
    events: request.eventSourceMessages().map(
        ({time, eventName, eventId, data}) => [time, eventName, eventId, data]),
    seconds: request.endTime - request.startTime,
    timing: request.timing,
    content: await request.requestContentData().then(
        data => 'error' in data ? null : data.isTextContent ? data.text : data.base64),
  })));
}""".replace("BUNDLED", BUNDLED)

# The Network panel itself, as if a user had chosen the file.
SHOWN = """async (text) => {
  const {NetworkPanel} = await import('BUNDLED/panels/network/network.js');
  const UI = await import('BUNDLED/ui/legacy/legacy.js');
  await UI.ViewManager.ViewManager.instance().showView('network');
  const view = NetworkPanel.NetworkPanel.instance().networkLogView;
  await view.onLoadFromFile(new File([text], 'capture.har', {type: 'application/json'}));
}""".replace("BUNDLED", BUNDLED)


@contextmanager
def devtools(browser: Browser) -> Iterator[Page]:
    """The front end of DevTools."""
    page = browser.new_page(viewport={"width": 1300, "height": 700})
    page.goto(f"{BUNDLED}/devtools_app.html?panel=network")
    yield page
    page.close()


def imported(page: Page, har: str) -> list[dict[str, Any]]:
    """Import a HAR file and return its requests."""
    found: list[dict[str, Any]] = page.evaluate(IMPORTED, har)
    return found


def shown(page: Page, har: str) -> None:
    """Import a HAR file into the Network panel."""
    page.evaluate(SHOWN, har)
