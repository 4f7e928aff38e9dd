"""``wireproof query``: SQL over captures and data sets, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.corpus import ROOT
from support.rings import packets, split
from support.talk import Talk
from support.timed import CHUNKED, EVENT_STREAM, TimedTape, chunk

from wireproof.cli import run
from wireproof.query import ask
from wireproof.query.named import NAMED

SSE = ROOT / "fixtures" / "sse"
PLAIN = str(SSE / "plain.pcapng")


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> str:
    place = str(tmp_path_factory.mktemp("query") / "set")
    folders = [str(ROOT / "fixtures" / name) for name in ("sse", "chunked", "field")]
    folders.append(str(ROOT / "fixtures" / "verdicts" / "rc0*.pcap"))
    assert run(["export", *folders, "-o", place]) == 0
    ring = split(tmp_path_factory.mktemp("ring") / "web1", packets("sse/plain.pcapng"), 3)
    assert run(["export", str(ring), "--separate", "-o", place]) == 0
    return place


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    capsys.readouterr()
    assert run(["query", *arguments, "--format", "json"]) == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return found


def test_a_capture_and_a_data_set_answer_alike(
    data_set: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT record, count(*) AS number FROM elements {} GROUP BY ALL ORDER BY ALL"
    of_one = answer(capsys, PLAIN, sql.format(""))
    assert of_one == answer(capsys, data_set, sql.format(f"WHERE capture = '{PLAIN}'"))
    assert {"record": "chunk", "number": 13} in of_one


def test_several_sources_are_one_database(
    data_set: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT count(*) AS number FROM exchanges"
    [one], [all_of_them] = answer(capsys, PLAIN, sql), answer(capsys, data_set, sql)
    [both] = answer(capsys, data_set, PLAIN, sql)
    assert int(str(both["number"])) == int(str(one["number"])) + int(str(all_of_them["number"]))


@pytest.mark.parametrize("name", NAMED)
def test_named_queries(name: str, data_set: str, capsys: pytest.CaptureFixture[str]) -> None:
    rows = answer(capsys, data_set, "--name", name)
    assert rows, name
    assert run(["query", data_set, "--name", name]) == 0
    assert capsys.readouterr().out.splitlines()[0].split()[0] == next(iter(rows[0]))


def test_what_named_queries_say(data_set: str, capsys: pytest.CaptureFixture[str]) -> None:
    gaps = answer(capsys, data_set, "--name", "worst-gaps")
    silent, cut = (
        next(one for one in gaps if one["answer"] == answer) for answer in ("sender-silent", "cut")
    )
    assert float(str(silent["seconds"])) > 45 and float(str(cut["seconds"])) > 0.25
    assert all(int(str(one["from_packet"])) < int(str(one["to_packet"])) for one in (silent, cut))
    ends = answer(capsys, data_set, "--name", "endings")
    assert ends[0]["ending"] == "whole"
    sent = answer(capsys, data_set, "--name", "retransmissions")
    assert float(str(sent[0]["share"])) > 0 and isinstance(sent[0]["packets"], int)


def through_proxies(ports: tuple[int, ...]) -> TimedTape:
    """Six requests whose answers fall silent and are cut, on every leg from a client on."""
    tape = TimedTape()
    for number in range(6):
        talks = [
            Talk(tape, client_port=40_000 + 10 * number + leg, server_port=port).open()
            for leg, port in enumerate(ports)
        ]
        for talk in talks:
            talk.client(b"GET /chat?q=%d HTTP/1.1\r\nHost: a\r\n\r\n" % number)
        head = b"HTTP/1.1 200 OK\r\n" + EVENT_STREAM + CHUNKED + b"\r\n"
        for piece in (head, *(chunk(b"data: %d%d\n\n" % (number, at)) for at in range(4))):
            tape.wait(0.5)
            for talk in reversed(talks):
                talk.server(piece)
        tape.wait(3)
        for talk in reversed(talks):
            talk.close()
        tape.wait(1)
    return tape


COUNTED = {
    "endings": "exchanges",
    "by-capture": "exchanges",
    "verdict-shares": "exchanges",
    "first-token-by-target": "answers",
    "longest-gaps": "exchanges",
}
"""Named queries, and their columns that add up to the requests."""


def test_named_queries_count_the_clients_leg_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [str(tmp_path / "direct.pcap"), str(tmp_path / "proxies.pcap")]
    for source, ports in zip(sources, ((80,), (80, 9_000, 8_000)), strict=True):
        Path(source).write_bytes(through_proxies(ports).file())
    for name, column in COUNTED.items():
        rows = answer(capsys, sources[1], "--name", name)
        of_one = [one for one in rows if one.get("question") in (None, "ending")]
        assert sum(int(str(one[column])) for one in of_one) == 6, name
    for name in ("worst-gaps", "worst-exchanges"):
        direct, behind = (answer(capsys, source, "--name", name) for source in sources)
        assert len(direct) == len(behind) > 0, name
    assert {one["connection"] for one in answer(capsys, sources[1], "--name", "worst-gaps")} == {
        3 * number for number in range(6)
    }


def test_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT target, first_token, sessions, time FROM exchanges"
    assert run(["query", PLAIN, sql, "--format", "csv"]) == 0
    [head, row] = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["target", "first_token", "sessions", "time"]
    assert (row[0], row[2], row[3][:10]) == ("/sse", "[]", "2026-11-22")
    output = tmp_path / "x.parquet"
    assert run(["query", PLAIN, sql, "--format", "parquet", "-o", str(output)]) == 0
    assert pq.read_table(output)["target"].to_pylist() == ["/sse"]
    assert run(["query", PLAIN, sql]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("/sse")


def test_a_query_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "q.sql"
    script.write_text("SELECT status FROM exchanges")
    assert answer(capsys, PLAIN, "--file", str(script)) == [{"status": 200}]


def test_from_python(data_set: str) -> None:
    found = ask(
        [data_set, PLAIN], "SELECT target, first_token FROM exchanges WHERE target = '/sse'"
    )
    assert found.column_names == ["target", "first_token"] and found.num_rows >= 2
    none = ask(PLAIN, "SELECT target FROM exchanges WHERE target = 'none'")
    assert (none.column_names, none.num_rows) == (["target"], 0)
    with pytest.raises(ValueError, match="Parser Error"):
        ask(PLAIN, "SELEC")


def test_tables_without_rows_have_their_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(capsys, PLAIN, "SELECT code, packets.number FROM diagnostics, packets") == []
    rows = answer(capsys, PLAIN, "SELECT count(*) AS n FROM packets", "--packets")
    assert rows == [{"n": 36}]


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([PLAIN, "SELEC"], "Parser Error: syntax error"),
        ([PLAIN, "SELECT nothing FROM exchanges"], "Binder Error"),
        ([PLAIN, "SELECT 'x'::INT FROM exchanges"], "Conversion Error"),
        ([PLAIN, "FROM 's3://bucket/x.parquet'"], "httpfs"),
        (["SELECT 1"], "name a data set or captures"),
        ([PLAIN, " "], "the query is empty: add the SQL after"),
        ([PLAIN, "--file", "/dev/null"], "the query in /dev/null is empty"),
        ([PLAIN, ";", "--format", "parquet"], "query: there is no statement in it"),
        ([PLAIN, ";"], "query: there is no statement in it"),
        ([PLAIN, "/* SELECT 1 */ ;"], "query: there is no statement in it"),
        ([PLAIN, "--name", "none"], "not a named query"),
        ([PLAIN, "--name", "hazards", "--file", "x"], "not both"),
        ([PLAIN, "--file", "none.sql"], "none.sql"),
        (["none.pcap", "SELECT 1"], "none.pcap"),
        ([str(ROOT / "README.md"), "SELECT 1"], "not a capture file"),
    ],
)
def test_errors_are_one_plain_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["query", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == "" and said in shown.err.splitlines()[-1]


def test_a_query_that_fails_costs_nobody_a_file(tmp_path: Path) -> None:
    output = tmp_path / "out.csv"
    output.write_text("before")
    sql = "SELECT target::INT FROM exchanges"
    assert run(["query", PLAIN, sql, "--format", "csv", "-o", str(output)]) == 2
    assert output.read_text() == "before"


def test_nothing_of_the_wire_reaches_a_terminal_raw(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT chr(27) || '[31m' AS red, ['a', chr(27)] AS list FROM exchanges"
    assert run(["query", PLAIN, sql]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_the_list_of_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["query", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMED)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert run(["query", PLAIN, "SELECT 1"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_no_rows_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "SELECT target FROM exchanges WHERE target = '/none'"
    assert run(["query", PLAIN, sql]) == 0
    assert capsys.readouterr().err == "wireproof: query: no rows\n"
    assert answer(capsys, PLAIN, sql) == []


def test_no_rows_are_a_file_with_columns(tmp_path: Path) -> None:
    output = tmp_path / "none.parquet"
    sql = "SELECT target, start_time, sessions FROM exchanges WHERE target = '/none'"
    assert run(["query", PLAIN, sql, "--format", "parquet", "-o", str(output)]) == 0
    table = pq.read_table(output)
    assert table.num_rows == 0 and table.column_names == ["target", "start_time", "sessions"]
    assert ask(PLAIN, sql).schema == table.schema


def test_captures_that_cannot_be_read_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pcap").write_bytes(b"bad")
    sql = "SELECT count(*) AS n FROM exchanges"
    assert run(["query", PLAIN, str(tmp_path), sql, "--format", "csv"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "n\n1\n" and shown.err.startswith(f"wireproof: {tmp_path}/bad.pcap: not a")


def made(place: Path) -> str:
    """Make a data set of one capture, and return its path."""
    assert run(["export", PLAIN, "-o", f"{place}/"]) == 0
    return str(place)


@pytest.mark.parametrize("name", ["ds*", "ds?", "ds[1]", "it's", "ds{1,2}"])
def test_a_data_set_may_have_any_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made(tmp_path / "ds1")
    place = made(tmp_path / name)
    assert answer(capsys, place, "SELECT count(*) AS number FROM exchanges") == [{"number": 1}]


@pytest.mark.parametrize("data", [None, b"", b"PAR1 but not to its end"])
@pytest.mark.parametrize("command", [["query", "{}", "SELECT 1"], ["diff", "{}", "{}"]])
def test_a_file_that_is_missing_or_broken_is_named(
    command: list[str], data: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = made(tmp_path / "ds")
    [file] = Path(place, "exchanges").iterdir()
    file.unlink()
    if data is not None:
        file.write_bytes(data)
    capsys.readouterr()
    assert run([part.format(place) for part in command]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert file.name in line


def test_names_that_are_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = tmp_path / "caf\udce9.pcapng"
    copy.write_bytes(Path(PLAIN).read_bytes())
    [row] = answer(capsys, str(tmp_path), "SELECT capture, host FROM exchanges")
    assert row == {"capture": f"{tmp_path}/caf\\xe9.pcapng", "host": "caf\\xe9"}
    assert run(["query", made(tmp_path / "ds\udcff"), "SELECT 1"]) == 2
    assert "its name is not UTF-8" in capsys.readouterr().err
    assert run(["query", PLAIN, "--file", str(copy)]) == 2
    assert "a query must be text in UTF-8" in capsys.readouterr().err
    assert run(["query", "-", "SELECT 1"]) == 2
    assert "-: standard input is not read here" in capsys.readouterr().err


def test_a_data_set_in_which_nothing_is_yet_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest").mkdir()
    name = str(tmp_path)
    for arguments in (["query", name, "SELECT 1"], ["diff", name, name], ["view", name]):
        assert run(arguments) == 2
        said = capsys.readouterr().err
        assert said.startswith(f"wireproof: {tmp_path}: no data set, or nothing is in it yet")
        assert "wait until collect has exported its first file" in said and said.count("\n") == 1


@pytest.mark.parametrize("ending", ["csv", "json", "parquet", "txt"])
def test_a_name_asks_for_a_format(ending: str, tmp_path: Path) -> None:
    output = tmp_path / f"answer.{ending}"
    assert run(["query", PLAIN, "SELECT 42 AS answer", "-o", str(output)]) == 0
    if ending == "parquet":
        assert pq.read_table(output).to_pylist() == [{"answer": 42}]
    elif ending == "json":
        assert json.loads(output.read_text()) == [{"answer": 42}]
    elif ending == "csv":
        assert output.read_text().split() == ["answer", "42"]
    else:
        assert output.read_text().splitlines()[0].strip() == "answer"


def test_a_name_that_asks_for_no_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "answer.xlsx"
    assert run(["query", PLAIN, "SELECT 1", "-o", str(output)]) == 2
    assert ".xlsx is not one of the endings .txt, .csv, .json, .parquet" in capsys.readouterr().err
    assert not output.exists()
