"""What is known of an end, before it is judged: who closed, who left, and what is not whole.

Strategy: everything is looked up once, in an exchange and the faults of its decoder, so that the
answers to how it ended (:mod:`.ending`) choose among facts. The numbers of the verdict are made
here, and an answer adds its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from parsers.records import End

from ..dialects.reader import LAST_WORD
from ..text.wording import ELEMENT_NAMES, count
from .ends import Leaving, first_end, is_half_closed, lacks_answer, leaving
from .flaws import CUTS, Flaw, find_flaws, missing_bytes
from .past import Word
from .silence import Silence, silence_since
from .trace import Trace
from .verdict import Cause, Number, Severity, Verdict

TEXT_WIDTH = 60
"""Cells of what an error says."""
CONTENT_CUTS = {"coding-cut": "gzip", "event-cut": "event", "element-cut": "message"}
"""Flaws of content that ends inside something, and what that is called."""


@dataclass
class Ending:
    """What is known of an end."""

    trace: Trace
    flaws: list[Flaw]
    codes: frozenset[str]
    end: End | None
    left: Leaving | None
    silence: Silence | None
    numbers: dict[str, Number] = field(default_factory=dict)

    @property
    def packets(self) -> tuple[int, ...]:
        """The last of the exchange, the FIN or RST that came first, and that of the leaving."""
        found = {self.trace.about.last_packet}
        found |= {self.end["packet"]} if self.end is not None else set()
        return tuple(sorted(found | ({self.left.packet} if self.left is not None else set())))

    @property
    def progress(self) -> str:
        """``after 5 events``, or what else had come."""
        about = self.trace.about
        counts, body = about.counts, about.response_body
        if about.response is None:
            return "before the response"
        if counts.events or about.transport == "sse":
            return f"after {count(counts.events, 'event')}"
        if counts.elements:
            return f"after {count(counts.elements, ELEMENT_NAMES[counts.element_kind])}"
        if counts.chunks:
            return f"after {count(counts.chunks, 'chunk')}"
        return f"after {count(body.size if body is not None else 0, 'byte')}"


def collect(trace: Trace) -> Ending:
    """Look up what is known of the end of an exchange."""
    about, faults = trace.about, trace.all_faults
    flaws = list(find_flaws(about, faults, is_lacking=lacks_answer(trace)))
    codes = frozenset(flaw.code for flaw in flaws)
    silence = silence_since(about, about.last_packet, about.last_time)
    ending = Ending(trace, flaws, codes, first_end(trace), leaving(trace), silence)
    ending.numbers |= _numbers(ending)
    return ending


def _numbers(ending: Ending) -> dict[str, Number]:
    trace = ending.trace
    about, body = trace.about, trace.about.response_body
    whole = not ending.codes & (CUTS | {"still-open"})
    silence = ending.silence
    found: dict[str, Number] = {
        "whole": "unknown" if whole and "close-delimited" in ending.codes else whole,
        "transport_whole": whole,
        "ended_by": None if body is None else body.ended_by,
        "first_closer": about.connection.closed_by if about.connection else None,
        "missing_bytes": missing_bytes(trace.all_faults),
        "idle_before_close": silence.seconds if silence and silence.sender else None,
        "events": about.counts.events,
        "inside": _inside(ending),
        "found": [flaw.code for flaw in ending.flaws],
    }
    if about.response is not None and about.response.codings:
        found["coding_whole"] = "coding-cut" not in ending.codes
    if "event-cut" in ending.codes:
        found["undispatched"] = 1
    if is_half_closed(trace):
        found["half_close"] = True
    return found | _last_words(trace)


def _inside(ending: Ending) -> str | None:
    if "inside-chunk" in ending.codes:
        return "chunk"
    if "coding-cut" in ending.codes:
        response = ending.trace.about.response
        return response.codings[-1] if response and response.codings else "gzip"
    cut = (name for code, name in CONTENT_CUTS.items() if code in ending.codes)
    return next(cut, None)


def _last_words(trace: Trace) -> dict[str, Number]:
    found: dict[str, Number] = {}
    if (word := last_word(trace)) is not None:
        said = word.payload.text if word.payload.kind == "done" else ""
        found["app_terminator"] = said or trace.reader.last_word or LAST_WORD
    if "error" in trace.words:
        found["error_event"] = True
    if trace.trailers:
        found["trailers"] = True
    return found


def last_word(trace: Trace) -> Word | None:
    """Return the application's last word, None if it did not come.

    In some dialects the reason of the end is all there is to come.
    """
    if not trace.reader.has_ended:
        return None
    return trace.words.get("done") or trace.words.get("finish")


def ending_verdict(
    ending: Ending,
    answer: str,
    severity: Severity,
    summary: str,
    causes: Sequence[Cause] = (),
    to_tell: str = "",
) -> Verdict:
    """Return an answer, with what is known."""
    return Verdict(
        "ending",
        answer,
        severity,
        summary,
        packets=ending.packets,
        causes=tuple(causes),
        to_tell=to_tell,
        evidence=tuple(flaw.summary for flaw in ending.flaws),
        numbers=ending.numbers,
    )
