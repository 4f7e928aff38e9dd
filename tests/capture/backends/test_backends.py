"""Which way to record is chosen, why the others are not, and what each gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.exchanges import ask, segments, served, spoken

from capture import CaptureNotPermitted
from capture.backends import BACKENDS, Backend, Wanted, choose
from capture.backends.base import LOOPBACK
from capture.backends.relay import VARIABLE, ByRelay
from capture.backends.tools import ByTcpdump

NAMES = ["packet-socket", "dumpcap", "tcpdump", "namespace", "scapy", "relay"]
PATIENCE = 60


def lacking(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let all the backends work but these."""
    for backend in BACKENDS:
        answer = f"no {backend.name}" if backend.name in names else None
        monkeypatch.setattr(type(backend), "lacks", lambda self, answer=answer: answer)


def test_their_names_and_order() -> None:
    assert [backend.name for backend in BACKENDS] == NAMES


@pytest.mark.parametrize("count", range(len(NAMES)))
def test_the_first_that_works(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, *NAMES[:count])
    wanted = Wanted(Path(os.devnull), 1, has_command=True)
    assert choose(wanted).name == NAMES[count]


def test_none_works(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, *NAMES)
    with pytest.raises(CaptureNotPermitted) as raised:
        choose(Wanted(Path(os.devnull), 1, has_command=True))
    assert str(raised.value) == "; ".join(f"{name}: no {name}" for name in NAMES)


def test_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, "dumpcap")
    wanted = Wanted(Path(os.devnull), 1)
    assert choose(wanted, "relay").name == "relay"
    with pytest.raises(CaptureNotPermitted, match=r"^dumpcap: no dumpcap$"):
        choose(wanted, "dumpcap")
    with pytest.raises(CaptureNotPermitted, match=r"^relay: cannot be used here$"):
        choose(wanted, "relay", among=["namespace"])


def test_a_namespace_needs_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking(monkeypatch, *NAMES[:3], "scapy")
    assert choose(Wanted(Path(os.devnull), 1)).name == "relay"


@pytest.mark.parametrize("backend", BACKENDS, ids=NAMES)
def test_other_interfaces_are_for_those_that_open_any(backend: Backend) -> None:
    wanted = Wanted(Path(os.devnull), 1, "eth0", has_command=True)
    reason = backend.refuses(wanted)
    expected = (
        None
        if backend.name in ("packet-socket", "scapy")
        else f"records {LOOPBACK} alone, not eth0"
    )
    assert reason == expected


COMMAND = """
import os, socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
s.sendall(b"question")
s.shutdown(socket.SHUT_WR)
print(s.makefile().read())
"""


def needing(name: str) -> tuple[pytest.MarkDecorator, ...]:
    return {
        "packet-socket": (pytest.mark.packets,),
        "dumpcap": (pytest.mark.packets, pytest.mark.tool("dumpcap")),
        "tcpdump": (pytest.mark.packets, pytest.mark.tool("tcpdump")),
        "namespace": (pytest.mark.namespaces,),
        "scapy": (pytest.mark.packets,),
        "relay": (pytest.mark.redirects,),
    }[name]


@pytest.mark.parametrize(
    "backend", [pytest.param(one, marks=needing(one.name), id=one.name) for one in BACKENDS]
)
def test_a_command_and_a_server_that_runs_already(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "out.pcapng"
    assert backend.lacks() is None
    with served(b"answer") as port:
        wanted = Wanted(path, port, has_command=True, comment="why", version="7")
        with backend.open(wanted) as session:
            process = session.popen(
                [sys.executable, "-c", COMMAND, str(port)], stdout=subprocess.PIPE, text=True
            )
            assert process.communicate(timeout=PATIENCE)[0].strip() == "answer"
            assert session.recording.wait_closed(PATIENCE)
        found = segments(path)
    assert spoken(found, port) == (b"question", b"answer")
    assert len(found) == session.recording.statistics.captured
    assert b"wireproof 7" in path.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="tools are driven on Linux alone")
@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("You don't have permission to capture", "sudo setcap cap_net_raw,cap_net_admin+eip "),
        (
            "Couldn't change to 'tcpdump' uid=1 gid=2: Operation not permitted",
            "run it as a user other",
        ),
    ],
)
def test_what_would_allow_a_tool_to_record(
    said: str, remedy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "tcpdump"
    tool.write_text(f'#!/bin/sh\necho "tcpdump: {said}" >&2\nexit 1\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    lacking = ByTcpdump().lacks()
    assert lacking is not None
    assert lacking.startswith(f"tcpdump cannot record: tcpdump: {said}; to allow it: {remedy}")


def test_without_redirection_a_command_is_told_of_the_relay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture.linux.redirect.Redirect.available", lambda: "not here")
    path = tmp_path / "out.pcapng"
    with (
        served(b"answer") as port,
        ByRelay().open(Wanted(path, port, has_command=True)) as session,
    ):
        address = session.environment[VARIABLE]
        assert session.notes == (
            f"to be recorded, COMMAND must connect to {address} (${VARIABLE}): not here",
        )
        assert session.popen is subprocess.Popen
        assert ask(int(address.rpartition(":")[2]), b"question") == b"answer"
        session.recording.drain()
    assert spoken(segments(path), port) == (b"question", b"answer")


def test_a_machine_without_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(99, "Cannot assign requested address")

    monkeypatch.setattr("capture.backends.relay.listener", refuse)
    reason = "cannot listen on any port: Cannot assign requested address"
    assert ByRelay().lacks() == reason
