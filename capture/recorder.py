"""Record real packets: from a network interface, through the kernel, to a pcapng file.

Strategy: scapy opens the packet socket; a program of ours filters and a ring in shared memory
receives (see ``bpf`` and ``ring``), and one thread moves packets from the ring to the file. It
neither dissects nor decides anything, but for looking at TCP's flags.

Nothing is missed at the beginning: the socket first rejects everything, what had come before
is thrown away, and then the filter takes effect in one step, before ``with`` enters its block.
Nothing is missed at the end: see ``tail``. Nothing is lost in between unsaid: the kernel counts
what it drops, and a drop raises. Packets stand in the order in which the kernel delivered them;
when two processors send at once, that need not be the order of their times.

The thread owns ring, file and tail. Others ask it for two things only, by numbers under one
condition: to reach the tail, and to stop.
"""

from __future__ import annotations

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from . import bpf
from .connections import OpenConnections
from .errors import (
    CaptureError,
    CaptureNotPermitted,
    InterfaceUnusable,
    PacketsDropped,
    Statistics,
)
from .pcapng_writer import PcapngWriter
from .ring import Ring, RingPacket
from .tail import Markers, OpenBlock, Tail

MiB = 1024 * 1024
BUFFER_SIZE = 32 * MiB
"""A second of 2 Gbit/s, if Python gets no turn for so long; tcpdump and dumpcap have 2 MiB."""
SNAPLEN = 262_144
"""Bytes kept of one packet: libpcap's MAXIMUM_SNAPLEN, and what tcpdump and dumpcap keep."""
TAIL_POLL_MS = 250
"""How often to look whether markers are overdue, while some are under way."""
TAIL_TIMEOUT = 10.0
"""Seconds after which a tail that does not arrive is an error: it takes milliseconds."""
LINKTYPE_ETHERNET = 1
ARPHRD_ETHER = 1
ARPHRD_LOOPBACK = 772
ETHERTYPE = slice(bpf.ETHERTYPE, bpf.ETHERTYPE + 2)
IPV4 = bpf.ETHERTYPE_IPV4.to_bytes(2, "big")
NOT_PERMITTED = (
    "recording packets needs the right to open a packet socket: run as root, or give it once to"
    " this Python with: sudo setcap cap_net_raw+eip $(readlink -f {python})"
)


def can_capture() -> bool:
    """Return whether this process may open a packet socket."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


class Recorder:
    """Record the TCP packets of ``port`` into a new pcapng file at ``path``.

    ``port`` is one, several, or None for all TCP. The recording is on from the first line of
    its ``with`` block to the last. Packets of a loopback interface are recorded once each.

    ``buffer_size`` is the room for packets that wait to be written, in bytes. ``version`` is
    put after wireproof's name, and ``comment`` beside it, in the file's header. The file can be
    read by its owner alone, as dumpcap's, for a recording holds whatever was sent.

    Entering raises CaptureNotPermitted, InterfaceUnusable, OSError as ``open`` does for the
    file, or ValueError for a port that there cannot be. Leaving raises PacketsDropped when the
    file is complete and the kernel had dropped packets, and CaptureError if the recording broke
    off. If the block itself raised, its exception goes on with a note.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        port: int | Sequence[int] | None,
        interface: str = "lo",
        comment: str = "",
        version: str = "",
        buffer_size: int = BUFFER_SIZE,
    ) -> None:
        self.path = Path(path)
        self.interface = interface
        self.ports = _ports(port)
        self.buffer_size = buffer_size
        self._comment = comment
        self._version = version
        self._connections = OpenConnections()
        self._captured = 0
        self._dropped = 0
        self._start_ns = 0
        self._changed = threading.Condition()
        self._asked = 0  # times that someone wants the tail
        self._begun = 0  # up to which of these the tail is being waited for
        self._reached = 0  # and up to which it has been reached
        self._tail_due = 0.0
        self._stopping = False
        self._ended = False
        self._fault: Exception | None = None

    @property
    def statistics(self) -> Statistics:
        """How many packets have been recorded and dropped; final when the block is left."""
        return Statistics(self._captured, self._dropped)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            # The thread closes what it uses, even if whoever waits for it is interrupted.
            resources = stack.pop_all()
        self._thread = threading.Thread(
            target=self._run, args=(resources,), name=f"record {self.path.name}"
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ask(stop=True)
        self._thread.join()
        broken = self._broken()
        if broken is None:
            return
        if error is None:
            raise broken from self._fault
        error.add_note(f"{self.path}: {broken}")

    def reach_tail(self) -> None:
        """Wait until everything sent before this call is in the file.

        Raises CaptureError if the recording broke off.
        """
        wanted = self._ask()
        with self._changed:
            self._changed.wait_for(lambda: self._reached >= wanted or self._ended)
        self._check()

    def wait_closed(self, timeout: float) -> bool:
        """Wait until every connection seen so far has closed, at most ``timeout`` seconds.

        A connection is closed when each side has acknowledged the other's FIN, or after a RST.
        Returns whether all are; also when there was none at all, so call it when the exchange is
        known to have begun. Raises CaptureError if the recording broke off.
        """
        deadline = time.monotonic() + timeout
        self.reach_tail()
        with self._changed:
            self._changed.wait_for(
                lambda: not self._connections.count or self._ended,
                max(deadline - time.monotonic(), 0),
            )
        self._check()
        return not self._connections.count

    def _ask(self, *, stop: bool = False) -> int:
        """Ask the thread for the tail, and then to stop; return the number of this wish."""
        with self._changed:
            self._asked += 1
            self._stopping = stop  # after the wish: the thread must not stop before its tail
            if not self._ended:
                os.eventfd_write(self._wake, 1)
            return self._asked

    def _check(self) -> None:
        if self._fault is not None:
            raise self._break_off(self._fault) from self._fault

    def _broken(self) -> CaptureError | None:
        """Return why the file is not whole, or None if it is."""
        if self._fault is not None:
            return self._break_off(self._fault)
        return PacketsDropped(self.statistics) if self._dropped else None

    def _break_off(self, fault: Exception) -> CaptureError:
        return CaptureError(f"the recording broke off after {self._captured:,} packets: {fault}")

    # --- opening ---

    def _open(self, stack: ExitStack) -> None:
        sock, loopback = _packet_socket(self.interface, stack)
        bpf.attach(sock, bpf.REJECT_ALL)
        self._ring = _ring(sock, self.buffer_size)
        stack.callback(self._ring.close)
        self._tail: Tail = Markers() if loopback else OpenBlock()
        stack.callback(self._tail.close)
        program = bpf.tcp_filter(self.ports, SNAPLEN, marker_port=self._tail.port)
        self._socket = sock
        self._wake = os.eventfd(0)
        stack.callback(os.close, self._wake)
        self._writer = self._create(stack)
        self._ring.take_statistics()  # what was rejected so far does not count
        self._start_ns = time.time_ns()
        bpf.attach(sock, program)

    def _create(self, stack: ExitStack) -> PcapngWriter:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._stream = stack.enter_context(os.fdopen(descriptor, "wb"))
        writer = PcapngWriter(self._stream, version=self._version, comment=self._comment)
        self._interface_number = writer.add_interface(
            self.interface,
            link_type=LINKTYPE_ETHERNET,
            snaplen=SNAPLEN,
            capture_filter=bpf.capture_filter(self.ports),
        )
        return writer

    # --- the thread ---

    def _run(self, resources: ExitStack) -> None:
        with resources:
            try:
                with self._stream:
                    self._record_to_the_end()
            except Exception as fault:
                self._fault = fault
            finally:
                with self._changed:
                    self._ended = True
                    self._changed.notify_all()

    def _record_to_the_end(self) -> None:
        try:
            self._record()
        finally:
            self._count_dropped()
            self._writer.add_statistics(
                self._interface_number,
                start_ns=self._start_ns,
                end_ns=time.time_ns(),
                captured=self._captured,
                dropped=self._dropped,
            )

    def _record(self) -> None:
        """Move packets from the ring to the file until the tail that leaving asks for."""
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        while not (self._stopping and self._reached == self._asked):
            waiting = self._reached < self._begun
            for descriptor, happened in poller.poll(TAIL_POLL_MS if waiting else None):
                self._attend(descriptor, happened)
            self._read_ring()
            self._seek_tail()

    def _attend(self, descriptor: int, happened: int) -> None:
        if descriptor == self._wake:
            os.eventfd_read(descriptor)
        elif happened & select.POLLERR:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            raise OSError(error, f"{self.interface}: {os.strerror(error)}")

    def _read_ring(self) -> None:
        """Write what the kernel has handed over, at most once around the ring."""
        for _ in range(self._ring.blocks):
            packets = self._ring.read_block()
            if packets is None:
                break
            self._write(packets)
        self._count_dropped()
        self._writer.flush()
        with self._changed:
            self._changed.notify_all()

    def _write(self, packets: list[RingPacket]) -> None:
        for time_ns, data, length in packets:
            if data[ETHERTYPE] == IPV4 and data[bpf.IPV4_PROTOCOL] == bpf.PROTOCOL_UDP:
                self._tail.receive_marker(data)
                continue
            self._connections.receive_packet(data)
            self._writer.add_packet(self._interface_number, time_ns, data, length)
            self._captured += 1

    def _seek_tail(self) -> None:
        """Begin to wait for the tail when asked, and say so when it has come."""
        if self._begun < (asked := self._asked):
            self._tail.begin(self._ring)
            self._begun = asked
            self._tail_due = time.monotonic() + TAIL_TIMEOUT
        if self._reached == self._begun:
            return
        if self._tail.arrived(self._ring):
            with self._changed:
                self._reached = self._begun
                self._changed.notify_all()
        elif time.monotonic() > self._tail_due:
            raise CaptureError(f"the last packets have not come within {TAIL_TIMEOUT} s")

    def _count_dropped(self) -> None:
        _, dropped = self._ring.take_statistics()
        self._dropped += dropped


def _ports(port: int | Sequence[int] | None) -> tuple[int, ...]:
    if port is None:
        return ()
    ports = (port,) if isinstance(port, int) else tuple(port)
    bpf.check_ports(ports)
    return ports


def _packet_socket(interface: str, stack: ExitStack) -> tuple[socket.socket, bool]:
    """Return a packet socket that listens on ``interface``, and whether that is loopback."""
    _check_interface(interface)
    # Here and not above: scapy takes 0.3 s to import, which only who records should pay.
    import scapy.layers.l2  # noqa: F401  # tells scapy what Ethernet and loopback are
    from scapy.arch.linux import L2ListenSocket

    try:
        listener = L2ListenSocket(iface=interface, promisc=False, nofilter=1)
    except PermissionError as error:
        raise CaptureNotPermitted(NOT_PERMITTED.format(python=sys.executable)) from error
    except OSError as error:
        raise InterfaceUnusable(f"no packet socket on {interface}: {error.strerror}") from error
    stack.callback(listener.close)
    sock: socket.socket = listener.ins
    hardware = sock.getsockname()[3]
    if hardware not in (ARPHRD_ETHER, ARPHRD_LOOPBACK):
        raise InterfaceUnusable(
            f"{interface} is of hardware type {hardware}: only Ethernet ({ARPHRD_ETHER}) and"
            f" loopback ({ARPHRD_LOOPBACK}) can be recorded"
        )
    return sock, hardware == ARPHRD_LOOPBACK


def _check_interface(interface: str) -> None:
    names = [name for _, name in socket.if_nameindex()]
    if interface not in names:
        raise InterfaceUnusable(f"there is no interface {interface!r}, but {', '.join(names)}")


def _ring(sock: socket.socket, size: int) -> Ring:
    try:
        return Ring(sock, size)
    except OSError as error:
        raise CaptureError(f"no buffer of {size:,} bytes for packets: {error}") from error
