"""Verdicts as a test report."""

from __future__ import annotations

from errno import ENOSPC
from io import BytesIO, StringIO
from xml.etree import ElementTree

import pytest
from support.outcomes import EVIL, shown

from wireproof.views.verdicts.junit import JunitView


def report(*args: object, **options: object) -> ElementTree.Element:
    stream = StringIO()
    shown(JunitView(stream), *args, **options)  # type: ignore[arg-type]
    assert stream.getvalue().startswith('<?xml version="1.0" encoding="utf-8"?>\n')
    return ElementTree.fromstring(stream.getvalue())


def test_each_file_is_a_suite_and_each_exchange_a_case() -> None:
    suites = report(sources=("a.pcapng", "b.pcapng"))
    assert suites.attrib == {
        "name": "wireproof explain",
        **{"tests": "6", "failures": "2", "errors": "0", "skipped": "0"},
    }
    assert [suite.get("name") for suite in suites] == ["a.pcapng", "b.pcapng"]
    for suite in suites:
        assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
        assert [case.get("name") for case in suite] == [
            "GET /chat (exchange 3, packets 12-88)",
            "GET /chat (exchange 4, packets 12-88)",
            "GET /ok (exchange 5, packets 12-88)",
        ]
        assert {case.get("classname") for case in suite} == {suite.get("name")}
        assert suite[0].get("time") == "0.951200"


def test_what_fails_says_why_and_what_to_do() -> None:
    bad, noted, good = report()[0]
    (failure,) = bad.findall("failure")
    assert failure.get("type") == "held"
    assert failure.get("message") == "16 events came together, 951.0 ms after the request"
    assert failure.text is not None
    assert "  or: proxy-buffer → turn buffering off" in failure.text.splitlines()
    assert "(packets 12, 88)" in failure.text
    assert not noted.findall("failure")
    assert "gap: sender-silent" in (noted.findtext("system-out") or "")
    assert "streaming: streamed" in (good.findtext("system-out") or "")


def test_what_is_a_failure_is_chosen() -> None:
    assert report(fail_on="note").get("failures") == "2"
    assert report(fail_on="never").get("failures") == "0"


def test_nothing_from_the_wire_is_markup() -> None:
    ((case,),) = report([EVIL])
    assert (
        case.get("name") == "GET /\\x1b[31m\\u202e\\n::error::x]]><&\"' (exchange 6, packets 12-88)"
    )
    (failure,) = case
    assert failure.get("message") == "last data is '\\x1b]0;x\\x07\\r\\n::set-env::'"


def test_an_output_that_fails_leaves_no_file_open(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[BytesIO] = []

    def scratch() -> BytesIO:
        opened.append(BytesIO())
        return opened[-1]

    class Full(StringIO):
        def write(self, text: str) -> int:
            raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr("wireproof.views.verdicts.junit.buffered_scratch", scratch)
    with pytest.raises(OSError, match="No space"):
        shown(JunitView(Full()))
    assert [file.closed for file in opened] == [True, True]
