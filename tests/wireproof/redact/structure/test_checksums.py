"""Checksums that depend on nothing but the copy."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from parsers import ETHERNET
from wireproof.bytes.segment_tap import ip_packet
from wireproof.redact.structure.checksums import set_own_checksums


def written(layer: object, text: bytes, checksum: int | None, cut: int = 0) -> bytes:
    """Return a packet whose payload is masked, with its checksum set."""
    packet = Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / layer / Raw(text)
    if checksum is not None:
        packet[2].chksum = checksum
    whole = bytes(packet)
    data = whole[: len(whole) - cut]
    found = ip_packet((1, 0, ETHERNET, len(whole), data))
    assert found is not None
    frame = bytearray(data)
    at = len(whole) - len(text)
    frame[at:] = b"*" * (len(frame) - at)
    set_own_checksums(data, frame, found)
    return bytes(frame)


@pytest.mark.parametrize("layer", [TCP(), UDP()], ids=["TCP", "UDP"])
@pytest.mark.parametrize("checksum", [None, 0x1234, 0xFFFF], ids=["right", "wrong", "ones"])
@pytest.mark.parametrize("cut", [0, 1])
def test_they_tell_nothing_of_what_was_there(layer: object, checksum: int | None, cut: int) -> None:
    one, other = (written(layer, text, checksum, cut) for text in (b"ab", b"yz"))
    assert one == other
    if not cut:
        read = Ether(one)
        found = read[2].chksum
        del read[2].chksum
        assert (found == Ether(bytes(read))[2].chksum) == (checksum is None)


def test_what_a_card_was_to_complete_stays() -> None:
    partial = (0x0A00 + 0x0001 + 0x0A00 + 0x0002 + 6 + 22) % 0xFFFF
    assert Ether(written(TCP(), b"ab", partial))[TCP].chksum == partial
