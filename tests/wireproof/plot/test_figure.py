"""Pictures: what stands in them, and that nothing from the wire is more than text."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image
from support.attack import PROBES, attack
from support.corpus import ROOT
from support.timed import Stream, chunk, event

from parsers import KeyLog
from wireproof.analysis.exchange_filter import ExchangeFilter, ExchangeNumber
from wireproof.cli import run
from wireproof.open_exchanges import Key
from wireproof.plot.figure import (
    DOTS,
    FAULT,
    LEFT,
    LETTER,
    MANY,
    RIGHT,
    SEVERITY_COLOURS,
    WIDTH,
    _Scale,
    draw,
    largest_marks,
    spaced,
    stalls,
)
from wireproof.plot.timeline import Timeline, Timelines, read_timeline
from wireproof.plot.told import LABEL_WIDTH, Label, Told, read_told

FIXTURES = ROOT / "fixtures"


def timeline(transport: str, scenario: str) -> Timeline:
    found = Timelines()
    found.read(BytesIO((FIXTURES / transport / f"{scenario}.pcapng").read_bytes()))
    return found.choose()


def svg(found: Timeline) -> str:
    stream = BytesIO()
    draw(found, stream, "svg")
    return stream.getvalue().decode()


def texts(picture: str) -> str:
    """What is written in an SVG: each text stands in a comment beside its outlines."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", picture, re.DOTALL))


@pytest.mark.parametrize(
    "transport, scenario, said",
    [
        ("chunked", "truncated", ("chunks", "INCOMPLETE", "chunk-last-missing", "chunks in")),
        ("sse", "slow", ("SSE events", "no event for 4", "complete (last chunk)", "p99")),
        ("websocket", "plain", ("messages", "control", "closed by the server", "ms since")),
    ],
)
def test_what_is_written(transport: str, scenario: str, said: tuple[str, ...]) -> None:
    picture = svg(timeline(transport, scenario))
    written = texts(picture)
    if scenario == "slow":  # the same capture gives the same file
        assert svg(timeline(transport, scenario)) == picture
    assert [word for word in said if word not in written] == []


def test_a_picture_is_as_wide_as_a_page(tmp_path: Path) -> None:
    output = tmp_path / "out.png"
    assert run(["plot", str(FIXTURES / "sse" / "plain.pcapng"), "-o", str(output)]) == 0
    with Image.open(output) as picture:
        assert picture.width == WIDTH * DOTS and 600 < picture.height < 1_400
        colours = picture.convert("RGB").getcolors(1 << 24)
        assert colours is not None and len(colours) > 50


def test_stalls() -> None:
    ((first, last, is_recorded),) = stalls(timeline("sse", "slow"))
    assert 0.35 < last - first < 0.6 and is_recorded
    assert stalls(timeline("sse", "plain")) == []


def test_what_was_not_recorded_is_no_gap() -> None:
    stream = Stream().events(5, every=0.1)
    stream.tape.wait(1.0)
    stream.talk.server(chunk(event(6)))
    del stream.tape.packets[-1]
    stream.talk.ack("client")
    file = stream.events(5, every=0.5).end().tape.file()
    found = Timelines()
    found.read(BytesIO(file))
    drawn = found.choose()
    drawn.told = read_told(BytesIO(file), Key(0, 0))
    assert len(drawn.told.holes) == 1
    assert [round(gap, 1) for gap in drawn.gaps()] == [0.1] * 4 + [0.5] * 4
    [(first, last, is_recorded)] = stalls(drawn)
    assert (round(last - first, 1), is_recorded) == (1.5, False)
    said = texts(svg(drawn))
    assert "not recorded for 1.500 s" in said and "longest 500" in said
    drawn.tell(Told(holes=tuple(drawn.lanes["SSE events"].times)))
    assert drawn.gaps() == [] and stalls(drawn) == []


def lossy(stream: Stream) -> Timeline:
    file = stream.tape.file()
    found = Timelines()
    found.read(BytesIO(file))
    drawn = found.choose()
    drawn.tell(read_told(BytesIO(file), Key(0, 0)))
    return drawn


def lose(stream: Stream, data: bytes) -> None:
    stream.talk.server(data)
    del stream.tape.packets[-1]
    stream.talk.ack("client")


def test_what_was_not_recorded_before_the_first_and_after_the_last() -> None:
    stream = Stream()
    lose(stream, chunk(event(1)))
    stream.tape.wait(1.0)
    stream.events(5, every=0.1)
    lose(stream, chunk(event(6)) + b"0\r\n\r\n")
    stream.tape.wait(2.0)
    stream.talk.close()
    drawn = lossy(stream)
    found = [(round(last - first, 1), is_recorded) for first, last, is_recorded in stalls(drawn)]
    assert found == [(1.1, False), (2.0, False)]
    said = texts(svg(drawn))
    assert "not known to be whole (no end of it was recorded" in said
    assert "INCOMPLETE" not in said and FAULT not in svg(drawn)


def test_text_from_the_wire_stays_text() -> None:
    found = timeline("chunked", "plain")
    found.ended = " ".join((*PROBES["html"], *PROBES["terminal"]))
    for title in (
        "</svg><script>window.attacked=1</script> --> <svg>",
        "$\\frac{1}{0}$ \\input{x}",
    ):
        found.title = title
        root = ElementTree.fromstring(svg(found))
        names = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not names & {"script", "a", "foreignObject", "iframe", "img", "text"}


def test_every_exchange_of_an_attack_can_be_drawn() -> None:
    every = Timelines()
    every.read(BytesIO(attack()))
    for connection in (0, every.count - 2):
        found = Timelines(wanted=ExchangeFilter(exchange=ExchangeNumber(0, connection)))
        found.read(BytesIO(attack()))
        assert svg(found.choose()).startswith("<?xml")


def test_many_marks_make_no_large_file() -> None:
    found = timeline("chunked", "plain")
    lane = found.lanes["chunks"]
    for number in range(20_000):
        lane.add(found.start + number / 1000, 50, "server")
    found.end = found.start + 20
    assert len(svg(found)) < 1_000_000


def test_of_many_marks_the_largest_are_drawn() -> None:
    marks = [(number / 1000, number % 97) for number in range(100_000)]
    marks[5_000] = 5.0, 1_000
    found = largest_marks(marks)
    assert len(found) <= MANY + 1 and (5.0, 1_000) in found and found == sorted(found)
    assert largest_marks(marks[:MANY]) == marks[:MANY]
    assert largest_marks([(1.0, size) for size in range(5_000)]) == [(1.0, 4_999)]


def test_tls_without_keys_is_not_drawn_but_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, output = FIXTURES / "tls" / "sse.pcapng", tmp_path / "out.svg"
    assert run(["plot", str(path), "-o", str(output)]) == 2
    assert not output.exists()
    (said,) = capsys.readouterr().err.splitlines()
    assert "1 TLS connection was not decrypted; a picture needs the keys (--keylog)" in said
    assert "TLS 1.3, h2 (connection 0, packets 1-36): streamed, close-notify; from record" in said
    assert run(["plot", str(path), "--path", "/sse", "-o", str(output)]) == 2
    assert "no matching exchange" in capsys.readouterr().err


def test_tls_with_keys_is_drawn_with_its_verdict() -> None:
    keys = KeyLog.open(FIXTURES / "tls" / "sse.keys")
    found, number = read_timeline(str(FIXTURES / "tls" / "sse.pcapng"), keylog=keys)
    assert number == 1 and found.title.startswith("GET ")
    assert found.told.verdict.startswith("streamed, whole: 10 events")


@pytest.mark.parametrize(
    "arguments, said",
    [
        (("-o", "out.pdf"), ".png or .svg"),
        (("-o", "out.png", "--connection", "9"), "no matching exchange"),
        ((), "--output"),
    ],
)
def test_bad_usage(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert run(["plot", str(FIXTURES / "sse" / "plain.pcapng"), *arguments]) == 2
    shown = capsys.readouterr().err
    assert said in shown and len(shown.splitlines()) == 1


def test_without_a_home_it_says_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wireproof", "plot", str(FIXTURES / "sse" / "plain.pcapng")]
    environment = {**os.environ, "HOME": "/dev/null/none", "MPLCONFIGDIR": ""}
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "out.png")],
        capture_output=True,
        env=environment,
        check=True,
    )
    assert done.stderr == b""


def test_which_exchange_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "attack.pcapng"
    path.write_bytes(attack())
    assert run(["plot", str(path), "-o", str(tmp_path / "out.svg")]) == 0
    assert "of 53 exchanges" in capsys.readouterr().err


def test_a_picture_says_what_came_of_it_and_what_elements_say() -> None:
    path = FIXTURES / "dialects" / "chat-completion.pcapng"
    found, count = read_timeline(str(path))
    assert count == 1
    assert (found.told.severity, found.told.verdict[:15]) == ("ok", "streamed, whole")
    said = [label.text for label in found.told.labels]
    assert said[0] == "role assistant" and said[-1] == "[DONE]" and '" look."' in said
    written = texts(svg(found))
    assert found.told.verdict in written and "[DONE]" in written
    cut, _ = read_timeline(str(FIXTURES / "chunked" / "truncated.pcapng"))
    assert cut.told.severity == "error"
    assert cut.told.verdict.startswith("cut after 5 chunks: FIN by the server (packet 18)")
    assert f"fill: {SEVERITY_COLOURS['error']}" in svg(cut)


def test_words_do_not_cover_one_another() -> None:
    found = timeline("chunked", "plain")
    step = (found.end - found.start) / 5_000
    labels = tuple(Label(found.start + number * step, "x" * 18) for number in range(5_000))
    shown = spaced(labels, _Scale(found))
    assert 1 < len(shown) < 12
    between = shown[1].label.time - shown[0].label.time
    assert between / (found.end - found.start) * (RIGHT - LEFT) * WIDTH > 18 * LETTER


def test_words_at_the_right_edge_end_at_their_mark() -> None:
    found = timeline("chunked", "plain")
    early, late = Label(found.start, "role assistant"), Label(found.end, "token 9")
    assert spaced([late, early], _Scale(found)) == [(early, "left"), (late, "right")]
    # Of two that would cover each other, the first is shown.
    assert spaced([late, Label(found.end, "token 8")], _Scale(found)) == [
        (Label(found.end, "token 8"), "right")
    ]


def test_words_from_the_wire_are_escaped_and_bounded(tmp_path: Path) -> None:
    path = tmp_path / "attack.pcapng"
    path.write_bytes(attack())
    found, _ = read_timeline(str(path))
    assert all(len(label.text) < 5 * LABEL_WIDTH for label in found.told.labels)
    assert all(label.text.isprintable() for label in found.told.labels)
    svg(found)
