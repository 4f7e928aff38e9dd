"""What frames of control say (RFC 9113 section 6)."""

from __future__ import annotations

import pytest

from parsers.http2 import control
from parsers.http2.elements import ACK, GOAWAY, PING, PRIORITY, RST_STREAM, SETTINGS, Frame


def frame(kind: int, payload: bytes, flags: int = 0) -> Frame:
    return Frame(0, 9 + len(payload), kind, flags, 1, payload)


def test_settings_in_wire_order() -> None:
    payload = bytes.fromhex("0004000003e8 00010000 0000 00ff00000007".replace(" ", ""))
    found = control.read_settings(payload)
    assert found == [(4, 1000), (1, 0), (255, 7)]
    assert [control.setting_name(one) for one, _ in found] == [
        "INITIAL_WINDOW_SIZE", "HEADER_TABLE_SIZE", "0xff",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "value", "is_right"),
    [
        (control.ENABLE_PUSH, 1, True), (control.ENABLE_PUSH, 2, False),
        (control.INITIAL_WINDOW_SIZE, 2**31 - 1, True), (control.INITIAL_WINDOW_SIZE, 2**31, False),
        (control.MAX_FRAME_SIZE, 16_384, True), (control.MAX_FRAME_SIZE, 16_383, False),
        (control.MAX_FRAME_SIZE, 2**24, False), (0x77, 2**32 - 1, True),
    ],
)  # fmt: skip
def test_values_that_no_setting_may_have(setting: int, value: int, is_right: bool) -> None:
    assert (control.setting_faults([(setting, value)]) == []) == is_right


def test_error_codes_have_names() -> None:
    assert control.error_of(frame(RST_STREAM, b"\0\0\0\x08")) == "CANCEL"
    assert control.error_of(frame(GOAWAY, bytes(4) + b"\0\0\0\x0b")) == "ENHANCE_YOUR_CALM"
    assert control.error_name(0x77) == "0x77"


def test_the_reserved_bit_is_no_part_of_a_number() -> None:
    assert control.number_at(frame(GOAWAY, b"\xff\xff\xff\xff"), 0) == 2**31 - 1


def test_acknowledgements() -> None:
    assert control.is_ack(frame(SETTINGS, b"", ACK))
    assert control.is_ack(frame(PING, bytes(8), ACK))
    assert not control.is_ack(frame(RST_STREAM, bytes(4), ACK))


def test_priority() -> None:
    found = control.depends_on(frame(PRIORITY, b"\x80\0\0\3\x0f"))
    assert found == (3, 16, True)
