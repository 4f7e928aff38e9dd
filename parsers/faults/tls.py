"""TLS."""

from __future__ import annotations

from .fault import Fault

FAULTS: dict[str, Fault] = {
    # --- TLS ---
    "tls-record-invalid": Fault(
        "error", "no TLS record begins where one must: boundaries are lost", "RFC 8446 section 5.1"
    ),
    "tls-record-too-long": Fault(
        "error",
        "a TLS record is longer than any may be: boundaries are lost",
        "RFC 8446 section 5.1",
    ),
    "tls-resynchronised": Fault("note", "records go on at the next place that is certain", ""),
    "tls-hello-invalid": Fault(
        "error", "a hello's lengths contradict one another", "RFC 8446 section 4.1"
    ),
    "tls-hello-limit": Fault("note", "a hello is longer than what is kept of it", ""),
    "tls-alert-fatal": Fault("error", "a fatal alert ends TLS", "RFC 8446 section 6.2"),
}
