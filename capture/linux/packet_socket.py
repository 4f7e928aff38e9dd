"""A packet socket, through which the kernel shows what goes over an interface (packet(7)).

Strategy: the socket is made without a protocol, which receives nothing, and bound to one
interface and all protocols when it is known to be of a kind that can be recorded. Whoever makes
the socket decides in which network namespace that is.
"""

from __future__ import annotations

import errno
import os
import socket
import sys

from ..drain import MakeSocket
from ..errors import GIVE_TO_A_COPY, CaptureNotPermitted, InterfaceUnusable

ETH_P_ALL = 3
IFNAMSIZ = 16
ANY = "any"
"""The name that stands for all interfaces, as in libpcap."""
ARPHRD_ETHER = 1
ARPHRD_LOOPBACK = 772
NOT_PERMITTED = f"recording packets needs permission to open a packet socket: {GIVE_TO_A_COPY}"


def can_capture() -> bool:
    """Return whether this process may open a packet socket."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    except OSError:
        return False
    return True


def open_packet_socket(
    interface: str, make_socket: MakeSocket = socket.socket
) -> tuple[socket.socket, bool]:
    """Return a packet socket that listens on ``interface``, and whether loopback is among it.

    Raises CaptureNotPermitted and InterfaceUnusable.
    """
    if interface == ANY:
        return _of_all_interfaces(make_socket), True
    if len(interface.encode()) >= IFNAMSIZ:  # Python would cut it, and find another
        raise _no_such(interface)
    try:
        sock = make_socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise CaptureNotPermitted(NOT_PERMITTED.format(python=sys.executable)) from error
    try:
        return sock, _bind(sock, interface)
    except BaseException:
        sock.close()
        raise


def _of_all_interfaces(make_socket: MakeSocket) -> socket.socket:
    """Return a socket that is given the packets of every interface, from IP on (packet(7)).

    It listens from the first moment, being bound to none.
    """
    try:
        return make_socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    except PermissionError as error:
        raise CaptureNotPermitted(NOT_PERMITTED.format(python=sys.executable)) from error


def _bind(sock: socket.socket, interface: str) -> bool:
    try:
        sock.bind((interface, ETH_P_ALL))
    except OSError as error:
        if error.errno == errno.ENODEV:
            raise _no_such(interface) from error
        raise InterfaceUnusable(f"no packet socket on {interface}: {error.strerror}") from error
    if fault := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # bind tells here of "down"
        raise InterfaceUnusable(f"no packet socket on {interface}: {os.strerror(fault)}")
    hardware = sock.getsockname()[3]
    if hardware not in (ARPHRD_ETHER, ARPHRD_LOOPBACK):
        raise InterfaceUnusable(
            f"{interface} has hardware type {hardware}: only Ethernet ({ARPHRD_ETHER}) and"
            f" loopback ({ARPHRD_LOOPBACK}) can be recorded"
        )
    return bool(hardware == ARPHRD_LOOPBACK)


def _no_such(interface: str) -> InterfaceUnusable:
    names = ", ".join(name for _, name in socket.if_nameindex())
    return InterfaceUnusable(f"no interface {interface!r}; available: {names}")
