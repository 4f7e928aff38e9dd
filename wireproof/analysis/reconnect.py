"""Whether a client that came back got the stream on where it had stopped: the judge of it.

Strategy: an event stream follows an earlier one of the same target, host and client if its request
names an ID that was sent there; or, without Last-Event-ID, if the earlier one was cut and had IDs,
for then it would have had one to name. What came is compared with what had been sent, by IDs: again
(duplicate, from the start), left out (lost, where IDs are numbers), or neither (exact). Apart from
the server's part the client's is judged: did it name its latest ID, and did it wait as told?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parsers.records import ConnectionRecord

from ..heads import field_value
from ..text.escape import preview
from ..text.wording import duration, is_ended_by_fin_alone
from .event_ids import EventId
from .past import Past
from .recorded import holes
from .resumption_rules import are_in_a_row, is_too_soon, known_to_client, left_out
from .trace import Trace
from .verdict import Cause, Number, Severity, Verdict

LATEST = 60.0
"""Seconds after which a request without Last-Event-ID is no reconnect: clients wait some seconds,
and back off."""
MAX_NAMED = 64
"""IDs that are named in a verdict."""
ID_WIDTH = 40
REFERENCE = "WHATWG HTML section 9.2.4"
SAME_FIELDS = ("host", "user-agent", "cookie")
"""Fields that the requests of one client have in common."""


@dataclass
class Resumed:
    """A stream beside the one before it."""

    trace: Trace
    past: Past[Trace]
    named: str | None
    """Its Last-Event-ID."""
    sent: list[str]
    """The IDs of the earlier stream."""
    came: list[EventId]

    @property
    def last_sent(self) -> str:
        return self.sent[-1]

    @property
    def has_left(self) -> bool:
        """Whether the client itself ended the earlier stream: it may not have read all of it.

        One that closes after the last chunk has: it knew that no more would come.
        """
        connection, body = self.past.about.connection, self.past.about.response_body
        if body is not None and body.complete and not is_ended_by_fin_alone(body):
            return False
        return connection is not None and connection.closed_by == "client"

    @property
    def had(self) -> set[str]:
        """The IDs that the client surely had."""
        if self.has_left and self.named in self.sent:
            return known_to_client(self.sent, self.named or "")
        return set(self.sent)

    @property
    def again(self) -> list[EventId]:
        """What came though the client had it."""
        had = self.had
        return [one for one in self.came if one.id in had]

    @property
    def lost(self) -> Sequence[int]:
        """What came neither before nor now, where IDs are numbers in a row."""
        came = [one.id for one in self.came]
        if not came or self.again or not (are_in_a_row(self.sent) and are_in_a_row(came)):
            return range(0)
        last = self.last_sent if not self.has_left or self.named is None else self.named
        return left_out(last, came[0])

    @property
    def is_from_start(self) -> bool:
        """Whether it begins where the earlier one began, though there was more to pass over."""
        begins = bool(self.came) and self.came[0].id == self.sent[0]
        return begins and (len(self.sent) > 1 or self.named is not None)

    @property
    def is_stale(self) -> bool:
        """Whether the client named an ID that was not its latest."""
        is_other = self.named is not None and self.named != self.last_sent
        return is_other and self.named in self.sent and not self.has_left

    @property
    def waited(self) -> float:
        """Seconds from the end of the earlier stream to the request."""
        request = self.trace.about.request
        return request.first_time - _end_time(self.past) if request is not None else 0.0

    @property
    def retry(self) -> int | None:
        """Milliseconds that the client was told to wait."""
        return self.past.ids.retry


def judge_reconnect(trace: Trace) -> Verdict | None:
    """Say whether a stream goes on where the one before it ended; None if it follows none."""
    found = find_resumed(trace)
    if found is None:
        return None
    answer, summary, causes = _server_part(found)
    causes = [*causes, *_client_part(found)]
    if answer != "exact" and _is_lacking(found):
        answer, causes = "unknown", [_LACKING]
        summary = "the client reconnected, but the capture lacks part of one of the two streams"
    severity: Severity = "ok"
    if answer != "exact" or causes:
        severity = "error" if answer == "lost" else "warning"
    if answer == "unknown":
        severity = "warning" if set(causes) - {_LACKING} else "note"
    return Verdict(
        *("resume", answer, severity, summary),
        packets=_packets(found),
        causes=tuple(causes),
        numbers=_numbers(found),
        reference=REFERENCE,
    )


_LACKING = Cause("capture-incomplete", "certain", "the missing part may have been on the wire")


def _is_lacking(found: Resumed) -> bool:
    return bool(holes(found.trace)) or any(gap.sender == "server" for gap in found.past.gaps)


def find_resumed(trace: Trace) -> Resumed | None:
    """Return a stream beside the one that it follows, None if it follows none."""
    about = trace.about
    if about.transport != "sse" or about.request is None or about.response is None:
        return None
    named = about.request_header("last-event-id")
    # The latest first, and what heads tell: the IDs of one that goes on may not be known here.
    before = [past for past in reversed(trace.before) if _is_same_client(past, trace)]
    if named is None:
        before = [past for past in before if _would_be_resumed(past, trace)]
    past = next((past for past in before if named in past.ids.kept), None)
    past = past or next((past for past in before if past.ids.count), None)
    if past is None:
        return None
    return Resumed(trace, past, named, past.ids.kept, trace.ids.first)


def _is_same_client(past: Past[Trace], trace: Trace) -> bool:
    earlier, later = past.about.request, trace.about.request
    assert earlier is not None and later is not None
    if any(
        field_value(earlier.headers, name) != field_value(later.headers, name)
        for name in SAME_FIELDS
    ):
        return False
    addresses = [_address(one.connection) for one in (past.about, trace.about) if one.connection]
    return len(set(addresses)) <= 1


def _address(connection: ConnectionRecord) -> tuple[str, str]:
    return connection.client.rpartition(":")[0], connection.server


def _would_be_resumed(past: Past[Trace], trace: Trace) -> bool:
    """Whether a client without Last-Event-ID comes back nevertheless: its stream was cut."""
    about, request = past.about, trace.about.request
    body = about.response_body
    assert request is not None
    if not trace.ids.count or request.method != "GET" or body is None or body.complete:
        return False
    if "done" in past.words:
        return False
    return 0.0 <= request.first_time - _end_time(past) <= LATEST


def _end_time(past: Past[Trace]) -> float:
    """Return when a stream had ended for its client: whole, or by the first FIN or RST after."""
    about = past.about
    body, connection = about.response_body, about.connection
    if (body is not None and body.complete) or connection is None:
        return past.last_time
    after = (end["time"] for end in connection.ends if end["time"] >= past.last_time)
    return next(after, past.last_time)


# --- the server's part: what came ---


def _server_part(found: Resumed) -> tuple[str, str, list[Cause]]:
    named, came = found.named, found.came
    how = "without Last-Event-ID" if named is None else f"with Last-Event-ID {_shown(named)}"
    where = f"the client reconnected {how}"
    if not came:
        return "unknown", f"{where}, and no event with an ID followed", []
    first = f"the stream resumed with {_shown(came[0].id)} (packet {came[0].packet})"
    again = found.again
    if found.is_from_start:
        said = f"{where}, and got everything again: {_events([one.id for one in again])}"
        return "from-start", said, _ignored(found)
    if again:
        said = f"{where}, and {_events([one.id for one in again])} came again (packet"
        return "duplicate", f"{said} {again[0].packet})", _replayed(found)
    if found.lost:
        ends = [str(found.lost[0]), str(found.lost[-1])][: len(found.lost)]
        return "lost", f"{where}, and {_events(ends)} never came: {first}", [_SKIPPED]
    return "exact", f"{where}, and {first}", []


_SKIPPED = Cause(
    "server-skips",
    "certain",
    "the server resumed past that ID: it had not kept what happened in between",
    "keep events for as long as clients take to reconnect, and replay from their ID",
)


def _ignored(found: Resumed) -> list[Cause]:
    if found.named is None:
        return []
    return [
        Cause(
            "ignored-by-server",
            "certain",
            "the server started over, whatever Last-Event-ID said",
            "read Last-Event-ID, and resume after it",
        )
    ]


def _replayed(found: Resumed) -> list[Cause]:
    """Return why events came again; none of it is the server's part if the client asked for it."""
    if found.named is None or found.named not in found.sent:
        return []
    known = found.sent[: found.sent.index(found.named) + 1]
    if not any(one.id in known for one in found.again):
        return []
    return [
        Cause(
            "server-replays-too-much",
            "certain",
            "the client had everything up to the ID that it sent",
            "resume after the ID that the client sends, not at it or before it",
        )
    ]


# --- the client's part: what it asked for, and when ---


def _client_part(found: Resumed) -> list[Cause]:
    causes = []
    if found.named is None:
        said = f"the last ID that the client got was {_shown(found.last_sent)}"
        remedy = "send the last event ID, as EventSource does"
        causes.append(Cause("missing-id", "likely", said, remedy))
    elif found.is_stale:
        said = f"it sent {_shown(found.named)}, though it had got {_shown(found.last_sent)}"
        causes.append(
            Cause("stale-id", "certain", said, "remember the ID of each event that is handled")
        )
    elif found.named not in found.sent and found.past.ids.is_complete:
        said = f"the stream before had no ID {_shown(found.named)}"
        causes.append(Cause("unknown-id", "likely", said, "send an ID that came from the server"))
    if found.retry is not None and is_too_soon(found.waited, found.retry):
        said = (
            f"it reconnected after {duration(found.waited)}, though retry said {found.retry:,} ms"
        )
        causes.append(
            Cause("retry-ignored", "certain", said, "wait as long as the last retry field says")
        )
    return causes


def _numbers(found: Resumed) -> dict[str, Number]:
    lost, again = list(found.lost[:MAX_NAMED]), [one.id for one in found.again[:MAX_NAMED]]
    return {
        "last_id_sent": _number(found.last_sent),
        "last_event_id": None if found.named is None else _number(found.named),
        "lost": lost,
        "duplicated": [int(one) for one in again] if all(map(str.isdecimal, again)) else again,
        "retry_ms": found.retry,
        "waited_ms": round(found.waited * 1000, 3),
        "retry_respected": None
        if found.retry is None
        else not is_too_soon(found.waited, found.retry),
        "previous_connection": found.past.about.key.connection,
        "previous_exchange": found.past.about.key.exchange,
    }


def _packets(found: Resumed) -> tuple[int, ...]:
    request = found.trace.about.request
    shown = {found.past.ids.last[-1].packet, *(one.packet for one in found.came[:1])}
    shown |= {request.last_packet} if request is not None else set()
    return tuple(sorted(shown | {one.packet for one in found.again[:2]}))


def _number(identifier: str) -> str | int:
    return int(identifier) if identifier.isdecimal() else preview(identifier, "utf-8", ID_WIDTH)


def _shown(identifier: str) -> str:
    return preview(identifier, "utf-8", ID_WIDTH)


def _events(identifiers: Sequence[str]) -> str:
    """Return ``event 7``, or ``events 7 to 9``."""
    first, last = _shown(identifiers[0]), _shown(identifiers[-1])
    return f"event {first}" if len(identifiers) == 1 else f"events {first} to {last}"
