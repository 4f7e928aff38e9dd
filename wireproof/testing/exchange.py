"""One request and what came back, as the packets tell it, with the assertions of a test.

Strategy: an exchange is its evidence (:mod:`~..analysis.evidence`), made of the decoder's records;
times are those at which the kernel saw the packets. An assertion asks one of the verdicts of
:mod:`~..analysis` for a :class:`~..analysis.finding.Finding`, and raises it with the packets
concerned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from parsers.records import Record

from ..analysis.endings import find_other_end, find_unclean_end
from ..analysis.evidence import Evidence
from ..analysis.finding import Finding, not_recorded
from ..analysis.judges import Explained
from ..analysis.keepalive import find_other_close, find_unanswered_ping
from ..analysis.recorded import Lacks, lacks
from ..analysis.resumption import find_bad_resumption
from ..analysis.streaming import find_gap, find_late_start
from ..analysis.verdict import Verdict
from ..exchange import Exchange as Facts
from ..text.escape import preview
from ..text.wording import NO_BODY, body_end, connection_end, count, duration, span
from . import expectations
from .faults import WireFailure

TARGET_WIDTH = 60
"""Cells of a request target in a line."""


class Source(Protocol):
    """The capture that an exchange comes from."""

    def explain(self, finding: Finding, exchange: Exchange) -> str:
        """Return a finding with the packets concerned and where the capture is."""

    def explained(self, exchange: Exchange) -> Explained:
        """Return an exchange with what is said of it."""

    def windows(self, connection: int) -> frozenset[int]:
        """Return the packets that waited for the client to read."""

    def assert_matches(
        self, name: str, exchange: Exchange, *, replace: Mapping[str, str] | None = None
    ) -> None:
        """Compare an exchange with a stored transcript."""


class Exchange(Evidence):
    """A request with its response: ``wire.exchange("/chat")``.

    All fields are as recorded; times are seconds since the epoch, packets count from 1.
    """

    def __init__(self, about: Facts, source: Source) -> None:
        super().__init__(about)
        self.source = source

    @property
    def number(self) -> int:
        """From 0 in the order of its capture."""
        return self.about.number

    @property
    def method(self) -> str:
        """The request's method, empty if the request was not captured."""
        return self.request.method if self.request else ""

    @property
    def target(self) -> str:
        """The request's target, with its query."""
        return self.request.target if self.request else ""

    @property
    def status(self) -> int | None:
        """The response's status code."""
        return self.response.status if self.response else None

    @property
    def last_event_id(self) -> str:
        """The last event ID that a client had from it; empty if none."""
        return self.events[-1].id if self.events else ""

    @property
    def verdicts(self) -> list[Verdict]:
        """All that ``wireproof explain`` says of it."""
        return self.source.explained(self).verdicts

    def verdict(self, question: str) -> Verdict:
        """Return the answer to a question: ``exchange.verdict("ending").answer``.

        Questions are ``streaming``, ``ending``, ``gap``, ``resume``, ``disconnect``, ``websocket``
        and ``hazard``. Fails if it does not arise.
        """
        __tracebackhide__ = True
        found = expectations.verdict_on(self.source.explained(self), question)
        if found is None:
            said = f"the question {question!r} does not arise"
            if self._lacks().is_answer:
                self._raise(not_recorded(f"maybe therefore {said}"))
            self._raise(Finding("no-verdict", said))
            raise AssertionError  # it has failed
        return found

    def waited(self) -> frozenset[int]:
        """Return the packets that had to wait for the client to read."""
        return self.source.windows(self.about.key.connection)

    # --- assertions ---

    def assert_streamed(
        self,
        *,
        min_events: int | None = None,
        max_events_per_segment: int | None = None,
        min_gap: float | None = None,
    ) -> None:
        """Fail unless events went out one by one, as they came to be, and not collected.

        Without arguments ``wireproof explain`` decides: it must not be held, come in bursts or
        steps, nor so fast that nothing can be told. Its header may come late, and what had to wait
        for the client to read is left out.

        With any argument a test also says what it takes for a stream: at least ``min_events``
        events (2); at most ``max_events_per_segment`` of them in a segment (1); and spread over
        time: a good part of them at least ``min_gap`` seconds after the one before. By default that
        is 10 ms, which is longer than a busy machine takes between two writes, or less where the
        first event came so soon that nothing can have been collected.
        """
        __tracebackhide__ = True
        asked = expectations.wanted(min_events, max_events_per_segment, min_gap)
        self._raise(expectations.find_unstreamed(self.source.explained(self), self, asked))

    def assert_verdict(self, **expected: expectations.Expected) -> None:
        """Fail unless these are the answers: ``assert_verdict(streaming="streamed")``.

        A collection of answers takes any of them, None a question that does not arise. Without
        arguments nothing may be wrong, whatever the question.
        """
        __tracebackhide__ = True
        explained = self.source.explained(self)
        if not expected:
            self._raise(expectations.find_fault(explained))
        self._raise(expectations.find_other_verdict(explained, expected))

    def assert_time_to_first_token(self, *, below: float) -> None:
        """Fail if the first token came ``below`` seconds or more after the request.

        A token is an element with text, reasoning or a tool's call: not one that only has a role,
        nor a keep-alive. Of a stream in no known dialect each event is one.
        """
        __tracebackhide__ = True
        self._raise(expectations.find_late_token(self.source.explained(self), below))

    def assert_inter_token_latency(
        self,
        *,
        p50: float | None = None,
        p90: float | None = None,
        p99: float | None = None,
        max: float | None = None,
    ) -> None:
        """Fail if a percentile of the waits between tokens is longer than so many seconds."""
        __tracebackhide__ = True
        wanted = {"p50": p50, "p90": p90, "p99": p99, "max": max}
        limits = {name: limit for name, limit in wanted.items() if limit is not None}
        self._raise(expectations.find_slow_tokens(self.source.explained(self), limits))

    def assert_ended(self, *, by: str | None = None, reason: str | None = None) -> None:
        """Fail unless ``client`` or ``server`` ended the connection first, for this ``reason``.

        That is the answer (``whole``, ``cut``, ``app-error``), a cause (``proxy-idle-timeout``), or
        what ended the body (``last-chunk``).
        """
        __tracebackhide__ = True
        self._raise(expectations.find_other_ending(self.source.explained(self), by, reason))

    def assert_client_left_noticed(self, *, within: float) -> None:
        """Fail unless the client left before the end, and the server stopped ``within`` seconds.

        Behind a proxy that the same capture shows, it is the server that is meant, not the proxy.
        """
        __tracebackhide__ = True
        self._raise(expectations.find_unnoticed_leaving(self.source.explained(self), within))

    def assert_resumed_exactly(self) -> None:
        """Fail unless it went on where an earlier stream had stopped: nothing again, nothing lost.

        Which stream that is, its capture tells: one of the same target, by Last-Event-ID.
        """
        __tracebackhide__ = True
        self._raise(expectations.find_inexact_resumption(self.source.explained(self)))

    def assert_time_to_first_event(self, *, below: float) -> None:
        """Fail if the first event came ``below`` seconds or more after the request."""
        __tracebackhide__ = True
        self._raise(find_late_start(self, below, self._lacks()))

    def assert_no_gap_longer_than(self, seconds: float, *, keep_alives: bool = False) -> None:
        """Fail if anything but the first event was waited for longer than ``seconds``.

        That is between events, and from the last one to the end: of the response if it is
        complete, else of its connection. With ``keep_alives`` comments and pings count as signs of
        life too.
        """
        __tracebackhide__ = True
        self._raise(find_gap(self, seconds, keep_alives, self._lacks().server))

    def assert_ended_by(self, ended_by: str, *, closed_by: str | None = None) -> None:
        """Fail unless the body ended so: ``last-chunk``, ``content-length``, ``close``, ``reset``
        or ``capture-end``; with ``closed_by`` also unless ``client`` or ``server`` closed the
        connection first.
        """
        __tracebackhide__ = True
        self._raise(find_other_end(self, ended_by, closed_by, self._lacks()))

    def assert_clean_end(self, *, app_terminator: str | None = None) -> None:
        """Fail unless the stream ended as its protocols want: the body whole, no event cut off, no
        reset; and, with ``app_terminator``, the last event's data being that.
        """
        __tracebackhide__ = True
        self._raise(find_unclean_end(self, app_terminator, self._lacks()))

    def assert_ping_answered(self, *, within: float) -> None:
        """Fail unless there were pings, and each was answered in ``within`` seconds.

        Not judged is one that the end of the conversation overtook.
        """
        __tracebackhide__ = True
        self._raise(find_unanswered_ping(self, within, self._lacks()))

    def assert_closed(self, *, code: int | None = None, by: str | None = None) -> None:
        """Fail unless a WebSocket's closing handshake was held; with this ``code``, begun ``by``
        ``client`` or ``server``.
        """
        __tracebackhide__ = True
        self._raise(find_other_close(self, code, by, self._lacks()))

    def assert_resumed_from(
        self, previous: Exchange, *, respecting_retry: bool = False, exact: bool = False
    ) -> None:
        """Fail unless this request went on where ``previous`` ended.

        That is: its Last-Event-ID is an ID which ``previous`` delivered, no event up to that one
        comes again, and none is left out where IDs are numbers. ``exact``: it is the last ID that
        was sent, also if the client left before it read it. ``respecting_retry``: not before the
        ``retry`` that ``previous`` gave.
        """
        __tracebackhide__ = True
        lacking = self._lacks(), previous._lacks()
        self._raise(find_bad_resumption(self, previous, respecting_retry, exact, lacking))

    def assert_matches(self, name: str, *, replace: Mapping[str, str] | None = None) -> None:
        """Fail if this exchange differs from the stored transcript ``name``; see ``Wire``."""
        __tracebackhide__ = True
        self.source.assert_matches(name, self, replace=replace)

    def _lacks(self) -> Lacks:
        """Return what the capture lacks of it."""
        return lacks(self.source.explained(self).trace)

    def _raise(self, finding: Finding | None) -> None:
        __tracebackhide__ = True
        if finding is not None:
            raise WireFailure(self.source.explain(finding, self))

    # --- in words ---

    def __str__(self) -> str:
        what = f"{self.title} {self.status or 'no response'} {self.transport}"
        return f"{what}: {self._amount()}, {self._end()}; packets {self._packets()}"

    @property
    def title(self) -> str:
        """Method and target as they can be printed, cut if they are long."""
        said = preview(f"{self.method} {self.target}".strip(), "utf-8", TARGET_WIDTH)
        return said or "(request not captured)"

    def _amount(self) -> str:
        elements = self.elements
        amount = count(len(elements), self.element_name)
        if len(elements) > 1:
            amount += f" over {duration(elements[-1].last_time - elements[0].last_time)}"
        return amount

    def _end(self) -> str:
        if self.body is not None:
            return body_end(self.body)
        if self.about.is_bodiless:
            return NO_BODY
        if self.connection is not None and self.is_websocket:
            return "closed" if self.is_complete else connection_end(self.connection)
        return "no end seen"

    def _packets(self) -> str:
        found = [record for record in self._records() if record.first_packet]
        if not found:
            return "none"
        return span(min(r.first_packet for r in found), max(r.last_packet for r in found))

    def _records(self) -> Iterator[Record]:
        for one in (self.request, self.response, self.body):
            if one is not None:
                yield one
        yield from self.chunks
        yield from self.runs
        yield from self.frames
