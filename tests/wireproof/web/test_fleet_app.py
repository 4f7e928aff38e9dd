"""The server of a data set's page: answers, inspectors of its captures, and who may ask."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from support.browser import PATIENCE, looking_at
from support.corpus import ROOT

from wireproof.web import fleet_app
from wireproof.web.page_files import TYPES, page_file

SSE = ROOT / "fixtures" / "sse"
NAMES = ("plain", "burst", "truncated")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(SSE / f"{name}.pcapng", tmp_path)
    return tmp_path


@contextmanager
def let_in(place: Path) -> Iterator[httpx.Client]:
    """A client that the page of a data set has let in."""
    with looking_at(place) as server:
        base = server.url.partition("/?")[0]
        with httpx.Client(base_url=base, timeout=PATIENCE) as client:
            assert client.get("/answers/summary").status_code == 403
            assert client.get(server.url).status_code == 303
            yield client


def opens(client: httpx.Client) -> dict[str, str]:
    """Return the path of each capture."""
    rows = client.get("/answers/worst-exchanges").json()
    return {Path(row["capture"]).stem: f"/{row['opens'].partition('#')[0]}" for row in rows}


def test_the_page_and_its_answers(folder: Path) -> None:
    with let_in(folder) as client:
        assert client.get("/").content == page_file("fleet.html")
        assert client.get("/fleet.js").headers["content-type"] == TYPES["fleet.js"]
        assert "default-src 'none'" in client.get("/").headers["content-security-policy"]
        assert client.get("/answers/summary").json()["captures"] == 3
        for path in ("/answers/none", "/x", "/capture/x/", f"/capture/{'0' * 32}/"):
            assert client.get(path).status_code == 404, path


def test_each_capture_has_its_inspector(folder: Path) -> None:
    with let_in(folder) as client:
        paths = opens(client)
        assert paths.keys() == set(NAMES)
        for name, path in paths.items():
            assert client.get(path.rstrip("/")).headers["location"] == path
            assert client.get(path).content == page_file("index.html")
            assert client.get(f"{path}base.css").content == page_file("base.css")
            summary = client.get(f"{path}answers/summary").json()
            assert summary["name"] == f"{name}.pcapng"


def test_few_stay_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_app, "MAX_OPEN", 1)
    closed: list[str] = []
    monkeypatch.setattr(
        fleet_app.Index, "close", lambda index: closed.append(index.name), raising=True
    )
    with let_in(folder) as client:
        for path in opens(client).values():
            assert client.get(f"{path}answers/summary").status_code == 200
        assert len(closed) == 2
    assert len(closed) == 3


def test_a_file_that_is_another_by_now_or_gone_is_said(folder: Path) -> None:
    with let_in(folder) as client:
        paths = opens(client)
        (folder / "plain.pcapng").write_bytes((folder / "burst.pcapng").read_bytes())
        (folder / "truncated.pcapng").unlink()
        other, gone = (client.get(paths[name]) for name in ("plain", "truncated"))
    assert (other.status_code, gone.status_code) == (409, 409)
    assert "this is another file than the one that was exported" in other.text
    assert "Copy it here and look at it" in gone.text


def test_what_cannot_be_asked_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wireproof.web.fleet.SUMMARY", "SELECT nothing FROM exchanges")
    with let_in(folder) as client:
        answer = client.get("/answers/summary")
    assert answer.status_code == 500 and "nothing" in answer.json()["problem"]
