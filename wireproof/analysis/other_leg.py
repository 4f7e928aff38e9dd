"""Who held a response where a capture has both legs of a proxy: no second capture has to tell.

Strategy: the leg behind the proxy is judged as the client's is. If it streamed, whoever sits
between held; if it has the same answer, that came from the application. So of the causes of one
leg those are left that the other does not rule out. Which exact buffer or timer it was says
``wireproof hops``, which compares element by element.
"""

from __future__ import annotations

from msgspec.structs import replace

from ..text.wording import count
from .legs import leg_behind
from .pace import judge_streaming
from .trace import Trace
from .verdict import Cause, Verdict

OF_APPS = frozenset(
    ("app-batches", "app-collects", "blocked-loop", "headers-with-first-event", "same-tick")
)
"""Causes that sit in the application."""
OF_PROXIES = frozenset(("cork-200ms", "proxy-batches", "proxy-buffer", "proxy-timer"))
"""Causes that sit before it."""
HEAD_HELD = Cause(
    "headers-held",
    "certain",
    "the application sent its headers ahead, and the proxy kept them",
    "make the proxy send the headers at once (Node: flushHeaders())",
)
HELD = Cause(
    "proxy-holds",
    "certain",
    "the application's leg streamed, so the proxy held",
    "turn response buffering off for this location",
)


HOPS = "`wireproof hops` with this very capture"


def judge_stream(trace: Trace) -> Verdict | None:
    """Say whether a response streamed, and who held it, by both legs of a proxy if both are there.

    None where it is no stream.
    """
    verdict = trace.streaming or judge_streaming(trace)
    upstream = leg_behind(trace)
    if verdict is None or upstream is None or not is_open(verdict):
        return verdict
    there = judge_streaming(upstream)
    if there is None or there.answer in ("undecided", "client-slow"):
        return verdict
    connection = f"connection {upstream.about.key.connection}"
    events = count(int(there.numbers["events"] or 0), "element")  # type: ignore[arg-type]
    seen = f"the leg behind the proxy ({connection}): {there.answer}, {events}"
    causes = _left(verdict, there)
    to_tell = HOPS if len(causes) > 1 else ""
    return replace(verdict, causes=causes, to_tell=to_tell, evidence=(*verdict.evidence, seen))


def is_open(verdict: Verdict) -> bool:
    """Whether a second capture would tell who it was."""
    return bool(verdict.to_tell) and bool(verdict.causes)


def may_be_told(trace: Trace) -> bool:
    """Whether a leg behind a proxy may tell who held a response."""
    verdict = judge_streaming(trace) if trace.asked_meanwhile else None
    if trace.about.connection is not None:
        trace.streaming = verdict  # nothing that it rests on comes any more
    return verdict is not None and is_open(verdict)


def _left(verdict: Verdict, there: Verdict) -> tuple[Cause, ...]:
    """Return the causes that the other leg does not rule out."""
    if there.answer == verdict.answer:
        left = [one for one in verdict.causes if one.code not in OF_PROXIES]
    elif verdict.answer == "header-held":
        left = [HEAD_HELD]
    else:
        left = [one for one in verdict.causes if one.code not in OF_APPS] or [HELD]
    if len(left) == 1:
        left = [replace(left[0], sure="certain")]
    return tuple(left or verdict.causes)
