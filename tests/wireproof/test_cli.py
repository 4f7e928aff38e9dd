"""The command line: exit codes, one line for an error, and a start in a blink."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from support.corpus import ROOT
from support.unnamed import unnamed

from capture import CaptureError, CaptureNotPermitted, PacketsDropped, Statistics
from capture.backends import BACKENDS, Session, Wanted
from capture.backends.packet_socket import PacketSocket
from capture.clients import Received
from capture.output import Limits
from wireproof.cli import main, run
from wireproof.commands import NAMES, capturing
from wireproof.tasks import capture as recording
from wireproof.tasks import demo

PLAIN = ROOT / "fixtures" / "chunked" / "plain.pcapng"
COMMAND = [sys.executable, "-m", "wireproof"]
COMMANDS = sorted(NAMES)


def failure(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """Run a command that fails with ``code`` and return the one line that says why."""
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("\n")
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("wireproof: ")
    return captured.err.removeprefix("wireproof: ").rstrip("\n")


# --- help and usage ---


def test_commands_of_the_contract() -> None:
    assert set(COMMANDS) >= {"capture", "decode", "demo", "serve"}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "Examples:" in text
    assert f"  wireproof {command}" in text


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_names_every_command(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([option]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in COMMANDS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("wireproof ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "Missing command. See: wireproof --help"),
        (["deocde"], "No such command 'deocde'"),
        (["decode"], "Missing argument 'FILE'. See: wireproof decode --help"),
        (["decode", "a", "b"], "Got unexpected extra argument"),
        (["decode", "a", "--format", "xml"], "Invalid value for '--format'"),
        (["decode", "a", "--connection", "-1"], "Invalid value for '--connection'"),
        (["decode", "a", "--frobnicate"], "No such option"),
        (["demo", "http3"], "Invalid value for"),
        (["demo", "--delay", "-1"], "Invalid value for '--delay'"),
        (["capture", "sse"], "Missing option '-o' / '--output'"),
        (["capture", "-o", "x"], "expected --port, or one transport of chunked, sse, websocket; "),
        (["capture", "http3", "-o", "x"], "found 'http3'. See: wireproof capture --help"),
        (["capture", "sse", "chunked", "-o", "x"], "found 'sse chunked'"),
        (["capture", "sse", "-o", "x", "-i", "lo"], "--interface requires --port"),
        (["capture", "--port", "80", "-o", "x", "--scenario", "gzip"], "--scenario requires"),
        (["capture", "sse", "-o", "x", "--scenario", "none"], "no scenario 'none' for sse"),
        (["capture", "--port", "99999", "-o", "x"], "Invalid value for '--port'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in failure(capsys, 2, *arguments)


def test_a_shell_can_ask_for_completions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("_WIREPROOF_COMPLETE", "zsh_source")
    with pytest.raises(SystemExit) as exit:
        run([])
    assert exit.value.code == 0
    assert "_WIREPROOF_COMPLETE=zsh_complete" in capsys.readouterr().out


def test_standard_output_may_be_a_text_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", StringIO())
    assert run(["--version"]) == 0


# --- decode ---


def test_decode_writes_records(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", str(PLAIN), "--transport", "chunked", "--no-data"]) == 0
    captured = capsys.readouterr()
    found = [json.loads(line) for line in captured.out.splitlines()]
    assert [record["record"] for record in found].count("chunk") == 9
    assert captured.err == ""


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--transport", "sse"], "no sse exchange"),
        (["--connection", "7"], "no connection 7"),
        (["--connection", "0", "--transport", "sse"], "no sse exchange in connection 0"),
    ],
)
def test_nothing_to_show_is_no_error_but_said(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failure(capsys, 0, "decode", str(PLAIN), *arguments) == f"{PLAIN}: {line}"


def test_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes\x1b[2J.txt"
    text.write_text("this is no capture file, whatever it is")
    missing = tmp_path / "missing"
    assert failure(capsys, 2, "decode", str(missing)) == f"{missing}: No such file or directory"
    assert failure(capsys, 2, "decode", str(tmp_path)) == f"{tmp_path}: Is a directory"
    line = failure(capsys, 2, "decode", str(text))
    assert line.startswith(f"{tmp_path}/notes\\x1b[2J.txt: ")
    output = str(tmp_path / "no" / "where.json")
    assert failure(capsys, 2, "decode", str(PLAIN), "-o", output).startswith(f"{output}: No such")


def test_standard_input_that_is_no_capture() -> None:
    done = subprocess.run(
        [*COMMAND, "decode", "-"], input=b"no capture file, only text", capture_output=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith(b"wireproof: standard input: ")
    assert done.stderr.count(b"\n") == 1


def test_a_small_decode_imports_only_what_it_needs() -> None:
    code = (
        "import sys; from wireproof.cli import run\n"
        f"assert run(['decode', {str(PLAIN)!r}]) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith('{"record":"request"')
    heavy = {"fastapi", "scapy", "pyshark", "uvicorn", "httpx", "websockets", "rich", "asyncio"}
    loaded = set(done.stderr.split())
    assert not heavy & loaded
    # What Python itself takes long to load, and what a plain capture has nothing of.
    assert not {"pathlib", "urllib.parse", "ipaddress", "tempfile", "dataclasses"} & loaded
    folders = ("aws_event_stream", "http2", "http3", "json_lines", "multipart", "quic", "socks")
    others = tuple(f"parsers.{name}." for name in (*folders, "websocket", "content"))
    assert not [name for name in loaded if name.startswith(others)]
    assert not {"parsers.content", "parsers.tls.key_log", "wireproof.extras"} & loaded


def test_help_imports_no_decoder() -> None:
    code = "import sys; from wireproof.cli import run; run(['--help'])\n"
    code += "print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"parsers", "capture", "server", "msgspec", "rich"} & set(done.stderr.split())


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("form", ["ndjson", "json", "csv"])
def test_a_reader_that_has_enough_is_no_error(form: str, unbuffered: str) -> None:
    large = ROOT / "fixtures" / "chunked" / "large.pcapng"
    with subprocess.Popen(
        [*COMMAND, "decode", str(large), "--format", form],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_ctrl_c_keeps_what_was_written(tmp_path: Path) -> None:
    output = tmp_path / "out.json"
    data = PLAIN.read_bytes()
    with subprocess.Popen(
        [*COMMAND, "decode", "-", "-o", str(output)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(data[: len(data) // 2])
        while not any(b"chunk" in written for written in unnamed(tmp_path)):
            assert process.poll() is None
        # A signal that comes between Python's last look and the system call waits for the next.
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
        assert process.stderr.read() == b""
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == [output]
    kinds = [record["record"] for record in json.loads(output.read_text())]
    assert kinds[:3] == ["request", "response", "chunk"]


def test_what_a_terminal_cannot_show_is_escaped() -> None:
    unicode = ROOT / "fixtures" / "chunked" / "unicode.pcapng"
    done = subprocess.run(
        [*COMMAND, "decode", str(unicode), "--format", "table"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "100"},
        capture_output=True,
        check=True,
    )
    assert b"\\u754c" in done.stdout


# --- serve, capture, demo: the errors; what they do is tested beside their modules ---


def test_main_exits_with_the_code() -> None:
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0


def test_main_reads_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["wireproof", "nonsense"])
    with pytest.raises(SystemExit) as exit:
        main()
    assert exit.value.code == 2


def test_serve_hands_its_options_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}

    def serve(host: str, **settings: Any) -> None:
        given.update(settings, host=host)

    monkeypatch.setattr("server.serve", serve, raising=False)
    assert run(["serve", "--port", "0", "--delay", "0.5", "--no-deflate"]) == 0
    assert given == {"host": "127.0.0.1", "port": 0, "delay": 0.5, "deflate": False}


def test_serve_on_a_port_that_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def serve(host: str, **settings: Any) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("server.serve", serve, raising=False)
    assert failure(capsys, 2, "serve") == "cannot listen on 127.0.0.1: Address already in use"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who listens")
def test_serve_names_who_listens_on_the_port(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failure(capsys, 2, "serve", "--port", str(port))
    holder = "this process listens on 127.0.0.1"
    assert said == f"cannot listen on 127.0.0.1:{port}: Address already in use: {holder}"


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine permits, there is a packet socket."""
    monkeypatch.setattr("wireproof.tasks.demo.prepare", lambda backend: backend or "packet-socket")
    monkeypatch.setattr("capture.backends.choose", lambda wanted, name: PacketSocket())


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CaptureNotPermitted("no right: run as root"), 3, "no right: run as root"),
        (PacketsDropped(Statistics(5, 2)), 1, "the kernel dropped 2 packets"),
        (CaptureError("a connection was still open"), 2, "a connection was still open"),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x: Permission denied"),
    ],
)
def test_what_can_go_wrong_with_a_recording(
    error: Exception,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("wireproof.tasks.demo.run", fail)
    monkeypatch.setattr("wireproof.tasks.demo.record_scenario", fail)
    monkeypatch.setattr("wireproof.tasks.capture.record_port", fail)
    assert line in failure(capsys, code, "demo")
    assert line in failure(capsys, code, "capture", "sse", "-o", "x")
    assert line in failure(capsys, code, "capture", "--port", "80", "-o", "x", "--", "true")


@pytest.mark.usefixtures("prepared")
def test_ctrl_c_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "run", interrupt)
    assert run(["demo"]) == 130


@pytest.mark.usefixtures("prepared")
def test_a_reader_of_a_recording_that_has_enough(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise BrokenPipeError

    closed: list[int] = []
    monkeypatch.setattr("os.dup2", lambda source, target: closed.append(target))
    monkeypatch.setattr("wireproof.tasks.demo.run", fail)
    assert run(["demo"]) == 141
    assert closed == [sys.stdout.fileno()]
    monkeypatch.setattr("wireproof.tasks.decode.run", fail)
    assert run(["decode", "x"]) == 141


@pytest.mark.usefixtures("prepared")
def test_capture_says_how_many_packets_there_were(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Any] = []

    def record_scenario(*arguments: object) -> demo.Recorded:
        asked.append(arguments)
        return demo.Recorded(Received("sse", ""), Statistics(1_234, 0))

    def record_port(*arguments: object, **options: Any) -> recording.Recorded:
        options.pop("ready")(Session(None))  # type: ignore[arg-type]
        del options["say"]  # which is told of a recording that breaks off
        asked.append((*arguments, options))
        return recording.Recorded(Statistics(5, 0), exit_code=7, interrupted=False)

    monkeypatch.setattr(demo, "record_scenario", record_scenario)
    monkeypatch.setattr(recording, "record_port", record_port)
    assert failure(capsys, 0, "capture", "sse", "-o", "x") == "x: 1,234 packets captured, 0 dropped"
    assert run(["capture", "--port", "80", "-o", "-", "--", "a", "-b"]) == 7
    assert capsys.readouterr() == (
        "",
        "wireproof: recording port 80 on lo with packet-socket\n"
        "wireproof: /dev/stdout: 5 packets captured, 0 dropped\n",
    )
    scenario, (wanted, backend, options) = asked
    assert scenario == ("sse", "plain", "x", None, "packet-socket")
    assert wanted == Wanted(Path("/dev/stdout"), 80, has_command=True)
    assert backend.name == "packet-socket"
    assert options == {"duration": None, "command": ("a", "-b"), "keys": True}


@pytest.mark.usefixtures("prepared")
def test_capture_without_a_command_says_when_it_is_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def record_port(*arguments: object, **options: Any) -> recording.Recorded:
        assert capsys.readouterr().err == ""
        options["ready"](Session(None, notes=("mind this",)))  # type: ignore[arg-type]
        assert capsys.readouterr().err == (
            "wireproof: recording port 80 on eth0 with packet-socket; Ctrl-C stops it\n"
            "wireproof: mind this\n"
        )
        return recording.Recorded(Statistics(0, 0), exit_code=0, interrupted=True)

    monkeypatch.setattr(recording, "record_port", record_port)
    assert run(["capture", "--port", "80", "-o", "x", "-i", "eth0", "--duration", "9"]) == 130


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["demo"], (("chunked", "sse", "websocket"), 0.2)),
        (["demo", "sse", "--delay", "0"], (("sse",), 0.0)),
    ],
)
@pytest.mark.parametrize("clean", [True, False])
def test_demo_says_whether_all_went_well(
    arguments: list[str], wanted: object, clean: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def run_demo(transports: object, delay: float, backend: str) -> bool:
        asked.append((transports, delay))
        return clean

    monkeypatch.setattr(demo, "run", run_demo)
    monkeypatch.setattr(demo, "prepare", lambda backend: backend or "packet-socket")
    assert run(arguments) == (0 if clean else 1)
    assert asked == [wanted]


def test_the_demo_says_by_what_it_is_recorded_if_that_is_unusual(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "run", lambda *wanted: True)
    monkeypatch.setattr(demo, "prepare", lambda backend: "relay")
    assert failure(capsys, 0, "demo") == "recording with relay"


def test_every_backend_can_be_named() -> None:
    assert set(capturing.BACKENDS) == {backend.name for backend in BACKENDS}


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--buffer-size", "1M"], "1M is too small: the minimum is 2,097,152 bytes"),
        (["--max-size", "many"], "'many' is not a size: expected a number, optionally with k"),
        (["--files", "2"], "--files requires --max-size"),
        (["--backend", "magic"], "'magic' is not one of 'packet-socket'"),
    ],
)
def test_options_of_a_recording_that_make_no_sense(
    options: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert line in failure(capsys, 2, "capture", "--port", "80", "-o", "x", *options)


@pytest.mark.usefixtures("prepared")
def test_standard_output_cannot_be_a_ring(capsys: pytest.CaptureFixture[str]) -> None:
    line = failure(capsys, 2, "capture", "--port", "80", "-o", "-", "--max-size", "1M")
    assert line.startswith("--max-size needs the name of a FILE")


@pytest.mark.usefixtures("prepared")
def test_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Wanted] = []

    def record_port(wanted: Wanted, backend: object, **options: Any) -> recording.Recorded:
        asked.append(wanted)
        return recording.Recorded(Statistics(0, 0), exit_code=0, interrupted=False)

    monkeypatch.setattr(recording, "record_port", record_port)
    sizes = ["--buffer-size", "64M", "--max-size", "500k", "--files", "3"]
    assert run(["capture", "--port", "80", "-o", "x", *sizes, "--", "true"]) == 0
    assert asked[0].buffer_size == 64 * 1024 * 1024
    assert asked[0].limits == Limits(500 * 1024, 3)


@pytest.mark.parametrize("command", ["decode", "explain", "ls"])
def test_memory_is_a_size(command, capsys):
    assert run([command, str(PLAIN), "--memory", "64M"]) == 0
    assert run([command, str(PLAIN), "--memory", "much"]) == 2
    assert "'much' is not a size: expected a number" in capsys.readouterr().err
    assert run([command, str(PLAIN), "--memory", "4K"]) == 2
    assert "4K is too small: the minimum is 1,048,576 bytes" in capsys.readouterr().err
