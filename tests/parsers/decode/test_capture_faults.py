"""Faults of no connection: of which packet they are, and that what many have alike is said once."""

from __future__ import annotations

import pytest

from parsers.decode.capture_faults import CaptureFaults
from parsers.diagnostics import diagnose
from parsers.records import DiagnosticRecord, Record

LAST = 7, 1_500_000_000


def said(records: list[Record]) -> list[tuple[str, int, float, str]]:
    """Code, packet, time and summary."""
    found = [one for one in records if isinstance(one, DiagnosticRecord)]
    assert len(found) == len(records)
    return [(one.code, one.first_packet, one.first_time, one.summary) for one in found]


def test_it_is_of_the_last_packet_or_of_another_one() -> None:
    faults = CaptureFaults(None)
    ((_, *place, summary),) = said(faults.report(LAST, "packet-cut", "packet 3 is the first"))
    assert place == [7, 1.5] and summary.endswith(": packet 3 is the first")
    assert said(faults.report(LAST, "packet-cut", "", "so"))[0][1:] == (7, 1.5, "so")
    assert said(faults.report(LAST, "packet-cut", "", packet=3))[0][1] == 3


def test_a_cut_packet_is_said_at_the_first() -> None:
    faults = CaptureFaults(None)
    assert faults.cut(LAST, 0) == []
    assert [one[:2] for one in said(faults.cut(LAST, 5))] == [("packet-cut", 7)]
    assert faults.cut((8, 0), 5) == []
    assert faults.of((9, 0), diagnose("packet-cut", 0, 0)) == []


def test_each_link_type_is_said_once() -> None:
    faults = CaptureFaults(None)
    asked = [("link-type-unknown", 9), ("link-type-wrong", 9), ("link-type-unknown", 8)]
    for code, link_type in asked:
        assert [one[0] for one in said(faults.of_link_type(LAST, code, link_type, "so"))] == [code]
    assert all(faults.of_link_type(LAST, *one, "so") == [] for one in asked)


@pytest.mark.parametrize("wanted", [True, False])
def test_those_of_no_connection_may_be_unwanted(wanted: bool) -> None:
    faults = CaptureFaults(lambda connection: connection is None and wanted)
    assert len(faults.of(LAST, diagnose("link-type-unknown", 0, 0))) == wanted
