"""Windows of HTTP/2 as they were at any time, from records alone."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from support.answers import stored_records
from support.corpus import ROOT

from parsers.records import (
    Http2DataRecord,
    Http2FrameRecord,
    Record,
    RequestRecord,
    StallRecord,
)
from wireproof.web import windows as module
from wireproof.web.windows import Size, Windows

TLS = ROOT / "fixtures" / "tls"


def records_of(name: str) -> list[Record]:
    return stored_records(TLS / f"{name}.pcapng")


def windows_of(records: list[Record]) -> Windows:
    windows = Windows()
    for record in records:
        windows.add(record)
    return windows


def sizes(answer: dict[str, Any]) -> list[Size]:
    """The sizes of an answer, row by row."""
    return [Size(*row) for row in zip(*(answer[name] for name in Size._fields), strict=True)]


@pytest.mark.parametrize("name", ["sse", "cancel", "stall"])
def test_data_takes_from_both_windows_what_it_holds(name: str) -> None:
    records = records_of(name)
    windows = windows_of(records)
    stream, connection = windows.of_stream(1, "server"), windows.of_connection("server")
    assert stream["size"][0] == connection["begin"] == 65_535
    sent = [
        one.size + one.padding
        for one in records
        if isinstance(one, Http2DataRecord) and (one.sender, one.stream_id) == ("server", 1)
    ]
    found = sizes(stream)
    taken = [
        before.size - after.size
        for before, after in zip(found, found[1:], strict=False)
        if after.size < before.size
    ]
    assert taken == [size for size in sent if size]
    # Each frame of DATA has one number in both answers.
    shrunk = [one.at for one, after in zip(found[1:], found, strict=False) if one.size < after.size]
    assert set(shrunk) <= {one.at for one in sizes(connection)}


def test_a_window_is_used_up_where_the_stall_begins_and_has_room_where_it_ends() -> None:
    records = records_of("stall")
    found = sizes(windows_of(records).of_stream(1, "server"))
    stalls = [one for one in records if isinstance(one, StallRecord) and one.window == "stream"]
    assert stalls
    for stall in stalls:
        last = [one for one in found if one.packet <= stall.first_packet][-1]
        opened = next(one for one in found if one.packet == stall.opened_by and one.size > 0)
        assert last.size <= 0 < opened.size


def test_the_side_that_sends_nothing_has_its_window_whole() -> None:
    windows = windows_of(records_of("sse"))
    answer = windows.of_stream(1, "client")
    assert (answer["known"], answer["total"], answer["size"]) == (True, 1, [65_535])
    assert windows.of_connection("client")["total"] == 0


def test_a_stream_has_no_window_before_it_begins() -> None:
    windows = windows_of(records_of("sse"))
    assert windows.of_stream(1, "server")["at"][0] > 0
    assert windows.of_stream(1_001, "server")["total"] == 0


def test_what_comes_after_somebody_asked_is_told_too() -> None:
    records = records_of("stall")
    windows, half = Windows(), len(records) // 2
    for record in records[:half]:
        windows.add(record)
    early = windows.of_stream(1, "server")
    for record in records[half:]:
        windows.add(record)
    assert early["total"] < windows.of_stream(1, "server")["total"]
    assert windows.of_stream(1, "server") == windows_of(records).of_stream(1, "server")


def test_settings_change_the_windows_of_all_streams_at_once() -> None:
    windows = Windows()
    records = records_of("sse")
    for record in records:
        windows.add(record)
    settings = next(
        one for one in records if isinstance(one, Http2FrameRecord) and one.type == "SETTINGS"
    )
    before = windows.of_stream(1, "server")["size"][-1]
    shared = windows.of_connection("server")
    sender = "client"
    windows.add(
        structs.replace(settings, sender=sender, settings=[("INITIAL_WINDOW_SIZE", 70_000)])
    )
    last = windows.of_stream(1, "server")
    assert last["size"][-1] == before + 70_000 - 65_535
    assert windows.of_connection("server") == shared


def test_a_stream_begins_with_the_window_that_was_settled_last() -> None:
    records = records_of("sse")
    at = next(at for at, one in enumerate(records) if isinstance(one, RequestRecord))
    settled = [settings(records, size) for size in (10, 70_000)]
    windows = windows_of(records[:at] + settled + records[at:])
    assert windows.of_stream(1, "server")["size"][0] == 70_000
    assert windows.of_stream(1, "client")["size"] == [65_535]


def settings(records: list[Record], size: int) -> Http2FrameRecord:
    """A frame of the client that settles the windows of the server's streams."""
    one = next(one for one in records if isinstance(one, Http2FrameRecord) and one.settings)
    return structs.replace(one, sender="client", settings=[("INITIAL_WINDOW_SIZE", size)])


def test_a_window_is_followed_through_so_many_changes_of_all_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = records_of("sse")
    half = len(records) // 2
    floods = [settings(records, 70_000 + number) for number in range(5)]
    windows = windows_of(records[:half] + floods + records[half:])
    whole = windows.of_stream(1, "server")
    assert whole["known"] and "settled" not in whole
    monkeypatch.setattr(module, "MOST_SETTLED", 3)
    cut = windows.of_stream(1, "server")
    assert (cut["known"], cut["settled"]) == (False, 3)
    shown = len(cut["size"])
    assert cut["size"] == whole["size"][:shown] and shown < len(whole["size"])
    assert windows.of_stream(1, "client")["known"]
    assert windows.of_connection("server")["known"]


def test_from_where_frames_may_be_missing_no_window_is_shown() -> None:
    records = records_of("sse")
    whole = windows_of(records).of_stream(1, "server")
    missing = windows_of(records[len(records) // 2 :])
    cut = missing.of_stream(1, "server")
    assert whole["known"] and whole["total"] > 1
    assert (cut["known"], cut["total"]) == (False, 0)


def test_of_many_sizes_the_least_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = windows_of(records_of("stall"))
    whole = windows.of_stream(1, "server")
    monkeypatch.setattr(module, "MOST", 5)
    few = windows.of_stream(1, "server")
    assert few["total"] == whole["total"] and len(few["time"]) <= 5 < len(whole["time"])
    assert min(few["size"]) == min(whole["size"])
