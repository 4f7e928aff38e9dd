"""Which clients would stumble over a stream, though it is legal: the judge of its question.

Strategy: what came that some clients are unprepared for was noted when it came
(:mod:`.hazard_facts`); which clients those are is a table with reports of it
(:mod:`.hazard_table`). It is never more than a note: the stream is as it may be.
"""

from __future__ import annotations

from ..text.wording import count
from .hazard_table import HAZARDS
from .trace import Trace
from .verdict import Cause, Number, Verdict

BY_FAULT = {
    "sse-event-unfinished": "no-final-blank-line",
    "content-coding-members": "coding-members",
    "http-surplus": "surplus",
}
"""Faults that the decoder has found already, and their hazards."""
ALONE = {
    "content-coding-undeclared": "coding-undeclared",
    "content-chunked-twice": "chunked-twice",
    "content-chunked-undeclared": "chunks-undeclared",
}
"""Those that leave nothing else to be told: what was read as events is something else."""
FORBIDDEN = "http-transfer-encoding-forbidden"
MAX_NAMED = 3
"""Hazards that the summary names."""


def judge_hazards(trace: Trace) -> Verdict | None:
    """Say which clients would stumble; None if none would."""
    found = _found(trace) if trace.faults or trace.hazards_found else None
    if not found:
        return None
    shown = [_seen(code, times) for code, (times, _) in found.items()]
    more = f", and {len(shown) - MAX_NAMED} more" if len(shown) > MAX_NAMED else ""
    numbers: dict[str, Number] = {code: times for code, (times, _) in found.items()}
    return Verdict(
        *("hazard", "found", "note", f"{'; '.join(shown[:MAX_NAMED])}{more}"),
        packets=tuple(sorted({packet for _, packet in found.values()})),
        causes=tuple(_cause(code, packet) for code, (_, packet) in found.items()),
        numbers=numbers,
        reference=HAZARDS[next(iter(found))].reference,
    )


def _found(trace: Trace) -> dict[str, tuple[int, int]]:
    noted = {code: (times, packet) for code, (times, packet) in trace.hazards_found.items()}
    faults = trace.all_faults
    for fault in faults:
        if fault.code in ALONE and fault.sender == "server":
            return {ALONE[fault.code]: (1, fault.last_packet)}
    for fault in faults:
        code = BY_FAULT.get(fault.code)
        if fault.code == FORBIDDEN and _is_chunked_to_http10(trace):
            code = "chunked-to-http10"
        if code is not None and fault.sender == "server":
            noted.setdefault(code, (1, fault.last_packet))
    return {code: noted[code] for code in HAZARDS if code in noted}


def _is_chunked_to_http10(trace: Trace) -> bool:
    request, response = trace.about.request, trace.about.response
    is_old = request is not None and request.version == "HTTP/1.0"
    return is_old and response is not None and response.framing == "chunked"


def _seen(code: str, times: int) -> str:
    said = HAZARDS[code].seen
    return said if times == 1 else f"{said} ({count(times, 'time')})"


def _cause(code: str, packet: int) -> Cause:
    hazard = HAZARDS[code]
    reported = f" (reported: {', '.join(hazard.reports)})" if hazard.reports else ""
    return Cause(
        code, "certain", f"{hazard.who}{reported}; first in packet {packet}", hazard.remedy
    )
