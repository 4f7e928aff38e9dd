"""Private networks: commands, recordings and forwarders in them, and nothing left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.exchanges import ask, segments, served, spoken

from capture import Namespace, NamespaceUnavailable, Recorder
from capture.linux import namespace, spawn_child

pytestmark = pytest.mark.namespaces
PATIENCE = 60


@pytest.fixture(scope="module")
def ns() -> Iterator[Namespace]:
    with Namespace() as one:
        yield one


def output(ns: Namespace, *command: str) -> str:
    """What a command in the namespace prints."""
    process = ns.popen(command, stdout=subprocess.PIPE, text=True)
    told: str = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
    return told


def network_of(process: int | str = "self") -> str:
    return os.readlink(f"/proc/{process}/ns/net")  # noqa: PTH115  # what it says, not where it is


def inhabitants(network: str) -> list[str]:
    """The processes that are in a network namespace."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdecimal() and network_of(process.name) == network:
                found.append(process.name)
        except OSError:
            continue  # it has ended
    return found


def wait_until_empty(network: str) -> None:
    until = time.monotonic() + PATIENCE
    while (left := inhabitants(network)) and time.monotonic() < until:
        time.sleep(0.01)
    assert left == []


# --- commands in it ---


def test_there_can_be_one() -> None:
    assert Namespace.available() is None


def test_a_command_is_elsewhere_and_the_user_the_same(ns: Namespace) -> None:
    told = output(ns, "sh", "-c", "readlink /proc/self/ns/net; id -u; pwd").split()
    assert told[0] != network_of()
    assert told[1:] == [str(os.geteuid()), str(Path.cwd())]


def test_loopback_is_up_and_alone(ns: Namespace) -> None:
    names = output(ns, sys.executable, "-c", "import socket; print(socket.if_nameindex())")
    assert names.strip() == "[(1, 'lo')]"
    with ns.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with ns.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect(listener.getsockname())
        with socket.socket() as stranger, pytest.raises(ConnectionRefusedError):
            stranger.connect(listener.getsockname())


def test_a_command_may_record(ns: Namespace) -> None:
    assert output(
        ns, sys.executable, "-c", "from capture import can_capture; print(can_capture())"
    ).split() == ["True"]


def test_how_a_command_ends(ns: Namespace) -> None:
    assert ns.run_command(["sh", "-c", "exit 7"]).exit_code == 7
    assert ns.run_command(["sh", "-c", "kill -9 $$"]).exit_code == 128 + signal.SIGKILL
    assert ns.run_command(["sleep", "60"], duration=0.05).expired
    assert ns.run_command(["sh", "-c", 'test "$A" = b'], environment={"A": "b"}).exit_code == 0


def test_a_command_has_the_usual_signals(ns: Namespace) -> None:
    ignored = output(ns, "grep", "SigIgn", "/proc/self/status").split()[1]
    assert int(ignored, 16) & 1 << signal.SIGPIPE - 1 == 0


@pytest.mark.parametrize(
    ("command", "error"),
    [("no-such-command", FileNotFoundError), ("/", PermissionError)],
)
def test_a_command_that_cannot_start(ns: Namespace, command: str, error: type[OSError]) -> None:
    with pytest.raises(error) as raised:
        ns.popen([command])
    assert raised.value.filename == command


def test_descriptors_are_passed(ns: Namespace) -> None:
    reading, writing = os.pipe()
    with ns.popen(["sh", "-c", f"echo there >/proc/self/fd/{writing}"], pass_fds=[writing]):
        os.close(writing)
    with os.fdopen(reading) as stream:
        assert stream.read() == "there\n"


# --- recording in it, from outside ---


def test_recording(ns: Namespace, tmp_path: Path) -> None:
    path = tmp_path / "inside.pcapng"
    with served(b"answer", ns.socket) as port:
        with (
            Recorder(path, port=port, make_socket=ns.socket) as recorder,
            ns.forward(port) as outside,
        ):
            assert ask(outside, b"question") == b"answer"
            assert recorder.wait_closed(PATIENCE)
        found = segments(path)
        assert spoken(found, port) == (b"question", b"answer")
        assert recorder.statistics == (len(found), 0)
    assert path.stat().st_uid == os.geteuid()


def test_a_port_of_ours_is_forwarded_into_it(ns: Namespace) -> None:
    asking = (
        "import socket, sys; s = socket.create_connection(('127.0.0.1', int(sys.argv[1])));"
        "s.sendall(b'question'); s.shutdown(socket.SHUT_WR); print(s.makefile().read())"
    )
    with served(b"answer") as port, ns.forward_in(port):
        assert output(ns, sys.executable, "-c", asking, str(port)).split() == ["answer"]
        with pytest.raises(OSError, match="in use"):
            ns.forward_in(port)


# --- its end ---


def test_what_still_runs_in_it_is_killed() -> None:
    with Namespace() as ns:
        process = ns.popen(["sh", "-c", "setsid sleep 1000 & trap '' TERM HUP INT; sleep 1001"])
        network = network_of(process.pid)
        assert len(inhabitants(network)) >= 2
    assert process.wait(PATIENCE) == -signal.SIGKILL
    wait_until_empty(network)
    with pytest.raises(OSError):
        ns.socket(socket.AF_INET, socket.SOCK_STREAM)


KILLED = """
import os, signal, sys
from capture import Namespace
with Namespace() as ns:
    process = ns.popen(["sh", "-c", "setsid sleep 1000 & sleep 1001"])
    print(os.readlink(f"/proc/{process.pid}/ns/net"), flush=True)
    os.fork() or signal.pause()  # a child that holds our end of the holder's socket
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_it_ends_when_its_maker_is_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdout=subprocess.PIPE, text=True, process_group=0
    ) as maker:
        assert maker.stdout is not None
        network = maker.stdout.readline().strip()
        assert network.startswith("net:")
        maker.wait(PATIENCE)
        try:
            wait_until_empty(network)
        finally:
            os.killpg(maker.pid, signal.SIGKILL)  # its child


# --- where there can be none ---


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A switch that forbids namespaces, and a holder that is refused one."""
    switch = tmp_path / "max_user_namespaces"
    monkeypatch.setattr(namespace, "SWITCHES", ((str(switch), "0", "sudo allow"),))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import spawn_child as child;"
        "child.call = lambda step, *rest: (_ for _ in ()).throw(child.Refused(step + ': no'));"
        "child.main(sys.argv[2:])"
    )
    folder = str(Path(spawn_child.__file__).parent)
    monkeypatch.setattr(namespace, "CHILD", [sys.executable, "-I", "-S", "-c", code, folder])
    return switch


def test_why_there_can_be_none(refused: Path) -> None:
    reason = Namespace.available()
    assert reason is not None
    assert reason.startswith("making a user and network namespace: no; the rules of a container")
    refused.write_text("0\n")
    with pytest.raises(NamespaceUnavailable, match="to allow it: sudo allow"):
        Namespace().__enter__()
