"""Windows of HTTP/2 as they were at any time, from records alone."""

from __future__ import annotations

import pytest
from support.answers import stored_records
from support.corpus import ROOT

from parsers.records import Http2DataRecord, Record, StallRecord
from wireproof.web import windows as module
from wireproof.web.windows import Windows

TLS = ROOT / "fixtures" / "tls"


def records_of(name: str) -> list[Record]:
    return stored_records(TLS / f"{name}.pcapng")


def windows_of(records: list[Record]) -> Windows:
    windows = Windows()
    for record in records:
        windows.add(record)
    return windows


@pytest.mark.parametrize("name", ["sse", "cancel", "stall"])
def test_data_takes_from_both_windows_what_it_holds(name: str) -> None:
    records = records_of(name)
    moments = list(windows_of(records).moments(1, "server"))
    assert (moments[0].stream, moments[0].connection, moments[0].change) == (65_535, 65_535, 0)
    sent = [
        one.size + one.padding
        for one in records
        if isinstance(one, Http2DataRecord) and (one.sender, one.stream_id) == ("server", 1)
    ]
    taken = [
        before.stream - after.stream
        for before, after in zip(moments, moments[1:], strict=False)
        if after.stream < before.stream
    ]
    assert taken == [size for size in sent if size]


def test_a_window_is_used_up_where_the_stall_begins_and_has_room_where_it_ends() -> None:
    records = records_of("stall")
    moments = list(windows_of(records).moments(1, "server"))
    stalls = [one for one in records if isinstance(one, StallRecord) and one.window == "stream"]
    assert stalls
    for stall in stalls:
        last = [one for one in moments if one.packet <= stall.first_packet][-1]
        opened = next(one for one in moments if one.packet == stall.opened_by and one.stream > 0)
        assert last.stream <= 0 < opened.change


def test_the_side_that_sends_nothing_has_its_window_whole() -> None:
    answer = windows_of(records_of("sse")).answer(1, "client")
    assert (answer["known"], answer["total"], answer["stream"]) == (True, 1, [65_535])


def test_from_where_frames_may_be_missing_no_window_is_shown() -> None:
    records = records_of("sse")
    whole = windows_of(records).answer(1, "server")
    cut = windows_of(records[len(records) // 2 :]).answer(1, "server")
    assert whole["known"] and whole["total"] > 1
    assert (cut["known"], cut["total"]) == (False, 0)


def test_of_many_moments_those_with_least_room_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = windows_of(records_of("stall"))
    whole = windows.answer(1, "server")
    monkeypatch.setattr(module, "MOST", 5)
    few = windows.answer(1, "server")
    assert few["total"] == whole["total"] and len(few["time"]) <= 5 < len(whole["time"])
    assert min(few["stream"]) == min(whole["stream"])
