"""What two byte streams speak with one another, and which of them is the client's.

Strategy: the layer below says who is the client as far as it can tell; what the first bytes say
counts for more, as few protocols begin alike on both sides. Until it is known, bytes wait, up to a
limit; then both streams get the receivers of the protocol and never come back here. The streams
may be TCP's or anything that lies in it: what a tunnel holds, or TLS, is opened by another
:class:`ApplicationProtocol`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from .. import limits
from ..diagnostics import diagnose
from ..http1.decoder import RequestDecoder, ResponseDecoder
from ..memory import Account, Memory
from ..provenance import Completion
from ..records import Record, Sender
from ..streams import ByteStream, Receiver
from ..wants import EVERYTHING, Wants
from .detector import ProtocolDetector
from .http1_side import RequestSide, ResponseSide
from .mismatch import NAMES, FirstBytes, mismatch_text
from .raw import RawSide
from .side import Successor
from .silent import Ignored
from .taps import TlsTap, listened
from .writer import UNKNOWN, Peers, RecordWriter

if TYPE_CHECKING:
    from ..tls.key_finder import KeySource
    from .http2_side import Http2Side
    from .midstream import Midstream
    from .negotiation import Preface
    from .tls import TlsConnection, TlsSide

H2C = "upgrade: h2c"
"""What a switch to HTTP/2 without TLS is called, in lower case (RFC 7540 section 3.1)."""


class Switch(Struct, frozen=True, gc=False):
    """What other bytes came before, on streams whose protocol was switched."""

    what: str
    """What was agreed on: ``CONNECT example:443``, ``Upgrade: tcp``."""
    exchange: int
    """The exchange that agreed on it, to which belongs what is not decoded."""
    next_exchange: int
    """The number of the first exchange after it."""
    starts: tuple[int, int]
    """Where what follows begins in the client's stream, and in the server's."""


class ApplicationProtocol:
    """What two streams speak: its name, the client's stream, and the receivers of both.

    ``client`` tells which stream is the client's as far as the layer below knows; it is asked when
    nothing else tells. ``decided`` is called once with the client's stream, when it is known what
    is spoken and by whom, before anything comes of it. With ``is_midstream`` the start is missing:
    a message may begin with any piece of data that comes. ``after`` is what came before on the same
    streams, the client's first: then its word on who is the client holds, and what is not decoded
    has rows. With ``shows_records`` TLS has a record for each of its own. With ``keys`` it is
    decrypted, and what it carries is found anew; ``depth`` says how often something else was.
    ``peers`` tells whose requests these are, if they are to say so.
    """

    def __init__(
        self,
        streams: tuple[ByteStream[Record], ByteStream[Record]],
        *,
        connection: int,
        client: Callable[[], ByteStream[Record]],
        keep_data: bool,
        shows_records: bool = False,
        is_midstream: bool = False,
        decided: Callable[[ByteStream[Record]], None] = lambda client: None,
        after: Switch | None = None,
        keys: KeySource | None = None,
        tls_tap: TlsTap | None = None,
        depth: int = 0,
        account: Account | None = None,
        wants: Wants = EVERYTHING,
        peers: Callable[[], Peers] | None = None,
    ) -> None:
        self._wants = wants
        self._peers = peers
        self.is_midstream = is_midstream
        self.account = Account(Memory()) if account is None else account
        """What all that is spoken holds is charged to it."""
        self._keys = keys
        self._tls_tap = tls_tap
        self._depth = depth
        self._connection = connection
        self.client_below = client
        """Tells which stream is the client's, as far as the layer below knows."""
        self._keep_data = keep_data
        self._shows_records = shows_records
        self._decided = decided
        self._after = after
        self._client: ByteStream[Record] | None = None
        self._name = "unknown"
        self.responses: ResponseSide | None = None
        """What reads a server's HTTP/1."""
        self._answers: Receiver[Record] | None = None  # what reads a server's frames
        self._inner: ApplicationProtocol | None = None
        self._tls: TlsConnection | None = None
        starts = tuple(stream.origins.size for stream in streams) if after is None else after.starts
        self.waiting = [
            ProtocolDetector(self, stream, start)
            for stream, start in zip(streams, starts, strict=True)
        ]
        """Those of streams of which it is not known what they hold."""
        for waiting in self.waiting:
            waiting.stream.receiver = waiting

    @property
    def name(self) -> str:
        """``http/1.1``, ``websocket``, ``http/2``, ``tls``; ``unknown`` until it is decided.

        After a switch it is what follows, if that is known.
        """
        for inner in (self._inner, self._tls):
            if inner is not None and (name := inner.name) != "unknown":
                return name
        if self._name == "starttls":
            return "unknown"
        return self._name if self.responses is None else self.responses.protocol

    @property
    def client(self) -> ByteStream[Record]:
        """What the client sent: by its bytes, or else by what the layer below knows."""
        return self.client_below() if self._client is None else self._client

    @property
    def midstream(self) -> Midstream:
        """Who begins where the start is missing."""
        from .midstream import Midstream  # most captures have the start of what they hold

        return Midstream(self)

    def settle(self, name: str, client: ByteStream[Record]) -> None:
        """Decide what is spoken, and which stream is the client's."""
        self._name = name
        self._client = client
        self._decided(client)

    def take_waiting(self) -> tuple[ProtocolDetector, ProtocolDetector]:
        """Return both detectors, the client's first: none of them waits any more."""
        first, second = self.waiting
        self.waiting = []
        return (first, second) if first.stream is self.client else (second, first)

    def look_for_preface(self, new: int) -> list[Record] | None:
        """Go on after what both sides have said before another protocol; None if that is nothing.

        ``new`` bytes have come since.
        """
        from .negotiation import find_preface  # nearly all streams begin as HTTP or TLS does

        for client, server in (self.waiting, self.waiting[::-1]):
            if client.stream is self.client_below() or self._after is None:
                found = find_preface(bytes(client.first), bytes(server.first), new)
                if found is not None and server.is_at(found.server):
                    return self._follow(found, client, server)
        for client, server in (self.waiting, self.waiting[::-1]):
            if client.is_headless and client.stream is self.client_below():
                from ..http2.resume import is_beginning

                if is_beginning(server.first):
                    return self.decide("http/2", client.stream)
        return None

    def _follow(
        self, found: Preface, client: ProtocolDetector, server: ProtocolDetector
    ) -> list[Record]:
        """Recognise anew what follows a preface."""
        self.settle(found.protocol, client.stream)
        self.waiting = []
        detail = f"{found.text}: {found.refusal}" if found.refusal else found.text
        start = server.start
        server.said.append(diagnose(found.code, start, start + found.server, detail))
        client.drop(found.client)
        server.drop(found.server)
        self._switch(
            found.text, self._next_exchange, self._next_exchange, (client.start, server.start)
        )
        return client.replay() + server.replay()

    @property
    def gives_up_early(self) -> bool:
        """Whether one side's first bytes, if they mean nothing, tell that nobody knows them."""
        return self._after is not None

    def give_up(self) -> list[Record]:
        """Decide that nobody knows what it is."""
        return self.decide("unknown", self.client)

    def decide(
        self, name: str, client: ByteStream[Record], recognised: ByteStream[Record] | None = None
    ) -> list[Record]:
        """Give both streams their receivers; the protocol was seen in what was ``recognised``."""
        if self._after is not None and client is not self.client_below():
            # It is spoken the other way round: whose stream is whose has been said already.
            name, client = "unknown", self.client_below()
        self.settle(name, client)
        asked, answered = self.take_waiting()
        if name == "http/1.1":
            return self._speak_http(asked, answered, recognised)
        if name == "http/2" and recognised is not answered.stream:
            return self._speak_http2(asked, answered)
        for detector in (asked, answered):
            detector.stream.receiver = self._unread(detector)
        if name in NAMES and recognised is client:
            usual, choose = answered.stream.receiver, partial(self._read_reply, answered)
            answered.stream.receiver = FirstBytes(answered.stream, usual, choose)
        return asked.replay() + answered.replay()

    def _speak_http(
        self,
        asked: ProtocolDetector,
        answered: ProtocolDetector,
        recognised: ByteStream[Record] | None,
    ) -> list[Record]:
        # The requests first: their methods say how the responses are framed.
        requests, responses = self.http_sides(asked, answered)
        asked.stream.receiver, answered.stream.receiver = requests, responses
        self.responses = responses
        if recognised is asked.stream and not self.is_midstream:
            choose = partial(self._read_reply, answered)
            answered.stream.receiver = FirstBytes(answered.stream, responses, choose)
        records: list[Record] = []
        for detector, side in ((asked, requests), (answered, responses)):
            if self.is_midstream and detector.stream is not recognised:
                # It may begin inside a message: as after a gap, go on at the next sure start.
                records += side.pass_over(0)
            records += detector.replay()
        return records

    def _speak_http2(self, asked: ProtocolDetector, answered: ProtocolDetector) -> list[Record]:
        """Decode frames: the client's preface was seen."""
        client, server = self.http2_sides(asked, answered, is_first=True)
        asked.stream.receiver, self._answers = client, server
        choose = partial(self._read_reply, answered)
        answered.stream.receiver = FirstBytes(answered.stream, server, choose)
        return asked.replay() + answered.replay()

    def http2_sides(
        self, asked: ProtocolDetector, answered: ProtocolDetector, *, is_first: bool
    ) -> tuple[Http2Side, Http2Side]:
        """Return the receivers of frames of both sides; with ``is_first`` the client's first frame
        is the first that there is."""
        from .http2_side import http2_sides  # with all that reads frames: few captures have any

        return http2_sides(
            (asked.stream, answered.stream),
            (self.writer(asked.stream), self.writer(answered.stream)),
            (asked.start, answered.start),
            self._next_exchange,
            self._speak_in_tunnel,
            is_first=is_first,
        )

    def http_sides(
        self, asked: ProtocolDetector, answered: ProtocolDetector
    ) -> tuple[RequestSide, ResponseSide]:
        """Return the receivers of requests and of responses."""
        requests = RequestSide(
            asked.stream,
            self.writer(asked.stream),
            RequestDecoder(asked.start, keep_data=self._keep_data, account=self.account),
            self._next_exchange,
        )
        responses = ResponseSide(
            answered.stream,
            self.writer(answered.stream),
            ResponseDecoder(answered.start, keep_data=self._keep_data, account=self.account),
            requests,
            self._switch_http,
        )
        return requests, responses

    def _read_reply(
        self, answered: ProtocolDetector, found: str, head: bytes
    ) -> tuple[Receiver[Record], list[Record]]:
        """Return the receiver of a server's bytes, which begin as ``found`` does.

        Where the client speaks something else, they are read by themselves.
        """
        if self.responses is not None and found in ("http/1.1", "unknown"):
            return self.responses, []
        if found in (self._name, "unknown"):
            return self._answers or self._unread(answered), []
        start, exchange = answered.start, self._next_exchange
        writer = self.writer(answered.stream)
        fault = diagnose(
            "protocol-mismatch", start, start + len(head), mismatch_text(self._name, found, head)
        )
        said: list[Record] = [writer.diagnostic(fault, exchange)]
        if found != "http/1.1":
            return RawSide(writer, start, exchange), said
        requests = RequestSide(
            answered.stream.peer,
            self.writer(answered.stream.peer),
            RequestDecoder(keep_data=self._keep_data, account=self.account),
            exchange,
        )
        decoder = ResponseDecoder(start, keep_data=self._keep_data, account=self.account)
        decoder.expect(b"GET", False)  # it answers what it took for a request
        return ResponseSide(answered.stream, writer, decoder, requests, self._switch_http), said

    def _unread(self, detector: ProtocolDetector) -> Receiver[Record]:
        """Return the receiver of what is not decoded: with rows after a switch, else without."""
        usual = self.usual(detector)
        return self.tls_side(detector, usual) if self._name == "tls" else usual

    def usual(self, detector: ProtocolDetector) -> Successor:
        """Return what takes the bytes of one side if nobody else does."""
        writer, after = self.writer(detector.stream), self._after
        if after is None:
            return Ignored(writer, detector.start)
        said = NAMES[self._name] + " " if self._name in NAMES else ""
        return RawSide(writer, detector.start, after.exchange, f"{said}after {after.what}")

    def tls_side(self, detector: ProtocolDetector, usual: Successor) -> TlsSide:
        """Return the receiver of one side's TLS; ``usual`` takes what turns out to be none."""
        from .tls import TlsConnection  # hardly ever needed where HTTP is spoken

        if self._tls is None:
            keys = self._keys
            if keys is not None and (self._depth >= limits.MAX_SWITCHES or not keys.is_possible):
                keys = None
            self._tls = TlsConnection(
                self._connection,
                self.exchange_below,
                shows_records=self._shows_records,
                opened=self._wants.opened,
                keys=keys,
                recognise=self._open_tls,
                account=self.account,
            )
        stream = detector.stream
        return self._tls.side(stream, self.writer(stream), detector.start, usual)

    def _open_tls(
        self, streams: tuple[ByteStream[Record], ByteStream[Record]], is_midstream: bool
    ) -> ApplicationProtocol:
        """Recognise what TLS carries, the client's stream first."""
        if self._tls_tap is not None:
            streams = listened(streams, self._tls_tap(self._connection, streams))
        before = None if self._after is None else replace(self._after, starts=(0, 0))
        return self._recognise(before, streams, is_midstream)

    @property
    def exchange_below(self) -> int | None:
        """The exchange in whose tunnel this is, None if it is in none."""
        return None if self._after is None else self._after.exchange

    def last_words(self, last: Completion) -> list[Record]:
        """Return what is to be said of what was spoken, once it is over with the packet ``last``.

        That is of TLS, which may begin after a switch.
        """
        said: list[Record] = [] if self._tls is None else self._tls.last_words(last)
        return said if self._inner is None else said + self._inner.last_words(last)

    @property
    def _next_exchange(self) -> int:
        return 0 if self._after is None else self._after.next_exchange

    def _switch_http(self, what: str, exchange: int, starts: tuple[int, int]) -> None:
        if what.lower() == H2C:
            self._switch_to_http2(exchange, starts)
        else:
            self._switch(what, exchange, exchange + 1, starts)

    def _switch_to_http2(self, exchange: int, starts: tuple[int, int]) -> None:
        """Decode frames after 101: the request was the first stream's (RFC 7540 section 3.2)."""
        from .http2_side import http2_sides

        asked = self.client
        streams = asked, asked.peer
        writers = self.writer(asked), self.writer(asked.peer)
        client, server = http2_sides(
            streams, writers, starts, exchange + 1, self._speak_in_tunnel, is_first=True
        )
        client.begin(1, exchange)
        asked.receiver, asked.peer.receiver = client, server
        assert self.responses is not None
        self.responses.protocol = "http/2"

    def _switch(
        self, what: str, exchange: int, next_exchange: int, starts: tuple[int, int]
    ) -> None:
        """Recognise anew what both streams carry from ``starts`` on: a switch was agreed on."""
        streams = self.client, self.client.peer
        self._inner = self._recognise(Switch(what, exchange, next_exchange, starts), streams)

    def _speak_in_tunnel(
        self, streams: tuple[ByteStream[Record], ByteStream[Record]], what: str
    ) -> ApplicationProtocol:
        """Recognise what is in a tunnel through one stream of HTTP/2."""
        return self._recognise(Switch(what, 0, 1, (0, 0)), streams)

    def _recognise(
        self,
        switch: Switch | None,
        streams: tuple[ByteStream[Record], ByteStream[Record]],
        is_midstream: bool = False,
    ) -> ApplicationProtocol:
        """Recognise what two streams carry, the client's first, after a switch or in TLS."""
        depth = self._depth + 1
        inner = ApplicationProtocol(
            streams,
            connection=self._connection,
            client=lambda: streams[0],
            keep_data=self._keep_data,
            shows_records=self._shows_records,
            is_midstream=is_midstream,
            after=switch,
            keys=self._keys,
            tls_tap=self._tls_tap,
            depth=depth,
            account=self.account,
            wants=self._wants,
            peers=self._peers,
        )
        if depth > limits.MAX_SWITCHES:
            inner.give_up()
        return inner

    def let_go(self) -> None:
        """Keep no receiver: what follows is not decoded."""
        if self._inner is not None:
            self._inner.let_go()
        self._name, self.responses, self._answers, self.waiting = self.name, None, None, []

    def writer(self, stream: ByteStream[Record]) -> RecordWriter:
        """Return what writes the records of one of the streams."""
        sender: Sender = "client" if stream is self.client else "server"
        return RecordWriter(
            self._connection,
            sender,
            stream.origins,
            self._keep_data,
            stream.layer,
            account=self.account,
            wants=self._wants,
            peers=UNKNOWN if self._peers is None or sender != "client" else self._peers(),
        )
