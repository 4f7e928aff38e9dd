"""What a recording's faults say."""

from __future__ import annotations

import pytest

from capture import errors


@pytest.mark.parametrize(
    "kind", [errors.CaptureNotPermitted, errors.InterfaceUnusable, errors.PacketsDropped]
)
def test_all_are_capture_errors(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.CaptureError)


def test_packets_dropped_says_both_numbers() -> None:
    fault = errors.PacketsDropped(errors.Statistics(captured=12_345, dropped=6))
    assert str(fault) == (
        "the kernel dropped 6 packets and 12,345 were recorded: use a larger buffer, or record less"
        " at once"
    )
    assert fault.statistics == (12_345, 6)
