"""Streams that went wrong for other people: what is right of each, and of what only looks so."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest

from fixtures.field.build import BUILT, FOLDER, path_of, right, rows
from fixtures.field.told import Case, write
from parsers.records import (
    BodyElement,
    BodyRecord,
    ChunkRecord,
    ConnectionRecord,
    DataRecord,
    DiagnosticRecord,
    Record,
    RequestRecord,
    ResponseRecord,
    SseEventRecord,
    WebSocketFrameRecord,
)
from wireproof import cli, decode
from wireproof.testing import Wire, WireFailure

RIGHT = right()
KINDS = sorted({row["kind"] for row in RIGHT.values()})
ASIDE = ("kind", "near", "what", "shows", "hides", "passes", "fails")
"""What a row says that is no value of the records."""
VALUES = [(name, key) for name, row in RIGHT.items() for key in row if key not in ASIDE]
TABLES = [name for name, row in RIGHT.items() if {"shows", "hides"} & set(row)]
ASSERTIONS = [
    (name, said, verdict)
    for name, row in RIGHT.items()
    for verdict in ("passes", "fails")
    for said in row.get(verdict, [])
]


T = TypeVar("T", bound=Record)


@cache
def records(name: str) -> list[Record]:
    return list(decode(path_of(name)))


def of(kind: type[T], found: list[Record]) -> list[T]:
    return [record for record in found if isinstance(record, kind)]


# --- the cases themselves ---


@pytest.mark.parametrize("case", BUILT, ids=lambda case: case.name)
def test_a_rebuild_gives_the_same_bytes(case: Case, tmp_path: Path) -> None:
    again = tmp_path / "again.pcap"
    write(case, again)
    assert again.read_bytes() == path_of(case.name).read_bytes()


def test_each_case_is_stored_and_stated() -> None:
    assert {path.stem for path in FOLDER.glob("*.pcap")} == set(RIGHT)
    assert {case.name: case.kind for case in BUILT}.items() <= {
        name: row["kind"] for name, row in RIGHT.items()
    }.items()
    assert sum(path.stat().st_size for path in FOLDER.glob("*.pcap")) < 250_000


def test_the_readme_has_the_row_of_each_case() -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    assert "".join(rows()) in readme


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_two_of_ours_and_a_near_miss(kind: str) -> None:
    ours = [case.name for case in BUILT if case.kind == kind]
    near = [name for name in ours if RIGHT[name].get("near")]
    assert len(ours) - len(near) >= 2
    assert near


# --- what is right of them ---


@pytest.mark.parametrize(("name", "key"), VALUES, ids=lambda one: one)
def test_what_the_records_say(name: str, key: str) -> None:
    wanted = RIGHT[name][key]
    if key == "diagnostic":
        said = "; ".join(map(_said, of(DiagnosticRecord, records(name))))
        assert re.search(wanted, said), said
    elif key == "counts":
        found = Counter(record.record for record in records(name))
        assert {kind: found[kind] for kind in wanted} == wanted
    else:
        assert _value(key, records(name)) == wanted


@pytest.mark.parametrize("name", TABLES)
def test_what_the_table_shows(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["decode", "--format", "table", str(path_of(name))]) == 0
    table = " ".join(capsys.readouterr().out.split())
    if shown := RIGHT[name].get("shows"):
        assert re.search(shown, table), table
    if hidden := RIGHT[name].get("hides"):
        assert not re.search(hidden, table), table


@pytest.mark.parametrize("view", ["table", "devtools"])
@pytest.mark.parametrize("name", [name for name, row in RIGHT.items() if "ends" in row])
def test_every_end_has_its_row(name: str, view: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Sender, packet and time of every FIN and RST, a half-close and a refusal too."""
    assert cli.run(["decode", "--format", view, str(path_of(name))]) == 0
    shown = capsys.readouterr().out
    flags = {"fin": "FIN", "reset": "RST"}
    ends = [end for one in of(ConnectionRecord, records(name)) for end in one.ends]
    assert len(re.findall(r"(?:FIN|RST) by the \w+ \(packet", shown)) == len(ends)
    for end in ends:
        said = f"{flags[end['kind']]} by the {end['sender']} (packet {end['packet']}, "
        assert re.search(re.escape(said) + r"[\d.:]+( µs| ms| s)?\)", shown), said


@pytest.mark.parametrize(("name", "said", "verdict"), ASSERTIONS)
def test_what_the_plugin_asserts(name: str, said: str, verdict: str, wire: Wire) -> None:
    """``0 assert_no_gap_longer_than(10)``: of the capture's first exchange."""
    number, call = said.split(" ", 1)
    exchange = wire.replay(path_of(name)).exchanges()[int(number)]
    method, _, arguments = call.partition("(")
    called = ast.parse(f"call({arguments.removesuffix(')')})", mode="eval").body
    assert isinstance(called, ast.Call)
    positional = [ast.literal_eval(one) for one in called.args]
    named = {one.arg: ast.literal_eval(one.value) for one in called.keywords if one.arg}
    if verdict == "passes":
        getattr(exchange, method)(*positional, **named)
    else:
        with pytest.raises(WireFailure):
            getattr(exchange, method)(*positional, **named)


def _said(fault: DiagnosticRecord) -> str:
    """``http-surplus 0: surplus bytes...``, with its exchange if it has one."""
    exchange = "" if fault.exchange is None else f" {fault.exchange}"
    return f"{fault.code}{exchange}: {fault.summary}"


def _value(key: str, found: list[Record]) -> Any:
    match key:
        case "codes":
            return sorted({one.code for one in of(DiagnosticRecord, found)})
        case "connections":
            return len(of(ConnectionRecord, found))
        case "close":
            return [_close(one) for one in of(ConnectionRecord, found)]
        case "ends":
            ends = [end for one in of(ConnectionRecord, found) for end in one.ends]
            return [f"{end['kind']} by {end['sender']} in {end['packet']}" for end in ends]
        case "client":
            return of(ConnectionRecord, found)[0].client
        case "retransmissions":
            return sum(one.retransmissions for one in of(ConnectionRecord, found))
        case "responses":
            return [[one.connection, one.exchange, one.status] for one in of(ResponseRecord, found)]
        case "answers":
            return _answers(found)
        case "events":
            return sum(one.dispatched for one in of(SseEventRecord, found))
        case "complete":
            return [one.complete for one in of(BodyRecord, found) if one.sender == "server"]
        case "arrivals":
            return _arrivals(found)
    raise KeyError(key)


def _close(connection: ConnectionRecord) -> str:
    if connection.close == "open":
        return "open"
    return f"{connection.close} by {connection.closed_by or 'nobody known'}"


def _answers(found: list[Record]) -> dict[str, int | str]:
    """Return the final status that each request's target got."""
    statuses = {
        (one.connection, one.exchange): one.status
        for one in of(ResponseRecord, found)
        if one.status >= 200
    }
    asked = of(RequestRecord, found)
    return {one.target: statuses.get((one.connection, one.exchange), "none") for one in asked}


def _arrivals(found: list[Record]) -> list[int]:
    """Return the packets that complete what the server's bodies are made of."""
    elements = ChunkRecord | DataRecord | BodyElement | SseEventRecord | WebSocketFrameRecord
    own = (one for one in found if isinstance(one, elements) and one.sender == "server")
    return sorted({one.last_packet for one in own})
