"""A port that is taken: the error names it, and who has it."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from capture import ports
from capture.ports import naming_port, who_listens
from capture.relay.forwarder import listener

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")
LISTENS = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@on_linux
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_this_process(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as server:
        assert who_listens(server.getsockname()[1]) == f"this process listens on {host}"


@on_linux
def test_another_process() -> None:
    command = [sys.executable, "-c", LISTENS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        said = who_listens(int(process.stdout.readline()))
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        assert said == f"{name} (process {process.pid}) listens on 127.0.0.1"
        process.stdin.close()


@on_linux
def test_another_users_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PROCESSES", tmp_path)
    (tmp_path / "12").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = who_listens(server.getsockname()[1])
    assert said == "another user's process listens on 127.0.0.1"


@on_linux
def test_a_name_that_no_terminal_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "PROCESSES", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        folder = tmp_path / "1"
        (folder / "fd").mkdir(parents=True)
        (folder / "fd" / "3").symlink_to(Path(f"/proc/self/fd/{server.fileno()}").readlink())
        (folder / "comm").write_text("evil\x1b[2J\n")
        said = who_listens(server.getsockname()[1])
    assert said == "evil?[2J (process 1) listens on 127.0.0.1"


def test_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    assert who_listens(port) == ""


@on_linux
def test_the_error_names_the_port_and_who_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as raised:
            listener(port=port)
    error = raised.value
    assert (error.errno, error.filename) == (errno.EADDRINUSE, f"127.0.0.1:{port}")
    assert error.strerror == "Address already in use: this process listens on 127.0.0.1"


def test_of_another_networks_port_nothing_is_looked_up_here() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError) as raised, naming_port("127.0.0.1", port, is_here=False):
            raise OSError(errno.EADDRINUSE, "Address already in use")
    assert raised.value.strerror == "Address already in use"


def test_other_errors_keep_their_words() -> None:
    with pytest.raises(OSError, match="192.0.2.1:0") as raised:
        listener("192.0.2.1")  # RFC 5737: nobody's
    assert raised.value.errno == errno.EADDRNOTAVAIL
