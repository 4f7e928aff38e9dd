"""pyshark says of TCP what tshark says, and its troubles do not get out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Thread

import pytest
from support.beside import CHUNKED, answered, rows, unexplained
from support.corpus import ROOT

from wireproof.wireshark.locate import Tshark, find_tshark
from wireproof.wireshark.pyshark_fields import MAX_BYTES, can_ask, read_segments_with_pyshark
from wireproof.wireshark.run import TsharkFailed
from wireproof.wireshark.segments import TsharkSegment, read_segments

pytestmark = pytest.mark.tshark

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
LARGE = ROOT / "fixtures" / "websocket" / "large.pcapng"


def test_pyshark_says_what_tshark_says() -> None:
    found = list(read_segments_with_pyshark(find_tshark(), PLAIN))
    assert len(found) == 28
    assert found == list(read_segments(find_tshark(), PLAIN))


def test_a_running_loop_and_a_thread_are_no_trouble() -> None:
    found: list[list[TsharkSegment]] = []

    async def ask() -> None:
        found.append(list(read_segments_with_pyshark(find_tshark(), PLAIN)))

    thread = Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    thread.join()
    assert [len(segments) for segments in found] == [28]


def test_a_capture_that_is_cut_gives_what_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes(answered(CHUNKED)[:-10])
    assert len(list(read_segments_with_pyshark(find_tshark(), path))) == 7


def test_a_small_capture_is_compared_through_pyshark(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("tshark was asked directly")

    monkeypatch.setattr("wireproof.wireshark.side_by_side.read_segments", refuse)
    assert unexplained(rows(PLAIN)) == []


def test_only_small_captures_and_older_pythons_ask_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert LARGE.stat().st_size > MAX_BYTES
    assert not can_ask(LARGE)
    assert can_ask(PLAIN)
    monkeypatch.delattr(asyncio, "set_child_watcher")
    assert not can_ask(PLAIN)


def test_a_crash_is_one_line(tmp_path: Path) -> None:
    fake = tmp_path / "tshark"
    fake.write_text(
        '#!/bin/sh\n[ "$1" = -v ] && echo "TShark (Wireshark) 4.0.17" && exit 0\n'
        'echo "out of luck" >&2; exit 4\n'
    )
    fake.chmod(0o755)
    # pyshark tells the exit code and the last line only if the process was reaped by then.
    crash = r"(retcode: 4[^\n]*out of luck|TShark seems to have crashed)"
    said = rf"^tshark ended with exit code 2: [^\n]*{crash}[^\n]*$"
    with pytest.raises(TsharkFailed, match=said):
        list(read_segments_with_pyshark(Tshark(str(fake), (4, 0, 17)), PLAIN))
