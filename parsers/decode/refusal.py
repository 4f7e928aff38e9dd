"""Why a server did not switch protocols, or a proxy made no tunnel, as far as its answer says
(RFC 9110 sections 7.8 and 9.3.6).

Strategy: the beginning of the answer's content is kept, up to MAX_REFUSAL bytes as they arrive. At
its end the reason is looked for where servers put it: in the usual members of a JSON object, in the
title of a page, else in the first words. Its codings are undone; a coding that fails gives no
reason, and its fault is the body's to say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ..diagnostics import Diagnostic, diagnose
from ..http1.chunked import Data
from ..http1.messages import Request, Response
from ..limits import MAX_REFUSAL
from .transport import field_value
from .writer import wire_text

SHOWN = 160
"""Characters of the reason that are shown."""
# RFC 9457 section 3.1: "detail", "title"; RFC 6749 section 5.2: "error_description", "error".
# Kubernetes and most frameworks: "message"; others say the same in other words.
REASONS = (
    "message", "detail", "error_description", "reason", "msg", "title", "error", "errors",
)  # fmt: skip
TITLE = r"(?is)<title[^>]{0,200}>([^<]{1,500})"
TAG = r"(?is)<(script|style)\b.*?(?:</\1>|\Z)|<[^>]*>?"


class Refusal:
    """An answer that does not give the protocol or the tunnel that ``request`` asked for."""

    def __init__(self, request: Request, response: Response, *, keep_data: bool) -> None:
        extended = field_value(request.headers, b":protocol")  # RFC 8441 section 4
        self._is_tunnel = request.method == b"CONNECT" and extended is None
        upgrade = extended or field_value(request.headers, b"upgrade") or b""
        self._wanted = request.target if self._is_tunnel else upgrade[:40]
        self._asked_version = field_value(request.headers, b"sec-websocket-version")
        self._response = response
        self._keep_data = keep_data
        self._content = bytearray()

    def content(self, pieces: Sequence[Data]) -> None:
        """Keep the beginning of its content."""
        for piece in pieces:
            room = MAX_REFUSAL - len(self._content)
            if room <= 0 or not self._keep_data:
                return
            self._content += piece.data[:room]

    def fault(self, start: int, end: int) -> Diagnostic:
        """Return what is said of it; [start, end) is its body."""
        response = self._response
        status = f"{response.status} {response.reason.decode('utf-8', 'replace')}".rstrip()
        wanted = wire_text(self._wanted)
        asked = f"to {wanted}" if self._is_tunnel else f"{wanted} was asked for"
        detail = f"{asked}, {status} came"
        location = field_value(response.headers, b"location")
        if location is not None and 300 <= response.status < 400:
            reason = location.decode("utf-8", "replace")
        elif (field := self._telling_field()) is not None:
            reason = field
        else:
            reason = self._reason()
        if reason:
            detail += f": {reason!r}" if len(reason) <= SHOWN else f": {reason[:SHOWN]!r}..."
        code = "http-tunnel-refused" if self._is_tunnel else "http-upgrade-refused"
        return diagnose(code, start, end, detail)

    def _telling_field(self) -> str | None:
        """Return the field that says what is wanted instead, None if there is none.

        That is another version (RFC 6455 section 4.4), or credentials (RFC 9110 section 11.7.1).
        """
        headers = self._response.headers
        if self._response.status == 407:
            scheme = field_value(headers, b"proxy-authenticate")
            return None if scheme is None else f"Proxy-Authenticate: {wire_text(scheme)}"
        versions = field_value(headers, b"sec-websocket-version")
        if versions is None or versions == self._asked_version:
            return None
        return f"Sec-WebSocket-Version: {wire_text(versions)}"

    def _reason(self) -> str:
        content = bytes(self._content)
        if self._response.codings:
            from ..content import ContentDecoder  # its libraries, for a refusal that is coded

            decoded = ContentDecoder(self._response.codings).receive_data(content)
            content = b"".join(piece[:MAX_REFUSAL] for piece in decoded)[:MAX_REFUSAL]
        if b"\0" in content:  # no text
            return ""
        text = content.decode("utf-8", "replace")
        return " ".join((_reason_in_json(text) or _reason_in_text(text)).split())


def _reason_in_json(text: str) -> str:
    try:
        return _reason_of(msgspec.json.decode(text), depth=4)
    except (msgspec.DecodeError, RecursionError):
        return ""


def _reason_of(value: object, depth: int) -> str:
    """Return the first text that a JSON value gives as a reason, empty if there is none."""
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    inner: Sequence[object] = ()
    if isinstance(value, list):
        inner = value[:1]
    elif isinstance(value, dict):
        inner = [value[name] for name in REASONS if name in value]
    return next(filter(None, (_reason_of(one, depth - 1) for one in inner)), "")


def _reason_in_text(text: str) -> str:
    if "<" not in text:
        return text
    title = re.search(TITLE, text)
    return title[1] if title is not None else re.sub(TAG, " ", text)


def is_refused(request: Request, response: Response) -> bool:
    """Whether a final response refuses what a request asked for by name, or the tunnel.

    Not so for h2c and TLS, which a server may pass over while it answers (RFC 9110 section 7.8):
    clients ask for them on the way, and take the answer.
    """
    if not request.asks_upgrade or response.status < 200:
        return False
    if request.method == b"CONNECT":
        return response.status >= 300
    protocols = (field_value(request.headers, b"upgrade") or b"").lower()
    names = {name.partition(b"/")[0].strip() for name in protocols.split(b",")} - {b""}
    return not names <= {b"h2c", b"tls"}
