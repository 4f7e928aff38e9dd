"""How connections ended that nobody can read."""

from __future__ import annotations

from typing import Any

import pytest
from support.sealed import EPOCH, connection, tls

from parsers.records import TlsAlert
from wireproof.analysis.keyless.ending import judge_ending

FIN: dict[str, Any] = {"packet": 41, "time": EPOCH, "kind": "fin"}
BY_SERVER: dict[str, Any] = {"closed_by": "server", "ends": [FIN | {"sender": "server"}]}
BY_CLIENT: dict[str, Any] = {"closed_by": "client", "ends": [FIN | {"sender": "client"}]}
LIKELY = "by the length of its last record, "


@pytest.mark.parametrize(
    ("facts", "end", "answer", "severity", "words"),
    [
        ({"server_close_notify": True}, BY_SERVER, "close-notify", "ok", "the server said"),
        ({"server_ends_with_alert": True}, BY_SERVER, "close-notify", "ok", LIKELY),
        (
            {"server_ends_with_alert": False, "client_ends_with_alert": True},
            BY_CLIENT, "close-notify", "ok", "the client left first",
        ),
        (
            {"server_close_notify": False, "server_ends_with_alert": False},
            BY_SERVER, "close-notify-missing", "note", "the server sent no close_notify",
        ),
        (
            {"server_ends_with_alert": False},
            BY_SERVER, "close-notify-missing", "note", "the server most likely sent no",
        ),
        (
            {"server_ends_with_alert": False, "client_ends_with_alert": False},
            BY_CLIENT, "close-notify-missing", "ok", "the client closed the connection",
        ),
        ({}, BY_SERVER, "cut", "warning", "inside a record of the server"),
        ({}, BY_CLIENT, "unknowable", "ok", "what came last is not in the capture"),
        ({}, {"closed_by": None, "close": "open"}, "open", "ok", "was open"),
        (
            {"server_ends_with_alert": True},
            BY_CLIENT | {"close": "reset"}, "close-notify", "ok", "the client reset the connection",
        ),
    ],
)  # fmt: skip
def test_ends(
    facts: dict[str, Any], end: dict[str, Any], answer: str, severity: str, words: str
) -> None:
    found = judge_ending(tls(**facts), connection(**end))
    assert (found.answer, found.severity) == (answer, severity)
    assert words in found.summary


@pytest.mark.parametrize(
    ("client_last", "answer"), [(40, "close-notify"), (42, "close-notify-missing")]
)
def test_an_alert_after_the_server_s_fin_is_no_leaving(client_last: int, answer: str) -> None:
    """A client that sees a truncation says decode_error, which is as long as close_notify."""
    facts = {"server_ends_with_alert": False, "client_ends_with_alert": True}
    found = judge_ending(tls(**facts), connection(**BY_SERVER), client_last)
    assert found.answer == answer


def test_a_hole_leaves_open_what_came_last() -> None:
    hole = {"sender": "server", "start": 0, "end": 9, "packet": 3, "time": EPOCH, "filled": None}
    found = judge_ending(tls(), connection(**BY_SERVER, holes=[hole]))
    assert found.answer == "unknowable"


@pytest.mark.parametrize(
    ("description", "name", "words"),
    [
        (48, "unknown_ca", "it does not trust who signed the other's certificate"),
        (70, "protocol_version", "it does not speak the version"),
        (50, "decode_error", "in packet 9"),
    ],
)
def test_a_fatal_alert(description: int, name: str, words: str) -> None:
    alert: TlsAlert = {
        "sender": "client", "level": "fatal", "description": description, "name": name,
        "packet": 9, "time": EPOCH,
    }  # fmt: skip
    found = judge_ending(tls(alert=alert), connection(**BY_CLIENT))
    assert (found.answer, found.severity, found.packets) == ("refused", "error", (9,))
    assert f"the client ended TLS with {name} (alert {description})" in found.summary
    assert words in found.summary
