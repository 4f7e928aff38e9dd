"""Exchanges as files: what a command would write, of these alone, and masked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import msgspec
import pytest
from support.browser import PATIENCE, indexed, serving
from support.corpus import ROOT
from support.planted import Secrets, planted
from support.reports import answers

from parsers.records import ConnectionRecord
from wireproof import decode
from wireproof.open_exchanges import Key
from wireproof.web.index import Index
from wireproof.web.saving import Form, NotSaved, save

TWO = ROOT / "fixtures/nginx/chat.pcapng"
FIXTURE = ROOT / "fixtures/sse/plain.pcapng"


@pytest.fixture
def plain() -> Iterator[Index]:
    with closing(indexed(FIXTURE)) as index:
        yield index


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[tuple[Index, Secrets]]:
    tape, secrets = planted()
    path = tmp_path / "secret.pcapng"
    path.write_bytes(tape.file())
    with closing(indexed(path)) as index:
        yield index, secrets


def test_a_capture_of_one_exchange_decodes_as_the_whole_does(plain: Index, tmp_path: Path) -> None:
    path = save(plain, [Key(0, 0)], "pcapng", "none", tmp_path)
    assert path.name == "plain-c0.pcapng"
    assert list(decode(path)) == list(decode(FIXTURE))


def test_records_are_those_of_decode(plain: Index, tmp_path: Path) -> None:
    path = save(plain, [Key(0, 0)], "ndjson", "none", tmp_path)
    own = [json.loads(msgspec.json.encode(record)) for record in decode(FIXTURE)]
    assert [json.loads(line) for line in path.read_text().splitlines()] == own


def test_an_archive_has_the_one_entry(tmp_path: Path) -> None:
    with closing(indexed(TWO)) as index:
        path = save(index, [Key(1, 0)], "har", "headers", tmp_path)
    (entry,) = json.loads(path.read_bytes())["log"]["entries"]
    assert entry["connection"] == "1"


@pytest.mark.parametrize(("form", "begins"), [("png", b"\x89PNG\r\n"), ("svg", b"<?xml")])
def test_a_picture(plain: Index, form: Form, begins: bytes, tmp_path: Path) -> None:
    path = save(plain, [Key(0, 0)], form, "headers", tmp_path)
    assert path.read_bytes().startswith(begins)


@pytest.mark.parametrize("form", ["pcapng", "har", "ndjson"])
def test_what_looks_like_a_secret_is_in_no_file(
    secret: tuple[Index, Secrets], form: Form, tmp_path: Path
) -> None:
    index, secrets = secret
    keys = [one.about.key for one in index.order if one.about is not None]
    assert secrets.found_in(save(index, keys[:1], "pcapng", "none", tmp_path).read_bytes())
    for key in keys:
        path = save(index, [key], form, "all", tmp_path)
        assert secrets.found_in(path.read_bytes()) == []


def test_a_report_holds_the_chosen_and_no_secret(
    secret: tuple[Index, Secrets], tmp_path: Path
) -> None:
    index, secrets = secret
    key = next(one.about.key for one in index.order if one.about is not None)
    path = save(index, [key], "html", "all", tmp_path)
    found = answers(path.read_text())
    assert [row["key"] for row in found["exchanges/0"] if row["exchange"] is not None] == [
        f"{key.connection}.{key.exchange}"
    ]
    assert found["summary"]["name"] == "secret.pcapng"
    assert secrets.found_in(json.dumps(found)) == []


def test_of_several_connections_the_chosen_alone_are_in_the_capture(tmp_path: Path) -> None:
    with closing(indexed(TWO)) as index:
        path = save(index, [Key(1, 0)], "pcapng", "none", tmp_path)
        whole = [one for one in decode(TWO) if isinstance(one, ConnectionRecord)]
    (own,) = [one for one in decode(path) if isinstance(one, ConnectionRecord)]
    (same,) = [one for one in whole if one.connection == 1]
    assert (own.client, own.server, own.packets) == (same.client, same.server, same.packets)


def test_only_captures_and_reports_take_several(plain: Index, tmp_path: Path) -> None:
    with pytest.raises(NotSaved, match="one exchange goes into such a file"):
        save(plain, [Key(0, 0), Key(0, 1)], "har", "headers", tmp_path)


def test_the_server_hands_them_on_and_says_why_not() -> None:
    path = ROOT / "fixtures/sse/plain.pcapng"
    with closing(indexed(path)) as index, serving(index) as server:
        base = server.url.partition("/?")[0]
        with httpx.Client(base_url=base, timeout=PATIENCE) as client:
            assert client.get("/take/none/0.0/ndjson").status_code == 403
            assert client.get(server.url).status_code == 303
            taken = client.get("/take/none/0.0/ndjson")
            assert taken.headers["content-disposition"] == 'attachment; filename="plain-c0.ndjson"'
            assert taken.headers["content-type"] == "application/octet-stream"
            for wrong in ("none/0.7/har", "some/0.0/har", "none/1:0.0/har", "none/0.0/exe"):
                assert client.get(f"/take/{wrong}").status_code == 404
            refused = client.get("/take/headers/0.0,0.0/har")
            assert (refused.status_code, refused.text) == (
                409,
                "one exchange goes into such a file",
            )
