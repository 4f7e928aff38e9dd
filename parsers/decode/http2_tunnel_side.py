"""What each direction of an HTTP/2 connection does about tunnels (RFC 9113 section 8.5, RFC 8441).

Strategy: CONNECT and its 2xx open one. Where the request is missing, or waits behind missing bytes,
its answer and what follows are held until one of three tells: the request, if it comes after all;
frames of a WebSocket, so many that chance is ruled out; or content that can be no frame of one.
"""

from __future__ import annotations

from ..diagnostics import diagnose
from ..http1.messages import Request, Response
from ..http2.fields import value_of
from ..http2.hpack import Field
from ..records import Record
from ..websocket.deflate import DeflateParameters
from ..websocket.handshake import agree_extended
from .http2_link import Http2Link
from .http2_message import HeldHead, StreamMessage, request_of, response_of
from .http2_search import WebSocketSearch
from .http2_tunnel import open_tunnel, speak_websocket
from .transport import field_value, transport_of
from .writer import wire_text

_ASKED = request_of(
    [Field(b":method", b"CONNECT"), Field(b":protocol", b"websocket")], 0, 0, "none"
)
"""What is known of a request that is missing once its stream is certain to be a WebSocket."""
_OF_CONTENT = (b"content-type", b"content-length", b"content-encoding")
"""Fields that say that content follows."""


class Http2TunnelSide(Http2Link):
    """One side, and the streams of it that are tunnels or may be."""

    peer: Http2TunnelSide

    # --- both heads are known ---

    def _ask_tunnel(self, stream_id: int, message: StreamMessage) -> None:
        """Keep what a client sends after CONNECT until it is answered."""
        if stream_id in self.tunnels:
            return  # its frames have told so before
        writers = message.writer, self.peer.writer.for_stream(stream_id)
        message.tunnel = open_tunnel(writers, message.exchange, self.states.take_exchange)
        self.tunnels[stream_id] = message.tunnel

    def _switch(
        self, message: StreamMessage, asked: Request, response: Response, records: list[Record]
    ) -> None:
        """Take the content of both sides for another protocol's bytes: CONNECT was granted."""
        client = self.peer.tunnels.get(message.writer.stream_id or 0)
        if client is None:
            return
        message.tunnel = client.other
        start, end = response.start, response.end
        if transport_of(response, asked) == "websocket":
            agreement = agree_extended(asked.headers, response.headers)
            self._report(agreement.faults, start, end, message.owner, records)
            speak_websocket(client, agreement.deflate)
        else:
            target = wire_text(asked.target)
            self._report([("http-tunnel", f"to {target}")], start, end, message.owner, records)
            streams = client, client.other
            client.spoken = client.other.spoken = self._speak(streams, f"CONNECT {target}")
        records += client.begin()

    def _take_answer(
        self, head: HeldHead, message: StreamMessage, asked: Request | None, records: list[Record]
    ) -> Response:
        """Write the final head of a response to ``asked``."""
        fields, start, end, framing = head
        response = response_of(fields, start, end, framing)
        is_connect = asked is not None and asked.method == b"CONNECT"
        if is_connect and 200 <= response.status < 300:
            response = response_of(fields, start, end, "upgrade")
        records += message.begin(response, fields, asked)
        return response

    # --- the request is not known ---

    def _hold(self, head: HeldHead, message: StreamMessage) -> bool:
        """Hold an answer whose request is not known, if it may grant a tunnel; else do nothing."""
        if head.framing == "none" or value_of(head.fields, b":status") != b"200":
            return False
        if any(value_of(head.fields, name) is not None for name in _OF_CONTENT):
            return False
        search = self._search(message)
        if search is not None:
            message.look_for_websocket(search, head)
        return search is not None

    def _search(self, message: StreamMessage) -> WebSocketSearch | None:
        """Look for frames of a WebSocket in what both sides send in a stream, if it may be one."""
        stream_id = message.writer.stream_id or 0
        if message.search is not None or not (self.states.is_partial and stream_id % 2):
            return message.search
        client, server = self._both(stream_id)
        if server is None or server.head is not None or server.has_data:
            return None
        if not self._may_ask(stream_id, client):
            return None
        search = WebSocketSearch()
        for one in (client, server):
            if one is not None:
                one.look_for_websocket(search)
        return search

    def _may_ask(self, stream_id: int, client: StreamMessage | None) -> bool:
        """Whether the request of a stream asks for a WebSocket, or is not known."""
        for side in (self, self.peer):
            if (asked := side.requests.get(stream_id)) is not None:
                return _asks_websocket(asked)
        return client is not None and client.head is None and not client.has_data

    def _both(self, stream_id: int) -> tuple[StreamMessage | None, StreamMessage | None]:
        """Return what is open of a stream, the client's first."""
        both = self.messages.get(stream_id), self.peer.messages.get(stream_id)
        return both if self.writer.sender == "client" else both[::-1]

    def _judge(self, message: StreamMessage, records: list[Record]) -> None:
        """Let what a side has sent tell what its stream is, if it does."""
        search = message.search
        if search is None:
            return
        search.end_frame(self.writer.sender)
        if search.is_refuted or search.is_over:
            self._give_up_search(message, records)
        elif proof := search.proof:
            self._find_websocket(message.writer.stream_id or 0, proof, records)

    def _give_up_search(self, message: StreamMessage, records: list[Record]) -> None:
        """Take what both sides send in a stream for content."""
        for side in (self, self.peer):
            if (one := side.messages.get(message.writer.stream_id or 0)) is not None:
                records += one.as_content()

    def _find_websocket(self, stream_id: int, proof: str, records: list[Record]) -> None:
        """Read both sides of a stream as a WebSocket: their frames prove it."""
        client, server = self, self.peer
        if self.writer.sender == "server":
            client, server = server, client
        asked, answered = client.messages.get(stream_id), server.messages.get(stream_id)
        if asked is not None:
            client._ask_tunnel(stream_id, asked)
        tunnel = client.tunnels.get(stream_id)
        # Where one side has ended, or there is no tunnel for it, nothing is looked for any more.
        assert answered is not None
        assert tunnel is not None
        place = answered.open_offsets[0]
        fault = diagnose("http2-websocket-found", place, place, proof)
        records += server._said(fault, answered.owner)
        if (head := answered.take_held_head()) is not None:
            server._take_answer(head, answered, client.requests.get(stream_id, _ASKED), records)
        answered.tunnel = tunnel.other
        speak_websocket(tunnel, DeflateParameters())  # what was agreed on is not known
        records += tunnel.begin()
        for message in (asked, answered):
            if message is not None:
                records += message.enter_tunnel()

    def _answer_late(self, stream_id: int, asked: Request, records: list[Record]) -> None:
        """Take an answer that was held until ``asked`` came, which it answers."""
        message, other = self.messages.get(stream_id), self.peer.messages.get(stream_id)
        if message is None or other is None or message.search is None:
            return
        if not _asks_websocket(asked):
            self._give_up_search(message, records)
        elif (head := message.take_held_head()) is not None:
            response = self._take_answer(head, message, asked, records)
            self._switch(message, asked, response, records)
            for one in (other, message):
                records += one.enter_tunnel()


def _asks_websocket(request: Request) -> bool:
    """Whether it is an extended CONNECT for a WebSocket (RFC 8441 section 4)."""
    is_connect = request.method == b"CONNECT"
    return is_connect and field_value(request.headers, b":protocol") == b"websocket"
