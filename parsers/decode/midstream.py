"""Where to begin to decode two streams whose start is not in the capture.

Strategy: a :class:`.detector.ProtocolDetector` finds a place at which what comes is certain: a
chunk of a body, frames that follow one another, a record of TLS. From there on the receivers of its
protocol take over, with nothing of what was agreed on before; the other stream goes on at its next
sure start. A note says where decoding began, and why that is certain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from ..diagnostics import diagnose
from ..records import PLACE, Record
from ..streams import ByteStream, Receiver
from .detector import ProtocolDetector
from .http1_direction import Http1Side
from .joining import AwaitedFrame, Place, proof_of_frames

if TYPE_CHECKING:
    from ..tls.joining import RecordPlace
    from .http1_side import RequestSide, ResponseSide
    from .http2_side import Http2Side
    from .side import Successor
    from .tls import TlsSide
    from .writer import RecordWriter

Both = tuple[ProtocolDetector, ProtocolDetector]
"""The client's detector and the server's."""


class Deciding(Protocol):
    """Who knows what is spoken, and makes the receivers of both sides."""

    client_below: Callable[[], ByteStream[Record]]
    waiting: list[ProtocolDetector]
    responses: ResponseSide | None

    @property
    def exchange_below(self) -> int | None:
        """The exchange in whose tunnel this is, None if it is in none."""

    def writer(self, stream: ByteStream[Record]) -> RecordWriter:
        """Return what writes the records of one side."""

    def settle(self, name: str, client: ByteStream[Record]) -> None:
        """Decide what is spoken, and which stream is the client's."""

    def take_waiting(self) -> Both:
        """Return both detectors: none of them waits any more."""

    def http_sides(
        self, asked: ProtocolDetector, answered: ProtocolDetector
    ) -> tuple[RequestSide, ResponseSide]:
        """Return the receivers of requests and of responses."""

    def http2_sides(
        self, asked: ProtocolDetector, answered: ProtocolDetector, *, is_first: bool
    ) -> tuple[Http2Side, Http2Side]:
        """Return the receivers of frames of both sides."""

    def usual(self, detector: ProtocolDetector) -> Successor:
        """Return what takes the bytes of one side if nobody else does."""

    def tls_side(self, detector: ProtocolDetector, usual: Successor) -> TlsSide:
        """Return the receiver of one side's TLS."""


class Midstream:
    """Begins to decode what two streams speak, where one of their detectors is sure of it."""

    def __init__(self, protocol: Deciding) -> None:
        self._protocol = protocol

    def join_content(self, joined: ProtocolDetector, place: Place) -> list[Record]:
        """Begin to decode in the middle of a body, whose head is not in the capture."""
        is_sse = place.is_sse
        self._protocol.settle(
            "http/1.1", joined.stream.peer if is_sse else self._protocol.client_below()
        )
        asked, answered = self._protocol.take_waiting()
        joined.drop(place.offset - joined.start)
        requests, responses = self._protocol.http_sides(asked, answered)
        asked.stream.receiver, answered.stream.receiver = requests, responses
        self._protocol.responses = responses
        side: Http1Side = requests
        other: Http1Side = responses
        if joined is answered:
            side, other = responses, requests
        side.join(place.framing, is_sse=is_sse)
        if side is responses:
            requests.exchange = 1  # the request of this one is not in the capture
        records = self._say_joined(joined.stream, place.offset, place.text)
        for detector in (asked, answered):
            if detector is not joined:
                records += other.pass_over(0)
            records += detector.replay()
        return records

    def join_websocket(self) -> list[Record] | None:
        """Begin to decode frames, if both sides' together are certain; None if they are not."""
        first, second = (detector.frames for detector in self._protocol.waiting)
        if not (text := proof_of_frames(first, second)):
            return None
        proof = first if first.frames else second
        index = int(proof is second) if proof.is_masked else int(proof is first)
        self._protocol.settle("websocket", self._protocol.waiting[index].stream)
        detectors = self._protocol.take_waiting()
        said: list[Record] = []
        for detector in detectors:
            if detector.frames.frames and detector.frames.start >= detector.start:
                detector.drop(detector.frames.start - detector.start)
                said += self._say_joined(detector.stream, detector.start, text)
                detector.stream.receiver = self._frames_from(detector.stream, detector.start)
            else:
                begin = partial(self._frames_from, detector.stream)
                detector.stream.receiver = AwaitedFrame(
                    detector.stream, detector.start, self._protocol.writer(detector.stream), begin
                )
        records = sorted(said, key=PLACE)[:1]  # once, where the first of them is
        return records + detectors[0].replay() + detectors[1].replay()

    def join_tls(self, joined: ProtocolDetector, place: RecordPlace) -> list[Record]:
        """Begin with TLS where a record does; the other side's first one is still to be found."""
        self._protocol.settle("tls", self._protocol.client_below())
        detectors = self._protocol.take_waiting()
        joined.drop(place.offset - joined.start)
        for detector in detectors:
            side = self._protocol.tls_side(detector, self._protocol.usual(detector))
            side.join(is_at_border=detector is joined)
            detector.stream.receiver = side
        text = f"TLS records: by chance less than once in 2^{place.bits}"
        said = self._say_joined(joined.stream, place.offset, text, self._protocol.exchange_below)
        return said + detectors[0].replay() + detectors[1].replay()

    def join_http2(self, joined: ProtocolDetector, proof: str) -> list[Record]:
        """Begin to decode frames of HTTP/2 in the middle, where ``proof`` says they are certain."""
        self._protocol.settle("http/2", self._protocol.client_below())
        asked, answered = self._protocol.take_waiting()
        joined.drop(joined.http2.start - joined.start)
        sides = self._protocol.http2_sides(asked, answered, is_first=False)
        records = self._say_joined(joined.stream, joined.start, proof, exchange=None)
        for detector, side in zip((asked, answered), sides, strict=True):
            detector.stream.receiver = side
            if detector is not joined:
                records += side.pass_over(0)
        return records + asked.replay() + answered.replay()

    def join_at_end(self) -> list[Record] | None:
        """Begin to decode frames of HTTP/2 that end where both streams do; None if none do."""
        for detector in self._protocol.waiting:
            if proof := detector.http2.receive_eof():
                return self.join_http2(detector, proof)
        return None

    def _say_joined(
        self, stream: ByteStream[Record], offset: int, text: str, exchange: int | None = 0
    ) -> list[Record]:
        fault = diagnose("stream-joined", offset, offset + 1, text)
        return [self._protocol.writer(stream).diagnostic(fault, exchange)]

    def _frames_from(self, stream: ByteStream[Record], start: int) -> Receiver[Record]:
        """Return the receiver of frames; what the handshake agreed on is not known."""
        from ..websocket.deflate import DeflateParameters  # slow to load, and hardly ever needed
        from .websocket_side import WebSocketSide

        return WebSocketSide(self._protocol.writer(stream), start, 0, DeflateParameters())
