"""How long acknowledgements took: beside tshark's figures, and at the edges of sequence numbers."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.answers import read
from support.corpus import ROOT

from wireproof.web import round_trips as module
from wireproof.web.round_trips import Sent, round_trips

FIXTURES = ROOT / "fixtures"
LOST = FIXTURES / "verdicts" / "gp17-silence-then-loss.client.pcap"
SEQUENCE = 1 << 32


def columns(path: Path) -> dict[str, Any]:
    with read(path, has_keys=False) as asked:
        found = round_trips(asked.index, 0)
    assert found is not None
    return found


def shown_by_tshark(path: Path) -> dict[int, float]:
    """Seconds until an acknowledgement of the first connection, by its packet."""
    command = ["tshark", "-n", "-r", str(path), "-Y", "tcp.stream == 0 && tcp.analysis.ack_rtt"]
    command += ["-T", "fields", "-e", "frame.number", "-e", "tcp.analysis.ack_rtt"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rows = (line.split("\t") for line in shown.splitlines())
    return {int(packet): round(float(seconds), 6) for packet, seconds in rows}


@pytest.mark.tshark
@pytest.mark.parametrize(
    ("name", "of_what_was_sent_twice"),
    [
        ("verdicts/gp17-silence-then-loss.client.pcap", {27}),
        ("verdicts/gp12-zero-window-1500ms-b.client.pcap", set()),
        ("nginx/chat.pcapng", set()),
    ],
)
def test_they_are_those_of_tshark_but_of_what_was_sent_twice(
    name: str, of_what_was_sent_twice: set[int]
) -> None:
    found = columns(FIXTURES / name)
    ours = {
        packet: round(seconds, 6)
        for packet, seconds in zip(found["packet"], found["seconds"], strict=True)
    }
    theirs = shown_by_tshark(FIXTURES / name)
    assert ours.keys() == theirs.keys() - of_what_was_sent_twice
    assert all(abs(ours[packet] - theirs[packet]) < 2e-6 for packet in ours)


def test_both_sides_acknowledge_and_the_server_is_a_round_trip_away() -> None:
    found = columns(LOST)
    of_server = [
        seconds
        for seconds, sender in zip(found["seconds"], found["sender"], strict=True)
        if sender == 1
    ]
    assert set(found["sender"]) == {0, 1}
    assert min(of_server) > 0.02
    assert found["time"] == sorted(found["time"])


def test_only_so_many_packets_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = columns(LOST)
    monkeypatch.setattr(module, "MAX_PACKETS", 9)
    some = columns(LOST)
    assert some["packet"] == [packet for packet in whole["packet"] if packet <= 9]


def test_there_is_no_such_connection() -> None:
    with read(LOST, has_keys=False) as asked:
        assert round_trips(asked.index, 1) is None


def test_an_acknowledgement_is_of_the_last_that_it_covers() -> None:
    sent = Sent()
    sent.send(100, 10, 1)
    sent.send(110, 10, 2)
    sent.send(120, 10, 3)
    assert sent.acknowledge(125) == 2
    assert sent.acknowledge(125) is None  # repeated
    assert sent.acknowledge(130) == 3


def test_numbers_begin_anew_after_four_billion() -> None:
    sent = Sent()
    sent.send(SEQUENCE - 5, 10, 1)
    assert sent.acknowledge(SEQUENCE - 1) is None
    assert sent.acknowledge(5) == 1


def test_what_is_sent_again_tells_nothing() -> None:
    sent = Sent()
    sent.send(100, 10, 1)
    sent.send(100, 10, 2)
    assert sent.acknowledge(110) is None
    sent.send(110, 10, 3)
    assert sent.acknowledge(120) == 3
