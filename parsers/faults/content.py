"""Content: its framing in chunks, its codings, and the elements that it is a stream of."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
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
        "error",
        "chunk boundaries are lost: no more of this body is decoded",
        "RFC 9112 section 7.1",
    ),
    # --- content codings ---
    "content-coding-unknown": Fault(
        "warning",
        "an unknown content coding: the content is shown as it is",
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
    "sse-resynchronised": Fault("note", "events resume after missing bytes", ""),
    # --- JSON values one after another ---
    "json-lines-found": Fault(
        "note",
        "the head that says what the content is is missing: each line is a JSON value, so it is"
        " read as JSON lines",
        "",
    ),
    "json-value-invalid": Fault("warning", "a value is not JSON", "RFC 8259 section 2"),
    "json-value-limit": Fault("note", "a value is longer than what is kept of it", ""),
    "json-value-unfinished": Fault("warning", "a value is cut", ""),
    "json-lines-undeclared": Fault(
        "note", "application/json that is several values, one after another", "RFC 8259 section 2"
    ),
    "json-resynchronised": Fault("note", "values resume after missing bytes", ""),
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
    "multipart-resynchronised": Fault("note", "parts resume after missing bytes", ""),
    # --- AWS event streams ---
    "aws-prelude-wrong": Fault("error", "a message's prelude is wrong: its length is unknown", ""),
    "aws-crc-wrong": Fault("error", "a message's CRC is not that of its bytes", ""),
    "aws-header-invalid": Fault("error", "a message's headers are malformed", ""),
    "aws-message-cut": Fault("error", "the content ends inside a message", ""),
    "aws-message-missing": Fault("error", "bytes of a message are missing from the capture", ""),
    "aws-resynchronised": Fault("note", "messages resume at the next valid prelude", ""),
    # --- gRPC-Web ---
    "grpc-flags-invalid": Fault(
        "error", "reserved bits of a message's flags are set: boundaries are lost", ""
    ),
    "grpc-base64-invalid": Fault("error", "application/grpc-web-text that is not base64", ""),
    "grpc-trailer-invalid": Fault("warning", "a trailer is malformed", ""),
    "grpc-message-limit": Fault("note", "a message is longer than what is kept of it", ""),
    "grpc-message-cut": Fault("error", "the content ends inside a message", ""),
    "grpc-message-missing": Fault("error", "bytes of a message are missing from the capture", ""),
    "grpc-framing-lost": Fault("error", "message boundaries are lost until one is certain", ""),
    "grpc-resynchronised": Fault("note", "messages resume where one length leads to the next", ""),
}
