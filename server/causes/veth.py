"""A pair of interfaces, what goes into one comes out of the other (veth(4)), as sockets see it.

Strategy: the kernel is asked over netlink (rtnetlink(7)) for a pair, and by ioctl (netdevice(7))
for addresses; nothing else needs to be installed. Segmentation and checksums are left to nobody:
what a packet socket reads then is what a wire would carry.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
from array import array

NEAR, FAR = "wireproof0", "wireproof1"
"""Where programs are, and where whoever carries their packets is."""

# linux/rtnetlink.h, linux/netlink.h, linux/if_link.h, linux/veth.h
RTM_NEWLINK = 16
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
IFLA_IFNAME, IFLA_LINKINFO = 3, 18
IFLA_INFO_KIND, IFLA_INFO_DATA = 1, 2
VETH_INFO_PEER = 1
HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BxHiII")
ATTRIBUTE = struct.Struct("=HH")
ERROR = struct.Struct("=i")

# linux/sockios.h, linux/if.h, linux/ethtool.h
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCETHTOOL = 0x8914, 0x8916, 0x891C, 0x8946
IFF_UP, IFF_NOARP = 0x1, 0x80
FLAGS = struct.Struct("16sH14x")
ADDRESS = struct.Struct("16sHH4s8x")
POINTER = struct.Struct("16sP8x")
ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO = 0x17, 0x1F, 0x24


def make_pair(address: str, netmask: str) -> None:
    """Make a pair in the network of this process; NEAR has the address. Raises OSError.

    No address is asked for on it (ARP): whoever is at FAR gets every packet.
    """
    _ask_for_pair()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name in (NEAR, FAR):
            for offload in (ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_STXCSUM):
                _turn_off(control, name, offload)
            fcntl.ioctl(control, SIOCSIFFLAGS, FLAGS.pack(name.encode(), IFF_UP | IFF_NOARP))
        for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, netmask)):
            packed = ADDRESS.pack(NEAR.encode(), socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(control, request, packed)


def _turn_off(control: socket.socket, name: str, offload: int) -> None:
    value = array("I", [offload, 0])
    fcntl.ioctl(control, SIOCETHTOOL, POINTER.pack(name.encode(), value.buffer_info()[0]))


def _ask_for_pair() -> None:
    peer = _attribute(VETH_INFO_PEER, LINK.pack(0, 0, 0, 0, 0) + _name(FAR))
    kind = _attribute(IFLA_INFO_KIND, b"veth\0")
    about = _attribute(IFLA_LINKINFO, kind + _attribute(IFLA_INFO_DATA, peer))
    body = LINK.pack(0, 0, 0, 0, 0) + _name(NEAR) + about
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_EXCL | NLM_F_CREATE
    message = HEADER.pack(HEADER.size + len(body), RTM_NEWLINK, flags, 1, 0) + body
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(message)
        (error,) = ERROR.unpack_from(netlink.recv(4_096), HEADER.size)
    if error:
        raise OSError(-error, f"making a pair of interfaces (veth): {os.strerror(-error)}")


def _name(name: str) -> bytes:
    return _attribute(IFLA_IFNAME, name.encode() + b"\0")


def _attribute(kind: int, value: bytes) -> bytes:
    """Return an attribute of netlink, padded to four bytes."""
    size = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(size, kind) + value + bytes(-size % 4)
