"""Record real packets: from a network interface, through the kernel, to a pcapng file.

Strategy: a packet socket; a program of ours filters and a ring in shared memory receives (see
``bpf`` and ``ring``), and the recording's thread moves packets from the ring to the file.

Nothing is missed at the beginning: the socket first rejects everything, what had come before
is thrown away, and then the filter takes effect in one step, before ``with`` enters its block.
Nothing is missed at the end: see ``drain``. Nothing is lost in between unsaid: the kernel counts
what it drops, and a drop raises. Packets stand in the order in which the kernel delivered them;
when two processors send at once, that need not be the order of their times.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Unpack

from parsers import RELAY_HARDWARE

from ..drain import DrainBarrier, MakeSocket, MarkerBarrier, without_markers
from ..errors import CaptureError
from ..filters import capture_filter
from ..frames import BUFFER_SIZE, LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL2, SNAPLEN, RawPacket
from ..output import Keeper, Source
from ..polling import FAILED, READABLE
from ..recording import Recording, RecordingOptions
from . import bpf
from .packet_socket import ANY, open_packet_socket
from .rights import CAP_DAC_OVERRIDE, drop_capabilities
from .ring import Ring

LOOPBACK = "lo"
RELAYED = "passed on by a relay: packet borders are its reads"


class Recorder(Recording):
    """Record the TCP packets of an interface; see :class:`Recording`.

    Packets of a loopback interface are recorded once each. ``buffer_size`` is the room for
    packets that wait to be written, in bytes. ``make_socket`` makes the sockets: what is
    recorded is the interface of the network namespace in which it makes them. ``relayed`` says
    that what is recorded comes from a relay, which the file then says too.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        port: int | Sequence[int] | None,
        interface: str = "lo",
        buffer_size: int = BUFFER_SIZE,
        make_socket: MakeSocket = socket.socket,
        relayed: bool = False,
        keeper: Keeper | None = None,
        **options: Unpack[RecordingOptions],
    ) -> None:
        super().__init__(path, port=port, keeper=keeper, **options)
        self._relayed = relayed
        self.interface = interface
        self.buffer_size = buffer_size
        self._make_socket = make_socket

    def _open(self, stack: ExitStack) -> Source:
        sock, loopback = open_packet_socket(self.interface, self._make_socket)
        self._socket = stack.enter_context(sock)
        bpf.attach(sock, bpf.REJECT_ALL)
        self._ring = _ring(sock, self.buffer_size)
        stack.callback(self._ring.close)
        self._barrier: DrainBarrier = (
            MarkerBarrier(self._make_socket) if loopback else OpenBlockBarrier(self._ring)
        )
        stack.callback(self._barrier.close)
        self._poller.watch(sock.fileno(), READABLE)
        about = (RELAYED, RELAY_HARDWARE) if self._relayed else ("", "")
        kind = LINKTYPE_LINUX_SLL2 if self.interface == ANY else LINKTYPE_ETHERNET
        return Source(self.interface, capture_filter(self.ports), *about, link_type=kind)

    def _begin(self) -> None:
        program = bpf.tcp_filter(self.ports, SNAPLEN, marker_port=self._barrier.port)
        if self.interface == ANY:
            program = bpf.cooked(program, socket.if_nametoindex(LOOPBACK))
        self._ring.take_statistics()  # what was rejected so far does not count
        bpf.attach(self._socket, program)

    def _settle(self) -> None:
        # The next file of a ring may lie where only root may write.
        drop_capabilities({CAP_DAC_OVERRIDE} if self._limits.is_ring else ())

    def _take(self, descriptor: int, happened: int) -> None:
        """Write what the kernel has handed over, at most once around the ring."""
        if happened & FAILED:
            error = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            raise OSError(error, f"{self.interface}: {os.strerror(error)}")
        for _ in range(self._ring.blocks):
            packets = self._ring.read_block()
            if packets is None:
                break
            self._write(packets)

    def _write(self, packets: list[RawPacket]) -> None:
        super()._write(without_markers(packets, self._barrier, self._link_type))

    def _take_dropped(self) -> int:
        _, dropped = self._ring.take_statistics()
        return dropped


class OpenBlockBarrier:
    """The barrier on an interface other than loopback: wait for the ring's open block."""

    port = None

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._block = 0

    def begin(self) -> None:
        """Note the block that is open, if it holds anything."""
        self._block = self._ring.blocks_begun()

    def receive_marker(self, frame: bytes) -> None:
        """Raise AssertionError: the filter lets in nothing but TCP."""
        raise AssertionError(f"a packet that is not TCP passed the filter: {frame[:64].hex()}")

    def arrived(self) -> bool:
        """Return whether that block has been read."""
        return self._ring.blocks_read >= self._block

    def close(self) -> None:
        """Nothing is held."""


def _ring(sock: socket.socket, size: int) -> Ring:
    try:
        return Ring(sock, size)
    except OSError as error:
        raise CaptureError(f"no buffer of {size:,} bytes for packets: {error}") from error
