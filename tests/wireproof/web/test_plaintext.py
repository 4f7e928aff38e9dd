"""What TLS carried, by place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.answers import read, stored_records
from support.corpus import ROOT

from parsers import KeyLog
from parsers.records import TlsRecordRecord
from wireproof.tasks.follow import FollowOptions, follow
from wireproof.web.plaintext import Plaintext

PATH = ROOT / "fixtures" / "tls" / "sse.pcapng"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@pytest.fixture(scope="module")
def plaintext() -> Iterator[Plaintext]:
    with read(PATH) as asked:
        yield asked.index.plaintext


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What ``wireproof follow --layer tls --raw`` writes of the server."""
    out = tmp_path_factory.mktemp("followed") / "server"
    keylog = KeyLog.open(PATH.with_suffix(".keys"))
    follow(FollowOptions(str(PATH), 0, None, "server", "tls", keylog, True, str(out)))
    return out.read_bytes()


@pytest.mark.parametrize(
    ("start", "end"), [(0, 1 << 20), (0, 1), (0, 0), (5, 60), (50, 52), (60, 329)]
)
def test_any_run_of_bytes(plaintext: Plaintext, followed: bytes, start: int, end: int) -> None:
    assert plaintext.read(0, "server", start, end) == followed[start:end]


@pytest.mark.parametrize(
    ("connection", "start", "end", "found"),
    [
        (0, 0, 24, PREFACE),
        (0, 4, 7, PREFACE[4:7]),
        (0, 10_000, 10_010, b""),
        (0, 24, 24, b""),
        (1, 0, 24, b""),
    ],
)
def test_what_the_client_sent(
    plaintext: Plaintext, connection: int, start: int, end: int, found: bytes
) -> None:
    assert plaintext.read(connection, "client", start, end) == found


def test_it_is_all_that_the_records_held(plaintext: Plaintext) -> None:
    records = stored_records(PATH)
    ends = [
        (one.plaintext_offset or 0) + (one.content_size or 0)
        for one in records
        if isinstance(one, TlsRecordRecord)
        and one.sender == "server"
        and one.plaintext_offset is not None
    ]
    assert len(plaintext.read(0, "server", 0, 1 << 20)) == max(ends)


def test_without_keys_there_is_none() -> None:
    with read(PATH, has_keys=False) as asked:
        assert asked.index.plaintext.read(0, "client", 0, 100) == b""
