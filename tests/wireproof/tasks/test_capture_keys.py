"""A command's TLS secrets: recorded with its packets, refused, read live, and never left behind."""

from __future__ import annotations

import http.server
import shutil
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from parsers.records import RequestRecord, ResponseRecord, TlsConnectionRecord
from wireproof import decode
from wireproof.certificates import certificates
from wireproof.cli import run

pytestmark = [pytest.mark.packets, pytest.mark.slow]

GET = "import sys, ssl, urllib.request as r; print(r.urlopen(sys.argv[1]).status)"
AND_DIE = GET + "; import os; os.kill(os.getpid(), 9)"


@pytest.fixture
def port() -> Iterator[int]:
    """A server of HTTPS in this process, which logs no secrets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made = certificates()
    context.load_cert_chain(made.certificate, made.key)
    handler = http.server.SimpleHTTPRequestHandler
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, made.trusted():
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other test has."""
    certificates()  # whose files outlive this test
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def decrypted(path: Path) -> list[str]:
    return [one.decrypted for one in decode(path) if isinstance(one, TlsConnectionRecord)]


@pytest.mark.parametrize("backend", ["packet-socket", "tcpdump", "namespace", "scapy", "relay"])
def test_a_recording_can_be_read(
    backend: str, port: int, tmp_path: Path, temporary: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if backend == "tcpdump" and shutil.which("tcpdump") is None:
        pytest.skip("tcpdump is not installed")
    path = tmp_path / "a.pcapng"
    url = f"https://127.0.0.1:{port}/"
    words = ["capture", "--port", str(port), "--backend", backend, "-o", str(path), "--"]
    assert run([*words, sys.executable, "-c", GET, url]) == 0
    said = capfd.readouterr()
    assert said.out == "200\n"
    assert f"{path} holds the TLS keys" in said.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert decrypted(path) == ["yes"]
    requests = [one for one in decode(path) if isinstance(one, RequestRecord)]
    assert [(one.method, one.target, one.layer) for one in requests] == [("GET", "/", "tls")]
    assert not list(temporary.glob("wireproof-keys-*"))


def test_keys_can_be_refused(port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pcapng"
    command = [sys.executable, "-c", GET, f"https://127.0.0.1:{port}/"]
    run(["capture", "--port", str(port), "--no-keys", "-o", str(path), "--", *command])
    assert decrypted(path) == ["no"]
    assert "holds the TLS keys" not in capfd.readouterr().err
    assert b"TRAFFIC_SECRET" not in path.read_bytes()


def test_of_a_command_that_is_killed(port: int, tmp_path: Path, temporary: Path) -> None:
    path = tmp_path / "a.pcapng"
    command = [sys.executable, "-c", AND_DIE, f"https://127.0.0.1:{port}/"]
    assert run(["capture", "--port", str(port), "-o", str(path), "--", *command]) == 128 + 9
    assert decrypted(path) == ["yes"]
    assert not list(temporary.glob("wireproof-keys-*"))


def test_into_a_pipe(port: int) -> None:
    command = [sys.executable, "-c", GET.replace("print", "str"), f"https://127.0.0.1:{port}/"]
    words = [sys.executable, "-m", "wireproof", "capture", "--port", str(port), "-o", "-", "--"]
    with subprocess.Popen([*words, *command], stdout=subprocess.PIPE) as recording:
        assert recording.stdout is not None
        answers = [one for one in decode(recording.stdout) if isinstance(one, ResponseRecord)]
    assert [one.status for one in answers] == [200]


def test_a_watch_shows_what_is_said_as_it_is_said(
    port: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.pcapng"
    command = [sys.executable, "-c", GET, f"https://127.0.0.1:{port}/"]
    words = ["watch", "--port", str(port), "--format", "ndjson", "-w", str(path), "--"]
    assert run([*words, *command]) == 0
    said = capfd.readouterr()
    assert '"target":"/"' in said.out and '"status":200' in said.out
    assert f"{path} holds the TLS keys" in said.err
    assert decrypted(path) == ["yes"]


@pytest.mark.tshark
def test_tshark_reads_it_too(port: int, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    command = [sys.executable, "-c", GET, f"https://127.0.0.1:{port}/"]
    run(["capture", "--port", str(port), "-o", str(path), "--", *command])
    shown = subprocess.run(
        ["tshark", "-n", "-r", str(path), "-Y", "http.request"], capture_output=True, text=True
    )
    assert "GET / HTTP/1.1" in shown.stdout
