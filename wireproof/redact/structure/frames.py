"""Packets without their content: every byte of their payloads is an asterisk, or known structure.

Strategy: as for secrets (:mod:`..frames`), but the other way round. What the streams give is put
aside with the packets that carried those bytes (:mod:`.log`); when a packet is written, all of its
payload is masked, and then gets back what was given of it. What came again gets what was given of
the bytes that came first, as long as that is kept. So what no stream takes is masked, whatever it
is: datagrams, payloads after a FIN, frames that are no IP, trailers, options. Headers of packets
stay: addresses, ports, flags, numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from parsers import ETHERNET, TCP, IpPacket, Packet, accept_for, packets_inside
from parsers.records import Record, ResponseRecord

from ...bytes.segment_tap import Placed, TracedStream
from ...bytes.stream_tap import Pair
from ...collector import collect_much
from ..masked_frames import START, MaskedFrames
from ..rules import Rules
from ..stars import Mask
from .checksums import set_own_checksums
from .headers import USUAL_START, clear_options, headers_of, kept_of, usual_payload
from .heads import Heads
from .http2 import StructureHttp2Stream
from .log import PacketFlags, PatchLog
from .masking import Veil, stars
from .tunnels import clear_cut_headers, clear_link, clear_tunnels

MAX_KEPT = 256 * 1024
"""Bytes of a stream that were given and are kept, for what comes again."""
ETHERNET_HEADER = 14


def _clear_headers(frame: bytearray, packets: Sequence[IpPacket]) -> None:
    """Clear what headers may say, of IP packets of which each holds the next."""
    clear_tunnels(frame, packets)
    for one in packets:
        clear_options(frame, one)


def _set_whole(before: bytes, after: bytearray, outer: IpPacket) -> None:
    """Give the payload that fragments make its headers back, of which they have parts."""
    packets = [one for one in packets_inside(before, outer) if isinstance(one, IpPacket)]
    begin = kept_of(before, packets[-1])
    after[:begin] = before[:begin]
    _clear_headers(after, packets)
    set_own_checksums(before, after, outer)


class PlacedStructure(StructureHttp2Stream, TracedStream):
    """A stream, and what may still be given of it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.placed: list[Placed] = []
        self.given: list[Mask] = []
        """What was given last, in order."""
        self._kept = 0

    def keep(self, masks: list[Mask]) -> None:
        """Keep what was given, as much as there is room for."""
        self.given = sorted(self.given + masks, key=START)
        self._kept += sum(mask.end - mask.start for mask in masks)
        while self._kept > MAX_KEPT and len(self.given) > 1:
            self._kept -= self.given[0].end - self.given[0].start
            del self.given[0]


class StructureMasks(MaskedFrames[PlacedStructure]):
    """What becomes of a capture's frames."""

    def __init__(self, rules: Rules) -> None:
        self._veil = Veil()
        self._heads = Heads(self._veil)
        self._log = PatchLog()
        self.opaque = PacketFlags()
        """Packets whose payload is no text."""
        self._packets = 0
        super().__init__(
            rules,
            lambda: PlacedStructure(self._heads, self._veil, self.report),
            keep_data=False,
            set_sums=set_own_checksums,
            set_whole=_set_whole,
        )

    def add(
        self,
        packets: Sequence[Packet],
        sort: Callable[[list[Record]], None] = lambda _: None,
    ) -> None:
        for packet in packets:
            self._packets = max(self._packets, packet[0])
        records = self.receive(packets)
        sort(records)
        self._learn(records)

    def end(self) -> None:
        held = self.decoder.held
        for ended in self.endings():
            self._learn(ended)
        collect_much(held)

    def close(self) -> None:
        """Give back the room for what was given; nothing can be written any more."""
        self._log.close()

    @property
    def changed(self) -> range:
        """The numbers of all packets: any may hold something."""
        return range(1, self._packets + 1)

    @property
    def needs_sums(self) -> bool:
        return bool(self.fragmented)

    def masked(self, packet: Packet) -> bytes:
        return self._masked_fast(packet) or super().masked(packet)

    def _masked_fast(self, packet: Packet) -> bytes:
        """Return what becomes of a packet that nearly all are like: of Ethernet, IPv4 and TCP, with
        no options but timestamps. Nothing of any other."""
        begin = usual_payload(packet)
        if begin is None:
            return b""
        _, _, _, original, data = packet
        size = original - begin
        if not size:
            return data
        entries = self._log.of(packet[0])
        if len(entries) == 1 and not entries[0].start and len(entries[0].data) == size:
            payload = entries[0].data
        else:
            frame = bytearray(stars(size))
            for start, replacement in entries:
                at = start if start >= 0 else -1 - start - begin
                frame[at : at + len(replacement)] = replacement
            payload = bytes(frame)
        # RFC 1071: a sum that is right makes zero with what is summed up; the addresses lie before.
        rest = b"\0" * (size % 2)
        of_header = TCP + original - USUAL_START
        if (int.from_bytes(data[26:] + rest) + of_header) % 0xFFFF:
            return b""
        whole = data[:50] + b"\0\0" + data[52:begin] + payload
        checksum = 0xFFFF - (int.from_bytes(whole[26:] + rest) + of_header) % 0xFFFF
        return whole[:50] + (checksum % 0xFFFF).to_bytes(2) + whole[52:]

    def _is_masked(self, number: int) -> bool:
        return True

    def _starred(self, packet: Packet) -> bytearray:
        number, _, link_type, _, data = packet
        frame = bytearray(data)
        packets, is_cut = headers_of(packet)
        begin = min(ETHERNET_HEADER if link_type == ETHERNET else 0, len(data))
        if packets:
            begin = kept_of(data, packets[-1])
            clear_link(frame, link_type, packets[0].header)
            _clear_headers(frame, packets)
        if is_cut:
            begin = len(data)
            clear_cut_headers(frame, link_type, packets)
        frame[begin:] = stars(len(data) - begin)
        for start, replacement in self._log.of(number):
            at = begin + start if start >= 0 else -1 - start
            frame[at : at + len(replacement)] = replacement
        return frame

    # --- where payloads lie ---

    def placed(self, stream: PlacedStructure, placed: Placed, payload: bytes) -> None:
        if placed.start < stream.done:
            self._patch_placed(placed, stream.given)
            if stream.is_opaque:
                self.opaque.add(placed.packet)
        if placed.end > stream.settled:
            stream.placed.append(placed)

    # --- what records tell ---

    def tell(self, record: Record) -> PlacedStructure | None:
        if isinstance(record, ResponseRecord):
            self._expect(record)
        return super().tell(record)

    def _expect(self, record: ResponseRecord) -> None:
        """Tell the server's stream what it has to answer the key that was asked with."""
        pair = self.pairs.get(record.connection)
        client = None if pair is None else pair.stream("client")
        server = None if pair is None else pair.stream("server")
        if client is not None and server is not None and client.asked is not None:
            key = client.asked.encode("latin-1", "replace")
            server.expected = accept_for(key).decode("ascii")

    def _look_up(self, pair: Pair[PlacedStructure], *, is_end: bool) -> None:
        for stream in pair.streams:
            stream.hand_on(is_end=is_end)
            if is_end:
                stream.end()
            masks = stream.take_masks()
            settled = stream.done if is_end else stream.settled
            if masks:
                self._patch_usual(stream, masks)
                for placed in stream.placed:
                    self._patch_placed(placed, masks)
                    if stream.is_opaque:
                        self.opaque.add(placed.packet)
                stream.keep(masks)
            if stream.placed:
                stream.placed = [one for one in stream.placed if one.end > settled]
            stream.trail.forget(settled)

    # --- patches ---

    def _patch_usual(self, stream: PlacedStructure, masks: list[Mask]) -> None:
        add = self._log.add
        is_opaque = stream.is_opaque
        others = {placed.packet for placed in stream.placed} | self.fragmented
        for mask in masks:
            first, last, data = mask.start, mask.end, mask.data
            assert data is not None
            for begin, upto, packet in stream.trail.captured(first, last):
                if packet not in others:
                    start = first if first > begin else begin
                    end = last if last < upto else upto
                    add(packet, start - begin, data[start - first : end - first])
                    if is_opaque:
                        self.opaque.add(packet)

    def _patch(self, number: int, start: int, data: bytes) -> None:
        self._log.add(number, -1 - start, data)
