"""What is no content although it is made of letters: names and values that somebody else lists.

Strategy: what members and values of JSON are an API's own, the dialects say that read them
(:mod:`...dialects`): members are those of what they read, values their ``words``. Of HTTP the
fields and values are listed here that standards and well-known software define. Whatever is in no
list is content.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from http import HTTPMethod, HTTPStatus
from types import UnionType
from typing import Any, get_args

from msgspec.structs import fields

from ...analysis.premature import PROXIES
from ...analysis.time_limits import LIMITS
from ...dialects import graphql, mqtt, stomp
from ...dialects.decoding import Part
from ...dialects.reader import LAST_WORD, TELLING_EVENTS
from ...dialects.table import DIALECTS

LAST = LAST_WORD.encode()
METHODS = frozenset(one.value.encode() for one in HTTPMethod)
REASONS = frozenset(one.phrase.encode() for one in HTTPStatus) | {
    b"Found", b"Payload Too Large", b"Request Entity Too Large", b"Request-URI Too Long",
    b"Unprocessable Content", b"Connection established", b"Connection Established",
    b"Moved Temporarily", b"Switching protocols", b"Content Too Large",
}  # fmt: skip
"""Reason phrases of standards, and of software."""
FIELD_NAMES = frozenset(
    b"""
    :authority :method :path :protocol :scheme :status accept accept-charset accept-encoding
    accept-language accept-patch accept-post accept-ranges access-control-allow-credentials
    access-control-allow-headers access-control-allow-methods access-control-allow-origin
    access-control-expose-headers access-control-max-age access-control-request-headers
    access-control-request-method age allow alt-svc alt-used authorization cache-control
    cache-status cdn-cache-control cf-cache-status cf-ray clear-site-data connection
    content-digest content-disposition content-encoding content-language content-length
    content-location content-range content-security-policy content-type cookie
    cross-origin-opener-policy cross-origin-resource-policy date device-memory digest dnt
    early-data etag expect expires forwarded from grpc-accept-encoding grpc-encoding grpc-message
    grpc-previous-rpc-attempts grpc-retry-pushback-ms grpc-status grpc-status-details-bin
    grpc-timeout host http2-settings if-match if-modified-since if-none-match if-range
    if-unmodified-since keep-alive last-event-id last-modified link location max-forwards
    mcp-protocol-version mcp-session-id mime-version nel openai-beta openai-model
    openai-organization openai-processing-ms openai-version anthropic-beta anthropic-version
    origin permissions-policy pragma prefer preference-applied priority proxy-authenticate
    proxy-authorization proxy-connection proxy-status range referer referrer-policy refresh
    report-to repr-digest retry-after sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest
    sec-fetch-mode sec-fetch-site sec-fetch-user sec-gpc sec-websocket-accept
    sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server
    server-timing set-cookie strict-transport-security surrogate-control te timing-allow-origin
    traceparent tracestate trailer transfer-encoding upgrade upgrade-insecure-requests user-agent
    vary via want-content-digest want-repr-digest warning www-authenticate x-accel-buffering
    x-accel-expires x-amz-cf-id x-amz-cf-pop x-amzn-requestid x-api-key x-cache
    x-content-type-options x-correlation-id x-envoy-attempt-count
    x-envoy-decorator-operation x-envoy-expected-rq-timeout-ms x-envoy-external-address
    x-envoy-upstream-service-time x-error x-exception x-forwarded-for x-forwarded-host
    x-forwarded-port x-forwarded-proto x-frame-options x-goog-api-key x-grpc-web x-powered-by
    x-ratelimit-limit-requests x-ratelimit-limit-tokens x-ratelimit-remaining-requests
    x-ratelimit-remaining-tokens x-ratelimit-reset-requests x-ratelimit-reset-tokens x-real-ip
    x-request-id x-requested-with x-stream-error x-trace-id x-user-agent x-varnish
    x-vercel-ai-data-stream x-vercel-ai-ui-message-stream x-vercel-cache x-vercel-id
    x-xss-protection
    """.split()
)
"""Names of fields, in lower case; what stands in a name that is none of them, is masked."""

_CODINGS = (
    b"chunked gzip x-gzip deflate br zstd compress x-compress identity trailers q * dcb dcz snappy"
)
_MEDIA = b"""
    application audio font image message model multipart text video
    json x-ndjson ndjson x-json-stream jsonl x-jsonl json-lines jsonlines x-jsonlines json-seq
    stream geo event-stream plain html css
    javascript xml xhtml csv markdown octet-stream x-www-form-urlencoded form-data mixed
    byteranges x-mixed-replace alternative related problem ld api grpc grpc-web grpc-web-text
    proto protobuf vnd.amazon.eventstream msgpack x-msgpack cbor pdf zip gzip png jpeg gif webp
    avif svg mpeg mp4 ogg webm wav wasm q charset boundary utf-8 us-ascii iso-8859-1 * profile
    """
LISTED: dict[bytes, frozenset[bytes]] = {
    name: frozenset(values.split())
    for names, values in {
        b"accept content-type": _MEDIA,
        b"accept-encoding content-encoding transfer-encoding te grpc-encoding"
        b" grpc-accept-encoding": _CODINGS,
        b"connection proxy-connection upgrade": b"close keep-alive upgrade websocket h2c te"
        b" http2-settings trailers tls http",
        b"keep-alive": b"timeout max",
        b"cache-control": b"no-cache no-store no-transform private public must-revalidate"
        b" proxy-revalidate max-age s-maxage stale-while-revalidate stale-if-error immutable"
        b" only-if-cached must-understand max-stale min-fresh",
        b"pragma": b"no-cache",
        b"x-accel-buffering": b"yes no",
        b"content-disposition": b"form-data attachment inline name filename",
        b"sec-websocket-extensions": b"permessage-deflate client_max_window_bits"
        b" server_max_window_bits client_no_context_takeover server_no_context_takeover"
        b" x-webkit-deflate-frame",
        b"sec-websocket-protocol": " ".join(
            graphql.PROTOCOLS | mqtt.PROTOCOLS | stomp.PROTOCOLS
        ).encode(),
        b"expect": b"100-continue",
        b"accept-ranges": b"bytes none",
        b"trailer vary": b" ".join(FIELD_NAMES),
        b"server via": " ".join((*PROXIES, *(one.component for one in LIMITS))).encode() + b" fly",
        b":scheme x-forwarded-proto": b"http https ws wss",
        b":method access-control-request-method": b" ".join(METHODS).lower(),
        b":protocol": b"websocket connect-udp connect-ip webtransport",
        b"x-vercel-ai-data-stream x-vercel-ai-ui-message-stream": b"v1",
        b"x-cache cf-cache-status": b"hit miss pass bypass dynamic expired stale",
    }.items()
    for name in names.split()
}
"""What of the values of fields is no content, in lower case."""
NUMBERED = re.compile(
    rb"content-length|retry-after|max-forwards|age|grpc-status|access-control-max-age|:status|dnt"
    rb"|sec-websocket-version|upgrade-insecure-requests|x-envoy-upstream-service-time|te|accept"
    rb"|keep-alive|cache-control|sec-websocket-extensions|accept-encoding|grpc-timeout"
)
"""Fields whose numbers are no content: lengths, times, weights and versions."""
WHOLE = rb"\d{1,10}|\d{1,8}[HMSmun]"
"""A number that counts: no longer than one of 32 bits; of gRPC's timeouts with its unit
(PROTOCOL-HTTP2)."""
NUMBER = re.compile(WHOLE + rb"|[01]\.\d{1,3}")
"""One of these, or a weight."""
COUNT = re.compile(WHOLE + rb"|9+(?:[eE]9*)?")
"""One of these, or what took the place of a number."""


NOTHING, NUMBER_VALUE, WORD_VALUE = 0, 1, 2
"""What a value of a member of JSON may be that is no content: flags."""


def _parts(base: type[Any] = Part) -> Iterator[type[Any]]:
    for one in base.__subclasses__():
        yield one
        yield from _parts(one)


def _is_number(kind: Any) -> bool:
    return int in (get_args(kind) if isinstance(kind, UnionType) else (kind,))


@cache
def members() -> dict[bytes, int]:
    """Return the members of JSON that dialects read, and what their values may be."""
    found: dict[str, int] = {}
    for part in _parts():
        for field in fields(part):
            kind = NUMBER_VALUE if _is_number(field.type) else NOTHING
            found[field.encode_name] = found.get(field.encode_name, NOTHING) | kind
    for dialect in DIALECTS:
        for name in dialect.telling | dialect.words.keys():
            kind = WORD_VALUE if dialect.words.get(name) else NOTHING
            found[name] = found.get(name, NOTHING) | kind
    return {name.encode(): kind for name, kind in found.items()}


@cache
def words() -> frozenset[bytes]:
    """Return the values of such members that are words of an API's own."""
    found = (one for dialect in DIALECTS for own in dialect.words.values() for one in own)
    return frozenset(one.encode() for one in found)


@cache
def event_names() -> frozenset[bytes]:
    """Return the types of server-sent events that are no content."""
    usual = b"message delta done end complete completion close open endpoint chunk".split()
    types = (one for dialect in DIALECTS for one in dialect.words.get("type", ()))
    return frozenset(one.encode() for one in (*types, *TELLING_EVENTS)).union(usual)
