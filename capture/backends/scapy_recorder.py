"""Record by scapy's sockets: BPF on macOS and the BSDs, Npcap on Windows, a packet socket on Linux.

Strategy: scapy opens the interface and hands over each packet's bytes and the kernel's time; it
dissects nothing. A thread reads (see ``reader_recorder``). Elsewhere than on Linux the filter is
libpcap's, through scapy; here it is ours, which scapy cannot word: each packet of loopback is seen
twice, going out and coming in, and must be recorded once. Interfaces are never made promiscuous.

scapy tells times as a float, which holds microseconds and no more. What was dropped is asked of
the socket itself, in the way of each kind; of one that cannot tell, the file says nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from typing import Any, Unpack

from ..drain import DrainBarrier, MarkerBarrier
from ..errors import GIVE_TO_A_COPY, CaptureNotPermitted, InterfaceUnusable
from ..filters import capture_filter
from ..frames import BUFFER_SIZE, LINKTYPE_ETHERNET, LINKTYPE_LOOP, LINKTYPE_NULL, SNAPLEN
from ..output import Source
from ..recording import RecordingOptions
from .base import LOOPBACK
from .reader_recorder import POLL, ReaderRecording

NOT_INSTALLED = "scapy is not installed: pip install 'wireproof[scapy]'"
REMEDY = {
    "linux": GIVE_TO_A_COPY,
    "darwin": "run with sudo, or install Wireshark's ChmodBPF, which opens /dev/bpf*",
    "win32": "install Npcap (https://npcap.com), and run as administrator if it asks you to",
}
LINK_TYPES = {
    "Ether": LINKTYPE_ETHERNET,
    "Loopback": LINKTYPE_NULL,
    "LoopbackOpenBSD": LINKTYPE_LOOP,
}
"""By the class of scapy's that would dissect the packets of such a link."""
# linux/if_packet.h, asm-generic/socket.h
SOL_PACKET = 263
PACKET_STATISTICS = 6
SO_RCVBUFFORCE = 33
STATISTICS = struct.Struct("@II")


class ScapyRecorder(ReaderRecording):
    """Record the TCP packets of ``port`` by scapy; see :class:`ReaderRecording`.

    Entering raises CaptureNotPermitted if scapy is missing or may not record, and
    InterfaceUnusable for an interface that is not there or of a kind that is not recorded.
    """

    name = "scapy"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        port: int | Sequence[int] | None,
        interface: str = LOOPBACK,
        buffer_size: int = BUFFER_SIZE,
        **options: Unpack[RecordingOptions],
    ) -> None:
        super().__init__(path, port=port, **options)
        self.interface = interface
        self.buffer_size = buffer_size
        self._dropped = 0
        self._stop = threading.Event()
        self.quiet = 0
        """How many times nothing was left to be read."""
        self.last_time = 0
        """Of the packet that was read last, in nanoseconds."""

    @property
    def tells_drops(self) -> bool:
        """Whether the socket says how many packets it has dropped; once it is open."""
        return self._count_dropped is not None

    def _open_reader(self, stack: ExitStack) -> Source:
        scapy_name, is_loopback = _find(self.interface)
        self._barrier: DrainBarrier = MarkerBarrier() if is_loopback else QuietBarrier(self)
        stack.callback(self._barrier.close)
        self._socket = _open(scapy_name, self._filter())
        stack.callback(self._socket.close)
        if sys.platform == "linux":
            self._filter_on_linux()
        self._count_dropped = drop_counter(self._socket)
        return Source(
            self.interface,
            capture_filter(self.ports),
            link_type=_link_type(self._socket, self.interface),
            tells_drops=self.tells_drops,
        )

    def _filter(self) -> str | None:
        """Return the filter in libpcap's words; None on Linux, where it is put on afterwards."""
        return None if sys.platform == "linux" else capture_filter(self.ports, self._barrier.port)

    def _filter_on_linux(self) -> None:
        """Let in what shall be recorded from now on, and throw away what came before."""
        from ..linux import bpf

        ours: socket.socket = self._socket.ins
        bpf.attach(ours, bpf.REJECT_ALL)
        with suppress(BlockingIOError):
            while ours.recv(1, socket.MSG_DONTWAIT):
                continue
        ours.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size)  # it begins anew
        try:
            ours.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, self.buffer_size)
        except PermissionError:  # it is an administrator's; the system's limit holds then
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer_size)
        program = bpf.tcp_filter(self.ports, SNAPLEN, marker_port=self._barrier.port)
        bpf.attach(ours, program)

    def _read_packets(self) -> None:
        select, receive = self._socket.select, self._socket.recv_raw
        while not self._stop.is_set():
            if not select([self._socket], POLL):
                self._is_quiet()
                continue
            _, data, seconds = receive(SNAPLEN)
            if data is None:
                continue
            self.last_time = round(float(seconds) * 1_000_000) * 1_000
            self._put((self.last_time, data, len(data)))

    def _is_quiet(self) -> None:
        self.quiet += 1
        if isinstance(self._barrier, QuietBarrier) and self._barrier.is_awaited:
            self._ready.notify()

    def _end(self) -> None:
        self._stop.set()
        self._reader.join()

    def _take_dropped(self) -> int:
        if self._count_dropped is None:
            return 0
        before, self._dropped = self._dropped, self._count_dropped()
        return self._dropped - before

    def _complaint(self) -> str:
        return self._fault_of_reader or "no packet of ours has come back"


class QuietBarrier:
    """The barrier where no marker may be sent: wait until nothing is left, or until what comes
    is younger."""

    port = None

    def __init__(self, recorder: ScapyRecorder) -> None:
        self._recorder = recorder
        self._since = 0
        self._quiet = 0
        self.is_awaited = False

    def begin(self) -> None:
        """Note the present moment."""
        self._since = time.time_ns()
        self._quiet = self._recorder.quiet + 2  # the next may have begun before this
        self.is_awaited = True

    def receive_marker(self, frame: bytes) -> None:
        """Raise AssertionError: the filter lets in nothing but TCP."""
        raise AssertionError(f"a packet that is not TCP passed the filter: {frame[:64].hex()}")

    def arrived(self) -> bool:
        """Return whether all that came before has been read."""
        recorder = self._recorder
        if recorder.quiet >= self._quiet or recorder.last_time > self._since:
            self.is_awaited = False
        return not self.is_awaited

    def close(self) -> None:
        """Nothing is held."""


def drop_counter(sock: Any) -> Callable[[], int] | None:
    """Return what counts the packets that a socket of scapy's has dropped, None if nothing can."""
    if sys.platform == "linux" and hasattr(sock, "ins"):
        return _LinuxDrops(sock.ins)
    if hasattr(sock, "get_stats"):  # BPF
        return lambda: int(sock.get_stats()[1] or 0)
    if hasattr(sock, "pcap_fd"):
        return lambda: _pcap_drops(sock.pcap_fd.pcap)
    return None


class _LinuxDrops:
    """The kernel forgets its count whenever it tells it (packet(7))."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._total = 0

    def __call__(self) -> int:
        answer = self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size)
        self._total += STATISTICS.unpack(answer)[1]
        return self._total


def _pcap_drops(pcap: Any) -> int:
    from ctypes import byref

    from scapy.libs.winpcapy import pcap_stat, pcap_stats

    counts = pcap_stat()
    return int(counts.ps_drop) if pcap_stats(pcap, byref(counts)) == 0 else 0


def _scapy() -> Any:
    """Return scapy's settings, with its sockets and kinds of link known to them."""
    if find_spec("scapy") is None:
        raise CaptureNotPermitted(NOT_INSTALLED)
    for name in ("scapy.loading", "scapy.runtime"):  # what it warns of is nothing that is used
        logging.getLogger(name).setLevel(logging.ERROR)
    import scapy.arch
    import scapy.layers.l2  # noqa: F401  # it registers kinds of link
    from scapy.config import conf

    return conf


def _find(interface: str) -> tuple[str, bool]:
    """Return scapy's name of an interface, and whether it is loopback."""
    loopback = _scapy().loopback_name
    if interface in (LOOPBACK, loopback):
        return loopback, True
    names = [name for _, name in socket.if_nameindex()]
    if sys.platform != "win32" and interface not in names:
        raise InterfaceUnusable(f"no interface {interface!r}; available: {', '.join(names)}")
    return interface, False


def _open(interface: str, expression: str | None) -> Any:
    conf = _scapy()
    from scapy.error import Scapy_Exception

    if sys.platform == "linux":  # whatever the user's settings prefer: the filter is put on it
        from scapy.arch.linux import L2ListenSocket
    else:
        L2ListenSocket = conf.L2listen
    try:
        return L2ListenSocket(iface=interface, promisc=False, filter=expression)
    except PermissionError as error:
        remedy = REMEDY.get(sys.platform, "run as root").format(python=sys.executable)
        raise CaptureNotPermitted(f"scapy is not allowed to record: {remedy}") from error
    except (OSError, Scapy_Exception, RuntimeError, ImportError) as error:
        remedy = REMEDY.get(sys.platform, "run as root").format(python=sys.executable)
        said = " ".join(str(error).split()) or type(error).__name__
        raise CaptureNotPermitted(f"scapy cannot record: {said}; {remedy}") from error


def _link_type(sock: Any, interface: str) -> int:
    """Return the link type of a socket's packets; scapy names the class that would dissect them."""
    layer = getattr(sock, "LL", None) or getattr(sock, "guessed_cls", None)
    name = str(getattr(layer, "__name__", "unknown"))
    if name not in LINK_TYPES:
        sock.close()
        raise InterfaceUnusable(f"{interface} has link type {name}, which cannot be recorded")
    return LINK_TYPES[name]


def try_scapy() -> None:
    """Record nothing for a moment; raises CaptureNotPermitted if that does not work."""
    with ScapyRecorder(os.devnull, port=1):
        return
