"""HTTP/1.1, and what a connection speaks instead of it."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
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
        "warning", "the status code is not in any class from 1xx to 5xx", "RFC 9110 section 15"
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
        "warning", "Content-Length where it is not allowed", "RFC 9110 section 8.6"
    ),
    "http-transfer-encoding-and-content-length": Fault(
        "error", "Transfer-Encoding and Content-Length together", "RFC 9112 section 6.1"
    ),
    "http-transfer-encoding-unknown": Fault(
        "warning", "an unknown transfer coding", "RFC 9112 section 6.1"
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
        "error", "Transfer-Encoding where it is not allowed", "RFC 9112 section 6.1"
    ),
    "http-host-invalid": Fault(
        "warning", "a request needs exactly one Host field", "RFC 9112 section 3.2"
    ),
    "http-response-lost": Fault(
        "note", "responses before this one are not in the capture", "RFC 9112 section 9.3"
    ),
    "http-response-unsure": Fault(
        "warning",
        "the request that this answers is unknown: bytes before it are missing",
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
    "http-resynchronised": Fault("note", "decoding resumes at the next certain place", ""),
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
}
