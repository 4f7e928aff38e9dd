"""What goes on is followed packet by packet, and ends where its exchange does."""

from __future__ import annotations

from pathlib import Path

from support.talk import Talk

from benchmarks.packets import Packet, write
from parsers.records import BodyRecord, ChunkRecord, ConnectionRecord
from wireproof.collect.carrying import Going, read, resumed
from wireproof.tables import TableOptions
from wireproof.tables.reading import Begun, Carried

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def files(folder: Path, talk: Talk, *borders: int) -> list[str]:
    rows = [Packet(time or 0, data) for _, time, _, _, data in talk.tape.packets]
    edges, found = [0, *borders, len(rows)], []
    for number in range(len(borders) + 1):
        path = folder / f"web1_{number + 1:05}_20260131120000.pcapng"
        write(path, rows[edges[number] : edges[number + 1]])
        found.append(str(path))
    return found


def stream() -> Talk:
    talk = Talk().open()
    talk.client(b"GET /on HTTP/1.1\r\nHost: a\r\n\r\n")
    talk.server(HEAD, *(b"1\r\n%d\r\n" % number for number in range(6)), b"0\r\n\r\n")
    talk.close()
    return talk


def begun(*paths: str) -> Begun:
    carried = Carried(
        connection=3, first_packet=1, client="127.0.0.1:40000", server="127.0.0.1:8000",
        exchanges=[0],
    )  # fmt: skip
    return Begun(
        capture="web1", capture_sha256="", host="web1", files=list(paths), connections=[carried]
    )


def test_records_are_the_first_file_s(tmp_path: Path) -> None:
    talk = stream()
    first, second = files(tmp_path, talk, 7)
    going = Going(begun(), TableOptions())
    told = list(read(first, [going], None))
    assert [type(record) for one in told for record in one.records].count(ChunkRecord) == 2
    assert list(going.end_file()) == [] and going.begun.files == [first]
    told = list(read(second, [going], None))
    records = [record for one in told for record in one.records]
    assert {record.connection for record in records} == {3}
    chunks = [one for one in records if isinstance(one, ChunkRecord)]
    assert [one.index for one in chunks] == [2, 3, 4, 5, 6]
    assert chunks[0].first_packet == 8, "packets are counted on"
    assert [one.ended_by for one in records if isinstance(one, BodyRecord)][-1] == "last-chunk"
    [last] = going.end_file()
    [end] = last.records
    assert isinstance(end, ConnectionRecord) and (end.packets, end.close) == (7, "fin")
    assert [outcome.listed.end for outcome in last.outcomes] == ["whole"]
    assert going.connections == []


def test_whoever_begins_again_knows_the_same(tmp_path: Path) -> None:
    first, second, third = files(tmp_path, stream(), 6, 9)
    [going], lost = resumed([begun(first, second)], TableOptions())
    assert not lost and going.begun == begun(first, second)
    records = [record for one in read(third, [going], None) for record in one.records]
    assert [one.index for one in records if isinstance(one, ChunkRecord)] == [4, 5, 6]


def test_what_is_gone_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    first, second = files(tmp_path, stream(), 6)
    gone = str(tmp_path / "gone")
    going, lost = resumed([begun(gone, first, second), begun(first, second)], TableOptions())
    assert len(going) == 1 and len(lost) == 1 and lost[0].startswith(gone)
    assert resumed([], TableOptions()) == ([], [])


def test_all_is_over_with_the_last_file(tmp_path: Path) -> None:
    [first] = files(tmp_path, stream())
    cut = Going(begun(), TableOptions())
    list(read(first, [cut], None))
    told = list(cut.end_file(is_last=True))
    assert told[-1].outcomes and not cut.connections
