"""``wireproof view`` as people start it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
from support.browser import PATIENCE
from support.corpus import ROOT

from wireproof.web.fleet import KEY_LENGTH

pytestmark = pytest.mark.slow

FIXTURE = str(ROOT / "fixtures/sse/plain.pcapng")


def start(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "wireproof", "view", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )


def stop(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_it_prints_where_the_page_is_and_stops_at_ctrl_c() -> None:
    process = start(FIXTURE, "--no-browser")
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    with httpx.Client(follow_redirects=True, timeout=PATIENCE) as client:
        assert "<title>wireproof</title>" in client.get(url).text
        summary = client.get(f"{url.partition('?')[0]}answers/summary").json()
    assert summary["name"] == "plain.pcapng"
    code, out, err = stop(process)
    assert (code, out) == (0, "")
    assert err == (
        "wireproof: the inspector is at the address above, for this machine only; Ctrl-C stops it\n"
    )


@pytest.mark.parametrize("is_moved", [False, True])
def test_captures_of_a_data_set_are_opened(is_moved: bool, tmp_path: Path) -> None:
    """Below the folder where it is started, or where --captures says."""
    pytest.importorskip("duckdb")
    here, there, scratch = tmp_path / "here", tmp_path / "there", tmp_path / "scratch"
    for folder in (here, here / "files", there, scratch):
        folder.mkdir()
    data = Path(FIXTURE).read_bytes()
    (here / "files" / "one.pcapng").write_bytes(data)
    words = ["export", "files", "--format", "parquet", "-o", "set"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    subprocess.run(
        [sys.executable, "-m", "wireproof", *words], cwd=here, env=environment, check=True
    )
    if is_moved:
        (here / "files" / "one.pcapng").rename(there / "one.pcapng")
    more = ["--captures", str(there)] if is_moved else []
    # What lies in the folder of temporary files may be read anyway.
    process = start("set", "--no-browser", *more, folder=here, TMPDIR=str(scratch))
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    key = sha256(data).hexdigest()[:KEY_LENGTH]
    with httpx.Client(follow_redirects=True, timeout=PATIENCE) as client:
        client.get(url)
        answered = client.get(f"{url.partition('?')[0]}capture/{key}/answers/summary")
    stop(process)
    assert answered.status_code == 200, answered.text
    assert answered.json()["name"] == "one.pcapng"


def test_standard_input_is_a_capture_too() -> None:
    process = start("-", "--no-browser")
    assert process.stdin is not None and process.stdout is not None
    process.stdin.buffer.write(Path(FIXTURE).read_bytes())
    process.stdin.close()
    process.stdin = None
    url = process.stdout.readline().strip()
    assert httpx.get(url, timeout=PATIENCE).status_code == 303
    assert stop(process)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give a FILE"),
        (("--live",), "--live needs --port N"),
        ((FIXTURE, "--live", "--port", "1"), "FILE or --live, not both"),
        ((FIXTURE, "--keep", "x"), "--keep and --backend require --live"),
        (("missing.pcapng",), "missing.pcapng: No such file"),
        (("README.md",), "not a capture file"),
    ],
)
def test_what_cannot_be_shown_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    process = start(*arguments, "--no-browser")
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert said in err and err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        process = start(FIXTURE, "--no-browser", "--page-port", port)
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, "")
    assert f"127.0.0.1:{port}: Address already in use" in err and err.count("\n") == 1
