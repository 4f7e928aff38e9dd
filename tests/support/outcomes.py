"""What came of exchanges that never were: for views, which print whatever is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wireproof.analysis.fail_on import FailOn
from wireproof.analysis.listing import Listed, SessionName
from wireproof.analysis.outcomes import Outcome, Tally
from wireproof.analysis.verdict import Cause, Verdict
from wireproof.views.verdicts import VerdictView

HELD = Verdict(
    "streaming",
    "held",
    "error",
    "16 events came together, 951.0 ms after the request",
    packets=(12, 88),
    causes=(
        Cause("compressor-not-flushed", "possible", "gzip, 2 chunks", "flush it"),
        Cause("proxy-buffer", "possible", "", "turn buffering off"),
    ),
    to_tell="a capture in front of the proxy",
    evidence=("one segment has them all",),
    numbers={"events": 16, "period": None},
)
WHOLE = Verdict("ending", "whole", "ok", "complete (last chunk)", packets=(88,))
STREAMED = Verdict("streaming", "streamed", "ok", "16 events came one by one")
SLOW = Verdict(
    "gap",
    "sender-silent",
    "note",
    "nothing came for 3.000 s",
    packets=tuple(range(20, 31)),
    causes=(Cause("sender-silent", "likely", "the beat is lost"),),
    remedy="send keep-alives",
    reference="RFC 9110",
)


def listed(**fields: Any) -> Listed:
    usual: dict[str, Any] = {
        "number": 3,
        "connection": 1,
        "exchange": 0,
        "client": "127.0.0.1:40000",
        "server": "127.0.0.1:8000",
        "method": "GET",
        "target": "/chat",
        "status": 200,
        "transport": "sse",
        "first_packet": 12,
        "last_packet": 88,
        "start_time": 1_790_000_000.5,
        "first": 0.951,
        "last": 0.9512,
        "count": 16,
        "element": "event",
        "longest_gap": 0.951,
        "verdict": "held",
        "end": "whole",
        "grpc_status": None,
        "grpc_message": None,
        "severity": "error",
        "sessions": [],
    }
    return Listed(**usual | fields)


BAD = Outcome(listed(), [HELD, WHOLE])
NOTED = Outcome(listed(number=4, verdict="streamed", severity="note"), [STREAMED, WHOLE, SLOW])
GOOD = Outcome(
    listed(
        number=5,
        target="/ok",
        verdict="streamed",
        severity="ok",
        first=0.0128,
        last=0.4864,
        sessions=[SessionName("mcp-session-id", "7f3a")],
    ),
    [STREAMED, WHOLE],
)
EVIL = Outcome(
    listed(number=6, target="/\x1b[31m\u202e\n::error::x]]><&\"'", severity="error"),
    [
        Verdict("ending", "cut", "error", "last data is '\x1b]0;x\x07\r\n::set-env::'"),
    ],
)
"""What would command a terminal, a workflow or a reader of XML."""


def shown(
    view: VerdictView,
    outcomes: Sequence[Outcome] = (BAD, NOTED, GOOD),
    sources: Sequence[str] = ("a.pcapng",),
    fail_on: str = "warning",
) -> None:
    """Give a view the same exchanges as of each file."""
    total = Tally()
    for source in sources:
        tally = Tally()
        view.begin(source)
        for outcome in outcomes:
            failed = [one for one in outcome.verdicts if FailOn([fail_on]).takes(one)]
            tally.add(outcome.listed.severity, bool(failed))
            view.add(outcome, failed)
        view.end(tally)
        total.join(tally)
    view.close(total)
