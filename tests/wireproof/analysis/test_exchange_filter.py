"""Which exchanges are wanted: each criterion, as soon as it can be told, and all of them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace
from support.timed import Stream

from parsers.records import ConnectionRecord
from wireproof.analysis.exchange_filter import (
    EVERYTHING,
    ExchangeFilter,
    ExchangeNumber,
    Heads,
    has_port,
    heads_of,
)
from wireproof.analysis.judges import explain
from wireproof.open_exchanges import Key

CHAT = Heads(Key(3, 1), 7, "sse", "sse", "POST", "/v1/chat?stream=1", 503)
NOTHING = Heads(Key(3, 1), 7, None, "http", None, None, None)


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        ({}, True),
        ({"transport": "sse"}, True),
        ({"transport": "chunked"}, False),
        ({"connection": 3}, True),
        ({"connection": 4}, False),
        ({"exchange": ExchangeNumber(7)}, True),
        ({"exchange": ExchangeNumber(1)}, False),
        ({"exchange": ExchangeNumber(1, 3)}, True),
        ({"exchange": ExchangeNumber(7, 3)}, False),
        ({"path": "/v1/chat"}, True),
        ({"path": "/v1/*"}, True),
        ({"path": "*stream=1"}, True),
        ({"path": "/v1"}, False),
        ({"path": "/V1/*"}, False),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"status": ("503",)}, True),
        ({"status": ("404", "5xx")}, True),
        ({"status": ("2xx", "504")}, False),
        ({"method": "POST", "path": "/v1/*", "status": ("4xx",)}, False),
    ],
    ids=str,
)
def test_criteria_of_the_heads(wanted: dict[str, Any], takes: bool) -> None:
    assert ExchangeFilter(**wanted).takes_heads(CHAT) is takes


@pytest.mark.parametrize("wanted", [{"path": "*"}, {"method": "GET"}, {"status": ("5xx",)}])
def test_what_was_not_captured_meets_nothing(wanted: dict[str, Any]) -> None:
    assert not ExchangeFilter(**wanted).takes_heads(NOTHING)


def test_an_absolute_target_has_a_path() -> None:
    heads = replace(CHAT, target="http://api.example:80/v1/chat?x")
    assert ExchangeFilter(path="/v1/chat").takes_heads(heads)
    assert ExchangeFilter(path="/v1/chat?x").takes_heads(heads)


@pytest.mark.parametrize(
    ("wanted", "heads", "decided"),
    [
        ({}, NOTHING, True),
        ({"connection": 4, "transport": "sse"}, NOTHING, False),
        ({"connection": 3}, NOTHING, True),
        ({"path": "/v1/*"}, NOTHING, None),
        ({"path": "/v1/*"}, CHAT, True),
        ({"path": "/v2/*", "status": ("5xx",)}, CHAT, False),
        ({"path": "/v1/*", "status": ("5xx",)}, CHAT, None),
        ({"transport": "sse"}, CHAT, None),
    ],
    ids=str,
)
def test_what_is_decided_by_a_part_of_the_heads(
    wanted: dict[str, Any], heads: Heads, decided: bool | None
) -> None:
    assert ExchangeFilter(**wanted).decided(heads) is decided


@pytest.mark.parametrize(
    ("wanted", "takes"),
    [
        ({}, True),
        ({"min_gap": 2.0}, True),
        ({"min_gap": 2.1}, False),
        ({"verdict": "held"}, True),
        ({"verdict": "streamed"}, False),
        ({"grep": "x"}, True),
        ({"port": 8000}, True),
        ({"port": 800}, False),
        ({"min_gap": 1, "verdict": "loss"}, False),
    ],
    ids=str,
)
def test_criteria_of_the_end(wanted: dict[str, Any], takes: bool) -> None:
    chosen = ExchangeFilter(**wanted)
    assert chosen.takes_end(connection(), {"held", "fault"}, 2.0, has_text=True) is takes


def test_text_that_was_not_found_is_missed() -> None:
    assert not ExchangeFilter(grep="x").takes_end(None, (), 0.0, has_text=False)


def test_no_connection_has_no_port() -> None:
    assert not has_port(None, 8000)


def connection() -> ConnectionRecord:
    found = Stream().end().tape.records()[-1]
    assert isinstance(found, ConnectionRecord)
    return found


def test_what_must_be_known() -> None:
    assert EVERYTHING.is_empty
    assert not EVERYTHING.needs_heads
    assert not ExchangeFilter(connection=3).needs_heads
    assert ExchangeFilter(connection=3, method="GET").needs_heads
    assert not ExchangeFilter(method="GET").needs_end
    for late in ({"port": 1}, {"min_gap": 0.0}, {"verdict": "held"}, {"grep": ""}):
        assert ExchangeFilter(**late).needs_end  # type: ignore[arg-type]


def test_the_only_connection() -> None:
    assert ExchangeFilter(connection=3).only_connection == 3
    assert ExchangeFilter(exchange=ExchangeNumber(1, 3)).only_connection == 3
    assert ExchangeFilter(exchange=ExchangeNumber(7)).only_connection is None


def test_the_heads_of_an_exchange() -> None:
    [explained] = explain(Stream("/a?b").events(2, every=0.1).end().tape.records())
    expected = Heads(Key(0, 0), 0, None, "sse", "GET", "/a?b", 200)
    assert heads_of(explained.exchange) == expected
