"""What opens a browser: a process of its own, which ends by itself."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from wireproof.web.browser import Browser, has_display

PATIENCE = 60.0


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a browser writes what it was given, and what it holds."""
    told = tmp_path / "told"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" >{told}.part\nmv {told}.part {told}\n')
    program.chmod(0o755)
    tmp_path.chmod(0o777)
    monkeypatch.setenv("BROWSER", str(program))
    return told


def ended() -> bool:
    """Whether the last child has ended; it is waited for."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if os.waitpid(-1, os.WNOHANG)[0]:
            return True
        time.sleep(0.01)
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no rights are given up")
def test_an_address_is_opened_and_the_process_ends(opened: Path) -> None:
    browser = Browser()
    browser.open("http://127.0.0.1:9/?token=a")
    browser.open("http://127.0.0.1:9/?token=b")
    assert ended()
    assert opened.read_text() == "http://127.0.0.1:9/?token=a\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no rights are given up")
def test_without_an_address_it_opens_nothing(opened: Path) -> None:
    browser = Browser()
    browser.close()
    assert ended()
    browser.open("http://127.0.0.1:9/")
    assert not opened.exists()


def test_elsewhere_it_is_opened_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr("webbrowser.open", found.append)
    browser = Browser()
    browser.open("http://127.0.0.1:9/")
    browser.close()
    assert found == ["http://127.0.0.1:9/"]


@pytest.mark.parametrize(
    ("platform", "variables", "has"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_where_a_browser_has_a_window(
    platform: str, variables: dict[str, str], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert has_display() == has
