"""What the heads of an exchange say of it: by what it is to stream, and whether more follows.

Strategy: a field is looked up in a mapping by name, and the mappings of heads that come again and
again are kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from parsers.records import Fields, RequestRecord, ResponseRecord, Transport


def field_value(fields: Fields, name: str) -> str | None:
    """Return the value of the first field of that name (in lower case), None if there is none."""
    return next((value for key, value in fields if key.lower() == name), None)


MAX_KNOWN_HEADS = 256
"""Heads that are known by their fields; then all are forgotten at once."""
MAX_KNOWN_FIELDS = 64
"""Fields of a head that may be known."""
MAX_KNOWN_SIZE = 4_096
"""Characters of all its fields."""
_KNOWN_HEADS: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}


def fields_by_name(fields: Fields) -> Mapping[str, str]:
    """Return the value of the first field of each name, in lower case.

    A client sends nearly the same head with every request, and so does a server: what has come
    before costs a look-up.
    """
    key = tuple(fields)
    known = _KNOWN_HEADS.get(key)
    if known is None:
        known = {name.lower(): value for name, value in reversed(fields)}
        size = sum([len(name) + len(value) for name, value in fields])
        if len(fields) <= MAX_KNOWN_FIELDS and size <= MAX_KNOWN_SIZE:
            if len(_KNOWN_HEADS) >= MAX_KNOWN_HEADS:
                _KNOWN_HEADS.clear()
            _KNOWN_HEADS[key] = known
    return known


def asked_for(request: RequestRecord) -> Transport | None:
    """Return what a request asks for or streams by, None if it does neither."""
    return asked_for_by(request, fields_by_name(request.headers))


def asked_for_by(request: RequestRecord, fields: Mapping[str, str]) -> Transport | None:
    """Return the same of one whose fields are known by their names."""
    upgrade = fields.get("upgrade") or fields.get(":protocol")
    if (upgrade or "").lower() == "websocket":  # RFC 6455 section 4.1, RFC 8441 section 4
        return "websocket"
    if request.framing == "chunked":
        return "chunked"
    # EventSource accepts nothing else (WHATWG HTML section 9.2.2); clients that name it beside
    # other types take either.
    return "sse" if fields.get("accept") == "text/event-stream" else None


def has_switched(response: ResponseRecord) -> bool:
    """Whether a response switches to the WebSocket protocol; one that refuses to does not."""
    return response.framing == "upgrade" and response.transport == "websocket"


def is_chosen(wanted: Transport, found: Transport, asked: Transport | None) -> bool:
    """Whether a choice of one transport has an exchange: it streams so, or asked to and does not.

    So what EventSource got instead of events is among the exchanges of ``sse``.
    """
    return wanted == (asked or found if found == "http" else found)


def is_final(response: ResponseRecord) -> bool:
    """Whether no further response of its exchange follows (RFC 9110 section 15.2)."""
    return response.status >= 200 or response.status == 101
