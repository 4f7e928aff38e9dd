"""What a capture file gives, whatever its format: packet rows, and notes about the file.

Strategy: a packet is a plain tuple, because it is made a million times and looked at once (24 ns
against 170 for a named tuple). Everything rarer is kept in one :class:`CaptureNotes` that the
readers of both formats write into; each of its lists has a limit, so that a file cannot make
memory grow by what it says about itself.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from msgspec import Struct

from ..limits import MAX_CAPTURE_FAULTS, MAX_COMMENTS, MAX_INTERFACES, MAX_ORIGINS, MAX_SECRETS

Packet: TypeAlias = tuple[int, int | None, int, int, bytes]
"""``(number, time_ns, link_type, original_length, data)``.

``number`` counts from 1 as Wireshark's ``frame.number`` does; ``time_ns`` are nanoseconds since
the epoch, None where the file has no time (Simple Packet Block); ``original_length`` is how long
the packet was on the wire; ``data`` is what was captured of it.
"""

NANOSECONDS = 10**9
RELAY_HARDWARE = "wireproof relay"
"""if_hardware of an interface whose packets are no network's, but were made of what a relay read.
editcap and mergecap keep it."""


class UnreadableCapture(ValueError):
    """This is no capture file that can be read: the message says what was found, and where."""


class CaptureFault(Struct, frozen=True, gc=False):
    """Something wrong with the file itself."""

    code: str
    """``capture-cut``, ``capture-damaged``, ``capture-unsupported`` or ``capture-order``."""
    detail: str
    packet: int
    """The number of the last packet before it, 0 if there was none; for ``capture-order`` that of
    the first packet that is too early."""
    offset: int | None
    """Where in the file, in bytes; in the decompressed file if it is compressed. None for what is
    not at one place."""

    @property
    def text(self) -> str:
        """What is wrong, and where."""
        return self.detail if self.offset is None else f"{self.detail}, at byte {self.offset:,}"


class Run(Struct, frozen=True, gc=False):
    """Packets that follow one another, as they lie in ``data``."""

    data: bytes
    link_type: int
    places: list[tuple[int, int | None, int, int, int]]
    """Of each packet its number, time, place in ``data``, captured length and original length."""
    offset: int | None = None
    """Where ``data`` begins in the file, once that is decompressed; None if the packet was read by
    itself."""

    @classmethod
    def of(cls, packet: Packet) -> Run:
        """Return one packet that was read by itself."""
        number, time_ns, link_type, original, data = packet
        return cls(data, link_type, [(number, time_ns, 0, len(data), original)])


class Interface(Struct):
    """Where packets were captured (pcapng section 4.2; a pcap file has exactly one)."""

    link_type: int
    """A LINKTYPE_ value: 1 is Ethernet."""
    snaplen: int = 0
    """At most this many bytes of each packet were kept; 0 for no limit."""
    ticks_per_second: int = 10**6
    """What timestamps count, from if_tsresol: a power of 10 or of 2."""
    tsoffset: int = 0
    """Seconds to add to each timestamp."""
    name: str = ""
    description: str = ""
    hardware: str = ""
    filter: str = ""
    """The capture filter, if it is given as text."""
    comment: str = ""
    section: int = 0
    """The section of the file that describes it, from 0."""
    machine: str = ""
    """What that section says of the hardware that it was recorded on (shb_hardware)."""
    system: str = ""
    """And of the operating system (shb_os)."""
    application: str = ""
    """What wrote the section (shb_userappl)."""
    dropped: int | None = None
    """How many packets it lost for want of resources (isb_ifdrop), None if the file is silent."""

    @property
    def is_relay(self) -> bool:
        """Whether its packets were made of what a relay of ours read: see RELAY_HARDWARE."""
        return self.hardware == RELAY_HARDWARE

    def time_ns(self, ticks: int) -> int:
        """Return a timestamp in nanoseconds since the epoch, rounded down, in whole numbers."""
        return ticks * NANOSECONDS // self.ticks_per_second + self.tsoffset * NANOSECONDS


class Origins:
    """Which packets were recorded by a relay: in a merged file there may be others between them."""

    __slots__ = ("_latest", "_changes")

    def __init__(self) -> None:
        self._latest = False
        self._changes: deque[tuple[int, bool]] = deque(maxlen=MAX_ORIGINS)

    def add(self, packet: int, is_relay: bool) -> None:
        """Take note of where a packet comes from, if that is not where the one before does."""
        if is_relay != self._latest:
            self._latest = is_relay
            self._changes.append((packet, is_relay))

    def is_relay(self, packet: int) -> bool:
        """Return whether a packet, one of the last few thousand, comes from a relay."""
        for first, is_relay in reversed(self._changes):
            if first <= packet:
                return is_relay
        return False


class _Budget:
    """How much is kept of one kind of thing: so many bytes or characters, and so many items."""

    __slots__ = ("refused", "_size", "_items")

    def __init__(self, limit: int) -> None:
        self.refused = 0
        self._size = limit
        self._items = limit // 64

    def take(self, size: int) -> bool:
        """Return whether one more item of ``size`` may be kept; none may after a refusal."""
        if self.refused or size > self._size or not self._items:
            self.refused += 1
            return False
        self._size -= size
        self._items -= 1
        return True


class CaptureNotes:
    """What a capture file says beside its packets, and what is wrong with it.

    Whoever reads ``comments``, ``secrets`` or ``faults`` may clear them: limits count on.
    """

    __slots__ = (
        "interfaces", "comments", "secrets", "faults", "origins", "_found", "_text", "_secrecy"
    )  # fmt: skip

    def __init__(self) -> None:
        self.interfaces: list[Interface] = []
        self.comments: list[tuple[int | None, str]] = []
        self.secrets: list[tuple[int, bytes]] = []
        self.faults: list[CaptureFault] = []
        self.origins = Origins()
        self._found = 0  # faults
        self._text = _Budget(MAX_COMMENTS)
        self._secrecy = _Budget(MAX_SECRETS)

    def fault(self, code: str, detail: str, packet: int, offset: int) -> None:
        """Take note of a fault; past the limit one last fault says that there are more."""
        self._found += 1
        if self._found <= MAX_CAPTURE_FAULTS:
            self.faults.append(CaptureFault(code, detail, packet, offset))
        elif self._found == MAX_CAPTURE_FAULTS + 1:
            limit = f"more than {MAX_CAPTURE_FAULTS} faults: the others are not listed"
            self.faults.append(CaptureFault("capture-unsupported", limit, packet, offset))

    def interface(self, interface: Interface, packet: int, offset: int) -> bool:
        """Take note of an interface; return False if there are too many."""
        if len(self.interfaces) == MAX_INTERFACES:
            detail = f"more than {MAX_INTERFACES} interfaces"
            self.fault("capture-unsupported", detail, packet, offset)
            return False
        size = sum(map(len, (interface.name, interface.description, interface.hardware)))
        if not self.keeps(size + len(interface.filter) + len(interface.comment), packet, offset):
            interface.name = interface.description = interface.filter = interface.comment = ""
            interface.hardware = ""
        self.interfaces.append(interface)
        return True

    def comment(self, about: int | None, text: str, packet: int, offset: int) -> None:
        """Take note of a comment about the packet ``about``, or about the file if that is None."""
        if self.keeps(len(text), packet, offset):
            self.comments.append((about, text))

    def keeps(self, size: int, packet: int, offset: int) -> bool:
        """Return whether a text of ``size`` characters may be kept."""
        if self._text.take(size):
            return True
        if self._text.refused == 1:
            detail = f"more than {MAX_COMMENTS:,} characters of comments and names: none is kept"
            self.fault("capture-unsupported", f"{detail} from here on", packet, offset)
        return False

    def secret(self, kind: int, data: bytes, packet: int, offset: int) -> None:
        """Take note of a Decryption Secrets Block's secrets; ``kind`` is its secrets type."""
        if self._secrecy.take(len(data)):
            self.secrets.append((kind, data))
        elif self._secrecy.refused == 1:
            detail = f"more than {MAX_SECRETS:,} bytes of secrets: none is kept from here on"
            self.fault("capture-unsupported", detail, packet, offset)
