"""From the capture file to TCP: what is said of the recording, and of the network."""

from __future__ import annotations

from .fault import Fault

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
    "tcp-closer-unknown": Fault(
        "note", "who closed the connection first is unknown", "RFC 9293 section 3.6"
    ),
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
        "warning", "a segment that does not answer the SYN was ignored", "RFC 9293 section 3.10.7.3"
    ),
    "tcp-no-ack-flag": Fault(
        "warning", "a segment without ACK was ignored", "RFC 9293 section 3.10.7.4"
    ),
    "tcp-direction-missing": Fault(
        "note", "only one direction of this connection is in the capture", ""
    ),
    "tcp-start-missing": Fault(
        "note", "bytes before the first that were captured are not in the capture", ""
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
}
