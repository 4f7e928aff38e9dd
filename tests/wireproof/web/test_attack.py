"""A capture whose payloads, heads and targets attack whoever shows them: nothing of it runs."""

from __future__ import annotations

from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from support.attack import attack
from support.browser import Watched, serving, watched

from wireproof.web.feed import FileFeed
from wireproof.web.index import Index
from wireproof.web.report import write_report

pytestmark = pytest.mark.browser

# Go through every exchange, every panel, and the first elements of each kind.
TOUR = """async () => {
  const pause = () => new Promise(done => setTimeout(done, 5));
  const list = document.querySelector('.rows.conn');
  const before = location.hash;
  list.focus();
  for (let row = 0; row < Number(list.getAttribute('aria-rowcount')); row += 1) {
    list.dispatchEvent(new KeyboardEvent('keydown', { key: row ? 'ArrowDown' : 'Home' }));
    await pause();
    const key = location.hash;
    for (const tab of document.querySelectorAll('.tab')) {
      tab.click();
      await pause();
    }
    for (const kind of 'kefmd') {
      location.hash = `${key}/${kind}0`;
      await pause();
    }
  }
  return list.getAttribute('aria-rowcount');
}"""
MADE = "() => document.querySelectorAll('img, svg, iframe, object, embed, base, math, form').length"


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "</title><img src=x onerror=alert(1)>.pcapng".replace("/", "\u2215")
    path.write_bytes(attack())
    return path


def index_of(path: Path) -> Index:
    index = Index(path.name)
    with path.open("rb") as stream:
        FileFeed(index, stream).read_all()
    return index


def tour(found: Watched, url: str) -> None:
    """Look at everything, and check that nothing has run and nobody was asked."""
    page = found.open(url)
    scripts = page.locator("script").count()
    assert int(page.evaluate(TOUR)) >= 5
    assert page.evaluate("() => window.attacked") is None
    assert page.evaluate("() => ({}).attacked") is None
    assert page.locator("script").count() == scripts
    assert page.evaluate(MADE) == 0
    assert [one for one in found.requests if "attacker" in one or "alert" in one] == []


def test_the_served_page_runs_nothing(browser: Browser, capture: Path) -> None:
    with (
        closing(index_of(capture)) as index,
        serving(index) as server,
        watched(browser) as found,
    ):
        tour(found, server.url)
        own = f"http://127.0.0.1:{server.port}/"
        assert all(request.startswith(own) for request in found.requests)


def test_the_report_runs_nothing(browser: Browser, capture: Path, tmp_path: Path) -> None:
    output = BytesIO()
    with closing(index_of(capture)) as index:
        write_report(index, output)
    report = tmp_path / "report.html"
    report.write_bytes(output.getvalue())
    with watched(browser, offline=True) as found:
        tour(found, report.as_uri())
        asked = {request for request in found.requests if not request.startswith("data:")}
        assert asked == {report.as_uri()}
