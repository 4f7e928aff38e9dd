"""Recordings by dumpcap and tcpdump: as whole as our own, and their refusals in one line."""

from __future__ import annotations

import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.exchanges import check_whole, exchange, frames, listening, port_of, segments

from capture import CaptureError, CaptureNotPermitted, PacketsDropped
from capture.backends import tool_recorder as recorder
from capture.backends.tool_recorder import DUMPCAP, TCPDUMP, Tool, ToolRecorder, try_tool

pytestmark = pytest.mark.slow

tools = pytest.mark.parametrize(
    "tool",
    [
        pytest.param(DUMPCAP, marks=pytest.mark.tool("dumpcap"), id="dumpcap"),
        pytest.param(TCPDUMP, marks=pytest.mark.tool("tcpdump"), id="tcpdump"),
    ],
)
packets = pytest.mark.packets


@packets
@tools
def test_whole_exchanges(tool: Tool, tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    with listening() as listener:
        port = port_of(listener)
        with ToolRecorder(path, tool=tool, port=port, comment="why") as recording:
            told = exchange(listener, b"question" * 1_000, b"answer")
            assert recording.wait_closed(10)
            assert len(frames(path)) == recording.statistics.captured
        check_whole(segments(path), port, b"question" * 1_000, b"answer", told)
    assert recording.statistics.dropped == 0
    assert b"why" in path.read_bytes()[:200]


@packets
@tools
def test_a_tool_works(tool: Tool) -> None:
    try_tool(tool)


class Imitation:
    """A folder that stands first in PATH, for a tool that does what a script says."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, script: str) -> Tool:
        path = self._folder / "dumpcap"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return DUMPCAP


@pytest.fixture
def imitation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Imitation]:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(recorder, "START_TIMEOUT", 0.5)
    return Imitation(tmp_path)


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("echo 'Capturing on lo' >&2; echo 'dumpcap: no right' >&2; exit 1", "dumpcap: no right$"),
        ("exit 1", "it says nothing$"),
        ("echo no capture at all; exit 0", "it says nothing$"),
        ("exec sleep 60", "it says nothing$"),
    ],
)
def test_a_tool_that_does_not_record(
    imitation: Imitation, script: str, line: str, tmp_path: Path
) -> None:
    with pytest.raises(CaptureNotPermitted, match=f"dumpcap cannot record: {line}"):
        ToolRecorder(tmp_path / "out", tool=imitation.says(script), port=1).__enter__()


@packets
@tools
def test_a_tool_that_ends_too_early(tool: Tool, tmp_path: Path) -> None:
    with (
        pytest.raises(CaptureError, match=f"broke off after 0 packets: {tool.name} has ended: "),
        ToolRecorder(tmp_path / "out", tool=tool, port=1) as recording,
    ):
        recording._process.send_signal(signal.SIGINT)
        recording._thread.join(10)


@packets
@tools
def test_a_tool_that_dropped_packets(
    tool: Tool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {
        "dumpcap": "Packets received/dropped on interface 'Loopback: lo': 9/3 (pcap:3/dumpcap:0)",
        "tcpdump": "9 packets captured\n12 packets received by filter\n3 packets dropped by kernel",
    }
    monkeypatch.setattr(ToolRecorder, "_says", lambda recording: said[tool.name])
    with (
        pytest.raises(PacketsDropped, match="the kernel dropped 3 packets"),
        ToolRecorder(tmp_path / "out", tool=tool, port=1),
    ):
        pass


KILLED = """
import os, signal, sys
from capture.backends import tool_recorder
tool = getattr(tool_recorder, sys.argv[1].upper())
with tool_recorder.ToolRecorder(os.devnull, tool=tool, port=1) as recording:
    print(recording._process.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@packets
@tools
def test_a_tool_ends_when_its_recorder_is_killed(tool: Tool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, tool.name], stdout=subprocess.PIPE, text=True
    ) as maker:
        assert maker.stdout is not None
        number = int(maker.stdout.readline())
    try:
        process = os.pidfd_open(number)
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([process], [], [], 20)
        assert ended
    finally:
        os.close(process)
