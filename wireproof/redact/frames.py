"""Secrets in the packets that carried them: which bytes of which frame are masked.

    masks = FrameMasks("all")
    masks.add(packets)              # in order, in batches of any size
    masks.end()
    masks.sum_up(packets)           # again, if fragments have masks: masks.needs_sums
    masks.masked(packet)            # the frame without its secrets, its checksum right

Strategy: what a side's stream finds secret (:mod:`.streams`) is looked up among the packets that
carried those bytes (:mod:`..bytes.segment_tap`). One that comes again is looked up among the masks
that are known by then, and looked at by itself, as it may hold something else. So are packets of no
open connection.

What is kept: the masks, and the places of what waits. Frames may be asked for at any time, in any
order; a mask may still come for as long as its element is unfinished.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from struct import unpack, unpack_from
from typing import NamedTuple

from parsers import ETHERNET, TCP, Holding, Packet, client_by_tcp
from parsers.records import ConnectionRecord, Record

from ..bytes.segment_tap import Part, Placed, TracedStream, ip_packet, payload_start
from ..bytes.stream_tap import Pair
from ..collector import collect_much
from .checksums import ICMP, ICMPV6, UDP
from .coded import hides_secret
from .content import ContentFinder
from .http2 import Http2MaskStream
from .lines import field_line_spans
from .logins import login_spans
from .masked_frames import START, MaskedFrames
from .patterns import Span
from .redis import RESP, TYPED, RedisDialogue
from .rules import Rules
from .said import SaidTexts
from .secrets import Policy, Report, merged
from .stars import STAR, Mask
from .streams import DIGIT

ENCRYPTED = {
    "tls": "encrypted by TLS",
    "quic": "encrypted by QUIC",
    "http/3": "encrypted by QUIC",
    "ssh": "encrypted by SSH",
    "esp": "encrypted by IPsec",
    "dtls": "encrypted by DTLS",
}
"""Why nobody can look into what a protocol carries."""
CUT = "cut by the capture"
CUT_NAMES = "for names that missing bytes may have cut"
ANSWERS = "for what Redis answers, as too much of it waited"
INSIDE = "for values that go on in the next one, behind headers that are not decoded"
QUOTING = (ICMP, ICMPV6)
"""Their messages quote packets, which do not go on."""
MAY_BE_PACKET = re.compile(rb"[\x45-\x4f\x60-\x6f]")
MOST_HEADERS = 160
"""Bytes before an IP packet in headers that are not decoded."""
MOST_TRAILER = 16
IPV6_HEADER_SIZE = 40
ESP, NAT_TRAVERSAL = 50, 4_500
"""IP's number for ESP (RFC 4303), and the port of UDP under which it passes through NAT (RFC 3948),
where four bytes of zeros come before what is no ESP."""
ESP_HEADER = 8
UDP_PORTS = 4
"""Bytes of both."""
DTLS_RECORD = re.compile(rb"[\x14-\x19]\xfe[\xfd\xff][\x00-\xff]{10}")
"""How a record of DTLS 1.0 or 1.2 begins (RFC 6347 section 4.1)."""


MAX_FLOWS = 1_024
"""Flows of packets that no stream takes; then the one that was quiet longest is forgotten."""
SHORTEST = 8
"""Bytes of headers or of a trailer that may hold a secret: a check sequence has four."""
LONGEST_HEADER = 128
MAY_HIDE = re.compile(rb"[\t\n\r -~]{%d}|(?:[ -~]\x00){4}|\A(?:\x1f\x8b|\x78|\x28\xb5)" % SHORTEST)
"""Text, in headers that are no longer than that, or a sign that they are coded."""
ETHERNET_HEADER_SIZE = 14
USUAL_IPV4 = bytes.fromhex("080045")
"""The EtherType of IPv4, and its version with a header that has no options."""


class Patch(NamedTuple):
    """What takes the place of as many bytes of a frame."""

    start: int
    """In the frame, from 0."""
    data: bytes


class _PlacedStream(Http2MaskStream, TracedStream):
    """A stream, and what may still get a mask."""

    def __init__(self, rules: Rules, report: Report) -> None:
        super().__init__(rules, report)
        self.placed: list[Placed] = []
        self.masks: list[Mask] = []
        """Those that have been looked up, in order: for what comes again."""
        self.resp: list[tuple[bytes, int]] = []
        """What came of Redis's protocol, as far as it may be that, with its places."""
        self.dialogue: RedisDialogue | None = None
        """Of a client that speaks it."""
        self.answers: RedisDialogue | None = None
        """Of a server that does."""
        self._dialogue_held: Holding | None = None
        """What waits of that, as it is charged."""
        self.masked: set[int] = set()
        """Packets in which it has masked something."""

    def unfinished(self, data: bytes, start: int) -> None:
        super().unfinished(data, start)
        if self.is_websocket or not self._is_thorough:
            return  # nobody asks what it would reply
        if data[:1] in RESP or self.dialogue is not None or TYPED.match(data):
            self.resp.append((data, start))

    @property
    def settled(self) -> int:
        settled = super().settled
        return (
            settled
            if self.answers is None
            else min(settled, self.answers.first_open_reply(settled))
        )

    def hand_on(self, *, is_end: bool) -> None:
        super().hand_on(is_end=is_end)
        if self._is_let_go:  # what waits is charged to nobody any more
            self.resp.clear()
            self._dialogue_held = None
            if self.dialogue is not None:
                self.dialogue.give_up()

    def hold_dialogue(self) -> None:
        """Charge what waits of a dialogue to the account of the connection."""
        if self.dialogue is None or self._account is None or self._is_let_go:
            return
        if self._dialogue_held is None:
            self._dialogue_held = Holding(self._account)
        self._dialogue_held.hold(self.dialogue.waiting)

    def mask_replies(self, spans: list[Span]) -> None:
        """Mask what the dialogue finds secret in what a server sent."""
        for start, end in self._counted(spans):
            self.found.append(Mask(start, end, None))


class FrameMasks(MaskedFrames[_PlacedStream]):
    """The masks of a capture's frames."""

    def __init__(self, policy: Policy | Rules = "headers") -> None:
        rules = Rules.of(policy)
        super().__init__(
            rules, lambda: _PlacedStream(rules, self.report), keep_data=rules.is_thorough
        )
        self._texts = SaidTexts(reads_all=rules.known is not None)
        self._flows: dict[bytes, ContentFinder] = {}
        """Of payloads that no stream takes, what the last ones ended with; the oldest first."""
        self._patches: dict[int, list[Patch]] = {}
        self._masks: dict[int, list[Patch]] = {}
        """Of packets whose payload's place in the frame has not been looked up: in the payload."""

    def add(
        self,
        packets: Sequence[Packet],
        sort: Callable[[list[Record]], None] = lambda _: None,
    ) -> None:
        if self.rules.policy != "none":
            for number, _, link_type, original, data in packets:
                if original > len(data):
                    self.not_looked_into[CUT] += 1
                if link_type == ETHERNET and data[12:15] == USUAL_IPV4:
                    end = ETHERNET_HEADER_SIZE + int.from_bytes(data[16:18])
                    if len(data) - end >= SHORTEST:
                        self.beside(number, data[end:], end)
            records = self.receive(packets)
            sort(records)
            self._learn(records)

    def end(self) -> None:
        if self.rules.policy != "none":
            held = self.decoder.held
            for ended in self.endings():
                self._learn(ended)
            collect_much(held)
        if self.report.holes:
            self.not_looked_into[CUT_NAMES] = self.report.holes

    @property
    def changed(self) -> set[int]:
        return self._patches.keys() | self._masks.keys() | self.sums.patches.keys()

    @property
    def needs_sums(self) -> bool:
        return not self.fragmented.isdisjoint(self._patches)

    def _is_masked(self, number: int) -> bool:
        return number in self._patches or number in self._masks

    def _starred(self, packet: Packet) -> bytearray:
        frame = bytearray(packet[4])
        patches = self._patches.get(packet[0], [])
        if masks := self._masks.get(packet[0]):
            found = ip_packet(packet)
            assert found is not None
            base = payload_start(packet[4], found)
            patches = patches + [Patch(base + start, data) for start, data in masks]
        for start, replacement in patches:
            frame[start : start + len(replacement)] = replacement
        return frame

    # --- where payloads lie ---

    def placed(self, stream: _PlacedStream, placed: Placed, payload: bytes) -> None:
        if placed.start < stream.done:
            self._patch_placed(placed, stream.masks)
        brought = {packet for *_, packet in stream.trail.runs(placed.start, placed.end)}
        if brought != {placed.packet}:  # sent again, or perhaps something else in its place
            self._look(placed.packet, payload, placed.frame_start)
        if placed.end > stream.settled:
            stream.placed.append(placed)

    def stray(self, number: int, flow: bytes, payload: bytes, frame_start: int) -> None:
        """Look at a payload by itself, and as what follows the last one of its flow."""
        self._look(number, payload, frame_start)
        if not self.rules.is_thorough or not payload:
            return
        finder = self._flows.pop(flow, None) or ContentFinder(
            is_event_stream=False, patterns=self.rules.patterns
        )
        self._flows[flow] = finder
        if len(self._flows) > MAX_FLOWS:
            del self._flows[next(iter(self._flows))]
        spans = finder.feed(payload.decode("latin-1"))
        self._patch_stars(number, payload, spans, frame_start, finder.numbers)

    def fragment(self, number: int, data: bytes, frame_start: int) -> None:
        self._look(number, data, frame_start)

    def reassembled(self, start: int, data: bytes, parts: Sequence[Part]) -> None:
        spans, numbers = self._found_in(data.decode("latin-1"))
        for span in merged(spans):
            self.report.masked += 1
            self.report.found.add(data[slice(*span)])
            mask = DIGIT if span in numbers else STAR
            for number, frame_start, offset, said in parts:
                begin = max(start + span[0], offset)
                size = min(start + span[1], offset + len(said)) - begin
                if size > 0:
                    self._patch(number, frame_start + begin - offset, mask * size)

    def datagram(self, number: int, protocol: int, ports: bytes, payload: bytes) -> None:
        is_udp = protocol == UDP and len(ports) == UDP_PORTS
        through_nat = is_udp and NAT_TRAVERSAL in unpack("!HH", ports) and any(payload[:4])
        if protocol == ESP or (through_nat and len(payload) > ESP_HEADER):
            self.not_looked_into[ENCRYPTED["esp"]] += 1
        elif is_udp and DTLS_RECORD.match(payload):
            self.not_looked_into[ENCRYPTED["dtls"]] += 1
        elif protocol not in QUOTING and holds_packet(payload):
            self.not_looked_into[INSIDE] += 1

    def unread(self, number: int, data: bytes) -> None:
        if holds_packet(data):
            self.not_looked_into[INSIDE] += 1

    def beside(self, number: int, data: bytes, frame_start: int) -> None:
        if len(data) < SHORTEST or not self.rules.is_thorough:
            return
        if len(data) > LONGEST_HEADER or MAY_HIDE.search(data) is not None:
            self._look(number, data, frame_start)

    def _look(self, number: int, data: bytes, frame_start: int) -> None:
        """Look for secrets in a part of a frame."""
        spans, numbers = self._found_in(data.decode("latin-1"))
        self._patch_stars(number, data, spans, frame_start, numbers)

    def _found_in(self, text: str) -> tuple[list[Span], list[Span]]:
        """Return what is secret in a text, and what of that are digits of numbers of JSON."""
        # Field lines end with CR and LF; what a sentence says after "Token:" is no field's value.
        has_fields = "\r" in text or not self.rules.is_thorough
        spans = list(field_line_spans(text, self.rules)) if has_fields else []
        numbers: list[Span] = []
        if self.rules.is_thorough:
            finder = ContentFinder(is_event_stream=False, patterns=self.rules.patterns)
            spans += finder.feed(text) + login_spans(text.encode("latin-1"))
            numbers = finder.numbers
            if hides_secret(
                text.encode("latin-1"), is_base64=False, is_event_stream=False, is_cut=True,
                patterns=self.rules.patterns, found=self.report.found, memory=self.report.memory,
            ):  # fmt: skip
                spans.append((0, len(text)))
        return spans, numbers

    def _patch_stars(
        self, number: int, data: bytes, spans: list[Span], frame_start: int,
        numbers: Sequence[Span] = (),
    ) -> None:  # fmt: skip
        found = merged(spans)
        self.report.masked += len(found)
        for start, end in found:
            self.report.found.add(data[start:end])
            mask = DIGIT if (start, end) in numbers else STAR
            self._patch(number, frame_start + start, mask * (end - start))

    # --- what records tell ---

    def _say(self, records: list[Record]) -> set[int]:
        touched: set[int] = set()
        if not self.rules.is_thorough:
            return touched
        for said in self._texts.read(records):
            connection = said.elements[0].connection
            pair = self.pairs.get(connection)
            stream = None if pair is None else pair.stream(said.elements[0].sender)
            if stream is not None:
                stream.say(said)
                touched.add(connection)
        return touched

    def _note(self, record: ConnectionRecord, pair: Pair[_PlacedStream] | None) -> None:
        """Count the packets of a connection that are encrypted: those before are not, of which some
        may have been masked."""
        streams = () if pair is None else pair.streams
        looked_into = len(set[int]().union(*(stream.masked for stream in streams)))
        if any(stream.is_ssh for stream in streams):
            self.not_looked_into[ENCRYPTED["ssh"]] += record.packets
        if any(one.dialogue is not None and one.dialogue.has_too_much for one in streams):
            self.not_looked_into[ANSWERS] += record.packets
        if (encryption := ENCRYPTED.get(record.protocol)) is not None:
            self.not_looked_into[encryption] += record.packets - looked_into

    def _look_up(self, pair: Pair[_PlacedStream], *, is_end: bool) -> None:
        for stream in pair.streams:
            stream.hand_on(is_end=is_end)
            if is_end:
                stream.end()
        if self.rules.is_thorough and any(stream.resp for stream in pair.streams):
            self._take_replies(pair)
        for stream in pair.streams:
            masks = stream.take_masks()
            settled = stream.done if is_end else stream.settled
            if masks:
                self._patch_usual(stream, masks)
                for placed in stream.placed:
                    if self._patch_placed(placed, masks):
                        stream.masked.add(placed.packet)
                stream.masks = sorted(stream.masks + masks, key=START)
            if stream.placed:
                stream.placed = [one for one in stream.placed if one.end > settled]
            stream.trail.forget(settled)

    def _take_replies(self, pair: Pair[_PlacedStream]) -> None:
        """Mask what Redis answers to commands that ask for a secret."""
        is_first = client_by_tcp(pair.connection) is pair.connection.first
        client, server = pair.streams if is_first else pair.streams[::-1]
        if not client.resp:
            client.hand_on(is_end=True)  # less waits of it than of what answers it
        if client.dialogue is None:
            client.dialogue = server.dialogue = server.answers = RedisDialogue()
        spans = [span for one in client.resp for span in client.dialogue.feed_commands(*one)]
        spans += [span for one in server.resp for span in client.dialogue.feed_replies(*one)]
        client.resp, server.resp = [], []
        client.hold_dialogue()
        server.mask_replies(spans)

    # --- patches ---

    def _patch_usual(self, stream: _PlacedStream, masks: list[Mask]) -> None:
        """Mask the packets that did nothing but carry the next bytes: each is a run of its own."""
        others = {placed.packet for placed in stream.placed}
        for mask in masks:
            for begin, upto, packet in stream.trail.captured(mask.start, mask.end):
                if packet not in others and packet not in self.fragmented:
                    start, end = max(mask.start, begin), min(mask.end, upto)
                    patch = Patch(start - begin, mask.part(start, end))
                    stream.masked.add(packet)
                    self._masks.setdefault(packet, []).append(patch)

    def _patch(self, number: int, start: int, data: bytes) -> None:
        self._patches.setdefault(number, []).append(Patch(start, data))


def holds_packet(data: bytes) -> bool:
    """Return whether there is an IP packet in what nothing here reads: one whose length is that of
    what is left (RFC 791 section 3.1, RFC 8200 section 3)."""
    for match in MAY_BE_PACKET.finditer(data, 0, MOST_HEADERS):
        at = match.start()
        size = len(data) - at
        if size < IPV6_HEADER_SIZE:
            break
        is_old = data[at] >> 4 == 4
        total = unpack_from("!H", data, at + (2 if is_old else 4))[0]
        total += 0 if is_old else IPV6_HEADER_SIZE
        carried = data[at + (9 if is_old else 6)]
        if IPV6_HEADER_SIZE <= total <= size <= total + MOST_TRAILER and carried in (TCP, UDP):
            return True
    return False
