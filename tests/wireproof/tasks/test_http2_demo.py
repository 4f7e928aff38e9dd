"""What the demo shows of HTTP/2, in the clear and over TLS: each scenario is what it says it is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from parsers.records import (
    BodyRecord,
    GrpcMessageRecord,
    Http2FrameRecord,
    Record,
    ResponseRecord,
    SseEventRecord,
    StallRecord,
    TlsConnectionRecord,
    WebSocketMessageRecord,
)
from server.http2.app import EVENTS, MESSAGES
from server.http2.scenarios import NAMES, SCENARIOS, Http2Scenario, http2_scenario
from wireproof import decode
from wireproof.cli import run as run_command
from wireproof.tasks.http2_demo import Served, record, shows

pytestmark = [pytest.mark.packets, pytest.mark.slow]


def recorded(name: str, path: Path, *, tls: bool) -> list[Record]:
    record(http2_scenario(name), Served(tls), path, "packet-socket")
    return list(decode(path))


@pytest.mark.parametrize("tls", [False, True], ids=["clear", "tls"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_each_shows_what_it_is_about(scenario: Http2Scenario, tls: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    received = record(scenario, Served(tls), path, "packet-socket")
    records = list(decode(path))
    assert shows(scenario, records)
    answers = [one for one in records if isinstance(one, ResponseRecord)]
    assert {answer.version for answer in answers} == {"HTTP/2"}
    assert len(answers) == sum(one.status is not None for one in received)
    connections = [one for one in records if isinstance(one, TlsConnectionRecord)]
    assert [one.decrypted for one in connections] == ["yes"] * tls
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_the_client_received_is_what_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.pcapng"
    received = record(http2_scenario("mux20"), Served(tls=True), path, "packet-socket")
    records = list(decode(path))
    events = [one for one in records if isinstance(one, SseEventRecord)]
    assert len(received) == 20
    assert {one.stream_id for one in events} == {one.stream_id for one in received}
    for one in received:
        texts = [event.data for event in events if event.stream_id == one.stream_id]
        assert texts == [f"a token {number}" for number in range(EVENTS)]
        assert one.ended == "end-stream"


def test_the_server_waits_for_the_window(tmp_path: Path) -> None:
    found = recorded("window-stall", tmp_path / "a.pcapng", tls=True)
    stalls = [one for one in found if isinstance(one, StallRecord)]
    assert max(one.seconds for one in stalls) > 0.9
    assert {one.sender for one in stalls} == {"server"}


def test_the_client_cancels_one_stream_of_two(tmp_path: Path) -> None:
    found = recorded("cancel", tmp_path / "a.pcapng", tls=False)
    ends = {
        one.stream_id: one.ended_by
        for one in found
        if isinstance(one, BodyRecord) and one.sender == "server"
    }
    assert ends == {1: "rst-stream", 3: "end-stream"}


def test_the_server_goes_away(tmp_path: Path) -> None:
    found = recorded("goaway", tmp_path / "a.pcapng", tls=False)
    frames = [one for one in found if isinstance(one, Http2FrameRecord) and one.type == "GOAWAY"]
    assert frames[0].sender == "server"
    bodies = [one for one in found if isinstance(one, BodyRecord) and one.sender == "server"]
    assert len(bodies) >= 2 and not any(one.complete for one in bodies)


def test_messages_of_grpc_and_of_a_websocket(tmp_path: Path) -> None:
    found = recorded("grpc", tmp_path / "a.pcapng", tls=True)
    calls = [one for one in found if isinstance(one, GrpcMessageRecord)]
    assert [one.data for one in calls if one.sender == "server"] == [
        f"\n{chr(len(text))}{text}" for text in MESSAGES
    ]
    bodies = [one for one in found if isinstance(one, BodyRecord) and one.sender == "server"]
    assert ["grpc-status", "0"] in [list(field) for field in bodies[0].trailers or []]
    talked = recorded("websocket", tmp_path / "b.pcapng", tls=True)
    said = [one.data for one in talked if isinstance(one, WebSocketMessageRecord)]
    assert said[: len(MESSAGES)] == list(MESSAGES)[: len(said)] or "are you there?" in said


def test_http_1_over_tls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["demo", "--tls"]) == 0
    assert "HTTP/1.1 200" in capsys.readouterr().out


def test_the_list_and_what_is_not_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["demo", "--http2", "--scenario", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(NAMES)
    assert run_command(["demo", "--http2", "--scenario", "nothing"]) == 2
    assert "no scenario of HTTP/2 is named 'nothing'" in capsys.readouterr().err
    assert run_command(["demo", "--scenario", "sse"]) == 2
