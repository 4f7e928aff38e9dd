"""What a TLS record held, and which records held bytes of what a side sent."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.answers import Asked, read
from support.corpus import ROOT

from wireproof.web.opened import carried_sealed, opened

PATH = ROOT / "fixtures" / "tls" / "sse.pcapng"


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    with read(PATH) as found:
        yield found


def test_every_record_has_its_bytes_and_whose_they_are(asked: Asked) -> None:
    index, wire = asked.index, asked.index.wires[0]
    said = {"client": b"", "server": b""}
    for row in wire.opened_rows():
        found = opened(index, wire, row)
        assert found is not None
        data = found["data"]
        assert (found["row"], found["offset"]) == (row, len(said[found["sender"]]))
        assert index.plaintext.read(0, found["sender"], found["offset"], 1 << 20).startswith(data)
        assert all(0 <= part.start < part.end <= len(data) for part in found["parts"])
        said[found["sender"]] += data
    assert said["client"].startswith(b"PRI * HTTP/2.0")
    assert said["server"].count(b"data: ") == said["server"].count(b"\n\n") > 0


def test_the_request_is_in_its_frame_and_its_exchange(asked: Asked) -> None:
    index, wire = asked.index, asked.index.wires[0]
    answers = (opened(index, wire, row) for row in wire.opened_rows())
    parts = [part for one in answers if one is not None for part in one["parts"]]
    heads = {(part.kind, part.key) for part in parts if part.layer == "head"}
    assert {("a", "0.w"), ("q", "0.0"), ("r", "0.0")} <= heads


def test_what_is_not_a_record_is_none(asked: Asked) -> None:
    assert opened(asked.index, asked.index.wires[0], 1 << 20) is None


def test_the_handshake_is_empty(asked: Asked) -> None:
    index, wire = asked.index, asked.index.wires[0]
    found = opened(index, wire, 0)
    assert found is not None
    assert (found["data"], found["parts"], found["offset"]) == (b"", [], None)


@pytest.mark.parametrize("end", [1, 20, 100, 400])
def test_records_that_held_bytes_cover_them(asked: Asked, end: int) -> None:
    wire = asked.index.wires[0]
    end = min(end, len(asked.index.plaintext.read(0, "server", 0, end)))
    held, carriers = carried_sealed(asked.index, wire, "server", 0, end, room=100)
    assert sum(last - first for _, first, last in held) == end
    packets = [wire.elements["y"].place(row).last_packet for row, _, _ in held]
    assert [carrier.packet for carrier in carriers] == packets


def test_no_more_carriers_than_there_is_room_for(asked: Asked) -> None:
    held, carriers = carried_sealed(asked.index, asked.index.wires[0], "server", 0, 400, room=2)
    assert len(held) > len(carriers) == 2
