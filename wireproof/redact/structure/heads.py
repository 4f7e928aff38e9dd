"""Heads of messages without what they say: methods, statuses, names and listed values stay.

Strategy: of a target its slashes stay, and what divides its query. Of a field the name stays if it
is listed (:mod:`.words`), and of its value the words that are listed for it, numbers where these
only count, and what stands between. A WebSocket's key is an example's, and so is what answers it,
if it was right: a decoder compares them.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from functools import lru_cache, partial

from .masking import STAR, Veil, stars
from .words import FIELD_NAMES, LISTED, METHODS, NUMBER, NUMBERED, REASONS

MAX_KNOWN, MAX_KNOWN_LINE = 4_096, 256
"""Field lines that are remembered with what becomes of them, and bytes of one."""
# RFC 9112 sections 3 and 4.
REQUEST_LINE = re.compile(rb"([^ ]*)( )(.*?)( HTTP/\d\.\d)?(\r?\n?)", re.DOTALL)
STATUS_LINE = re.compile(rb"(HTTP/\d\.\d )(\d{3})( ?)([^\r\n]*)(\r?\n?)")
FIELD = re.compile(rb"([^:]*):([ \t]*)(.*?)([ \t]*\r?\n?)", re.DOTALL)
STATUS_BEGINS = re.compile(rb"HTTP(?:/(?:1(?:\.(?:\d(?: \d{0,2})?)?)?)?)?\Z")
"""A status line that the capture cuts."""
HEAD_BEGINS = re.compile(
    rb"(?:HTTP/1\.\d \d{3}|(?:%s) |%s)" % (b"|".join(sorted(METHODS)), STATUS_BEGINS.pattern)
)
CONNECT, PLACE = b"CONNECT", re.compile(rb"(.+)(:\d{1,5})")
"""Its target is a host and a port (RFC 9112 section 3.2.3)."""
SCHEME = re.compile(rb"(?:https?|wss?)://", re.IGNORECASE)
OF_PATH, OF_QUERY = re.compile(rb"[^/]"), re.compile(rb"[^&=]")
TOKEN = re.compile(rb"[^\s,;=/+\"]+")
KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")
ACCEPT = re.compile(rb"[A-Za-z0-9+/]{27}=")
SETTINGS, MAX_SETTING = re.compile(rb"(?:[A-Za-z0-9_-]{8}){1,16}"), 16
SAMPLE_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
SAMPLE_ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""RFC 6455 section 1.3."""
WRONG_ACCEPT = b"AAAAAAAAAAAAAAAAAAAAAAAAAAA="


class Heads:
    """Masks heads, those of both sides of all connections."""

    def __init__(self, veil: Veil) -> None:
        self._veil = veil
        self._known_line = lru_cache(MAX_KNOWN)(partial(_masked_line, veil))

    def masked(self, data: bytes, *, is_accepted: bool = True) -> bytes:
        """Return a head, or what there is of it; ``is_accepted`` says whether what answers a
        WebSocket's key fits it."""
        lines = _lines(data)
        first = next((at for at, line in enumerate(lines) if line.strip(b"\r\n")), len(lines))
        begun = lines[:first] + [masked_start(line) for line in lines[first : first + 1]]
        text = b"".join(begun + [self._line(line) for line in lines[first + 1 :]])
        return text if is_accepted else text.replace(SAMPLE_ACCEPT, WRONG_ACCEPT)

    def fields(self, data: bytes) -> bytes:
        """Return field lines without what they say."""
        return b"".join(map(self._line, _lines(data)))

    def _line(self, line: bytes) -> bytes:
        is_short = len(line) <= MAX_KNOWN_LINE
        return self._known_line(line) if is_short else _masked_line(self._veil, line)

    def value(self, name: bytes, value: bytes) -> bytes:
        """Return the value of a field without what it says."""
        return masked_value(self._veil, name.lower(), value)


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    lines = [part + b"\n" for part in parts[:-1]]
    return lines + [parts[-1]] if parts[-1] else lines


def masked_start(line: bytes) -> bytes:
    """Return a start line without what it says."""
    if STATUS_BEGINS.match(line) is not None:
        return line
    if (status := STATUS_LINE.fullmatch(line)) is not None:
        version, code, space, reason, end = status.groups()
        kept = reason if reason in REASONS else stars(len(reason))
        return version + code + space + kept + end
    if (request := REQUEST_LINE.fullmatch(line)) is not None:
        method, space, target, version, end = request.groups(b"")
        kept = method if method in METHODS else stars(len(method))
        place = PLACE.fullmatch(target) if method == CONNECT else None
        masked = masked_target(target) if place is None else stars(len(place[1])) + place[2]
        return kept + space + masked + version + end
    return masked_rest(line)


def masked_rest(line: bytes) -> bytes:
    """Return a line of which nothing is known, or one that goes on with a field."""
    said = line.strip(b" \t\r\n")
    begin = line.find(said)
    return line[:begin] + stars(len(said)) + line[begin + len(said) :]


def masked_target(target: bytes) -> bytes:
    """Return a request's target without what it says."""
    if target == b"*":
        return target
    scheme = SCHEME.match(target)
    begin = 0 if scheme is None else scheme.end()
    path, mark, query = target[begin:].partition(b"?")
    path, query = OF_PATH.sub(STAR, path), OF_QUERY.sub(STAR, query)
    return target[:begin] + path + mark + query


def masked_name(name: bytes) -> bytes:
    """Return the name of a field if it is listed."""
    return name if name.strip().lower() in FIELD_NAMES else stars(len(name))


def masked_value(veil: Veil, name: bytes, value: bytes) -> bytes:
    """Return the value of a field, whose name is in lower case, without what it says."""
    match name:
        case b":path":
            return masked_target(value)
        case b"sec-websocket-key" if KEY.fullmatch(value):
            return SAMPLE_KEY
        case b"sec-websocket-accept" if ACCEPT.fullmatch(value):
            return SAMPLE_ACCEPT
        case b"http2-settings" if _is_settings(value):
            return value
        case b"last-event-id":
            return veil.over(value)
    listed = LISTED.get(name)
    has_numbers = NUMBERED.fullmatch(name) is not None
    if listed is None and not has_numbers:
        return stars(len(value))

    def kept(match: re.Match[bytes]) -> bytes:
        token = match[0]
        is_kept = listed is not None and token.lower() in listed
        is_kept = is_kept or (has_numbers and NUMBER.fullmatch(token) is not None)
        if has_numbers and not is_kept and token.isdigit():
            return b"9" * len(token)  # a length stays one
        return token if is_kept else stars(len(token))

    return TOKEN.sub(kept, value)


def _is_settings(value: bytes) -> bool:
    """Whether a value is nothing but settings of HTTP/2, in base64 (RFC 9113 section 3.2.1 of its
    predecessor, RFC 7540): numbers, each after the identifier of one that is known."""
    if SETTINGS.fullmatch(value) is None:
        return False
    data = urlsafe_b64decode(value)
    return all(int.from_bytes(data[at : at + 2]) <= MAX_SETTING for at in range(0, len(data), 6))


def _masked_line(veil: Veil, line: bytes) -> bytes:
    found = FIELD.fullmatch(line)
    if found is None or line[:1] in b" \t":
        return masked_rest(line)
    name, before, value, after = found.groups()
    colon = line[len(name) : len(name) + 1]
    said = masked_value(veil, name.strip().lower(), value)
    return masked_name(name) + colon + before + said + after
