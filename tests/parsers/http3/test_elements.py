"""What HTTP/3 calls its settings and errors."""

from __future__ import annotations

from parsers.http3.elements import error_name, setting_name


def test_names_and_numbers_without_one() -> None:
    assert (error_name(0x10C), error_name(0x1234)) == ("H3_REQUEST_CANCELLED", "0x1234")
    assert (setting_name(0x33), setting_name(0x21)) == ("H3_DATAGRAM", "0x21")
