"""Each cause for real: the fault is told for what it is, and nothing is said against its cure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from support.timed import Stream

from server.causes.process import Which
from server.causes.registry import CAUSES, Shown, cause
from server.causes.unshown import UNSHOWN
from wireproof.analysis.verdict import Cause, Verdict
from wireproof.cli import run
from wireproof.tasks import causes
from wireproof.tasks.causes import Told, is_as_shown, lacking, record_cause


class Chosen(NamedTuple):
    """A backend, as far as its name is asked for."""

    name: str


def marked(shown: Shown) -> object:
    marks = [pytest.mark.packets, pytest.mark.slow]
    if shown.fault.proxy is not None:
        marks.append(pytest.mark.tool(shown.fault.proxy))
    return pytest.param(shown, marks=marks, id=shown.name)


ATTEMPTS = 2
"""A machine that is too busy pauses by itself, which is told, rightly, beside what is shown: then
it is recorded anew, once. Recordings made under load are told right 39 times of 40."""


def recorded(shown: Shown, which: Which, folder: Path) -> Told:
    """What is said of the first recording that is told as shown, or of the last one."""
    for attempt in range(ATTEMPTS):
        path = folder / f"{which}-{attempt}.pcapng"
        told = record_cause(shown, which, path, "packet-socket")
        if is_as_shown(shown, which, told.verdict):
            break
    return told


@pytest.mark.parametrize("shown", [marked(shown) for shown in CAUSES])
def test_the_fault_and_the_cure_are_told(shown: Shown, tmp_path: Path) -> None:
    fault = recorded(shown, "fault", tmp_path)
    assert fault.verdict is not None
    assert is_as_shown(shown, "fault", fault.verdict), fault.verdict
    assert fault.verdict.is_fault != shown.is_note
    assert any(one.remedy for one in fault.verdict.causes) or fault.verdict.remedy or shown.is_note
    cure = recorded(shown, "cure", tmp_path)
    assert is_as_shown(shown, "cure", cure.verdict), cure.verdict


def test_what_is_not_as_shown() -> None:
    shown = cause("app-collects")
    held = Verdict("streaming", "held", "error", "", causes=(Cause("app-collects"),))
    assert is_as_shown(shown, "fault", held)
    assert not is_as_shown(shown, "cure", held)
    assert not is_as_shown(shown, "fault", None)
    other = Verdict("streaming", "held", "error", "", causes=(Cause("proxy-buffer"),))
    assert not is_as_shown(shown, "fault", other)
    assert is_as_shown(shown, "cure", Verdict("streaming", "streamed", "ok", ""))


@pytest.mark.packets
def test_a_hop_is_shown_as_hops_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--cause", "drops-event"]) == 0
    said = capsys.readouterr().out
    assert "lost 1 of 12 events: number 6" in said
    assert said.index("drops-event") < said.index("passes everything on")


@pytest.mark.packets
def test_both_ways_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--cause", "compressor-not-flushed"]) == 0
    said = capsys.readouterr().out
    assert said.index("The fault: ") < said.index("held") < said.index("The remedy: ")
    assert "compressor-not-flushed" in said
    assert said.rstrip().splitlines()[-1].startswith("ok")


def test_what_a_relay_does_not_see_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Without that its verdict would be that all is well, or an error out of nowhere."""
    for name in ("nagle-delayed-ack", "client-zero-window", "loss", "fixed-delay"):
        assert run(["demo", "--cause", name, "--backend", "relay"]) == 3
        said = capsys.readouterr()
        assert said.out == ""
        (line,) = said.err.splitlines()[1:]
        assert line.startswith(f"wireproof: {name} is not shown: a relay does not see ")


def test_what_has_no_cause_left_is_cured() -> None:
    """A wait that is gone raises no question: then nothing is said."""
    assert is_as_shown(cause("loss"), "cure", None)
    assert not is_as_shown(cause("loss"), "fault", None)
    assert not is_as_shown(cause("loss"), "cure", Verdict("gap", "retransmission", "warning", ""))


def test_without_a_network_of_its_own_a_path_is_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "refusal", lambda: "no network: it needs root")
    monkeypatch.setattr("wireproof.tasks.demo.choose", lambda *_, **__: Chosen("packet-socket"))
    assert run(["demo", "--cause", "loss"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[-1] == "wireproof: loss is not shown: no network: it needs root"


@pytest.mark.parametrize("shown", CAUSES, ids=[shown.name for shown in CAUSES])
def test_without_its_proxy_a_cause_is_not_shown(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "find", lambda _: None)
    monkeypatch.setattr(causes, "refusal", lambda: None)
    program = shown.fault.proxy
    why = lacking(shown, "packet-socket")
    assert why == (f"{program} is not installed: apt-get install {program}" if program else None)


def test_a_verdict_that_is_not_as_shown_is_said_in_a_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    streamed = Verdict("streaming", "streamed", "ok", "12 events came one by one")

    def told(shown: Shown, which: str, path: Path, backend: str) -> Told:
        explained = Stream().events(3, every=0.1).end().exchange
        return Told(explained.source.explained(explained), streamed)

    monkeypatch.setattr(causes, "record_cause", told)
    assert run(["demo", "--cause", "app-collects", "--backend", "relay"]) == 1
    assert capsys.readouterr().err.splitlines()[1:] == [
        "wireproof: app-collects: the fault was judged streamed, not held by app-collects"
    ]


def test_they_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--cause", "list"]) == 0
    shown, _, unshown = capsys.readouterr().out.partition("\n\nNot shown:\n")
    assert [line.split()[0] for line in shown.splitlines()] == [one.name for one in CAUSES]
    assert [line.split()[0] for line in unshown.splitlines()] == [*UNSHOWN]


def test_an_unknown_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--cause", "gremlins"]) == 2
    assert "no cause is named 'gremlins'" in capsys.readouterr().err


def test_a_proxy_that_is_missing_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wireproof.tasks.causes.find", lambda program: None)
    assert run(["demo", "--cause", "proxy-buffer"]) == 3
    assert "nginx is not installed: apt-get install nginx" in capsys.readouterr().err
