"""The stored captures of TLS and HTTP/2 show what they are stored for, with their keys alone."""

from __future__ import annotations

import pytest

from fixtures.tls.record import STORED, Stored
from parsers.records import Record, RequestRecord, TlsConnectionRecord
from server.http2.scenarios import http2_scenario
from wireproof import decode
from wireproof.tasks.http2_demo import shows

ENCRYPTED = [one for one in STORED if one.served.tls]
names = [one.name for one in STORED]


def records(one: Stored) -> list[Record]:
    return list(decode(one.path, keylog=one.keys if one.served.tls else None))


@pytest.mark.parametrize("one", STORED, ids=names)
def test_it_shows_what_it_is_stored_for(one: Stored) -> None:
    found = records(one)
    assert shows(http2_scenario(one.scenario), found)
    requests = [record for record in found if isinstance(record, RequestRecord)]
    assert {record.layer for record in requests} == {"tls" if one.served.tls else "tcp"}
    version = "HTTP/2" if one.served.http2 else "HTTP/1.1"
    assert {record.version for record in requests} == {version}


@pytest.mark.parametrize("one", ENCRYPTED, ids=[one.name for one in ENCRYPTED])
def test_without_its_keys_nothing_is_read(one: Stored) -> None:
    found = list(decode(one.path))
    assert not any(isinstance(record, RequestRecord) for record in found)
    (tls,) = (record for record in found if isinstance(record, TlsConnectionRecord))
    assert tls.decrypted == "no"
    (tls,) = (record for record in records(one) if isinstance(record, TlsConnectionRecord))
    assert tls.decrypted == "yes"
