"""Packets out of a pipe: pieces as they come, all of them kept, and no more waiting than may."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.flood import CaptureStream, Flood

from parsers.files.reader import CaptureReader
from wireproof.live import packet_pipe
from wireproof.live.packet_pipe import PIECE, PacketPipe, Piece


def frames(count: int) -> Iterator[bytes]:
    flood = Flood()
    yield from flood.open()
    yield from flood.server(b"%d" % number * 100 for number in range(count))


def file(count: int) -> bytes:
    return CaptureStream(frames(count)).read(1 << 30)


def numbers(pieces: list[Piece]) -> list[int]:
    return [packet[0] for piece in pieces for packet in piece.packets]


def rest(source: PacketPipe) -> list[Piece]:
    return list(iter(source.take, None))


def test_what_is_written_at_once_makes_a_piece(tmp_path: Path) -> None:
    data = file(1)
    with PacketPipe() as source, source.stream as pipe:
        source.start()
        pipe.write(data)
        first = source.take()
        assert first is not None
        assert len(first.packets) == 4
        # Half a packet makes none; nothing is waited for but its other half.
        more = file(3)[len(data) :]
        pipe.write(more[:50])
        pipe.write(more[50:])
        second = source.take()
        assert second is not None
        assert second.packets[0][0] == 5
        pipe.close()
        rest(source)


def test_all_packets_come_as_a_reader_of_the_file_has_them(tmp_path: Path) -> None:
    data = file(3_000)
    with PacketPipe() as source, source.stream as pipe:
        source.start()
        for start in range(0, len(data), 40_000):
            pipe.write(data[start : start + 40_000])
        pipe.close()
        pieces = rest(source)
    assert [row for piece in pieces for row in piece.packets] == list(
        CaptureReader(CaptureStream(frames(3_000)))
    )
    assert all(len(piece.packets) <= PIECE // 76 for piece in pieces)
    assert {piece.skipped for piece in pieces} == {0}


def test_the_kept_file_is_what_was_written_and_its_owner_s_alone(tmp_path: Path) -> None:
    data = file(2_000)
    kept = tmp_path / "kept.pcapng"
    with PacketPipe(kept) as source, source.stream as pipe:
        source.start()
        for start in range(0, len(data), 40_000):
            pipe.write(data[start : start + 40_000])
        pipe.close()
        rest(source)
    assert kept.read_bytes() == data
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_an_older_file_is_replaced(tmp_path: Path) -> None:
    kept = tmp_path / "kept.pcapng"
    kept.write_bytes(b"x" * 10_000)
    with PacketPipe(kept) as source, source.stream as pipe:
        source.start()
        pipe.write(file(1))
        pipe.close()
        rest(source)
    assert kept.read_bytes() == file(1)


def test_past_the_limit_packets_are_skipped_kept_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_pipe, "MAX_WAITING", 200_000)
    data = file(5_000)
    kept = tmp_path / "kept.pcapng"
    with PacketPipe(kept) as source, source.stream as pipe:
        source.start()
        for start in range(0, len(data), 20_000):
            pipe.write(data[start : start + 20_000])  # which nobody takes: it is never held up
        pipe.close()
        source._thread.join()
        assert source.skipped > 3_000
        pieces = rest(source)
    assert kept.read_bytes() == data
    shown = numbers(pieces)
    total = len(list(CaptureReader(CaptureStream(frames(5_000)))))
    assert shown == list(range(1, len(shown) + 1))
    assert pieces[-1][:2] == ([], source.skipped)
    assert len(shown) + source.skipped == total


def test_once_there_is_no_room_half_of_it_must_be_free_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packet_pipe, "MAX_WAITING", 4 * 1_000)
    monkeypatch.setattr(packet_pipe, "PACKET_COST", 0)
    source = PacketPipe()
    packet = (1, 0, 1, 1_000, bytes(1_000))

    def arrive() -> bool:
        before = source.skipped
        source._pending = [packet]
        source._hand_over()
        return source.skipped == before

    assert [arrive() for _ in range(6)] == [True] * 4 + [False] * 2
    source.take()
    assert not arrive()
    source.take()
    source.take()
    assert arrive()
    assert arrive()
    assert [
        (piece.packets, piece.skipped) for piece in (source.take() for _ in range(3)) if piece
    ] == [
        ([packet], 0),
        ([packet], 3),
        ([packet], 0),
    ]


def test_a_file_that_cannot_be_written_is_known_at_once(tmp_path: Path) -> None:
    missing = tmp_path / "no" / "such" / "folder.pcapng"
    with PacketPipe(missing) as source, pytest.raises(FileNotFoundError):
        source.start()


def test_a_full_disk_ends_it_and_lets_the_recorder_know(tmp_path: Path) -> None:
    with PacketPipe("/dev/full") as source:
        with source.stream as pipe:
            source.start()
            with pytest.raises(BrokenPipeError):
                for _ in range(1_000):
                    pipe.write(file(100))
        with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
            rest(source)


def test_what_is_no_capture(tmp_path: Path) -> None:
    with PacketPipe() as source:
        with source.stream as pipe:
            source.start()
            pipe.write(b"tcpdump: permission denied\n" * 10)
        with pytest.raises(ValueError, match="capture"):
            source.take()


def test_a_writer_that_never_came_is_not_waited_for(tmp_path: Path) -> None:
    with PacketPipe() as source:
        source.start()
        source.finish()
        with pytest.raises(ValueError):
            source.take()
        source.finish()  # any number of times


def open_files() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


def test_nothing_is_left_open(tmp_path: Path) -> None:
    before = open_files()
    with PacketPipe() as source:
        pass
    with PacketPipe(tmp_path / "kept") as source:
        source.start()
        source.finish()
    assert open_files() == before
