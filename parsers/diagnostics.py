"""Every fault that wireproof can name: one registry, and the event that reports one.

A fault never ends a decode. It becomes a :class:`Diagnostic` with its place, and decoding goes
on as far as framing allows.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from .provenance import Element

Severity = Literal["note", "warning", "error"]


class Fault(NamedTuple):
    """One row of the registry."""

    severity: Severity
    """``note``: legal, but worth knowing. ``warning``: the capture or a peer deviates, and what
    it means is certain. ``error``: something is lost, wrong, or read differently by others."""
    summary: str
    reference: str
    """The rule: ``RFC 9112 section 7.1``; empty where no standard has one."""


class Diagnostic(Element, frozen=True):
    """A fault at [start, end) of a decoder's input."""

    start: int
    end: int
    code: str
    """A key of :data:`FAULTS`."""
    summary: str

    @property
    def severity(self) -> Severity:
        return FAULTS[self.code].severity

    @property
    def reference(self) -> str:
        return FAULTS[self.code].reference


def diagnose(code: str, start: int, end: int, detail: str = "") -> Diagnostic:
    """Return the diagnostic ``code`` for [start, end); ``detail`` says what was found.

    Raises KeyError for a code that is not registered.
    """
    summary = FAULTS[code].summary
    return Diagnostic(start, end, code, f"{summary}: {detail}" if detail else summary)


def amount(number: int, thing: str) -> str:
    """Return ``1 byte``, ``2,000 bytes``, for a message; things are words that take an s."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def excerpt(data: bytes, length: int = 60) -> str:
    """Return the beginning of ``data`` as a bytes literal without its b, for a message."""
    shown = repr(data[:length])[1:]
    return f"{shown}... ({len(data):,} bytes)" if len(data) > length else shown


FAULTS: dict[str, Fault] = {
    # --- capture files (pcap, pcapng, compressed) ---
    "capture-cut": Fault("warning", "the capture file ends inside a record", "pcapng section 4"),
    "capture-damaged": Fault("error", "the capture file is damaged", "pcapng section 3"),
    "capture-file-missing": Fault("warning", "files between those of one recorder are missing", ""),
    "capture-unsupported": Fault("error", "this part of the capture file cannot be read", ""),
    "capture-order": Fault("note", "the time of packets goes back", ""),
    "link-type-unknown": Fault("warning", "packets of this link type are skipped", ""),
    "link-type-wrong": Fault(
        "warning", "packets are not of the link type that the capture declares", ""
    ),
    "packets-captured-twice": Fault(
        "note", "packets were captured twice: they are copies", "RFC 6864 section 4.1"
    ),
    "packets-not-decoded": Fault("note", "packets were not decoded", ""),
    "packet-cut": Fault("note", "the capture holds only the beginning of packets", ""),
    # --- live recordings ---
    "packets-dropped": Fault("error", "the kernel had no room for packets", ""),
    "tcp-midstream": Fault(
        "note", "it began before the recording: decoding begins with its next message", ""
    ),
    "packets-late": Fault("note", "packets wait to be decoded", ""),
    "packets-skipped": Fault("error", "packets came faster than they could be decoded", ""),
    # --- all connections together ---
    "memory-limit": Fault(
        "warning", "memory was spent, and what this connection held was let go", ""
    ),
    # --- IP ---
    "ip-malformed": Fault("error", "the IP header is malformed", "RFC 791 section 3.1"),
    "ip-fragment-overlap": Fault("error", "IP fragments overlap", "RFC 5722 section 4"),
    "ip-fragment-missing": Fault(
        "error", "a fragmented IP packet is incomplete", "RFC 791 section 3.2"
    ),
    "tunnel-depth": Fault("warning", "tunnels in tunnels, too many to follow", ""),
    # --- ICMP ---
    "icmp-unreachable": Fault(
        "warning",
        "ICMP: a packet of this connection could not be delivered",
        "RFC 1122 section 3.2.2.1",
    ),
    "icmp-too-big": Fault(
        "warning", "ICMP: a packet of this connection is too big for its path", "RFC 1191 section 3"
    ),
    "icmp-time-exceeded": Fault(
        "warning", "ICMP: a packet of this connection exceeded its time to live", "RFC 792"
    ),
    # --- TCP ---
    "tcp-malformed": Fault("error", "the TCP header is malformed", "RFC 9293 section 3.1"),
    "tcp-checksum-wrong": Fault(
        "warning", "a segment with a wrong checksum was ignored", "RFC 9293 section 3.1"
    ),
    "tcp-checksum-overruled": Fault(
        "note",
        "a segment with a wrong checksum was acknowledged, and is taken",
        "RFC 9293 section 3.1",
    ),
    "tcp-signature-unexpected": Fault(
        "warning",
        "a segment that is signed where its connection is not, or not where it is, was ignored",
        "RFC 2385 section 2.0",
    ),
    "tcp-overlap-conflict": Fault(
        "error", "segments disagree about the same bytes", "RFC 9293 section 3.10.7.4"
    ),
    "tcp-urgent-data": Fault(
        "warning", "urgent data: the application may have read the stream without it", "RFC 6093"
    ),
    "tcp-data-after-fin": Fault("warning", "data after FIN was ignored", "RFC 9293 section 3.6"),
    "tcp-reset-ignored": Fault(
        "warning", "a reset outside the expected sequence was ignored", "RFC 5961 section 3.2"
    ),
    "tcp-syn-ignored": Fault(
        "warning", "a SYN inside an established connection was ignored", "RFC 5961 section 4.2"
    ),
    "tcp-answer-ignored": Fault(
        "warning", "a segment that is no answer to the SYN was ignored", "RFC 9293 section 3.10.7.3"
    ),
    "tcp-no-ack-flag": Fault(
        "warning", "a segment without ACK was ignored", "RFC 9293 section 3.10.7.4"
    ),
    "tcp-direction-missing": Fault(
        "note", "only one direction of this connection is in the capture", ""
    ),
    "tcp-data-crossed-fin": Fault(
        "warning",
        "a request came after the server had closed: no answer can follow",
        "RFC 9112 section 9.5",
    ),
    "tcp-reassembly-limit": Fault("error", "too many bytes wait behind a hole", ""),
    "tcp-connection-limit": Fault(
        "warning", "too many open connections: the oldest was closed", ""
    ),
    "tcp-connection-silent": Fault(
        "note", "no packets for so long that it is no longer followed", "RFC 5382 section 5"
    ),
    # --- HTTP/1.1 messages ---
    "http-start-line-invalid": Fault(
        "error", "this is not a request line or status line", "RFC 9112 section 2.1"
    ),
    "http-version-unsupported": Fault("error", "not HTTP/1.x", "RFC 9112 section 2.3"),
    "http-bare-lf": Fault("warning", "a line ends with LF alone", "RFC 9112 section 2.2"),
    "http-bare-cr": Fault("error", "CR without LF inside a line", "RFC 9112 section 2.2"),
    "http-leading-empty-line": Fault(
        "note", "an empty line before the start line was skipped", "RFC 9112 section 2.2"
    ),
    "http-response-leading-empty-line": Fault(
        "error", "an empty line before the status line", "RFC 9112 section 2.2"
    ),
    "http-status-invalid": Fault(
        "warning", "the status code is of no class from 1xx to 5xx", "RFC 9110 section 15"
    ),
    "http-target-invalid": Fault(
        "warning", "the request target is malformed", "RFC 9112 section 3.2"
    ),
    "http-obs-fold": Fault("warning", "a field line is folded", "RFC 9112 section 5.2"),
    "http-field-invalid": Fault("error", "a field line is malformed", "RFC 9112 section 5"),
    "http-space-before-colon": Fault(
        "error", "white space between field name and colon", "RFC 9112 section 5.1"
    ),
    "http-line-limit": Fault("error", "a line is longer than the limit", ""),
    "http-head-limit": Fault("error", "a message head is longer than the limit", ""),
    "http-field-limit": Fault("error", "a message has more fields than the limit", ""),
    "http-content-length-invalid": Fault(
        "error", "Content-Length is not a number", "RFC 9112 section 6.3"
    ),
    "http-content-length-conflict": Fault(
        "error", "Content-Length values differ", "RFC 9112 section 6.3"
    ),
    "http-content-length-repeated": Fault(
        "warning", "Content-Length is given more than once", "RFC 9112 section 6.3"
    ),
    "http-content-length-forbidden": Fault(
        "warning", "Content-Length where none may be", "RFC 9110 section 8.6"
    ),
    "http-transfer-encoding-and-content-length": Fault(
        "error", "Transfer-Encoding and Content-Length together", "RFC 9112 section 6.1"
    ),
    "http-transfer-encoding-unknown": Fault(
        "warning", "a transfer coding is not known", "RFC 9112 section 6.1"
    ),
    "http-transfer-encoding-invalid": Fault(
        "error", "Transfer-Encoding is malformed", "RFC 9112 section 6.1"
    ),
    "http-transfer-encoding-not-last": Fault(
        "error", "chunked is not the last transfer coding", "RFC 9112 section 6.3"
    ),
    "http-transfer-encoding-empty-element": Fault(
        "warning", "Transfer-Encoding has an empty element", "RFC 9110 section 5.6.1"
    ),
    "http-transfer-encoding-until-close": Fault(
        "note", "the last transfer coding is not chunked: closing ends it", "RFC 9112 section 6.3"
    ),
    "http-transfer-encoding-repeated": Fault(
        "error", "chunked is applied more than once", "RFC 9112 section 6.1"
    ),
    "http-transfer-encoding-forbidden": Fault(
        "error", "Transfer-Encoding where none may be", "RFC 9112 section 6.1"
    ),
    "http-host-invalid": Fault(
        "warning", "a request needs exactly one Host field", "RFC 9112 section 3.2"
    ),
    "http-response-lost": Fault(
        "note", "responses before this one are not in the capture", "RFC 9112 section 9.3"
    ),
    "http-response-unsure": Fault(
        "warning",
        "which request this answers cannot be told: bytes before it are missing",
        "RFC 9112 section 9.3",
    ),
    "http-response-unasked": Fault(
        "warning", "a response without a request", "RFC 9112 section 9.3"
    ),
    "http-pipelining-limit": Fault(
        "note", "more requests wait for their responses than are remembered", ""
    ),
    "http-upgrade-unasked": Fault(
        "error", "101 Switching Protocols without a request to upgrade", "RFC 9110 section 7.8"
    ),
    "http-upgrade-refused": Fault("note", "an upgrade was not granted", "RFC 9110 section 7.8"),
    "http-tunnel-refused": Fault("note", "a tunnel was not granted", "RFC 9110 section 9.3.6"),
    "http-upgrade-limit": Fault("error", "too many bytes wait for the answer to an upgrade", ""),
    "http-surplus": Fault(
        "error", "surplus bytes after a complete message", "RFC 9112 section 6.3"
    ),
    "http-data-after-close": Fault(
        "warning", "data after the message that closes the connection", "RFC 9112 section 9.6"
    ),
    "http-message-cut": Fault("error", "the message ends in its head", "RFC 9112 section 8"),
    "http-body-cut": Fault("error", "the body is incomplete", "RFC 9112 section 8"),
    "http-resynchronised": Fault("note", "decoding goes on at the next place that is certain", ""),
    # --- what a connection speaks ---
    "http-tunnel": Fault("note", "a tunnel from here", "RFC 9110 section 9.3.6"),
    "stream-joined": Fault(
        "note", "the beginning is not in the capture: decoding begins inside the stream", ""
    ),
    "proxy-protocol": Fault("note", "a PROXY protocol header comes first", ""),
    "proxy-protocol-invalid": Fault("error", "a PROXY protocol header is malformed", ""),
    "socks-negotiated": Fault("note", "a SOCKS proxy is a tunnel from here", "RFC 1928 section 6"),
    "socks-refused": Fault(
        "warning", "the SOCKS proxy refused the connection", "RFC 1928 section 6"
    ),
    "starttls-negotiated": Fault("note", "TLS begins inside the connection", "RFC 3207 section 4"),
    "protocol-mismatch": Fault("error", "client and server speak different protocols", ""),
    "switch-not-decoded": Fault(
        "note", "what follows a switch of protocols is not decoded", "RFC 9110 section 7.8"
    ),
    # --- TLS ---
    "tls-record-invalid": Fault(
        "error", "no TLS record begins where one must: borders are lost", "RFC 8446 section 5.1"
    ),
    "tls-record-too-long": Fault(
        "error", "a TLS record is longer than any may be: borders are lost", "RFC 8446 section 5.1"
    ),
    "tls-resynchronised": Fault("note", "records go on at the next place that is certain", ""),
    "tls-hello-invalid": Fault(
        "error", "a hello's lengths contradict one another", "RFC 8446 section 4.1"
    ),
    "tls-hello-limit": Fault("note", "a hello is longer than what is kept of it", ""),
    "tls-alert-fatal": Fault("error", "a fatal alert ends TLS", "RFC 8446 section 6.2"),
    # --- HTTP/2 ---
    "http2-preface-invalid": Fault(
        "error", "the connection preface is wrong (PROTOCOL_ERROR)", "RFC 9113 section 3.4"
    ),
    "http2-frame-too-long": Fault(
        "error",
        "a frame is longer than its receiver takes (FRAME_SIZE_ERROR)",
        "RFC 9113 section 4.2",
    ),
    "http2-frame-cut": Fault("error", "the bytes end inside a frame", "RFC 9113 section 4.1"),
    "http2-resumed": Fault(
        "note", "frames are certain again after missing bytes", "RFC 9113 section 4.1"
    ),
    "http2-content-missing": Fault(
        "note", "the capture lacks content of the stream", "RFC 9113 section 6.1"
    ),
    "http2-frames-missing": Fault(
        "note", "the capture may lack frames of the stream", "RFC 9113 section 4.1"
    ),
    "http2-stream-closed": Fault(
        "error",
        "a frame in a stream that its sender has closed (STREAM_CLOSED)",
        "RFC 9113 section 5.1",
    ),
    "http2-stream-idle": Fault(
        "error", "a frame in a stream that has not begun (PROTOCOL_ERROR)", "RFC 9113 section 5.1"
    ),
    "http2-stream-id-invalid": Fault(
        "error", "a stream's number is wrong (PROTOCOL_ERROR)", "RFC 9113 section 5.1.1"
    ),
    "http2-stream-limit": Fault(
        "warning",
        "too many streams are open: further ones are not followed",
        "RFC 9113 section 5.1.2",
    ),
    "http2-data-invalid": Fault(
        "error", "a DATA frame is malformed (PROTOCOL_ERROR)", "RFC 9113 section 6.1"
    ),
    "http2-headers-invalid": Fault(
        "error", "a HEADERS frame is malformed (PROTOCOL_ERROR)", "RFC 9113 section 6.2"
    ),
    "http2-priority-invalid": Fault(
        "error", "a PRIORITY frame is malformed", "RFC 9113 section 6.3"
    ),
    "http2-rst-stream-invalid": Fault(
        "error", "a RST_STREAM frame is malformed", "RFC 9113 section 6.4"
    ),
    "http2-settings-invalid": Fault(
        "error", "a SETTINGS frame is malformed", "RFC 9113 section 6.5"
    ),
    "http2-setting-invalid": Fault(
        "error", "a setting has a value that it may not have", "RFC 9113 section 6.5.2"
    ),
    "http2-push-promise-invalid": Fault(
        "error",
        "a PUSH_PROMISE frame is malformed or not allowed (PROTOCOL_ERROR)",
        "RFC 9113 section 6.6",
    ),
    "http2-ping-invalid": Fault("error", "a PING frame is malformed", "RFC 9113 section 6.7"),
    "http2-goaway-invalid": Fault("error", "a GOAWAY frame is malformed", "RFC 9113 section 6.8"),
    "http2-window-update-invalid": Fault(
        "error", "a WINDOW_UPDATE frame is malformed", "RFC 9113 section 6.9"
    ),
    "http2-window-exceeded": Fault(
        "error", "DATA exceeds a flow-control window (FLOW_CONTROL_ERROR)", "RFC 9113 section 6.9.1"
    ),
    "http2-window-overflow": Fault(
        "error", "a window is larger than 2^31-1 (FLOW_CONTROL_ERROR)", "RFC 9113 section 6.9.1"
    ),
    "http2-initial-window-overflow": Fault(
        "error",
        "a new initial size makes a window larger than 2^31-1 (FLOW_CONTROL_ERROR)",
        "RFC 9113 section 6.9.2",
    ),
    "http2-continuation-invalid": Fault(
        "error", "a header block is not contiguous (PROTOCOL_ERROR)", "RFC 9113 section 6.10"
    ),
    "http2-continuation-flood": Fault(
        "error", "a header block without end (ENHANCE_YOUR_CALM)", "RFC 9113 section 10.5.1"
    ),
    "http2-header-limit": Fault(
        "error", "a header section is too large: it is not shown", "RFC 9113 section 10.5.1"
    ),
    "http2-fields-unknown": Fault(
        "note",
        "fields refer to what was sent before the capture, or is missing in it",
        "RFC 7541 section 2.3.2",
    ),
    "http2-trailers-invalid": Fault(
        "error", "trailers are malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.1"
    ),
    "http2-content-length-wrong": Fault(
        "error",
        "Content-Length is not the size of the content (PROTOCOL_ERROR)",
        "RFC 9113 section 8.1.1",
    ),
    "http2-field-invalid": Fault(
        "error", "a field is malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.2.1"
    ),
    "http2-connection-field": Fault(
        "error", "a field that only HTTP/1.1 has (PROTOCOL_ERROR)", "RFC 9113 section 8.2.2"
    ),
    "http2-pseudo-field-invalid": Fault(
        "error",
        "a pseudo-header field that may not stand here (PROTOCOL_ERROR)",
        "RFC 9113 section 8.3",
    ),
    "http2-request-incomplete": Fault(
        "error", "a request is malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.3.1"
    ),
    "http2-response-incomplete": Fault(
        "error", "a response is malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.3.2"
    ),
    "http2-connect-invalid": Fault(
        "error", "a CONNECT request is malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.5"
    ),
    "http2-switch-forbidden": Fault(
        "error", "HTTP/2 has no status 101 (PROTOCOL_ERROR)", "RFC 9113 section 8.6"
    ),
    "http2-cancelled": Fault("note", "the client left the stream", "RFC 9113 section 7"),
    "http2-reset": Fault("warning", "the stream was given up", "RFC 9113 section 5.4.2"),
    "http2-refused": Fault(
        "warning",
        "the request was not processed: it is safe to send it again",
        "RFC 9113 section 8.7",
    ),
    "http2-truncated": Fault(
        "error",
        "the response was cut without an error: clients may take it for whole",
        "RFC 9113 section 8.1",
    ),
    "http2-stream-cut": Fault(
        "error", "the connection was closed with the stream open", "RFC 9113 section 5.1"
    ),
    "http2-goaway-error": Fault("warning", "the connection was given up", "RFC 9113 section 6.8"),
    "hpack-block-cut": Fault(
        "error", "a header block ends inside a field (COMPRESSION_ERROR)", "RFC 7541 section 4.1"
    ),
    "hpack-size-update-invalid": Fault(
        "error",
        "a table size update may not stand here (COMPRESSION_ERROR)",
        "RFC 7541 section 4.2",
    ),
    "hpack-index-invalid": Fault(
        "error", "an index that no table has (COMPRESSION_ERROR)", "RFC 7541 section 2.3.3"
    ),
    "hpack-index-zero": Fault(
        "error", "an indexed field without an index (COMPRESSION_ERROR)", "RFC 7541 section 6.1"
    ),
    "hpack-integer-invalid": Fault(
        "error", "an integer is malformed (COMPRESSION_ERROR)", "RFC 7541 section 5.1"
    ),
    "hpack-huffman-invalid": Fault(
        "error", "a string is wrongly coded (COMPRESSION_ERROR)", "RFC 7541 section 5.2"
    ),
    # --- QUIC ---
    "quic-not-decoded": Fault(
        "note", "this is QUIC, and what reads it is not installed", "RFC 9000 section 1"
    ),
    "quic-version-unknown": Fault(
        "note", "QUIC of a version that is not read", "RFC 9000 section 15"
    ),
    "quic-version-negotiation": Fault(
        "note", "the server does not speak the client's version of QUIC", "RFC 9000 section 6"
    ),
    "quic-retry": Fault(
        "note",
        "the server had the client prove its address: the handshake took one more round trip",
        "RFC 9000 section 8.1.2",
    ),
    "quic-early-data": Fault(
        "note",
        "the client sent early data (0-RTT), which others can replay",
        "RFC 9001 section 9.2",
    ),
    "quic-midstream": Fault(
        "note", "the beginning of a QUIC connection was not captured", "RFC 9001 section 5.2"
    ),
    "quic-migration": Fault(
        "note", "the connection goes on between other addresses", "RFC 9000 section 9"
    ),
    "quic-packet-malformed": Fault(
        "warning", "a datagram of QUIC is malformed", "RFC 9000 section 17"
    ),
    "quic-frame-malformed": Fault(
        "error", "a packet's frames are malformed (FRAME_ENCODING_ERROR)", "RFC 9000 section 12.4"
    ),
    "quic-packets-unopened": Fault(
        "warning",
        "packets could not be decrypted with the keys at hand",
        "RFC 9001 section 5.3",
    ),
    "quic-packets-lost": Fault(
        "note", "packets were lost after they had been captured", "RFC 9002 section 6.1"
    ),
    "quic-closed": Fault("note", "the connection was closed", "RFC 9000 section 10.2"),
    "quic-closed-error": Fault(
        "error", "the connection was closed because of an error", "RFC 9000 section 11.1"
    ),
    # --- HTTP/3 ---
    "http3-frames-lost": Fault(
        "error",
        "a frame's beginning is missing: no more of the stream is read",
        "RFC 9114 section 7.1",
    ),
    "http3-frame-cut": Fault(
        "error", "a stream ends inside a frame (H3_FRAME_ERROR)", "RFC 9114 section 7.1"
    ),
    "http3-frame-unexpected": Fault(
        "error", "a frame that may not stand here (H3_FRAME_UNEXPECTED)", "RFC 9114 section 7.2"
    ),
    "http3-message-malformed": Fault(
        "error", "a message is malformed (H3_MESSAGE_ERROR)", "RFC 9114 section 4.1.2"
    ),
    "http3-push": Fault("note", "pushed responses are not read", "RFC 9114 section 4.6"),
    "http3-cancelled": Fault("note", "the client left the stream", "RFC 9114 section 4.1.1"),
    "http3-refused": Fault(
        "warning",
        "the request was not processed: it is safe to send it again",
        "RFC 9114 section 4.1.1",
    ),
    "http3-reset": Fault("warning", "the stream was given up", "RFC 9114 section 4.1.1"),
    "http3-stream-cut": Fault(
        "error", "the connection was closed with the stream open", "RFC 9000 section 10.2"
    ),
    "qpack-failed": Fault("error", "a field section cannot be read", "RFC 9204 section 2.2"),
    # --- chunked transfer coding ---
    "chunk-size-invalid": Fault("error", "chunk-size is not 1*HEXDIG", "RFC 9112 section 7.1"),
    "chunk-size-overflow": Fault("error", "chunk-size is too large", "RFC 9112 section 7.1"),
    "chunk-line-bare-lf": Fault("error", "a chunk line ends with LF alone", "RFC 9112 section 7.1"),
    "chunk-extension-invalid": Fault(
        "error", "a chunk extension is malformed", "RFC 9112 section 7.1.1"
    ),
    "chunk-extension-limit": Fault(
        "error", "chunk extensions are longer than the limit", "RFC 9112 section 7.1.1"
    ),
    "chunk-data-unterminated": Fault(
        "error", "chunk data is not followed by CRLF", "RFC 9112 section 7.1"
    ),
    "chunk-last-missing": Fault(
        "error", "the stream ended without the last chunk", "RFC 9112 section 8"
    ),
    "chunk-data-limit": Fault("note", "a chunk is longer than what is kept of it", ""),
    "chunk-trailer-invalid": Fault(
        "error", "a trailer field is malformed", "RFC 9112 section 7.1.2"
    ),
    "chunk-trailer-limit": Fault("error", "the trailers are longer than the limit", ""),
    "chunk-framing-lost": Fault(
        "error", "chunk borders are lost: no more of this body is decoded", "RFC 9112 section 7.1"
    ),
    # --- content codings ---
    "content-coding-unknown": Fault(
        "warning",
        "a content coding is not known: the content is shown as it is",
        "RFC 9110 section 8.4.1",
    ),
    "content-coding-damaged": Fault(
        "error", "the content cannot be decoded", "RFC 9110 section 8.4"
    ),
    "content-coding-cut": Fault(
        "error", "the content ends inside its coding", "RFC 9110 section 8.4"
    ),
    "content-coding-trailing": Fault(
        "warning", "bytes after the end of the coded content", "RFC 9110 section 8.4"
    ),
    "content-coding-deflate-raw": Fault(
        "warning", "deflate without its zlib wrapper", "RFC 9110 section 8.4.1.2"
    ),
    "content-coding-limit": Fault("error", "decoded content is cut at the limit", ""),
    "content-coding-members": Fault(
        "error",
        "gzip in more than one member: Chromium, curl and httpx read the first one only",
        "RFC 1952 section 2.2",
    ),
    "content-coding-undeclared": Fault(
        "error", "coded content without Content-Encoding", "RFC 9110 section 8.4"
    ),
    "content-chunked-twice": Fault(
        "error",
        "content that is chunked already is chunked again: recipients get chunk lines",
        "RFC 9112 section 6.1",
    ),
    "content-chunked-undeclared": Fault(
        "error",
        "chunk framing in content that is not declared as chunked: recipients get chunk lines",
        "RFC 9112 section 6.1",
    ),
    # --- server-sent events ---
    "sse-utf8-invalid": Fault(
        "warning", "not UTF-8: U+FFFD stands in", "WHATWG HTML section 9.2.5"
    ),
    "sse-line-limit": Fault("error", "a line is longer than the limit", ""),
    "sse-event-limit": Fault("error", "an event is longer than the limit", ""),
    "sse-id-ignored": Fault("warning", "an id with NUL is ignored", "WHATWG HTML section 9.2.6"),
    "sse-retry-ignored": Fault(
        "warning", "retry is not a number and is ignored", "WHATWG HTML section 9.2.6"
    ),
    "sse-field-unknown": Fault("note", "an unknown field is ignored", "WHATWG HTML section 9.2.6"),
    "sse-event-unfinished": Fault(
        "warning",
        "the stream ends inside an event, which is not dispatched",
        "WHATWG HTML section 9.2.6",
    ),
    "sse-charset-wrong": Fault(
        "warning", "text/event-stream with a charset that is not UTF-8", "WHATWG HTML section 9.2.4"
    ),
    "sse-resynchronised": Fault("note", "events go on after missing bytes", ""),
    # --- JSON values one after another ---
    "json-value-invalid": Fault("warning", "a value is not JSON", "RFC 8259 section 2"),
    "json-value-limit": Fault("note", "a value is longer than what is kept of it", ""),
    "json-value-unfinished": Fault("warning", "a value is cut", ""),
    "json-lines-undeclared": Fault(
        "note", "application/json that is several values, one after another", "RFC 8259 section 2"
    ),
    "json-resynchronised": Fault("note", "values go on after missing bytes", ""),
    # --- multipart ---
    "multipart-boundary-invalid": Fault(
        "error", "multipart without a usable boundary parameter", "RFC 2046 section 5.1.1"
    ),
    "multipart-boundary-other": Fault(
        "warning",
        "the boundary in the content is not -- and the boundary parameter",
        "RFC 2046 section 5.1.1",
    ),
    "multipart-boundary-missing": Fault(
        "error",
        "a part contains the header of another: the boundary between them is missing",
        "RFC 2046 section 5.1",
    ),
    "multipart-part-missing": Fault(
        "error", "no boundary came: the content has no parts", "RFC 2046 section 5.1.1"
    ),
    "multipart-header-invalid": Fault(
        "warning", "a part's header field is malformed", "RFC 2046 section 5.1"
    ),
    "multipart-header-limit": Fault("error", "a part's header is longer than the limit", ""),
    "multipart-length-wrong": Fault(
        "warning", "a part's Content-Length is not its length", "RFC 2046 section 5.1.1"
    ),
    "multipart-part-limit": Fault("note", "a part is longer than what is kept of it", ""),
    "multipart-close-missing": Fault(
        "warning", "the content ends without the close delimiter", "RFC 2046 section 5.1.1"
    ),
    "multipart-resynchronised": Fault("note", "parts go on after missing bytes", ""),
    # --- AWS event streams ---
    "aws-prelude-wrong": Fault("error", "a message's prelude is wrong: its length is unknown", ""),
    "aws-crc-wrong": Fault("error", "a message's CRC is not that of its bytes", ""),
    "aws-header-invalid": Fault("error", "a message's headers are malformed", ""),
    "aws-message-cut": Fault("error", "the content ends inside a message", ""),
    "aws-message-missing": Fault("error", "bytes of a message are missing from the capture", ""),
    "aws-resynchronised": Fault("note", "messages go on at the next prelude that is right", ""),
    # --- gRPC-Web ---
    "grpc-flags-invalid": Fault(
        "error", "reserved bits of a message's flags are set: borders are lost", ""
    ),
    "grpc-base64-invalid": Fault("error", "application/grpc-web-text that is not base64", ""),
    "grpc-trailer-invalid": Fault("warning", "a trailer is malformed", ""),
    "grpc-message-limit": Fault("note", "a message is longer than what is kept of it", ""),
    "grpc-message-cut": Fault("error", "the content ends inside a message", ""),
    "grpc-message-missing": Fault("error", "bytes of a message are missing from the capture", ""),
    "grpc-framing-lost": Fault("error", "message borders are lost: no more is decoded", ""),
    # --- WebSocket: opening handshake ---
    "websocket-frame-early": Fault(
        "error",
        "the client sent frames before the 101 Switching Protocols came",
        "RFC 6455 section 4.1",
    ),
    "websocket-key-invalid": Fault(
        "error", "Sec-WebSocket-Key is not 16 bytes in base64", "RFC 6455 section 4.1"
    ),
    "websocket-accept-wrong": Fault(
        "error", "Sec-WebSocket-Accept does not answer the key", "RFC 6455 section 4.2.2"
    ),
    "websocket-version-unsupported": Fault(
        "error", "Sec-WebSocket-Version is not 13", "RFC 6455 section 4.1"
    ),
    "websocket-handshake-invalid": Fault(
        "error", "the opening handshake is malformed", "RFC 6455 section 4.1"
    ),
    "websocket-subprotocol-unasked": Fault(
        "error", "the server chose a subprotocol that was not offered", "RFC 6455 section 4.1"
    ),
    "websocket-extension-unasked": Fault(
        "error", "the server chose an extension that was not offered", "RFC 6455 section 9.1"
    ),
    "websocket-extension-invalid": Fault(
        "error", "extension parameters are malformed", "RFC 7692 section 7.1"
    ),
    "websocket-extension-unknown": Fault(
        "warning",
        "an extension was agreed that is not known: payloads are shown as framed",
        "RFC 6455 section 9.1",
    ),
    # --- WebSocket: frames ---
    "websocket-rsv-set": Fault(
        "error", "a reserved bit is set that no extension defines", "RFC 6455 section 5.2"
    ),
    "websocket-opcode-reserved": Fault("error", "the opcode is reserved", "RFC 6455 section 5.2"),
    "websocket-length-not-minimal": Fault(
        "error", "the payload length is not in its shortest form", "RFC 6455 section 5.2"
    ),
    "websocket-length-invalid": Fault(
        "error", "the most significant bit of the 64-bit length is set", "RFC 6455 section 5.2"
    ),
    "websocket-mask-missing": Fault(
        "error", "a client's frame is not masked", "RFC 6455 section 5.1"
    ),
    "websocket-mask-forbidden": Fault(
        "error", "a server's frame is masked", "RFC 6455 section 5.1"
    ),
    "websocket-control-too-long": Fault(
        "error", "a control frame is longer than 125 bytes", "RFC 6455 section 5.5"
    ),
    "websocket-control-fragmented": Fault(
        "error", "a control frame is fragmented", "RFC 6455 section 5.5"
    ),
    "websocket-continuation-unexpected": Fault(
        "error", "a continuation frame without a message to continue", "RFC 6455 section 5.4"
    ),
    "websocket-continuation-expected": Fault(
        "error", "a new message begins inside a fragmented one", "RFC 6455 section 5.4"
    ),
    "websocket-utf8-invalid": Fault("error", "a text message is not UTF-8", "RFC 6455 section 8.1"),
    "websocket-close-invalid": Fault(
        "error", "a close frame's body is one byte", "RFC 6455 section 5.5.1"
    ),
    "websocket-close-code-invalid": Fault(
        "error", "this close code must not be sent", "RFC 6455 section 7.4.1"
    ),
    "websocket-close-reason-invalid": Fault(
        "error", "the close reason is not UTF-8", "RFC 6455 section 5.5.1"
    ),
    "websocket-data-after-close": Fault(
        "warning", "a frame after the close frame", "RFC 6455 section 5.5.1"
    ),
    "websocket-frame-cut": Fault(
        "error", "the stream ends inside a frame", "RFC 6455 section 7.1.4"
    ),
    "websocket-message-cut": Fault(
        "error", "the stream ends inside a fragmented message", "RFC 6455 section 5.4"
    ),
    "websocket-message-abandoned": Fault(
        "note", "a close frame ends a fragmented message", "RFC 6455 section 5.5.1"
    ),
    "websocket-payload-missing": Fault("error", "the capture lacks bytes of a frame's payload", ""),
    "websocket-frame-limit": Fault("note", "a frame is longer than what is kept of it", ""),
    "websocket-message-limit": Fault("error", "a message is longer than what is kept of it", ""),
    "websocket-fragment-limit": Fault("error", "a message has more fragments than the limit", ""),
    "websocket-framing-lost": Fault("error", "frame borders are lost: no more is decoded", ""),
    # --- WebSocket: permessage-deflate ---
    "websocket-deflate-damaged": Fault(
        "error", "a compressed message cannot be inflated", "RFC 7692 section 7.2.2"
    ),
    "websocket-deflate-limit": Fault("error", "an inflated message is cut at the limit", ""),
    "websocket-window-exceeded": Fault(
        "error", "a message refers further back than was agreed", "RFC 7692 section 7.1.2"
    ),
}
