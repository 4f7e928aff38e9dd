"""HTTP/2 and HPACK."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
    # --- HTTP/2 ---
    "http2-preface-invalid": Fault(
        "error", "the connection preface is wrong (PROTOCOL_ERROR)", "RFC 9113 section 3.4"
    ),
    "http2-frame-too-long": Fault(
        "error",
        "a frame is longer than its receiver accepts (FRAME_SIZE_ERROR)",
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
    "http2-websocket-found": Fault(
        "note",
        "a head of the stream is missing: it is read as a WebSocket by its frames",
        "RFC 8441 section 5",
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
        "error", "a setting has a value that is not allowed", "RFC 9113 section 6.5.2"
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
    "http2-content-unexpected": Fault(
        "error",
        "content where there can be none (PROTOCOL_ERROR)",
        "RFC 9110 section 6.4.1",
    ),
    "http2-field-invalid": Fault(
        "error", "a field is malformed (PROTOCOL_ERROR)", "RFC 9113 section 8.2.1"
    ),
    "http2-connection-field": Fault(
        "error", "a field that only HTTP/1.1 has (PROTOCOL_ERROR)", "RFC 9113 section 8.2.2"
    ),
    "http2-pseudo-field-invalid": Fault(
        "error",
        "a pseudo-header field that is not allowed here (PROTOCOL_ERROR)",
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
        "the response was cut without an error: clients may take it for complete",
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
        "a table size update is not allowed here (COMPRESSION_ERROR)",
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
}
