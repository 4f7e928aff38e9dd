from __future__ import annotations

import io
import json
import os
import runpy
import signal
import socket
import sys
import threading

import pytest
from support.demo import PATIENCE, connect

from server import __main__ as command
from server.__main__ import main

pytestmark = pytest.mark.slow


class Served:
    """Stands in for serve(): keeps what it was called with, and announces an address."""

    def __init__(self) -> None:
        self.arguments: tuple[object, ...] = ()
        self.options: dict[str, object] = {}

    def __call__(self, *arguments: object, **options: object) -> None:
        self.arguments = arguments
        self.options = options


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    stand_in = Served()
    monkeypatch.setattr(command, "serve", stand_in)
    return stand_in


def test_defaults(served: Served) -> None:
    assert main([]) == 0
    assert served.arguments == ("127.0.0.1", 0, 0.2, 15.0)
    assert served.options == {
        "idle_timeout": 60.0,
        "deflate": True,
        "raw_port": 0,
        "announce": command._print_address,
        "access_log": False,
    }


def test_options(served: Served) -> None:
    options = (
        "--host ::1 --port 1 --raw-port 2 --delay 0.5 --ping-interval 0 --idle-timeout 4"
        " --no-deflate"
    )
    assert main(options.split()) == 0
    assert served.arguments == ("::1", 1, 0.5, 0.0)
    assert served.options["idle_timeout"] == 4
    assert served.options["deflate"] is False
    assert served.options["raw_port"] == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--delay", "-1"], "127.0.0.1, port 0: delay must be 0 or more seconds, not -1.0\n"),
        (["--host", "192.0.2.1"], "192.0.2.1, port 0: [Errno 99] Cannot assign requested address"),
    ],
)
def test_what_cannot_be_served(
    arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(why)
    assert err.count("\n") == 1


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--port", "many"])
    assert left.value.code == 2
    assert "--port" in capsys.readouterr().err


class Told(io.StringIO):
    """A standard output that another thread can wait for, as it cannot for what capsys takes."""

    def __init__(self) -> None:
        super().__init__()
        self.has_told = threading.Event()

    def flush(self) -> None:
        self.has_told.set()


def test_it_prints_one_line_when_it_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Told()
    monkeypatch.setattr(sys, "stdout", told)

    def stop_when_announced() -> None:
        assert told.has_told.wait(PATIENCE)
        address = json.loads(told.getvalue())
        for port in (address["port"], address["raw_port"]):
            connect(address["host"], port).close()
        signal.raise_signal(signal.SIGINT)

    thread = threading.Thread(target=stop_when_announced)
    thread.start()
    assert main(["--delay", "0"]) == 0
    thread.join(PATIENCE)
    assert told.getvalue().count("\n") == 1
    assert json.loads(told.getvalue()).keys() == {"host", "port", "raw_port"}


def test_it_stops_when_its_input_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())
    reading, writing = os.pipe()
    try:
        with os.fdopen(reading, "rb") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            assert main(["--stop-on-eof"]) == 0
            os.write(writing, b"this is not the end")
            assert not stopped.wait(0.05)
            os.close(writing)
            assert stopped.wait(PATIENCE)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_it_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        monkeypatch.setattr(sys, "argv", ["server", "--port", port])
        monkeypatch.delitem(sys.modules, "server.__main__")
        with pytest.raises(SystemExit) as left:
            runpy.run_module("server", run_name="__main__")
    assert left.value.code == 2
