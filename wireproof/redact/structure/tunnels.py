"""Headers of tunnels and links without what they may say beside addresses, numbers and lengths.

Strategy: of what lies before the last header of IP the decoder knows where each part is. Options,
extensions, tags, names and cookies are filled with zeros, as are fields that are reserved; what a
decoder finds its way by stays, so the copy holds the same packets in the same tunnels. A tunnel
that is not in the table is masked whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

from parsers import ETHERNET, IpPacket, entry_of, network_offset

from .headers import UDP, UDP_HEADER, clear_cut
from .masking import stars

LINUX_COOKED, NFLOG, PKTAP, LINUX_COOKED_2 = 113, 239, 258, 276
"""Link types whose headers have more than addresses and types."""
PKTAP_KEPT = 12
"""Its length, its kind, and the link type of the frame in it."""
NFULA_PAYLOAD = 9
"""linux/netfilter/nfnetlink_log.h: the value that is the packet."""
GRE_OPTIONAL = 0x80, 0x20, 0x10
"""Flags of four bytes each: checksum, key, sequence number (RFC 2890 section 2)."""
TZSP_END = 1

Clear = Callable[[bytearray], None]
"""Clears a tunnel's header, which begins what it is given; the header of IP follows that."""


def _keeping(pattern: str) -> Clear:
    """Return what clears all bits of a header that ``pattern``, in hexadecimal, does not have."""
    mask = bytes.fromhex(pattern)

    def clear(header: bytearray) -> None:
        kept = min(len(mask), len(header))
        header[:kept] = bytes(map(int.__and__, header[:kept], mask))

    return clear


def _plain(header: bytearray) -> None:
    """A header of nothing but numbers."""


def _zero(header: bytearray, start: int, end: int) -> None:
    end = min(end, len(header))
    if start < end:
        header[start:end] = bytes(end - start)


def _after_gre(header: bytearray) -> int:
    """Return where GRE's header ends; the second half of its checksum's field is reserved."""
    if header[:1] and header[0] & GRE_OPTIONAL[0]:
        _zero(header, 6, 8)
    return 4 + sum(4 for flag in GRE_OPTIONAL if header[:1] and header[0] & flag)


def _gre(header: bytearray) -> None:
    _after_gre(header)


def _wccp(header: bytearray) -> None:
    """draft-wilson-wrec-wccp-v2 section 4.12.1: the service and buckets."""
    start = _after_gre(header)
    _zero(header, start, start + 4)


def _erspan(header: bytearray) -> None:
    """draft-foschiano-erspan: the index of a port of type II, the time, group and platform of type
    III."""
    start = _after_gre(header)
    protocol, version = header[2:4], (header[start : start + 1] or b"\0")[0] >> 4
    if protocol == b"\x22\xeb":
        _zero(header, start + 4, start + 10)
        has_platform = header[start + 11 : start + 12] and header[start + 11] & 1
        _zero(header, start + 12, start + (20 if has_platform else 12))
    elif start > 4 and version == 1:
        _zero(header, start + 4, start + 8)


def _geneve(header: bytearray) -> None:
    """RFC 8926 section 3.4: options without anything in them take the place of options."""
    options = (header[0] & 0x3F) * 4 if header else 0
    _keeping("ff00ffffffffff00")(header)
    _zero(header, 8, 8 + options)


def _gtp_u(header: bytearray) -> None:
    """3GPP TS 29.281 section 5: of extensions the lengths and types stay."""
    if not header or not header[0] & 0x07:
        return
    _zero(header, 8, 11)
    start = 12
    following = header[11:12] if header[0] & 0x04 else b""
    if not following:
        _zero(header, 11, 12)
    while following and following[0] and start < len(header) and header[start]:
        end = start + header[start] * 4
        _zero(header, start + 1, end - 1)
        following, start = header[end - 1 : end], end


def _l2tp(header: bytearray) -> None:
    """RFC 2661 section 3.1: padding of any size."""
    flags = int.from_bytes(header[:2])
    start = 6 + 2 * bool(flags & 0x4000) + 4 * bool(flags & 0x0800)
    if flags & 0x0200:
        _zero(header, start + 2, start + 2 + int.from_bytes(header[start : start + 2]))


def _teredo(header: bytearray) -> None:
    """RFC 4380 section 5.1.1: who a client is, and what authenticates it."""
    if header[:2] == b"\0\1":
        _zero(header, 4, 13 + sum(header[2:4]))


def _tzsp(header: bytearray) -> None:
    """Tagged values, without the values."""
    at = 4
    while at < len(header) and header[at] != TZSP_END:
        size = (header[at + 1 : at + 2] or b"\0")[0] if header[at] else -1
        _zero(header, at + 2, at + 2 + size)
        at += 2 + size


TUNNELS: dict[str, Clear] = {
    **dict.fromkeys(("ipip", "6in4", "4in6", "ip6ip6", "etherip", "mpls", "pptp"), _plain),
    "gre": _gre,
    "nvgre": _gre,
    "wccp": _wccp,
    "erspan": _erspan,
    "vxlan": _keeping("ff000000ffffff00"),
    "vxlan-gpe": _keeping("ff0000ffffffff00"),
    "geneve": _geneve,
    "gtp-u": _gtp_u,
    "l2tp": _l2tp,
    "teredo": _teredo,
    "tzsp": _tzsp,
}
"""What clears the header of each tunnel."""


def clear_tunnels(frame: bytearray, packets: Sequence[IpPacket]) -> None:
    """Clear what lies between the headers of IP of a frame, the outermost first."""
    for outer, inner in pairwise(packets):
        start = outer.start + (UDP_HEADER if outer.protocol == UDP else 0)
        header = frame[start : inner.header]
        clear = TUNNELS.get(inner.layers[len(outer.layers)].name)
        if clear is None:
            header[:] = stars(len(header))
        else:
            clear(header)
        frame[start : inner.header] = header


def clear_cut_headers(frame: bytearray, link_type: int, packets: Sequence[IpPacket]) -> None:
    """Clear what headers may say that the capture cuts, inside the last of ``packets``."""
    data = bytes(frame)
    if not packets:
        begin = network_offset(link_type, data)
        if begin >= 0:
            clear_link(frame, link_type, begin)
            clear_cut(frame, begin)
        return
    outer = packets[-1]
    entry = entry_of(data[: outer.end], outer)
    assert entry is not None
    start = outer.start + (UDP_HEADER if outer.protocol == UDP else 0)
    inner = entry.start if entry.start >= 0 else len(frame)
    header = frame[start:inner]
    TUNNELS.get(entry.layers[0].name, _plain)(header)
    frame[start:inner] = header
    clear_cut(frame, inner)


def clear_link(frame: bytearray, link_type: int, end: int, start: int = 0) -> None:
    """Clear a link's header, which lies from ``start`` to ``end`` of a frame."""
    if link_type == PKTAP:
        size, _, inside = (
            int.from_bytes(frame[at : at + 4], "little") for at in range(start, start + 12, 4)
        )
        begin = min(start + size, end)
        frame[start + PKTAP_KEPT : begin] = bytes(max(begin - start - PKTAP_KEPT, 0))
        if inside not in (PKTAP, ETHERNET):
            clear_link(frame, inside, end, begin)
    elif link_type == NFLOG:
        _clear_values(frame, start + 4, end)
    elif link_type == LINUX_COOKED:  # what an address that is shorter than its field leaves
        size = min(int.from_bytes(frame[start + 4 : start + 6]), 8)
        frame[start + 6 + size : start + 14] = bytes(8 - size)
    elif link_type == LINUX_COOKED_2:
        size = min(frame[start + 11], 8)
        frame[start + 2 : start + 4] = bytes(2)
        frame[start + 12 + size : start + 20] = bytes(8 - size)


def _clear_values(frame: bytearray, at: int, end: int) -> None:
    """Clear NFLOG's values, each behind its length and type, up to the one that is the packet."""
    order: Literal["little", "big"] = "big" if frame[at + 3 : at + 4] > b"\0" else "little"
    while at + 4 <= end:
        size = int.from_bytes(frame[at : at + 2], order)
        kind = int.from_bytes(frame[at + 2 : at + 4], order)
        if kind & 0x7FFF == NFULA_PAYLOAD or size < 4:
            return
        following = min(at + (size + 3 & ~3), end)
        frame[at + 4 : following] = bytes(following - at - 4)
        at = following
