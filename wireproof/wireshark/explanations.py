"""Why Wireshark differs from us where it does, as far as we know: a list with conditions.

Strategy: an explanation holds for named versions of tshark and for differences that its condition
describes as closely as both sides' facts allow: what kind of element, which field, who lacks it,
and what in the message is the cause. The first that holds is taken. What no condition describes
stays unexplained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .elements import Element, Value
from .fields import Version

HTTP = frozenset(("request", "response", "chunk"))
CONTENT = frozenset(("content", "trailers", "frame"))

ARRIVAL = frozenset(("first_packet", "last_packet", "first_time", "last_time", "frame"))

CHUNK_FAULTS = frozenset(
    (
        "chunk-size-invalid",
        "chunk-size-overflow",
        "chunk-line-bare-lf",
        "chunk-data-unterminated",
        "chunk-framing-lost",
    )
)
"""Diagnostics after which the borders of chunks are anybody's guess."""

CUT = frozenset(
    (
        "chunk-data-limit",
        "content-coding-limit",
        "memory-limit",
        "websocket-deflate-limit",
        "websocket-frame-limit",
        "websocket-message-limit",
    )
)
"""Diagnostics of what is kept in part."""
CUT_FIELDS = frozenset(("content", "data", "message", "continuation"))


@dataclass(slots=True)
class Difference:
    """A row that is not equal."""

    ours: Element | None
    theirs: Element | None
    field: str
    our: Value
    their: Value

    def is_unseen(self) -> bool:
        """Whether Wireshark shows nothing of the element."""
        return self.ours is not None and self.theirs is None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A limit of Wireshark, or of ours."""

    name: str
    reason: str
    applies: Callable[[Difference], bool]
    since: Version = (4, 0, 0)
    before: Version = (5, 0, 0)
    """The first version for which it does not hold any more, or was not looked at."""

    def versions(self) -> str:
        """Return the versions it holds for, as text."""
        until = "" if self.before == (5, 0, 0) else f", before {_text(self.before)}"
        return f"tshark {_text(self.since)} and later{until}"


def _text(version: Version) -> str:
    return ".".join(map(str, version[:2]))


def _unfinished(found: Difference) -> bool:
    ours = found.ours
    return (
        ours is not None
        and found.is_unseen()
        and ours.kind in HTTP
        and not (ours.facts.complete and "http-message-cut" not in ours.facts.codes)
        and not ours.facts.shown
    )


def _behind_gap(found: Difference) -> bool:
    ours = found.ours
    if ours is None or ours.facts.gap is None:
        return False
    is_behind = ours.facts.in_tls or ours.end > ours.facts.gap
    return found.their is None and is_behind


def _coding_in_capitals(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not ours.facts.transfer_encoding.lower().startswith("chunked"):
        return False
    is_capital = not ours.facts.transfer_encoding.startswith("chunked")
    return is_capital and (
        (ours.kind == "chunk" and found.is_unseen())
        or (ours.kind in HTTP and found.field in CONTENT)
    )


def _folded(found: Difference) -> bool:
    ours = found.ours
    if ours is None or "http-obs-fold" not in ours.facts.codes:
        return False
    return ours.kind in HTTP and (
        found.field.startswith("header ") or found.field in CONTENT or found.is_unseen()
    )


def _malformed_chunks(found: Difference) -> bool:
    element = found.ours or found.theirs
    if element is None or not element.facts.codes & CHUNK_FAULTS:
        return False
    if element.kind == "chunk":
        return found.ours is None or (found.is_unseen() and element.facts.shown)
    return element.kind in HTTP and found.field in CONTENT


def _cut_at_limit(found: Difference) -> bool:
    ours = found.ours
    return ours is not None and found.field in CUT_FIELDS and bool(ours.facts.codes & CUT)


def _fragmented_deflate(found: Difference) -> bool:
    ours = found.ours
    return (
        ours is not None
        and found.field == "message"
        and ours.facts.compressed
        and ours.facts.fragments > 1
    )


def _empty_last_fragment(found: Difference) -> bool:
    ours = found.ours
    return (
        ours is not None
        and found.field == "message"
        and found.their is None
        and ours.facts.fragments > 1
        and ours.values["payload_length"] == 0
    )


def _empty_compressed(found: Difference) -> bool:
    ours = found.ours
    return (
        ours is not None
        and found.field == "message"
        and ours.facts.compressed
        and found.our is None
        and found.their == "\0"
    )


def _subprotocol(found: Difference) -> bool:
    ours = found.ours
    is_hidden = found.field == "message" and found.our is not None and found.their is None
    return ours is not None and bool(ours.facts.subprotocol) and is_hidden


def _moved(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not ours.facts.is_moved:
        return False
    return found.field in ARRIVAL or found.is_unseen()


def _zstd(found: Difference) -> bool:
    ours = found.ours
    return (
        ours is not None
        and found.field == "content"
        and "zstd" in ours.facts.content_encoding.lower()
    )


def _tunnel(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not ours.facts.in_tunnel:
        return False
    return found.is_unseen() or found.field in CONTENT


def _proxy_header(found: Difference) -> bool:
    ours = found.ours
    return ours is not None and ours.facts.after_proxy_header and found.is_unseen()


def _decrypted(found: Difference) -> bool:
    return found.ours is None and found.theirs is not None and found.theirs.facts.in_tls


def _malformed_frame(found: Difference) -> bool:
    element = found.ours or found.theirs
    if element is None or element.kind not in ("http2_frame", "http2_section"):
        return False
    is_faulty = any(code.startswith(("http2-", "hpack-")) for code in element.facts.codes)
    return is_faulty and (found.ours is None or found.our is None)


def _begun_before(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not found.is_unseen() or not ours.facts.midstream:
        return False
    return ours.facts.in_tls or ours.kind in ("tls", "tls_record", "http2_frame", "http2_section")


def _hello_lost(found: Difference) -> bool:
    ours = found.ours
    if ours is None or ours.facts.has_hellos or found.their is not None:
        return False
    return ours.facts.in_tls or ours.kind == "tls"


def _late_secrets(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not ours.facts.late_secrets:
        return False
    return found.is_unseen() and ours.facts.in_tls or (found.field == "alpn" and not found.their)


def _no_handshake_secrets(found: Difference) -> bool:
    ours = found.ours
    if ours is None or not ours.facts.in_tls or not found.is_unseen():
        return False
    return ours.facts.has_hellos and not ours.facts.has_handshake


def _websocket_in_http2(found: Difference) -> bool:
    ours = found.ours
    return ours is not None and ours.facts.stream_id is not None and found.is_unseen()


def _whole_body_again(found: Difference) -> bool:
    ours, theirs = found.ours, found.theirs
    if ours is None or theirs is None or ours.kind != "http2_frame":
        return False
    return found.field == "data" and bool(ours.values.get("end_stream"))


def _after_close(found: Difference) -> bool:
    ours, theirs = found.ours, found.theirs
    if ours is None:
        return theirs is not None and theirs.facts.is_later
    later = ours.facts.later_packets
    if theirs is None or ours.kind != "connection" or not later:
        return False
    if found.field in ("last_packet", "last_time"):
        return theirs.values["packets"] == _count(ours) + later
    return found.field == "packets" and found.their == _count(ours) + later


def _count(connection: Element) -> int:
    packets = connection.values["packets"]
    assert isinstance(packets, int)
    return packets


EXPLANATIONS: tuple[Explanation, ...] = (
    Explanation(
        "unfinished-body",
        "Wireshark shows a message at its last frame; the body has none, so it shows nothing of "
        "it, not even the head",
        _unfinished,
    ),
    Explanation(
        "behind-gap",
        "the capture lacks bytes of this direction before the element's end; Wireshark dissects "
        "nothing after them",
        _behind_gap,
    ),
    Explanation(
        "coding-in-capitals",
        "Wireshark knows the transfer coding only as lower-case 'chunked' and leaves the chunks "
        "in the content (RFC 9112 section 7: names of codings are case-insensitive)",
        _coding_in_capitals,
    ),
    Explanation(
        "obs-fold",
        "Wireshark ends the header section at a folded line and takes the rest for content "
        "(RFC 9112 section 5.2)",
        _folded,
    ),
    Explanation(
        "malformed-chunks",
        "the chunks are malformed (RFC 9112 section 7.1); Wireshark reads a bad size as 0 and any "
        "two bytes as CRLF, and goes on without a word",
        _malformed_chunks,
    ),
    Explanation(
        "cut-at-limit",
        "the content is longer, or unfolds further, than what wireproof keeps of it, as its "
        "diagnostic says: it is not compared",
        _cut_at_limit,
    ),
    Explanation(
        "fragmented-deflate",
        "Wireshark before 4.2 does not inflate a compressed message that is fragmented",
        _fragmented_deflate,
        before=(4, 2, 0),
    ),
    Explanation(
        "empty-last-fragment",
        "Wireshark does not show a message whose last fragment is empty",
        _empty_last_fragment,
    ),
    Explanation(
        "empty-compressed-message",
        "Wireshark shows an empty compressed message as one NUL",
        _empty_compressed,
    ),
    Explanation(
        "subprotocol",
        "Wireshark dissects messages of this subprotocol (RFC 6455 section 1.9), and does not show "
        "their bytes then",
        _subprotocol,
    ),
    Explanation(
        "file-order",
        "the file's packets are not in order of time: wireproof decodes them in that order, "
        "Wireshark as they are stored",
        _moved,
    ),
    Explanation(
        "connect-tunnel",
        "Wireshark does not dissect HTTP in a tunnel that CONNECT opened (RFC 9110 section 9.3.6), "
        "or takes its first bytes for content of the response",
        _tunnel,
    ),
    Explanation(
        "proxy-header",
        "Wireshark does not dissect HTTP that begins in the packet of a PROXY protocol header",
        _proxy_header,
    ),
    Explanation(
        "zstd",
        "Wireshark 4.0 does not decode zstd content",
        _zstd,
        before=(4, 2, 0),
    ),
    Explanation(
        "tls",
        "Wireshark decrypted this with keys of its own settings, and wireproof had none: --keylog "
        "gives both the same keys",
        _decrypted,
    ),
    Explanation(
        "malformed-frame",
        "the frame breaks a rule of HTTP/2 (RFC 9113): wireproof has a diagnostic in its place, "
        "Wireshark shows its fields without a word",
        _malformed_frame,
    ),
    Explanation(
        "begun-before",
        "the connection's beginning is not in the capture, and Wireshark does not find where its "
        "records or frames begin",
        _begun_before,
    ),
    Explanation(
        "websocket-in-http2",
        "Wireshark dissects no WebSocket in DATA frames of HTTP/2 (RFC 8441)",
        _websocket_in_http2,
    ),
    Explanation(
        "whole-body-again",
        "Wireshark shows the whole body, decoded, as the data of the frame that ends it",
        _whole_body_again,
    ),
    Explanation(
        "hello-lost",
        "the capture lacks a hello of this connection, without which Wireshark decrypts nothing of "
        "it",
        _hello_lost,
    ),
    Explanation(
        "late-secrets",
        "the capture has secrets after packets; Wireshark uses those only that stand before the "
        "packets that need them",
        _late_secrets,
    ),
    Explanation(
        "no-handshake-secrets",
        "the handshake's secrets are not known, and without them Wireshark does not find where "
        "those of the data begin",
        _no_handshake_secrets,
    ),
    Explanation(
        "after-close",
        "the connection was closed before (RFC 9293 section 3.6, a reset: section 3.5.3); "
        "Wireshark goes on counting packets of the same addresses and ports to its stream",
        _after_close,
    ),
)
"""What is known, in the order in which it is asked."""


def explain(found: Difference, version: Version) -> Explanation | None:
    """Return the first explanation that holds for a difference and a version of tshark."""
    for known in EXPLANATIONS:
        if known.since <= version < known.before and known.applies(found):
            return known
    return None
