"""Every cause that can be shown: what is done wrong, what cures it, and what is run for either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from starlette.types import ASGIApp

from . import apps
from .apps import Gzip, Handler, app_of
from .path import Path
from .relay import (
    Relay,
    at_once,
    batches,
    cut_after,
    every,
    later,
    looking_ahead,
    renumbered,
    replaced,
    standing_still,
    swapped,
    without,
)
from .unshown import UNSHOWN

Program = Literal["nginx", "haproxy"]
Leg = Literal["client", "app"]
Question = Literal["streaming", "ending", "gap", "hop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What is run: an app, maybe behind a proxy, and how its client behaves."""

    app: Handler = apps.stream
    wrap: Callable[[ASGIApp], ASGIApp] | None = None
    """A middleware around the app."""
    proxy: Program | None = None
    options: str = ""
    """Of the proxy's configuration."""
    relay: Relay | None = None
    """A proxy of our own before the app."""
    path: Path | None = None
    """What lies between the client and the server, in a network of their own."""
    nagle: bool | None = None
    """Whether the server leaves Nagle's algorithm on; None for uvicorn, which turns it off."""
    stops_reading: float = 0.0
    """Seconds for which the client does not read."""
    large: bool = False
    """Whether events are so large that they fill a window."""
    uploads: bool = False
    """Whether it is the client that streams."""
    beside: Handler | None = None
    """What another client asks for meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A cause as it is shown."""

    name: str
    """The code that a verdict names it by, unless ``code`` is given."""
    code: str = ""
    summary: str
    """What is done wrong."""
    remedy: str
    """What is done about it."""
    question: Question = "streaming"
    """What is asked: of an exchange, or of the hop between the two legs of a proxy."""
    answer: str
    """What is said of the fault."""
    cured: str = "streamed"
    """What is said afterwards; empty if the question does not arise then."""
    is_note: bool = False
    """Whether what is said of the fault is a note: nobody did wrong."""
    fault: Way
    cure: Way
    leg: Leg = "client"
    """Which connection shows it."""
    hidden: str = ""
    """What shows it and a relay does not see, which ends its client's connection."""

    @property
    def cause(self) -> str:
        """The code that a verdict names it by."""
        return self.code or self.name


BUFFERED = "proxy_http_version 1.0; proxy_set_header Connection close; proxy_buffers 8 4k;"
"""nginx's defaults before 1.29.7, said aloud: HTTP/1.0 to the app, answers in buffers of a page."""
GZIPPED = f"{BUFFERED} gzip on; gzip_types *; gzip_proxied any;"
PLAIN = Relay(at_once)
FAR_AWAY = Path(delay=0.075)
BOTH_LEGS = "the connection between the proxy and the app"
PATH = "the packets of a path"
IMPATIENT = "proxy_http_version 1.1; proxy_buffering off; proxy_read_timeout 1s;"

EXCHANGES: tuple[Shown, ...] = (
    Shown(
        name="compressor-not-flushed",
        summary="middleware compresses the stream and never flushes its compressor",
        remedy="flush the compressor after each event",
        answer="held",
        fault=Way(wrap=partial(Gzip, flushes=False)),
        cure=Way(wrap=partial(Gzip, flushes=True)),
    ),
    Shown(
        name="app-collects",
        summary="the app collects all events and returns them as one body",
        remedy="return a StreamingResponse over the generator itself",
        answer="held",
        fault=Way(app=apps.collect),
        cure=Way(),
    ),
    Shown(
        name="app-batches",
        summary="the app writes four events at a time",
        remedy="yield each event as it is there",
        answer="bursty",
        fault=Way(app=apps.batch),
        cure=Way(app=apps.batch_no_more),
    ),
    Shown(
        name="same-tick",
        summary="the app collects its events and yields them in one turn of the event loop",
        remedy="yield while events are awaited, not after",
        answer="held",
        fault=Way(app=apps.same_tick),
        cure=Way(),
    ),
    Shown(
        name="headers-with-first-event",
        summary="the app waits for the first event before it creates its response",
        remedy="return the response at once, and send a comment while the model thinks",
        answer="header-held",
        fault=Way(app=apps.head_with_first_event),
        cure=Way(app=apps.head_at_once),
    ),
    Shown(
        name="blocked-loop",
        summary="a handler blocks the event loop while another client is served",
        remedy="await instead of blocking, or run what blocks in a thread",
        answer="held",
        fault=Way(app=apps.fed_by_thread, beside=apps.block),
        cure=Way(app=apps.fed_by_thread, beside=apps.work_aside),
    ),
    Shown(
        name="proxy-buffer",
        summary="nginx speaks HTTP/1.0 to the app and buffers responses without a length",
        remedy="proxy_buffering off, or X-Accel-Buffering: no from the app",
        answer="bursty",
        fault=Way(proxy="nginx", options=BUFFERED, large=True),
        cure=Way(proxy="nginx", options=f"{BUFFERED} proxy_buffering off;", large=True),
    ),
    Shown(
        name="nginx-gzip",
        code="compressor-not-flushed",
        summary="nginx compresses a chat and buffers what it compresses",
        remedy="X-Accel-Buffering: no from the app",
        answer="held",
        fault=Way(proxy="nginx", options=GZIPPED, app=apps.last_word),
        cure=Way(proxy="nginx", options=GZIPPED, app=apps.unbuffered),
    ),
    Shown(
        name="cork-200ms",
        summary="HAProxy corks small chunks, for up to 200 ms",
        remedy="option http-no-delay",
        answer="bursty",
        fault=Way(proxy="haproxy", app=apps.batch_no_more),
        cure=Way(proxy="haproxy", options="option http-no-delay", app=apps.batch_no_more),
    ),
    Shown(
        name="proxy-timer",
        summary="a proxy flushes every 500 ms (FlushInterval in Go's ReverseProxy)",
        remedy="flush at once: an interval of -1 there, and no timer elsewhere",
        answer="bursty",
        fault=Way(app=apps.batch_no_more, relay=Relay(every(0.5))),
        cure=Way(app=apps.batch_no_more, relay=PLAIN),
    ),
    Shown(
        name="proxy-batches",
        summary="a proxy forwards four events at a time",
        remedy="make the proxy pass on at once what it reads",
        answer="bursty",
        fault=Way(app=apps.batch_no_more, relay=Relay(batches(4))),
        cure=Way(app=apps.batch_no_more, relay=PLAIN),
    ),
    Shown(
        name="proxy-buffers-request",
        summary="nginx reads the whole request before it forwards it",
        remedy="proxy_request_buffering off",
        answer="request-held",
        cured="request-streamed",
        fault=Way(proxy="nginx", options="proxy_http_version 1.1;", uploads=True),
        cure=Way(
            proxy="nginx",
            options="proxy_http_version 1.1; proxy_request_buffering off;",
            uploads=True,
        ),
        leg="app",
        hidden=BOTH_LEGS,
    ),
    Shown(
        name="nagle-delayed-ack",
        summary="a server writes each chunk in two parts and leaves Nagle's algorithm on",
        remedy="TCP_NODELAY, or one write for each chunk",
        answer="stepped",
        # Whether an acknowledgement is delayed is the client's kernel's affair, and a busy machine
        # changes its mind; a round trip it takes in any case.
        fault=Way(nagle=True, path=Path(delay=0.01)),
        cure=Way(nagle=False, path=Path(delay=0.01)),
        hidden="segments and acknowledgements",
    ),
    Shown(
        name="client-zero-window",
        summary="the client stops reading, and its window closes",
        remedy="read on, and work in a task of its own",
        answer="client-slow",
        fault=Way(large=True, stops_reading=2.0),
        cure=Way(large=True),
        hidden="the client's window",
    ),
    Shown(
        name="tcp-slow-start",
        summary="the app writes 45 kB at once on a new connection with a 150 ms round trip",
        remedy="send events as they are made: fewer at once need no larger window",
        answer="bursty",
        is_note=True,
        fault=Way(app=apps.large_at_once, path=FAR_AWAY),
        cure=Way(app=apps.large, path=FAR_AWAY),
        hidden=PATH,
    ),
    Shown(
        name="loss",
        code="retransmission",
        summary="the network loses an event and four retransmissions of it",
        remedy="a path that loses nothing: look at the network, not at the application",
        question="gap",
        answer="retransmission",
        cured="",
        fault=Way(path=Path(delay=0.01, loses=6, copies=4)),
        cure=Way(path=Path(delay=0.01)),
        hidden=PATH,
    ),
    Shown(
        name="outage",
        summary="the path is down for 0.8 s in both directions",
        remedy="a path that stays: look at the network, not at the application",
        question="gap",
        answer="retransmission",
        cured="",
        fault=Way(app=apps.batch_no_more, path=Path(delay=0.01, loses=20, gone=0.8)),
        cure=Way(app=apps.batch_no_more, path=Path(delay=0.01)),
        hidden=PATH,
    ),
    Shown(
        name="sender-silent",
        summary="the app sends nothing for 2.4 s in the middle of its stream",
        remedy="find what the app waits for; until then a comment keeps the connection",
        question="gap",
        answer="sender-silent",
        cured="",
        is_note=True,
        fault=Way(app=apps.fall_silent),
        cure=Way(),
    ),
    Shown(
        name="keep-alive-masked",
        summary="comments keep the connection alive while the source is silent for 2.4 s",
        remedy="find what the app waits for: comments are no content",
        question="gap",
        answer="keep-alive-masked",
        cured="",
        is_note=True,
        fault=Way(app=apps.keep_alive),
        cure=Way(),
    ),
    Shown(
        name="proxy-idle-timeout",
        summary="the app stays silent longer than nginx waits (proxy_read_timeout 1s)",
        remedy="send a comment at half the shortest limit on the way",
        question="ending",
        answer="cut",
        cured="whole",
        fault=Way(proxy="nginx", options=IMPATIENT, app=apps.fall_silent),
        cure=Way(proxy="nginx", options=IMPATIENT, app=apps.keep_alive),
    ),
    Shown(
        name="terminator-missing",
        summary="the app ends its stream without its dialect's terminator",
        remedy="send the finish reason and [DONE]",
        question="ending",
        answer="app-incomplete",
        cured="whole",
        fault=Way(app=apps.no_last_word),
        cure=Way(app=apps.last_word),
    ),
)


def _hop(
    name: str,
    summary: str,
    remedy: str,
    answer: str,
    relay: Relay,
    *,
    app: Handler = apps.stream,
    is_note: bool = False,
) -> Shown:
    """Return a cause that both legs of a proxy show."""
    return Shown(
        name=name,
        summary=summary,
        remedy=remedy,
        question="hop",
        answer=answer,
        cured="transparent",
        fault=Way(app=app, relay=relay),
        cure=Way(app=app, relay=PLAIN),
        is_note=is_note,
        hidden=BOTH_LEGS,
    )


HOPS: tuple[Shown, ...] = (
    _hop(
        "proxy-looks-ahead",
        "a proxy holds each event until the next one arrives",
        "write an event when it is whole",
        "holds",
        Relay(looking_ahead),
    ),
    _hop(
        "fixed-delay",
        "a filter in a proxy takes 150 ms per event",
        "take the filter off streams",
        "holds",
        Relay(later(0.15)),
    ),
    _hop(
        "proxy-holds",
        "a proxy stalls for 0.4 s in the middle of a stream",
        "keep slow work out of the proxy's event loop",
        "holds",
        Relay(standing_still(5, 0.4)),
    ),
    _hop(
        "headers-held",
        "a proxy holds the headers until there is a body",
        "pass the headers on as soon as they come",
        "transparent",
        Relay(at_once, holds_head=True),
        is_note=True,
    ),
    _hop(
        "drops-last-event",
        "a gateway drops the last event",
        "pass on what is left when the source ends",
        "loses",
        Relay(without(-1)),
    ),
    _hop(
        "drops-event",
        "a gateway drops one event",
        "pass on every event",
        "loses",
        Relay(without(5)),
    ),
    _hop(
        "proxy-cut",
        "a proxy closes both connections in the middle of a stream",
        "raise its timeouts and limits, or send keep-alives",
        "loses",
        Relay(cut_after(6)),
    ),
    _hop(
        "doubles-events",
        "a gateway sends an event twice: it retries a write that had succeeded",
        "do not repeat a write that may have been sent",
        "rewrites",
        Relay(replaced(5, lambda chunk: [chunk, chunk])),
    ),
    _hop(
        "reorders-events",
        "a gateway sends an event after the one that follows it",
        "use one queue for each stream",
        "rewrites",
        Relay(swapped(5)),
    ),
    _hop(
        "adds-events",
        "a gateway inserts an event of its own into the stream",
        "send comments (`: ping`) where something has to be sent",
        "rewrites",
        Relay(replaced(5, lambda chunk: [chunk, b"data: still with you\n\n"])),
    ),
    _hop(
        "renames-ids",
        "a gateway replaces event IDs with its own",
        "pass the IDs on, or translate the Last-Event-ID of a client that reconnects",
        "transparent",
        Relay(renumbered),
        app=apps.numbered,
        is_note=True,
    ),
    _hop(
        "rewrites-content",
        "a gateway changes the text of an event",
        "pass events on unchanged",
        "rewrites",
        Relay(replaced(5, lambda chunk: [chunk.replace(b"a token", b"the word")])),
        is_note=True,
    ),
)
CAUSES = (*EXCHANGES, *HOPS)
NAMES = tuple(shown.name for shown in CAUSES)


def cause(name: str) -> Shown:
    """Return a cause by its name; raises LookupError if there is none so named."""
    for shown in CAUSES:
        if shown.name == name:
            return shown
    if name in UNSHOWN:
        raise LookupError(f"{name} has no scenario: {UNSHOWN[name]}")
    raise LookupError(f"no cause is named {name!r}: {', '.join(NAMES)}")


def application(way: Way) -> ASGIApp:
    """Return the app of a way, with its middleware around it."""
    handler = apps.large if way.large else apps.receive if way.uploads else way.app
    app = app_of(handler, way.beside)
    return app if way.wrap is None else way.wrap(app)
