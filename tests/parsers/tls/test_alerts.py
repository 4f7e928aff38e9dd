"""Alerts by name."""

from __future__ import annotations

from parsers.tls.alerts import CLOSE_NOTIFY, LEVELS, description_of


def test_names() -> None:
    names = [description_of(number) for number in (CLOSE_NOTIFY, 40, 48, 70, 120)]
    assert names == [
        "close_notify", "handshake_failure", "unknown_ca", "protocol_version",
        "no_application_protocol",
    ]  # fmt: skip
    assert (description_of(255), LEVELS) == ("255", {1: "warning", 2: "fatal"})
