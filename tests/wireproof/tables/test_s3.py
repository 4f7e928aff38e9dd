"""A data set in an object store that speaks S3: moto's server, on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT

from wireproof.cli import run
from wireproof.tables.dataset import DataSet
from wireproof.tables.files import filesystem_of
from wireproof.tables.stores import place_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SSE = ROOT / "fixtures" / "sse"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        filesystem, _ = filesystem_of("s3://")
        filesystem.mkdir("rings")
        yield "s3://rings"
    server.stop()


def put(url: str, path: Path) -> None:
    filesystem, place = filesystem_of(url)
    filesystem.pipe_file(f"{place}/{path.name}", path.read_bytes())


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["query", *arguments, "--format", "json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_captures_and_data_set_lie_in_the_store(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captures, place = f"{bucket}/captures", f"{bucket}/set"
    for name in ("plain", "burst"):
        put(captures, SSE / f"{name}.pcapng")
    assert run(["export", captures, "-o", place]) == 0
    assert "2 captures, " in capsys.readouterr().err
    put(captures, SSE / "truncated.pcapng")
    assert run(["export", captures, "-o", place]) == 0, "it goes on where it was"
    assert "3 captures, 1 of them new" in capsys.readouterr().err
    assert len(list(DataSet(place).parts())) == 2
    sql = 'SELECT target, "end", first_token FROM exchanges ORDER BY ALL'
    found = asked(capsys, place, sql)
    assert [row["target"] for row in found] == ["/sse", "/sse/burst", "/sse/truncated"]
    assert found == asked(capsys, captures, sql), "captures are read from there too"
    local = str(tmp_path / "set")
    paths = [str(SSE / f"{name}.pcapng") for name in ("plain", "burst", "truncated")]
    assert run(["export", *paths, "-o", local]) == 0
    assert found == asked(capsys, local, sql)
    assert run(["diff", place, local]) == 0


def test_what_broke_off_there_does_not_count(bucket: str) -> None:
    place = f"{bucket}/broken"
    assert run(["export", str(SSE / "plain.pcapng"), "-o", place]) == 0
    data_set = DataSet(place)
    [(name, _)] = data_set.parts()
    filesystem, _ = filesystem_of(place)
    filesystem.rm_file(f"{place}/manifest/{name}.json")
    with pytest.raises(ValueError, match="no data set"):
        data_set.files()
    assert run(["export", str(SSE / "plain.pcapng"), "-o", place]) == 0
    assert [name for name, _ in data_set.parts()] == [name]


def test_a_bucket_that_is_not_there_is_an_error_and_stays_away(
    bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in ("s3://mistyped", "s3://mistyped/set"):
        assert run(["export", str(SSE / "plain.pcapng"), "-o", place]) == 2
        said = capsys.readouterr().err
        assert "s3://mistyped: there is no such bucket: create it first" in said
    filesystem, _ = filesystem_of(bucket)
    assert filesystem.ls("") == ["rings"]


def test_a_manifest_that_the_store_does_not_give_is_an_error(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is gone is not: whoever exports may have removed it just now."""
    filesystem, _ = filesystem_of(bucket)
    filesystem.pipe_file("rings/few/manifest/a.json", b"{}")
    store = place_of(f"{bucket}/few")
    names = ["manifest/a.json", "manifest/gone.json"]
    assert list(store.contents(names)) == [("manifest/a.json", b"{}")]
    failed = {"rings/few/manifest/a.json": OSError("slow down")}
    monkeypatch.setattr(filesystem, "cat", lambda *_, **__: failed)
    with pytest.raises(OSError, match="slow down"):
        list(store.contents(names[:1]))
