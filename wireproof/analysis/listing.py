"""A line for each exchange: who asked whom for what, when it came, and what is said of it.

Strategy: a line is made of an explained exchange and holds no more than it shows, so that lines
can wait for others without the exchanges they are of. What comes from the wire in it is as
recorded, cut to what anybody would look at, and not escaped: whoever prints it does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from parsers.records import Transport

from ..text.wording import ELEMENT_NAMES
from .grpc_status import status_of
from .judges import Explained
from .keyless.facts import TlsFacts, tls_facts_of
from .keyless.pace import SealedAnswer
from .keyless.sealed import SealedConnection
from .recorded import asked, first_element_after, holes, is_recorded, started
from .sessions import Session, sessions_of
from .silence import silence_since
from .trace import Trace
from .verdict import SEVERITIES, Question, Severity, Verdict

ENDS: tuple[Question, ...] = ("ending", "websocket")
"""Questions whose answers say how an exchange ended."""
MAX_TARGET = 2_048
"""Characters of a request target in a line."""
MAX_METHOD = 64
"""Characters of a method in a line."""


class SessionName(msgspec.Struct, frozen=True):
    """A session that an exchange belongs to, by its own words."""

    field: str
    """What says it: a header field, in lower case, or a member of the payload."""
    id: str


class Listed(msgspec.Struct, frozen=True):
    """An exchange in a line; or a TLS connection whose exchanges nobody can read."""

    number: int | None
    """From 0, in the order in which the exchanges of the capture began; null of a TLS
    connection."""
    connection: int
    """As in records."""
    exchange: int
    """Which one of its connection, from 0; 0 of a TLS connection."""
    client: str | None
    """Address and port; null if the connection's record is missing."""
    server: str | None
    method: str | None
    """Null if the request was not captured."""
    target: str | None
    """Up to MAX_TARGET characters of it."""
    status: int | None
    """Null if no response was captured."""
    transport: Transport | Literal["tls"]
    """``tls``: it was not decrypted."""
    first_packet: int
    last_packet: int
    start_time: float
    """Of the first packet, in seconds since the epoch."""
    first: float | None
    """Seconds from the end of the request to the first element; null if there is none, or the
    capture lacks bytes before it, or the end of the request.

    From its beginning, where the answer's content began before the request had ended; from the
    first packet, where the request came before the capture began.
    """
    last: float | None
    """From there to the last element; null if there is none, or the capture lacks the end of the
    request."""
    count: int
    """How many elements came: events, messages of the server, chunks, ..."""
    element: str
    """What one of them is called: ``event``."""
    longest_gap: float
    """Seconds for which nothing came of the response, at most."""
    verdict: str
    """Whether it streamed, in a word; else the word for what is wrong with it; empty if neither."""
    end: str
    """How it ended, in a word; empty if nothing is said of it."""
    grpc_status: str | None
    """What a call of gRPC ended with, ``DEADLINE_EXCEEDED``; null if it is none, or it said
    nothing."""
    grpc_message: str | None
    """What that said in words, percent-decoded; null as ``grpc_status``."""
    severity: Severity
    """The gravest of what is said of it."""
    sessions: list[SessionName]
    tls: TlsFacts | None = None
    """What is known of a TLS connection that was not decrypted."""


def listed(explained: Explained, named: Sequence[Session] = ()) -> Listed:
    """Return the line of an exchange; ``named`` are sessions that its payload tells of."""
    exchange, trace, verdicts = explained
    request, response, connection = exchange.request, exchange.response, exchange.connection
    streamed, status = trace.streamed, status_of(trace)
    start = started(trace)
    # In their order, for keywords cost as much as all that is looked up.
    return Listed(
        exchange.number,
        exchange.key.connection,
        exchange.key.exchange,
        None if connection is None else connection.client,
        None if connection is None else connection.server,
        None if request is None else request.method[:MAX_METHOD],
        None if request is None else request.target[:MAX_TARGET],
        None if response is None else response.status,
        exchange.transport,
        exchange.first_packet,
        exchange.last_packet,
        exchange.first_time,
        first_element_after(trace, start),
        streamed.last_time - start if streamed.count and start is not None else None,
        trace.total,
        element_name(trace),
        longest_gap(trace),
        _verdict(verdicts),
        next((one.answer for one in verdicts if one.question in ENDS), ""),
        None if status is None else status.name,
        None if status is None else status.message,
        gravest(verdicts),
        [SessionName(*one) for one in (*sessions_of(exchange), *named)],
    )


def shown_answer(found: SealedConnection) -> SealedAnswer | None:
    """Return the answer of most records, which stands for its connection; None if there is none."""
    return max(found.answers, key=lambda one: len(one.elements), default=None)


def listed_tls(found: SealedConnection) -> Listed:
    """Return the line of a TLS connection: of its answers, it shows the one of most records."""
    tls, connection, _, verdicts, _ = found
    chosen = shown_answer(found)
    start = None if chosen is None else chosen.first
    said = [one for one in verdicts if one.question == "streaming"]
    return Listed(
        number=None,
        connection=connection.connection,
        exchange=0,
        client=connection.client,
        server=connection.server,
        method=None,
        target=None,
        status=None,
        transport="tls",
        first_packet=connection.first_packet,
        last_packet=connection.last_packet,
        start_time=connection.first_time,
        first=start,
        last=None if chosen is None or start is None else start + chosen.span,
        count=0 if chosen is None else len(chosen.elements),
        element=found.medium.name,
        longest_gap=max((_longest(one) for one in found.answers), default=0.0),
        verdict="" if chosen is None else said[chosen.number].answer,
        end=verdicts[-1].answer,
        grpc_status=None,
        grpc_message=None,
        severity=gravest(verdicts),
        sessions=[],
        tls=tls_facts_of(found),
    )


def _longest(answer: SealedAnswer) -> float:
    """Return for how many seconds nothing came of an answer, at most."""
    return max((answer.first or 0.0, *answer.gaps))


def gravest(verdicts: list[Verdict]) -> Severity:
    """Return the gravest severity of what is said of an exchange."""
    if len(verdicts) < 2:
        return verdicts[0].severity if verdicts else "ok"
    return max([one.severity for one in verdicts], key=SEVERITIES.index)


def element_name(trace: Trace) -> str:
    """Return what one of the elements of an exchange is called: ``event``, ``chunk``."""
    exchange, transport = trace.about, trace.about.transport
    if transport == "websocket" and not exchange.is_refused:
        return ELEMENT_NAMES["websocket_message"]
    if transport == "sse":
        return ELEMENT_NAMES["sse_event"]
    if exchange.counts.elements:
        return ELEMENT_NAMES[exchange.counts.element_kind]
    return ELEMENT_NAMES["chunk" if exchange.counts.chunks else "data"]


def longest_gap(trace: Trace) -> float:
    """Return for how many seconds nothing came of the response, at most.

    That is up to its head, to its first element, between elements, and after the last one until the
    connection ended, where it did not end by itself; wherever the capture lacks nothing.
    """
    exchange, streamed = trace.about, trace.streamed
    waits = [(wait.before_time, wait.after_time) for wait in streamed.waits]
    before = asked(trace)
    if exchange.response is not None:
        after = exchange.response.last_time
        waits += [(before, after)] if before else []
        before = after
    if streamed.count and before:
        waits.append((before, streamed.times[0]))
    missing = holes(trace)
    silence = silence_since(exchange, exchange.last_packet, exchange.last_time)
    is_read = exchange.response is not None or not missing  # what follows a lost head may be its
    if silence is not None and is_read:
        waits.append((silence.time - silence.seconds, silence.time))
    if missing:
        waits = [one for one in waits if is_recorded(*one, missing)]
    return max([after - before for before, after in waits], default=0.0)


def _verdict(verdicts: list[Verdict]) -> str:
    """Return the word of the first question but the end that says something is wrong, else whether
    it streamed."""
    others = [one for one in verdicts if one.question not in ENDS]
    if not others:
        return ""
    streaming = next((one for one in others if one.question == "streaming"), None)
    if streaming is not None and streaming.is_fault:
        return streaming.answer
    wrong = next((one.answer for one in others if one.is_fault), None)
    return wrong or (streaming.answer if streaming else "")
