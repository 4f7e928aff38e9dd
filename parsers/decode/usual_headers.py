"""The headers that nearly every packet has: Ethernet, IPv4 without options, TCP."""

from __future__ import annotations

from struct import Struct

from ..net.segment import ACK, UNUSUAL

ETHERNET = 1

# EtherType, IPv4 version and header length, and type of service in one number; total length; flags
# and fragment offset, time to live, and protocol in one number; source and destination address,
# source port and destination port as one key; sequence number, acknowledgement number, data offset
# and flags, window. Two numbers that are compared at once instead of four take a tenth less for a
# packet.
USUAL_HEADERS = Struct("!12x IH2xI2x 12s IIHH")
IPV4_WITHOUT_OPTIONS = 0x080045
PROTOCOL_AND_FRAGMENT = 0x3FFF00FF
"""Of the second number: more fragments or an offset, and the protocol."""
SHORTEST_USUAL = USUAL_HEADERS.size
NETWORK_START, KEY_START, TCP_START = 14, 26, 34
"""Where IPv4 begins after Ethernet, its addresses, and TCP after a header without options."""
# Where the payload begins, by TCP's data offset and flags, of a segment that only carries data and
# acknowledges some. Headers up to 32 bytes: longer ones may be signed.
USUAL_FLAGS = [flags for flags in range(1 << 12) if flags & (UNUSUAL | ACK) == ACK]
USUAL_STARTS = {
    words << 12 | flags: 34 + 4 * words for words in range(5, 9) for flags in USUAL_FLAGS
}
