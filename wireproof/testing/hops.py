"""What the hops of a test did to its exchanges: ``wire.hops()``.

Strategy: the captures of a test, one for each server and proxy, are legs of the same exchanges;
which exchange is which, and what happened between two legs, the judge of ``wireproof hops`` says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from parsers import decode_stream
from parsers.records import Record

from ..analysis.exchange_filter import EVERYTHING, ExchangeFilter
from ..analysis.hops.report import Judged, Report
from ..analysis.hops.report import hops as judge_hops
from ..analysis.verdict import Verdict
from ..text.escape import preview
from ..text.wording import count, duration
from ..views.verdicts.words import details, packets, summary
from .captures import Capture
from .faults import WireFailure

TARGET_WIDTH = 60
"""Cells of a request target in a message."""


class Hops:
    """The hops between the legs of a test's exchanges."""

    def __init__(self, report: Report, where: Callable[[], Sequence[str]]) -> None:
        self.report = report
        self._where = where

    @property
    def verdicts(self) -> list[Verdict]:
        """What is said of each hop: ``transparent``, ``holds``, ``loses`` or ``rewrites``."""
        return [judged.verdict for judged in self.report.hops]

    def assert_transparent(self, *, max_added: float | None = None) -> None:
        """Fail if a hop holds, loses or rewrites what passes, or no exchange was seen twice.

        With ``max_added`` also if a hop added more than so many seconds to any element.
        """
        __tracebackhide__ = True
        if not self.report.passed:
            said = f"{count(self.report.alone, 'exchange')} seen, none of them on several legs"
            raise WireFailure("\n".join([f"no hop was seen: {said}", "", *self._where()]))
        for passed in self.report.passed:
            for judged in passed.hops:
                wrong = _wrong(judged, max_added)
                if wrong is not None:
                    raise WireFailure("\n".join([*_told(judged, wrong), "", *self._where()]))


def _wrong(judged: Judged, max_added: float | None) -> str | None:
    """Return what is wrong with a hop, None if nothing is."""
    verdict = judged.verdict
    if verdict.is_fault:
        return f"the hop is {verdict.answer!r}, 'transparent' expected"
    added = verdict.numbers.get("added_max")
    if max_added is not None and isinstance(added, float) and added > max_added:
        return f"the hop added {duration(added)}, at most {max_added:g} s expected"
    return None


def _told(judged: Judged, said: str) -> Iterator[str]:
    """Yield the lines that say which exchange it is, what is wrong, and what to do."""
    request = judged.hop.near.about.request
    line = "" if request is None else f"{request.method} {request.target}"
    title = preview(line, "utf-8", TARGET_WIDTH) or "(request not captured)"
    yield f"{title}: {said}: {summary(judged.verdict)}"
    if shown := packets(judged.verdict):
        yield f"  {shown}"
    yield from (f"  {label}: {text}" for label, text in details(judged.verdict))


def read_hops(
    captures: Sequence[tuple[str, Capture]], path: str | None, where: Callable[[], Sequence[str]]
) -> Hops:
    """Judge the hops between captures, each with the name that it has in what is said."""
    wanted = EVERYTHING if path is None else ExchangeFilter(path=path)
    with ExitStack() as stack:
        legs = [(name, _records(capture, stack)) for name, capture in captures]
        return Hops(judge_hops(legs, wanted), where)


def _records(capture: Capture, stack: ExitStack) -> Iterator[Record]:
    capture.settle()
    return decode_stream(stack.enter_context(capture.open()))
