"""What a picture says of an exchange, and which connections that takes."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.stored import SMALL, name

from parsers.decode.capture import decode_batches
from wireproof.analysis.outcomes import outcomes
from wireproof.open_exchanges import Key
from wireproof.plot import told
from wireproof.plot.told import Told, read_told

FIXTURES = ROOT / "fixtures"


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each reading of a capture was of all connections."""
    found: list[bool] = []
    read = told._read

    def noting(*arguments: Any) -> tuple[Told, bool]:
        found.append(len(arguments) == 3)
        return read(*arguments)

    monkeypatch.setattr(told, "_read", noting)
    return found


@pytest.mark.parametrize("path", SMALL, ids=name)
def test_one_connection_tells_what_all_do(path: Path) -> None:
    data = path.read_bytes()
    for outcome in list(outcomes(decode_batches(BytesIO(data))))[:6]:
        if outcome.listed.tls is None:
            key = Key(outcome.listed.connection, outcome.listed.exchange)
            assert read_told(BytesIO(data), key) == told._read(BytesIO(data), key, None)[0]


def test_of_a_stream_that_is_whole_its_connection_is_enough(readings: list[bool]) -> None:
    for path in ("sse/plain", "chunked/plain", "websocket/plain"):
        read_told(BytesIO((FIXTURES / f"{path}.pcapng").read_bytes()), Key(0, 0))
    assert readings == [False] * 3


def test_what_went_wrong_others_may_explain(readings: list[bool]) -> None:
    path = FIXTURES / "chunked" / "truncated.pcapng"
    assert read_told(BytesIO(path.read_bytes()), Key(0, 0)).severity == "error"
    assert readings == [False, True]


def test_of_what_another_connection_may_have_a_part_in_all_are_decoded(
    readings: list[bool],
) -> None:
    """An upload may have another leg, and a stream may go on one of another connection."""
    for path, key in (("dialects/chat-completion", Key(0, 0)), ("sse/resume", Key(1, 0))):
        data = (FIXTURES / f"{path}.pcapng").read_bytes()
        read_told(BytesIO(data), key)
    assert readings == [False, True] * 2


def test_of_what_does_not_exist_nothing_is_said() -> None:
    path = FIXTURES / "chunked" / "plain.pcapng"
    assert read_told(BytesIO(path.read_bytes()), Key(7, 0)) == Told()
