"""Anyone's packets on a port, while a command runs or until a signal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.demo import serving

from capture.backends import Wanted
from capture.backends.packet_socket import PacketSocket
from parsers.records import ConnectionRecord, RequestRecord, ResponseRecord
from wireproof import decode
from wireproof.cli import run
from wireproof.tasks.capture import record_port

GET = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read(); print('got it')"


def kinds(path: Path | str) -> list[str]:
    return [record.record for record in decode(path)]


@pytest.mark.packets
def test_a_command_is_recorded_and_its_exit_code_kept(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "out.pcapng")
    with serving() as address:
        url = address.origin() + "/stream"
        port = str(address.port)
        command = [sys.executable, "-c", GET + "; sys.exit(7)", url]
        assert run(["capture", "--port", port, "-o", path, "--", *command]) == 7
    captured = capfd.readouterr()
    assert captured.out == "got it\n"
    assert re.fullmatch(
        rf"wireproof: recording port {port} on lo with packet-socket\n"
        rf"wireproof: {re.escape(path)}: \d+ packets captured, 0 dropped\n",
        captured.err,
    )
    assert kinds(path).count("chunk") == 9


@pytest.mark.packets
def test_a_command_that_cannot_be_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "out.pcapng")
    assert run(["capture", "--port", "9", "-o", path, "--", "/no/such/command"]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line == "wireproof: /no/such/command: No such file or directory"


@pytest.mark.packets
def test_without_a_command_it_lasts_as_long_as_asked(tmp_path: Path) -> None:
    wanted = Wanted(tmp_path / "out.pcapng", 9)
    recorded = record_port(wanted, PacketSocket(), duration=0)
    assert recorded.exit_code == 0
    assert not recorded.interrupted
    assert recorded.statistics.dropped == 0
    assert kinds(tmp_path / "out.pcapng") == []


@pytest.mark.packets
@pytest.mark.parametrize(("options", "code"), [([], 0), (["--duration", "60"], 130)])
def test_ctrl_c_ends_it_and_keeps_what_was_recorded(
    tmp_path: Path, options: list[str], code: int
) -> None:
    path = tmp_path / "out.pcapng"
    with serving() as address:
        port = str(address.port)
        with subprocess.Popen(
            [sys.executable, "-m", "wireproof", "capture", "--port", port, "-o", str(path)]
            + options,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            began = f"wireproof: recording port {port} on lo with packet-socket"
            assert line == f"{began}; Ctrl-C stops it\n"
            url = address.origin() + "/stream"
            subprocess.run([sys.executable, "-c", GET, url], check=True, capture_output=True)
            process.send_signal(signal.SIGINT)
            assert re.search(r"\d+ packets captured, 0 dropped", process.stderr.read())
        assert process.returncode == code
    assert kinds(path).count("chunk") == 9


@pytest.mark.packets
def test_a_recording_can_be_decoded_while_it_is_made() -> None:
    with serving() as address:
        url = address.origin() + "/stream"
        script = (
            f"{sys.executable} -m wireproof capture --port {address.port} -o - -- "
            f'{sys.executable} -c "$GET" {url} | {sys.executable} -m wireproof decode -'
        )
        done = subprocess.run(
            ["sh", "-c", script],
            env={**os.environ, "GET": GET.partition(" print")[0]},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.count('"record":"chunk"') == 9
    assert "0 dropped" in done.stderr


# --- without the right to open a packet socket ---


def recorded_by(path: Path) -> set[str | None]:
    return {r.recorded_by for r in decode(path) if isinstance(r, ConnectionRecord)}


@pytest.mark.namespaces
@pytest.mark.redirects
@pytest.mark.parametrize("backend", ["namespace", "relay"])
def test_a_server_that_runs_already(
    backend: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same command, the same decode: but for packet borders, and who recorded."""
    path = tmp_path / "out.pcapng"
    with serving() as address:
        port, url = str(address.port), address.origin() + "/stream"
        command = [sys.executable, "-c", GET, url]
        options = ["--backend", backend, "--port", port, "-o", str(path)]
        assert run(["capture", *options, "--", *command]) == 0
    assert f"recording port {port} on lo with {backend}\n" in capfd.readouterr().err
    assert kinds(path).count("chunk") == 9
    assert recorded_by(path) == {"relay"}
    (request,) = [record for record in decode(path) if isinstance(record, RequestRecord)]
    assert ["Host", f"127.0.0.1:{port}"] in [list(field) for field in request.headers]


BOTH = """
import subprocess, sys, time, urllib.request
port = sys.argv[1]
server = subprocess.Popen([sys.executable, "-m", "http.server", port, "--bind", "127.0.0.1"])
while True:
    try:
        print(urllib.request.urlopen(f"http://127.0.0.1:{port}/").status)
        break
    except OSError:
        time.sleep(0.02)
server.kill()
"""


@pytest.mark.namespaces
@pytest.mark.redirects
@pytest.mark.parametrize(("backend", "by"), [("namespace", None), ("relay", "relay")])
def test_a_command_that_serves_and_asks(backend: str, by: str | None, tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    options = ["--backend", backend, "--port", port, "-o", str(path)]
    assert run(["capture", *options, "--", sys.executable, "-c", BOTH, port]) == 0
    answers = [record for record in decode(path) if isinstance(record, ResponseRecord)]
    assert [answer.status for answer in answers] == [200]
    assert recorded_by(path) == {by}


def test_a_relay_without_a_command_says_where_it_listens(tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    with serving() as address:
        port = str(address.port)
        command = ["capture", "--backend", "relay", "--port", port, "-o", str(path)]
        with subprocess.Popen(
            [sys.executable, "-m", "wireproof", *command], stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            process.stderr.readline()
            where = re.fullmatch(
                rf"wireproof: connect to (\S+), which forwards to port {port}\n",
                process.stderr.readline(),
            )
            assert where is not None
            url = f"http://{where[1]}/stream"
            subprocess.run([sys.executable, "-c", GET, url], check=True, capture_output=True)
            process.send_signal(signal.SIGINT)
            assert re.search(r"\d+ packets captured, 0 dropped", process.stderr.read())
        assert process.returncode == 0
    assert kinds(path).count("chunk") == 9
