"""The times of one streamed answer, from which every latency metric follows.

Strategy: a client starts to wait when the last byte of its request is on the wire, and has an
element when that element's last byte is: what happens within the client is not on the wire.
Metrics differ in what they count as the first token and over what they divide; so all that they
need stands here once, and each is a formula over it (:mod:`.definitions`). Times are seconds
after the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from msgspec import Struct

from ...dialects.payload import CONTENT, Kind
from ..marks import MAX_MARKS, mask_of
from ..recorded import asked, holes
from ..trace import Trace

REASONING: frozenset[Kind] = frozenset(("reasoning",))
TOOL: frozenset[Kind] = frozenset(("tool",))
UNREAD: frozenset[Kind] = frozenset(("other",))
"""What counts as content where no dialect was recognised."""
IS_CHOICE = mask_of((*CONTENT, "role", "finish", "other"))
"""Kinds of events of the OpenAI dialect whose ``choices`` are not empty."""
NOTHING = mask_of(())
IS_CONTENT, MAY_BE_CONTENT = mask_of(CONTENT), mask_of(CONTENT | UNREAD)
IS_OUTPUT, MAY_BE_OUTPUT = mask_of(CONTENT - REASONING), mask_of((CONTENT | UNREAD) - REASONING)
IS_TEXT, MAY_BE_TEXT = (
    mask_of(CONTENT - REASONING - TOOL),
    mask_of((CONTENT | UNREAD) - REASONING - TOOL),
)
FAILED = 400
"""Status from which on what an answer says is no content (RFC 9110 section 15.5)."""
COUNTED = "usage of the stream"
ASSUMED = "assumed: one token an event"


class Times(Struct, frozen=True):
    """When what came; lists are in the order of arrival."""

    dialect: str
    """Empty if none was recognised: then every event counts as content."""
    connect: float | None
    """What the handshake of TCP took, if the capture has it and this is the first exchange."""
    upload: float | None
    """From the first byte of the request to its last, None if the capture lacks that."""
    headers: float | None
    """When the response's header was whole; None as ``upload``."""
    chunks: Sequence[float]
    """Each element that a client is given, comments and the literal ``[DONE]`` left out."""
    choices: Sequence[float]
    """Each event that has choices."""
    contents: Sequence[float]
    """Each element that carries content: text, reasoning, a tool's name or arguments; none of an
    answer that failed."""
    outputs: Sequence[float]
    """Those of them that are no reasoning."""
    texts: Sequence[float]
    """Those of them that are text, and no call of a tool either."""
    end: float | None
    """When the body ended, None if it did not, or as ``upload``."""
    tokens: int
    """How many output tokens there were."""
    tokens_from: str
    """How that is known: COUNTED or ASSUMED."""
    first_tokens: int | None
    """How many of them the first content brought, where the stream says so of each element."""
    left_out: int
    """Elements past those that a trace keeps: they are not measured."""
    holes: Sequence[float] = ()
    """When bytes of the response were found missing: no gap is measured across them."""
    is_asked: bool = True
    """Whether the capture has the request's end: else only what lies between two times is known."""

    @property
    def tokens_per_event(self) -> float:
        """How many tokens one element with content brings, on average."""
        return self.tokens / len(self.contents) if self.contents else 0.0


def times_of(trace: Trace) -> Times | None:
    """Return the times of an exchange, None if nothing streamed, or its request is missing."""
    about = trace.about
    marks = trace.streamed
    if about.request is None or about.response is None or not marks.count:
        return None
    start = about.asked_time
    name = trace.dialect_name
    kinds: bytes | bytearray = marks.kinds
    times = [time - start for time in marks.times]
    are_given: Sequence[int] = trace.is_chunk
    if marks is not trace.elements:  # the last chunk ends the body, and carries nothing
        are_given = trace.piece_sizes
        if 0 in are_given:
            times, kinds = list(compress(times, are_given)), bytes(compress(kinds, are_given))
        are_given = (1,) * len(times)
    if about.response.status >= FAILED:
        is_content = is_output = is_text = is_choice = NOTHING
    elif name:
        is_content, is_output, is_text, is_choice = IS_CONTENT, IS_OUTPUT, IS_TEXT, IS_CHOICE
    else:
        is_content, is_output, is_text = MAY_BE_CONTENT, MAY_BE_OUTPUT, MAY_BE_TEXT
        is_choice = IS_CHOICE
    contents = _some(times, kinds, is_content)
    connection, body = about.connection, about.response_body
    tokens, is_asked = trace.tokens, asked(trace) is not None
    upload = (about.request_body or about.request).last_time - about.request.first_time
    # In their order, for keywords cost as much as all that is looked up.
    return Times(
        name,
        connection.rtt if connection is not None and about.key.exchange == 0 else None,
        upload if is_asked else None,
        about.response.last_time - start if is_asked else None,
        list(compress(times, are_given)),
        _some(times, kinds, is_choice),
        contents,
        _some(times, kinds, is_output),
        _some(times, kinds, is_text),
        None if body is None or not is_asked else body.last_time - start,
        len(contents) if tokens is None else tokens,
        ASSUMED if tokens is None else COUNTED,
        trace.first_tokens,
        max(marks.count - MAX_MARKS, 0),
        [time - start for time in holes(trace)],
        is_asked,
    )


def _some(times: Sequence[float], kinds: bytes | bytearray, mask: bytes) -> list[float]:
    """Return the times of elements of some kinds."""
    if len(times) == 1:  # as of most short answers
        return [times[0]] if mask[kinds[0]] else []
    return list(compress(times, kinds.translate(mask)))
