"""The benchmark of assert_streamed, a few times and without load: it counts what it should."""

from __future__ import annotations

import pytest

from benchmarks.streamed_under_load import main, report


@pytest.mark.packets
def test_every_way_of_streaming_and_collecting_is_decided_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--runs", "6", "--spinners", "0", "--sleep", "0.4", "--at-once", "6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1::2] == ["streamed: 6 of 6 pass", "collected: 6 of 6 fail"]


def test_a_wrong_verdict_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert not report("streamed", {"/a": [True, False], "/b": [True]}, wanted=True)
    assert capsys.readouterr().out == ("streamed: 2 of 3 pass\n  /a: 1 of 2 decided wrong\n")
