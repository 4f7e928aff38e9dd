"""A release that regresses, live: two uvicorn of it and two of the one before, behind nginx."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support.corpus import ROOT
from support.released import REGRESSIONS

from capture import Recorder
from capture.clients.plain import ask
from server.causes.proxies import proxy
from wireproof import __version__
from wireproof.diff.change import Change
from wireproof.diff.compare import compare
from wireproof.diff.reading import profile_of

pytestmark = [pytest.mark.packets, pytest.mark.slow, pytest.mark.tool("nginx")]
ROUNDS = 10
"""Answers of each path, of each server."""
STREAMS = "proxy_http_version 1.1; proxy_buffering off;"
RELEASES = {"first": "1", "first again": "1", "second": "2"}


@contextmanager
def serving(release: str) -> Iterator[int]:
    """Run a release, and nginx in front of it; give the port that clients ask."""
    port, app_port = free_port(), free_port()
    command = [sys.executable, "-m", "uvicorn", "support.released:app", "--port", str(app_port)]
    environment = os.environ | {"RELEASE": release, "PYTHONPATH": f"{ROOT}/tests:{ROOT}"}
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(app_port)
        with proxy("nginx", port, app_port, STREAMS):
            yield port
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"nobody listens at {port}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Record all at once, in turn: what the machine does else slows each as much."""
    folder = tmp_path_factory.mktemp("releases")
    paths = {name: folder / f"{name}.pcapng" for name in RELEASES}
    with ExitStack() as stack:
        ports = {name: stack.enter_context(serving(one)) for name, one in RELEASES.items()}
        recorders = [
            stack.enter_context(Recorder(paths[name], port=port, comment="", version=__version__))
            for name, port in ports.items()
        ]

        def asked(path: str) -> None:
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
            for _ in range(ROUNDS):
                for port in ports.values():
                    ask("127.0.0.1", port, head)

        with ThreadPoolExecutor(len(REGRESSIONS)) as pool:
            list(pool.map(asked, REGRESSIONS))
        assert all(recorder.wait_closed(10.0) for recorder in recorders)
    return paths


def worse(runs: dict[str, Path], name: str) -> list[Change]:
    before, after = (profile_of([str(runs[one])]) for one in ("first", name))
    return [one for one in compare(before, after) if one.answer in ("regression", "consequence")]


def test_each_regression_is_found_where_it_is(runs: dict[str, Path]) -> None:
    found = worse(runs, "second")
    said = {path: [one.what for one in found if one.group == f"GET {path}"] for path in REGRESSIONS}
    missed = {
        path: said[path] for path, wrong in REGRESSIONS.items() if wrong.said not in said[path]
    }
    assert missed == {"/same": []}


def test_two_recordings_of_one_release_are_the_same(runs: dict[str, Path]) -> None:
    assert worse(runs, "first again") == []
