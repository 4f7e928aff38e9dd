"""The list of a connection's streams: who asked for what, how each ended, what held it."""

from __future__ import annotations

from typing import Any

import pytest
from support.answers import read, stored_records
from support.corpus import ROOT

from parsers.records import StallRecord
from wireproof.web import streams as module
from wireproof.web.streams import streams

TLS = ROOT / "fixtures" / "tls"
CASES: dict[str, list[tuple[Any, ...]]] = {
    "cancel": [
        (1, "0.0", "GET", "/sse", 200, "aborted", "RST_STREAM", "CANCEL", "client"),
        (3, "0.1", "GET", "/sse", 200, "streamed", "END_STREAM", None, "server"),
    ],
    "stall": [(1, "0.0", "GET", "/large", 200, "client-slow", "END_STREAM", None, "server")],
    "sse": [(1, "0.0", "GET", "/sse", 200, "streamed", "END_STREAM", None, "server")],
}
"""Number, key, method, target, status, verdict, and what ended it, with which code, by whom."""


def listed(name: str, page: int = 0) -> dict[str, Any]:
    with read(TLS / f"{name}.pcapng") as asked:
        return streams(asked.index, asked.index.wires[0], page)


@pytest.mark.parametrize("name", CASES)
def test_rows(name: str) -> None:
    found = listed(name)
    rows = [
        (
            *(row[one] for one in ("stream", "key", "method", "target", "status", "word")),
            *(row["end"][one] for one in ("by", "code", "sender")),
        )
        for row in found["streams"]
    ]
    assert (rows, found["total"]) == (CASES[name], len(CASES[name]))


def test_stalls_of_two_windows_at_once_count_once() -> None:
    records = stored_records(TLS / "stall.pcapng")
    stalls = [one for one in records if isinstance(one, StallRecord)]
    (row,) = listed("stall")["streams"]
    longest = max(one.seconds for one in stalls)
    assert 1 <= row["stalls"] < len(stalls)
    assert longest <= row["stalled"] < sum(one.seconds for one in stalls)


def test_a_reset_leads_to_its_frame() -> None:
    with read(TLS / "cancel.pcapng") as asked:
        wire = asked.index.wires[0]
        end = streams(asked.index, wire, 0)["streams"][0]["end"]
        place = wire.elements[end["kind"]].place(end["row"])
        assert (end["key"], end["packet"], place.sender) == ("0.w", place.last_packet, "client")


def test_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STREAMS", 1)
    pages = [listed("cancel", page) for page in range(3)]
    assert [[row["stream"] for row in one["streams"]] for one in pages] == [[1], [3], []]
    assert {one["total"] for one in pages} == {2}
