"""What HAR wants to know of heads: URLs, query strings, cookies, forms, kinds of resources."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from parsers.records import Fields

from ..heads import field_value

Named = dict[str, str]

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# What a URL may be made of (RFC 3986 section 2), percent signs included: they stand as they are.
URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]-._~"
FORM = "application/x-www-form-urlencoded"
MAX_PARAMETERS = 10_000
DESTINATIONS = {
    "document": "document",
    "iframe": "document",
    "script": "script",
    "style": "stylesheet",
    "image": "image",
    "font": "font",
    "empty": "fetch",
}
"""DevTools' kinds of resources, by Sec-Fetch-Dest (W3C Fetch Metadata section 2.1)."""


def url_of(target: str, host: str, *, is_websocket: bool, is_secure: bool) -> str:
    """Return a request's URL without its fragment (RFC 9112 section 3.3)."""
    if not SCHEME.match(target):
        path = target if target.startswith("/") else f"/{target}" if target != "*" else "/"
        target = f"{'ws' if is_websocket else 'http'}{'s' if is_secure else ''}://{host}{path}"
    return quote(target.partition("#")[0], safe=URL_CHARACTERS)


def query_string(url: str) -> list[Named]:
    """Return the parameters of a URL, decoded."""
    return parameters(url.partition("?")[2])


def parameters(text: str) -> list[Named]:
    """Return the names and values of a form's encoding (WHATWG URL section 5.1)."""
    parts = "&".join(text.split("&", MAX_PARAMETERS)[:MAX_PARAMETERS])
    found = parse_qsl(parts, keep_blank_values=True)
    return [{"name": name, "value": value} for name, value in found]


def headers(fields: Fields) -> list[Named]:
    return [{"name": name, "value": value} for name, value in fields]


def request_cookies(fields: Fields) -> list[Named]:
    """Return the cookies of a request (RFC 6265 section 4.2.1)."""
    found = []
    for name, value in fields:
        if name.lower() == "cookie":
            for pair in value.split(";"):
                key, _, text = pair.strip().partition("=")
                if key:
                    found.append({"name": key, "value": text})
    return found


def response_cookies(fields: Fields) -> list[dict[str, Any]]:
    """Return the cookies that a response sets, with their attributes (RFC 6265 section 4.1.1)."""
    return [_cookie(value) for name, value in fields if name.lower() == "set-cookie"]


def _cookie(line: str) -> dict[str, Any]:
    pair, *attributes = line.split(";")
    name, _, value = pair.strip().partition("=")
    cookie: dict[str, Any] = {"name": name, "value": value, "httpOnly": False, "secure": False}
    for attribute in attributes:
        key, _, text = attribute.strip().partition("=")
        match key.lower():
            case "path" | "domain" as known:
                cookie[known] = text
            case "httponly":
                cookie["httpOnly"] = True
            case "secure":
                cookie["secure"] = True
            case "samesite":
                cookie["sameSite"] = text
            case "expires" if (when := _date(text)) is not None:
                cookie["expires"] = when
    return cookie


def _date(text: str) -> str | None:
    """Return a date of HTTP as HAR has it; one that is wrong would make importers give up."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, TypeError, OverflowError):
        return None


def media_type(fields: Fields) -> str:
    """Return the type of a message's content without its parameters, as Chrome writes it.

    DevTools takes nothing but ``text/event-stream`` for an event stream.
    """
    value = field_value(fields, "content-type") or ""
    return value.partition(";")[0].strip() or "x-unknown"


def resource_type(request: Fields, transport: str | None) -> str | None:
    """Return what DevTools calls this kind of request; None leaves it to the media type."""
    if transport == "websocket":
        return "websocket"
    if transport == "sse" and field_value(request, "accept") == "text/event-stream":
        return "eventsource"
    return DESTINATIONS.get((field_value(request, "sec-fetch-dest") or "").lower())
