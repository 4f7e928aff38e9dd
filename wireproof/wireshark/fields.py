"""Our field names beside Wireshark's: the one table of them.

Each row holds the name in a comparison, Wireshark's field in each range of versions, and where its
value is read in PDML. ``show`` is Wireshark's text; ``value`` is the bytes in hex, which 4.0 gives
rightly also for fields whose text it cuts at a NUL (``http.file_data``) and for chunk sizes.
"""

from __future__ import annotations

from typing import NamedTuple

Version = tuple[int, int, int]
ANY: Version = (0, 0, 0)


class Name(NamedTuple):
    """A Wireshark field, since a version."""

    field: str
    since: Version = ANY


SEGMENT = ("frame.number", "frame.time_epoch", "tcp.stream", "tcp.srcport", "tcp.seq", "tcp.len")
"""What is asked of each TCP packet, in this order. ``tcp.seq`` is relative: SYN is 0."""

TCP_PACKETS = "tcp.stream and not icmp and not icmpv6"
"""The display filter of TCP packets: a header that is cut by the snapshot length has no stream, and
what an ICMP error quotes is another packet's."""

TABLE: dict[str, tuple[Name, ...]] = {
    # --- connection: counted from the segments ---
    "stream": (Name("tcp.stream"),),
    "first_packet": (Name("frame.number"),),
    "last_packet": (Name("frame.number"),),
    "first_time": (Name("frame.time_epoch"),),
    "last_time": (Name("frame.time_epoch"),),
    # --- HTTP/1.1 ---
    "method": (Name("http.request.method"),),
    "target": (Name("http.request.uri"),),
    "request version": (Name("http.request.version"),),
    "version": (Name("http.response.version"),),
    "status": (Name("http.response.code"),),
    "reason": (Name("http.response.phrase"),),
    "request header": (Name("http.request.line"),),
    "response header": (Name("http.response.line"),),
    "content": (Name("http.file_data"),),
    "trailers": (Name("http.chunked_trailer_part"),),
    "size": (Name("http.chunk_size"),),
    "data": (Name("http.chunk_data"),),
    "boundary": (Name("http.chunk_boundary"),),
    # --- WebSocket ---
    "fin": (Name("websocket.fin"),),
    "rsv": (Name("websocket.rsv"),),
    "opcode": (Name("websocket.opcode"),),
    "mask": (Name("websocket.mask"),),
    "masking_key": (Name("websocket.masking_key"),),
    "payload_length": (Name("websocket.payload_length"),),
    "payload_length 16": (Name("websocket.payload_length_ext_16"),),
    "payload_length 64": (Name("websocket.payload_length_ext_64"),),
    "ping": (Name("websocket.payload.ping"),),
    "pong": (Name("websocket.payload.pong"),),
    "continuation": (Name("websocket.payload.continue"),),
    "text": (Name("websocket.payload.text"),),
    "binary": (Name("data.data"),),
    "close_code": (Name("websocket.payload.close.status_code"),),
    "close_reason": (Name("websocket.payload.close.reason"),),
    # --- TLS ---
    "tls record": (Name("tls.record"),),
    "content type": (Name("tls.record.content_type"),),
    "opaque type": (Name("tls.record.opaque_type"),),
    "record length": (Name("tls.record.length"),),
    "handshake type": (Name("tls.handshake.type"),),
    "hello version": (Name("tls.handshake.version"),),
    "supported version": (Name("tls.handshake.extensions.supported_version"),),
    "cipher suite": (Name("tls.handshake.ciphersuite"),),
    "server name": (Name("tls.handshake.extensions_server_name"),),
    "application protocol": (Name("tls.handshake.extensions_alpn_str"),),
    "alert level": (Name("tls.alert_message.level"),),
    "alert": (Name("tls.alert_message.desc"),),
    # --- HTTP/2 ---
    "http2 frame": (Name("http2.stream"),),
    "frame length": (Name("http2.length"),),
    "frame type": (Name("http2.type"),),
    "frame flags": (Name("http2.flags"),),
    "stream id": (Name("http2.streamid"),),
    "field name": (Name("http2.header.name"),),
    "field value": (Name("http2.header.value"),),
    "frame data": (Name("http2.data.data"),),
    "setting id": (Name("http2.settings.id"),),
    "setting header table size": (Name("http2.settings.header_table_size"),),
    "setting enable push": (Name("http2.settings.enable_push"),),
    "setting max concurrent streams": (Name("http2.settings.max_concurrent_streams"),),
    "setting initial window size": (Name("http2.settings.initial_window_size"),),
    "setting max frame size": (Name("http2.settings.max_frame_size"),),
    "setting max header list size": (Name("http2.settings.max_header_list_size"),),
    "setting extended connect": (Name("http2.settings.extended_connect"),),
    "setting unknown": (Name("http2.settings.unknown"),),
    "ping data": (Name("http2.ping"),),
    "pong data": (Name("http2.pong"),),
    "promised stream id": (Name("http2.push_promise.promised_stream_id"),),
    "increment": (Name("http2.window_update.window_size_increment"),),
    "reset": (Name("http2.rst_stream.error"),),
    "goaway": (Name("http2.goaway.error"),),
    "last stream id": (Name("http2.goaway.last_stream_id"),),
    "debug": (Name("http2.goaway.addata"),),
    # --- where it lies ---
    "tcp segments": (Name("tcp.segments"),),
}


def wireshark_name(ours: str, version: Version) -> str:
    """Return what Wireshark of ``version`` calls a field: the newest name that is not newer."""
    return [name.field for name in TABLE[ours] if name.since <= version][-1]


def names(version: Version) -> dict[str, str]:
    """Return our name of each Wireshark field that PDML is read for."""
    return {wireshark_name(ours, version): ours for ours in TABLE}
