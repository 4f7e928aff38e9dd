"""``explain`` as a test report: a test suite for each file, a test case for each exchange.

Strategy: a suite says first how many of its cases failed, which only its end tells: so its cases
are written to a temporary file, and put after the head of their suite when that is known. The
elements are those that readers of JUnit's format have in common: Jenkins, GitLab, pytest.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from io import TextIOWrapper
from shutil import copyfileobj
from typing import TextIO
from xml.etree import ElementTree as ET

from ...analysis.outcomes import Outcome, Tally
from ...analysis.verdict import Verdict
from ...output import buffered_scratch
from ...text.escape import escape
from .words import details, is_cited, leading, packets, summary, title


class JunitView:
    """Writes XML."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        with ExitStack() as stack:
            self._suites = stack.enter_context(TextIOWrapper(buffered_scratch(), encoding="utf-8"))
            self._cases = stack.enter_context(TextIOWrapper(buffered_scratch(), encoding="utf-8"))
            self._scratch = stack.pop_all()
        self._source = ""

    def begin(self, source: str) -> None:
        self._source = escape(source)

    def add(self, outcome: Outcome, failed: Sequence[Verdict]) -> None:
        self._cases.write(ET.tostring(_case(self._source, outcome, failed), "unicode") + "\n")

    def end(self, tally: Tally) -> None:
        head = _head("testsuite", self._source, tally)
        self._suites.write(head)
        self._cases.seek(0)
        copyfileobj(self._cases, self._suites)
        self._suites.write("</testsuite>\n")
        self._cases.seek(0)
        self._cases.truncate()

    def close(self, tally: Tally) -> None:
        with self._scratch:  # whatever becomes of the output
            self._stream.write('<?xml version="1.0" encoding="utf-8"?>\n')
            self._stream.write(_head("testsuites", "wireproof explain", tally))
            self._suites.seek(0)
            copyfileobj(self._suites, self._stream)
            self._stream.write("</testsuites>\n")
            self._stream.flush()


def _head(tag: str, name: str, tally: Tally) -> str:
    """Return the start tag of an element whose content follows."""
    counts = {"tests": tally.exchanges, "failures": tally.failed, "errors": 0, "skipped": 0}
    element = ET.Element(tag, {"name": name} | {key: str(value) for key, value in counts.items()})
    return (
        ET.tostring(element, "unicode", short_empty_elements=False).removesuffix(f"</{tag}>") + "\n"
    )


def _case(source: str, outcome: Outcome, failed: Sequence[Verdict]) -> ET.Element:
    listed = outcome.listed
    took = 0.0 if listed.last is None else max(listed.last, 0.0)
    case = ET.Element("testcase", classname=source, name=title(listed), time=f"{took:.6f}")
    if failed:
        first = leading(failed)
        assert first is not None  # there is one
        text = "\n\n".join(map(_text, failed))
        failure = ET.SubElement(case, "failure", type=first.answer, message=summary(first))
        failure.text = text
    told = [verdict for verdict in outcome.verdicts if verdict not in failed]
    if told:
        ET.SubElement(case, "system-out").text = "\n\n".join(map(_text, told))
    return case


def _text(verdict: Verdict) -> str:
    where = "" if is_cited(verdict) else packets(verdict)
    head = f"{verdict.question}: {verdict.answer}: {summary(verdict)}" + (
        f" ({where})" if where else ""
    )
    return "\n".join([head, *(f"  {label}: {text}" for label, text in details(verdict))])
