"""QUIC and HTTP/3."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
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
    "quic-datagrams-joined": Fault(
        "note",
        "several datagrams were captured as one (UDP segmentation offload): they have its time",
        "RFC 9000 section 12.2",
    ),
    "quic-packets-lost": Fault(
        "note", "packets were lost after they had been captured", "RFC 9002 section 6.1"
    ),
    "quic-closed": Fault("note", "the connection was closed", "RFC 9000 section 10.2"),
    "quic-closed-error": Fault(
        "error", "the connection was closed because of an error", "RFC 9000 section 11.1"
    ),
    "quic-streams-blocked": Fault(
        "note",
        "a side had a stream to open and might open no more (STREAMS_BLOCKED)",
        "RFC 9000 section 4.6",
    ),
    # --- HTTP/3 ---
    "http3-frames-missing": Fault(
        "note",
        "the connection was closed with the stream open, and the capture lacks packets of its"
        " sender's: they may have ended it",
        "RFC 9114 section 4.1",
    ),
    "http3-reset-unsure": Fault(
        "note",
        "the capture lacks packets of the client's: it may have asked for the reset (STOP_SENDING)",
        "RFC 9000 section 3.5",
    ),
    "http3-resumed": Fault(
        "note", "frames are certain again after missing bytes", "RFC 9114 section 7.1"
    ),
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
    "qpack-section-unknown": Fault(
        "note",
        "a field section cannot be read: the capture lacks packets, maybe with what it refers to",
        "RFC 9204 section 2.2",
    ),
    "qpack-failed": Fault("error", "a field section cannot be read", "RFC 9204 section 2.2"),
}
