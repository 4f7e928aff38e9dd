"""What a response streams by: one rule, for records, views and verdicts alike.

Strategy: the head tells: how the decoder found the body to be framed, and what its fields say the
content is. A refused upgrade is what it asked to be, ``websocket``, as in a browser's list of
requests: who looks for WebSockets looks for those that failed as well. That nothing was switched,
``framing`` says.
"""

from __future__ import annotations

from ..http1.field_lines import FieldLines
from ..http1.messages import Request, Response
from ..records import Transport

Fields = list[tuple[bytes, bytes]]


def transport_of(response: Response, request: Request | None = None) -> Transport:
    """Return the transport of a response; ``request`` is what it answers, if that is known.

    ``websocket``: it switched to the WebSocket protocol, or refused to. ``sse``: its content is an
    event stream, in whatever framing. ``chunked``: its content comes in chunks. ``http``: anything
    else, a switch to another protocol too.
    """
    if response.framing == "upgrade" and response.status != 101:
        is_extended = request is not None and _protocol_of(request) == b"websocket"
        return "websocket" if is_extended else "http"  # by CONNECT
    if response.framing == "upgrade":
        upgrade = field_value(response.headers, b"upgrade") or b""
        is_websocket = upgrade.strip().lower() == b"websocket"
        return "websocket" if is_websocket else "http"
    if media_type(response.headers)[0] == b"text/event-stream":
        return "sse"
    if response.status >= 200 and request is not None and _asks_websocket(request):
        return "websocket"
    return "chunked" if response.framing == "chunked" else "http"


def _asks_websocket(request: Request) -> bool:
    asked = field_value(request.headers, b"upgrade") or _protocol_of(request)
    return asked.strip().lower() == b"websocket"


def _protocol_of(request: Request) -> bytes:
    """Return what an extended CONNECT asks for (RFC 8441 section 4), empty if it is none."""
    return field_value(request.headers, b":protocol") or b""


def media_type(fields: Fields) -> tuple[bytes, bytes]:
    """Return the content's type in lower case, and its parameters (RFC 9110 section 8.3.1)."""
    if not isinstance(fields, FieldLines):
        return _media_type(fields)
    if fields.media_type is None:
        fields.media_type = _media_type(fields)
    return fields.media_type


def _media_type(fields: Fields) -> tuple[bytes, bytes]:
    found, _, parameters = (field_value(fields, b"content-type") or b"").partition(b";")
    return found.strip().lower(), parameters


def field_value(fields: Fields, name: bytes) -> bytes | None:
    """Return the first field of this name (lower-case), or None."""
    if isinstance(fields, FieldLines):
        values = fields.by_name.get(name)
        return None if values is None else values[0]
    for given, value in fields:
        if given.lower() == name:
            return value
    return None
