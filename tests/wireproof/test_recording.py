"""Anyone's packets on a port, while a command runs or until a signal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.demo import serving

from wireproof import decode
from wireproof.cli import run
from wireproof.recording import record_port

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
        rf"wireproof: {re.escape(path)}: \d+ packets captured, 0 dropped\n", captured.err
    )
    assert kinds(path).count("chunk") == 9


@pytest.mark.packets
def test_a_command_that_cannot_be_started(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "out.pcapng")
    assert run(["capture", "--port", "9", "-o", path, "--", "/no/such/command"]) == 2
    line = capsys.readouterr().err
    assert line == "wireproof: /no/such/command: No such file or directory\n"


@pytest.mark.packets
def test_without_a_command_it_lasts_as_long_as_asked(tmp_path: Path) -> None:
    recorded = record_port(9, str(tmp_path / "out.pcapng"), duration=0)
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
            assert line == f"wireproof: recording port {port} on lo; Ctrl-C ends it\n"
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
