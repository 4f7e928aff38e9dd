"""The registry of faults: each has its severity, summary and rule, and is reported somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import parsers
from parsers.diagnostics import FAULTS, Diagnostic, Severity, diagnose, excerpt

SOURCES = Path(parsers.__file__).parent
LITERAL = re.compile(r'"([a-z0-9]+(?:-[a-z0-9]+)+)"')
GROUPS = {code.partition("-")[0] for code in FAULTS}
NO_CODES = {"capture-end", "content-encoding", "content-length", "content-type"}
"""Literals that have the form of a code and are none: field names, and how a body ended."""

RULE = re.compile(
    r"(?:RFC \d{3,4}(?: section [\d.]+)?|WHATWG HTML section [\d.]+|pcapng section \d)"
)
"""The standards that are cited, with their sections."""


def codes_in(path: Path) -> set[str]:
    """Every literal of a source file that has the form of a code of a registered group."""
    found = {code for code in LITERAL.findall(path.read_text()) if code not in NO_CODES}
    return {code for code in found if code.partition("-")[0] in GROUPS}


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_is_described(code: str) -> None:
    fault = FAULTS[code]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code)
    assert fault.severity in get_args(Severity)
    assert fault.summary
    assert not fault.summary.endswith((".", " ", ":"))
    assert not fault.reference or RULE.fullmatch(fault.reference)


def test_every_fault_is_reported_somewhere() -> None:
    """And no code is used that is not registered."""
    used: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        if path.name != "diagnostics.py":
            used |= codes_in(path)
    assert used == set(FAULTS)


@pytest.fixture(scope="module")
def tests() -> str:
    """The source of every other test module."""
    folder = Path(__file__).parents[1]
    modules = (path for path in folder.rglob("test_*.py") if path.name != "test_diagnostics.py")
    return "".join(path.read_text() for path in modules)


@pytest.mark.parametrize("code", FAULTS)
def test_every_fault_is_provoked_by_a_test(code: str, tests: str) -> None:
    assert f'"{code}"' in tests, "no test names it: provoke it in the test of what reports it"


def test_what_a_diagnostic_says() -> None:
    fault = diagnose("http-body-cut", 3, 9, "6 of 10 bytes")
    assert fault == Diagnostic(3, 9, "http-body-cut", "the body is incomplete: 6 of 10 bytes")
    assert (fault.severity, fault.reference) == ("error", "RFC 9112 section 8")
    assert diagnose("http-body-cut", 0, 0).summary == "the body is incomplete"


def test_a_code_that_is_not_registered() -> None:
    with pytest.raises(KeyError):
        diagnose("no-such-code", 0, 0)


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"", "''"),
        (b"it's\r\n", '"it\'s\\r\\n"'),
        (b"\xff\0", r"'\xff\x00'"),
        (b"x" * 60, "'" + "x" * 60 + "'"),
        (b"x" * 1_061, "'" + "x" * 60 + "'... (1,061 bytes)"),
    ],
)
def test_excerpts(data: bytes, shown: str) -> None:
    assert excerpt(data) == shown
