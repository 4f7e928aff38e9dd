"""A file whose packets are stored late says, in every view, what the same packets in order say."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from support.talk import Talk, Tape

from parsers import CaptureReader, OrderedCapture
from parsers.files.packets import Packet
from wireproof.cli import run
from wireproof.plot.timeline import read_timeline
from wireproof.views.packet_list import ListedPackets, PacketList
from wireproof.web.feed import FileFeed
from wireproof.web.index import Index

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
SECRET = b"sk-live-0123456789abcdef0123456789abcdef"
LATE = {4: 7, 9: 11, 1: 2}
"""Packets, from 0, that a recorder stores behind others."""


def in_order() -> list[Packet]:
    talk = Talk(Tape()).open()
    talk.client(b"GET /events HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\n\r\n" % SECRET)
    talk.server(HEAD)
    for number in range(8):
        event = b"data: event %d of %s\n\n" % (number, SECRET)
        talk.server(b"%x\r\n%s\r\n" % (len(event), event))
        talk.ack("client")
    talk.server(b"0\r\n\r\n")
    talk.close()
    return talk.tape.packets


def write(path: Path, rows: list[Packet]) -> Path:
    tape = Tape()
    tape.packets = rows
    path.write_bytes(tape.file())
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, list[int]]:
    """The packets in order and as they are stored, and of each place in order the number there."""
    rows = in_order()
    places = list(range(len(rows)))
    for place, behind in LATE.items():
        places.insert(behind, places.pop(place))
    stored = [(number, *rows[place][1:]) for number, place in enumerate(places, 1)]
    numbers = [places.index(place) + 1 for place in range(len(rows))]
    assert numbers != sorted(numbers)
    return write(tmp_path / "a.pcapng", rows), write(tmp_path / "b.pcapng", stored), numbers


def inspector(path: Path) -> list[object]:
    found: list[object] = []
    with path.open("rb") as stream, closing(Index(path.name)) as index:
        FileFeed(index, stream).read_all()
        for exchange in index.order:
            if exchange.key.connection is None:
                continue  # what is said of the file's order
            for kind, elements in sorted(exchange.elements.items()):
                places = [elements.place(row) for row in range(len(elements))]
                found.append((kind, [(one.last_time, one.size, one.sender) for one in places]))
    return found


def plot(path: Path) -> list[object]:
    timeline, _ = read_timeline(str(path))
    return [
        (name, sorted(zip(lane.times, lane.sizes, lane.senders, strict=True)))
        for name, lane in timeline.lanes.items()
    ]


def packet_list(path: Path) -> list[object]:
    text = StringIO()
    PacketList(text, None, ListedPackets()).show(OrderedCapture(BytesIO(path.read_bytes())))
    lines = [line for line in text.getvalue().splitlines() if "capture-order" not in line]
    return [re.sub(r"^ *\d+|frame \d+|frames [\d, ]+", "", line) for line in lines]


def written(path: Path, command: str) -> dict[int | None, tuple[bytes, list[str]]]:
    """The bytes and comments of each packet that a command writes, by its time."""
    output = path.with_suffix(f".{command}.pcapng")
    assert run([command, str(path), "-o", str(output)]) == 0
    with output.open("rb") as stream:
        reader = CaptureReader(stream)
        packets = list(reader)
    said: dict[int | None, list[str]] = {}
    for number, text in reader.comments:
        if "capture-order" not in text:
            said.setdefault(number, []).append(re.sub(r"frame \d+", "frame", text))
    return {row[1]: (row[4], said.get(row[0], [])) for row in packets}


@pytest.mark.parametrize("view", [inspector, plot, packet_list])
def test_views_do_not_depend_on_the_order_of_the_file(
    view: Callable[[Path], list[object]], files: tuple[Path, Path, list[int]]
) -> None:
    ordered, stored, _ = files
    assert view(stored) == view(ordered)


@pytest.mark.parametrize("command", ["annotate", "redact"])
def test_what_is_written_does_not_depend_on_it(
    command: str, files: tuple[Path, Path, list[int]]
) -> None:
    ordered, stored, _ = files
    found = written(stored, command)
    assert found == written(ordered, command)
    assert any(comments for _, comments in found.values()) == (command == "annotate")
    assert any(SECRET in data for data, _ in found.values()) == (command == "annotate")


def test_packets_keep_the_numbers_of_the_file(files: tuple[Path, Path, list[int]]) -> None:
    _, stored, numbers = files
    with stored.open("rb") as stream, closing(Index(stored.name)) as index:
        FileFeed(index, stream).read_all()
        stream.seek(0)
        assert list(index.tracer.connections[0].packets) == numbers
        for row in CaptureReader(stream):
            assert index.tracer.table[row[0]].time_ns == row[1]
            assert index.data(row[0]) == row[4]
