"""``wireproof watch``: the command as a user runs it, on real packets."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.demo import PATIENCE, get, serving
from support.flood import Flood
from support.playback import Playback
from support.talk import Talk
from support.tls import TLS13

from parsers.records import Record
from wireproof import decode
from wireproof.analysis.exchange_filter import EVERYTHING
from wireproof.analysis.outcomes import Outcome
from wireproof.analysis.totals import Totals
from wireproof.cli import run
from wireproof.commands.watch import _Telling
from wireproof.live import watch as watching_module
from wireproof.live.decoding import LiveDecoding, LiveStatistics
from wireproof.live.watch import _Show

GET = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read(); print('got it')"
WATCH = [sys.executable, "-m", "wireproof", "watch", "--port"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def watching(port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command until the block is left, from the moment on that it misses nothing."""
    with subprocess.Popen(
        [*WATCH, str(port), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        began = f"wireproof: watching port {port} on lo with packet-socket; Ctrl-C stops it\n"
        assert line == began
        try:
            yield process
        finally:
            process.kill()


def after_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Return what is said on standard error when the command is interrupted."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=PATIENCE)[1]


@pytest.mark.packets
def test_a_command_is_watched_and_its_exit_code_kept(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving() as address:
        command = [sys.executable, "-c", GET + "; sys.exit(7)", address.origin() + "/sse"]
        assert run(["watch", "--port", str(address.port), "--", *command]) == 7
    captured = capfd.readouterr()
    kinds = Counter(json.loads(line)["record"] for line in captured.out.splitlines())
    assert kinds["sse_event"] == 9
    assert kinds["connection"] == 1
    assert re.fullmatch(
        r"wireproof: watching port \d+ on lo with packet-socket\n"
        r"got it\n"  # standard output is for rows
        r"wireproof: \d+ packets captured, 0 dropped by the kernel\n"
        r"  1 connection: 1 closed by the (?:client|server)\n"
        r"  1 exchange: 1 sse\n"
        r"  9 events, 9 chunks, 0 frames, 0 messages\n"
        r"  [\d,]+ bytes from servers, \d+ from clients\n"
        r"  1 stream ended: 1 complete \(last chunk\)\n",
        captured.err,
    )


@pytest.mark.packets
@pytest.mark.parametrize(("options", "code"), [([], 0), (["--duration", "60"], 130)])
def test_ctrl_c_ends_it_and_keeps_the_packets(
    tmp_path: Path, options: list[str], code: int
) -> None:
    path = tmp_path / "kept.pcapng"
    with serving() as address, watching(address.port, "-w", str(path), *options) as process:
        get(address.host, address.port, "/stream")
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert (first["record"], first["target"]) == ("request", "/stream")
        assert "1 connection: 1 closed by the" in after_ctrl_c(process)
    assert process.returncode == code
    assert Counter(record.record for record in decode(path))["chunk"] == 9


@pytest.mark.packets
def test_the_transport_is_chosen(capfd: pytest.CaptureFixture[str]) -> None:
    with serving() as address:
        urls = [address.origin() + target for target in ("/stream", "/sse")]
        command = [sys.executable, "-c", f"{GET}; urllib.request.urlopen(sys.argv[2]).read()"]
        options = ["--port", str(address.port), "--transport", "sse", "--format", "table"]
        assert run(["watch", *options, "--", *command, *urls]) == 0
    captured = capfd.readouterr()
    assert re.findall(r"^ +(\d) │ Connection", captured.out, re.MULTILINE) == ["1"]
    # A busy machine may hold events back, and is told so.
    told = re.findall(r"^ +\d │ (?:ok|note|warning|error) +(GET .*?),", captured.out, re.MULTILINE)
    assert told == ["GET /sse (exchange 1"]


@pytest.mark.packets
def test_it_ends_when_nobody_reads_any_more() -> None:
    with serving() as address, watching(address.port) as process:
        assert process.stdout is not None
        process.stdout.close()
        get(address.host, address.port, "/stream")
        assert process.wait(PATIENCE) == 141
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


@pytest.mark.packets
def test_it_lasts_as_long_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["watch", "--port", "9", "--duration", "0", "--format", "json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == []
    assert "0 packets captured" in captured.err
    assert "wireproof: no packets on port 9 of lo: nothing listens on it here; " in captured.err


@pytest.mark.packets
def test_a_full_disk_is_named() -> None:
    with serving() as address, watching(address.port, "-w", "/dev/full") as process:
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert said.splitlines()[-1] == "wireproof: /dev/full: No space left on device"


class Stuck:
    """A view that shows nothing before it may."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.records: list[Record] = []

    def write(self, records: Sequence[Record]) -> None:
        assert self.may.wait(PATIENCE)
        self.records += records

    def flush(self) -> None: ...

    def close(self) -> None: ...


def recorded(count: int) -> Playback:
    """Return a recording of so many pieces, each a request that has no answer."""
    pieces = (b"GET /%d HTTP/1.1\r\nX: %b\r\n\r\n" % (n, b"x" * 60_000) for n in range(count))
    return Playback(Flood().client(pieces), by_itself=False)


def test_what_was_recorded_is_shown_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "PATIENCE", 0.01)
    view = Stuck()
    totals = Totals()
    playback = recorded(10)
    with (
        LiveDecoding(port=9, backend=playback) as live,
        _Show(live, view, EVERYTHING, totals) as show,
    ):
        assert playback.written.wait(PATIENCE)
        show.finish(view.may.set)  # it says so, and here that lets it go on
    assert [record.record for record in view.records].count("request") == 10
    assert totals.lines()[1] == "10 exchanges: 10 other"


class Telling(Stuck):
    """A view that keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.may.set()
        self.told: list[Outcome] = []

    def tell(self, outcome: Outcome) -> None:
        self.told.append(outcome)


def test_a_tls_connection_is_told_of_when_it_ends() -> None:
    """Its records are judged, and not shown."""
    talk = Talk().open()
    for sender, data in TLS13:
        talk.segment(sender, data)
    talk.close()
    view, playback = (
        Telling(),
        Playback([packet[-1] for packet in talk.tape.packets], by_itself=False),
    )
    with (
        LiveDecoding(port=9, backend=playback, shows_records=True) as live,
        _Show(live, view, EVERYTHING, Totals()) as show,
    ):
        assert playback.written.wait(PATIENCE)
        show.finish(lambda: None)
    assert "tls_record" not in {record.record for record in view.records}
    (told,) = view.told
    assert told.listed.tls is not None
    assert told.listed.tls.sni == "api.example.test"
    assert told.verdicts[-1].question == "ending"


def test_ctrl_c_again_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_module, "PATIENCE", 0.01)
    view = Stuck()
    playback = recorded(10)

    def again() -> None:
        threading.Timer(0.1, view.may.set).start()
        raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        LiveDecoding(port=9, backend=playback) as live,
        _Show(live, view, EVERYTHING, Totals()) as show,
    ):
        assert playback.written.wait(PATIENCE)
        show.finish(again)
    assert 0 < len(view.records) < 10


POLL = """
import sys, time, urllib.request
urllib.request.urlopen(sys.argv[1]).read()
until = time.monotonic() + float(sys.argv[3])
while time.monotonic() < until:
    page = urllib.request.urlopen(sys.argv[2]).read().decode()
    if 'wireproof_exchanges_total{status="2xx",transport="sse"} 1.0' in page:
        sys.exit(print(page))
    time.sleep(0.05)
sys.exit("nothing was counted")
"""


@pytest.mark.packets
def test_metrics_are_on_a_page_while_it_goes_on(capfd: pytest.CaptureFixture[str]) -> None:
    page = free_port()
    url = f"http://127.0.0.1:{page}/metrics"
    with serving() as address:
        command = [sys.executable, "-c", POLL, address.origin() + "/sse", url, str(PATIENCE)]
        options = ["--port", str(address.port), "--metrics", str(page)]
        assert run(["watch", *options, "--", *command]) == 0
    said = capfd.readouterr().err
    assert said.startswith(f"wireproof: metrics are at {url}\n")
    assert 'wireproof_elements_total{kind="sse_event"} 9.0' in said
    assert 'answer="whole",cause="",question="ending",severity="ok"} 1.0' in said


@pytest.mark.packets
def test_a_port_that_another_serves_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(["watch", "--port", "9", "--metrics", f"127.0.0.1:{port}"]) == 2
    said = capsys.readouterr().err
    assert str(port) in said
    assert "in use" in said


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--port", "9", "--metrics", "localhost"], "'localhost' is not [HOST:]PORT"),
        (["--port", "9", "--metrics", "70000"], "'70000' is not [HOST:]PORT"),
        ([], "Missing option '--port'"),
        (["--port", "8000", "-w", "-"], "-w -: standard output is for rows"),
        (["--port", "70000"], "70000 is not in the range"),
    ],
)
def test_bad_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    assert run(["watch", *arguments]) == 2
    captured = capsys.readouterr()
    assert line in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


@pytest.mark.packets
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--interface", "no-such-one"], "no interface 'no-such-one'"),
        (["-w", "/no/such/folder"], "/no/such/folder: No such file or directory"),
        (["--", "/no/such/command"], "/no/such/command: No such file or directory"),
    ],
)
def test_what_cannot_be_done(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert run(["watch", "--port", "9", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith(f"wireproof: {line}")
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    ("skipped", "said"), [(0, ""), (1_200, ", 1,200 arrived too fast to be decoded")]
)
def test_packets_that_were_not_decoded_are_said_if_there_are_any(
    skipped: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _Telling(9, "lo", has_command=False).done(Totals(), LiveStatistics(5_000, 3, skipped))
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"wireproof: 5,000 packets captured, 3 dropped by the kernel{said}"
