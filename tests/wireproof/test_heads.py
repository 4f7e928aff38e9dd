"""What the heads of an exchange say of it."""

from __future__ import annotations

import pytest
from support.handmade import Wire

from parsers.records import Transport
from wireproof.heads import (
    MAX_KNOWN_FIELDS,
    MAX_KNOWN_HEADS,
    MAX_KNOWN_SIZE,
    asked_for,
    field_value,
    fields_by_name,
)

UPGRADE = ("Upgrade", "websocket")


@pytest.mark.parametrize(
    ("headers", "transport"),
    [
        ([UPGRADE], "websocket"),
        ([("transfer-encoding", "Chunked")], "chunked"),
        ([("Transfer-Encoding", "gzip, chunked")], "chunked"),
        ([("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")], "chunked"),
        ([("Accept", "text/event-stream")], "sse"),
        ([("Accept", "application/json, text/event-stream")], None),
        ([], None),
    ],
)
def test_asked_for(headers: list[tuple[str, str]], transport: Transport | None) -> None:
    assert asked_for(Wire().request("/", *headers)) == transport


def test_field_value_is_the_first_of_its_name() -> None:
    fields = [("A", "1"), ("X-Y", "2"), ("x-y", "3")]
    assert field_value(fields, "x-y") == "2"
    assert field_value(fields, "z") is None


def test_heads_that_come_again_are_known_within_a_limit() -> None:
    fields = [("A", "1"), ("X-Y", "2"), ("x-y", "3")]
    assert fields_by_name(fields) == {"a": "1", "x-y": "2"}
    assert fields_by_name(list(fields)) is fields_by_name(fields)
    first = fields_by_name(fields)
    for number in range(MAX_KNOWN_HEADS):
        assert fields_by_name([("n", str(number))]) == {"n": str(number)}
    assert fields_by_name(fields) == first
    assert fields_by_name(fields) is not first, "all were forgotten at once"


@pytest.mark.parametrize(
    "fields", [[("n", str(n)) for n in range(MAX_KNOWN_FIELDS + 1)], [("n", MAX_KNOWN_SIZE * "x")]]
)
def test_a_head_that_is_too_large_is_read_each_time(fields: list[tuple[str, str]]) -> None:
    assert fields_by_name(fields) == {"n": fields[0][1]}
    assert fields_by_name(fields) is not fields_by_name(fields)
