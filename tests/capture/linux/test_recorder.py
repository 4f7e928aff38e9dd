"""Real recordings of real exchanges on loopback: nothing missing, nothing twice, nothing else."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from support.exchanges import (
    Counters,
    check_whole,
    connected,
    exchange,
    frames,
    listening,
    port_of,
    segments,
    transfer,
)

from capture import (
    CaptureError,
    CaptureNotPermitted,
    InterfaceUnusable,
    PacketsDropped,
    Recorder,
    Statistics,
    can_capture,
    recording,
)
from capture.drain import MarkerBarrier
from capture.frames import RawPacket
from parsers.files.reader import CaptureReader

MiB = 1024 * 1024
RACE_NS = 1_000_000
"""A packet is stamped before it is queued: two processors can do so in one order and the other."""
packets = pytest.mark.packets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording.pcapng"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listening() as one:
        yield one


# --- nothing missing, nothing twice ---


@packets
def test_a_hundred_in_a_row(path: Path, listener: socket.socket) -> None:
    port = port_of(listener)
    for number in range(100):
        sent, answered = b"request %d" % number, bytes(number * 100)
        before = time.time_ns()
        with Recorder(path, port=port) as recording:
            told = exchange(listener, sent, answered)
            after = time.time_ns()
        found = segments(path)
        check_whole(found, port, sent, answered, told)
        assert recording.statistics == Statistics(len(found), 0)
        times = [one.time_ns for one in found]
        assert before <= min(times) <= max(times) <= after
        assert all(later > earlier - RACE_NS for earlier, later in pairwise(times))
        assert any(one % 1000 for one in times), "microseconds only"


@packets
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_megabytes(path: Path, host: str) -> None:
    data = os.urandom(4 * MiB)
    with listening(host) as listener, Recorder(path, port=port_of(listener)):
        told = exchange(listener, data, b"ok")
    found = segments(path)
    check_whole(found, found[0].destination, data, b"ok", told)
    assert max(len(data) for _, data, _ in frames(path)) > 65_535, "loopback has longer frames"


@packets
def test_packets_of_every_processor(path: Path) -> None:
    """The last packets are there even if they were sent on another processor than ours."""
    processors = sorted(os.sched_getaffinity(0))
    try:
        for number in range(8):
            os.sched_setaffinity(0, {processors[number % len(processors)]})
            with listening() as listener, Recorder(path, port=port_of(listener)):
                told = exchange(listener, b"a", b"b")
            found = segments(path)
            check_whole(found, found[0].destination, b"a", b"b", told)
    finally:
        os.sched_setaffinity(0, processors)


@packets
def test_only_the_ports_asked_for(path: Path) -> None:
    with listening() as one, listening() as another, listening() as foreign:
        ports = {port_of(one), port_of(another)}
        with Recorder(path, port=sorted(ports)):
            for listener in (foreign, one, foreign, another):
                exchange(listener, b"to", b"fro")
    assert {min({one.source, one.destination} & ports) for one in segments(path)} == ports


@packets
def test_all_tcp(path: Path, listener: socket.socket) -> None:
    with Recorder(path, port=None):
        exchange(listener, b"to", b"fro")
    assert port_of(listener) in {one.destination for one in segments(path)}


@packets
def test_nothing_happens(path: Path, listener: socket.socket) -> None:
    with Recorder(path, port=port_of(listener)) as recording:
        pass
    assert frames(path) == []
    assert recording.statistics == Statistics(0, 0)


@packets
def test_markers_of_strangers_are_neither_ours_nor_written(
    path: Path, listener: socket.socket
) -> None:
    with Recorder(path, port=port_of(listener)) as recording:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for _ in range(10):
                stranger.sendto(b"0 0", ("127.0.0.1", recording._barrier.port))
        recording.drain()
    assert frames(path) == []


# --- waiting ---


@packets
def test_wait_closed(path: Path, listener: socket.socket) -> None:
    with Recorder(path, port=port_of(listener)) as recording:
        assert recording.wait_closed(0)
        with connected(listener) as (client, server):
            transfer(client, server, b"a")
            assert not recording.wait_closed(0.05)
        assert recording.wait_closed(10)
        assert len(frames(path)) == recording.statistics.captured, "all is in the file"


@packets
def test_wait_closed_wakes_when_another_thread_closes(path: Path, listener: socket.socket) -> None:
    with (
        Recorder(path, port=port_of(listener)) as recording,
        connected(listener) as (client, server),
    ):
        closer = threading.Timer(0.05, lambda: (client.close(), server.close()))
        closer.start()
        assert recording.wait_closed(10)
        closer.join()


@packets
def test_drain(path: Path, listener: socket.socket) -> None:
    with (
        Recorder(path, port=port_of(listener)) as recording,
        connected(listener) as (client, server),
    ):
        for number in range(1, 6):
            transfer(client, server, b"%d" % number)
            recording.drain()
            sent = b"".join(one.payload for one in segments(path))
            assert sent == b"12345"[:number]


@packets
def test_a_barrier_that_does_not_come(
    path: Path, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "DRAIN_TIMEOUT", 0.05)
    monkeypatch.setattr(Recorder, "_drain_poll", 0.01)
    monkeypatch.setattr(MarkerBarrier, "arrived", lambda self: False)
    with (
        pytest.raises(CaptureError, match=r"the last packets did not arrive within 0.05 s"),
        Recorder(path, port=port_of(listener)),
    ):
        exchange(listener, b"a", b"b")
    assert len(frames(path)) > 5, "what came is kept"


# --- what is said about it ---


@packets
@pytest.mark.tshark
def test_the_file_tells_about_itself(path: Path, listener: socket.socket) -> None:
    port = port_of(listener)
    with Recorder(path, port=port, version="1.2", comment="what it is") as recording:
        exchange(listener, b"to", b"fro")
    told = subprocess.run(["capinfos", "-M", path], capture_output=True, text=True, check=True)
    for line in (
        "Capture application: wireproof 1.2",
        "Capture comment:     what it is",
        "Name = lo",
        "Encapsulation = Ethernet",
        "Capture length = 262144",
        "Time precision = nanoseconds (9)",
        f"Filter string = tcp port {port}",
        f"Number of packets = {recording.statistics.captured}",
        "Number of stat entries = 1",
    ):
        assert line in told.stdout
    shown = subprocess.run(
        ["tshark", "-r", path, "-T", "fields", "-e", "tcp.stream", "-e", "tcp.analysis.flags"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split() == ["0"] * recording.statistics.captured, "no anomalies"


@packets
def test_a_file_of_what_a_relay_passed_on_says_so(path: Path, listener: socket.socket) -> None:
    with Recorder(path, port=port_of(listener), relayed=True):
        exchange(listener, b"a", b"b")
    with path.open("rb") as stream:
        reader = CaptureReader(stream)
        assert all(reader.is_relay(packet[0]) for packet in reader)


@packets
def test_the_file_is_its_owners(path: Path) -> None:
    with Recorder(path, port=1):
        pass
    assert path.stat().st_mode & 0o777 == 0o600


class Slow(Recorder):
    """A recorder that writes nothing until it is let."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.go_on = threading.Event()

    def _write(self, packets: list[RawPacket]) -> None:
        self.go_on.wait(30)
        super()._write(packets)


@packets
def test_packets_dropped_by_the_kernel(path: Path, listener: socket.socket) -> None:
    with (
        pytest.raises(PacketsDropped, match="the kernel dropped") as raised,
        Slow(path, port=port_of(listener), buffer_size=0) as recording,
    ):
        exchange(listener, bytes(8 * MiB), b"ok")
        recording.go_on.set()
    captured, dropped = raised.value.statistics
    assert dropped > 0
    assert captured == len(frames(path)) == recording.statistics.captured
    assert f"dropped {dropped:,} packets and {captured:,} were recorded" in str(raised.value)
    assert dropped.to_bytes(8, "little") in path.read_bytes()[-120:], "the file says so too"


@packets
def test_a_large_buffer_drops_nothing(path: Path, listener: socket.socket) -> None:
    with Slow(path, port=port_of(listener), buffer_size=32 * MiB) as recording:
        told = exchange(listener, bytes(8 * MiB), b"ok")
        recording.go_on.set()
    check_whole(segments(path), port_of(listener), bytes(8 * MiB), b"ok", told)


@packets
def test_drops_are_a_note_on_an_error_in_the_block(path: Path, listener: socket.socket) -> None:
    with (
        pytest.raises(KeyError) as raised,
        Slow(path, port=port_of(listener), buffer_size=0) as recording,
    ):
        exchange(listener, bytes(8 * MiB), b"ok")
        recording.go_on.set()
        raise KeyError("mine")
    assert any("the kernel dropped" in note for note in raised.value.__notes__)


# --- what goes wrong ---


class Full(Recorder):
    """A recorder whose disk is full."""

    def _write(self, packets: list[RawPacket]) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@packets
def test_a_full_disk(path: Path, listener: socket.socket) -> None:
    with (
        pytest.raises(CaptureError, match=r"broke off after 0 packets: .*No space left") as raised,
        Full(path, port=port_of(listener)) as recording,
    ):
        exchange(listener, b"a", b"b")
        with pytest.raises(CaptureError, match="broke off"):
            recording.wait_closed(10)
        with pytest.raises(CaptureError, match="broke off"):
            recording.drain()
    assert isinstance(raised.value.__cause__, OSError)


@packets
def test_an_error_in_the_block_goes_first(path: Path, listener: socket.socket) -> None:
    with pytest.raises(KeyError) as raised, Full(path, port=port_of(listener)):
        exchange(listener, b"a", b"b")
        raise KeyError("mine")
    assert ["broke off" in note for note in raised.value.__notes__] == [True]


@packets
def test_an_error_in_the_block_and_a_whole_recording(path: Path, listener: socket.socket) -> None:
    with pytest.raises(KeyError) as raised, Recorder(path, port=port_of(listener)):
        told = exchange(listener, b"a", b"b")
        raise KeyError("mine")
    assert not hasattr(raised.value, "__notes__")
    check_whole(segments(path), port_of(listener), b"a", b"b", told)


@packets
def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), Recorder(tmp_path / "no" / "such", port=1):
        pytest.fail("there is no file to write")


@packets
def test_no_such_interface(path: Path) -> None:
    with pytest.raises(InterfaceUnusable, match=r"no interface 'lo9'; available: .*lo"):
        Recorder(path, port=1, interface="lo9").__enter__()
    assert not path.exists()


@packets
def test_no_memory(path: Path) -> None:
    with pytest.raises(CaptureError, match=r"no buffer of 4,398,046,511,104 bytes"):
        Recorder(path, port=1, buffer_size=1 << 42).__enter__()
    assert not path.exists()


@pytest.mark.parametrize("port", [0, 65_536, []])
def test_no_such_port(path: Path, port: int | list[int]) -> None:
    with pytest.raises(ValueError, match="port"):
        Recorder(path, port=port)


# --- the right to record ---


def test_may_not_open_a_packet_socket(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing(socket.socket):
        def __init__(self, family: int = -1, *rest: int, **named: int) -> None:
            if family == socket.AF_PACKET:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            super().__init__(family, *rest, **named)

    monkeypatch.setattr(socket, "socket", Refusing)
    assert not can_capture()
    with pytest.raises(CaptureNotPermitted) as raised:
        Recorder(path, port=1, make_socket=Refusing).__enter__()
    assert "run as root" in str(raised.value)
    assert f"sudo setcap cap_net_raw+eip {sys.executable}-capture" in str(raised.value)
    assert "every program and every user" in str(raised.value)
    assert not path.exists()


AS_NOBODY = """
import os, sys
from capture import CaptureNotPermitted, Recorder, can_capture
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
assert not can_capture()
try:
    with Recorder(sys.argv[1], port=1):
        sys.exit("recorded")
except CaptureNotPermitted as refusal:
    print(refusal)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become nobody")
def test_really_may_not(path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, path], capture_output=True, text=True, check=True
    )
    assert "run as root" in told.stdout
    assert not path.exists()


@packets
def test_may(path: Path) -> None:
    assert can_capture()


# --- interruptions ---

UNTIL_INTERRUPTED = """
import signal, sys
from capture import Recorder
signal.signal(signal.SIGINT, signal.default_int_handler)
with Recorder(sys.argv[1], port=int(sys.argv[2])) as recording:
    print("ready", flush=True)
    for line in sys.stdin:
        recording.drain()
        print("there", flush=True)
    signal.pause()
"""


def interrupted(path: Path, listener: socket.socket, number: signal.Signals) -> Counters:
    """Record an exchange in a process of its own, and interrupt that."""
    with subprocess.Popen(
        [sys.executable, "-c", UNTIL_INTERRUPTED, path, str(port_of(listener))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        told = exchange(listener, b"a", b"b")
        if number == signal.SIGKILL:
            process.stdin.write("\n")
            process.stdin.flush()
            assert process.stdout.readline() == "there\n"
        process.send_signal(number)
        assert process.wait(30) == -number
        return told


@packets
def test_ctrl_c_keeps_what_was_recorded(path: Path, listener: socket.socket) -> None:
    told = interrupted(path, listener, signal.SIGINT)
    check_whole(segments(path), port_of(listener), b"a", b"b", told)
    data = path.read_bytes()
    last = len(data) - int.from_bytes(data[-4:], "little")
    assert data[last : last + 4] == b"\x05\0\0\0", "statistics come last"


@packets
def test_killed_it_is_still_readable(path: Path, listener: socket.socket) -> None:
    told = interrupted(path, listener, signal.SIGKILL)
    check_whole(segments(path), port_of(listener), b"a", b"b", told)
