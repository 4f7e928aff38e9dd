"""Transport parameters, whole, empty and malformed (RFC 9000 section 18)."""

from __future__ import annotations

import pytest

from parsers.quic.reader import Malformed
from parsers.quic.transport_parameters import read_parameters


@pytest.mark.parametrize(
    ("coded", "found"),
    [
        ("", []),
        ("040480100000", [("initial_max_data", 1 << 20)]),
        ("0c00", [("disable_active_migration", 1)]),
        ("0f03aabbcc" + "01020064"[:4] + "4064", [("max_idle_timeout", 100)]),
        ("010105" + "030245dc", [("max_idle_timeout", 5), ("max_udp_payload_size", 1500)]),
    ],
)
def test_those_that_are_numbers(coded: str, found: list[tuple[str, int]]) -> None:
    assert read_parameters(bytes.fromhex(coded)) == found


@pytest.mark.parametrize("coded", ["0102", "01", "01020505", "040180"])
def test_what_is_malformed(coded: str) -> None:
    with pytest.raises(Malformed):
        read_parameters(bytes.fromhex(coded))
