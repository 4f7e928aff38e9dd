"""What the fields of a request, a response and trailers must be (RFC 9113 section 8).

Each function returns codes and details of what is wrong, in the order of the fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..diagnostics import excerpt
from .hpack import Field

Fault = tuple[str, str]
Known = Sequence[Field]

_CONNECTION_FIELDS = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)
_OF_REQUESTS = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_OF_RESPONSES = frozenset((b":status",))
# RFC 9113 section 8.2.1: no character of these in a name, a colon only before a pseudo-field's.
_WRONG_NAME = re.compile(rb"[\x00-\x20A-Z\x7f-\xff]|(?!^):")
_WRONG_VALUE = re.compile(rb"[\x00\r\n]|^[ \t]|[ \t]$")


def value_of(fields: Known, name: bytes) -> bytes | None:
    """Return the first field's value of that name; None if there is none or it is not known."""
    return next((one.value for one in fields if one.name == name), None)


def request_faults(fields: Known) -> list[Fault]:
    """RFC 9113 section 8.3.1, for CONNECT 8.5, for the extended one RFC 8441 section 4."""
    faults = _field_faults(fields, _OF_REQUESTS)
    if any(one.name is None for one in fields):
        return faults  # what is missing may be what is not known
    names = {one.name for one in fields if one.name is not None}
    method = value_of(fields, b":method")
    if method == b"CONNECT" and b":protocol" not in names:
        if surplus := sorted(names & {b":scheme", b":path"}):
            faults.append(("http2-connect-invalid", f"with {_listed(surplus)}"))
        if b":authority" not in names:
            faults.append(("http2-connect-invalid", "without :authority"))
        return faults
    if missing := sorted({b":method", b":scheme", b":path"} - names):
        faults.append(("http2-request-incomplete", f"without {_listed(missing)}"))
    elif value_of(fields, b":path") == b"":
        faults.append(("http2-request-incomplete", "with an empty :path"))
    return faults


def response_faults(fields: Known) -> list[Fault]:
    """RFC 9113 section 8.3.2: one :status, three digits, and not 101 (section 8.6)."""
    faults = _field_faults(fields, _OF_RESPONSES)
    if any(one.name is None for one in fields):
        return faults
    names = [one.name for one in fields]
    status = value_of(fields, b":status")
    if b":status" not in names:
        faults.append(("http2-response-incomplete", "without :status"))
    elif status == b"101":
        faults.append(("http2-switch-forbidden", ""))
    elif status is not None and not re.fullmatch(rb"[1-9]\d\d", status):
        faults.append(("http2-response-incomplete", f":status {excerpt(status)}"))
    return faults


def trailer_faults(fields: Known) -> list[Fault]:
    """RFC 9113 section 8.1: no pseudo-fields."""
    pseudo = [one.name for one in fields if one.name is not None and one.name[:1] == b":"]
    if pseudo:
        return [("http2-trailers-invalid", f"with {_listed(pseudo)}")]
    return _field_faults(fields, frozenset())


def _field_faults(fields: Known, pseudo: frozenset[bytes]) -> list[Fault]:
    faults: list[Fault] = []
    seen: set[bytes] = set()
    has_regular = False
    for name, value, _ in fields:
        if name is None:
            continue
        if name[:1] == b":":
            if has_regular:
                faults.append(("http2-pseudo-field-invalid", f"{excerpt(name)} after a field"))
            elif name not in pseudo:
                faults.append(("http2-pseudo-field-invalid", excerpt(name)))
            elif name in seen:
                faults.append(("http2-pseudo-field-invalid", f"{excerpt(name)} twice"))
            seen.add(name)
        else:
            has_regular = True
        if (fault := _wrong_field(name, value)) is not None:
            faults.append(fault)
    return faults


def _wrong_field(name: bytes, value: bytes | None) -> Fault | None:
    if not name or _WRONG_NAME.search(name):
        return "http2-field-invalid", f"the name {excerpt(name)}"
    if value is not None and _WRONG_VALUE.search(value):
        return "http2-field-invalid", f"the value {excerpt(value)} of {excerpt(name)}"
    if name in _CONNECTION_FIELDS:
        return "http2-connection-field", excerpt(name)
    if name == b"te" and value is not None and value.strip().lower() != b"trailers":
        return "http2-connection-field", f"te: {excerpt(value)}"
    return None


def _listed(names: Sequence[bytes]) -> str:
    return " and ".join(name.decode("latin-1") for name in names)
