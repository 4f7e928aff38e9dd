"""Records without their payloads: nothing else is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.stored import STORED, name

from parsers.decode.capture import decode
from parsers.records import Record

PAYLOAD = ("data", "encoding", "fields")


@pytest.mark.parametrize("path", STORED, ids=name)
def test_without_data_nothing_but_payload_is_missing(path: Path) -> None:
    """Of every record of every stored capture."""
    full, bare = records_of(path, keep_data=True), records_of(path, keep_data=False)
    assert [without_payload(one) for one in full] == [without_payload(one) for one in bare]
    assert all(getattr(one, "data", None) is None for one in bare)


def records_of(path: Path, *, keep_data: bool) -> list[Record]:
    with path.open("rb") as stream:
        return list(decode(stream, keep_data=keep_data))


def without_payload(record: Record) -> dict[str, Any]:
    fields = msgspec.structs.asdict(record)
    return {name: value for name, value in fields.items() if name not in PAYLOAD}
