"""Any capture file: pcap or pcapng, as it is or compressed with gzip or zstd.

Strategy: the first four bytes say what the file is. A compressed one is opened with a
decompressing source on top of it, and sniffed again; the reader of the format found does the rest.
Nothing but ``read`` is asked of the stream, so a pipe does as well as a file.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from .block_reader import BYTE_ORDERS
from .blocks import SECTION_HEADER, Block
from .input import CaptureInput, DecompressedSource, FileSource, Readable, compression_of
from .packets import CaptureFault, CaptureNotes, Interface, Packet, Run, UnreadableCapture
from .pcap import PcapReader, variant_of
from .pcapng import PcapngReader, UsualBlocks

MAX_COMPRESSIONS = 2
"""A compressed file in a compressed file happens by mistake; deeper nesting is an attack."""


class CaptureReader:
    """The packets of a capture file, in order, and what the file says beside them.

    Iterate once. Its lists grow while it is iterated: ``interfaces``; ``comments`` with the number
    of the packet each is about, None for the file; ``secrets`` with their secrets type (pcapng
    section 4.7); ``faults``. A damaged file gives its packets up to the fault, or beyond it if it
    is known where the next one begins.
    """

    format: str
    """``pcap`` (with a word on its variant) or ``pcapng``."""
    compression: tuple[str, ...]
    """Of the outermost layer first: ``("gzip",)``."""

    def __init__(self, stream: Readable) -> None:
        """Sniff ``stream``. Raises UnreadableCapture if it holds no capture."""
        source, self.compression = _open(stream)
        self._notes = CaptureNotes()
        self._pcapng: PcapngReader | None = None
        if is_pcapng(source):
            self.format = "pcapng"
            self._pcapng = PcapngReader(source, self._notes)
            self._packets, self._runs = self._pcapng.packets(), self._pcapng.runs()
        else:
            reader = PcapReader(source, self._notes)
            self.format = reader.variant.name
            self._packets, self._runs = reader.packets(), reader.runs()

    def __iter__(self) -> Iterator[Packet]:
        return self._packets

    def runs(self) -> Iterator[Run]:
        """Yield the packets, instead, where they lie: for whoever wants few bytes of most."""
        return self._runs

    def copied(
        self, touched: Container[int]
    ) -> Iterator[UsualBlocks | tuple[Block, Packet | None]]:
        """Yield, instead of packets, a whole pcapng file to be written again.

        What need not be looked at comes as it lies there: see :meth:`~PcapngReader.copied`. Raises
        UnreadableCapture if it is a pcap file.
        """
        if self._pcapng is None:
            raise UnreadableCapture("only a pcapng file has blocks, and this is a pcap file")
        return self._pcapng.copied(touched)

    @property
    def interfaces(self) -> list[Interface]:
        return self._notes.interfaces

    def is_relay(self, packet: int) -> bool:
        """Return whether one of the last packets was recorded by a relay of ours."""
        return self._notes.origins.is_relay(packet)

    @property
    def comments(self) -> list[tuple[int | None, str]]:
        return self._notes.comments

    @property
    def secrets(self) -> list[tuple[int, bytes]]:
        return self._notes.secrets

    @property
    def faults(self) -> list[CaptureFault]:
        return self._notes.faults


def is_pcapng(source: CaptureInput) -> bool:
    return source.peek(4) == SECTION_HEADER.to_bytes(4, "little")


def _open(stream: Readable) -> tuple[CaptureInput, tuple[str, ...]]:
    """Return a capture file's bytes, decompressed, and how it was compressed."""
    source = CaptureInput(FileSource(stream))
    layers: list[str] = []
    while compression := compression_of(source.peek(4)):
        if len(layers) == MAX_COMPRESSIONS:
            raise UnreadableCapture(f"compressed more than {MAX_COMPRESSIONS} times")
        layers.append(compression.name)
        source = CaptureInput(DecompressedSource(source, compression))
    _check_magic(source, layers)
    return source, tuple(layers)


def _check_magic(source: CaptureInput, layers: list[str]) -> None:
    """Raise UnreadableCapture unless a known format begins here."""
    head = source.peek(12)
    if is_pcapng(source):
        # A section header's type alone may be anything; its byte-order magic cannot be.
        known = len(head) < 12 or head[8:] in BYTE_ORDERS
    else:
        known = variant_of(head[:4]) is not None
    if known:
        return
    where = f"in the {' in '.join(reversed(layers))} data" if layers else "at the start of the file"
    if source.fault and len(head) < 12:
        raise UnreadableCapture(f"nothing to be read {where}: {source.fault[1]}")
    if not head:
        raise UnreadableCapture("the file is empty" if not layers else f"nothing {where}")
    raise UnreadableCapture(f"not a capture file: pcap or pcapng expected, {head!r} found {where}")
