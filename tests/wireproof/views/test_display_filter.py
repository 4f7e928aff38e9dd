"""Display filters: what they say, and that tshark selects the same packets by them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace
from support.corpus import ROOT
from support.handmade import Wire

from parsers.records import FIRST_QUIC_CONNECTION, ConnectionRecord
from wireproof import decode
from wireproof.views.display_filter import display_filter

QUIC = ROOT / "fixtures" / "quic" / "h3_keyupdate.pcap"
LARGE = ROOT / "fixtures" / "chunked" / "large.pcapng"


def test_filters() -> None:
    wire = Wire(3)
    assert display_filter(wire.request()) == "tcp.stream == 3 && frame.number == 4"
    request = replace(wire.request(), first_packet=8, last_packet=12)
    assert display_filter(request) == (
        "tcp.stream == 3 && frame.number >= 8 && frame.number <= 12 && tcp.len > 0"
    )
    assert display_filter(wire.end()) == "tcp.stream == 3"


def test_connections_of_quic_have_numbers_of_their_own() -> None:
    wire = Wire(FIRST_QUIC_CONNECTION + 2)
    assert display_filter(wire.end()) == "quic.connection.number == 2"
    request = replace(wire.request(), first_packet=8, last_packet=12)
    assert display_filter(request) == (
        "quic.connection.number == 2 && frame.number >= 8 && frame.number <= 12"
    )


def test_faults_of_the_file_have_a_packet_or_none() -> None:
    wire = Wire()
    assert display_filter(wire.fault(connection=None)) == "frame.number == 3"
    nowhere = wire.fault(connection=None, first_packet=0, last_packet=0)
    assert display_filter(nowhere) is None


@pytest.mark.tshark
@pytest.mark.parametrize("path", [LARGE, QUIC], ids=["chunked/large", "quic"])
def test_tshark_takes_every_filter_and_selects_the_packets(path: Path) -> None:
    keys = path.with_suffix(".keys")
    records = decode(path, keylog=keys if keys.exists() else None)
    elements = [record for record in records if not isinstance(record, ConnectionRecord)]
    spread = max(elements, key=lambda record: record.last_packet - record.first_packet)
    for record in (elements[0], spread):
        shown = display_filter(record)
        assert shown is not None
        command = ["tshark", "-r", str(path), "-Y", shown, "-T", "fields", "-e", "frame.number"]
        selected = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        numbers = list(map(int, selected.split()))
        assert (numbers[0], numbers[-1]) == (record.first_packet, record.last_packet)
