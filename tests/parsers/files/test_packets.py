"""Notes about a capture file: times in whole numbers, and a limit on every list."""

from __future__ import annotations

import pytest

from parsers.diagnostics import FAULTS
from parsers.files.packets import CaptureFault, CaptureNotes, Interface, Origins
from parsers.limits import (
    MAX_CAPTURE_FAULTS,
    MAX_COMMENTS,
    MAX_INTERFACES,
    MAX_ORIGINS,
    MAX_SECRETS,
)

MIB = 1 << 20


@pytest.mark.parametrize(
    ("interface", "ticks", "expected"),
    [
        (Interface(1), 1_763_800_000_123_456, 1_763_800_000_123_456_000),
        (
            Interface(1, ticks_per_second=10**9),
            1_763_800_000_123_456_789,
            1_763_800_000_123_456_789,
        ),
        (Interface(1, ticks_per_second=10**12), 1_999, 1),  # picoseconds are rounded down
        (Interface(1, ticks_per_second=1), 2**64 - 1, (2**64 - 1) * 10**9),
        (Interface(1, ticks_per_second=2**10), 1_024 + 512, 1_500_000_000),
        (Interface(1, ticks_per_second=2**30), 1, 0),
        (Interface(1, ticks_per_second=2**30), 2**30 - 1, 999_999_999),
        (Interface(1, tsoffset=-100), 5, -99_999_995_000),
        (Interface(1, ticks_per_second=10**127), 2**64 - 1, 0),
    ],
)
def test_times_are_exact(interface: Interface, ticks: int, expected: int) -> None:
    assert interface.time_ns(ticks) == expected


def test_notes_are_kept_in_order() -> None:
    notes = CaptureNotes()
    assert notes.interface(Interface(1, name="eth0"), 0, 28)
    notes.comment(None, "of the file", 0, 0)
    notes.comment(3, "of packet 3", 3, 100)
    notes.secret(0x544C534B, b"CLIENT_RANDOM", 3, 200)
    notes.fault("capture-cut", "a block", 3, 300)
    assert [interface.name for interface in notes.interfaces] == ["eth0"]
    assert notes.comments == [(None, "of the file"), (3, "of packet 3")]
    assert notes.secrets == [(0x544C534B, b"CLIENT_RANDOM")]
    assert notes.faults == [CaptureFault("capture-cut", "a block", 3, 300)]


def test_faults_are_listed_up_to_a_limit_even_if_someone_clears_the_list() -> None:
    notes = CaptureNotes()
    seen = []
    for number in range(MAX_CAPTURE_FAULTS + 50):
        notes.fault("capture-damaged", str(number), number, number)
        if number % 7 == 0:
            seen += notes.faults
            notes.faults.clear()
    seen += notes.faults
    assert len(seen) == MAX_CAPTURE_FAULTS + 1
    assert seen[-1].code == "capture-unsupported"
    assert all(fault.code in FAULTS for fault in seen)


def test_comments_are_kept_up_to_a_limit() -> None:
    notes = CaptureNotes()
    for number in range(40):
        notes.comment(number, "x" * MIB, number, 0)
    notes.comment(40, "a short one would fit, but the order must not have holes", 40, 0)
    assert [number for number, _ in notes.comments] == list(range(MAX_COMMENTS // MIB))
    assert [fault.packet for fault in notes.faults] == [MAX_COMMENTS // MIB]


def test_empty_comments_are_counted_too() -> None:
    notes = CaptureNotes()
    for number in range(MAX_COMMENTS // 64 + 10):
        notes.comment(number, "", number, 0)
    assert len(notes.comments) == MAX_COMMENTS // 64
    assert len(notes.faults) == 1


def test_interface_names_count_as_comments() -> None:
    notes = CaptureNotes()
    for number in range(20):
        assert notes.interface(Interface(number, name="n" * MIB, comment="c"), 0, number)
    assert [bool(interface.name) for interface in notes.interfaces] == [True] * 15 + [False] * 5
    assert [interface.link_type for interface in notes.interfaces] == list(range(20))
    assert len(notes.faults) == 1


def test_interfaces_are_kept_up_to_a_limit() -> None:
    notes = CaptureNotes()
    kept = [notes.interface(Interface(1), 0, 0) for _ in range(MAX_INTERFACES + 2)]
    assert kept == [True] * MAX_INTERFACES + [False] * 2
    assert {fault.code for fault in notes.faults} == {"capture-unsupported"}


def test_secrets_are_kept_up_to_a_limit() -> None:
    notes = CaptureNotes()
    for number in range(MAX_SECRETS // MIB + 3):
        notes.secret(1, bytes(MIB), number, 0)
    assert len(notes.secrets) == MAX_SECRETS // MIB
    assert [fault.packet for fault in notes.faults] == [MAX_SECRETS // MIB]


@pytest.mark.parametrize(
    ("changes", "relayed"),
    [
        ([], []),
        ([(1, False), (2, False)], []),
        ([(1, True), (2, True)], [1, 2, 3, 4, 5, 6]),
        ([(1, False), (2, True), (3, True), (5, False)], [2, 3, 4]),
    ],
)
def test_which_packets_are_of_a_relay(changes: list[tuple[int, bool]], relayed: list[int]) -> None:
    origins = Origins()
    for packet, is_relay in changes:
        origins.add(packet, is_relay)
    assert [number for number in range(1, 7) if origins.is_relay(number)] == relayed


def test_origins_of_long_ago_are_forgotten() -> None:
    origins = Origins()
    for packet in range(3 * MAX_ORIGINS):
        origins.add(packet, packet % 2 == 1)
    assert origins.is_relay(3 * MAX_ORIGINS - 1)
    assert not origins.is_relay(3 * MAX_ORIGINS - 2)
    assert not origins.is_relay(1)
