"""How long a message's body is, and what becomes of its connection (RFC 9112 sections 6, 7, 9).

Strategy: a head goes in, an answer comes out, nothing is kept. The rules of RFC 9112 section 6.3
are asked in their order, by their numbers. Faults are values with the name of the field that they
are about, so that the caller can show its line. Field values are lists in all their field lines
together (RFC 9110 section 5.3), and are read as that: empty elements count for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from ..diagnostics import excerpt
from ..expressions import when_used
from ..limits import MAX_CONTENT_LENGTH
from ..records import Framing
from .field_lines import FieldLines, grouped
from .head import HOST, TOKEN, Fields

Fault = tuple[str, str, bytes]
"""A diagnostic's code, its detail, and the field that it is about, in lower case."""

CONTENT_LENGTH = b"content-length"
TRANSFER_ENCODING = b"transfer-encoding"

# RFC 9110 section 8.6: Content-Length = 1*DIGIT. Section 5.6.1 would let a recipient skip empty
# elements; one that repairs a length is read differently by another.
LENGTHS = when_used(rb"[0-9]++(?>(?:[ \t]*+,[ \t]*+[0-9]++)*)")
# RFC 9110 section 5.6.1: #element, with quoted-strings (section 5.6.4) that may hold commas.
ELEMENT = when_used(rb'(?>(?:"(?>(?:[^"\\]|\\.)*)"?+|[^,"])+)', re.DOTALL)
# "A sender MUST NOT generate empty list elements", and not every recipient takes them.
EMPTY_ELEMENT = when_used(rb"(?:\A|,)[ \t]*+(?:,|\Z)")
# RFC 9112 section 7: transfer-coding = token *( OWS ";" OWS transfer-parameter )
CODING = when_used(rb"(" + TOKEN + rb")[ \t]*+(;.*+)?", re.DOTALL)

# RFC 9112 section 7.2, RFC 9110 section 8.4.1: x-gzip and x-compress are to be taken as these.
SAME_CODING = {"x-gzip": "gzip", "x-compress": "compress"}
TRANSFER_CODINGS = {"chunked", "compress", "deflate", "gzip"}


ByName = Mapping[bytes, list[bytes]]
"""The values of every field line, by the fields' names in lower case: see :func:`by_name`."""


def by_name(fields: Fields) -> ByName:
    """Return the values of field lines by their names: a head is asked for ten of them."""
    return fields.by_name if isinstance(fields, FieldLines) else grouped(fields)


class BodyFraming(Struct, frozen=True, gc=False):
    """What a head says about the body after it."""

    framing: Framing
    length: int | None
    """The Content-Length that counts; None where the framing is not by length."""
    codings: tuple[str, ...]
    """The codings of the framed content, in the order in which they are to be undone."""
    faults: list[Fault]
    lost: bool = False
    """Where the message ends cannot be known: "an unrecoverable error"."""


Said = tuple[BodyFraming, bool, bool]
"""How a body is framed; of a request, whether what follows depends on its answer; and whether
another message may follow on the connection."""


def request_says(method: bytes, version: bytes, fields: Fields) -> Said:
    """Return what a request's head says; of one that is known, what it said before."""
    asked = (method == b"CONNECT", version)
    known: Said | None = fields.framings.get(asked) if isinstance(fields, FieldLines) else None
    if known is not None:
        return known
    lines = by_name(fields)
    framing = request_framing(method, version, lines)
    said = framing, asks_upgrade(method, version, lines), keeps_alive(version, lines)
    if isinstance(fields, FieldLines):
        fields.remember(asked, said)
    return said


def response_says(
    version: bytes, status: int, fields: Fields, method: bytes, upgrade: bool, asked_in: bytes
) -> Said:
    """Return what a response's head says, by what was asked; of one that is known, as before."""
    method = method if method in (b"HEAD", b"CONNECT") else b"GET"
    asked = (version, status, method, upgrade, asked_in)
    known: Said | None = fields.framings.get(asked) if isinstance(fields, FieldLines) else None
    if known is not None:
        return known
    lines = by_name(fields)
    framing = response_framing(version, status, lines, method, upgrade, asked_in)
    said = framing, False, keeps_alive(version, lines)
    if isinstance(fields, FieldLines):
        fields.remember(asked, said)
    return said


def request_framing(method: bytes, version: bytes, fields: ByName) -> BodyFraming:
    """Return how a request's body is framed (RFC 9112 section 6.3, rules 3 to 7)."""
    faults = host_faults(version, fields)
    if method == b"CONNECT":
        # RFC 9110 section 9.3.6: it has no content, and what follows depends on the answer.
        faults += _forbidden(fields, "of a CONNECT request")
        return BodyFraming("none", None, (), faults)
    return _framing(version, fields, faults, otherwise="none")


def response_framing(
    version: bytes,
    status: int,
    fields: ByName,
    method: bytes,
    upgrade: bool,
    asked_in: bytes = b"HTTP/1.1",
) -> BodyFraming:
    """Return how a response's body is framed (RFC 9112 section 6.3).

    ``method``, ``upgrade`` and ``asked_in``, the version, are those of the request: a body depends
    on what was asked.
    """
    faults: list[Fault] = []
    if status == 101:
        faults = _forbidden(fields, "of a 1xx response")
        if not upgrade:
            faults.append(("http-upgrade-unasked", "", b"upgrade"))
        return BodyFraming("upgrade" if upgrade else "none", None, (), faults)
    # Rule 1: "regardless of the header fields present in the message"
    if 100 <= status < 200 or status == 204:
        return BodyFraming("none", None, (), _forbidden(fields, f"of a {status} response"))
    if asked_in == b"HTTP/1.0" and version != b"HTTP/1.0" and fields.get(TRANSFER_ENCODING, []):
        # Section 6.1: "unless the corresponding request indicates HTTP/1.1"; its sender reads the
        # framing as content.
        detail = "in a response to an HTTP/1.0 request"
        faults.append(("http-transfer-encoding-forbidden", detail, TRANSFER_ENCODING))
    if method == b"HEAD" or status == 304:
        return BodyFraming("none", None, (), faults)
    # Rule 2: a tunnel begins after the head.
    if method == b"CONNECT" and status < 300:
        faults = _forbidden(fields, "of a 2xx response to CONNECT")
        return BodyFraming("upgrade", None, (), faults)
    return _framing(version, fields, faults, otherwise="close")


def _framing(
    version: bytes, fields: ByName, faults: list[Fault], otherwise: Framing
) -> BodyFraming:
    """Rules 3 to 8; ``otherwise`` is what neither field frames: rule 7, or rule 8."""
    lengths = fields.get(CONTENT_LENGTH, [])
    content = content_codings(fields)
    transfer = fields.get(TRANSFER_ENCODING, [])
    if transfer:
        if lengths:
            # Rule 3: "the Transfer-Encoding overrides the Content-Length."
            detail = f"{excerpt(b', '.join(lengths))} does not count"
            faults.append(("http-transfer-encoding-and-content-length", detail, CONTENT_LENGTH))
        return _transfer_framing(version, transfer, content, faults, otherwise)
    if not lengths:
        return BodyFraming(otherwise, None, content, faults)
    length = _length(lengths, faults)
    if length is None:
        # Rule 5: "the message framing is invalid and the recipient MUST treat it as an
        # unrecoverable error"
        return BodyFraming("none", None, content, faults, lost=True)
    return BodyFraming("content-length", length, content, faults)


def _transfer_framing(
    version: bytes,
    transfer: list[bytes],
    content: tuple[str, ...],
    faults: list[Fault],
    otherwise: Framing,
) -> BodyFraming:
    """Rules 3 and 4: the framing of a message with Transfer-Encoding."""
    codings = _transfer_codings(transfer, faults)
    is_chunked = bool(codings) and codings[-1] == "chunked"
    if version == b"HTTP/1.0":
        # RFC 9112 section 6.1: "MUST treat the message as if the framing is faulty".
        faults.append(
            ("http-transfer-encoding-forbidden", "in an HTTP/1.0 message", TRANSFER_ENCODING)
        )
    elif is_chunked:
        while codings and codings[-1] == "chunked":
            codings.pop()
        return BodyFraming("chunked", None, (*reversed(codings), *content), faults)
    elif codings:
        detail = f"the last is {codings[-1]!r}"
        # Section 6.1: a response may end so, by "closing the connection"; a request cannot.
        code = "http-transfer-encoding-until-close"
        if otherwise == "none":
            code = "http-transfer-encoding-not-last"
        faults.append((code, detail, TRANSFER_ENCODING))
    if otherwise == "none":
        # "the message body length cannot be determined reliably"
        return BodyFraming("none", None, content, faults, lost=True)
    if is_chunked:
        # Whether it is chunked is as uncertain as the framing: it is shown as it is.
        return BodyFraming("close", None, (), faults)
    return BodyFraming("close", None, (*reversed(codings), *content), faults)


def _transfer_codings(transfer: list[bytes], faults: list[Fault]) -> list[str]:
    """Return the transfer codings in lower case, as they were applied."""
    codings = []
    for element in _elements(transfer):
        match = CODING.fullmatch(element)
        if match is None:
            faults.append(("http-transfer-encoding-invalid", excerpt(element), TRANSFER_ENCODING))
            codings.append(element.decode("latin-1").lower())
            continue
        coding = _coding(match[1])
        codings.append(coding)
        if coding not in TRANSFER_CODINGS:
            faults.append(("http-transfer-encoding-unknown", repr(coding), TRANSFER_ENCODING))
        elif match[2] and coding == "chunked":
            # Section 7.1: "their presence SHOULD be treated as an error"
            detail = f"chunked has a parameter: {excerpt(match[2])}"
            faults.append(("http-transfer-encoding-invalid", detail, TRANSFER_ENCODING))
    joined = b",".join(transfer)
    if not codings:
        faults.append(("http-transfer-encoding-invalid", "it names no coding", TRANSFER_ENCODING))
    elif EMPTY_ELEMENT.search(joined):
        faults.append(("http-transfer-encoding-empty-element", excerpt(joined), TRANSFER_ENCODING))
    if (times := codings.count("chunked")) > 1:
        detail = f"{times} times"
        faults.append(("http-transfer-encoding-repeated", detail, TRANSFER_ENCODING))
    return codings


def _length(lengths: list[bytes], faults: list[Fault]) -> int | None:
    """Return the one length that all field lines give; None with a fault if there is none."""
    if len(lengths) == 1 and lengths[0].isdigit() and len(lengths[0]) < 19:
        return int(lengths[0])  # nearly always: one line, one number, and not too large
    joined = b", ".join(lengths)
    if not LENGTHS.fullmatch(joined):
        faults.append(("http-content-length-invalid", excerpt(joined), CONTENT_LENGTH))
        return None
    # Zeros in front mean nothing, and int() refuses more than 4,300 digits.
    digits = [element.strip(b" \t").lstrip(b"0") or b"0" for element in joined.split(b",")]
    if len(set(digits)) > 1:
        faults.append(("http-content-length-conflict", excerpt(joined), CONTENT_LENGTH))
        return None
    if len(digits[0]) > 19 or (length := int(digits[0])) > MAX_CONTENT_LENGTH:
        detail = f"{excerpt(digits[0])} is above {MAX_CONTENT_LENGTH:,}"
        faults.append(("http-content-length-invalid", detail, CONTENT_LENGTH))
        return None
    if len(digits) > 1:
        faults.append(("http-content-length-repeated", excerpt(joined), CONTENT_LENGTH))
    return length


def length_said(body: BodyFraming) -> str:
    """Return where a body with a length of its own ended, as the cause of bytes after it."""
    if body.framing == "chunked":
        return "the last chunk ended the body"
    return "" if body.length is None else f"Content-Length: {body.length} is too small"


def cut_section_framing_faults(fields: ByName) -> list[Fault]:
    """Return what is wrong with the lengths in a section that is cut, whatever would follow."""
    faults: list[Fault] = []
    if lengths := fields.get(CONTENT_LENGTH, []):
        _length(lengths, faults)
    return faults


def _forbidden(fields: ByName, where: str) -> list[Fault]:
    """RFC 9110 section 8.6, RFC 9112 section 6.1: neither field may stand here."""
    return [
        (code, where, name)
        for code, name in (
            ("http-content-length-forbidden", CONTENT_LENGTH),
            ("http-transfer-encoding-forbidden", TRANSFER_ENCODING),
        )
        if name in fields
    ]


def content_codings(fields: ByName) -> tuple[str, ...]:
    """Return the content codings in lower case, the one applied last first.

    RFC 9110 section 8.4.1: "identity" is reserved for Accept-Encoding; it changes nothing.
    """
    lines = fields.get(b"content-encoding")
    if lines is None:
        return ()
    codings = [_coding(element) for element in _elements(lines)]
    return tuple(coding for coding in reversed(codings) if coding != "identity")


def _coding(name: bytes) -> str:
    coding = name.decode("latin-1").lower()
    return SAME_CODING.get(coding, coding)


# --- Fields ---


def _elements(lines: list[bytes]) -> list[bytes]:
    """Return the elements of a list in these field lines (RFC 9110 section 5.6.1)."""
    found = (element.strip(b" \t") for line in lines for element in ELEMENT.findall(line))
    return [element for element in found if element]


def options(fields: ByName, name: bytes = b"connection") -> set[bytes]:
    """Return a list field's elements in lower case (RFC 9110 section 7.6.1)."""
    lines = fields.get(name)
    return set() if lines is None else {element.lower() for element in _elements(lines)}


def asks_upgrade(method: bytes, version: bytes, fields: ByName) -> bool:
    """Say whether what follows a request depends on its answer.

    So it is after CONNECT, and where the Upgrade field is named in Connection (RFC 9110 section
    7.8), but in an HTTP/1.0 request, where it must be ignored.
    """
    if method == b"CONNECT":
        return True
    if version == b"HTTP/1.0" or not _elements(fields.get(b"upgrade", [])):
        return False
    return b"upgrade" in options(fields)


def keeps_alive(version: bytes, fields: ByName) -> bool:
    """Say whether another message may follow on this connection (RFC 9112 section 9.3)."""
    connection = options(fields)
    if b"close" in connection:
        return False
    return version != b"HTTP/1.0" or b"keep-alive" in connection


def host_faults(version: bytes, fields: ByName) -> list[Fault]:
    """Return what RFC 9112 section 3.2 refuses a request for: Host missing, repeated, malformed."""
    hosts = fields.get(b"host")
    if not hosts:
        return [] if version == b"HTTP/1.0" else [("http-host-invalid", "found none", b"host")]
    if len(hosts) > 1:
        return [("http-host-invalid", f"found {len(hosts)}", b"host")]
    if not HOST.fullmatch(hosts[0]):
        return [("http-host-invalid", excerpt(hosts[0]), b"host")]
    return []
