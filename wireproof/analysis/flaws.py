"""What is not whole about the end of a response: one definition, for assertions and verdicts.

Strategy: a list of things that make an end unclean, each looked for in an exchange and the faults
that its decoder found; all that are found are named, for one often explains another. Their order is
that of layers: the message, its framing, its coding, its elements, its connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from parsers.records import BodyRecord, ConnectionRecord, DiagnosticRecord, ResponseRecord

from ..exchange import Exchange
from ..heads import is_final
from ..text.escape import preview
from ..text.wording import body_end, connection_end, is_ended_by_fin_alone, recorded_end

BODILESS = ("none", "upgrade")
"""How responses are framed that have no body to end."""
CUTS = frozenset(
    (
        *("no-response", "no-final-response", "head-cut", "content-length-short"),
        *("inside-chunk", "no-last-chunk", "body-cut", "truncated"),
    )
)
"""Flaws of a message that its framing did not end."""
CUT_BY = frozenset(("close", "reset", "goaway", "rst-stream", "connection-close", "reset-stream"))
"""``ended_by`` of bodies that somebody ended early."""
NOT_CAPTURED = "not-captured"
"""The flaw of a message that ended by itself, and of which the capture lacks something."""
MALFORMED = (
    "http2-trailers-invalid", "http2-pseudo-field-invalid", "http2-field-invalid",
    "http2-connection-field", "http2-content-length-wrong", "http2-content-unexpected",
    "http3-message-malformed",
)  # fmt: skip
"""Faults of fields; a Content-Length that is not the content's, and those of trailers,
make a message malformed that has ended (RFC 9113 8.1.1)."""
SURPLUS = ("http-surplus", "http-data-after-close")
"""Faults of bytes after a message that is complete."""
ELEMENT_CUTS = {
    "json-value-unfinished": "value",
    "aws-message-cut": "message",
    "grpc-message-cut": "message",
}
"""Faults of content that ends inside one of its elements, and what those are called."""
SURPLUS_WIDTH = 200
"""Cells of what is said of surplus bytes."""
_COUNTS = re.compile(r"([\d,]+) of ([\d,]+) (?:payload )?bytes?|([\d,]+) bytes? (?:are )?to come")


class Flaw(NamedTuple):
    """Something that is not whole."""

    code: str
    """Stable, kebab-case."""
    summary: str
    """A clause, without packets of a connection: those are shown beside it."""
    packet: int = 0
    """Which shows it; 0 if none does."""


def find_flaws(
    about: Exchange, faults: Sequence[DiagnosticRecord], *, is_lacking: bool = False
) -> Iterator[Flaw]:
    """Yield what is not whole about the end of an exchange that is no WebSocket.

    ``is_lacking``: the capture lacks bytes of the answer, so what did not come may have come.
    """
    yield from _of_message(about, faults, is_lacking)
    if faults:
        yield from _of_content(faults)
    connection = about.connection
    if connection is not None and connection.close == "reset" and not _had_left(about, connection):
        said = f"the connection was {connection_end(connection)}"
        yield Flaw("connection-reset", said, connection.last_packet)


def _had_left(about: Exchange, connection: ConnectionRecord) -> bool:
    """Whether a client took the whole body, closed with FIN, and its RST only refuses what came
    after: the server's close_notify or GOAWAY, say (RFC 9293 section 3.6.1)."""
    body, fin = about.response_body, connection.client_fin
    return (
        connection.closed_by == "client"
        and fin is not None
        and fin < connection.last_packet
        and body is not None
        and body.complete
        and body.last_packet < fin
    )


def _of_message(
    about: Exchange, faults: Sequence[DiagnosticRecord], is_lacking: bool
) -> Iterator[Flaw]:
    response, body = about.response, about.response_body
    if response is None:
        said = "no response was recorded" if is_lacking else "there was no response"
        yield Flaw("no-response", said)
    elif not is_final(response):
        came = "was recorded" if is_lacking else "came"
        yield Flaw("no-final-response", f"no final response {came} after {response.status}")
    elif about.is_bodiless and response.framing not in BODILESS:
        return  # all of it has come, whether END_STREAM did or not
    elif body is not None:
        yield from _of_body(response, body, faults, is_lacking)
    elif response.framing not in BODILESS:
        yield Flaw("still-open", "the body had not ended when the capture did")
    elif _first(faults, ("http-message-cut",)):
        yield Flaw("head-cut", "the head of the response is cut: its body is unknown")
    elif response.framing == "none" and not about.is_bodiless and is_delimited_by_text(response):
        yield Flaw("end-unknown", "where the body ends cannot be known")


def is_delimited_by_text(response: ResponseRecord) -> bool:
    """Whether only its head can say where a message ends, as in HTTP/1: later ones have frames."""
    return response.version.startswith("HTTP/1")


def _of_body(
    response: ResponseRecord,
    body: BodyRecord,
    faults: Sequence[DiagnosticRecord],
    is_lacking: bool,
) -> Iterator[Flaw]:
    malformed = find_malformed(faults)
    if body.ended_by == "end-stream":
        if malformed and not body.complete:
            said = (
                f"the response is malformed: {preview(malformed.summary, 'utf-8', SURPLUS_WIDTH)}"
            )
            yield Flaw("malformed", said, malformed.last_packet)
        elif not body.complete:  # then it is the capture that is not
            yield Flaw(NOT_CAPTURED, f"the body is {recorded_end(body)}", body.last_packet)
    elif not body.complete:
        end = recorded_end(body) if is_lacking else body_end(body)
        yield Flaw(_cut(response, faults), f"the body is {end}", body.last_packet)
    elif is_ended_by_fin_alone(body):
        said = f"nothing but the end of the connection ended the body, which is {body_end(body)}"
        yield Flaw("close-delimited", said, body.last_packet)


def find_malformed(faults: Sequence[DiagnosticRecord]) -> DiagnosticRecord | None:
    """Return the fault that makes a response malformed, None if none does."""
    return _first(faults, MALFORMED)


def _cut(response: ResponseRecord, faults: Sequence[DiagnosticRecord]) -> str:
    """Return how a body is cut that is not complete."""
    if _first(faults, ("http2-truncated",)):
        return "truncated"
    if _first(faults, ("http-body-cut",)):
        # What the end of the connection delimits is cut too, by a reset or without close_notify.
        return "content-length-short" if response.framing == "content-length" else "body-cut"
    if fault := _first(faults, ("chunk-last-missing",)):
        return "inside-chunk" if _COUNTS.search(fault.summary) else "no-last-chunk"
    return "body-cut"


def _of_content(faults: Sequence[DiagnosticRecord]) -> Iterator[Flaw]:
    if fault := _first(faults, SURPLUS):
        shown = preview(fault.summary, "utf-8", SURPLUS_WIDTH)
        yield Flaw("surplus", f"{shown} (packet {fault.last_packet})", fault.last_packet)
    if fault := _first(faults, ("content-coding-cut",)):
        said = f"{fault.summary} (packet {fault.last_packet})"
        yield Flaw("coding-cut", said, fault.last_packet)
    if fault := _first(faults, ("sse-event-unfinished",)):
        said = f"the stream ends inside an event (packet {fault.last_packet})"
        yield Flaw("event-cut", said, fault.last_packet)
    if fault := _first(faults, tuple(ELEMENT_CUTS)):
        said = f"the stream ends inside a {ELEMENT_CUTS[fault.code]} (packet {fault.last_packet})"
        yield Flaw("element-cut", said, fault.last_packet)


def is_cut_early(about: Exchange) -> bool:
    """Whether somebody ended an answer early, by what is known of its body."""
    body = about.response_body
    return body is not None and not body.complete and body.ended_by in CUT_BY


def missing_bytes(faults: Sequence[DiagnosticRecord]) -> int | None:
    """Return how many bytes are owed of the chunk, frame or counted body that is cut.

    None if nothing counts them: between chunks, and where only a close ends the body.
    """
    fault = _first(faults, ("http-body-cut", "chunk-last-missing", "websocket-frame-cut"))
    found = _COUNTS.search(fault.summary) if fault else None
    if found is None:
        return None
    arrived, announced, left = (int((one or "0").replace(",", "")) for one in found.groups())
    return left or announced - arrived


def announced_bytes(fault: DiagnosticRecord) -> int:
    """Return how many bytes a frame or chunk has that is cut, 0 if that is not known."""
    found = _COUNTS.search(fault.summary)
    return int(found[2].replace(",", "")) if found is not None and found[2] else 0


def _first(faults: Sequence[DiagnosticRecord], codes: Sequence[str]) -> DiagnosticRecord | None:
    """Return the server's first fault of these."""
    found = (fault for fault in faults if fault.code in codes and fault.sender == "server")
    return next(found, None)
