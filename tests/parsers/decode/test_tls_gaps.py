"""Where bytes are missing is the same with keys and without: only what they held differs."""

from __future__ import annotations

import pytest
from support.corpus import tls_captures_at_hand

from parsers import KeyLog
from parsers.decode.capture import decode
from parsers.records import GapRecord

LOST = [path for path in tls_captures_at_hand() if path.stem.endswith("_lost")]


def gaps(path, keylog: KeyLog | None) -> list[tuple[int, int, int]]:
    with path.open("rb") as stream:
        found = [one for one in decode(stream, keylog=keylog) if isinstance(one, GapRecord)]
    return [(one.offset, one.length, one.first_packet) for one in found if one.layer == "tcp"]


@pytest.mark.parametrize("path", LOST, ids=lambda path: path.stem)
def test_a_gap_is_where_it_is_without_keys(path) -> None:
    keys = KeyLog.open(path.with_suffix(".keys"))
    assert gaps(path, keys) == gaps(path, None) != []
